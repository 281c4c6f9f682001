/**
 * Puts the content of a backup in the place of what a folder has, while nobody is served. The order makes a stop at any
 * moment harmless:
 *
 *   1. the backup is loaded and compared with what it says of itself; only a good one goes on
 *   2. the folder is looked at, as a check does: what files its persistence uses, whether there is data in them
 *   3. the persistence writes a checkpoint of the backup beside those files, under other names (platform/staged-files.ts)
 *   4. what it has written is loaded anew and compared with the backup, entry by entry
 *   5. the plan is written down: the switch (restore-plan.ts)
 *   6. the files from before are moved to `replaced-<time>`, the new ones get their names; nothing is removed
 *
 * What is in the way need not be readable: somebody restores because something is damaged.
 */
import { isAbsolute, join, relative } from "node:path";
import type { BackupReader } from "../backup/backup-reader.ts";
import type { BackupStorage } from "../backup/storage.ts";
import { asKvdbError, KvdbError } from "../errors.ts";
import { firstRevisionAfter } from "../journal/journal.ts";
import type { Files } from "../platform/files.ts";
import type { FolderLock, GivenRevisions } from "../platform/folder-lock.ts";
import { removeStaged, STAGED_SUFFIX, StagedFiles } from "../platform/staged-files.ts";
import { WatchedFiles } from "../platform/watched-files.ts";
import type { OpenPurpose, Revision } from "../plugin.ts";
import { LINEAGE_FILE } from "../replication/lineage-file.ts";
import { countText } from "../shell/amounts.ts";
import { EntryWalk } from "../store/entry-walk.ts";
import { loadBackup } from "./backup-loading.ts";
import { BorrowedLock } from "./borrowed-lock.ts";
import type { Builtins } from "./builtins.ts";
import type { CheckpointedEngine } from "./checkpoint-writer.ts";
import { closingAfter, combineErrors } from "./combined-error.ts";
import { type LoadedConfig, pathsAmong } from "./config.ts";
import { RESERVED } from "./conversion.ts";
import type { Engine } from "./engine.ts";
import type { CreateEngine } from "./engine-port.ts";
import type { Kernel, Platform } from "./kernel.ts";
import { makeEmptyFolder } from "./moved-files.ts";
import { highestGiven } from "./past-revisions.ts";
import { prepare } from "./prepare.ts";
import { carryOutPlan, placeAside, type RestorePlan, writePlan } from "./restore-plan.ts";
import { requireState, writeState } from "./state-transfer.ts";

export interface RestoreRequest {
  /** Its folder is the one that is restored into. */
  readonly loaded: LoadedConfig;
  readonly storage: BackupStorage;
  /** Of the backup. */
  readonly name: string;
  /** Data that is there is replaced. */
  readonly isForced: boolean;
  readonly builtins: Builtins;
  readonly createEngine: CreateEngine;
  readonly platform: Platform;
  /** With how much of reading the backup is done, between 0 and 1. */
  onProgress(share: number): void;
}

export interface Restored {
  readonly revision: Revision;
  readonly keys: number;
  /** As DEBUG DIGEST answers. */
  readonly digest: string;
  /** Where the files from before are now: a folder in that of the data, and files that lay elsewhere. Empty: there were none. */
  readonly replaced: readonly string[];
}

/**
 * What nobody can read may have had any revision. So far above the backup's none was given out: it is a change each
 * microsecond for an hour, and 1/65 000 of those that there are.
 */
const UNREADABLE_GAP = 2 ** 32;

/** Rejects with the folder as it was, or, behind the switch, whole with the backup's content. */
export async function restoreFolder(request: RestoreRequest): Promise<Restored> {
  const { platform, loaded } = request;
  const { files, clock } = platform;
  const { dir } = loaded.config;
  const restorer = new Restorer(request);
  const target = await restorer.prepareTarget();
  const persistence = target.chosen.plugin.name;
  const lock = await platform.lockFolder(dir, { files, clock, persistence });
  return closingAfter(
    () => restorer.run(target, lock),
    () => lock.release(),
  );
}

