/**
 * Reads one file of the log back and tells an unsynced tail from damage. The invariant: what is
 * handed to the sink is intact and complete up to its end, or the user asked for more and is told
 * what is missing.
 *
 * Nothing is judged by revisions: they jump by 2^24 after an unclean stop, so a gap proves nothing.
 * What proves a loss is bytes that should be there: bytes below the `bytes` that the manifest states,
 * or, in the last increment, bytes below the `durable` offset that a later intact group of it states.
 * Unreadable bytes that nobody called durable are an unsynced tail: they and all behind them were
 * never acknowledged under `always`.
 *
 * Redis may have written on where kvdb had stopped. It begins with an annotation or with SELECT, and
 * at that place nothing else can: a group begins with its line, and what a write has not reached is
 * zeros. From there on it is text of Redis to the end (redis-text.ts).
 */
import type { Revision } from "kvdb";
import { KvdbError } from "kvdb";
import type { RecoveryAccount, Stretch } from "kvdb/persistence";
import { beginsWith, type RecordsLine } from "./group-line.ts";
import type { Group, IncrementReader } from "./increment-reader.ts";
import type { OwnIncrement } from "./manifest.ts";
import { type ReadText, RedisText } from "./redis-text.ts";

/** So often, and so long in between, an unfinished group is looked at: a write takes milliseconds. */
const WRITING_ATTEMPTS = 40;
const WRITING_PAUSE_MS = 25;

const REDIS_STARTS = ["*2\r\n$6\r\nSELECT\r\n", "#TS:"].map((text) => Buffer.from(text));

/** A file that is about to be read: an increment, or a base that consists of commands. */
export interface TextPart {
  readonly reader: IncrementReader;
  readonly sequence: number;
  /** What the manifest says of it; undefined: it is not of kvdb, as far as the manifest knows. */
  readonly own: Partial<OwnIncrement> | undefined;
  readonly isBase: boolean;
  readonly isLast: boolean;
  /** Groups from this revision on are repeated by the next file. */
  readonly repeatedFrom: Revision;
}

export class IncrementRecovery {
  readonly part: TextPart;
  readonly #account: RecoveryAccount;
  /** The highest offset up to which a group said that the file was durable. */
  durable = 0;
  /** Length of the head; 0: it has none. */
  headBytes = 0;
  /** Something of Redis is in it. */
  isForeign = false;
  /** Something in it was durable and cannot be read. */
  isDamaged = false;
  /** It was read up to here, and what follows is to be cut. */
  cutAt: number | undefined;
  /** Where the closing line that it ends with begins. */
  closingAt: number | undefined;

  constructor(account: RecoveryAccount, part: TextPart) {
    this.#account = account;
    this.part = part;
  }

