/**
 * Reads what Redis has written: an AOF without kvdb's lines, of which nothing but the text itself
 * says what is whole. As Redis does with `aof-load-truncated yes`: a last command or transaction
 * that is not whole was never acknowledged; anything else that cannot be read is damage, and behind
 * it nobody knows where a command begins. Revisions are counted on.
 */
import type { RedisWrote, Revision } from "kvdb";
import type { LogSource, RecoveryAccount } from "kvdb/persistence";
import { RecordFrames, SLICE_BYTES } from "./record-frames.ts";
import { RecordScan } from "./record-scan.ts";

const HASH = 0x23;
const FUNCTION = Buffer.from("FUNCTION");

const WINDOW_BYTES = 1 << 20;
/** A record whose last line may go on in the next one is not taken for whole this near the end. */
const MARGIN_BYTES = 256;

export interface RedisTextOptions {
  readonly source: LogSource;
  /** From where up to where in the file. */
  readonly start: number;
  readonly limit: number;
  /** Of the first record. */
  readonly firstRevision: Revision;
  readonly database: number;
  /** When the records were made that have no annotation. */
  readonly timeMs: number;
  readonly onProgress: (offset: number) => void;
}

/** Where reading ended: behind the last whole record. */
export interface ReadText {
  /** `torn`: the text ends within a record; `malformed`: it goes on with what is none. */
  readonly outcome: "whole" | "torn" | "malformed";
  readonly end: number;
  readonly problem: string;
  readonly records: number;
}

export class RedisText implements RedisWrote {
  readonly #options: RedisTextOptions;
  /** Absent: it is only looked whether the text is whole. */
  readonly #account: RecoveryAccount | undefined;
  readonly #scan: RecordScan;
  readonly #frames = new RecordFrames();
  #window = Buffer.allocUnsafeSlow(WINDOW_BYTES);
  /** The window holds the file's bytes [start, end). */
  #start = 0;
  #end = 0;
  #isAtEnd = false;
  #records = 0;
  /** Commands that failed, as they do in Redis when it loads them. */
  #passedOver = 0;
  #firstFailure = "";

  constructor(options: RedisTextOptions, account: RecoveryAccount | undefined) {
    this.#options = options;
    this.#account = account;
    this.#scan = new RecordScan(options.database, options.timeMs, true);
  }

  async run(): Promise<ReadText> {
    const scan = this.#scan;
    this.#frames.begin(this.#options.firstRevision);
    let offset = this.#options.start;
    await this.#fill(offset);
    for (;;) {
      const outcome = scan.scan(this.#window, offset - this.#start, this.#end - this.#start);
      const next = this.#start + scan.next;
      const mayGoOn = !this.#isAtEnd && (outcome !== "record" || this.#isNearEnd());
      if (outcome === "malformed" || (outcome !== "record" && this.#isAtEnd)) {
        return this.#finish(outcome, this.#start + scan.start);
      }
      if (mayGoOn) {
        offset = this.#start + scan.start;
        await this.#handOver();
        await this.#fill(offset);
        continue;
      }
      this.#take(this.#start + scan.start);
      if (this.#frames.bytes > SLICE_BYTES) await this.#handOver();
      offset = next;
    }
  }

  passedOver(failure: string): void {
    if (this.#passedOver++ === 0) this.#firstFailure = failure;
  }

  /** A line at its end may go on in the next. */
  #isNearEnd(): boolean {
    const isLine = this.#window[this.#scan.payloadStart] === HASH;
    return isLine && this.#end - this.#start - this.#scan.next < MARGIN_BYTES;
  }

  #take(offset: number): void {
    const account = this.#account;
    if (account === undefined) return;
    // Redis's functions are programs in a language that kvdb does not run.
    if (this.#scan.isNamed(this.#window, FUNCTION)) {
      const { path: file } = this.#options.source.file;
      const bytes = this.#scan.next - this.#scan.start;
      const reason = "FUNCTION: functions are skipped";
      account.dropped.push({ kind: "note", file, offset, bytes, reason });
      return;
    }
    this.#frames.add(this.#window, this.#scan);
  }

  async #handOver(): Promise<void> {
    const account = this.#account;
    if (account === undefined) return;
    const frames = this.#frames;
    frames.endBatch();
    const { path } = this.#options.source.file;
    for (const batch of frames.batches) {
      try {
        account.sink.records({ ...batch, ofRedis: this });
      } catch (error) {
        const place = `${path}: before offset ${this.#start + this.#scan.next}`;
        throw account.placed(error, place);
      }
      account.records += batch.count;
      this.#records += batch.count;
      account.raiseRevision(batch.firstRevision + batch.count - 1);
    }
    frames.begin(frames.nextRevision);
    this.#options.onProgress(this.#start + this.#scan.start);
    await account.breathe();
  }

  async #finish(outcome: "end" | "incomplete" | "malformed", end: number): Promise<ReadText> {
    await this.#handOver();
    if (this.#account !== undefined) this.#account.bytes += end - this.#options.start;
    this.#tellPassedOver(end);
    const records = this.#records;
    const { problem } = this.#scan;
    if (outcome === "end") return { outcome: "whole", end, problem: "", records };
    if (outcome === "malformed") return { outcome, end, problem, records };
    return { outcome: "torn", end, problem: "it ends within a command", records };
  }

  #tellPassedOver(end: number): void {
    if (this.#passedOver === 0) return;
    const { source, start } = this.#options;
    const what = this.#passedOver === 1 ? "a command" : `${this.#passedOver} commands`;
    const reason = `${what} of Redis passed over, as Redis does: ${this.#firstFailure}`;
    this.#account?.dropped.push({
      ...{ kind: "note", file: source.file.path, offset: start, bytes: end - start, reason },
    });
  }

  /** Brings what follows `offset` into memory: more than before, when it was there already. */
  async #fill(offset: number): Promise<void> {
    const { source, limit } = this.#options;
    const isLonger = this.#end > this.#start && offset === this.#start;
    if (isLonger) this.#window = Buffer.allocUnsafeSlow(this.#window.length * 2);
    const length = Math.min(this.#window.length, limit - offset);
    const count = await source.read(this.#window, 0, length, offset);
    this.#start = offset;
    this.#end = offset + count;
    this.#isAtEnd = count < length || offset + count >= limit;
  }
}
