/**
 * When a checkpoint is written, and that it is one at a time: whoever asks while one is under way shares the next one.
 * While kvdb serves, a worker writes it from an image (snapshots.ts); when nobody is served (at a stop, in a one-shot
 * command) it is written here, from the arena itself. What a checkpoint looks like is the persistence's.
 *
 * Invariant: older records are forgotten (`checkpointed`) only after the new checkpoint is durable; one that fails leaves
 * everything as it was.
 */
import { asKvdbError, KvdbError } from "../errors.ts";
import type { Clock } from "../platform/clock.ts";
import type { Files } from "../platform/files.ts";
import type { Log } from "../platform/log.ts";
import type {
  CheckpointReport,
  EntryReader,
  Persistence,
  Revision,
  WriteCheckpoint,
  WrittenCheckpoint,
} from "../plugin.ts";
import type { CheckpointControl, CheckpointUrgency, LastCheckpoint } from "../session/server.ts";
import { CheckpointLog } from "./checkpoint-log.ts";
import type { PluginSource } from "./plugin-source.ts";
import { withTimeLimit } from "./time-limit.ts";

/** The engine, as far as checkpoints need it. */
export interface CheckpointedEngine {
  readonly disk: { readonly lastRevision: Revision };
  /** All entries as they are now. Nothing may change while they are read. */
  readEntries(): EntryReader;
  /** Nothing changes by itself until the function that it returns is called. */
  rest(): () => void;
}

/** Runs `writeCheckpoint` beside the loop, on the state at one moment. */
export interface CheckpointWorker {
  /**
   * `begin` is called at that moment, when everything up to `revision` was handed to the persistence and nothing later;
   * what it resolves to is the task.
   */
  write(
    request: CheckpointRequest,
    begin: (revision: Revision) => Promise<unknown>,
  ): Promise<WorkedCheckpoint>;
  /** Gives up what is under way. */
  cancel(): void;
}

export interface CheckpointRequest {
  readonly plugin: PluginSource;
  readonly options: unknown;
  readonly folder: string;
}

export interface WorkedCheckpoint extends WrittenCheckpoint {
  readonly revision: Revision;
  readonly entries: number;
}

export interface CheckpointsOptions {
  readonly engine: CheckpointedEngine;
  readonly persistence: Persistence;
  readonly plugin: {
    readonly name: string;
    readonly source: PluginSource;
    readonly options: unknown;
    readonly writeCheckpoint: WriteCheckpoint<never> | undefined;
  };
  readonly folder: string;
  readonly files: Files;
  readonly clock: Clock;
  readonly log: Log;
  /** Undefined: nobody is served meanwhile, so what is asked for is written when kvdb stops. */
  readonly worker: CheckpointWorker | undefined;
}

export class Checkpoints implements CheckpointControl {
  readonly #options: CheckpointsOptions;
  readonly #log: CheckpointLog;
  /** What kvdb is doing while there can be none; empty: it serves. */
  #phase = LOADING;
  #next: Promised | undefined;
  #isRunning = false;
  #stage: Stage = "idle";
  #isCancelled = false;
  /** What runs exclusively, and waits for it; never rejects. */
  #exclusive: Promise<unknown> = Promise.resolve();
  /** Ends when nothing is asked for any more; never rejects. */
  #loop: Promise<void> = Promise.resolve();
  #startedMs = 0;
  #last: LastCheckpoint;
  #failure: Error | null = null;
  #lastDurationMs = 0;
  #count = 0;
  /** What a stop does: SHUTDOWN SAVE and NOSAVE change it. */
  atStop: "whenChanged" | "always" | "never" = "whenChanged";

  constructor(options: CheckpointsOptions) {
    this.#options = options;
    this.#log = new CheckpointLog(options.log, options.clock);
    this.#last = { revision: 0, timeMs: options.clock.now(), bytes: 0, entries: 0 };
  }

