/**
 * Backups of a running kvdb: made from an image in the snapshot worker, verified in a worker, or both here where nobody is
 * served. One piece of work at a time; an image is taken when nothing else takes one (kernel/checkpoints.ts sees to that).
 *
 * What makes, verifies and restores is imported when it is asked for: no start has to pay for it.
 *
 * Invariant: what is listed is whole. That it can be brought back is said of a backup only after it was.
 */
import type { FinishedBackup } from "../backup/backup-making.ts";
import { readBackupName } from "../backup/backup-name.ts";
import { Catalogue } from "../backup/catalogue.ts";
import { type BackupPlace, openPlace, pathIn } from "../backup/place.ts";
import { expiredBackups, isFromFuture, type RetainedBackup } from "../backup/retention.ts";
import { BackupSchedule } from "../backup/schedule.ts";
import { asKvdbError, KvdbError } from "../errors.ts";
import type { Clock } from "../platform/clock.ts";
import type { Schedule } from "../platform/cron-schedule.ts";
import type { Files } from "../platform/files.ts";
import type { Log } from "../platform/log.ts";
import type { Random } from "../platform/random.ts";
import type { EntryReader, PersistenceAbilities } from "../plugin.ts";
import type {
  BackupControl,
  BackupLevel,
  BackupStage,
  BackupStatus,
  BackupVerification,
  ExistingBackups,
  ListedBackup,
  MadeBackup,
  RestoredBackup,
} from "../session/backup-control.ts";
import type { Replication } from "../session/replication.ts";
import type { BackupConfig } from "./backup-config.ts";
import type { Checkpoints } from "./checkpoints.ts";
import type { DataReplacements } from "./data-replacement.ts";
import type { SnapshotTask, StartSnapshotWorker } from "./snapshot-messages.ts";
import type { Snapshots } from "./snapshots.ts";
import { VerificationWorker } from "./verification-worker.ts";
import { version } from "./version.ts";

export interface BackupsOptions {
  readonly engine: {
    readonly keyCount: number;
    readonly replication: Pick<Replication, "primary">;
    readEntries(): EntryReader;
    rest(): () => void;
  };
  readonly settings: BackupConfig;
  /** Undefined: none is made by itself. */
  readonly times: Schedule | undefined;
  readonly databases: number;
  /** Of the data. */
  readonly folder: string;
  readonly files: Files;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Who asks is the only one who reads the log: it does not repeat the answer. */
  readonly isQuiet: boolean;
  readonly supports: PersistenceAbilities;
  readonly checkpoints: Checkpoints;
  /** Undefined: nobody is served meanwhile. */
  readonly snapshots: Snapshots | undefined;
  readonly startWorker: StartSnapshotWorker;
  readonly replacements: DataReplacements;
}

interface Work {
  readonly stage: BackupStage;
  readonly share: number | undefined;
  readonly startedMs: number;
}

/** What would go on, in a worker. */
const INTERRUPTED: readonly BackupStage[] = ["writing", "verifying", "restoring"];

const IDLE: Work = { stage: "idle", share: undefined, startedMs: 0 };

export class Backups implements BackupControl {
  readonly #options: BackupsOptions;
  /** Undefined: there is no place. */
  readonly #anyCatalogue: Catalogue | undefined;
  readonly #verifier: VerificationWorker;
  /** Ends when nothing is asked for any more; never rejects. */
  #queue: Promise<unknown> = Promise.resolve();
  readonly #schedule: BackupSchedule | undefined;
  #making: Promise<MadeBackup> | undefined;
  #isStopped = false;
  #work = IDLE;
  #last: BackupStatus["last"];
  /** As it was listed last; undefined: never yet. */
  #known: readonly ListedBackup[] | undefined;

  constructor(options: BackupsOptions) {
    const { settings, startWorker } = options;
    this.#options = options;
    const { place } = settings;
    this.#anyCatalogue = place && new Catalogue(openPlace(place, options));
    this.#verifier = new VerificationWorker(startWorker);
    const { times, clock, log } = options;
    // One that somebody makes just now serves as well.
    const run = async () => void (await (this.#making ?? this.#begun(settings.verify)));
    this.#schedule = times && new BackupSchedule({ times, clock, log, run });
  }

  get obstacle(): string {
    const { supports, checkpoints, settings } = this.#options;
    if (!supports.records && !supports.checkpoints) return "nothing is kept on disk";
    return settings.problem || checkpoints.phase;
  }

  get status(): BackupStatus {
    return {
      ...this.#work,
      last: this.#last,
      existing: this.#known && this.#summary(this.#known),
      nextMs: this.#schedule?.nextMs ?? 0,
      missed: this.#schedule?.missed ?? 0,
    };
  }

  #summary(known: readonly ListedBackup[]): ExistingBackups {
    const nowMs = this.#options.clock.now();
    // A wrong clock made the others, and no alarm may count on their age.
    const past = known.filter((backup) => !isFromFuture(backup, nowMs));
    const verified = past.filter(({ verification }) => verification?.result === "ok");
    return {
      count: known.length,
      newestMs: past.at(-1)?.timeMs ?? 0,
      newestVerifiedMs: verified.at(-1)?.timeMs ?? 0,
    };
  }

  async see(): Promise<void> {
    if (this.#known === undefined && this.obstacle === "") await this.#look();
  }

  /** Behind `#requireServing`, which sees that it is there. */
  get #catalogue(): Catalogue {
    return this.#anyCatalogue as Catalogue;
  }

  get #place(): BackupPlace {
    return this.#options.settings.place as BackupPlace;
  }

