/**
 * An append-only file of Redis, the folder of one or the single file of old, as what `kvdb import` takes in: the plugin `aof`
 * loads it into an engine beside that of the data, with the purpose `check`, which changes nothing on disk.
 */
import { basename, dirname } from "node:path";
import { KvdbError } from "../errors.ts";
import type { LoadedConfig } from "../kernel/config.ts";
import { displayPath } from "../kernel/display-path.ts";
import type { Engine } from "../kernel/engine-port.ts";
import { prepare } from "../kernel/prepare.ts";
import type { FolderLock } from "../platform/folder-lock.ts";
import type { Dropped } from "../plugin.ts";
import { byteText } from "../shell/amounts.ts";
import { escapeControls } from "../shell/printable.ts";
import type { StoredSource } from "./import-stored.ts";
import { loadingLine } from "./loading-line.ts";
import type { World } from "./world.ts";

const PLUGIN = "aof";
const MANIFEST = ".manifest";
/** For a single file: what lies beside it is not looked at. */
const NO_FOLDER = "no-appendonlydir";
/** The loop has its turn at least so often. */
const TURN_ENTRIES = 512;
const TURN_BYTES = 1 << 17;

export interface AppendOnlyPlace {
  readonly path: string;
  /** Names in it; undefined: it is a file. */
  readonly names: readonly string[] | undefined;
}

export interface AppendOnlyRun {
  readonly loaded: LoadedConfig;
  readonly place: AppendOnlyPlace;
  /** Of damaged files what can be read is taken. */
  readonly goesOn: boolean;
}

/** Rejects with a KvdbError("COMMAND") for one that is damaged. */
export async function withAppendOnlyFile<Result>(
  { loaded, place, goesOn }: AppendOnlyRun,
  world: World,
  use: (source: StoredSource) => Promise<Result>,
): Promise<Result> {
  const { currentFolder } = world.surroundings;
  const name = displayPath(place.path, currentFolder);
  const loadingView = loadingLine([], world);
  const kernel = await prepare({
    loaded: configOf(loaded, place, name),
    builtins: world.builtins,
    createEngine: world.createEngine,
    platform: { ...world.platform, lockFolder: async (folder) => new NoLock(folder) },
    purpose: { kind: "check" },
    role: "maintenance",
    onStopRequest: () => {}, // nobody is let in who could ask for it
    ...(loadingView && { loadingView }),
  });
  try {
    await kernel.start();
    const { engine } = kernel;
    engine.rest(); // until its end: what is over is told as such by whoever takes it
    const dropped = kernel.loaded?.report.dropped ?? [];
    const notes = dropped.map((one) => noteOf(one, currentFolder));
    const damage = dropped.findIndex(({ kind }) => kind === "damage");
    if (damage >= 0 && !goesOn) {
      const message = `${notes[damage]}: nothing was imported; --continue takes what can be read`;
      throw new KvdbError("COMMAND", message);
    }
    return await use({ name, read: (take, progress) => read(engine, notes, take, progress) });
  } finally {
    await kernel.stop();
  }
}

async function read(
  engine: Engine,
  notes: readonly string[],
  ...[take, progress]: Parameters<StoredSource["read"]>
): Promise<readonly string[]> {
  const entries = engine.readEntries();
  const { entry, entryCount } = entries;
  let bytes = 0;
  let count = 0;
  let toldBytes = 0;
  let toldCount = 0;
  while (entries.next()) {
    take(entry);
    bytes += entry.valueEnd - entry.valueStart;
    if (!entry.isContinued) count++;
    if (bytes - toldBytes < TURN_BYTES && count - toldCount < TURN_ENTRIES) continue;
    await progress(count, entryCount);
    toldBytes = bytes;
    toldCount = count;
  }
  return notes;
}

function configOf(
  loaded: LoadedConfig,
  { path, names }: AppendOnlyPlace,
  name: string,
): LoadedConfig {
  const options =
    names === undefined
      ? { appendfilename: basename(path), appenddirname: NO_FOLDER }
      : { appendfilename: prefixOf(names, name), appenddirname: basename(path) };
  const { config } = loaded;
  const persistence = { use: PLUGIN, options };
  const own = { dir: dirname(path), persistence, frontends: [], indexes: {}, memoryMaxBytes: 0 };
  return { ...loaded, config: { ...config, ...own } };
}

/** What the names of its files begin with: the manifest says it. */
function prefixOf(names: readonly string[], folder: string): string {
  const manifests = names.filter((one) => one.endsWith(MANIFEST));
  const [manifest] = manifests;
  if (manifest !== undefined && manifests.length === 1) return manifest.slice(0, -MANIFEST.length);
  const message =
    `${folder} is no append-only file of Redis, which has one .manifest in it: ` +
    "name the folder appendonlydir, or the file dump.rdb";
  throw new KvdbError("USAGE", message);
}

function noteOf({ kind, file, offset, bytes, reason }: Dropped, currentFolder: string): string {
  const place = `${displayPath(file, currentFolder)}, ${byteText(bytes)} at offset ${offset}`;
  return escapeControls(`${kind}: ${place}: ${reason}`);
}

/** The folder is somebody else's, who may use it meanwhile; it is only read. */
class NoLock implements FolderLock {
  readonly folder: string;
  readonly pathsBefore = undefined;
  readonly givenBefore = undefined;

  constructor(folder: string) {
    this.folder = folder;
  }

  async claim(): Promise<void> {}

  async handOver(): Promise<void> {}

  async announceSocket(): Promise<void> {}

  async release(): Promise<void> {}
}