  /** The data is loaded; what was loaded is what the last checkpoint and the records behind it said. */
  start(): void {
    const { engine, clock } = this.#options;
    this.#last = { ...this.#last, revision: engine.disk.lastRevision, timeMs: clock.now() };
    this.#phase = "";
    if (this.#next !== undefined) this.#beginIfServing();
  }

  /** What kvdb is doing while nobody reads or writes whole states; empty: it serves. */
  get phase(): string {
    return this.#phase;
  }

  get obstacle(): string {
    const { persistence, plugin, worker } = this.#options;
    if (!persistence.supports.checkpoints)
      return `persistence "${plugin.name}" keeps no checkpoints`;
    if (worker !== undefined && plugin.source.kind === "given") {
      return `persistence "${plugin.name}" was handed over as an object, which a worker cannot load`;
    }
    return this.#phase;
  }

  get inProgress(): boolean {
    return this.#stage !== "idle";
  }

  get startedMs(): number {
    return this.#startedMs;
  }

  get last(): LastCheckpoint {
    return this.#last;
  }

  get lastDurationMs(): number {
    return this.#lastDurationMs;
  }

  get failure(): Error | null {
    return this.#failure;
  }

  get count(): number {
    return this.#count;
  }

  /** Revisions since the last checkpoint, or since the data was loaded; 0 before. */
  get changes(): number {
    if (this.#phase === LOADING) return 0;
    return this.#options.engine.disk.lastRevision - this.#last.revision;
  }

  request(reason: string, urgency: CheckpointUrgency): Promise<CheckpointReport> {
    const { obstacle } = this;
    // A persistence may see at once that its log is long.
    const mayWait = urgency !== "now" && obstacle === LOADING;
    if (obstacle !== "" && !mayWait) return Promise.reject(unavailable(obstacle));
    const nobodys = { isRequired: false, isAutomatic: true };
    this.#next ??= { ...Promise.withResolvers<CheckpointReport>(), reason, ...nobodys };
    this.#next.isRequired ||= urgency === "beforeEnd";
    this.#next.isAutomatic &&= urgency === "whenIdle";
    const { promise } = this.#next;
    if (urgency === "now") this.#begin();
    else if (!mayWait) this.#beginIfServing();
    return promise;
  }

  #beginIfServing(): void {
    if (this.#options.worker !== undefined) this.#begin();
  }

  #begin(): void {
    if (!this.#isRunning) this.#loop = this.#runAll();
  }

  async #runAll(): Promise<void> {
    this.#isRunning = true;
    for (let one = this.#takeNext(); one !== undefined; one = this.#takeNext()) {
      this.#beginOne();
      await this.exclusively(() => this.#settle(one, () => this.#write()));
    }
    this.#isRunning = false;
  }

  #beginOne(): void {
    this.#stage = "waiting";
    this.#isCancelled = false;
    this.#startedMs = this.#options.clock.now();
  }

  /** Gives up what is being written, and what waits for its turn. False: there is nothing. */
  cancel(): boolean {
    const waiting = this.#takeNext();
    if (waiting === undefined && !this.inProgress) return false;
    waiting?.reject(cancelled());
    this.#isCancelled = true;
    // As long as it waits for its turn, the worker does something else.
    if (this.#stage === "writing") this.#options.worker?.cancel();
    return true;
  }

  /** Runs when nothing else does that reads or replaces whole checkpoints. */
  exclusively<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#exclusive.then(work);
    this.#exclusive = Promise.allSettled([result]);
    return result;
  }

  #takeNext(): Promised | undefined {
    const next = this.#next;
    this.#next = undefined;
    return next;
  }

