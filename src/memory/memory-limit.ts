/**
 * The bound on used memory, and what is done to keep it. Used is what the arena has in use, less what is queued for freeing,
 * the buffers of clients, and what else grows with use: `include`. It never passes `maxBytes` by more than 5 %:
 *
 *   before a command that may need memory    room for what it brings: keys are evicted until it fits, else OOM
 *   as a turn begins                         clients are counted; too much: keys are evicted for a moment
 *   in a turn of its own, as often as needed the rest: after CONFIG SET maxmemory, or while a huge argument comes in
 *
 * A command that grows what it found (COPY, SETRANGE) asks in the middle of its work, where no key may vanish: it gets OOM
 * when it does not fit into the 5 %, and room is made for when it comes again. So do commands that another one calls.
 *
 * Invariants: nothing is evicted while data is loaded or replaced, nor within a command that calls others (the record of the
 * caller, written later, would bring back what it had changed); what goes has a record of its own, before that of the command.
 */
import { CommandError } from "../commands/command-error.ts";
import type { Clock } from "../platform/clock.ts";
import { atTurnEnd } from "../platform/turn.ts";
import type { MemoryControl } from "../session/memory-control.ts";
import type { Session } from "../session/session.ts";
import { Eviction } from "../store/eviction.ts";
import type { Keyspace } from "../store/keyspace.ts";
import { ClientMemory } from "./client-memory.ts";
import type { Defragmenter } from "./defragmenter.ts";

/** How far used memory may pass the limit, since a command is not stopped half way. */
const TOLERANCE = 1.05;
/** Longest stretch of eviction in a turn of its own: others must not notice it. */
const SLICE_MS = 2;
/** While a snapshot does not keep pace with what changes. */
const SNAPSHOT_PAUSE_MS = 1;
/** How often clients are counted when nothing else happens. */
const LOOK_MS = 100;
/** Keys between two looks at the clock, as in Redis. */
const KEYS_PER_LOOK = 16;
/**
 * How long room is made for one command, at most: as long as it takes to copy a value of 100 MB, more or less. One that needs
 * more is refused, and finds room when it comes again.
 */
const MOST_AT_ONCE_MS = 100;
/** How long room is kept for a command that was refused. */
const WANTED_MS = 5000;
/** A block takes up to so much more than its content: the steps of the arena's size classes. */
const BLOCK_WASTE = 1.125;
/** What an element takes besides its bytes, more or less: a slot of a table, a header. */
const ELEMENT_BYTES = 32;

/** Memory beside the arena that counts as used. */
export interface IncludedMemory {
  readonly countedBytes: number;
  /** The bound on all used memory is this from now on; 0: there is none. */
  heedLimit?(maxBytes: number): void;
}

export interface MemoryLimitParts {
  readonly keyspace: Keyspace;
  readonly sessions: ReadonlyMap<number, Session>;
  readonly clock: Clock;
  readonly journal: { commitExpired(): void; readonly isJoining: boolean };
  readonly turns: { begin(): void; now(): number; onEnd(listener: () => void): () => void };
  readonly snapshot: { readonly acceptsWrites: boolean; readonly turnIsFull: boolean };
  /** Data is loaded or replaced, or somebody wants nothing to change by itself. */
  readonly isResting: () => boolean;
  /** Whether there is a bound from now on, so that commands are asked. */
  readonly onBound: (isBound: boolean) => void;
  readonly defragmenter: Defragmenter;
  /** Is told how long keys were evicted at one stretch. */
  readonly latency: { note(event: string, durationMs: number): void };
}

