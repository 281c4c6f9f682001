/** `kvdb import`: what a file is, by its options, its first bytes or its ending, and so who reads it. */
import { resolve } from "node:path";
import { KvdbError } from "../errors.ts";
import { errnoOf } from "../platform/files.ts";
import { stoppable, type TransferRun, withData } from "./transfer-data.ts";
import { importOptions, TEXT_FORMATS, type TransferFormat } from "./transfer-options.ts";
import {
  databaseOf,
  formatOf,
  hasFormat,
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
  const format = await formatOfFile(file, words, world);
  const text = TEXT_FORMATS.find((one) => one === format);
  if (text !== undefined) {
    const { importTexts } = await import("./import-texts.ts");
    return importTexts({ run, words, file, format: text }, world);
  }
  return importCommands(run, words, file, world);
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
  const { openSource } = await import("./import-source.ts");
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