  async #settle(
    { reason, isAutomatic, resolve, reject }: Promised,
    write: () => Promise<WorkedCheckpoint>,
  ): Promise<void> {
    const { clock, persistence } = this.#options;
    const begunMs = clock.monotonicMs();
    this.#stage = "writing";
    try {
      if (this.#isCancelled) throw cancelled();
      const written = await write();
      const durationMs = Math.round(clock.monotonicMs() - begunMs);
      const report: CheckpointReport = { ...written, durationMs };
      await persistence.checkpointed?.(report);
      this.#stage = "idle";
      this.#succeeded(report);
      this.#log.written(reason, report, isAutomatic);
      resolve(report);
    } catch (thrown) {
      const error = asKvdbError(thrown).prefix("writing a checkpoint");
      this.#stage = "idle";
      this.#lastDurationMs = Math.round(clock.monotonicMs() - begunMs);
      if (this.#isCancelled) this.#log.cancelled(reason);
      else if (this.#phase === "") {
        this.#failure = error;
        this.#log.failed(reason, error);
      }
      reject(error);
    }
  }

  #succeeded({ revision, entries, bytes, durationMs }: CheckpointReport): void {
    this.#last = { revision, entries, bytes, timeMs: this.#options.clock.now() };
    this.#lastDurationMs = durationMs;
    this.#failure = null;
    this.#count++;
  }

  #write(): Promise<WorkedCheckpoint> {
    const { worker, plugin, folder } = this.#options;
    if (worker === undefined) return this.#writeAlone();
    const request = { plugin: plugin.source, options: plugin.options, folder };
    return worker.write(request, (revision) => this.#announce(revision));
  }

  async #announce(revision: Revision): Promise<unknown> {
    return await this.#options.persistence.beginCheckpoint?.(revision);
  }

  /** Here, while nothing else runs: no client is served but the one that asked. */
  async #writeAlone(): Promise<WorkedCheckpoint> {
    const { engine, plugin, folder, files } = this.#options;
    const resume = engine.rest();
    try {
      const entries = engine.readEntries();
      const task = await this.#announce(entries.revision);
      const write = plugin.writeCheckpoint as WriteCheckpoint;
      const { options } = plugin;
      const written = await write(entries, { files, folder, options, task, proceed: () => {} });
      return { ...written, revision: entries.revision, entries: entries.entryCount };
    } finally {
      resume();
    }
  }

  /**
   * Nobody is served any more. Gives up what a worker writes, and writes what is wanted: a persistence without records
   * would lose what was changed, and what was asked for in a one-shot command has waited for this moment. Rejects when
   * that fails.
   */
  async stop(): Promise<void> {
    const { worker, persistence } = this.#options;
    const canWrite = this.#phase === "" && persistence.supports.checkpoints;
    this.#phase ||= "kvdb is stopping";
    const waiting = this.#takeNext();
    if (worker !== undefined) {
      this.#isCancelled = true; // also what only waits for its turn
      worker.cancel();
    }
    await this.#restEnded().catch((error: unknown) => {
      waiting?.reject(error);
      throw error;
    });
    const isAwaited = worker === undefined && waiting !== undefined;
    if (!canWrite || !(this.isWantedAtStop || isAwaited)) {
      waiting?.reject(unavailable(this.#phase));
      return;
    }
    this.#beginOne();
    const isRequired = this.isWantedAtStop;
    const own = { reason: "stopping", isRequired, isAutomatic: false };
    const last = waiting ?? { ...Promise.withResolvers<CheckpointReport>(), ...own };
    await this.#settle(last, () => this.#writeAlone());
    const [outcome] = await Promise.allSettled([last.promise]);
    if (outcome.status === "fulfilled") return;
    // One that only saves room is no reason for a command to fail.
    if (isRequired || last.isRequired) throw outcome.reason;
    const { message } = asKvdbError(outcome.reason);
    this.#options.log.warn("no checkpoint was written; the one before counts", { error: message });
  }

  /** Nothing is under way. A disk that stalls is waited for without end only where something has to be written yet. */
  async #restEnded(): Promise<void> {
    const { worker, clock } = this.#options;
    const end = () => this.#loop.then(() => this.#exclusive);
    const isBounded = worker !== undefined && !this.isWantedAtStop;
    await (isBounded ? withTimeLimit(clock, GIVE_UP_LIMIT_MS, end) : end());
  }

  get isWantedAtStop(): boolean {
    if (this.atStop !== "whenChanged") return this.atStop === "always";
    return !this.#options.persistence.supports.records && this.changes > 0;
  }
}

/** How long a stop waits for what was given up: longer than for the worker to end (snapshots.ts). */
const GIVE_UP_LIMIT_MS = 5_000;

const LOADING = "kvdb is loading its data";

/** Of the one that was asked for first; it waits while something else runs exclusively. */
type Stage = "idle" | "waiting" | "writing";

function cancelled(): KvdbError {
  return unavailable("it was cancelled");
}

function unavailable(reason: string): KvdbError {
  return new KvdbError("UNAVAILABLE", reason);
}

interface Promised extends PromiseWithResolvers<CheckpointReport> {
  readonly reason: string;
  /** A stop that cannot write it has failed. */
  isRequired: boolean;
  /** Nobody has asked for it but the persistence. */
  isAutomatic: boolean;
}