  async start(level = this.#options.settings.verify): Promise<MadeBackup> {
    if (this.#making !== undefined) {
      throw new KvdbError("UNAVAILABLE", "a backup is being made already: see BACKUP STATUS");
    }
    try {
      return await this.#begun(level);
    } catch (error) {
      // Of one that was on time its schedule tells.
      const { isQuiet, log } = this.#options;
      if (!isQuiet) log.error("a backup failed", { error: asKvdbError(error).message });
      throw error;
    }
  }

  #begun(level: BackupLevel): Promise<MadeBackup> {
    this.#making = this.#next(() => this.#makeNoted(level)).finally(() => {
      this.#making = undefined;
    });
    return this.#making;
  }

  async list(): Promise<readonly ListedBackup[]> {
    this.#requireServing();
    // Nothing that is being done makes a wrong list: a backup is there when it is whole.
    return this.#look();
  }

  verify(typed: string, level: BackupLevel): Promise<BackupVerification> {
    return this.#next(async () => {
      const name = await this.#catalogue.find(typed);
      const verification = await this.#verify(name, level);
      await this.#look();
      return verification;
    });
  }

  restore(typed: string, { isForced }: { readonly isForced: boolean }): Promise<RestoredBackup> {
    return this.#next(async () => {
      this.#requireEmpty(isForced);
      const name = await this.#catalogue.find(typed);
      const { result, problem, debugDigest = "" } = await this.#verify(name, "restore");
      if (result === "failed") throw new KvdbError("DAMAGE", `nothing was replaced: ${problem}`);
      const { replacements, log, engine } = this.#options;
      this.#begin("restoring");
      const proceed = (share: number) => {
        if (this.#isStopped) throw new KvdbError("UNAVAILABLE", "kvdb is stopping");
        // The stream that is followed from now on does not lead on from what would be restored.
        if (engine.replication.primary !== null) throw followed();
        this.#progress(share);
      };
      const restoring = { replacements, place: this.#place, parts: this.#options, name, proceed };
      const { restoreLive } = await import("./live-restore.ts");
      const { revision, keys } = await restoreLive(restoring);
      log.info("a backup was restored", { backup: name, keys, revision });
      return { name, revision, keys, digest: debugDigest };
    });
  }

  /** Nobody is to lose by a slip what he has. */
  #requireEmpty(isForced: boolean): void {
    const { engine, checkpoints } = this.#options;
    // Before anything is gone: without a checkpoint the new data would be nowhere.
    if (checkpoints.obstacle !== "") {
      throw new KvdbError("COMMAND", `nothing can be replaced: ${checkpoints.obstacle}`);
    }
    const { keyCount } = engine;
    if (isForced || keyCount === 0) return;
    const data = keyCount === 1 ? "is 1 key" : `are ${keyCount} keys`;
    throw new KvdbError("COMMAND", `there ${data}, which FORCE replaces`);
  }

  remove(typed: string): Promise<void> {
    return this.#next(async () => {
      const name = await this.#catalogue.find(typed);
      this.#begin("removing");
      await this.#catalogue.remove(name);
      await this.#look();
      this.#options.log.info("a backup was removed", { backup: name });
    });
  }

  /** Everything is loaded, and clients are served: sees which backups there are, and makes them on time from now on. */
  async begin(): Promise<void> {
    const { obstacle } = this;
    if (obstacle !== "") {
      // Who configured a schedule relies on it.
      const fields = { reason: obstacle };
      if (this.#schedule !== undefined) this.#options.log.error("no backups are made", fields);
      return;
    }
    await this.#tellFailure("the backups cannot be listed", this.#look());
    if (!this.#isStopped) this.#schedule?.start(this.status.existing?.newestMs || undefined);
  }

  /** Gives up what is under way. Resolves when nothing of it goes on. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#schedule?.stop();
    this.#verifier.cancel();
    // What waits for its turn gives up by itself; what is being removed is harmless, and may be far away.
    if (!INTERRUPTED.includes(this.#work.stage)) return;
    this.#options.snapshots?.cancel();
    await this.#queue;
  }

  #next<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#queue.then(async () => {
      this.#requireServing();
      this.#begin("waiting");
      try {
        return await work();
      } finally {
        this.#work = IDLE;
      }
    });
    this.#queue = Promise.allSettled([result]);
    return result;
  }

  #requireServing(): void {
    const reason = this.#isStopped ? "kvdb is stopping" : this.obstacle;
    if (reason !== "") throw new KvdbError("UNAVAILABLE", reason);
  }

  #begin(stage: BackupStage): void {
    const { startedMs } = this.#work;
    const { clock } = this.#options;
    this.#work = { stage, share: undefined, startedMs: startedMs || clock.now() };
  }

  readonly #progress = (share: number): void => {
    this.#work = { ...this.#work, share };
  };

  // ---- making one ----

  async #makeNoted(level: BackupLevel): Promise<MadeBackup> {
    const { clock } = this.#options;
    let name = "";
    try {
      const made = await this.#make(level, (found) => {
        name = found;
      });
      this.#last = { timeMs: clock.now(), name, problem: "" };
      return made;
    } catch (thrown) {
      const error = asKvdbError(thrown).prefix("making a backup");
      this.#last = { timeMs: clock.now(), name, problem: error.message };
      throw error;
    }
  }

  async #make(level: BackupLevel, onName: (name: string) => void): Promise<MadeBackup> {
    const { checkpoints, clock, log } = this.#options;
    const { storage } = this.#catalogue;
    const begunMs = clock.monotonicMs();
    await storage.clean((name) => readBackupName(name) !== undefined);
    const takenNames = (await storage.list()).map(({ name }) => name);
    const { name, manifest } = await checkpoints.exclusively(() => this.#write(takenNames));
    onName(name);
    const keys = Object.values(manifest.keys).reduce((sum, count) => sum + count, 0);
    const { revision, bytes } = manifest;
    const ms = Math.round(clock.monotonicMs() - begunMs);
    log.info("a backup was written", { backup: name, revision, keys, bytes, ms });
    const verification = level === "none" ? undefined : await this.#verify(name, level);
    // It is none the worse because of older ones.
    await this.#tellFailure("older backups could not be removed", this.#removeExpired());
    if (verification?.result !== "failed") {
      return { name, path: pathIn(storage, name), revision, keys, bytes, verification };
    }
    throw new KvdbError(
      "DAMAGE",
      `it was written, but cannot be relied on: ${verification.problem}`,
    );
  }

  async #write(takenNames: readonly string[]): Promise<FinishedBackup> {
    const { snapshots } = this.#options;
    this.#requireServing();
    this.#begin("writing");
    if (snapshots === undefined) return this.#writeHere(takenNames);
    const begin = async (): Promise<SnapshotTask> => {
      return { kind: "backup", place: this.#place, takenNames, version };
    };
    return snapshots.run<FinishedBackup>(begin, { onProgress: this.#progress });
  }

  /** Nobody else is served, so nothing changes while it is read. */
  async #writeHere(takenNames: readonly string[]): Promise<FinishedBackup> {
    const { engine } = this.#options;
    const { storage } = this.#catalogue;
    const { makeBackup } = await import("../backup/backup-making.ts");
    const resume = engine.rest();
    try {
      const entries = engine.readEntries();
      return await makeBackup({ entries, storage, takenNames, version, proceed: this.#progress });
    } finally {
      resume();
    }
  }

  // ---- verifying one ----

  async #verify(name: string, level: BackupLevel): Promise<BackupVerification> {
    const { databases, folder, files, clock, snapshots, log, isQuiet } = this.#options;
    const { storage } = this.#catalogue;
    this.#begin("verifying");
    const { verifyBackup } = await import("./backup-loading.ts");
    const verification =
      snapshots === undefined
        ? await verifyBackup({
            ...{ storage, name, level, databases, folder, files, clock },
            proceed: this.#progress,
          })
        : await this.#verifier.run(
            {
              ...{ kind: "verification", place: this.#place },
              ...{ name, level, databases, folder },
            },
            this.#progress,
          );
    await this.#catalogue.note(name, verification);
    const { durationMs: ms, problem } = verification;
    if (problem === undefined) log.info("a backup was verified", { backup: name, level, ms });
    else if (!isQuiet) log.error("a backup cannot be relied on", { backup: name, level, problem });
    return verification;
  }

  async #removeExpired(): Promise<void> {
    const { settings, log, clock } = this.#options;
    const { keep, timeZone } = settings;
    const retained = (await this.#look()).map(asRetained);
    for (const { name } of expiredBackups(retained, keep, { timeZone, nowMs: clock.now() })) {
      const removing = this.#catalogue.remove(name);
      const isGone = await this.#tellFailure(`${name} could not be removed`, removing);
      if (isGone) log.info("a backup was removed: its time is over", { backup: name });
    }
    await this.#look();
  }

  /** Resolves to whether there was none. */
  async #tellFailure(what: string, work: Promise<unknown>): Promise<boolean> {
    const [outcome] = await Promise.allSettled([work]);
    if (outcome.status === "fulfilled") return true;
    this.#options.log.warn(what, { error: asKvdbError(outcome.reason).message });
    return false;
  }

  async #look(): Promise<readonly ListedBackup[]> {
    const known = await this.#catalogue.list();
    this.#known = known;
    return known;
  }
}

function asRetained({ name, timeMs, verification }: ListedBackup): RetainedBackup {
  const passed = verification?.result === "ok";
  return { name, timeMs, verification: passed ? "passed" : verification ? "failed" : "none" };
}

function followed(): KvdbError {
  return new KvdbError("COMMAND", "nothing was replaced: this server follows another one by now");
}
