/**
 * Snapshots while kvdb serves: the cut at the end of a turn, the worker that takes the image and makes something of it, and
 * what the main thread owes it meanwhile. One at a time; kernel/checkpoints.ts sees to that.
 *
 * Invariant: whatever happens, in the end nothing is captured any more, the worker is gone and the image has no name. But for
 * a worker that waits for a disk: it cannot be ended. Until it has answered there is no other.
 */
import { join } from "node:path";
import { asKvdbError, KvdbError } from "../errors.ts";
import type { Clock, Timer } from "../platform/clock.ts";
import type { Files } from "../platform/files.ts";
import type { Log } from "../platform/log.ts";
import type { Revision } from "../plugin.ts";
import { type Image, openImage } from "../store/image.ts";
import type { ImageReport } from "../store/image-writer.ts";
import { type CaptureRing, createRing, type PageCapture, TAIL } from "../store/page-capture.ts";
import type { CheckpointRequest, CheckpointWorker, WorkedCheckpoint } from "./checkpoint-writer.ts";
import type {
  SnapshotNews,
  SnapshotTask,
  SnapshotWorker,
  StartSnapshotWorker,
} from "./snapshot-messages.ts";

/** In the data folder, where room is asked for. A crash may leave it: `removeImage` is for the next start. */
export const IMAGE_NAME = "kvdb.image";

/** A worker that does not heed the end of its snapshot in this time waits for a disk; nobody waits for it any longer. */
const CANCEL_LIMIT_MS = 2_000;

/**
 * Writers wait while the worker does not keep pace. When it has taken nothing at all for so long, the disk stalls: then the
 * snapshot ends, and not the service. Disks that are only busy hold up a write for a second or two.
 */
const STALL_LIMIT_MS = 5_000;
/** How often that is looked at. */
const STALL_LOOK_MS = 1_000;

/** A snapshot in progress, as the engine takes it. */
export interface Capture {
  /** For the worker. */
  readonly capture: PageCapture;
  /** Who would write waits for the worker. */
  readonly isRunningLow: boolean;
  /** The image is complete, or nobody wants it. Harmless when it is over. */
  finish(): void;
  cancel(): void;
}

export interface SnapshotEngine {
  readonly disk: { readonly lastRevision: Revision };
  /** Calls back once, at the end of a turn, when all that was recorded has been handed over. */
  atTurnEnd(act: () => void): void;
  /** From this instant on each page is kept as it is. */
  beginCapture(ring: CaptureRing): Capture;
}

export interface SnapshotsOptions {
  readonly engine: SnapshotEngine;
  readonly files: Files;
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly startWorker: StartSnapshotWorker;
}

/** Told how much of the task is done, between 0 and 1; of a copy for replicas: its bytes so far. */
type OnProgress = (share: number) => void;

interface RunOptions {
  readonly onProgress?: OnProgress;
  /** For the image. Default: that of the data. */
  readonly folder?: string;
}

/** `end` rejects when there will be no snapshot, so that nobody waits for what it would need. */
type BeginSnapshot = (revision: Revision, end: Promise<unknown>) => Promise<SnapshotTask>;

export class Snapshots implements CheckpointWorker {
  readonly #options: SnapshotsOptions;
  /** Made once, at the first snapshot. */
  #ring: CaptureRing | undefined;
  #current: RunningSnapshot | undefined;
  /** The last one. */
  #ended: RunningSnapshot | undefined;

  constructor(options: SnapshotsOptions) {
    this.#options = options;
  }

  write(
    request: CheckpointRequest,
    begin: (revision: Revision) => Promise<unknown>,
  ): Promise<WorkedCheckpoint> {
    // Not given up half way: what a persistence is asked for, it does before it is asked for the next.
    return this.run(async (revision) => {
      return { kind: "checkpoint", ...request, task: await begin(revision) };
    });
  }

  /** `begin` is called at the instant of the image; the result is the worker's answer to the task. */
  run<Result>(begin: BeginSnapshot, options: RunOptions = {}): Promise<Result> {
    return this.#run<Result, Result>(begin, async (result) => result, options);
  }

  /** The image itself, for this thread. `atCut` is called at its instant. */
  take(atCut: () => void): Promise<Image> {
    const { files, folder } = this.#options;
    const begin = async (): Promise<SnapshotTask> => {
      atCut();
      return { kind: "leave" };
    };
    return this.#run<ImageReport, Image>(
      begin,
      async (report) => {
        const file = await files.open(join(folder, IMAGE_NAME), "update");
        try {
          return await openImage(files, file, report);
        } catch (error) {
          await file.close();
          throw error;
        }
      },
      { isLeft: true },
    );
  }

  async #run<Answer, Result>(
    begin: BeginSnapshot,
    finish: (answer: Answer) => Promise<Result>,
    options: RunOptions & { readonly isLeft?: boolean },
  ): Promise<Result> {
    const { startWorker, clock } = this.#options;
    const { folder = this.#options.folder, isLeft = false, onProgress } = options;
    if (this.#ended?.isIdle === false) throw stillWaiting();
    const running = new RunningSnapshot(startWorker, clock, onProgress);
    this.#current = running;
    try {
      running.post(await this.#cut(running, begin, { path: join(folder, IMAGE_NAME), isLeft }));
      return await finish((await running.result) as Answer);
    } finally {
      this.#current = undefined;
      this.#ended = running;
      await running.end();
      // A worker that waits for the disk removes it when it goes on; removing it here would wait as well.
      if (running.isIdle) await this.#removeImage(folder);
    }
  }

  cancel(): void {
    this.#current?.cancel();
  }

  /** At the end of a turn: everything up to now, and nothing later. Resolves to what `begin` does. */
  #cut(running: RunningSnapshot, begin: BeginSnapshot, image: ImagePlace): Promise<SnapshotTask> {
    const { engine } = this.#options;
    this.#ring ??= createRing();
    const ring = this.#ring;
    const { promise, resolve, reject } = Promise.withResolvers<SnapshotTask>();
    engine.atTurnEnd(() => {
      try {
        running.requireWanted();
        const task = begin(engine.disk.lastRevision, running.result);
        running.image(engine.beginCapture(ring), image);
        resolve(task);
      } catch (error) {
        reject(error);
      }
    });
    return promise;
  }

  async #removeImage(folder: string): Promise<void> {
    const { files, log } = this.#options;
    try {
      await removeImage(files, folder);
    } catch (error) {
      log.warn("the image of a snapshot could not be removed", {
        error: asKvdbError(error).message,
      });
    }
  }
}

