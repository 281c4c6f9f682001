/**
 * Deadlines that clients give to keys of a replica that may be written (replica-read-only no). The primary knows nothing of them,
 * so it never says that such a key is over: the replica removes it by itself, as Redis does. All other keys stay until the
 * primary deletes them.
 *
 * Keys are kept by the tenth of a second in which they are due, and looked at then: who has another deadline by that time is
 * there under that one as well, if it was a client's. Nobody knows of them after a restart: they are not found, and stay until
 * the next full copy.
 */
import type { Journal } from "../journal/journal.ts";
import type { Clock } from "../platform/clock.ts";
import type { Database } from "../store/database.ts";
import { keyCopy } from "../store/entry.ts";
import type { Keyspace } from "../store/keyspace.ts";

const SLOT_MS = 100;
/** So many are looked at in a turn. */
const MOST_PER_TURN = 200;

interface OwnKey {
  readonly database: Database;
  readonly key: Buffer;
}

export interface OwnDeadlinesParts {
  readonly keyspace: Keyspace;
  readonly journal: Pick<Journal, "commitExpired">;
  readonly clock: Clock;
  readonly turns: { begin(): void; now(): number };
  readonly snapshot: { readonly acceptsWrites: boolean };
  /** Of CLIENT PAUSE: then nothing goes. */
  isPaused(): boolean;
}

export class OwnDeadlines {
  readonly #parts: OwnDeadlinesParts;
  /** By slot. */
  readonly #due = new Map<number, OwnKey[]>();
  /** All slots before it were looked at. */
  #nextSlot = 0;
  #isWaiting = false;

  constructor(parts: OwnDeadlinesParts) {
    this.#parts = parts;
  }

  /** Clients may write from now on, or not any more. What they have given a deadline goes in any case. */
  set areNoted(areNoted: boolean) {
    const { keyspace } = this.#parts;
    keyspace.onDeadline = !areNoted
      ? null
      : (database, entry, deadlineMs) => {
          // While it is false this is the primary's stream.
          if (!keyspace.expiring) return;
          this.#note(deadlineMs, { database, key: keyCopy(keyspace.arena, entry) });
        };
  }

  /** Other data is in the place of all there was, or this server follows nobody any more. */
  forget(): void {
    this.#due.clear();
  }

  #note(deadlineMs: number, own: OwnKey): void {
    if (this.#due.size === 0) this.#nextSlot = Math.floor(this.#parts.clock.now() / SLOT_MS);
    const slot = Math.max(this.#nextSlot, Math.ceil(deadlineMs / SLOT_MS));
    const keys = this.#due.get(slot);
    if (keys === undefined) this.#due.set(slot, [own]);
    else keys.push(own);
    this.#waitFor(SLOT_MS);
  }

  #waitFor(ms: number): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    this.#parts.clock.after(ms, () => {
      this.#isWaiting = false;
      this.#look();
    });
  }

  #look(): void {
    const { keyspace, journal, turns, snapshot, isPaused } = this.#parts;
    if (this.#due.size === 0) return;
    if (isPaused() || !snapshot.acceptsWrites) {
      this.#waitFor(SLOT_MS);
      return;
    }
    turns.begin();
    keyspace.nowMs = turns.now();
    const { keepsExpired } = keyspace;
    keyspace.keepsExpired = false;
    const isDone = this.#removeDue(Math.floor(keyspace.nowMs / SLOT_MS));
    keyspace.keepsExpired = keepsExpired;
    journal.commitExpired();
    keyspace.changes = 0;
    this.#waitFor(isDone ? SLOT_MS : 1);
  }

  /** Up to the slot `last`. False: there is more. */
  #removeDue(last: number): boolean {
    for (let left = MOST_PER_TURN; this.#nextSlot <= last; this.#nextSlot++) {
      const keys = this.#due.get(this.#nextSlot) ?? [];
      while (keys.length > 0) {
        if (left-- === 0) return false;
        const { database, key } = keys.pop() as OwnKey;
        // Whoever finds it removes it, if it is over.
        database.peek(key, 0, key.length);
      }
      this.#due.delete(this.#nextSlot);
    }
    return true;
  }
}
