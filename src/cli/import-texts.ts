/**
 * `kvdb import` of texts: JSON Lines, an array of JSON or a CSV into a database. All or nothing: the whole file is read and checked,
 * then one VALUE.IMPORT brings it in. With `--continue` it comes in steps, and what is wrong is told and left out.
 */
import type { Part } from "../client/link.ts";
import { KvdbError } from "../errors.ts";
import { MAX_JOINED_BYTES } from "../limits.ts";
import { byteText, spanText } from "../shell/amounts.ts";
import { CsvReader } from "../transfer/csv-reader.ts";
import { type FileItem, type FilePlace, type FileReader, placeText } from "../transfer/entry.ts";
import { JsonArrayReader } from "../transfer/json-array-reader.ts";
import { JsonLinesReader } from "../transfer/json-lines-reader.ts";
import { groupedCount } from "./grouped-count.ts";
import { type ImportSource, openSource } from "./import-source.ts";
import { entrySize, importParts } from "./key-intake.ts";
import { ProblemList } from "./problem-list.ts";
import { TransferBar } from "./transfer-bar.ts";
import {
  type Call,
  STOPPED_CODE,
  type Stop,
  stoppable,
  type TransferRun,
  withData,
} from "./transfer-data.ts";
import type { TextFormat } from "./transfer-options.ts";
import { databaseOf, keyFieldOf, type TransferWords } from "./transfer-words.ts";
import type { World } from "./world.ts";

/** Entries of a step with `--continue`, and their bytes. */
const STEP_ENTRIES = 1000;
const STEP_BYTES = 1 << 20;

export interface TextImport {
  readonly run: TransferRun;
  readonly words: TransferWords;
  readonly file: string;
  readonly format: TextFormat;
}

/** Resolves to the exit code. */
export async function importTexts(what: TextImport, world: World): Promise<number> {
  const { run, words, file } = what;
  const reader = readerOf(what);
  const database = databaseOf(words);
  const source = await openSource(file, world);
  try {
    return await stoppable(world, (stop) => {
      const importing = new Importing({ source, reader, stop }, world);
      if (words.options.has("--dry-run")) return importing.check();
      if (!words.options.has("--continue")) {
        return importing.asOne((use) => withData(run, database, world, use));
      }
      return withData(run, database, world, (call) => importing.inSteps(call));
    });
  } finally {
    await source.close();
  }
}

function readerOf({ words, format }: TextImport): FileReader {
  const { options } = words;
  const prefix = Buffer.from(options.get("--prefix") ?? "");
  const key = options.get("--key");
  const isText = options.has("--text");
  if (format === "csv") return new CsvReader({ prefix, keyColumn: key, isText });
  if (isText) throw new KvdbError("USAGE", "--text is for CSV: JSON says itself what is text");
  const keyPath = key === undefined ? undefined : keyFieldOf(key);
  const item = { prefix, keyPath };
  return format === "json" ? new JsonArrayReader(item) : new JsonLinesReader(item);
}

type EntryItem = Extract<FileItem, { kind: "entry" }>;

interface ImportParts {
  readonly source: ImportSource;
  readonly reader: FileReader;
  readonly stop: Stop;
}

class Importing {
  readonly #parts: ImportParts;
  readonly #world: World;
  readonly #bar: TransferBar;
  readonly #begunMs: number;
  #bytes = 0;
  /** Entries that were read, or that are in the database; of them, documents. */
  #entries = 0;
  #documents = 0;
  readonly #problems: ProblemList;

  constructor(parts: ImportParts, world: World) {
    this.#parts = parts;
    this.#world = world;
    this.#bar = new TransferBar("importing", world);
    this.#problems = new ProblemList(world, () => this.#bar.end());
    this.#begunMs = world.platform.clock.monotonicMs();
  }

  // ---- the three ways ----

