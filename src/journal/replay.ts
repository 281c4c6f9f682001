/**
 * Runs records again while loading: dispatches the commands of each (record-reader.ts) with the origin "replay", which
 * passes no check and leaves no record. An error reply means that the record does not fit the data: damage.
 *
 * Damage is fatal, unless somebody wants to be told of it instead (`onSkipped`): then what does not fit is left out, and
 * all else is applied. Of a transaction the other commands are: as EXEC itself goes on behind a command that fails. What a
 * Redis has written is read as Redis reads it, which takes no notice of errors (`RedisWrote`).
 */
import type { Arguments } from "../commands/arguments.ts";
import type { Gate } from "../commands/dispatch.ts";
import { KvdbError } from "../errors.ts";
import type { LoadSink, RecordBatch, Revision, StoredEntry } from "../plugin.ts";
import type { Session } from "../session/session.ts";
import type { Database } from "../store/database.ts";
import { EntryLoad } from "../store/entry-load.ts";
import { STREAM_NOTES } from "./annotations.ts";
import { stringsOfDocuments } from "./documents-as-strings.ts";
import { ErrorRecorder } from "./error-recorder.ts";
import { RECORD_HEADER_BYTES } from "./record.ts";
import { RecordReader } from "./record-reader.ts";

/** A command that was read whole and does not fit the data: what it builds on was lost. */
export interface Skipped {
  /** Of the record that it is in, or is. */
  readonly revision: Revision;
  readonly bytes: number;
  readonly reason: string;
}

/** Told of each entry of a checkpoint as it is handed over. */
type OnEntry = (database: Database, entry: Readonly<StoredEntry>) => void;

/** In Redis these commands did something: that cannot be passed over. */
const NOT_UNDERSTOOD = /^ERR (unknown|wrong number of arguments|syntax error)/i;

export class Replay implements LoadSink {
  readonly #gate: Gate;
  readonly #session: Session;
  readonly #reader = new RecordReader();
  readonly #reply = new ErrorRecorder();
  readonly #load: EntryLoad;
  readonly #onSkipped: ((skipped: Skipped) => void) | undefined;
  readonly #onEntry: OnEntry;
  readonly #onPassed: (failure: string) => void;
  bytesDone = 0;
  bytesTotal = 0;
  readonly startedMs: number;

  constructor(
    gate: Gate,
    session: Session,
    onSkipped?: (skipped: Skipped) => void,
    onEntry: OnEntry = () => {},
    onPassed: (failure: string) => void = () => {},
  ) {
    this.#onPassed = onPassed;
    this.#gate = gate;
    this.#session = session;
    this.#onSkipped = onSkipped;
    this.#onEntry = onEntry;
    this.#load = new EntryLoad(session.server.keyspace);
    this.startedMs = session.createdMs;
  }

  progress(done: number, total: number): void {
    this.bytesDone = done;
    this.bytesTotal = total;
  }

  entry(entry: Readonly<StoredEntry>): void {
    const keyspace = this.#session.server.keyspace;
    const database = keyspace.databases[entry.database];
    if (database === undefined) throw databaseBeyond(entry.database, keyspace.databases.length);
    this.#load.add(database, entry);
    this.#onEntry(database, entry);
  }

  /** All entries are handed over, and perhaps all records: now the data is as they say. */
  finish(): void {
    this.#load.finish();
  }

  records(batch: RecordBatch): void {
    this.#load.finish();
    const { bytes, end } = batch;
    const keyspace = this.#session.server.keyspace;
    let at = batch.start;
    for (let i = 0; i < batch.count; i++) {
      const revision = batch.firstRevision + i;
      const size = at + RECORD_HEADER_BYTES <= end ? bytes.readUInt32LE(at) : -1;
      const next = at + RECORD_HEADER_BYTES + size;
      if (size < 0 || next > end) {
        // Where the next one would begin, nobody knows either.
        this.#leaveOut({ batch, revision, at, end }, "a record is longer than its group");
        return;
      }
      const database = keyspace.databases[bytes.readUInt16LE(at + 4)];
      if (database === undefined) {
        throw databaseBeyond(bytes.readUInt16LE(at + 4), keyspace.databases.length);
      }
      this.#session.database = database;
      keyspace.setNextRevision(revision);
      keyspace.nowMs = batch.timeMs + bytes.readUInt16LE(at + 6);
      this.#apply(batch, revision, at + RECORD_HEADER_BYTES, next);
      at = next;
    }
    if (at === end) return;
    const revision = batch.firstRevision + batch.count - 1;
    this.#leaveOut({ batch, revision, at, end }, "bytes after the last record of a group");
  }

  #apply(batch: RecordBatch, revision: Revision, start: number, end: number): void {
    for (let at = start; at < end; ) {
      const next = this.#reader.next(batch.bytes, at, end);
      if (next < 0) {
        this.#leaveOut({ batch, revision, at, end }, this.#reader.problem);
        return;
      }
      const { args } = this.#reader;
      let failure = args.count > 0 ? this.#run(args) : "";
      if (failure !== "")
        failure = this.#retry(args, failure, batch, isStretch(batch.bytes, start));
      if (failure !== "") this.#leaveOut({ batch, revision, at, end: next }, failure);
      at = next;
    }
  }

  /** Answers its error, or nothing. */
  #run(args: Arguments): string {
    this.#reply.failure = "";
    this.#gate.replay(this.#session, args, this.#reply);
    return this.#reply.failure;
  }

  /**
   * What failed may be a command of Redis, or of a primary that was followed, which failed when it came. Answers the error
   * that is left.
   */
  #retry(args: Arguments, failure: string, { ofRedis }: RecordBatch, isStretch: boolean): string {
    const passedOver = isStretch
      ? this.#onPassed
      : ofRedis && ((left: string) => ofRedis.passedOver(left));
    if (passedOver === undefined) return failure;
    let left = failure;
    if (left.startsWith("WRONGTYPE")) {
      const sets = stringsOfDocuments(this.#session, args);
      for (const set of sets) this.#run(set);
      if (sets.length > 0) left = this.#run(args);
    }
    // Its functions are programs in a language that kvdb does not run.
    const mayPass = isStretch || args.is(0, "FUNCTION");
    if (left === "" || (NOT_UNDERSTOOD.test(left) && !mayPass)) return left;
    passedOver(left);
    return "";
  }

  #leaveOut({ batch, revision, at, end }: Stretch, reason: string): void {
    if (this.#onSkipped === undefined) throw damage(batch, at, reason);
    this.#onSkipped({ revision, bytes: end - at, reason });
  }
}

/** Bytes [at, end) of a batch, of the record with this revision. */
interface Stretch {
  readonly batch: RecordBatch;
  readonly revision: Revision;
  readonly at: number;
  readonly end: number;
}

/** Whether the payload that begins there is a stretch of the stream of replication behind a line that says so. */
function isStretch(bytes: Buffer, start: number): boolean {
  const { stream } = STREAM_NOTES;
  return bytes.toString("latin1", start, start + stream.length) === stream;
}

export function databaseBeyond(index: number, count: number): KvdbError {
  const message = `the data has database ${index}, but "databases" allows only ${count}`;
  return new KvdbError("CONFIG", message);
}

function damage(batch: RecordBatch, at: number, reason: string): KvdbError {
  return new KvdbError("DAMAGE", `record at offset ${at - batch.start} of its group: ${reason}`);
}
