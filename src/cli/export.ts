/**
 * `kvdb export [file]`: the keys of a database as JSON Lines, an array of JSON or a CSV, or those of all databases as a file of
 * commands or of Redis, in bounded memory. A file is there whole or not at all (export-target.ts); what the format cannot say is told.
 */
import { KvdbError } from "../errors.ts";
import { displayPath } from "../kernel/display-path.ts";
import { spanText } from "../shell/amounts.ts";
import { CsvWriter } from "../transfer/csv-writer.ts";
import { ItemProblem } from "../transfer/entry.ts";
import { type EntryWriter, isWholeWriter, JsonWriter } from "../transfer/entry-writer.ts";
import { fieldTree } from "../transfer/json-members.ts";
import { RdbWriter } from "../transfer/rdb-writer.ts";
import { RespWriter } from "../transfer/resp-writer.ts";
import { type ExportTarget, FileTarget, OutputTarget, requireFolder } from "./export-target.ts";
import { type DatabasePage, exportedDatabases } from "./exported-databases.ts";
import { type ExportedPage, exportedKeys } from "./exported-keys.ts";
import { groupedCount } from "./grouped-count.ts";
import { TransferBar } from "./transfer-bar.ts";
import {
  type Call,
  STOPPED_CODE,
  type Stop,
  stoppable,
  type TransferRun,
  withData,
} from "./transfer-data.ts";
import { exportOptions } from "./transfer-options.ts";
import {
  databaseOf,
  fieldsOf,
  formatOf,
  optionalDatabaseOf,
  readTransferWords,
  type TransferWords,
} from "./transfer-words.ts";
import type { World } from "./world.ts";

const USAGE = "kvdb export [file] [options]; see `kvdb export --help`";
/** Text is gathered up to this size before it is written. */
const WRITTEN_BYTES = 1 << 18;

/** Resolves to the exit code. */
export async function exportKeys(run: TransferRun, world: World): Promise<number> {
  const words = readTransferWords(run.words, exportOptions, USAGE);
  const writer = writerOf(words, world);
  const database = databaseOf(words);
  const { file } = words;
  const isOutput = file === undefined || file === "-";
  const overwrites = run.flags.force || words.options.has("--force");
  await requireFolder(run.loaded.config.dir, world);
  const begunMs = world.platform.clock.monotonicMs();
  return stoppable(world, async (stop) => {
    const target = isOutput
      ? new OutputTarget(world)
      : await FileTarget.open(file, overwrites, world);
    const exporting = new Exporting(writer, target);
    try {
      const isWhole = await withData(run, isWholeWriter(writer) ? 0 : database, world, (call) =>
        exporting.run(pagesOf(call, writer, words), stop, world),
      );
      if (!isWhole) {
        await world.printError(
          isOutput ? "stopped before the end\n" : "stopped: no file was made\n",
        );
        return STOPPED_CODE;
      }
      await target.finish();
    } finally {
      await target.discard();
    }
    const span = spanText(world.platform.clock.monotonicMs() - begunMs);
    await tell({ file: isOutput ? undefined : file, keys: exporting.keys, span, writer }, world);
    return 0;
  });
}

function wantedOf({ options }: TransferWords) {
  return { prefix: options.get("--prefix"), filter: options.get("--filter") };
}

type Pages = AsyncGenerator<ExportedPage | DatabasePage>;

function pagesOf(call: Call, writer: EntryWriter, words: TransferWords): Pages {
  const wanted = wantedOf(words);
  if (!isWholeWriter(writer)) return exportedKeys(call, wanted);
  return exportedDatabases(call, wanted, optionalDatabaseOf(words));
}

function writerOf(words: TransferWords, { platform }: World): EntryWriter {
  const format = formatOf(words);
  const fields = fieldsOf(words);
  const isBare = words.options.has("--bare");
  if (format === "resp" || format === "rdb") {
    const option = isBare ? "--bare" : "--fields";
    if (!isBare && fields === undefined)
      return format === "rdb" ? new RdbWriter(platform.clock.now()) : new RespWriter();
    throw new KvdbError("USAGE", `${option} is for JSON and CSV: ${format} has keys as they are`);
  }
  if (format === "csv") return new CsvWriter({ columns: fields, isBare });
  const tree = fields === undefined ? undefined : fieldTree(fields);
  return new JsonWriter({ isArray: format === "json", isBare, fields: tree });
}

