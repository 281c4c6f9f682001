/**
 * Reads one segment of the log back and tells an unsynced tail from damage. The invariant: what is
 * handed to the sink is intact and complete up to its end, or the user asked for more and is told
 * what is missing.
 *
 * Nothing is judged by revisions: they jump by 2^24 after an unclean stop, so a gap proves nothing.
 * What proves a loss is bytes that should be there: bytes below a segment's `bytes` in the
 * manifest, or, in the last segment, bytes below the `durable` offset that a later intact group of
 * it states. Unreadable bytes that nobody called durable are an unsynced tail: they and all behind
 * them were never acknowledged under `always`.
 */
import type { Revision } from "kvdb";
import type { RecoveryAccount, Stretch } from "kvdb/persistence";
import { type Group, KIND_CLOSING } from "./group.ts";
import type { SegmentEntry } from "./manifest.ts";
import { SEGMENT_HEADER_BYTES } from "./segment.ts";
import type { SegmentReader } from "./segment-reader.ts";

/** So often, and so long in between, an unfinished group is looked at: a write takes milliseconds. */
const WRITING_ATTEMPTS = 40;
const WRITING_PAUSE_MS = 25;

/** A segment that is about to be read. */
export interface SegmentPart {
  readonly entry: SegmentEntry;
  readonly reader: SegmentReader;
  readonly isLast: boolean;
  /** Groups from this revision on are repeated by the next segment. */
  readonly repeatedFrom: Revision;
}

export class SegmentRecovery {
  readonly part: SegmentPart;
  readonly #account: RecoveryAccount;
  readonly damaged: Stretch[];
  /** The highest offset up to which a group said that the file was durable. */
  durable = SEGMENT_HEADER_BYTES;

  constructor(account: RecoveryAccount, part: SegmentPart) {
    this.#account = account;
    this.part = part;
    this.damaged = [...(part.entry.damaged ?? [])];
  }

  /** Hands the records to the sink. Resolves to the offset where what counts of it ends. */
  async run(): Promise<number> {
    const { reader, entry } = this.part;
    this.#account.raiseRevision(entry.firstRevision - 1);
    let offset = await this.#readHeader();
    while (offset < reader.limit) {
      const known = this.damaged.find(([start]) => start === offset);
      if (known !== undefined) {
        offset = known[1];
        continue;
      }
      const pending = reader.groupAt(offset);
      const group = pending instanceof Promise ? await pending : pending;
      if (group !== undefined && this.#apply(group)) {
        this.durable = Math.max(this.durable, group.durable);
        offset = group.end;
      } else if (group === undefined && (await this.#isBeingWritten(offset))) {
        // Now it is whole, or it is newer than what is asked for.
      } else {
        const end = await this.#passOver(offset, group);
        if (end === undefined) return offset;
        offset = end;
      }
      if (this.#account.isDone) return offset;
    }
    return offset;
  }
  /** Where reading goes on behind what cannot be read; undefined when that is the end. */
  async #passOver(offset: number, group: Group | undefined): Promise<number | undefined> {
    const { reader } = this.part;
    // An intact group that does not fit in here (out of order) is a stretch as well: it must not be
    // applied.
    const next = await reader.nextGroup(group === undefined ? offset + 1 : group.end);
    if (await this.#isTail(offset, next)) return undefined;
    const end = next?.offset ?? reader.limit;
    await this.#reportDamage([offset, end], next);
    return end;
  }

  /**
   * Whether what cannot be read at `offset` is what the other instance is writing just now: then it
   * is whole a little later, or its header says that it is newer than what is asked for.
   */
  async #isBeingWritten(offset: number): Promise<boolean> {
    const account = this.#account;
    const { reader, isLast } = this.part;
    if (!account.isLive || !isLast) return false;
    for (let attempt = 1; attempt <= WRITING_ATTEMPTS; attempt++) {
      reader.forget();
      const header = await reader.headerAt(offset);
      account.hasSeenNewer = header !== undefined && header.firstRevision > account.upTo;
      if (account.hasSeenNewer || (await reader.groupAt(offset)) !== undefined) return true;
      if ((await reader.lastUsed(offset)) === offset) return false; // nothing was written there
      await account.wait(WRITING_PAUSE_MS);
    }
    return false;
  }

  /**
   * A segment without its header can be read with what the manifest says, but nothing new goes into
   * it; nor into a packed one.
   */
  get canBeContinued(): boolean {
    const { isLast, entry } = this.part;
    return isLast && entry.packed === undefined && !this.damaged.some(([start]) => start === 0);
  }

  /**
   * Where the groups begin. The manifest names a segment only when its header is durable: none is
   * damage.
   */
  async #readHeader(): Promise<number> {
    const { reader, entry } = this.part;
    const known = this.damaged.find(([start]) => start === 0);
    if (known !== undefined) return known[1];
    const identity = await reader.header();
    const fits =
      identity !== undefined &&
      identity.number === entry.number &&
      identity.salt === entry.salt &&
      identity.firstRevision === entry.firstRevision;
    if (fits) return SEGMENT_HEADER_BYTES;
    const next = await reader.nextGroup(0); // the salt to check it with stands in the manifest too
    const end = next?.offset ?? reader.limit;
    await this.#reportDamage([0, end], next);
    return end;
  }

