/**
 * Takes the data of a folder over from one persistence to another. The order makes a stop at any moment harmless, for
 * until the switch nothing of the old one is touched, and from then on nothing of it is needed:
 *
 *   1. the old one is opened and loaded as by any start
 *   2. the new one writes a checkpoint of that beside its files, and is closed
 *   3. what it has written is loaded anew and compared with the memory, entry by entry; the old one is closed
 *   4. the lock file names the new one: the switch
 *   5. the files of the old one are moved to `converted-from-<name>`; nothing is removed
 *
 * Whose a file is, nobody has to say: it is seen who uses it. Files of the new one that lie there before are left by an
 * attempt that was cut off (whose the folder is, the lock file says), and are set aside.
 */
import { join } from "node:path";
import { UNPACKED_NAME } from "../backup/unpacked-backup.ts";
import { asKvdbError, KvdbError } from "../errors.ts";
import { UNFINISHED_SUFFIX } from "../platform/atomic-file.ts";
import type { Files } from "../platform/files.ts";
import {
  type FolderLock,
  type GivenRevisions,
  type Paths,
  SOCKET_NAME,
} from "../platform/folder-lock.ts";
import { LOCK_FILE_NAME } from "../platform/lock-file.ts";
import { OUTSIDE, WatchedFiles } from "../platform/watched-files.ts";
import type { CheckpointReport, Dropped, OpenPurpose, Revision } from "../plugin.ts";
import { LINEAGE_FILE } from "../replication/lineage-file.ts";
import { BorrowedLock } from "./borrowed-lock.ts";
import type { Builtins } from "./builtins.ts";
import { closingAfter, combineErrors } from "./combined-error.ts";
import { type CompiledSchemas, type LoadedConfig, pathsAmong } from "./config.ts";
import type { CreateEngine, Engine } from "./engine-port.ts";
import type { Kernel, Platform } from "./kernel.ts";
import type { LoadingView } from "./loading.ts";
import { existing, finishMoves, type MovedFiles, move, planMove, setAside } from "./moved-files.ts";
import { withPersistence } from "./other-persistence.ts";
import { prepare } from "./prepare.ts";
import { PLAN_NAME } from "./restore-plan.ts";
import { IMAGE_NAME } from "./snapshots.ts";
import { requireState, writeState } from "./state-transfer.ts";

export interface ConversionRequest {
  readonly loaded: LoadedConfig;
  /** Whose the folder is now. */
  readonly from: string;
  /** Options of it that name places, as its last start had them. */
  readonly paths: Paths;
  readonly to: string;
  readonly builtins: Builtins;
  readonly schemas: CompiledSchemas;
  readonly createEngine: CreateEngine;
  readonly platform: Platform;
  readonly loadingView: LoadingView | undefined;
}

export interface Conversion {
  readonly checkpoint: CheckpointReport;
  /** What the old one had not kept when it was loaded: an unsynced tail. */
  readonly dropped: readonly Dropped[];
  /** The files of the old one. */
  readonly moved: MovedFiles;
  /** Files of the old one that lie elsewhere, and stay there. */
  readonly outside: readonly string[];
  /** What attempts that were cut off had left of the new one. */
  readonly leftovers: readonly MovedFiles[];
}

/** The kernel's own files. */
export const RESERVED: ReadonlySet<string> = new Set([
  ...[LOCK_FILE_NAME, SOCKET_NAME, IMAGE_NAME, UNPACKED_NAME, PLAN_NAME],
  // The stream goes on: the new checkpoint has the old one's revision, and its place was noted when it was written.
  LINEAGE_FILE,
]);

/** Each time some files are set aside; more of one persistence than this no plugin finds one after the other. */
const MAX_ROUNDS = 20;

/** Rejects with the folder as it was, or, behind the switch, whole with the new one. */
export async function convertFolder(request: ConversionRequest): Promise<Conversion> {
  const converter = new Converter(request);
  const target = await converter.prepareTarget();
  return withLock(request, (lock) => converter.run(target, lock));
}

/** Finishes what conversions that were cut off behind their switch left; resolves to what was moved. */
export async function finishConversions(request: ConversionRequest): Promise<MovedFiles[]> {
  const { platform, loaded, from } = request;
  return withLock(request, () => finishMoves(platform.files, loaded.config.dir, from));
}

