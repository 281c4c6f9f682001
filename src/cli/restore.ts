/**
 * `kvdb restore <name | path | url> [--force] [--to folder]`: puts the content of a backup in the place of what the folder has. The
 * order of the steps, and what a stop in the middle leaves, is kernel/restore.ts's. On a folder that a server holds, the
 * command BACKUP RESTORE does it.
 */
import { basename, dirname, resolve } from "node:path";
import { Catalogue } from "../backup/catalogue.ts";
import { openPlace, readPlace, splitBackupPath } from "../backup/place.ts";
import { isS3Url } from "../backup/s3-place.ts";
import type { BackupStorage } from "../backup/storage.ts";
import { KvdbError } from "../errors.ts";
import type { LoadedConfig, WrittenConfig } from "../kernel/config.ts";
import { displayPath } from "../kernel/display-path.ts";
import { type Restored, restoreFolder } from "../kernel/restore.ts";
import { countText } from "../shell/amounts.ts";
import { escapeControls } from "../shell/printable.ts";
import { patientLock } from "./data.ts";
import { isHeld } from "./holder.ts";
import type { OwnFlags } from "./invocation.ts";
import { loadingLine } from "./loading-line.ts";
import type { World } from "./world.ts";

const USAGE = "usage: kvdb restore <name | path | url> [--force] [--to folder] [--json]";

export interface RestoreRun {
  readonly loaded: LoadedConfig & WrittenConfig;
  readonly flags: OwnFlags;
  /** What stands behind `restore`. */
  readonly words: readonly string[];
}

interface RestoreWords {
  readonly backup: string;
  readonly isForced: boolean;
  readonly to: string | undefined;
  readonly isJson: boolean;
}

/** RESTORE of Redis takes a key, a time and a value; nothing of kvdb's own takes so many words. */
export function isRedisRestore(words: readonly string[]): boolean {
  return words.filter((word) => !word.startsWith("--")).length >= 3 && !words.includes("--to");
}

/** Resolves to the exit code. */
export async function restore({ loaded, flags, words }: RestoreRun, world: World): Promise<number> {
  const { backup, isForced, to, isJson } = readWords(words, flags);
  const { storage, name } = await findBackup(backup, loaded, world);
  const into = to === undefined ? loaded : elsewhere(loaded, resolve(folderOf(world), to));
  const view = loadingLine([], world);
  const { platform, builtins, createEngine } = world;
  const writeLog =
    view === undefined ? platform.writeLog : (line: string) => void view.writeLog(line);
  const patient = { ...platform, lockFolder: patientLock(platform), writeLog };
  try {
    const restored = await restoreFolder({
      ...{ loaded: into, storage, name, isForced, builtins, createEngine, platform: patient },
      onProgress: (share) => view?.progress(share, 1),
    });
    const shown = { name, dir: into.config.dir, restored };
    const text = isJson ? `${JSON.stringify(resultOf(shown))}\n` : resultText(shown, world);
    await world.print(Buffer.from(text));
    return 0;
  } catch (error) {
    if (!isHeld(error)) throw error;
    const message = `${error.message}; \`kvdb backup restore\` restores there`;
    throw new KvdbError("HELD", message, { cause: error });
  } finally {
    view?.end();
  }
}

function readWords(words: readonly string[], { output }: OwnFlags): RestoreWords {
  const backups: string[] = [];
  const options = { isForced: false, to: undefined as string | undefined };
  let isJson = output === "json";
  for (let index = 0; index < words.length; index++) {
    const word = words[index] as string;
    if (word === "--force") options.isForced = true;
    else if (word === "--json") isJson = true;
    else if (word === "--to") options.to = words[++index] ?? "";
    else if (word.startsWith("--to=")) options.to = word.slice("--to=".length);
    else if (word.startsWith("-"))
      throw new KvdbError("USAGE", `unknown option "${word}"; ${USAGE}`);
    else backups.push(word);
  }
  if (options.to === "") throw new KvdbError("USAGE", `--to wants a folder; ${USAGE}`);
  const [backup, second] = backups;
  if (backup === undefined) throw new KvdbError("USAGE", `which backup? ${USAGE}`);
  if (second !== undefined) throw new KvdbError("USAGE", `unexpected "${second}"; ${USAGE}`);
  return { backup, ...options, isJson };
}

/** A file by its path, else a name among the configured backups. */
async function findBackup(
  typed: string,
  { config }: LoadedConfig,
  world: World,
): Promise<{ storage: BackupStorage; name: string }> {
  const { platform } = world;
  if (isS3Url(typed)) return atUrl(typed, config, world);
  const path = resolve(folderOf(world), typed);
  if (await platform.files.exists(path)) {
    await refuseFolder(path, world);
    const storage = openPlace({ kind: "folder", path: dirname(path) }, platform);
    return { storage, name: basename(path) };
  }
  if (/[/\\]/.test(typed)) throw new KvdbError("IO", `there is no file ${path}`);
  const { place, problem } = config.backup;
  if (place === undefined) throw new KvdbError("CONFIG", problem);
  const storage = openPlace(place, platform);
  return { storage, name: await new Catalogue(storage).find(typed) };
}

async function refuseFolder(path: string, { platform }: World): Promise<void> {
  const [listed] = await Promise.allSettled([platform.files.list(path)]);
  if (listed.status === "rejected") return;
  throw new KvdbError("USAGE", `${path} is a folder: name one of the backups in it`);
}

/** With the credentials that the configuration has, if it has some, else those of the environment. */
function atUrl(
  url: string,
  { folder, backup }: LoadedConfig["config"],
  { platform, environment }: World,
): { storage: BackupStorage; name: string } {
  const { to, name } = splitBackupPath(url);
  const place = readPlace(to, { folder, environment, ...(backup.s3 && { s3: backup.s3 }) });
  return { storage: openPlace(place, platform), name };
}

/** The same configuration on another folder, if nothing in it names a place of its own. */
function elsewhere<Loaded extends LoadedConfig>(loaded: Loaded, dir: string): Loaded {
  const { use, options } = loaded.config.persistence;
  const named = Object.entries(options).find(
    ([, value]) => typeof value === "string" && value.startsWith("/"),
  );
  if (named === undefined) return { ...loaded, config: { ...loaded.config, dir } };
  const message = `--to cannot be used: "${named[0]}" of persistence "${use}" names ${named[1]}`;
  throw new KvdbError("CONFIG", message);
}

function folderOf({ surroundings }: World): string {
  return surroundings.currentFolder;
}

interface Shown {
  readonly name: string;
  readonly dir: string;
  readonly restored: Restored;
}

function resultOf({ name, dir, restored }: Shown): Record<string, unknown> {
  const { keys, revision, digest, replaced } = restored;
  return { folder: dir, backup: name, keys, revision, digest, replaced };
}

function resultText({ name, dir, restored }: Shown, { surroundings }: World): string {
  const shown = (path: string) => escapeControls(displayPath(path, surroundings.currentFolder));
  const { keys, revision, digest, replaced } = restored;
  const lines = [
    `${shown(dir)} has the content of ${name}: ${countText(keys, "key", "keys")}, ` +
      `revisions go on after ${revision}`,
    `digest ${digest}`,
  ];
  if (replaced.length > 0) {
    lines.push(
      `what was there before is in ${replaced.map(shown).join(", ")}; ` +
        "remove it when you do not need it any more",
    );
  }
  return `${lines.join("\n")}\n`;
}
