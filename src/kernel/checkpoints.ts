/**
 * When a checkpoint is written, and that it is one at a time: whoever asks while one is under way shares the next one of its
 * kind. How one is written is checkpoint-writer.ts's.
 *
 * Invariant: older records are forgotten (`checkpointed`) only after the new checkpoint is durable; one that fails leaves
 * everything as it was.
 */
import { asKvdbError, KvdbError } from "../errors.ts";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import type { CheckpointKind, CheckpointReport, Revision } from "../plugin.ts";
import type {
  CheckpointControl,
  CheckpointState,
  CheckpointUrgency,
  LastCheckpoint,
} from "../session/server.ts";
import { CheckpointHistory } from "./checkpoint-history.ts";
import { CheckpointLog } from "./checkpoint-log.ts";
import {
  type CheckpointPurpose,
  type CheckpointRequest,
  CheckpointWriter,
  type CheckpointWriterOptions,
  type WorkedCheckpoint,
} from "./checkpoint-writer.ts";
import { withTimeLimit } from "./time-limit.ts";

/** Another state, for `Checkpoints.replacing`. */
export interface StateReplacement {
  /** Nothing is recorded any more, and what was is on disk. Resolves to the revision of the other state. */
  settle(): Promise<Revision>;
  /** Makes it ready, and writes its checkpoint; undefined: there are none. */
  write(
    request: (CheckpointRequest & { readonly task: unknown }) | undefined,
  ): Promise<WorkedCheckpoint | null>;
  /** The other state counts. */
  changeOver(): void;
  /** It does not: what was there goes on. Also when `settle` has rejected. */
  giveUp(): void;
}

export interface CheckpointsOptions extends CheckpointWriterOptions {
  readonly clock: Clock;
  readonly log: Log;
}

export class Checkpoints implements CheckpointControl {
  readonly #options: CheckpointsOptions;
  readonly #writer: CheckpointWriter;
  readonly #history: CheckpointHistory;
  readonly #log: CheckpointLog;
  /** What kvdb is doing while there can be none; empty: it serves. */
  #phase = LOADING;
  /** Those that wait for their turn, one of a kind. */
  readonly #next = new Map<CheckpointKind, Promised>();
  #isRunning = false;
  #stage: Stage = "idle";
  /** That of the one that is not idle. */
  #kind: CheckpointKind = "compact";
  #isCancelled = false;
  #isStopping = false;
  /** The disk has the state of memory, or another one that was to replace it. */
  isInDoubt = false;
  /** What runs exclusively, and waits for it; never rejects. */
  #exclusive: Promise<unknown> = Promise.resolve();
  /** Ends when nothing is asked for any more; never rejects. */
  #loop: Promise<void> = Promise.resolve();
  /** What a stop does: SHUTDOWN SAVE and NOSAVE change it. */
  atStop: "whenChanged" | "always" | "never" = "whenChanged";

  constructor(options: CheckpointsOptions) {
    this.#options = options;
    this.#log = new CheckpointLog(options.log, options.clock);
    this.#writer = new CheckpointWriter(options);
    this.#history = new CheckpointHistory(options.clock);
  }

  /** The data is loaded; what was loaded is what the last checkpoint and the records behind it said. */
  start(): void {
    this.#history.loaded(this.#options.engine.disk.lastRevision);
    this.#phase = "";
    if (this.#next.size > 0) this.#beginIfServing();
  }

  /** What kvdb is doing while nobody reads or writes whole states; empty: it serves. */
  get phase(): string {
    return this.#phase;
  }

  get obstacle(): string {
    return this.#lastingObstacle || this.#phase;
  }

  get #lastingObstacle(): string {
    const { persistence, plugin, worker } = this.#options;
    if (!persistence.supports.checkpoints)
      return `persistence "${plugin.name}" keeps no checkpoints`;
    if (worker !== undefined && plugin.source.kind === "given") {
      return `persistence "${plugin.name}" was handed over as an object, which a worker cannot load`;
    }
    return "";
  }

  get inProgress(): boolean {
    return this.#stage !== "idle";
  }

  of(kind: CheckpointKind): CheckpointState {
    const known = this.#known(kind);
    const inProgress = this.inProgress && this.#kind === known;
    const past = this.#history.of(known);
    return { ...past, inProgress, changes: this.#changesSince(past.last) };
  }

  /** Where there is but one kind, the other is that. */
  #known(kind: CheckpointKind): CheckpointKind {
    const { saves, records } = this.#options.persistence.supports;
    if (saves === true) return kind;
    return records ? "compact" : "save";
  }

