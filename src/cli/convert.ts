/**
 * `kvdb convert [--to NAME]`: takes the data of the folder over from the persistence that it belongs to
 * to the one that the configuration names, or to another one. The order of the steps, and what a stop
 * in the middle leaves, is kernel/conversion.ts's.
 */
import { KvdbError } from "../errors.ts";
import type { LoadedConfig, WrittenConfig } from "../kernel/config.ts";
import {
  type Conversion,
  type ConversionRequest,
  convertFolder,
  finishConversions,
} from "../kernel/conversion.ts";
import { displayPath } from "../kernel/display-path.ts";
import { readFolderOwner } from "../platform/folder-lock.ts";
import { byteText, countText } from "../shell/amounts.ts";
import { escapeControls } from "../shell/printable.ts";
import { patientLock } from "./data.ts";
import type { OwnFlags } from "./invocation.ts";
import { loadingLine } from "./loading-line.ts";
import type { World } from "./world.ts";

const USAGE = "usage: kvdb convert [--to NAME] [--json]";

export interface ConvertRun {
  readonly loaded: LoadedConfig & WrittenConfig;
  readonly flags: OwnFlags;
  /** What stands behind `convert`. */
  readonly words: readonly string[];
}

/** Resolves to the exit code. */
export async function convert({ loaded, flags, words }: ConvertRun, world: World): Promise<number> {
  const { to, isJson } = readWords(words, loaded, flags);
  const { dir } = loaded.config;
  const { persistence: from, paths } = await readFolderOwner(world.platform.files, dir);
  if (from === undefined) {
    throw new KvdbError("CONFIG", `${dir} holds no data that could be converted`);
  }
  const request = requestOf({ loaded, from, paths, to }, world);
  if (from === to) return finish(request, world);
  const conversion = await convertFolder(request);
  const text = isJson ? resultJson(request, conversion) : resultText(request, conversion, world);
  await world.print(Buffer.from(text));
  const advice = configAdvice(loaded, to);
  if (advice !== undefined) await world.printError(`${advice}\n`);
  return 0;
}

function readWords(
  words: readonly string[],
  { config }: LoadedConfig,
  { output }: OwnFlags,
): { to: string; isJson: boolean } {
  let to: string | undefined;
  let isJson = output === "json";
  for (let index = 0; index < words.length; index++) {
    const word = words[index] as string;
    if (word === "--json") isJson = true;
    else if (word === "--to") to = words[++index] ?? "";
    else if (word.startsWith("--to=")) to = word.slice("--to=".length);
    else throw new KvdbError("USAGE", `unexpected "${word}"; ${USAGE}`);
  }
  if (to === "") throw new KvdbError("USAGE", `--to wants the name of a persistence; ${USAGE}`);
  return { to: to ?? config.persistence.use, isJson };
}

function requestOf(
  what: Pick<ConversionRequest, "loaded" | "from" | "paths" | "to">,
  world: World,
): ConversionRequest {
  const { platform, builtins, schemas, createEngine } = world;
  const loadingView = loadingLine([], world);
  const writeLog =
    loadingView === undefined
      ? platform.writeLog
      : (line: string) => void loadingView.writeLog(line);
  const patient = { ...platform, lockFolder: patientLock(platform), writeLog };
  return { ...what, builtins, schemas, createEngine, platform: patient, loadingView };
}

/** What an earlier conversion has not moved yet; nothing else is to be done. */
async function finish(request: ConversionRequest, world: World): Promise<number> {
  const { loaded, to } = request;
  const finished = await finishConversions(request);
  if (finished.length === 0) {
    const message = `nothing to convert: ${loaded.config.dir} belongs to "${to}" already`;
    throw new KvdbError("COMMAND", message);
  }
  const folders = finished.map(({ folder }) => folder).join(" and ");
  await world.print(Buffer.from(`finished moving the old files to ${folders}\n`));
  return 0;
}

function resultJson({ from, to, loaded }: ConversionRequest, conversion: Conversion): string {
  const { checkpoint, moved, leftovers, dropped, outside } = conversion;
  const { entries, revision, bytes } = checkpoint;
  const folder = loaded.config.dir;
  const counts = { entries, revision, bytes };
  return `${JSON.stringify({ folder, from, to, ...counts, moved, outside, leftovers, dropped })}\n`;
}

function resultText(
  { from, to, loaded }: ConversionRequest,
  { checkpoint, moved, leftovers, dropped, outside }: Conversion,
  { surroundings }: World,
): string {
  const { dir } = loaded.config;
  const shown = (path: string) => escapeControls(displayPath(path, surroundings.currentFolder));
  const { entries, bytes, revision } = checkpoint;
  const lines = [
    ...dropped.map(
      ({ kind, file, offset, bytes: lost, reason }) =>
        `${kind}: ${shown(file)}, ${byteText(lost)} at offset ${offset}: ${escapeControls(reason)}`,
    ),
    `${shown(dir)} is now of persistence "${to}": ${countText(entries, "entry", "entries")}, ` +
      `${byteText(bytes)}, last revision ${revision}`,
    `the files of "${from}" are in ${shown(`${dir}/${moved.folder}`)}; ` +
      "remove them when you do not need them any more",
    ...outside.map((path) => `${shown(path)} of "${from}" stays where it is`),
    ...leftovers.map(
      ({ folder }) => `files of "${to}" that were in the way are in ${shown(`${dir}/${folder}`)}`,
    ),
  ];
  return `${lines.join("\n")}\n`;
}

/** The folder refuses a configuration that names another persistence from now on. */
function configAdvice({ config, originOf }: ConvertRun["loaded"], to: string): string | undefined {
  const { use } = config.persistence;
  if (use === to) return undefined;
  const wanted = `"persistence": "${to}"`;
  const place = originOf("/persistence/use");
  return place === "default"
    ? `the configuration names no persistence, which means "${use}": write ${wanted} into it`
    : `${place} names "${use}" still: write ${wanted} there`;
}