/** Removes what a crash may have left of an image. */
async function removeImage(files: Files, folder: string): Promise<void> {
  await files.remove(join(folder, IMAGE_NAME));
}

/** Where the image has its name, and whether it keeps it, for this thread. */
interface ImagePlace {
  readonly path: string;
  readonly isLeft: boolean;
}

class RunningSnapshot {
  readonly #worker: SnapshotWorker;
  readonly #clock: Clock;
  readonly #result = Promise.withResolvers<unknown>();
  readonly #onProgress: OnProgress | undefined;
  #capture: Capture | undefined;
  #isCancelled = false;
  #hasFailed = false;
  #stallTimer: Timer | undefined;
  /** What the worker has to do yet; it will tell of each when it is done. */
  #orders = 0;
  #onIdle: () => void = () => {};

  constructor(startWorker: StartSnapshotWorker, clock: Clock, onProgress?: OnProgress) {
    this.#clock = clock;
    this.#onProgress = onProgress;
    this.#worker = startWorker((news) => this.#heed(news));
    // Nobody may be waiting when it fails: `begin` may have failed before.
    void Promise.allSettled([this.result]);
  }

  get result(): Promise<unknown> {
    return this.#result.promise;
  }

  /** It has nothing to do, so it touches nothing. */
  get isIdle(): boolean {
    return this.#orders === 0;
  }

  requireWanted(): void {
    if (this.#isCancelled) throw unwanted();
  }

  image(capture: Capture, place: ImagePlace): void {
    this.#capture = capture;
    this.#orders++;
    this.#worker.post({ kind: "image", capture: capture.capture, ...place });
    this.#watch(capture, { pages: 0, sinceMs: this.#clock.monotonicMs() });
  }

  /** Ends the snapshot when writers wait for a worker that has taken nothing since. */
  #watch(capture: Capture, { pages, sinceMs }: Progress): void {
    const nowMs = this.#clock.monotonicMs();
    const taken = Atomics.load(capture.capture.control, TAIL);
    const isStalled = capture.isRunningLow && taken === pages;
    if (isStalled && nowMs - sinceMs >= STALL_LIMIT_MS) {
      const message = `the disk has taken nothing of the image for ${STALL_LIMIT_MS / 1000} seconds`;
      this.#fail(new KvdbError("IO", message));
      return;
    }
    const progress = { pages: taken, sinceMs: isStalled ? sinceMs : nowMs };
    this.#stallTimer = this.#clock.after(STALL_LOOK_MS, () => this.#watch(capture, progress));
  }

  /** After a failure the worker would not answer. */
  post(task: SnapshotTask): void {
    if (this.#hasFailed) return;
    this.#orders++;
    this.#worker.post({ kind: "task", task });
  }

  #heed(news: SnapshotNews): void {
    switch (news.kind) {
      case "progress":
        this.#onProgress?.(news.share);
        return;
      case "imaged":
        this.#stallTimer?.cancel();
        this.#capture?.finish();
        break;
      case "done":
        this.#result.resolve(news.result);
        break;
      case "failed":
        this.#fail(new KvdbError(news.code, news.message));
        break;
    }
    this.#orders = news.kind === "failed" ? 0 : this.#orders - 1;
    if (this.isIdle) this.#onIdle();
  }

  #fail(failure: KvdbError): void {
    this.#hasFailed = true;
    this.#capture?.cancel();
    this.#result.reject(failure);
  }

  /** The worker notices, and tells that it failed. Harmless when it is over. */
  cancel(): void {
    this.#isCancelled = true;
    this.#capture?.cancel();
    this.#result.reject(unwanted());
  }

  /** However it went: nothing is captured any more, and the worker is gone as soon as it can. */
  async end(): Promise<void> {
    this.cancel();
    this.#stallTimer?.cancel();
    if (!this.isIdle) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#onIdle = resolve;
      const timer = this.#clock.after(CANCEL_LIMIT_MS, resolve);
      await promise;
      timer.cancel();
    }
    this.#worker.stop();
  }
}

/** Pages that the worker had taken out of the ring, and since when it has been so many. */
interface Progress {
  readonly pages: number;
  readonly sinceMs: number;
}

function stillWaiting(): KvdbError {
  const what = "the worker of the last snapshot was given up and still waits for the disk";
  return new KvdbError("UNAVAILABLE", what);
}

function unwanted(): KvdbError {
  return new KvdbError("UNAVAILABLE", "it is no longer wanted");
}
