/**
 * What a persistence is handed in tests: everything but the files is fake, and what it registered
 * can be looked up. Also batches of records to write, and a sink that keeps what it was given in a
 * form that compares.
 */
import { KvdbError } from "../../src/errors.ts";
import { RECORD_HEADER_BYTES } from "../../src/journal/record.ts";
import type { Files } from "../../src/platform/files.ts";
import { type Log, silentLog } from "../../src/platform/log.ts";
import type {
  LoadSink,
  OpenPurpose,
  Parameter,
  PersistenceContext,
  RecordBatch,
  Revision,
} from "../../src/plugin.ts";
import { FakeClock } from "./fake-clock.ts";
import { EntryCollector, type ReadEntry } from "./stored-entries.ts";

export interface ContextOptions {
  readonly files: Files;
  readonly folder: string;
  readonly purpose?: OpenPurpose;
  readonly log?: Log;
  /** Default: every request is refused. */
  readonly requestCheckpoint?: PersistenceContext["requestCheckpoint"];
}

export interface TestContext extends PersistenceContext {
  readonly clock: FakeClock;
  readonly parameters: ReadonlyMap<string, Parameter>;
  /** All lines of a section of INFO. */
  info(section: string): Record<string, string | number>;
}

export function createTestContext(options: ContextOptions): TestContext {
  const parameters = new Map<string, Parameter>();
  const sections: { section: string; lines: () => Record<string, string | number> }[] = [];
  return {
    files: options.files,
    folder: options.folder,
    purpose: options.purpose ?? { kind: "use" },
    isNewFolder: true,
    lastRevision: 0,
    unsavedChanges: 0,
    requestCheckpoint: options.requestCheckpoint ?? refuseCheckpoint,
    log: options.log ?? silentLog,
    clock: new FakeClock(),
    parameters,
    addParameter: (parameter) => void parameters.set(parameter.name, parameter),
    onReload: () => () => {},
    addInfo: (section, lines) => void sections.push({ section, lines }),
    info: (section) =>
      Object.assign({}, ...sections.filter((s) => s.section === section).map((s) => s.lines())),
  };
}

async function refuseCheckpoint(): Promise<never> {
  throw new KvdbError("UNAVAILABLE", "nobody takes checkpoints here");
}

/** One record as a sink got it. */
export interface ReadRecord {
  readonly revision: Revision;
  readonly timeMs: number;
  /** The whole frame, in hex. */
  readonly frame: string;
}

/** A sink that keeps everything, entry by entry and frame by frame. */
export interface RecordingSink extends LoadSink {
  readonly entries: ReadEntry[];
  readonly read: ReadRecord[];
  readonly progressed: { done: number; total: number }[];
}

export function createRecordingSink(): RecordingSink {
  const collector = new EntryCollector();
  const read: ReadRecord[] = [];
  const progressed: { done: number; total: number }[] = [];
  return {
    get entries() {
      if (!collector.isWhole) throw new Error("a value goes on, and its next part did not come");
      return collector.entries;
    },
    read,
    progressed,
    entry(entry) {
      if (read.length > 0) throw new Error("an entry of a checkpoint behind a record");
      collector.add(entry);
    },
    records: (batch) => void read.push(...recordsOf(batch)),
    progress: (done, total) => void progressed.push({ done, total }),
  };
}

/** The records of a batch; throws when its frames are not what its count says. */
export function recordsOf(batch: RecordBatch): ReadRecord[] {
  const records: ReadRecord[] = [];
  let at = batch.start;
  for (let index = 0; index < batch.count; index++) {
    const end = at + RECORD_HEADER_BYTES + batch.bytes.readUInt32LE(at);
    records.push({
      revision: batch.firstRevision + index,
      timeMs: batch.timeMs + batch.bytes.readUInt16LE(at + 6),
      frame: batch.bytes.toString("hex", at, end),
    });
    at = end;
  }
  if (at !== batch.end) throw new Error(`frames end at ${at}, the batch at ${batch.end}`);
  return records;
}

export interface BatchShape {
  readonly firstRevision: Revision;
  /** Length of each record's payload in bytes; with `words` that of its value. */
  readonly sizes: readonly number[];
  readonly timeMs?: number;
  /** The records are commands, as they are for a persistence with `redisWords`, and no bytes at will. */
  readonly words?: boolean;
}

/**
 * A batch of records whose bytes tell which record they are; it does not begin at the front of its
 * buffer.
 */
export function createBatch({ firstRevision, sizes, timeMs, words }: BatchShape): RecordBatch {
  const start = 5;
  const payloads = sizes.map((size, index) => {
    const value = recordValue(firstRevision + index, size);
    return words === true ? inWords(firstRevision + index, value) : value;
  });
  const total = payloads.reduce((sum, { length }) => sum + RECORD_HEADER_BYTES + length, start);
  const bytes = Buffer.alloc(total + 3, 0xee);
  let at = start;
  for (const [index, payload] of payloads.entries()) {
    bytes.writeUInt32LE(payload.length, at);
    bytes.writeUInt16LE((firstRevision + index) % 16, at + 4);
    bytes.writeUInt16LE(index % 1000, at + 6);
    payload.copy(bytes, at + RECORD_HEADER_BYTES);
    at += RECORD_HEADER_BYTES + payload.length;
  }
  const time = timeMs ?? Date.UTC(2026, 0, 1) + firstRevision;
  return { firstRevision, count: sizes.length, timeMs: time, bytes, start, end: at };
}

function recordValue(revision: Revision, size: number): Buffer {
  const value = Buffer.alloc(size);
  for (let i = 0; i < size; i++) value[i] = (revision * 31 + i * 7) & 0xff;
  return value;
}

function stretch(kind: string, commands: readonly (readonly string[])[], last?: Buffer) {
  const parts = commands.map((words) => respArray(...words));
  const bytes = Buffer.concat(last === undefined ? parts : [...parts, last]);
  return Buffer.concat([Buffer.from(`#kvdb-${kind} ${bytes.length}\r\n`), bytes]);
}

/** One of the forms that the journal's records have: a command, a document, a transaction, a line alone, a stretch. */
function inWords(revision: Revision, value: Buffer): Buffer {
  const set = respArray("SET", `key:${revision}`, value);
  switch (revision % 9) {
    case 2:
      return Buffer.concat([Buffer.from("#kvdb-json\r\n"), set]);
    case 3:
      return Buffer.concat([respArray("DEL", "a"), respArray("SELECT", "3"), set]);
    case 4:
      return Buffer.concat([set, Buffer.from(`#kvdb-do HPEXPIREAT h ${revision}\r\n`)]);
    case 5:
      if (value.length > 0) return set;
      return Buffer.from("#kvdb-do INDEX.CREATE i\r\n#kvdb-and USING hash\r\n");
    case 6:
      return stretch(
        "stream",
        [
          ["SELECT", "4"],
          ["PING", "#kvdb-json"],
        ],
        set,
      );
    case 7:
      return stretch("passed", [["MULTI"], ["FUNCTION", "LOAD", "x"], ["SELECT", "5"], ["EXEC"]]);
    case 8:
      return Buffer.concat([Buffer.from("#kvdb-beside\r\n#kvdb-json\r\n"), set]);
    default:
      return set;
  }
}

function respArray(...words: readonly (string | Buffer)[]): Buffer {
  const parts = [Buffer.from(`*${words.length}\r\n`)];
  for (const word of words) {
    const bytes = Buffer.from(word);
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from("\r\n"));
  }
  return Buffer.concat(parts);
}