  /** Hands the records to the sink. Resolves to the offset where what counts of it ends. */
  async run(): Promise<number> {
    const { reader } = this.part;
    let offset = await this.#readHead();
    if (this.headBytes === 0 && !this.isDamaged) return this.#readForeign(offset);
    while (offset < reader.limit) {
      const pending = reader.groupAt(offset);
      const group = pending instanceof Promise ? await pending : pending;
      if (group !== undefined && (await this.#apply(group))) {
        offset = group.end;
      } else if (group === undefined && (await this.#isBeingWritten(offset))) {
        // Now it is whole, or it is newer than what is asked for.
      } else {
        const end = await this.#passOver(offset, group);
        if (end === undefined) return this.cutAt ?? offset;
        offset = end;
      }
      if (this.#account.isDone) return offset;
    }
    return offset;
  }

  /** Nothing new goes behind what Redis has written, what is damaged, and what is compressed. */
  get canBeContinued(): boolean {
    const { isLast, isBase, own } = this.part;
    const isPlain = own !== undefined && own.packedBytes === undefined && this.headBytes > 0;
    return isLast && !isBase && isPlain && !this.isForeign && !this.isDamaged;
  }

  /** Where reading goes on behind what is no group; undefined when that is the end. */
  async #passOver(offset: number, group: Group | undefined): Promise<number | undefined> {
    const { reader } = this.part;
    if (group === undefined && (await this.#hasRedisWritten(offset))) {
      return this.#readForeign(offset);
    }
    // An intact group that does not fit in here (out of order) is a stretch as well: it must not be
    // applied.
    const next = await reader.nextGroup(group === undefined ? offset + 1 : group.end);
    if (group === undefined && next === undefined) {
      const seam = await this.#textBehindTorn(offset);
      if (seam !== undefined) return this.#readForeign(offset, seam);
    }
    const end = next?.end === undefined ? reader.limit : next.line.offset;
    if (await this.#isTail(offset, next)) return undefined;
    await this.#reportDamage([offset, end], next);
    return end;
  }

  // ---- the head ----

  /**
   * Where the groups begin. The manifest names a file of kvdb only when its head is durable: none is
   * damage.
   */
  async #readHead(): Promise<number> {
    const { reader, own, sequence } = this.part;
    const head = await reader.head();
    if (head !== undefined && !head.isKnown) {
      const message = `${reader.file.path}: format version ${head.format}, this kvdb reads 1`;
      throw new KvdbError("CONFIG", message);
    }
    const fits =
      head !== undefined &&
      (own === undefined || head.sequence === sequence) &&
      (own?.salt === undefined || head.salt === own.salt) &&
      (own?.firstRevision === undefined || head.firstRevision === own.firstRevision);
    if (fits) {
      reader.salt = head.salt;
      this.headBytes = head.lineBytes;
      this.durable = head.lineBytes;
      this.#account.raiseRevision(head.firstRevision - 1);
      return head.lineBytes;
    }
    if (own === undefined) return 0;
    reader.salt = own.salt ?? 0;
    if (own.firstRevision !== undefined) this.#account.raiseRevision(own.firstRevision - 1);
    const next = await reader.nextGroup(0); // the salt to check it with stands in the manifest too
    const end = next?.line.offset ?? reader.limit;
    await this.#reportDamage([0, end], next);
    return end;
  }

  // ---- groups ----

  /**
   * Gives a group's records to the sink; false when its revisions do not follow on what came
   * before.
   */
  async #apply(group: Group): Promise<boolean> {
    const account = this.#account;
    const { line } = group;
    if (line.kind === "end") {
      account.raiseRevision(line.nextRevision - 1);
      account.closed = true;
      this.closingAt = line.offset;
      this.durable = Math.max(this.durable, line.durable);
      return true;
    }
    this.closingAt = undefined;
    if (line.kind === "part") {
      if (!this.part.isBase) return false;
      await this.#handOver(group);
      return true;
    }
    account.closed = false; // whatever becomes of its records: the log was written on
    if (!(await this.#applyRecords(group, line))) return false;
    this.durable = Math.max(this.durable, line.durable);
    return true;
  }

  async #applyRecords(group: Group, { firstRevision, count }: RecordsLine): Promise<boolean> {
    const account = this.#account;
    const { repeatedFrom } = this.part;
    const afterLast = firstRevision + count;
    if (firstRevision >= repeatedFrom) return true;
    if (afterLast - 1 <= account.checkpointRevision) return true;
    if (firstRevision <= account.lastRevision || afterLast > repeatedFrom) return false;
    await this.#handOver(group);
    return true;
  }

  async #handOver({ line, end, batches }: Group): Promise<void> {
    const account = this.#account;
    for (const batch of batches) {
      account.hasSeenNewer = batch.firstRevision > account.upTo;
      if (account.hasSeenNewer) break;
      try {
        account.sink.records(batch);
      } catch (error) {
        const place = `${this.part.reader.file.path}: group at offset ${line.offset}`;
        throw account.placed(error, place);
      }
      if (line.kind === "records") {
        account.records += batch.count;
        account.lastRevision = batch.firstRevision + batch.count - 1;
      }
      await account.breathe();
    }
    account.bytes += end - line.offset;
  }

  // ---- what Redis has written ----

  async #hasRedisWritten(offset: number): Promise<boolean> {
    if (this.part.isBase) return false;
    const bytes = await this.part.reader.bytesAt(offset, 32);
    return REDIS_STARTS.some((start) => beginsWith(bytes, 0, bytes.length, start));
  }

  /**
   * Redis was started on a file whose last group was torn: it has cut the group within its text and
   * written on. Then the text behind the line is whole to the end, and longer than the line says.
   */
  async #textBehindTorn(offset: number): Promise<RecordsLine | undefined> {
    const { reader, isLast } = this.part;
    const line = await reader.lineAt(offset);
    if (!isLast || line?.kind !== "records") return undefined;
    const start = offset + line.lineBytes;
    if (start + line.textBytes >= reader.limit) return undefined;
    const text = this.#redisText(start, line);
    const { outcome } = await new RedisText(text, undefined).run();
    return outcome === "whole" ? line : undefined;
  }

