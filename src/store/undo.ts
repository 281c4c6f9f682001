/**
 * Undoing what commands have changed: from `begin` on each page of the arena is copied before it is first written, as for a
 * snapshot (snapshot.ts), and `undo` puts the copies back. It knows no type and no command. Between the two nobody else runs:
 * it begins and ends within one turn, between two commands. What stands beside the arena comes back so:
 *
 *   chunks made since                   forgotten (Arena.restore)
 *   units in use by chunk, parked blocks  copied at the beginning (Arena.hold)
 *   giants released since               stay until `keep` (Arena.hold), so their memory is there; those made since go at once
 *   FLUSHALL                            digs graves instead of beginning a new arena (Keyspace.flushAll)
 *   counters, last deletion and swap    copied at the beginning
 *   indexes                             say themselves how (EntryObserver.memorize): counts, roots, whose database they are
 *   where keys were found               forgotten (Dictionary.changes)
 *   graves, deadlines, definitions      lie in the arena; whoever was told that there is work finds none
 *   revisions                           are given when the change is recorded, which it is not
 *
 * Readers of a snapshot that is being taken see nothing of it: its cut lies before or behind, and a page that is put back
 * was copied for it when it was first written. So is the audit of the tests content.
 *
 * The bound is asked for between commands (`isFull`), not in the middle of a change, which would leave that half done: so one
 * command may pass it by as much as it writes itself. New memory needs no copy and is not bounded here: it is data, and
 * bounded as data is, by the limit on used memory.
 */
import { MAX_UNDO_BYTES } from "../limits.ts";
import { type ArenaViews, CHUNK_SHIFT, PAGE_BYTES, PAGE_SHIFT } from "./arena.ts";
import type { Keyspace } from "./keyspace.ts";
import { attachTracker, detachTracker, type PageTracker } from "./page-tracker.ts";

const CHUNK_PAGE_SHIFT = CHUNK_SHIFT - PAGE_SHIFT;
const PAGES_OF_CHUNK = 1 << CHUNK_PAGE_SHIFT;

/** A page as it was, and where it belongs. */
interface SavedPage {
  readonly chunk: Buffer;
  readonly at: number;
  readonly bytes: Buffer;
}

export class Undo implements PageTracker {
  readonly #keyspace: Keyspace;
  readonly #maxBytes: number;
  readonly #views: ArenaViews;
  readonly #saved: SavedPage[] = [];
  /** Numbers of pages that need no copy any more. */
  readonly #seen = new Set<number>();
  readonly #restorers: readonly (() => void)[];

  static begin(keyspace: Keyspace, maxBytes = MAX_UNDO_BYTES): Undo {
    return new Undo(keyspace, maxBytes);
  }

  private constructor(keyspace: Keyspace, maxBytes: number) {
    this.#keyspace = keyspace;
    this.#maxBytes = maxBytes;
    // An index may complete its contents first: no part of what is undone.
    const indexes = keyspace.entryObserver?.memorize() ?? nothing;
    this.#restorers = [keyspace.memorize(), indexes];
    this.#views = keyspace.arena.hold();
    attachTracker(keyspace.arena, this);
  }

  touch(firstPage: number, lastPage: number): void {
    for (let page = firstPage; page <= lastPage; page++)
      if (!this.#seen.has(page)) this.#save(page);
  }

  #save(page: number): void {
    this.#seen.add(page);
    const chunk = page >>> CHUNK_PAGE_SHIFT;
    const buffer = this.#views.bytes[chunk];
    // What lies in a chunk that is new is forgotten with it.
    if (buffer === undefined || this.#keyspace.arena.bytes[chunk] !== buffer) return;
    const at = (page & (PAGES_OF_CHUNK - 1)) * PAGE_BYTES;
    this.#saved.push({
      chunk: buffer,
      at,
      bytes: Buffer.from(buffer.subarray(at, at + PAGE_BYTES)),
    });
  }

  /** Nothing is released, and the arena does not begin anew, while it holds. */
  released(): void {}
  reset(): void {}

  /** Bytes that undoing keeps. */
  get bytes(): number {
    return this.#saved.length * PAGE_BYTES;
  }

  /** No more should be changed: the memory that this takes is bounded. */
  get isFull(): boolean {
    return this.bytes > this.#maxBytes;
  }

  /** The changes stand. */
  keep(): void {
    detachTracker(this.#keyspace.arena, this);
    this.#keyspace.arena.letGo();
  }

  /** They never were. */
  undo(): void {
    const { arena, entries } = this.#keyspace;
    detachTracker(arena, this);
    arena.restore(this.#views);
    for (const { chunk, at, bytes } of this.#saved) bytes.copy(chunk, at);
    for (const restore of this.#restorers) restore();
    entries.changes++;
  }
}

const nothing = (): void => {};
