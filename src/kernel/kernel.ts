/**
 * The life of a kvdb that prepare.ts has made. `start` opens: folder and lock, persistence,
 * frontends (which answer LOADING), then loads. `stop` closes in reverse. A step that fails closes
 * what is open, in reverse, and every failure on the way is told. How the data gets in is
 * data-opening.ts. Knows no plugin by name and no command.
 *
 * Invariant: what was opened is closed exactly once, after a failed `open` too, and the lock is
 * given back last.
 */
import { join } from "node:path";
import { asKvdbError, KvdbError } from "../errors.ts";
import type { Clock } from "../platform/clock.ts";
import type { Files } from "../platform/files.ts";
import { type FolderLock, type LockOptions, SOCKET_NAME } from "../platform/folder-lock.ts";
import type { Log } from "../platform/log.ts";
import type { Random } from "../platform/random.ts";
import type { WholeFiles } from "../platform/rewritten-file.ts";
import { lastingFolder, type WorkFolder } from "../platform/scratch-folder.ts";
import type { Frontend, Persistence, Terminal } from "../plugin.ts";
import type { FollowingSide } from "../replication/following.ts";
import type { Backups } from "./backups.ts";
import type { Checkpoints } from "./checkpoints.ts";
import { combineErrors } from "./combined-error.ts";
import { pathsAmong } from "./config.ts";
import type { Host } from "./context.ts";
import { DataOpening } from "./data-opening.ts";
import type { DataReplacements } from "./data-replacement.ts";
import type { Engine } from "./engine-port.ts";
import { createFollowing, primaryOf } from "./following-host.ts";
import type { Instances } from "./instances.ts";
import { removeLeftovers } from "./leftovers.ts";
import { LifeCycle } from "./life-cycle.ts";
import type { Selected } from "./loader.ts";
import type { LoadAccount, LoadingView } from "./loading.ts";
import { highestGiven } from "./past-revisions.ts";
import type { PluginFiles } from "./plugin-files.ts";
import type { ReadViews } from "./read-views.ts";
import { carryOutPlan, hasPlan } from "./restore-plan.ts";
import { dutiesOf, type Role } from "./role.ts";
import type { StartSnapshotWorker } from "./snapshot-messages.ts";
import { createStateReaders } from "./state-readers.ts";
import { withTimeLimit } from "./time-limit.ts";

/** An import or an `open` that takes longer hangs: whoever started kvdb wants to know which. */
export const OPEN_LIMIT_MS = 30_000;

/**
 * From the wish to stop to the end of the process: what service managers commonly allow before they
 * kill.
 */
export const STOP_LIMIT_MS = 10_000;

/** Of that, kept for the last flush, the persistence and the lock: frontends may not use it up. */
const FLUSH_RESERVE_MS = 4_000;

/** Kept for the persistence and the lock. */
const CLOSE_RESERVE_MS = 1_000;

/** What a frontend is given beyond its time for politeness, to close what it opened. */
const HANDOVER_MS = 1_000;

/** The world around a kernel; handed in, so that a test replaces it. */
export interface Platform {
  readonly clock: Clock;
  readonly random: Random;
  readonly files: Files;
  lockFolder(folder: string, options: LockOptions): Promise<FolderLock>;
  /** Takes one line of the log. */
  writeLog(line: string): void;
  readonly startSnapshotWorker: StartSnapshotWorker;
  /** Without it there is no full copy, for replicas or of a primary, where there is no data folder. */
  readonly makeScratchFolder?: () => Promise<WorkFolder>;
  /** Where a person sits, if anywhere. */
  readonly terminal?: Terminal;
  /** Reads and rewrites configuration files. Without it nobody may. */
  readonly wholeFiles?: WholeFiles;
  /** Takes down where plugins come from, for who wants to know whose code threw. */
  readonly pluginFiles?: PluginFiles;
}

export interface KernelParts {
  readonly host: Host;
  readonly platform: Platform;
  readonly instances: Instances;
  readonly role: Role;
  readonly loadingView: LoadingView | undefined;
}

