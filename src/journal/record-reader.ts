/**
 * The commands of a record's payload, one after the other: RESP arrays, with what the lines between them say
 * (annotations.ts) done to them, and what the commands say that are there for replicas (stream-form.ts). Nothing runs here.
 */
import { Arguments } from "../commands/arguments.ts";
import { Decoder } from "../resp/decoder.ts";
import { copyBytes } from "../store/arena.ts";
import { AnnotationReader, type DeletionCause, isAnnotation } from "./annotations.ts";
import { MAX_RECORD_BYTES } from "./record.ts";

const STAR = 0x2a;
const OPEN_OBJECT = 0x7b;
const OPEN_ARRAY = 0x5b;
const VALUE_SET = Buffer.from("VALUE.SET");
const VALUE_IMPORT = Buffer.from("VALUE.IMPORT");
const JSON_KIND = Buffer.from("json");
const NO_TEXT = Buffer.alloc(0);
const NO_DEADLINE = Buffer.from("0");
/** Beyond it the room for a document is not kept: one huge document must not take memory for ever. */
const MAX_KEPT_ROOM = 1 << 20;
const FIRST_ROOM = 4096;

export class RecordReader {
  readonly #decoder = new Decoder();
  readonly #annotations = new AnnotationReader();
  /** The command that `next` has read; a count of 0: there was none, only a line that says nothing to do. */
  readonly args = new Arguments();
  /** Of a deletion that nobody asked for; empty: a command did it. */
  cause: DeletionCause | "" = "";
  /** Why `next` could not read on. */
  problem = "";
  #room = Buffer.allocUnsafeSlow(FIRST_ROOM);

  constructor() {
    // What a client cannot send may come of what it sent: the payload of a large stream.
    this.#decoder.maxBulkBytes = MAX_RECORD_BYTES;
  }

  /** Reads what begins at `at`, before `limit`; answers where it ends, or -1: it is damaged. */
  next(bytes: Buffer, at: number, limit: number): number {
    this.cause = "";
    const first = bytes[at] as number;
    if (first === STAR) return this.#command(bytes, at, limit);
    if (!isAnnotation(first)) return this.#damaged("a record has something between its commands");
    const annotations = this.#annotations;
    const kind = annotations.read(bytes, at, limit, this.args);
    if (kind === "damaged") return this.#damaged("a record has a line that says nothing");
    if (kind === "document") return this.#document(bytes, annotations.end, limit);
    if (kind === "expired" || kind === "evicted") {
      return this.#deletion(kind, bytes, annotations.end, limit);
    }
    if (kind !== "command") this.args.count = 0;
    return annotations.end;
  }

  /** What frames a stretch of the stream of replication, or is there for who listens, is nothing to do. */
  #command(bytes: Buffer, at: number, limit: number): number {
    const end = this.#array(bytes, at, limit);
    if (end < 0) return end;
    const { args } = this;
    switch (args.size(0)) {
      case 4:
        if (args.is(0, "PING")) return this.#ping(bytes, end, limit);
        if (args.is(0, "EXEC")) args.count = 0;
        return end;
      case 5:
        if (args.is(0, "MULTI")) args.count = 0;
        return end;
      case 7:
        if (args.is(0, "PUBLISH")) args.count = 0;
        return end;
      case 8:
        if (args.is(0, "REPLCONF") || args.is(0, "SPUBLISH")) args.count = 0;
        return end;
      default:
        return end;
    }
  }

  /** What the text of a PING says, as a line does elsewhere; the PING ends at `end`. */
  #ping(bytes: Buffer, end: number, limit: number): number {
    const { args } = this;
    const text = args.count === 2 ? args.bytes(1) : NO_TEXT;
    args.count = 0;
    const kind = this.#annotations.readText(text, args);
    if (kind === "damaged") return this.#damaged("a record has a PING whose command is none");
    if (kind === "document") return this.#document(bytes, end, limit);
    if (kind === "expired" || kind === "evicted") return this.#deletion(kind, bytes, end, limit);
    return end;
  }

  #array(bytes: Buffer, at: number, limit: number): number {
    const end = this.#decoder.decode(this.args, bytes, at, limit);
    if (end < 0 || this.args.count === 0) {
      return this.#damaged("a record is no complete command");
    }
    return end;
  }

  /** What stands at `at` was deleted by nobody. */
  #deletion(cause: DeletionCause, bytes: Buffer, at: number, limit: number): number {
    const end = at < limit && bytes[at] === STAR ? this.#array(bytes, at, limit) : -1;
    if (end < 0 || !(this.args.is(0, "DEL") || this.args.is(0, "HDEL"))) {
      return this.#damaged(`a record says that something ${cause}, and deletes nothing`);
    }
    this.cause = cause;
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
    const first = args.size(2) > 0 ? bytes[args.start[2] as number] : -1;
    if (first === OPEN_OBJECT || first === OPEN_ARRAY) this.#setContainer();
    else this.#importDocument(isTimed);
    return end;
  }

  /** VALUE.SET takes the same arguments, and makes nothing else of what begins like this. */
  #setContainer(): void {
    const { args } = this;
    const from = args.start[1] as number;
    const size = (args.end[args.count - 1] as number) - from;
    const shift = VALUE_SET.length - from;
    const room = this.#roomFor(VALUE_SET.length + size);
    VALUE_SET.copy(room);
    copyBytes(args.buffer, from, room, VALUE_SET.length, size);
    args.buffer = room;
    args.rawStart = -1;
    args.start[0] = 0;
    args.end[0] = VALUE_SET.length;
    for (let i = 1; i < args.count; i++) {
      args.start[i] = (args.start[i] as number) + shift;
      args.end[i] = (args.end[i] as number) + shift;
    }
  }

  /** VALUE.IMPORT takes no text for a string, whatever it is, as VALUE.SET does: slower, for numbers and the like. */
  #importDocument(isTimed: boolean): void {
    const { args } = this;
    const deadline = isTimed ? args.bytes(4) : NO_DEADLINE;
    args.assign([VALUE_IMPORT, args.bytes(1), JSON_KIND, deadline, args.bytes(2)]);
  }

  #roomFor(bytes: number): Buffer {
    if (bytes <= this.#room.length) return this.#room;
    const room = Buffer.allocUnsafeSlow(2 * bytes);
    if (room.length <= MAX_KEPT_ROOM) this.#room = room;
    return room;
  }

  #damaged(problem: string): number {
    this.problem = problem;
    return -1;
  }
}
