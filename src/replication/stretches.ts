/**
 * The stretch of the stream that a record is (journal/stream-form.ts draws the forms), read back: where in its payload it begins, and,
 * where that is wanted, which database is selected behind it. A record in no such form was made without the stream.
 */
import { Arguments } from "../commands/arguments.ts";
import { AnnotationReader, STREAM_NOTES } from "../journal/annotations.ts";
import { MAX_RECORD_BYTES, RECORD_HEADER_BYTES } from "../journal/record.ts";
import type { RecordBatch, Revision } from "../plugin.ts";
import { Decoder } from "../resp/decoder.ts";
import type { Lineage } from "./lineage.ts";

const STAR = 0x2a;
const LF = 10;
const NO_BYTES = Buffer.alloc(0);
const STREAM = Buffer.from(`${STREAM_NOTES.stream} `);
const PASSED = Buffer.from(`${STREAM_NOTES.passed} `);
const BESIDE = Buffer.from(STREAM_NOTES.beside);

/**
 * Where the stretch of the payload bytes[start, end) begins, which goes on to its end: at `end` when it has none; -1: the record
 * has no place in the stream. Looks at the front alone.
 */
export function stretchStart(bytes: Buffer, start: number, end: number): number {
  if (bytes[start] === STAR) return start;
  if (begins(bytes, start, end, BESIDE)) return end;
  if (!begins(bytes, start, end, STREAM) && !begins(bytes, start, end, PASSED)) return -1;
  return bytes.indexOf(LF, start) + 1;
}

function begins(bytes: Buffer, start: number, end: number, text: Buffer): boolean {
  return (
    end - start > text.length &&
    bytes.compare(text, 0, text.length, start, start + text.length) === 0
  );
}

/** The place in the stream behind the records that are replayed at a start. */
export class LoadTrace {
  readonly #lineage: Lineage;
  readonly #decoder = new Decoder();
  readonly #args = new Arguments();
  readonly #annotations = new AnnotationReader();
  /** Of the next anchor to come to. */
  #next = 0;
  /** Of the first record; undefined: there was none. */
  #first: Revision | undefined;
  /** Of the last byte so far; undefined: it is not known. */
  #offset: number | undefined;
  #database = -1;
  /** Two anchors do not fit the records between them, or it is not known whether the last one is of this data. */
  #isBroken = false;

  constructor(lineage: Lineage) {
    this.#lineage = lineage;
    this.#decoder.maxBulkBytes = MAX_RECORD_BYTES;
  }

  note({ bytes, start, count, firstRevision, ofRedis }: RecordBatch): void {
    this.#first ??= firstRevision;
    let at = start;
    for (let i = 0; i < count; i++) {
      this.#reach(firstRevision + i);
      const from = at + RECORD_HEADER_BYTES;
      const end = from + bytes.readUInt32LE(at);
      if (this.#offset !== undefined) {
        const isKnown =
          ofRedis === undefined && this.#add(bytes, from, end, bytes.readUInt16LE(at + 4));
        if (!isKnown) this.#offset = undefined;
      }
      at = end;
    }
  }

  /** Passes the anchors up to a revision. Those before the first record tell nothing: records behind them were not seen. */
  #reach(revision: Revision): void {
    const { anchors } = this.#lineage;
    for (let anchor = anchors[this.#next]; anchor !== undefined; anchor = anchors[this.#next]) {
      if (anchor.revision > revision) return;
      this.#next++;
      if (anchor.revision < (this.#first ?? revision)) continue;
      const isOther = this.#offset !== undefined && this.#offset + 1 !== anchor.offset;
      // Of two that replaced all data the later one counts, and nothing of what was before.
      if (!anchor.continues) this.#isBroken = anchor.isPending === true;
      else if (isOther) this.#isBroken = true;
      this.#offset = anchor.offset - 1;
      this.#database = anchor.database;
    }
  }

  /** False: it is no stretch of the stream as it stands. */
  #add(bytes: Buffer, start: number, end: number, database: number): boolean {
    if (begins(bytes, start, end, BESIDE)) return true;
    if (this.#database >= 0 && database !== this.#database) return false;
    const isBare = bytes[start] === STAR;
    const kind = isBare ? "stream" : this.#annotations.read(bytes, start, end, this.#args);
    if (kind !== "stream" && kind !== "passed") return false;
    const from = stretchStart(bytes, start, end);
    const commands = this.#survey(bytes, from, end, database);
    if (isBare && commands !== 1) return false;
    this.#offset = (this.#offset as number) + end - from;
    return true;
  }

  /** Notes which database is selected in bytes[start, end); answers how many commands there are, as far as they can be read. */
  #survey(bytes: Buffer, start: number, end: number, database: number): number {
    const args = this.#args;
    this.#database = database;
    let count = 0;
    for (let at = start; at < end; count++) {
      const next = this.#decoder.decode(args, bytes, at, end);
      if (next < 0) return -1;
      if (args.is(0, "SELECT")) this.#database = args.integer(1);
      at = next;
    }
    args.buffer = NO_BYTES;
    return count;
  }

  /** Where the stream stands when this was the last revision; undefined: the records do not tell. */
  end(lastRevision: Revision): { readonly offset: number; readonly database: number } | undefined {
    this.#first ??= lastRevision + 1;
    this.#reach(lastRevision + 1);
    if (this.#offset === undefined || this.#isBroken) return undefined;
    return { offset: this.#offset, database: this.#database };
  }
}
