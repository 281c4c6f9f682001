/**
 * A persistence for tests that keeps every record in memory, with the promise (durability) the test asks for. A sync
 * succeeds at once, or when the test says so (`holdsSyncs`).
 */

import { Arguments } from "../../src/commands/arguments.ts";
import { RECORD_HEADER_BYTES } from "../../src/journal/record.ts";
import type {
  Durability,
  LoadReport,
  LoadSink,
  Persistence,
  PersistenceAbilities,
  RecordBatch,
} from "../../src/plugin.ts";
import { Decoder } from "../../src/resp/decoder.ts";

/** Of a line that Redis skips (journal/annotations.ts). */
const HASH = 35;

/**
 * One record, for people: each command as its words, those that are no plain word in JSON quotes; each line in between as
 * it is, but for those that say why something was deleted (`deletionCauses`).
 */
export interface JournalRecord {
  readonly database: number;
  readonly commands: readonly string[];
}

export class RecordingPersistence implements Persistence {
  /** May be changed, as a persistence may. */
  supports: PersistenceAbilities;
  durability: Durability;
  /** Everything that was ever appended, as copies. */
  readonly batches: RecordBatch[] = [];
  /** While true, flushes wait for `sync`. */
  holdsSyncs = false;
  /** How many durable flushes were asked for. */
  durableFlushes = 0;
  #waiting: { resolve(): void; reject(error: Error): void }[] = [];

  constructor(durability: Durability, redisWords = false) {
    this.durability = durability;
    this.supports = { records: durability !== "none", checkpoints: false, redisWords };
  }

  async open(): Promise<void> {}

  async load(_sink: LoadSink): Promise<LoadReport> {
    return { records: 0, bytes: 0, lastRevision: 0, clean: true, dropped: [] };
  }

  append(batch: RecordBatch): void {
    const bytes = Buffer.from(batch.bytes.subarray(batch.start, batch.end));
    this.batches.push({ ...batch, bytes, start: 0, end: bytes.length });
  }

  flush(durable: boolean): Promise<void> {
    if (durable) this.durableFlushes++;
    if (!this.holdsSyncs) return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** How many flushes wait for `sync`. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Lets the flushes that wait succeed. */
  sync(): void {
    for (const { resolve } of this.#waiting.splice(0)) resolve();
  }

  /** Lets the flushes that wait fail. */
  refuse(error: Error): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  async close(): Promise<void> {}
}

/** The records of a batch. */
export function readRecords(batch: RecordBatch): JournalRecord[] {
  const records: JournalRecord[] = [];
  for (let at = batch.start; at < batch.end; ) {
    const from = at + RECORD_HEADER_BYTES;
    const next = from + batch.bytes.readUInt32LE(at);
    records.push({
      database: batch.bytes.readUInt16LE(at + 4),
      commands: readCommands(batch.bytes, from, next),
    });
    at = next;
  }
  return records;
}

/** The lines in a batch that say why something was deleted, which no client asked for: `expired`, `evicted`. */
export function deletionCauses({ bytes, start, end }: RecordBatch): string[] {
  const text = bytes.toString("latin1", start, end);
  return Array.from(text.matchAll(CAUSE_LINES), ([, cause]) => cause as string);
}

const CAUSE_LINES = /#kvdb-(expired|evicted)\r\n/g;

function readCommands(bytes: Buffer, start: number, end: number): string[] {
  const args = new Arguments();
  const decoder = new Decoder();
  const commands: string[] = [];
  for (let at = start; at < end; ) {
    if (bytes[at] === HASH) {
      const lineEnd = bytes.indexOf("\r\n", at);
      const line = bytes.toString("latin1", at, lineEnd);
      if (line.match(/^#kvdb-(expired|evicted)$/) === null) commands.push(line);
      at = lineEnd + 2;
      continue;
    }
    at = decoder.decode(args, bytes, at, end);
    if (at < 0) throw new Error("a record holds no complete command");
    const words = Array.from({ length: args.count }, (_, index) => args.text(index));
    commands.push(
      words.map((word) => (/^[!-~]+$/.test(word) ? word : JSON.stringify(word))).join(" "),
    );
  }
  return commands;
}
