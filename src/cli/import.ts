/** `kvdb import`: what a file is, by its options, its first bytes or its ending, and so who reads it. */
import { extname, resolve } from "node:path";
import { KvdbError } from "../errors.ts";
import { displayPath } from "../kernel/display-path.ts";
import { errnoOf } from "../platform/files.ts";
import type { AppendOnlyPlace } from "./append-only-source.ts";
import { openExisting, openSource } from "./import-source.ts";
import type { StoredSource } from "./import-stored.ts";
import { stoppable, type TransferRun, withData } from "./transfer-data.ts";
import { importOptions, TEXT_FORMATS, type TransferFormat } from "./transfer-options.ts";
import {
  databaseAt,
  databaseOf,
  formatOf,
  hasFormat,
  optionalDatabaseOf,
  readTransferWords,
  type TransferWords,
} from "./transfer-words.ts";
import type { World } from "./world.ts";

const USAGE = "kvdb import <file | folder | -> [options]; see `kvdb import --help`";

/** Resolves to the exit code. */
export async function importFile(run: TransferRun, world: World): Promise<number> {
  const words = readTransferWords(run.words, importOptions, USAGE);
  const { file } = words;
  if (file === undefined) throw new KvdbError("USAGE", `which file? usage: ${USAGE}`);
  const place = hasFormat(words) ? undefined : await appendOnlyAt(file, world);
  if (place !== undefined) return importAppendOnly(run, words, place, world);
  const format = await formatOfFile(file, words, world);
  const text = TEXT_FORMATS.find((one) => one === format);
  if (text !== undefined) {
    const { importTexts } = await import("./import-texts.ts");
    return importTexts({ run, words, file, format: text }, world);
  }
  if (format === "rdb") return importRdb(run, words, file, world);
  return importCommands(run, words, file, world);
}

/** A folder, or what is named as the single file of old. */
async function appendOnlyAt(file: string, world: World): Promise<AppendOnlyPlace | undefined> {
  if (file === "-") return undefined;
  const path = resolve(world.surroundings.currentFolder, file);
  try {
    return { path, names: await world.platform.files.list(path) };
  } catch (error) {
    const code = errnoOf(error);
    if (code !== "ENOTDIR" && code !== "ENOENT") throw error;
    const isOld = code === "ENOTDIR" && extname(path).toLowerCase() === ".aof";
    return isOld ? { path, names: undefined } : undefined;
  }
}

async function importAppendOnly(
  run: TransferRun,
  words: TransferWords,
  place: AppendOnlyPlace,
  world: World,
): Promise<number> {
  const { withAppendOnlyFile } = await import("./append-only-source.ts");
  const { loaded } = run;
  const goesOn = words.options.has("--continue");
  return withAppendOnlyFile({ loaded, place, goesOn }, world, (source) =>
    importStored(run, words, source, world),
  );
}

/** How many bytes say what a file is. */
const HEAD_BYTES = 5;
const RDB_HEAD = "REDIS";

async function formatOfFile(
  file: string,
  words: TransferWords,
  world: World,
): Promise<TransferFormat> {
  const byName = formatOf(words);
  if (hasFormat(words) || file === "-") return byName;
  const head = await headOf(file, world);
  if (head === RDB_HEAD) return "rdb";
  return head.startsWith("*") ? "resp" : byName;
}

/** Empty for what cannot be looked at: whoever reads it will say why. */
async function headOf(file: string, { platform, surroundings }: World): Promise<string> {
  const path = resolve(surroundings.currentFolder, file);
  const head = Buffer.alloc(HEAD_BYTES);
  try {
    const open = await platform.files.open(path, "read");
    try {
      const count = await open.read(head, 0, HEAD_BYTES, 0);
      return head.toString("latin1", 0, count);
    } finally {
      await open.close();
    }
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return "";
  }
}

async function importCommands(
  run: TransferRun,
  words: TransferWords,
  file: string,
  world: World,
): Promise<number> {
  const { CommandImport, requireNoElementOptions } = await import("./import-commands.ts");
  requireNoElementOptions(words.options);
  const goesOn = words.options.has("--continue");
  const isDry = words.options.has("--dry-run");
  const source = await openSource(file, world);
  try {
    return await stoppable(world, async (stop) => {
      const importing = new CommandImport({ source, stop, goesOn }, world);
      // Standard input comes once.
      if (isDry || (!goesOn && source.sizeBytes !== undefined)) {
        const code = await importing.check();
        if (code !== undefined) return code;
        if (isDry) return importing.tellChecked();
      }
      return withData(run, databaseOf(words), world, (_call, send) => importing.run(send));
    });
  } finally {
    await source.close();
  }
}

async function importRdb(
  run: TransferRun,
  words: TransferWords,
  file: string,
  world: World,
): Promise<number> {
  const { rdbSource } = await import("./rdb-source.ts");
  if (file === "-") {
    throw new KvdbError("USAGE", "a file of RDB is read twice: standard input comes once");
  }
  const { currentFolder } = world.surroundings;
  const path = resolve(currentFolder, file);
  const open = await openExisting(path, displayPath(path, currentFolder), world);
  try {
    return await importStored(run, words, rdbSource(open, displayPath(path, currentFolder)), world);
  } finally {
    await open.close();
  }
}

async function importStored(
  run: TransferRun,
  words: TransferWords,
  source: StoredSource,
  world: World,
): Promise<number> {
  const { StoredImport } = await import("./import-stored.ts");
  const { options } = words;
  const wrong = ["--key", "--text"].find((one) => options.has(one));
  if (wrong !== undefined) {
    throw new KvdbError("USAGE", `${wrong} is for files of elements: a file of Redis has keys`);
  }
  const wish = {
    prefix: Buffer.from(options.get("--prefix") ?? ""),
    only: databaseAt(words, "--from-database"),
    database: optionalDatabaseOf(words),
    goesOn: options.has("--continue"),
  };
  return stoppable(world, async (stop) => {
    const importing = new StoredImport({ source, wish, stop }, world);
    const code = await importing.check();
    if (code !== undefined) return code;
    if (options.has("--dry-run")) return importing.tellChecked();
    return withData(run, 0, world, (_call, send) => importing.run(send));
  });
}