  /** Resolves to where what counts of it ends. */
  async #readForeign(offset: number, torn?: RecordsLine): Promise<number> {
    const { reader, isLast } = this.part;
    this.isForeign = true;
    this.#account.closed = false;
    const start = torn === undefined ? offset : offset + torn.lineBytes;
    const read = await new RedisText(this.#redisText(start, torn), this.#account).run();
    if (read.outcome === "whole") return reader.limit;
    if (read.outcome === "torn" && isLast) {
      this.#account.reportTail(reader.file.path, [read.end, reader.limit]);
      this.cutAt = read.end;
      return reader.limit;
    }
    await this.#reportUnreadable(read);
    return reader.limit;
  }

  #redisText(start: number, torn: RecordsLine | undefined) {
    const { reader } = this.part;
    const { options, lastRevision } = this.#account;
    return {
      source: reader.source,
      start,
      limit: reader.limit,
      firstRevision: torn?.firstRevision ?? lastRevision + 1,
      database: torn?.database ?? 0,
      timeMs: torn?.timeMs ?? options.clock.now(),
      onProgress: reader.onSlice,
    };
  }

  async #reportUnreadable({ end, problem }: ReadText): Promise<void> {
    const { reader } = this.part;
    this.isDamaged = true;
    await this.#account.reportDamage({
      source: reader.file,
      stretch: [end, reader.limit],
      reason: `${problem}; what follows cannot be read either`,
    });
  }

  // ---- what cannot be read ----

  /**
   * Whether what cannot be read at `offset` is what the other instance is writing just now: then it
   * is whole a little later, or its line says that it is newer than what is asked for.
   */
  async #isBeingWritten(offset: number): Promise<boolean> {
    const account = this.#account;
    const { reader, isLast } = this.part;
    if (!account.isLive || !isLast) return false;
    for (let attempt = 1; attempt <= WRITING_ATTEMPTS; attempt++) {
      reader.forget();
      const line = await reader.lineAt(offset);
      account.hasSeenNewer = line?.kind === "records" && line.firstRevision > account.upTo;
      if (account.hasSeenNewer || (await reader.groupAt(offset)) !== undefined) return true;
      if ((await reader.lastUsed(offset)) === offset) return false; // nothing was written there
      await account.wait(WRITING_PAUSE_MS);
    }
    return false;
  }

  /**
   * Whether what begins at `offset` may be cut: it is in the last file and no intact group behind it
   * says that the file was durable further than that. Reports what is cut.
   */
  async #isTail(offset: number, next: Group | undefined): Promise<boolean> {
    const { reader, isLast, isBase, own } = this.part;
    const isSealed = own?.bytes !== undefined;
    if (!isLast || isBase || isSealed || (await this.#isAskedFor(offset, next))) return false;
    for (let group = next; group !== undefined; group = await reader.nextGroup(group.end)) {
      const { line } = group;
      if (line.kind !== "part" && line.durable > offset) return false;
    }
    const used = await reader.lastUsed(offset);
    // Zeros to the end: the file had become longer, and nothing was written there.
    if (used > offset) this.#account.reportTail(reader.file.path, [offset, used]);
    this.cutAt = offset;
    return true;
  }

  /** What is not newer than what was asked for is known to be durable. */
  async #isAskedFor(offset: number, next: Group | undefined): Promise<boolean> {
    const { isLive, upTo } = this.#account;
    if (!isLive) return false;
    const lines = [await this.part.reader.lineAt(offset), next?.line];
    return lines.some((line) => line?.kind === "records" && line.firstRevision <= upTo);
  }

  async #reportDamage(stretch: Stretch, next: Group | undefined): Promise<void> {
    const { reader } = this.part;
    const line = next?.line;
    const before = line?.kind === "records" ? ` and below ${line.firstRevision}` : "";
    const lost = `records above revision ${this.#account.lastRevision}${before} are lost`;
    this.isDamaged = true;
    await this.#account.reportDamage({
      source: reader.file,
      stretch: reader.source.locate(stretch),
      reason: `was durable and cannot be read; ${lost}`,
    });
  }
}