async function withLock<Result>(
  { platform, loaded, from }: ConversionRequest,
  run: (lock: FolderLock) => Promise<Result>,
): Promise<Result> {
  const { files, clock } = platform;
  const lock = await platform.lockFolder(loaded.config.dir, { files, clock, persistence: from });
  return closingAfter(
    () => run(lock),
    () => lock.release(),
  );
}

class Converter {
  readonly #request: ConversionRequest;
  readonly #dir: string;
  readonly #files: Files;
  /** What the old one uses. */
  readonly #old: WatchedFiles;
  /** What the new one uses. */
  readonly #new: WatchedFiles;
  /** What was in the folder before the new one wrote into it; undefined: it has not. */
  #before: ReadonlySet<string> | undefined;
  /** By the runs of the old one. */
  #given: GivenRevisions | undefined;

  constructor(request: ConversionRequest) {
    this.#request = request;
    this.#dir = request.loaded.config.dir;
    this.#files = request.platform.files;
    this.#old = new WatchedFiles(this.#files, this.#dir);
    this.#new = new WatchedFiles(this.#files, this.#dir, (name) => this.#guard(name));
  }

  /** Nothing is opened. Rejects when it cannot keep whole states. */
  async prepareTarget(): Promise<Kernel> {
    const { to } = this.#request;
    const target = await this.#prepare(to, { kind: "use" }, this.#new.files);
    if (target.persistence.supports.checkpoints) return target;
    const why = target.keepsFiles ? "it cannot take whole states" : "it keeps nothing";
    throw new KvdbError("CONFIG", `nothing can be taken over to persistence "${to}": ${why}`);
  }

