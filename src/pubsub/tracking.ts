/**
 * Client-side caching, as Redis 7.0 has it: which clients are to hear when a key changes that they may keep a copy of. In the
 * usual mode a client hears of keys that it has read, once each, until it reads them again; in mode BCAST of every key that
 * begins with one of its prefixes. Names are tracked without their database, as in Redis.
 *
 *   a key is touched    its readers, and the key for BCAST, wait for the end of the command
 *   a command is over   its readers are told; for BCAST keys gather until the end of the turn
 *   a command has read  its keys are remembered, behind what it has changed itself (an expired key, say)
 *
 * Invariant: while nobody tracks, the keyspace knows of no listener.
 */
import type { Revision } from "../plugin.ts";
import type { ReadonlyBytes } from "../store/arena.ts";
import type { ChangeListener } from "../store/change-listener.ts";
import type { Database } from "../store/database.ts";
import {
  ALL_INVALID,
  brokenRedirection,
  type Invalidation,
  invalidationOf,
} from "./invalidations.ts";
import { isSubscribed } from "./pubsub.ts";
import { Tracker, type TrackingClient, type TrackingMode } from "./tracker.ts";

/** Of keys that are remembered: `tracking-table-max-keys`. */
const DEFAULT_MAX_KEYS = 1_000_000;

/** What a key that is remembered takes besides its bytes, and each reader but the first, as measured. */
const KEY_BYTES = 160;
const READER_BYTES = 80;
/**
 * It takes no larger part of `memory.max`, which it counts for. Else names of keys that are not there, asked for one after the
 * other, would drive out those that are.
 */
const MOST_OF_LIMIT = 1 / 8;

/** Keys under a prefix that somebody wants to hear of, and who alone changed each in this turn; null: nobody, or several. */
interface Broadcast {
  readonly clients: Set<TrackingClient>;
  readonly keys: Map<string, TrackingClient | null>;
}

/** A key that was touched while the command in hand ran. */
interface TouchedName {
  readonly key: string;
  /** Its client has not changed it, whoever it is: the key has expired, say. */
  isByItself: boolean;
}

/** The same, and who had read it: ids of clients. */
interface Touched extends TouchedName {
  readonly readers: Readers;
}

/** One client in most cases: a set for each of a million keys would be too much. */
type Readers = number | Set<number>;

export interface TrackingParts {
  /** All clients by their id. */
  readonly sessions: ReadonlyMap<number, TrackingClient>;
  /** Has the listener hear of every change; returns the function that ends it. */
  listen(listener: ChangeListener): () => void;
  /** Whether what goes now is no command's doing. */
  goesByItself(): boolean;
  /** Something is to be told by `deliver` and, as the turn ends, by `endTurn`. */
  onDue(): void;
}

export class Tracking implements ChangeListener {
  readonly #parts: TrackingParts;
  /** By the bytes of the key, a character each. */
  readonly #readers = new Map<string, Readers>();
  readonly #broadcasts = new Map<string, Broadcast>();
  readonly #clients = new Set<TrackingClient>();
  #unlisten: (() => void) | null = null;
  #maxKeys = DEFAULT_MAX_KEYS;
  #itemCount = 0;
  /** Of the keys in `#readers`, without what they take besides. */
  #keyBytes = 0;
  #mostBytes = Number.POSITIVE_INFINITY;
  // What waits for the end of the command.
  #touched: Touched[] = [];
  #touchedNames: TouchedName[] = [];
  #isFlushed = false;
  /** Keys have gathered that are to be broadcast as the turn ends, and what they wait for. */
  #hasGathered = false;
  #broadcastHold = 0;
  /** Of the step of the gate that remembers what a client reads; the engine's. */
  trackedBit = 0;

  constructor(parts: TrackingParts) {
    this.#parts = parts;
  }

  // ---- for INFO and CONFIG ----

  get clientCount(): number {
    return this.#clients.size;
  }

  get keyCount(): number {
    return this.#readers.size;
  }

  /** Keys, each as often as it has readers. */
  get itemCount(): number {
    return this.#itemCount;
  }

  /** What is remembered, in bytes. */
  get countedBytes(): number {
    const { size } = this.#readers;
    return this.#keyBytes + size * KEY_BYTES + (this.#itemCount - size) * READER_BYTES;
  }