export class MemoryLimit implements MemoryControl {
  readonly eviction: Eviction;
  readonly clients: ClientMemory;
  readonly startupBytes: number;
  /** How much time a command may spend on eviction beyond its own need: maxmemory-eviction-tenacity. */
  tenacity = 10;
  readonly #parts: MemoryLimitParts;
  #maxBytes = 0;
  /** maxmemory-clients: bytes, or negative a percentage of the limit; 0: no bound. */
  #maxClients = 0;
  #peakBytes = 0;
  #isScheduled = false;
  #isStopped = false;
  readonly #included: IncludedMemory[] = [];
  /** What a command wanted that was refused, and until when room is made for it. */
  #wantedBytes = 0;
  #wantedUntilMs = 0;
  #evictedClients = 0;
  /** Since when used memory is over the limit, on the monotonic clock; -1: it is not. */
  #exceededSinceMs = -1;
  #exceededMs = 0;

  constructor(parts: MemoryLimitParts) {
    this.#parts = parts;
    this.eviction = new Eviction(parts.keyspace);
    this.clients = new ClientMemory(parts.sessions);
    this.startupBytes = parts.keyspace.arena.usedBytes;
  }

  include(memory: IncludedMemory): void {
    this.#included.push(memory);
    memory.heedLimit?.(this.#maxBytes);
  }

  /** Looks after clients that nobody else looks after, until `stop`. */
  start(): void {
    this.#parts.turns.onEnd(() => this.#endTurn());
    this.#parts.defragmenter.start();
    this.#parts.clock.after(LOOK_MS, () => this.#look());
  }

  stop(): void {
    this.#isStopped = true;
    this.#parts.defragmenter.stop();
  }

  // ---- limits ----

  get maxBytes(): number {
    return this.#maxBytes;
  }

  set maxBytes(bytes: number) {
    this.#maxBytes = bytes;
    this.#parts.onBound(bytes > 0);
    for (const memory of this.#included) memory.heedLimit?.(bytes);
    this.#reviseSoon();
  }

  get maxClients(): number {
    return this.#maxClients;
  }

  set maxClients(bytesOrPercentage: number) {
    this.#maxClients = bytesOrPercentage;
    this.#reviseSoon();
  }

  /** Bytes that all clients together may take; 0: no bound. */
  get maxClientBytes(): number {
    if (this.#maxClients >= 0) return this.#maxClients;
    return Math.floor((this.#maxBytes * -this.#maxClients) / 100);
  }

  // ---- what is used ----

  /** With every client counted now. */
  get usedBytes(): number {
    this.clients.countAll();
    this.#notePeak();
    return this.#used;
  }

  get peakBytes(): number {
    return Math.max(this.#peakBytes, this.usedBytes);
  }

  get #used(): number {
    return this.#parts.keyspace.arena.usedBytes + this.clients.total + this.includedBytes;
  }

  get includedBytes(): number {
    let total = 0;
    for (const { countedBytes } of this.#included) total += countedBytes;
    return total;
  }

  #notePeak(): void {
    const used = this.#used;
    if (used > this.#peakBytes) this.#peakBytes = used;
  }

  get clientBytes(): number {
    return this.clients.total;
  }

  get roomBytes(): number {
    return this.#maxBytes === 0 ? Number.POSITIVE_INFINITY : this.#mostBytes - this.#used;
  }

  /** What is promised: used memory never passes it. */
  get #mostBytes(): number {
    return this.#maxBytes * TOLERANCE;
  }

  /** Keys that went are counted by the keyspace. */
  get statistics(): MemoryControl["statistics"] {
    const since = this.#exceededSinceMs;
    const exceededMs = since < 0 ? 0 : this.#parts.clock.monotonicMs() - since;
    return {
      evictedClients: this.#evictedClients,
      exceededMs,
      exceededTotalMs: this.#exceededMs + exceededMs,
    };
  }

  resetStatistics(): void {
    this.#evictedClients = 0;
    this.#exceededMs = 0;
    if (this.#exceededSinceMs >= 0) this.#exceededSinceMs = this.#parts.clock.monotonicMs();
    this.#peakBytes = this.#used;
  }

  get defragmentation(): MemoryControl["defragmentation"] {
    return this.#parts.defragmenter.progress;
  }

  purge(): void {
    this.#parts.defragmenter.request();
  }

  #isOver(): boolean {
    return this.#maxBytes > 0 && this.#used > this.#maxBytes;
  }

  /** Whether so many bytes more are within what is promised. */
  #hasRoomFor(bytes: number): boolean {
    const used = this.#used;
    const mayBegin = used <= this.#maxBytes || this.#makesRoomLater();
    return mayBegin && used + bytes <= this.#mostBytes;
  }

  /** Within a command that calls others what it has called before may have passed the limit: that goes in the next turn. */
  #makesRoomLater(): boolean {
    return this.#parts.journal.isJoining && this.eviction.policy.chooses !== "none";
  }

  // ---- for commands ----

  /** Makes room for a command with so many arguments of so many bytes. Throws Redis's OOM error when there is none. */
  admit(session: Session, argumentBytes: number, argumentCount: number): void {
    if (this.#maxBytes === 0) return;
    this.clients.count(session);
    const bytes = argumentBytes * BLOCK_WASTE + argumentCount * ELEMENT_BYTES;
    if (this.#hasRoomFor(bytes)) return;
    if (this.eviction.policy.chooses === "none") throw outOfMemory();
    if (this.#makesRoomLater()) this.require(bytes);
    // Evicting all keys for what would not fit even then helps nobody.
    if (!this.#couldHold(bytes) || !this.#evictFor(bytes)) throw outOfMemory();
  }

  /** For a command in the middle of its work. Throws Redis's OOM error when so many bytes more do not fit. */
  require(bytes: number): void {
    if (this.#maxBytes === 0 || this.#hasRoomFor(bytes)) return;
    const canHelp = bytes > 0 && this.#couldHold(bytes);
    if (canHelp && this.eviction.policy.chooses !== "none") this.#want(bytes);
    throw outOfMemory();
  }

  /** Whether so many bytes would fit if all keys went. */
  #couldHold(bytes: number): boolean {
    return bytes <= this.#mostBytes - this.clients.total - this.includedBytes;
  }

  /**
   * False: too little may go. When used memory is far above the limit, which was lowered then, it is enough that as much goes
   * as comes: the rest goes in turns of its own, and nobody waits for it.
   */
  #evictFor(bytes: number): boolean {
    const { clock } = this.#parts;
    const before = this.#used;
    const mostMs = clock.monotonicMs() + MOST_AT_ONCE_MS;
    const hasGone = () => before - this.#used >= bytes;
    const mayStop = () => hasGone() || clock.monotonicMs() >= mostMs;
    const isEnough = () => this.#hasRoomFor(bytes);
    const outcome = this.#evict(isEnough, mayStop, timeLimitMs(this.tenacity));
    if (outcome !== "later") return outcome === "enough";
    if (hasGone()) this.#reviseSoon();
    else this.#want(bytes);
    return hasGone();
  }

  /** Room for so many bytes is made from now on, for a command that was refused. */
  #want(bytes: number): void {
    this.#wantedBytes = bytes;
    this.#wantedUntilMs = this.#parts.clock.monotonicMs() + WANTED_MS;
    this.#reviseSoon();
  }

  /**
   * Evicts until it is enough, or until `limitMs` are over and one may stop. "none": until there was nothing more that may go.
   */
  #evict(
    isEnough: () => boolean,
    mayStop: () => boolean,
    limitMs: number,
  ): "enough" | "later" | "none" {
    const { clock, snapshot, journal, keyspace, latency } = this.#parts;
    const startMs = clock.monotonicMs();
    const end = startMs + limitMs;
    let outcome: "enough" | "later" | "none" = "enough";
    for (let count = 1; !isEnough(); count++) {
      if (!this.eviction.evictOne()) {
        outcome = "none";
        break;
      }
      const looks = count % KEYS_PER_LOOK === 0 || snapshot.turnIsFull;
      if (looks && mayStop() && (snapshot.turnIsFull || clock.monotonicMs() >= end)) {
        outcome = "later";
        break;
      }
    }
    journal.commitExpired();
    keyspace.changes = 0;
    latency.note("eviction-cycle", clock.monotonicMs() - startMs);
    this.#noteExcess();
    return outcome;
  }

  #noteExcess(): void {
    const isOver = this.#isOver();
    if (isOver === this.#exceededSinceMs >= 0) return;
    const nowMs = this.#parts.clock.monotonicMs();
    if (!isOver) this.#exceededMs += nowMs - this.#exceededSinceMs;
    this.#exceededSinceMs = isOver ? nowMs : -1;
  }

  // ---- by itself ----

  /** A turn begins: no command is under way. */
  beginTurn(): void {
    this.#notePeak();
    if (this.#maxBytes === 0 && this.#maxClients === 0) return;
    this.clients.countSome();
    this.#evictClients();
    if (this.#isOver() && this.#mayEvict()) this.#evictSlice(timeLimitMs(this.tenacity));
    else this.#noteExcess();
  }

  /** What has come in since: room for it is made before it is a command. */
  #endTurn(): void {
    if (this.#maxBytes === 0 || this.#isScheduled) return;
    this.clients.countSome();
    if (this.#isOver() && this.#mayEvict()) this.#reviseSoon();
  }

  #mayEvict(): boolean {
    const { isResting, journal } = this.#parts;
    return !isResting() && !journal.isJoining && this.eviction.policy.chooses !== "none";
  }

  #evictSlice(limitMs: number): void {
    const isEnough = () => !this.#isOver() && this.#hasWanted();
    if (this.#evict(isEnough, () => true, limitMs) === "later") this.#reviseSoon();
  }

  #hasWanted(): boolean {
    if (this.#wantedBytes === 0) return true;
    const isOld = this.#parts.clock.monotonicMs() > this.#wantedUntilMs;
    if (isOld || this.#hasRoomFor(this.#wantedBytes)) this.#wantedBytes = 0;
    return this.#wantedBytes === 0;
  }

  #look(): void {
    if (this.#isStopped) return;
    this.clients.countAll();
    this.#notePeak();
    if (this.#needsRevision()) this.#reviseSoon();
    this.#parts.clock.after(LOOK_MS, () => this.#look());
  }

  #needsRevision(): boolean {
    return this.#isOver() || this.#clientsAreOver() || !this.#hasWanted();
  }

  #reviseSoon(): void {
    if (this.#isScheduled || this.#isStopped) return;
    this.#isScheduled = true;
    atTurnEnd(() => this.#revise());
  }

  #revise(): void {
    const { keyspace, turns, snapshot, clock } = this.#parts;
    this.#isScheduled = false;
    this.clients.countAll();
    this.#evictClients();
    if (this.#isStopped || !this.#needsRevision() || !this.#mayEvict()) return;
    if (!snapshot.acceptsWrites) {
      // Evicting is writing: who goes on with it fills the memory with copies of pages.
      clock.after(SNAPSHOT_PAUSE_MS, () => this.#reviseSoon());
      return;
    }
    turns.begin();
    keyspace.nowMs = turns.now();
    this.#evictSlice(SLICE_MS);
  }

  // ---- clients ----

  #clientsAreOver(): boolean {
    const most = this.maxClientBytes;
    return most > 0 && this.clients.total > most;
  }

  /** Closes those that take most until the others are within their bound. */
  #evictClients(): void {
    while (this.#clientsAreOver()) {
      const largest = this.clients.largest();
      if (largest === undefined) return;
      this.#evictedClients++;
      this.clients.dismiss(largest);
      largest.client.close("now");
    }
  }
}

/** Redis's reading of maxmemory-eviction-tenacity. */
function timeLimitMs(tenacity: number): number {
  if (tenacity <= 10) return 0.05 * tenacity;
  return tenacity < 100 ? 0.5 * 1.15 ** (tenacity - 10) : Number.POSITIVE_INFINITY;
}

function outOfMemory(): CommandError {
  return new CommandError("OOM", "command not allowed when used memory > 'maxmemory'.");
}