  /** Revisions since a checkpoint, or since the data was loaded; 0 before. */
  #changesSince({ revision }: LastCheckpoint): number {
    return this.#phase === LOADING ? 0 : this.#options.engine.disk.lastRevision - revision;
  }

  request(
    reason: string,
    urgency: CheckpointUrgency,
    kind: CheckpointKind = "compact",
  ): Promise<CheckpointReport> {
    const { obstacle } = this;
    // A persistence may see at once that its log is long.
    const mayWait = urgency !== "now" && obstacle === LOADING;
    if (obstacle !== "" && !mayWait) return Promise.reject(unavailable(obstacle));
    const next = this.#promised(reason, this.#known(kind));
    next.isRequired ||= urgency === "beforeEnd";
    next.isAutomatic &&= urgency === "whenIdle";
    const { promise } = next;
    if (urgency === "now") this.#begin();
    else if (!mayWait) this.#beginIfServing();
    return promise;
  }

  /** The one of this kind that comes next. */
  #promised(reason: string, kind: CheckpointKind): Promised {
    const waiting = this.#next.get(kind);
    if (waiting !== undefined) return waiting;
    const nobodys = { isRequired: false, isAutomatic: true };
    const next = { ...Promise.withResolvers<CheckpointReport>(), reason, kind, ...nobodys };
    this.#next.set(kind, next);
    return next;
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
      const next = one;
      this.#beginOne(next.kind);
      await this.exclusively(() =>
        this.#settle(next, () => this.#writer.write(this.#purpose(next.kind))),
      );
    }
    this.#isRunning = false;
  }

  #beginOne(kind: CheckpointKind): void {
    this.#stage = "waiting";
    this.#kind = kind;
    this.#isCancelled = false;
    this.#history.began(kind);
  }

  cancel(kind: CheckpointKind): boolean {
    const known = this.#known(kind);
    const waiting = this.#next.get(known);
    const isUnderWay = this.inProgress && this.#kind === known;
    if (waiting === undefined && !isUnderWay) return false;
    this.#next.delete(known);
    waiting?.reject(cancelled());
    if (!isUnderWay) return true;
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

  /**
   * Puts another state in the place of the whole one: its checkpoint is written, and when that is durable, memory follows. Until
   * then what was there goes on, in memory and on disk, and when it fails, it does. Where nothing is kept, memory follows at once.
   *
   * When it fails at a moment in which the disk may have the one state or the other, nothing is written any more, for nobody
   * knows what it would belong to: `isInDoubt` tells.
   */
  replacing(reason: string, replacement: StateReplacement): Promise<void> {
    return this.exclusively(async () => {
      if (this.obstacleToReplacing !== "") throw unavailable(this.obstacleToReplacing);
      this.#phase = REPLACING;
      try {
        const revision = await replacement.settle();
        if (this.#options.persistence.supports.checkpoints) {
          await this.#writeReplacement(reason, revision, replacement);
        } else await replacement.write(undefined);
        replacement.changeOver();
      } catch (error) {
        if (!this.isInDoubt) replacement.giveUp();
        throw error;
      } finally {
        if (!this.isInDoubt) this.#phase = this.#isStopping ? STOPPING : "";
      }
    });
  }

  /** Why nothing can be put in the place of the data; empty: it can. */
  get obstacleToReplacing(): string {
    return this.lastingObstacleToReplacing || this.#phase;
  }

  /** The same, and it is so as long as kvdb runs. */
  get lastingObstacleToReplacing(): string {
    const { records, checkpoints } = this.#options.persistence.supports;
    return records || checkpoints ? this.#lastingObstacle : "";
  }

  async #writeReplacement(
    reason: string,
    revision: Revision,
    replacement: StateReplacement,
  ): Promise<void> {
    // The records from before belong to another state.
    const kind = this.#known("compact");
    this.#beginOne(kind);
    const promised = Promise.withResolvers<CheckpointReport>();
    const next = { ...promised, reason, kind, isRequired: false, isAutomatic: false } as const;
    await this.#settle(next, async () => {
      const task = await this.#writer.announce(revision, this.#purpose(kind));
      // Who keeps no records may have but one state: what is written is in the place of the one before.
      this.isInDoubt = !this.#options.persistence.supports.records;
      return (await replacement.write({ ...this.#writer.request, task })) as WorkedCheckpoint;
    });
    await promised.promise;
    this.isInDoubt = false;
  }

  #takeNext(): Promised | undefined {
    for (const [kind, next] of this.#next) {
      this.#next.delete(kind);
      return next;
    }
    return undefined;
  }

  async #settle(
    { reason, kind, isAutomatic, resolve, reject }: Promised,
    write: () => Promise<WorkedCheckpoint>,
  ): Promise<void> {
    const { clock, persistence, engine } = this.#options;
    const begunMs = clock.monotonicMs();
    const sinceMs = () => Math.round(clock.monotonicMs() - begunMs);
    this.#stage = "writing";
    try {
      if (this.#isCancelled) throw cancelled();
      const written = await write();
      const { replacesAll } = this.#purpose(kind);
      const replaces = replacesAll ? { replacesAll } : {};
      const report = { ...written, kind, durationMs: sinceMs(), ...replaces };
      await engine.stream?.checkpointCounts(report.revision);
      if (replacesAll) this.isInDoubt = true;
      await persistence.checkpointed?.(report);
      this.#stage = "idle";
      this.#history.succeeded(report);
      this.#log.written(reason, report, isAutomatic);
      resolve(report);
    } catch (thrown) {
      const error = asKvdbError(thrown).prefix("writing a checkpoint");
      this.#stage = "idle";
      // Of what was to replace all data, and of a stop, who wanted it tells.
      const isFailure = !this.#isCancelled && this.#phase === "";
      this.#history.ended(kind, sinceMs(), isFailure ? error : null);
      if (this.#isCancelled) this.#log.cancelled(reason);
      else if (isFailure) this.#log.failed(reason, error);
      reject(error);
    }
  }

  #purpose(kind: CheckpointKind): CheckpointPurpose {
    return { kind, replacesAll: this.#phase === REPLACING };
  }

  /**
   * Nobody is served any more. Gives up what a worker writes, and writes what is wanted: a persistence without records
   * would lose what was changed, and what was asked for in a one-shot command has waited for this moment. Rejects when
   * that fails.
   */
  async stop(): Promise<void> {
    const { worker, persistence } = this.#options;
    const hasData = this.#phase !== LOADING;
    this.#phase ||= STOPPING;
    this.#isStopping = true;
    const waiting = new Map(this.#next);
    this.#next.clear();
    if (worker !== undefined) {
      this.#isCancelled = true; // also what only waits for its turn
      worker.cancel();
    }
    await this.#restEnded().catch((error: unknown) => {
      for (const one of waiting.values()) one.reject(error);
      throw error;
    });
    // Who keeps no records has one state or none, so that writing it ends the doubt.
    const mayWrite = !this.isInDoubt || !persistence.supports.records;
    const canWrite = hasData && mayWrite && persistence.supports.checkpoints;
    const last = canWrite ? this.#lastOnes(waiting) : [];
    for (const one of waiting.values())
      if (!last.includes(one)) one.reject(unavailable(this.#phase));
    for (const one of last) await this.#writeLast(one);
  }

  /** What is to be written when nobody is served any more, of what waits and of what a stop wants itself. */
  #lastOnes(waiting: ReadonlyMap<CheckpointKind, Promised>): Promised[] {
    const kind = this.#known("save");
    const isWanted = this.isWantedAtStop;
    const last = [...waiting.values()].filter(
      (one) => this.#options.worker === undefined || (isWanted && one.kind === kind),
    );
    if (isWanted && !waiting.has(kind)) last.push(this.#promisedAtStop(kind));
    for (const one of last) one.isRequired ||= isWanted && one.kind === kind;
    return last;
  }

  #promisedAtStop(kind: CheckpointKind): Promised {
    const own = { reason: "stopping", kind, isRequired: true, isAutomatic: false };
    return { ...Promise.withResolvers<CheckpointReport>(), ...own };
  }

  async #writeLast(one: Promised): Promise<void> {
    this.#beginOne(one.kind);
    await this.#settle(one, () => this.#writer.writeHere(this.#purpose(one.kind)));
    const [outcome] = await Promise.allSettled([one.promise]);
    if (outcome.status === "fulfilled") return;
    // One that only saves room is no reason for a command to fail.
    if (one.isRequired) throw outcome.reason;
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
    const hasUnsaved = this.isInDoubt || this.of("save").changes > 0;
    return hasUnsaved && !this.#options.persistence.supports.records;
  }
}

/** How long a stop waits for what was given up: longer than for the worker to end (snapshots.ts). */
const GIVE_UP_LIMIT_MS = 5_000;

const LOADING = "kvdb is loading its data";
const REPLACING = "kvdb is replacing its data";
const STOPPING = "kvdb is stopping";

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
  readonly kind: CheckpointKind;
  /** A stop that cannot write it has failed. */
  isRequired: boolean;
  /** Nobody has asked for it but the persistence. */
  isAutomatic: boolean;
}