  /**
   * Gives a group's records to the sink; false when its revisions do not follow on what came
   * before.
   */
  #apply(group: Group): boolean {
    const account = this.#account;
    const { reader, repeatedFrom } = this.part;
    const afterLast = group.firstRevision + group.count;
    if (group.kind === KIND_CLOSING) {
      account.raiseRevision(group.firstRevision - 1);
      account.closed = true;
      return true;
    }
    account.closed = false; // whatever becomes of its records: the log was written on
    if (group.firstRevision >= repeatedFrom) return true;
    if (afterLast - 1 <= account.checkpointRevision) return true;
    if (group.firstRevision <= account.lastRevision || afterLast > repeatedFrom) return false;
    for (const batch of group.batches) {
      account.hasSeenNewer = batch.firstRevision > account.upTo;
      if (account.hasSeenNewer) break;
      try {
        account.sink.records(batch);
      } catch (error) {
        throw account.placed(error, `${reader.file.path}: group at offset ${group.offset}`);
      }
      account.records += batch.count;
      account.lastRevision = batch.firstRevision + batch.count - 1;
    }
    account.bytes += group.end - group.offset;
    return true;
  }

  /**
   * Whether what begins at `offset` may be cut: it is in the last segment and no intact group
   * behind it says that the file was durable further than that. Reports what is cut.
   */
  async #isTail(offset: number, next: Group | undefined): Promise<boolean> {
    const { reader, entry, isLast } = this.part;
    const used = await reader.lastUsed(offset);
    // Zeros to the end: space prepared ahead, in which nothing was written. A segment whose length
    // the manifest states has none: it ends there and nowhere before.
    if (used === offset && entry.bytes === undefined) return true;
    if (!isLast || (await this.#isAskedFor(offset, next))) return false;
    for (let group = next; group !== undefined; group = await reader.nextGroup(group.end)) {
      if (group.durable > offset) return false;
    }
    this.#account.reportTail(reader.file.path, [offset, used]);
    return true;
  }

  /** What is not newer than what was asked for is known to be durable. */
  async #isAskedFor(offset: number, next: Group | undefined): Promise<boolean> {
    const { isLive, upTo } = this.#account;
    if (!isLive) return false;
    const header = await this.part.reader.headerAt(offset);
    return [header, next].some((group) => group !== undefined && group.firstRevision <= upTo);
  }

  async #reportDamage(stretch: Stretch, next: Group | undefined): Promise<void> {
    const { reader } = this.part;
    const before = next === undefined ? "" : ` and below ${next.firstRevision}`;
    const lost = `records above revision ${this.#account.lastRevision}${before} are lost`;
    await this.#account.reportDamage({
      source: reader.file,
      stretch: reader.source.locate(stretch),
      reason: `was durable and cannot be read; ${lost}`,
    });
    this.damaged.push(stretch);
  }
}