  async run(target: Kernel, lock: FolderLock): Promise<Conversion> {
    const { from, to } = this.#request;
    this.#given = lock.givenBefore;
    await finishMoves(this.#files, this.#dir, from);
    const { moved, ...done } = await this.#untilSwitch(target);
    const { options, plugin } = target.chosen;
    await lock.handOver(to, pathsAmong(options, plugin.schema), done.checkpoint.revision);
    try {
      await move(this.#files, this.#dir, moved);
    } catch (error) {
      const what = `the folder is whole with "${to}", but files of "${from}" are still in it`;
      throw asKvdbError(error).prefix(`${what} (\`kvdb convert\` goes on moving them)`);
    }
    return { ...done, moved };
  }

  /** The folder is the old one's all the while, and when it fails as it was. */
  async #untilSwitch(target: Kernel): Promise<Conversion> {
    const { from } = this.#request;
    const source = await this.#prepare(from, { kind: "use" }, this.#old.files);
    await source.start();
    try {
      const taken = await closingAfter(
        () => this.#takeOver(source, target),
        () => source.stop(),
      );
      const used = this.#old.names.filter((name) => !RESERVED.has(name));
      const present = await existing(this.#files, this.#dir, used);
      const moved = await planMove(this.#files, this.#dir, from, present);
      const dropped = source.loaded?.report.dropped ?? [];
      return { ...taken, moved, dropped, outside: outsideOf(this.#old) };
    } catch (error) {
      throw await this.#undo(error);
    }
  }

  /** Better refused than replaced by nothing: its data may lie where only the old configuration knew. */
  #requireData({ loaded }: Kernel): void {
    const { from } = this.#request;
    if (loaded === undefined || loaded.entries > 0 || loaded.report.lastRevision > 0) return;
    throw new KvdbError(
      "CONFIG",
      `nothing of persistence "${from}" was found in ${this.#dir}: if its options named another place, ` +
        `convert with the old configuration and --to; an empty folder needs no conversion`,
    );
  }

  async #takeOver(
    source: Kernel,
    target: Kernel,
  ): Promise<Pick<Conversion, "checkpoint" | "leftovers">> {
    this.#requireData(source);
    const { engine } = source;
    engine.rest(); // until its end: nothing expires between what is written and what is compared
    const leftovers = await this.#clearWay();
    this.#before = new Set(await this.#files.list(this.#dir));
    const checkpoint = await this.#write(engine, target);
    await this.#compare(engine, target, checkpoint.revision);
    return { checkpoint, leftovers };
  }

  // ---- the steps ----

  /** Sets aside what is in the place of the new one's files; rejects when the old one uses it. */
  async #clearWay(): Promise<MovedFiles[]> {
    const { to } = this.#request;
    const leftovers: MovedFiles[] = [];
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const names = await this.#look();
      const shared = names.filter((name) => this.#old.names.includes(name));
      if (shared.length > 0) throw this.#collision(shared);
      if (names.length === 0) return leftovers;
      leftovers.push(await setAside(this.#files, this.#dir, to, names));
    }
    throw new KvdbError("INTERNAL", `persistence "${to}" finds files of its own again and again`);
  }

  /** What the new one finds in the folder; what it thinks of it, it will say when it is opened. */
  async #look(): Promise<string[]> {
    const seen = new WatchedFiles(this.#files, this.#dir);
    const kernel = await this.#prepare(this.#request.to, { kind: "check" }, seen.files);
    await Promise.allSettled([kernel.start()]);
    await kernel.stop();
    for (const path of outsideOf(seen)) {
      if (await this.#files.exists(path)) throw inTheWay(this.#request.to, path);
    }
    return existing(this.#files, this.#dir, seen.names);
  }

  #write(engine: Engine, target: Kernel): Promise<CheckpointReport> {
    const { platform } = this.#request;
    const { files } = this.#new;
    const writing = { engine, target, folder: this.#dir, files, clock: platform.clock };
    return writeState({ ...writing, reason: "a conversion" });
  }

  /** With nothing but what is on disk. */
  #compare(engine: Engine, { chosen }: Kernel, revision: Revision): Promise<void> {
    const { platform, loaded } = this.#request;
    return requireState(engine.readEntries(), {
      chosen,
      folder: this.#dir,
      databases: loaded.config.databases,
      revision,
      files: this.#files,
      clock: platform.clock,
    });
  }

  /** The folder stays the old one's; what the new one has begun would only take up room. */
  async #undo(error: unknown): Promise<KvdbError> {
    const errors = [error];
    for (const path of this.#new.paths) {
      if (this.#before?.has(this.#new.nameOf(path)) ?? true) continue;
      for (const made of [path, path + UNFINISHED_SUFFIX]) {
        const [removed] = await Promise.allSettled([this.#files.remove(made)]);
        if (removed.status === "rejected") errors.push(removed.reason);
      }
    }
    return combineErrors(errors);
  }

  // ---- what the steps need ----

  /** Before the new one opens, makes or changes something. */
  #guard(name: string): void {
    if (this.#old.names.includes(name)) throw this.#collision([name]);
    if (RESERVED.has(name)) throw new KvdbError("INTERNAL", `${name} is no file of a persistence`);
  }

  #collision(names: readonly string[]): KvdbError {
    const { from, to } = this.#request;
    return new KvdbError(
      "CONFIG",
      `"${from}" and "${to}" both keep ${names.join(" and ")} in the data folder, ` +
        "so one cannot be written beside the other",
    );
  }

  /** Under the lock that is held already. */
  #prepare(name: string, purpose: OpenPurpose, files: Files): Promise<Kernel> {
    const { loaded, from, builtins, schemas, createEngine, platform, loadingView } = this.#request;
    const place = name === from ? join(this.#dir, LOCK_FILE_NAME) : "--to";
    const options = name === from ? this.#request.paths : {};
    const config = withPersistence(loaded, { name, place, options }, schemas);
    return prepare({
      loaded: { ...config, config: { ...config.config, frontends: [] } },
      builtins,
      createEngine,
      platform: {
        ...platform,
        files,
        lockFolder: async (folder) => new BorrowedLock(folder, this.#given),
      },
      purpose,
      role: "maintenance",
      onStopRequest: () => {}, // nobody is let in who could ask for it
      ...(loadingView && { loadingView }),
    });
  }
}

/** An option may have led it anywhere. */
function outsideOf(watched: WatchedFiles): string[] {
  return watched.paths.filter((path) => watched.nameOf(path) === OUTSIDE);
}

/** Elsewhere nobody can say whose it is. */
function inTheWay(persistence: string, path: string): KvdbError {
  return new KvdbError("CONFIG", `"${persistence}" would write over ${path}: move it away first`);
}