  async check(): Promise<number> {
    const keys = new KnownKeys();
    const isWhole = await this.#eachItem(async (item) => {
      const twice = keys.add(item);
      if (twice === undefined) this.#count(item);
      else await this.#tell(twice, item.place);
    });
    if (!isWhole) return this.#stopped("nothing was changed");
    return this.#end("would import", "nothing would be changed");
  }

  /** The data is opened only when the whole file is right. */
  async asOne(withCall: (use: (call: Call) => Promise<void>) => Promise<void>): Promise<number> {
    const keys = new KnownKeys();
    let parts: Part[] = ["VALUE.IMPORT"];
    let size = 0;
    const isWhole = await this.#eachItem(async (item) => {
      const twice = keys.add(item);
      if (twice !== undefined) await this.#tell(twice, item.place);
      // What will not be stored need not be kept.
      if (this.#problems.count > 0) {
        parts = [];
        return;
      }
      this.#count(item);
      size += entrySize(item.entry);
      if (size > MAX_JOINED_BYTES) throw tooLong();
      parts.push(...importParts(item.entry));
    });
    if (!isWhole) return this.#stopped("nothing was imported");
    if (this.#problems.count === 0 && parts.length > 1) {
      await withCall(async (call) => {
        await call(parts);
      });
    }
    return this.#end("imported", "nothing was imported");
  }

  async inSteps(call: Call): Promise<number> {
    let step: EntryItem[] = [];
    let size = 0;
    const take = async () => {
      const items = step;
      step = [];
      size = 0;
      if (items.length > 0) await this.#takeStep(call, items);
    };
    const isWhole = await this.#eachItem(async (item) => {
      step.push(item);
      size += entrySize(item.entry);
      if (step.length >= STEP_ENTRIES || size >= STEP_BYTES) await take();
    });
    await take();
    if (!isWhole) return this.#stopped(`${this.#amount()} are imported`);
    return this.#end("imported", "");
  }

  /** Of a step that is refused each entry is tried by itself: one of them is wrong. */
  async #takeStep(call: Call, items: readonly EntryItem[]): Promise<void> {
    const unique = lastOfEach(items);
    try {
      await call(["VALUE.IMPORT", ...unique.flatMap(({ entry }) => importParts(entry))]);
      for (const item of items) this.#count(item);
    } catch (error) {
      if (!(error instanceof KvdbError) || error.code !== "COMMAND") throw error;
      const [first, ...others] = items;
      if (first !== undefined && others.length === 0) await this.#tell(error.message, first.place);
      else for (const item of items) await this.#takeStep(call, [item]);
    }
  }

  // ---- reading ----

  /** Tells what is wrong on the way. False: somebody wanted it to stop. */
  async #eachItem(take: (item: EntryItem) => Promise<void>): Promise<boolean> {
    const { source, reader, stop } = this.#parts;
    const each = async (items: Iterable<FileItem>) => {
      for (const item of items) {
        if (item.kind === "entry") await take(item);
        else await this.#tell(item.message, item.place);
      }
    };
    try {
      const chunks = source.chunks()[Symbol.asyncIterator]();
      for (;;) {
        const next = chunks.next();
        // A pipe or a person may keep it waiting.
        if (source.sizeBytes === undefined) await Promise.race([next, stop.wanted]);
        if (stop.isWanted) return false;
        const { done, value: chunk } = await next;
        if (done) break;
        await each(reader.push(chunk));
        this.#bytes += chunk.length;
        this.#show();
      }
      await each(reader.finish());
      return true;
    } catch (error) {
      if (error instanceof KvdbError && error.code === "COMMAND") throw error.prefix(source.name);
      throw error;
    } finally {
      this.#bar.end();
    }
  }

  #show(): void {
    const { sizeBytes } = this.#parts.source;
    const share = sizeBytes === undefined ? undefined : this.#bytes / Math.max(1, sizeBytes);
    this.#bar.show({ keys: this.#entries, bytes: this.#bytes, share });
  }

  #count({ entry }: EntryItem): void {
    this.#entries++;
    if (entry.kind === "json") this.#documents++;
  }

  // ---- telling ----

  #tell(message: string, place: FilePlace): Promise<void> {
    return this.#problems.tell(`${this.#parts.source.name}: ${placeText(place)}: ${message}`);
  }

  #amount(): string {
    return groupedCount(this.#entries, this.#documents === this.#entries ? "document" : "key");
  }

  async #stopped(what: string): Promise<number> {
    await this.#world.printError(`stopped: ${what}\n`);
    return STOPPED_CODE;
  }

  /** `nothing`: what to say instead when something was wrong; empty: what is right is in. */
  async #end(done: string, nothing: string): Promise<number> {
    await this.#problems.end();
    if (this.#problems.count > 0 && nothing !== "") {
      const hint = done === "imported" ? "; --continue leaves out what is wrong" : "";
      await this.#world.printError(`${this.#problems.amount}: ${nothing}${hint}\n`);
      return 1;
    }
    const span = spanText(this.#world.platform.clock.monotonicMs() - this.#begunMs);
    await this.#world.print(Buffer.from(`${done} ${this.#amount()} in ${span}\n`));
    if (this.#problems.count === 0) return 0;
    await this.#world.printError(`left out ${this.#problems.amount}\n`);
    return 1;
  }
}

/** Where each key of a file was: twice in one file, nobody could say which value is meant. */
class KnownKeys {
  readonly #lines = new Map<string, number>();

  /** What is wrong with it. */
  add({ entry, place }: EntryItem): string | undefined {
    const name = entry.key.toString("latin1");
    const line = this.#lines.get(name);
    if (line !== undefined)
      return `the key ${JSON.stringify(entry.key.toString())} is in line ${line} as well`;
    this.#lines.set(name, place.line);
    return undefined;
  }
}

/** In a step that is not all or nothing the last value of a key stays, as if each came by itself. */
function lastOfEach(items: readonly EntryItem[]): readonly EntryItem[] {
  return [...new Map(items.map((item) => [item.entry.key.toString("latin1"), item])).values()];
}

function tooLong(): KvdbError {
  const most = byteText(MAX_JOINED_BYTES);
  const message = `more than ${most} cannot be imported all or nothing; --continue imports it in steps`;
  return new KvdbError("COMMAND", message);
}