  get prefixCount(): number {
    return this.#broadcasts.size;
  }

  /** 0: no limit. */
  get maxKeys(): number {
    return this.#maxKeys;
  }

  set maxKeys(count: number) {
    this.#maxKeys = count;
    this.#keepLimit();
  }

  // ---- clients ----

  /** The mode fits that of before, if there was one. Prefixes come to those of before. */
  begin(client: TrackingClient, mode: TrackingMode): void {
    const tracker = client.tracker ?? new Tracker();
    client.tracker = tracker;
    tracker.begin(mode);
    this.#clients.add(client);
    client.gates |= this.trackedBit;
    const prefixes = mode.isBroadcast && mode.prefixes.length === 0 ? [""] : mode.prefixes;
    for (const prefix of prefixes) this.#join(prefix, client, tracker);
    this.#unlisten ??= this.#parts.listen(this);
  }

  #join(prefix: string, client: TrackingClient, tracker: Tracker): void {
    const broadcast = this.#broadcasts.get(prefix) ?? { clients: new Set(), keys: new Map() };
    this.#broadcasts.set(prefix, broadcast);
    broadcast.clients.add(client);
    tracker.join(prefix);
  }

  /** What it has read stays remembered, as in Redis: it may track again. Harmless when it does not track. */
  end(client: TrackingClient): void {
    const { tracker } = client;
    if (tracker === null || !this.#clients.delete(client)) return;
    client.gates &= ~this.trackedBit;
    for (const prefix of tracker.prefixes) this.#leave(prefix, client);
    tracker.end();
    if (this.#clients.size > 0) return;
    this.#unlisten?.();
    this.#unlisten = null;
    this.#forgetReaders();
  }

  #leave(prefix: string, client: TrackingClient): void {
    const broadcast = this.#broadcasts.get(prefix) as Broadcast;
    broadcast.clients.delete(client);
    if (broadcast.clients.size === 0) this.#broadcasts.delete(prefix);
  }

  // ---- what clients read ----

  /** The client has read a key. */
  remember(client: TrackingClient, bytes: Buffer, start: number, end: number): void {
    const key = bytes.toString("latin1", start, end);
    const readers = this.#readers.get(key);
    if (readers === undefined) {
      this.#readers.set(key, client.id);
      this.#itemCount++;
      this.#keyBytes += key.length;
      this.#keepLimit();
    } else if (typeof readers !== "number") {
      if (!readers.has(client.id)) this.#itemCount++;
      readers.add(client.id);
    } else if (readers !== client.id) {
      this.#readers.set(key, new Set([readers, client.id]));
      this.#itemCount++;
    }
  }

  /** What was read longest ago is told as if it had changed. */
  #keepLimit(): void {
    if (!this.#isOver()) return;
    for (const key of this.#readers.keys()) {
      this.#touchReaders(key, true);
      if (!this.#isOver()) return;
    }
  }

  #isOver(): boolean {
    const hasTooMany = this.#maxKeys > 0 && this.#readers.size > this.#maxKeys;
    return hasTooMany || this.countedBytes > this.#mostBytes;
  }

  /** The bound on all used memory; 0: none. */
  heedLimit(maxBytes: number): void {
    this.#mostBytes = maxBytes === 0 ? Number.POSITIVE_INFINITY : maxBytes * MOST_OF_LIMIT;
    this.#keepLimit();
  }

  #forgetReaders(): void {
    this.#readers.clear();
    this.#itemCount = 0;
    this.#keyBytes = 0;
  }

  // ---- changes ----

  keyTouched(
    _database: Database,
    _hash: number,
    bytes: ReadonlyBytes,
    start: number,
    end: number,
  ): void {
    const key = bytes.toString("latin1", start, end);
    const isByItself = this.#parts.goesByItself();
    this.#touchReaders(key, isByItself);
    if (this.#broadcasts.size === 0) return;
    this.#touchedNames.push({ key, isByItself });
    this.#parts.onDue();
  }

  #touchReaders(key: string, isByItself: boolean): void {
    const readers = this.#readers.get(key);
    if (readers === undefined) return;
    this.#readers.delete(key);
    this.#keyBytes -= key.length;
    this.#itemCount -= typeof readers === "number" ? 1 : readers.size;
    this.#touched.push({ key, readers, isByItself });
    this.#parts.onDue();
  }

  /**
   * The command in hand was undone. Its readers are remembered no more, so they are told nevertheless, the client that has
   * changed nothing after all included.
   */
  undone(): void {
    for (const one of this.#touched) one.isByItself = true;
    for (const one of this.#touchedNames) one.isByItself = true;
  }

  /** Of whichever database: all copies are void. */
  databaseFlushed(): void {
    this.#forgetReaders();
    this.#isFlushed = true;
    this.#parts.onDue();
  }

  /** Redis tells nobody of SWAPDB, whose clients go on with what is in the other database by now. */
  databasesSwapped(): void {
    this.databaseFlushed();
  }

  // ---- telling ----

  /** The command of `current` is over, or null: something changed without one. */
  deliver(hold: Revision, current: TrackingClient | null): void {
    this.#tellReaders(hold, current);
    this.#gatherBroadcasts(hold, current);
    if (!this.#isFlushed) return;
    this.#isFlushed = false;
    for (const client of this.#clients) this.#tell(client, ALL_INVALID, hold);
  }

  #tellReaders(hold: Revision, current: TrackingClient | null): void {
    const touched = this.#touched;
    if (touched.length === 0) return;
    this.#touched = [];
    for (const { key, readers, isByItself } of touched) {
      const invalidation = invalidationOf([key]);
      const by = isByItself ? null : current;
      const tell = (id: number) => this.#tellReader(id, invalidation, hold, by);
      if (typeof readers === "number") tell(readers);
      else for (const id of readers) tell(id);
    }
  }

  #tellReader(
    id: number,
    invalidation: Invalidation,
    hold: Revision,
    by: TrackingClient | null,
  ): void {
    const client = this.#parts.sessions.get(id);
    const tracker = client?.tracker;
    if (client === undefined || tracker === null || tracker === undefined) return;
    const isLoop = tracker.noLoop && client === by;
    if (tracker.isOn && !tracker.isBroadcast && !isLoop) this.#tell(client, invalidation, hold);
  }

  #gatherBroadcasts(hold: Revision, current: TrackingClient | null): void {
    const names = this.#touchedNames;
    if (names.length === 0) return;
    this.#touchedNames = [];
    this.#hasGathered = true;
    this.#broadcastHold = Math.max(this.#broadcastHold, hold);
    for (const [prefix, { keys }] of this.#broadcasts) {
      for (const { key, isByItself } of names) {
        if (!key.startsWith(prefix)) continue;
        const by = isByItself ? null : current;
        keys.set(key, !keys.has(key) || keys.get(key) === by ? by : null);
      }
    }
  }

  /** The turn ends: one message for each prefix has all keys that were changed under it. */
  endTurn(): void {
    if (!this.#hasGathered) return;
    this.#hasGathered = false;
    const hold = this.#broadcastHold;
    this.#broadcastHold = 0;
    for (const { clients, keys } of this.#broadcasts.values()) {
      if (keys.size === 0) continue;
      const changed = [...keys];
      keys.clear();
      const invalidation = invalidationOf(changed.map(([key]) => key));
      for (const client of clients) {
        if (client.tracker?.noLoop !== true) this.#tell(client, invalidation, hold);
        else this.#tellOthers(client, changed, hold);
      }
    }
  }

  /** All but what the client has changed itself. */
  #tellOthers(
    client: TrackingClient,
    changed: readonly (readonly [string, TrackingClient | null])[],
    hold: Revision,
  ): void {
    const others = changed.filter(([, by]) => by !== client).map(([key]) => key);
    if (others.length > 0) this.#tell(client, invalidationOf(others), hold);
  }

  /**
   * To the client, or to the one that it has named for it, which may be itself. Who speaks RESP2 hears only as a subscriber
   * that was named.
   */
  #tell(client: TrackingClient, { push, message }: Invalidation, hold: Revision): void {
    const tracker = client.tracker as Tracker;
    const { redirection } = tracker;
    const target = redirection === 0 ? client : this.#parts.sessions.get(redirection);
    if (target === undefined) {
      tracker.isBroken = true;
      if (client.protocol === 3) client.client.push?.(brokenRedirection(redirection), hold);
    } else if (target.protocol === 3) target.client.push?.(push, hold);
    else if (redirection !== 0 && isSubscribed(target)) target.client.push?.(message, hold);
  }
}
