/**
 * Reads records back while a log is written, for who follows the changes: from a revision on, file after file, up to what is
 * as durable as was promised. Any number of readers may be at work; each has a file open, which it goes on reading when a
 * checkpoint lets the file go. A file that is gone before it was opened is a gap, and told as one.
 *
 * What a file looks like is the plugin's: a `RecordFile`. Nothing is judged here or there: what was durable once and cannot be
 * read any more is damage.
 */
import { join } from "node:path";
import { logGap } from "../errors.ts";
import type { Clock } from "../platform/clock.ts";
import type { Files, OpenFile } from "../platform/files.ts";
import type { RecordBatch, Revision } from "../plugin.ts";
import { Breathing } from "./breathing.ts";
import type { FilePlace } from "./file-chain.ts";
import { closeAll } from "./folder-files.ts";

/** The files that count, as they are at the moment (file-chain.ts). */
export interface ReadableFiles<Entry> {
  /** Every record from this revision on can be read. */
  readonly readableFrom: Revision;
  /** The file in which the records from `revision` on begin; undefined: it is gone. */
  fileWith(revision: Revision): FilePlace<Entry> | undefined;
  /** As it is now; undefined: it is gone. */
  file(number: number): FilePlace<Entry> | undefined;
}

/** A file of the log that is open for one reader. */
export interface RecordFile {
  /** Where it goes on. */
  readonly offset: number;
  /** Reads on, by a group at most, and answers the batches that it has. Each is good until the next is asked for. */
  next(wanted: WantedRecords): Promise<Iterable<RecordBatch>>;
  close(): Promise<void>;
}

export interface WantedRecords {
  /** Batches that end before it may be left out. */
  readonly from: Revision;
  /** Nothing at or behind this offset may be read. It grows with the file. */
  readonly limit: number;
}

/** What a plugin says of its files. */
export interface ReadingForm<Entry> {
  numberOf(entry: Entry): number;
  /** In the folder. */
  nameOf(entry: Entry): string;
  /** How much of a sealed file counts, by its own offsets; undefined: it is the one that is written. */
  countedBytesOf(entry: Entry): number | undefined;
  /** Takes the file, which was opened for it. */
  openRecords(entry: Entry, file: OpenFile): RecordFile | Promise<RecordFile>;
}

export interface ReadableLog<Entry> {
  readonly files: Files;
  readonly folder: string;
  readonly clock: Clock;
  readonly chain: ReadableFiles<Entry>;
  readonly form: ReadingForm<Entry>;
  /** Of the file that is written: up to here everything is as durable as was promised. */
  promisedEnd(): number;
}

/** Batches, the first of which may begin before `from`. Each is good until the next is asked for. */
export async function* readRecords<Entry>(
  log: ReadableLog<Entry>,
  from: Revision,
): AsyncGenerator<RecordBatch, void> {
  const { chain, form } = log;
  for (let next: Revision | undefined = from; next !== undefined; ) {
    const place = chain.fileWith(next);
    if (place === undefined) throw logGap(next, chain.readableFrom);
    const file: RecordFile = await openFile(log, place.entry, next);
    try {
      next = yield* new FileReading(log, form.numberOf(place.entry), file).read(next);
    } finally {
      await file.close();
    }
  }
}

/** So often a file may be packed, or let go, between the look for it and its opening. */
const ATTEMPTS = 3;

async function openFile<Entry>(
  { files, folder, chain, form }: ReadableLog<Entry>,
  wanted: Entry,
  next: Revision,
): Promise<RecordFile> {
  let entry: Entry | undefined = wanted;
  for (let attempt = 1; ; attempt++) {
    const path = join(folder, form.nameOf(entry));
    let file: OpenFile | undefined;
    try {
      file = await files.open(path, "read");
      return await form.openRecords(entry, file);
    } catch (error) {
      if (file !== undefined) await closeAll([file]);
      entry = chain.file(form.numberOf(wanted))?.entry;
      if (entry === undefined) throw logGap(next, chain.readableFrom);
      if (attempt === ATTEMPTS || (await files.exists(path))) throw error;
    }
  }
}

interface Standing {
  /** How far it may be read. */
  readonly limit: number;
  /** Where the next one begins; undefined: there is none yet. */
  readonly nextRevision: Revision | undefined;
}

class FileReading<Entry> {
  readonly #log: ReadableLog<Entry>;
  readonly #number: number;
  readonly #file: RecordFile;
  readonly #breathing: Breathing;
  /** Once it is sealed, that is how it stays, also when it is let go. */
  #sealed: Standing | undefined;

  constructor(log: ReadableLog<Entry>, number: number, file: RecordFile) {
    this.#log = log;
    this.#number = number;
    this.#file = file;
    this.#breathing = new Breathing(log.clock);
  }

  /** Answers the revision from which on the next file is to be read; undefined: it is the last one. */
  async *read(from: Revision): AsyncGenerator<RecordBatch, Revision | undefined> {
    let next = from;
    for (;;) {
      const { limit, nextRevision } = this.#standing(next);
      if (this.#file.offset >= limit) return nextRevision && Math.max(next, nextRevision);
      for (const batch of await this.#file.next({ from: next, limit })) {
        const after = batch.firstRevision + batch.count;
        if (after <= next) continue;
        yield batch;
        next = after;
        this.#breathing.begin();
      }
      if (this.#breathing.isDue) await this.#breathing.breathe();
    }
  }

  #standing(next: Revision): Standing {
    if (this.#sealed !== undefined) return this.#sealed;
    const { chain, form, promisedEnd } = this.#log;
    const place = chain.file(this.#number);
    // It was written when it was looked at last: how much of it counted nobody knows any more.
    if (place === undefined) throw logGap(next, chain.readableFrom);
    const { entry, nextRevision } = place;
    const limit = form.countedBytesOf(entry);
    if (limit === undefined) return { limit: promisedEnd(), nextRevision };
    this.#sealed = { limit, nextRevision };
    return this.#sealed;
  }
}