export class Kernel {
  readonly engine: Engine;
  readonly views: ReadViews;
  /** Other data in the place of all there is. */
  readonly replacements: DataReplacements;
  readonly log: Log;
  readonly #host: Host;
  readonly #platform: Platform;
  readonly #instances: Instances;
  readonly #lifeCycle: LifeCycle;
  readonly #checkpoints: Checkpoints;
  readonly #backups: Backups;
  readonly #role: Role;
  readonly #following: FollowingSide;
  readonly #data: DataOpening;
  #starting: Promise<"ready" | "stopped"> | undefined;
  #stopping: Promise<void> | undefined;

  constructor(parts: KernelParts) {
    const { host, platform, instances, role, loadingView } = parts;
    this.engine = host.engine;
    this.log = host.log;
    this.#host = host;
    this.#platform = platform;
    this.#instances = instances;
    this.#lifeCycle = new LifeCycle(platform.clock);
    const openWorkFolder = workFolders(parts, this.keepsFiles);
    const readers = createStateReaders({ ...parts, openWorkFolder });
    const { checkpoints, check, backups, views, replacements } = readers;
    this.views = views;
    this.replacements = replacements;
    this.#role = role;
    this.#checkpoints = checkpoints;
    this.engine.checkpoints = checkpoints;
    this.engine.check = check;
    this.engine.backups = backups;
    this.#backups = backups;
    this.#following = createFollowing({
      ...{ host, replacements, openWorkFolder },
      random: platform.random,
      follows: dutiesOf[role].follows,
    });
    this.engine.persistenceName = instances.chosen.plugin.name;
    this.#data = new DataOpening({
      ...{ host, instances, checkpoints, duties: dutiesOf[role], view: loadingView },
      takeRole: () => this.#takeRole(),
      heedStop: () => this.#heedStop(),
      attempt: (doing, run) => this.#attempt(doing, run),
    });
  }

  /** What was loaded; undefined before. */
  get loaded(): LoadAccount | undefined {
    return this.#data.loaded;
  }

  /** For who works with it alone, without a start. */
  get persistence(): Persistence {
    return this.#instances.persistence;
  }

  /** The plugin of the persistence, with its options. */
  get chosen(): Selected {
    return this.#instances.chosen;
  }

  /** Whether there is a folder that is locked. */
  get keepsFiles(): boolean {
    return keepsFiles(this.#instances.persistence);
  }

  /**
   * Resolves to `stopped` when `stop` was called meanwhile; rejects when a step failed, with
   * nothing left open.
   */
  start(): Promise<"ready" | "stopped"> {
    this.#starting ??= this.#start();
    return this.#starting;
  }

  /** Everything is closed when it settles. Rejects with what went wrong on the way. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /** Files that the configuration only names are to be read again. Each failure is logged. */
  async reloadFiles(): Promise<void> {
    for (const { plugin, run } of this.#host.reloadListeners) {
      try {
        await run();
      } catch (error) {
        this.log.error(`plugin "${plugin}": reload failed`, { error: asKvdbError(error).message });
      }
    }
  }

  async #start(): Promise<"ready" | "stopped"> {
    try {
      await this.#open();
      return "ready";
    } catch (error) {
      const closing = await this.#lifeCycle.closeAll(STOP_LIMIT_MS);
      if (error instanceof StopWanted && closing.length === 0) return "stopped";
      const failures = error instanceof StopWanted ? closing : [error, ...closing];
      throw combineErrors(failures);
    }
  }

  async #open(): Promise<void> {
    const { persistence, chosen, frontends, socket } = this.#instances;
    const persistenceName = chosen.plugin.name;
    const lock = this.keepsFiles ? await this.#lock(persistenceName) : undefined;
    this.#host.isNewFolder = lock?.pathsBefore === undefined;
    if (!persistence.supports.records) this.#host.pastRevision = highestGiven(lock?.givenBefore);
    await this.#openPersistence(persistence, persistenceName);
    if (this.#isCheck) return this.#data.check(lock);
    await this.#loadUsers();
    for (const { name, frontend } of frontends) await this.#openFrontend(name, frontend);
    if (lock !== undefined && socket !== undefined) await this.#openSocket(lock, socket.frontend);
    await this.#data.load(lock);
    this.engine.startBackground();
    if (dutiesOf[this.#role].worker) void this.#backups.begin();
  }

  get #isCheck(): boolean {
    return this.#host.purpose.kind === "check";
  }

  async #lock(persistence: string): Promise<FolderLock> {
    this.#heedStop();
    const { files, clock } = this.#platform;
    const { dir } = this.#host.config;
    const changesNothing = this.#isCheck;
    const { options: given, plugin } = this.#instances.chosen;
    const paths = pathsAmong(given, plugin.schema);
    const options = { files, clock, persistence, paths, changesNothing };
    const lock = await this.#platform.lockFolder(dir, options);
    this.#lifeCycle.register({
      doing: "unlocking the data folder",
      reservedMs: 0,
      close: () =>
        lock.release(this.#data.givesRevisions ? this.engine.disk.lastRevision : undefined),
    });
    await this.#finishRestore(persistence);
    if (!changesNothing) await removeLeftovers(files, dir, Object.values(paths));
    return lock;
  }

  /** One that was cut off behind its switch: the files are the backup's, and some have not got their names yet. */
  async #finishRestore(persistence: string): Promise<void> {
    const { files } = this.#host;
    const { dir } = this.#host.config;
    if (!this.#isCheck) {
      const plan = await carryOutPlan(this.#platform.files, dir, persistence);
      if (plan !== undefined) this.log.warn("a restore that was cut off is finished", { dir });
    } else if (await hasPlan(files, dir)) {
      const message = `a restore into ${dir} was cut off: the next start of kvdb finishes it`;
      throw new KvdbError("CONFIG", message);
    }
  }

  async #openPersistence(persistence: Persistence, name: string): Promise<void> {
    this.#heedStop();
    this.#lifeCycle.register({
      doing: `plugin "${name}": closing the persistence`,
      reservedMs: 0,
      close: () => persistence.close(),
    });
    await this.#within(`plugin "${name}": opening the persistence`, () => persistence.open());
    this.#lifeCycle.register({
      doing: "noting where the stream of replication ends",
      reservedMs: 0,
      close: () => this.engine.stream.close(),
    });
    this.#lifeCycle.register({
      doing: "flushing the journal",
      reservedMs: CLOSE_RESERVE_MS,
      close: () => this.engine.stop(),
    });
    this.#lifeCycle.register({
      doing: `plugin "${name}": the last checkpoint`,
      reservedMs: CLOSE_RESERVE_MS,
      isPatient: true,
      close: () => this.#checkpoints.stop(),
    });
    this.#lifeCycle.register({
      doing: "letting replicas go",
      reservedMs: FLUSH_RESERVE_MS,
      close: async () => this.engine.followers.stop(),
    });
    this.#lifeCycle.register({
      doing: "giving up a backup",
      reservedMs: FLUSH_RESERVE_MS,
      close: () => this.#backups.stop(),
    });
    this.#lifeCycle.register({
      doing: "giving up data that was to be replaced",
      reservedMs: FLUSH_RESERVE_MS,
      close: () => this.replacements.stop(),
    });
  }

  /** Before anybody is let in. */
  async #loadUsers(): Promise<void> {
    const { accounts } = this.engine;
    if (accounts.file.path === "" || !dutiesOf[this.#role].frontends) return;
    this.#heedStop();
    try {
      await accounts.load();
    } catch (error) {
      throw new KvdbError("CONFIG", asKvdbError(error).message, { cause: error });
    }
  }

  async #openFrontend(name: string, frontend: Frontend): Promise<void> {
    this.#heedStop();
    this.#lifeCycle.register({
      doing: `plugin "${name}": closing the frontend`,
      reservedMs: FLUSH_RESERVE_MS,
      close: (remainingMs) => frontend.close(Math.max(0, remainingMs - HANDOVER_MS)),
    });
    await this.#within(`plugin "${name}": opening the frontend`, () => frontend.open());
  }

  /**
   * Last of all frontends, so that a server that cannot listen has not let anybody in before. Where
   * the file system has no sockets, kvdb serves all the same.
   */
  async #openSocket(lock: FolderLock, socket: Frontend): Promise<void> {
    try {
      await this.#openFrontend(SOCKET_NAME, socket);
      await lock.announceSocket(join(lock.folder, SOCKET_NAME));
    } catch (error) {
      if (!(error instanceof KvdbError)) throw error;
      this.log.warn("other processes cannot send commands to this one", { error: error.message });
    }
  }

  /**
   * A replica or a primary. Nobody may write before that is known. Who is over soon leaves a replica's data as it is: what he
   * wrote would be no part of the stream.
   */
  async #takeRole(): Promise<void> {
    const following = this.#following;
    const { engine } = this.#host;
    const { follows, promotes } = dutiesOf[this.#role];
    const address = primaryOf(this.#host);
    // Whom it follows may change while it runs.
    this.#lifeCycle.register({
      doing: "leaving the primary",
      reservedMs: FLUSH_RESERVE_MS,
      close: async () => {
        const stopped = following.stop();
        // It waits for a copy that is taking the place of the data, which is given up by who sees to that.
        if (engine.following.duties.isFollowing) await this.replacements.stop();
        await stopped;
      },
    });
    if (address !== null && follows) following.begin(address);
    else if (address !== null || engine.stream.isFollowing) {
      following.rest();
      if (address === null && promotes) await following.lead();
    }
  }

  async #stop(): Promise<void> {
    const { clock } = this.#host;
    await this.engine.beginStop();
    const deadlineMs = clock.monotonicMs() + STOP_LIMIT_MS;
    const errors: KvdbError[] = [];
    try {
      await withTimeLimit(clock, STOP_LIMIT_MS - FLUSH_RESERVE_MS, () => this.#startSettled());
    } catch (error) {
      errors.push(asKvdbError(error).prefix("stopping a start that is under way"));
    }
    const remainingMs = Math.max(0, deadlineMs - clock.monotonicMs());
    errors.push(...(await this.#lifeCycle.closeAll(remainingMs)));
    if (errors.length > 0) throw combineErrors(errors);
  }

  /**
   * A start under way notices #stopping at its next step and closes what it opened; its failure is
   * start's to tell.
   */
  async #startSettled(): Promise<void> {
    await Promise.allSettled([this.#starting]);
  }

  #heedStop(): void {
    if (this.#stopping !== undefined) throw new StopWanted();
  }

  #within(doing: string, run: () => Promise<void>): Promise<void> {
    return this.#attempt(doing, () => withTimeLimit(this.#host.clock, OPEN_LIMIT_MS, run));
  }

  async #attempt<Result>(doing: string, run: () => Promise<Result>): Promise<Result> {
    try {
      return await run();
    } catch (error) {
      if (this.#stopping !== undefined && isStopWanted(error)) throw new StopWanted();
      throw asKvdbError(error).prefix(doing);
    }
  }
}

/** Without files no folder is made and none is locked. */
function keepsFiles({ supports }: Persistence): boolean {
  return supports.records || supports.checkpoints;
}

/** Where what is there for a while lies; undefined: nowhere. */
function workFolders(
  { host, platform }: KernelParts,
  hasDataFolder: boolean,
): (() => Promise<WorkFolder>) | undefined {
  return hasDataFolder ? () => lastingFolder(host.config.dir) : platform.makeScratchFolder;
}

/** Ends a start from inside. A persistence may have wrapped it on its way up. */
class StopWanted extends Error {}

function isStopWanted(thrown: unknown): boolean {
  for (let depth = 0; depth < 16 && thrown instanceof Error; depth++) {
    if (thrown instanceof StopWanted) return true;
    thrown = thrown.cause;
  }
  return false;
}