class Restorer {
  readonly #request: RestoreRequest;
  readonly #dir: string;
  readonly #files: Files;
  readonly #staged: StagedFiles;
  #given: GivenRevisions | undefined;

  constructor(request: RestoreRequest) {
    this.#request = request;
    this.#dir = request.loaded.config.dir;
    this.#files = request.platform.files;
    this.#staged = new StagedFiles(this.#files, this.#dir);
  }

  /** Nothing is opened. Rejects when it cannot keep whole states. */
  async prepareTarget(): Promise<Kernel> {
    const target = await this.#prepare({ kind: "use" }, this.#staged.files);
    if (target.persistence.supports.checkpoints) return target;
    const why = target.keepsFiles ? "cannot take whole states" : "keeps nothing";
    const { name } = target.chosen.plugin;
    throw new KvdbError("CONFIG", `nothing can be restored into persistence "${name}": it ${why}`);
  }

  async run(target: Kernel, lock: FolderLock): Promise<Restored> {
    const { clock } = this.#request.platform;
    const { name: persistence } = target.chosen.plugin;
    this.#given = lock.givenBefore;
    await carryOutPlan(this.#files, this.#dir, persistence);
    const before = await this.#look();
    if (before.problem !== "" && !this.#request.isForced) throw this.#inTheWay(before.problem);
    const { engine, reader, debugDigest } = await this.#loadBackup();
    const revision = Math.max(before.revision, reader.manifest.revision);
    const keys = await this.#write(engine, target, revision);
    const old = [...before.files, ...(await this.#lineage())];
    const stamp = new Date(clock.now()).toISOString().replace(/[-:]|\.\d+/g, "");
    const base = `replaced-${stamp}`;
    const aside = old.length > 0 ? await makeEmptyFolder(this.#files, this.#dir, base) : base;
    const plan = { persistence, step: "aside", aside, old, new: await this.#made() } as const;
    await this.#switch(plan, target, lock, revision);
    const replaced = [...new Set(old.map((path) => placeAside(this.#dir, path, aside)))];
    return { revision, keys, digest: debugDigest, replaced };
  }

  // ---- what is there ----

  /** What its persistence finds in the folder, whatever state that is in. */
  async #look(): Promise<Before> {
    const watched = new WatchedFiles(this.#files, this.#dir);
    const kernel = await this.#prepare({ kind: "check" }, watched.files);
    const [started] = await Promise.allSettled([kernel.start()]);
    const count = started.status === "rejected" ? 0 : kernel.engine.readEntries().entryCount;
    await kernel.stop();
    const files: string[] = [];
    for (const path of watched.paths) {
      if (RESERVED.has(watched.nameOf(path)) || !(await this.#isFile(path))) continue;
      files.push(this.#named(path));
    }
    if (started.status === "rejected") return this.#unreadable(files, started.reason);
    const data = count === 0 ? "" : `has data (${countText(count, "entry", "entries")})`;
    const isDamaged = kernel.loaded?.report.dropped.some(({ kind }) => kind === "damage") === true;
    const problem = isDamaged ? "has damaged data" : data;
    return { files, problem, revision: this.#lastRevision(kernel) };
  }

  /**
   * The stream of replication led to what is replaced. Left where it is it could fit the revision of the backup, and replicas would
   * go on with other data than theirs.
   */
  async #lineage(): Promise<readonly string[]> {
    const isThere = await this.#files.exists(join(this.#dir, LINEAGE_FILE));
    return isThere ? [LINEAGE_FILE] : [];
  }

  #unreadable(files: readonly string[], reason: unknown): Before {
    const isNothing = files.length === 0;
    const problem = isNothing
      ? ""
      : `has data that cannot be read (${asKvdbError(reason).message})`;
    const given = highestGiven(this.#given);
    return { files, problem, revision: isNothing ? given : given + UNREADABLE_GAP };
  }

  /** No run before has given out a higher one. */
  #lastRevision({ loaded }: Kernel): Revision {
    // Nothing was ever there: then a stop that nobody noted is none.
    const isNew = loaded === undefined || loaded.report.lastRevision === 0;
    const own = isNew ? 0 : firstRevisionAfter(loaded.report) - 1;
    return Math.max(own, highestGiven(this.#given));
  }

  /** Folders that it looked into stay where they are. */
  async #isFile(path: string): Promise<boolean> {
    if (!(await this.#files.exists(path))) return false;
    const [listed] = await Promise.allSettled([this.#files.list(path)]);
    return listed.status === "rejected";
  }

  #named(path: string): string {
    const name = relative(this.#dir, path);
    return name.startsWith("..") || isAbsolute(name) ? path : name;
  }

  #inTheWay(problem: string): KvdbError {
    const message = `${this.#dir} ${problem}: --force replaces it (its files are moved aside)`;
    return new KvdbError("COMMAND", message);
  }

  // ---- what comes ----

  #loadBackup(): Promise<{ engine: Engine; reader: BackupReader; debugDigest: string }> {
    const { storage, name, loaded, platform, onProgress } = this.#request;
    const { databases } = loaded.config;
    const { files, clock } = platform;
    const loading = { storage, name, databases, files, folder: this.#dir, clock };
    return loadBackup({ ...loading, proceed: onProgress });
  }

  /** Beside what is there. Answers how many keys it has. */
  async #write({ keyspace }: Engine, target: Kernel, revision: Revision): Promise<number> {
    const { loaded, platform } = this.#request;
    const { clock } = platform;
    const folder = this.#dir;
    keyspace.setNextRevision(revision + 1);
    keyspace.noteRevision();
    await removeStaged(this.#files, folder);
    const source: CheckpointedEngine = {
      disk: { lastRevision: revision, followMode: () => {} },
      readEntries: () => new EntryWalk(keyspace.arena),
      rest: () => () => {}, // nothing expires in an engine that was never started
    };
    const { files } = this.#staged;
    const { databases } = loaded.config;
    const reading = { chosen: target.chosen, folder, databases, revision, files, clock };
    try {
      await writeState({ engine: source, target, folder, files, clock, reason: "a restore" });
      await requireState(source.readEntries(), reading);
    } catch (error) {
      throw await this.#undo(error);
    }
    return source.readEntries().keyCount;
  }

  /** What was written would only take up room. */
  async #undo(error: unknown): Promise<KvdbError> {
    const removing = removeStaged(this.#files, this.#dir, this.#staged.paths);
    const [removed] = await Promise.allSettled([removing]);
    return combineErrors(removed.status === "rejected" ? [error, removed.reason] : [error]);
  }

  // ---- the switch ----

  async #made(): Promise<string[]> {
    const made: string[] = [];
    for (const path of this.#staged.paths) {
      if (await this.#files.exists(path + STAGED_SUFFIX)) made.push(this.#named(path));
    }
    return made;
  }

  async #switch(
    plan: RestorePlan,
    target: Kernel,
    lock: FolderLock,
    revision: Revision,
  ): Promise<void> {
    const { options, plugin } = target.chosen;
    await this.#files.syncFolder(this.#dir);
    await writePlan(this.#files, this.#dir, plan);
    try {
      await carryOutPlan(this.#files, this.#dir, plan.persistence);
      await lock.handOver(plan.persistence, pathsAmong(options, plugin.schema), revision);
    } catch (error) {
      const what = "the backup is the folder's from now on, but not all files are in their place";
      throw asKvdbError(error).prefix(`${what} (the next start goes on moving them)`);
    }
  }

  /** Under the lock that is held already. */
  #prepare(purpose: OpenPurpose, files: Files): Promise<Kernel> {
    const { loaded, builtins, createEngine, platform } = this.#request;
    return prepare({
      loaded: { ...loaded, config: { ...loaded.config, frontends: [] } },
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
    });
  }
}

/** What a folder has. */
interface Before {
  /** In the folder by their paths from there, elsewhere absolute. */
  readonly files: readonly string[];
  /** Why it is not to be replaced without asking; empty: there is nothing. */
  readonly problem: string;
  /** Or a higher one. */
  readonly revision: Revision;
}
