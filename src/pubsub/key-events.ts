/**
 * Keyspace events: who subscribes to `__keyspace@N__:key` or `__keyevent@N__:event` hears what commands, expiry and
 * eviction did to keys. What a command tells gathers here, in its order, and leaves when the command is recorded: with the
 * revision that it waits for, or not at all when the command was undone.
 *
 * Invariant: while the setting is closed, or nobody subscribes to anything, nothing gathers and no text is made.
 */
import type { Revision } from "../plugin.ts";
import type { ReadonlyBytes } from "../store/arena.ts";
import type { Database } from "../store/database.ts";
import type { Keyspace, KeyWitness } from "../store/keyspace.ts";
import { EventBatch } from "./event-batch.ts";
import { formatEventFlags, KEYEVENT, KEYSPACE, parseEventFlags } from "./event-flags.ts";
import { type KeyEvent, keyEvents } from "./event-names.ts";

/** Who carries messages to subscribers. */
export interface EventDelivery {
  /** Anybody subscribes to any channel or pattern. */
  readonly hasSubscribers: boolean;
  /** Both are kept: they may not change afterwards. The message waits until `hold` is as durable as promised. */
  publish(channel: Uint8Array, message: Uint8Array, hold: Revision): number;
  /** The same, when the command in hand is over. */
  queue(channel: Uint8Array, message: Uint8Array): number;
  /** Nothing that was queued is to leave. */
  forget(): void;
}

export class KeyEvents {
  readonly #keyspace: Keyspace;
  delivery: EventDelivery = NOBODY;
  #flags = 0;
  /** Classes that are told, as bits; 0: none, or on no channel. */
  open = 0;
  /** What happens is told although nothing expires by itself: a primary does it here. */
  isNews = false;
  /** Null: nothing has gathered. */
  #batch: EventBatch | null = null;
  /** An empty one, so that none is made for each command. */
  #spare: EventBatch | null = null;

  constructor(keyspace: Keyspace) {
    this.#keyspace = keyspace;
  }

  /** As CONFIG GET answers it. */
  get flags(): string {
    return formatEventFlags(this.#flags);
  }

  /** False, and nothing changes, when the text has a letter that means nothing. */
  setFlags(text: string): boolean {
    const flags = parseEventFlags(text);
    if (flags === undefined) return false;
    this.#flags = flags;
    this.open = (flags & (KEYSPACE | KEYEVENT)) === 0 ? 0 : flags;
    this.#listen();
    return true;
  }

  /** What no command tells of, the store does: nobody is asked there while it is not wanted. */
  #listen(): void {
    const keyspace = this.#keyspace;
    const { hexpired, del, keymiss } = keyEvents;
    const tells = (event: KeyEvent): KeyWitness => {
      return (database, bytes, start, end) => this.notify(event, database, bytes, start, end);
    };
    const wanted = (event: KeyEvent) => ((this.open & event.bit) === 0 ? null : tells(event));
    keyspace.onNewKey = wanted(keyEvents.new);
    keyspace.onMiss = wanted(keymiss);
    keyspace.onFieldsExpired =
      (this.open & (hexpired.bit | del.bit)) === 0
        ? null
        : (database, key, isGone) => {
            this.notify(hexpired, database, key, 0, key.length);
            if (isGone) this.notify(del, database, key, 0, key.length);
          };
  }

  /** The event has happened to the key bytes[start, end). */
  notify(
    event: KeyEvent,
    database: Database,
    bytes: ReadonlyBytes,
    start: number,
    end: number,
  ): void {
    if ((this.open & event.bit) === 0 || !this.delivery.hasSubscribers) return;
    // What is loaded is no news.
    if (!this.#keyspace.expiring && !this.isNews) return;
    this.#batch ??= this.#emptyBatch();
    this.#batch.add(event, database.index, bytes, start, end);
  }

  #emptyBatch(): EventBatch {
    const spare = this.#spare ?? new EventBatch();
    this.#spare = null;
    return spare;
  }

  get hasGathered(): boolean {
    return this.#batch !== null;
  }

  /** The command is over: its events leave, in their order. */
  leave(hold: Revision): void {
    this.#tellAll(hold);
  }

  /** Something else is about to be told, which comes behind what has gathered. */
  queueGathered(): void {
    this.#tellAll(QUEUE);
  }

  #tellAll(when: Revision | typeof QUEUE): void {
    const batch = this.#batch;
    if (batch === null) return;
    // Whoever is told may run a command of its own: the events of that are no part of these.
    this.#batch = null;
    batch.each((event, database, key) => this.#tell(event, database, key, when));
    batch.clear();
    this.#spare = batch;
  }

  /** The command was undone: nothing of it has happened. */
  forget(): void {
    this.#batch = null; // what it has grown to goes with it: a command is undone seldom
    this.delivery.forget();
  }

  /** Redis tells of the key before it tells of the event. */
  #tell(event: KeyEvent, database: number, key: Buffer, when: Revision | typeof QUEUE): void {
    if ((this.#flags & KEYSPACE) !== 0) {
      const channel = Buffer.concat([Buffer.from(`__keyspace@${database}__:`), key]);
      this.#send(channel, event.nameBytes, when);
    }
    if ((this.#flags & KEYEVENT) !== 0) {
      this.#send(Buffer.from(`__keyevent@${database}__:${event.name}`), key, when);
    }
  }

  #send(channel: Buffer, message: Buffer, when: Revision | typeof QUEUE): void {
    if (when === QUEUE) this.delivery.queue(channel, message);
    else this.delivery.publish(channel, message, when);
  }
}

/** Not a revision: when the command in hand is over. */
const QUEUE = "queue";

const NOBODY: EventDelivery = {
  hasSubscribers: false,
  publish: () => 0,
  queue: () => 0,
  forget: () => {},
};
