/**
 * Where the stream has been: its ids and, now and then, at which revision which offset began. Kept beside the data
 * (lineage-file.ts), so that a later life knows from the records it has replayed where in the stream it stands.
 *
 * Anchors are in the order of their revisions, oldest first. What follows the last one that does not continue the one before is
 * the chain: its bytes lead to the data as it is. Within it every id holds from the beginning of the chain on, up to where the
 * next id takes over: as in Redis, where whoever has seen the new id may have been told of it at an older offset.
 */
import type { Revision } from "../plugin.ts";

export interface Anchor {
  /** The record with this revision, or the first one above it, begins at `offset`. */
  readonly revision: Revision;
  /** Of that record's first byte, which the stream has under this id. */
  readonly id: string;
  readonly offset: number;
  /** Selected in the stream there; -1: what comes selects one. */
  readonly database: number;
  /** The bytes before lead here. False: the data was replaced by other data. */
  readonly continues: boolean;
  /** The stream is another server's. */
  readonly isFollowing: boolean;
  /** It is not known yet whether the data that it belongs to takes the place of the data before. */
  readonly isPending?: true;
}

/** A stop in order: the last record had this revision, and its last byte this offset. */
export interface StreamEnd {
  readonly revision: Revision;
  readonly offset: number;
}

export const NO_ID = "0".repeat(40);
/** Redis remembers one id; chains of primaries that fail one after the other need some more. */
const MOST_IDS = 32;
/** Beyond it some of the older ones are left out: then it takes longer to find a place between them. */
const MOST_ANCHORS = 1024;

export class Lineage {
  #anchors: Anchor[];

  constructor(anchors: readonly Anchor[] = []) {
    this.#anchors = [...anchors];
  }

  get anchors(): readonly Anchor[] {
    return this.#anchors;
  }

  get last(): Anchor | undefined {
    return this.#anchors.at(-1);
  }

  /** The id before the present one, with the offset up to which it holds, exclusive. */
  get previous(): { readonly id: string; readonly end: number } {
    const chain = this.#chain;
    for (let i = chain.length - 1; i > 0; i--) {
      const anchor = chain[i] as Anchor;
      const { id } = chain[i - 1] as Anchor;
      if (id !== anchor.id) return { id, end: anchor.offset };
    }
    return { id: NO_ID, end: -1 };
  }

  get #chain(): readonly Anchor[] {
    const start = this.#anchors.findLastIndex(({ continues }) => !continues);
    return this.#anchors.slice(Math.max(0, start));
  }

  /** The anchors before which none leads to the data as it is. */
  get chainBegin(): Anchor | undefined {
    return this.#chain[0];
  }

  /** Puts it behind all that have no higher revision. */
  add(anchor: Anchor): void {
    const index = this.#anchors.findLastIndex(({ revision }) => revision <= anchor.revision) + 1;
    this.#anchors.splice(index, 0, anchor);
    if (this.#anchors.length > MOST_ANCHORS) this.#thin();
  }

  /** A place that is no more than that: nothing to do where there is one. */
  addPlace(anchor: Anchor): void {
    if (this.#anchors.some(({ revision }) => revision === anchor.revision)) return;
    this.add(anchor);
  }

  /** The data of all there are has taken its place. */
  confirm(): void {
    this.#anchors = this.#anchors.map(({ isPending: _, ...anchor }) => anchor);
  }

  /** Those above the revision were made for what never became durable. */
  forgetAbove(revision: Revision): void {
    this.#anchors = this.#anchors.filter((anchor) => anchor.revision <= revision);
  }

  /** Whether the byte `offset` of `id` follows what leads here, when `end` is the offset of the last byte there is. */
  covers(id: string, offset: number, end: number): boolean {
    const chain = this.#chain;
    if (chain.length === 0 || offset < (chain[0] as Anchor).offset) return false;
    const last = chain.findLastIndex((anchor) => anchor.id === id);
    if (last < 0) return false;
    const next = chain[last + 1];
    return offset <= (next === undefined ? end + 1 : next.offset);
  }

  /** The last anchor of the chain from which on one may look for a byte. */
  before(offset: number): Anchor | undefined {
    return this.#chain.findLast((anchor) => anchor.offset <= offset);
  }

  /**
   * Records below the revision can be read no more, and none of them is needed to know the place at a start: forgets the anchors that
   * were for them. What tells ids stays.
   */
  prune(revision: Revision): void {
    const anchors = this.#anchors;
    const needed = anchors.findLastIndex((anchor) => anchor.revision <= revision);
    const chainStart = anchors.findLastIndex(({ continues }) => !continues);
    const changes = anchors.flatMap((anchor, i) => (isChange(anchors[i - 1], anchor) ? [i] : []));
    const oldestId = changes.at(-MOST_IDS) ?? 0;
    this.#anchors = anchors.filter((_anchor, i) => {
      if (i >= needed) return true;
      return i >= chainStart && i >= oldestId && changes.includes(i);
    });
  }

  #thin(): void {
    const half = this.#anchors.length / 2;
    this.#anchors = this.#anchors.filter(
      (anchor, i) => i > half || i % 2 === 0 || isChange(this.#anchors[i - 1], anchor),
    );
  }
}

/** More than a place. The one before such a change is needed to know of its id, and has its own first anchor for that. */
function isChange(before: Anchor | undefined, anchor: Anchor): boolean {
  if (before === undefined || !anchor.continues) return true;
  return before.id !== anchor.id || before.isFollowing !== anchor.isFollowing;
}
