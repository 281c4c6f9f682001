/**
 * Runs records again while loading: decodes the RESP arrays of each and dispatches them with the origin "replay", which
 * passes no check and leaves no record. An error reply means that the record does not fit the data: damage.
 */
import { Arguments } from "../commands/arguments.ts";
import type { Gate } from "../commands/dispatch.ts";
import { KvdbError } from "../errors.ts";
import type { LoadSink, RecordBatch, StoredEntry } from "../plugin.ts";
import { Decoder } from "../resp/decoder.ts";
import type { Session } from "../session/session.ts";
import { EntryLoad } from "../store/entry-load.ts";
import { ErrorRecorder } from "./error-recorder.ts";
import { RECORD_HEADER_BYTES } from "./record.ts";

export class Replay implements LoadSink {
  readonly #gate: Gate;
  readonly #session: Session;
  readonly #args = new Arguments();
  readonly #decoder = new Decoder();
  readonly #reply = new ErrorRecorder();
  readonly #load: EntryLoad;
  bytesDone = 0;
  bytesTotal = 0;
  readonly startedMs: number;

  constructor(gate: Gate, session: Session) {
    this.#gate = gate;
    this.#session = session;
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
      const size = at + RECORD_HEADER_BYTES <= end ? bytes.readUInt32LE(at) : -1;
      const next = at + RECORD_HEADER_BYTES + size;
      if (size < 0 || next > end) throw damage(batch, at, "a record is longer than its group");
      const database = keyspace.databases[bytes.readUInt16LE(at + 4)];
      if (database === undefined) {
        throw databaseBeyond(bytes.readUInt16LE(at + 4), keyspace.databases.length);
      }
      this.#session.database = database;
      keyspace.setNextRevision(batch.firstRevision + i);
      keyspace.nowMs = batch.timeMs + bytes.readUInt16LE(at + 6);
      this.#apply(batch, at + RECORD_HEADER_BYTES, next);
      at = next;
    }
    if (at !== end) throw damage(batch, at, "bytes after the last record of a group");
  }

  #apply(batch: RecordBatch, start: number, end: number): void {
    for (let at = start; at < end; ) {
      const next = this.#decoder.decode(this.#args, batch.bytes, at, end);
      if (next < 0) throw damage(batch, at, "a record is no complete command");
      this.#reply.failure = "";
      this.#gate.dispatch(this.#session, this.#args, this.#reply);
      if (this.#reply.failure !== "") throw damage(batch, at, this.#reply.failure);
      at = next;
    }
  }
}

function databaseBeyond(index: number, count: number): KvdbError {
  const message = `the data has database ${index}, but "databases" allows only ${count}`;
  return new KvdbError("CONFIG", message);
}

function damage(batch: RecordBatch, at: number, reason: string): KvdbError {
  return new KvdbError("DAMAGE", `record at offset ${at - batch.start} of its group: ${reason}`);
}
