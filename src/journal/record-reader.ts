/**
 * The commands of a record's payload, one after the other: RESP arrays, with what the lines between them say
 * (annotations.ts) done to them. Nothing runs here.
 */
import { Arguments } from "../commands/arguments.ts";
import { Decoder } from "../resp/decoder.ts";
import { isAnnotation, readAnnotation } from "./annotations.ts";

const STAR = 42;
/** Sets a document of any kind, whatever the key was before. */
const SET_DOCUMENT = Buffer.from("VALUE.IMPORT");
const JSON_KIND = Buffer.from("json");
const NO_DEADLINE = Buffer.from("0");

export class RecordReader {
  readonly #decoder = new Decoder();
  /** The command that `next` has read; a count of 0: there was none, only a line that says nothing to do. */
  readonly args = new Arguments();
  /** Why `next` could not read on. */
  problem = "";

  /** Reads what begins at `at`, before `limit`; answers where it ends, or -1: it is damaged. */
  next(bytes: Buffer, at: number, limit: number): number {
    const first = bytes[at] as number;
    if (first === STAR) return this.#array(bytes, at, limit);
    if (!isAnnotation(first)) return this.#damaged("a record has something between its commands");
    const annotation = readAnnotation(bytes, at, limit);
    if (annotation === null) return this.#damaged("a record has a line that says nothing");
    const { kind, end } = annotation;
    if (kind === "document") return this.#document(bytes, end, limit);
    if (kind === "command") this.args.assign(annotation.words);
    else this.args.count = 0;
    return end;
  }

  #array(bytes: Buffer, at: number, limit: number): number {
    const end = this.#decoder.decode(this.args, bytes, at, limit);
    if (end < 0 || this.args.count === 0) {
      return this.#damaged("a record is no complete command");
    }
    return end;
  }

  /** The SET at `at` makes a document. */
  #document(bytes: Buffer, at: number, limit: number): number {
    const { args } = this;
    const isArray = at < limit && bytes[at] === STAR;
    const end = isArray ? this.#array(bytes, at, limit) : -1;
    const isTimed = end >= 0 && args.count === 5 && args.is(3, "PXAT");
    if (end < 0 || !args.is(0, "SET") || (args.count !== 3 && !isTimed)) {
      return this.#damaged("a record has a document without its SET");
    }
    const deadline = isTimed ? args.bytes(4) : NO_DEADLINE;
    args.assign([SET_DOCUMENT, args.bytes(1), JSON_KIND, deadline, args.bytes(2)]);
    return end;
  }

  #damaged(problem: string): number {
    this.problem = problem;
    return -1;
  }
}
