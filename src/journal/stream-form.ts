/**
 * Records while the stream of replication is in use: what a record holds is its stretch of the stream, byte for byte, so the log
 * is the backlog. All of it is in Redis's words.
 *
 *   *3 $3 SET …                       one command, in the database that is selected in the stream: it is its own stretch
 *   #kvdb-stream <size>\r\n <bytes>   whatever else: the stretch is what stands behind the line. SELECT where the database
 *                                     changes, MULTI … EXEC around several commands
 *   #kvdb-passed <size>\r\n <bytes>   the same, of a primary that is followed, and nothing of it runs: nothing here could
 *   #kvdb-beside\r\n …                on a replica: no part of the stream, for its primary knows nothing of it
 *
 * For what Redis has no word for it is sent a PING with a text, which changes nothing there: `PING "#kvdb-json"` in front of
 * the SET of a document, `PING "#kvdb-expired"` and `PING "#kvdb-evicted"` in front of a deletion, `PING "#kvdb-do <command>"`:
 * the lines of annotations.ts, each in one piece.
 *
 * Invariant: the record is framed with the database that is selected in the stream before it.
 */
import { assert } from "../assert.ts";
import { Arguments } from "../commands/arguments.ts";
import type { Revision } from "../plugin.ts";
import { Decoder } from "../resp/decoder.ts";
import { AnnotationReader, isAnnotation, STREAM_NOTES } from "./annotations.ts";
import { CommandWriter } from "./effects.ts";
import { MAX_RECORD_BYTES } from "./record.ts";
import type { RecordBuffer } from "./record-buffer.ts";

/** A place is noted each so many bytes, about: whoever looks for an offset among the recent records begins there. */
const MARK_BYTES = 16 * 1024;
/** The longest line with its end: in front of the bytes, when it is known how many they are. */
const LINE_ROOM = 32;
const STAR = 0x2a;
const NO_BYTES = Buffer.alloc(0);
const MULTI = Buffer.from("*1\r\n$5\r\nMULTI\r\n");
const EXEC = Buffer.from("*1\r\n$4\r\nEXEC\r\n");
const BESIDE_LINE = Buffer.from(`${STREAM_NOTES.beside}\r\n`);

/** A place between two records. */
export interface StreamMark {
  /** Of the record behind it. */
  readonly revision: Revision;
  /** Of the first byte of that. */
  readonly offset: number;
  /** Selected in the stream there; -1: whatever comes selects one. */
  readonly database: number;
}

/** The record that is to be made: its payload is bytes[start, end), or what becomes of that. */
export interface NewRecord {
  readonly revision: Revision;
  readonly nowMs: number;
  readonly database: number;
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

/** Where a stream stands. */
export type FormPlace = Pick<StreamForm, "offset" | "database" | "isFollowing">;

export class StreamForm {
  /** Of the last byte of the last record. */
  offset = 0;
  /** Selected in the stream; -1: nothing is said of it yet. */
  database = -1;
  /** The stream is another server's: what is recorded of one's own is no part of it. */
  isFollowing = false;
  readonly #records: RecordBuffer;
  readonly #writer = new CommandWriter();
  readonly #decoder = new Decoder();
  readonly #args = new Arguments();
  readonly #annotations = new AnnotationReader();
  #nextMark = 0;
  /** Told of a place now and then, before the record behind it is made. */
  onMark: (mark: StreamMark) => void = () => {};

  constructor(records: RecordBuffer) {
    this.#records = records;
    this.#decoder.maxBulkBytes = MAX_RECORD_BYTES;
  }

  /** The stream goes on from there. */
  moveTo({ offset, database, isFollowing }: FormPlace): void {
    this.offset = offset;
    this.database = database;
    this.isFollowing = isFollowing;
    this.#nextMark = 0;
  }

  /**
   * One command in Redis's words, where nothing has to be said besides: nearly every record, so nothing is made for it. False: it
   * is to be composed, and is not recorded yet.
   */
  appendAsItIs(
    database: number,
    nowMs: number,
    bytes: Buffer,
    start: number,
    end: number,
  ): boolean {
    if (database !== this.database || this.isFollowing || this.offset >= this.#nextMark)
      return false;
    this.#records.append(database, nowMs, bytes, start, end);
    this.offset += end - start;
    return true;
  }

  /** Commands with lines between them, as the journal makes them. */
  appendComposed(record: NewRecord): void {
    if (this.isFollowing) {
      this.#appendBeside(record);
      return;
    }
    const writer = this.#writer;
    const before = this.database;
    writer.size = LINE_ROOM;
    const isBare = this.#compose(record);
    const bytes = writer.size - LINE_ROOM;
    const start = isBare ? LINE_ROOM : this.#putLine(STREAM_NOTES.stream, bytes);
    const database = before < 0 ? record.database : before;
    const after = this.database;
    // The mark in front of the record tells what is selected there.
    this.database = before;
    this.#append({ ...record, database, bytes: writer.buffer, start, end: writer.size }, bytes);
    this.database = after;
    writer.clear();
  }

  #appendBeside(record: NewRecord): void {
    const writer = this.#writer;
    writer.encoded(BESIDE_LINE, 0, BESIDE_LINE.length);
    writer.encoded(record.bytes, record.start, record.end);
    this.#append({ ...record, bytes: writer.buffer, start: 0, end: writer.size }, 0);
    writer.clear();
  }

