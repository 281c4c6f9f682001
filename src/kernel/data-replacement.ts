/**
 * Other data in the place of all there is, while kvdb serves: a backup that is restored, the full copy of a primary. It is
 * loaded beside what is served, in a worker, and takes its place when it is whole and its checkpoint durable; until then
 * clients read and write what was there, but for those who would write while the checkpoint is written: they wait.
 *
 *   load                       what was there is served, and changes
 *   settle, write              what was there is served, and does not change: who would write waits
 *   checkpointed               from here on the disk has the new data
 *   change-over                from here on memory has it: one moment later
 *
 * Whatever fails before leaves everything as it was. If it fails in the very step in which the disk changes over, kvdb stops:
 * the next start has the one or the other.
 */
import { asKvdbError, KvdbError } from "../errors.ts";
import type { Clock, Timer } from "../platform/clock.ts";
import type { Files } from "../platform/files.ts";
import type { Log } from "../platform/log.ts";
import type { Random } from "../platform/random.ts";
import type { IndexKind, Revision, WriteCheckpoint } from "../plugin.ts";
import type { ChangeOver } from "./change-over.ts";
import type { WorkedCheckpoint } from "./checkpoint-writer.ts";
import type { Checkpoints, StateReplacement } from "./checkpoints.ts";
import type { SealTask, StagedSource, StartSnapshotWorker } from "./snapshot-messages.ts";
import type { LoadedData, Seal, StagedForm } from "./staged-data.ts";
import { StagingHere, type StagingLoader, StagingWorker } from "./staging-worker.ts";

/** What it needs of an engine. */
export interface ReplaceableEngine {
  readonly disk: { readonly lastRevision: Revision };
  readonly keyCount: number;
  readonly stagedForm: StagedForm;
  readonly stagedKinds: readonly IndexKind[];
  /** The time of a state that is taken now: later ones are not before it. */
  takeTime(): number;
  /** Who would write waits from then on. */
  beginChangeOver(): ChangeOver;
  requestStop(): void;
}

export interface DataReplacementsOptions {
  readonly engine: ReplaceableEngine;
  readonly checkpoints: Checkpoints;
  readonly writeCheckpoint: WriteCheckpoint<never> | undefined;
  readonly files: Files;
  /** Of the data. */
  readonly folder: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** What was there before lies outside the heap, so the collector sees no reason to hurry; of all the memory, it may be half. */
  collectGarbage(): void;
  /** Undefined: it is loaded here, in slices. */
  readonly startWorker: StartSnapshotWorker | undefined;
}

export interface ReplacementRequest {
  /** For the log: why there is a checkpoint. */
  readonly reason: string;
  readonly source: StagedSource;
  /** The least that the new state is to have; it is above all there were in any case. */
  readonly revision: Revision;
  /** The entries have the versions that the file gives them: it comes from here. Otherwise all have that of the replacement. */
  readonly keepsVersions?: boolean;
  /** With how much is done, between 0 and 1; throws when it is to end. */
  proceed(share: number): void;
  /**
   * The revision of the new state is known, and nothing of it counts yet: what belongs to it may be written down. If `replace`
   * rejects all the same, the data is the old one, and whoever wrote it down has to say so.
   */
  beforeItCounts?(revision: Revision, copy: LoadedData): Promise<void>;
}

export interface ReplacedData {
  /** The data goes on from it. */
  readonly revision: Revision;
  readonly keys: number;
}

/** Of the time, about: the rest writes a checkpoint. */
const LOADING_SHARE = 0.8;

/** Behind a change-over: the worker that has loaded the copy is gone by then, and readers of before are. */
const COLLECT_AFTER_MS = 1000;

export class DataReplacements {
  readonly #options: DataReplacementsOptions;
  readonly #running = new Map<StagingLoader, Promise<ReplacedData>>();
  #isStopped = false;
  #collecting: Timer | undefined;

  constructor(options: DataReplacementsOptions) {
    this.#options = options;
  }

  /** Why there can be none; empty: there can. */
  get obstacle(): string {
    return this.#isStopped ? "kvdb is stopping" : this.#options.checkpoints.obstacleToReplacing;
  }

  /** Why there can never be one; empty: there can. */
  get lastingObstacle(): string {
    return this.#options.checkpoints.lastingObstacleToReplacing;
  }

  /** The disk has what was there, or what was to replace it. */
  get isInDoubt(): boolean {
    return this.#options.checkpoints.isInDoubt;
  }