class Exporting {
  keys = 0;
  readonly #writer: EntryWriter;
  readonly #target: ExportTarget;
  #gathered: Buffer[] = [];
  #gatheredBytes = 0;
  #bytes = 0;
  #database: number | undefined;

  constructor(writer: EntryWriter, target: ExportTarget) {
    this.#writer = writer;
    this.#target = target;
  }

  /** False: somebody wanted it to stop. */
  async run(pages: Pages, stop: Stop, world: World): Promise<boolean> {
    const bar = new TransferBar("exporting", world);
    try {
      await this.#put(this.#writer.begin());
      for await (const page of pages) {
        const { entries, share } = page;
        if (stop.isWanted) return false;
        if ("database" in page) await this.#choose(page.database);
        for (const entry of entries) await this.#put(this.#add(entry));
        if ("indexes" in page) await this.#putIndexes(page.indexes);
        this.keys += entries.length;
        bar.show({ keys: this.keys, bytes: this.#bytes, share });
      }
      await this.#put(this.#writer.finish());
      await this.#flush();
      return !stop.isWanted;
    } finally {
      bar.end();
    }
  }

  async #choose(database: number): Promise<void> {
    if (!isWholeWriter(this.#writer) || database === this.#database) return;
    this.#database = database;
    await this.#put(this.#writer.database(database));
  }

  async #putIndexes(indexes: DatabasePage["indexes"]): Promise<void> {
    if (!isWholeWriter(this.#writer)) return;
    for (const { name, definition } of indexes) {
      await this.#put(this.#writer.index(name, definition));
    }
  }

  #add(entry: Parameters<EntryWriter["add"]>[0]): string | Buffer {
    try {
      return this.#writer.add(entry);
    } catch (error) {
      if (error instanceof ItemProblem) throw new KvdbError("COMMAND", error.message);
      throw error;
    }
  }

  async #put(text: string | Buffer): Promise<void> {
    if (text.length === 0) return;
    const bytes = Buffer.from(text as string);
    this.#gathered.push(bytes);
    this.#gatheredBytes += bytes.length;
    if (this.#gatheredBytes >= WRITTEN_BYTES) await this.#flush();
  }

  async #flush(): Promise<void> {
    const bytes = Buffer.concat(this.#gathered);
    this.#gathered = [];
    this.#gatheredBytes = 0;
    this.#bytes += bytes.length;
    if (bytes.length > 0) await this.#target.write(bytes);
  }
}

interface Told {
  /** Undefined: standard output. */
  readonly file: string | undefined;
  readonly keys: number;
  readonly span: string;
  readonly writer: EntryWriter;
}

/** Standard output has the data alone where it has the data. */
async function tell({ file, keys, span, writer }: Told, world: World): Promise<void> {
  const leftOut = writer instanceof CsvWriter ? writer.leftOut : 0;
  for (const note of notesOf(writer)) await world.printError(`${note}\n`);
  const what = groupedCount(keys - leftOut, "key");
  if (file !== undefined) {
    const { currentFolder } = world.surroundings;
    const text = `exported ${what} to ${displayPath(file, currentFolder)} in ${span}\n`;
    await world.print(Buffer.from(text));
  } else if (world.console.errorIsTerminal) {
    await world.printError(`exported ${what} in ${span}\n`);
  }
}

function notesOf(writer: EntryWriter): string[] {
  if (!(writer instanceof CsvWriter)) return [];
  const { leftOut, partly, partlyField } = writer;
  const notes: string[] = [];
  if (leftOut > 0) {
    const what = groupedCount(leftOut, "key");
    notes.push(`left out ${what}: a CSV has objects of JSON alone; --format jsonl has everything`);
  }
  if (partly > 0) {
    const what = groupedCount(partly, "document");
    notes.push(
      `${what} with fields that no column has, such as ${partlyField}: --fields names the columns`,
    );
  }
  return notes;
}