  /**
   * A stretch as it came from the primary that is followed. `isPassed`: nothing of it runs. `hasFailed`: not all of it could be
   * run as it stands; who replays it takes errors in what stands behind a line for nothing new.
   */
  appendStretch(record: NewRecord, isPassed: boolean, hasFailed = false): void {
    const { bytes, start, end } = record;
    const { isOne, isWhole, selected } = this.#survey(record);
    this.database = record.database;
    if (isOne && !isPassed && !hasFailed) this.#append(record, end - start);
    else {
      const writer = this.#writer;
      writer.size = LINE_ROOM;
      writer.encoded(bytes, start, end);
      const note = isPassed || !isWhole ? STREAM_NOTES.passed : STREAM_NOTES.stream;
      const from = this.#putLine(note, end - start);
      const whole = { ...record, bytes: writer.buffer, start: from, end: writer.size };
      this.#append(whole, end - start);
      writer.clear();
    }
    this.database = selected;
  }

  /**
   * Whether it is one command that says all by itself, whether it is commands at all (an empty line is none), and which
   * database is selected behind it.
   */
  #survey({ bytes, start, end, database }: NewRecord) {
    const args = this.#args;
    let selected = database;
    let count = 0;
    let isFraming = false;
    let at = start;
    while (at < end && bytes[at] === STAR) {
      const next = this.#decoder.decode(args, bytes, at, end);
      if (next < 0 || args.count === 0) break;
      count++;
      if (args.is(0, "SELECT")) {
        selected = args.integer(1);
        isFraming = true;
      }
      at = next;
    }
    args.buffer = NO_BYTES;
    const isWhole = at === end;
    return { isOne: isWhole && count === 1 && !isFraming, isWhole, selected };
  }

  #append({ revision, nowMs, database, bytes, start, end }: NewRecord, counted: number): void {
    if (this.offset >= this.#nextMark) this.#mark(revision);
    this.#records.append(database, nowMs, bytes, start, end);
    // Behind it: a batch that was full is handed over without this record.
    this.offset += counted;
  }

  #mark(revision: Revision): void {
    this.#nextMark = this.offset + MARK_BYTES;
    this.onMark({ revision, offset: this.offset + 1, database: this.database });
  }

  /** Returns where it begins, in front of what was written. */
  #putLine(note: string, bytes: number): number {
    const line = `${note} ${bytes}\r\n`;
    const start = LINE_ROOM - line.length;
    this.#writer.buffer.write(line, start, "latin1");
    return start;
  }

  // ---- composing ----

  /** Writes the stretch; true: it is one command and nothing else. */
  #compose(record: NewRecord): boolean {
    const { bytes, start, end } = record;
    const args = this.#args;
    const units = this.#countUnits(bytes, start, end);
    let isBare = units === 1;
    let current = record.database;
    let written = 0;
    for (let at = start; at < end; ) {
      if (isAnnotation(bytes[at] as number)) {
        const text = this.#annotations.text(bytes, at, end);
        assert(text !== null, "the journal has written a line that it cannot read");
        isBare = this.#beginUnit(current, written++, units) && isBare;
        this.#ping(text);
        at = this.#annotations.end;
        if (isAlone(text)) continue;
        isBare = false;
        const next = this.#decode(bytes, at, end);
        this.#writer.encoded(bytes, at, next);
        at = next;
        continue;
      }
      const next = this.#decode(bytes, at, end);
      if (args.is(0, "SELECT")) current = args.integer(1);
      else {
        isBare = this.#beginUnit(current, written++, units) && isBare;
        this.#writer.encoded(bytes, at, next);
      }
      at = next;
    }
    if (units > 1) this.#writer.encoded(EXEC, 0, EXEC.length);
    this.#args.buffer = NO_BYTES;
    return isBare;
  }

  /** 2: more than one. */
  #countUnits(bytes: Buffer, start: number, end: number): number {
    let units = 0;
    for (let at = start; at < end && units < 2; ) {
      if (isAnnotation(bytes[at] as number)) {
        const text = this.#annotations.text(bytes, at, end);
        assert(text !== null, "the journal has written a line that it cannot read");
        at = this.#annotations.end;
        if (isAlone(text)) units++;
        continue;
      }
      at = this.#decode(bytes, at, end);
      if (!this.#args.is(0, "SELECT")) units++;
    }
    return units;
  }

  /** False: something had to be written in front of it. */
  #beginUnit(database: number, index: number, units: number): boolean {
    const writer = this.#writer;
    const isSelected = database === this.database;
    if (!isSelected) {
      writer.command(2);
      writer.text("SELECT");
      writer.integer(database);
      this.database = database;
    }
    if (index === 0 && units > 1) writer.encoded(MULTI, 0, MULTI.length);
    return isSelected && units === 1;
  }

  #ping(text: Buffer): void {
    this.#writer.command(2);
    this.#writer.text("PING");
    this.#writer.bytes(text, 0, text.length);
  }

  #decode(bytes: Buffer, at: number, end: number): number {
    const next = this.#decoder.decode(this.#args, bytes, at, end);
    assert(next > at && this.#args.count > 0, "what is to be recorded is no complete command");
    return next;
  }
}

/** It is a command by itself, and says nothing of one behind it. */
function isAlone(text: Buffer): boolean {
  return text.toString("latin1", 0, STREAM_NOTES.alone.length) === STREAM_NOTES.alone;
}