  /** Rejects with everything as it was, or with kvdb about to stop. */
  async replace(request: ReplacementRequest): Promise<ReplacedData> {
    if (this.obstacle !== "") throw new KvdbError("UNAVAILABLE", this.obstacle);
    const loader = this.#createLoader((share) => request.proceed(share * LOADING_SHARE));
    const running = new Replacement(this.#options, request, loader).run();
    this.#running.set(loader, running);
    try {
      return await running;
    } finally {
      this.#running.delete(loader);
      loader.end();
      this.#collectSoon();
    }
  }

  #collectSoon(): void {
    const { clock, collectGarbage } = this.#options;
    this.#collecting?.cancel();
    if (!this.#isStopped) this.#collecting = clock.after(COLLECT_AFTER_MS, collectGarbage);
  }

  /** Gives up what has not begun to count. Resolves when nothing goes on. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#collecting?.cancel();
    const running = [...this.#running];
    for (const [loader] of running) loader.end();
    await Promise.allSettled(running.map(([, ended]) => ended));
  }

  #createLoader(proceed: (share: number) => void): StagingLoader {
    const { startWorker, engine, writeCheckpoint, files, clock, random } = this.#options;
    if (startWorker !== undefined) return new StagingWorker(startWorker, proceed);
    const writerOf = async () => writeCheckpoint as WriteCheckpoint;
    const kinds = engine.stagedKinds;
    return new StagingHere({ files, clock, random, kinds, proceed, writerOf });
  }
}

/** One of them, from its beginning to its end. */
class Replacement implements StateReplacement {
  readonly #options: DataReplacementsOptions;
  readonly #request: ReplacementRequest;
  readonly #loader: StagingLoader;
  /** What the entries of the copy were given as their version. */
  readonly #version: Revision;
  #copy: LoadedData | undefined;
  #changeOver: ChangeOver | undefined;
  #seal: Seal = { revision: 0, timeMs: 0, restamps: false };

  constructor(
    options: DataReplacementsOptions,
    request: ReplacementRequest,
    loader: StagingLoader,
  ) {
    this.#options = options;
    this.#request = request;
    this.#loader = loader;
    this.#version = Math.max(options.engine.disk.lastRevision + 1, request.revision);
  }

  async run(): Promise<ReplacedData> {
    const { folder, engine, checkpoints, log } = this.#options;
    const { source, reason, keepsVersions = false } = this.#request;
    // What is over of another server's data, that one says itself.
    const rules = keepsVersions
      ? { version: undefined, expires: true }
      : { version: this.#version, expires: false };
    const form = engine.stagedForm;
    const copy = await this.#loader.load({ kind: "stage", source, form, rules, folder });
    this.#copy = copy;
    for (const note of copy.notes) log.warn("a part of the data was left out", { reason: note });
    try {
      await checkpoints.replacing(reason, this);
    } catch (error) {
      throw checkpoints.isInDoubt ? this.#stopped(error) : error;
    }
    return { revision: this.#seal.revision, keys: copy.keys };
  }

  async settle(): Promise<Revision> {
    const { engine } = this.#options;
    const { revision: least, keepsVersions = false, beforeItCounts, proceed } = this.#request;
    this.#changeOver = engine.beginChangeOver();
    const known = keepsVersions ? (this.#copy?.revision ?? 0) : this.#version;
    const revision = await this.#changeOver.settle(Math.max(least, known));
    // Somebody has changed what was there since the copy was begun.
    const restamps = !keepsVersions && revision !== this.#version;
    this.#seal = { revision, timeMs: engine.takeTime(), restamps };
    proceed(LOADING_SHARE);
    await beforeItCounts?.(revision, this.#copy as LoadedData);
    return revision;
  }

  write(checkpoint: SealTask["checkpoint"]): Promise<WorkedCheckpoint | null> {
    return this.#loader.seal({ kind: "seal", ...this.#seal, checkpoint });
  }

  changeOver(): void {
    this.#changeOver?.complete(this.#copy as LoadedData);
  }

  giveUp(): void {
    this.#changeOver?.giveUp();
  }

  #stopped(thrown: unknown): KvdbError {
    const { engine, log } = this.#options;
    const { code, message } = asKvdbError(thrown);
    const what = `${message}; kvdb stops, and starts with what its folder has`;
    log.error(what);
    this.#changeOver?.close();
    engine.requestStop();
    return new KvdbError(code, what, { cause: thrown });
  }
}
