/**
 * Snapshots while kvdb serves: the cut at the end of a turn, the worker that takes the image and makes something of it, and
 * what the main thread owes it meanwhile. One at a time; kernel/checkpoints.ts sees to that.
 *
 * Invariant: whatever happens, in the end nothing is captured any more, the worker is gone and the image has no name.
 */
import { join } from "node:path";
import { asKvdbError, KvdbError } from "../errors.ts";
import type { Clock } from "../platform/clock.ts";
import type { Files } from "../platform/files.ts";
import type { Log } from "../platform/log.ts";
import type { Revision } from "../plugin.ts";
import { type CaptureRing, createRing, type PageCapture } from "../store/page-capture.ts";
import type { CheckpointRequest, CheckpointWorker, WorkedCheckpoint } from "./checkpoints.ts";
import type {
  SnapshotNews,
  SnapshotTask,
  SnapshotWorker,
  StartSnapshotWorker,
} from "./snapshot-messages.ts";

/** In the data folder, where room is asked for. A crash may leave it: `removeImage` is for the next start. */
export const IMAGE_NAME = "kvdb.image";

/** A worker that does not heed the end of its snapshot in this time (it waits for a disk) is ended. */
const CANCEL_LIMIT_MS = 2_000;

/** A snapshot in progress, as the engine takes it. */
export interface Capture {
  /** For the worker. */
  readonly capture: PageCapture;
  /** The image is complete, or nobody wants it. Harmless when it is over. */
  finish(): void;
  cancel(): void;
}

export interface SnapshotEngine {
  readonly journal: { readonly lastRevision: Revision };
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

export class Snapshots implements CheckpointWorker {
  readonly #options: SnapshotsOptions;
  /** Made once, at the first snapshot. */
  #ring: CaptureRing | undefined;
  #current: RunningSnapshot | undefined;

  constructor(options: SnapshotsOptions) {
    this.#options = options;
  }

  write(
    request: CheckpointRequest,
    begin: (revision: Revision) => Promise<unknown>,
  ): Promise<WorkedCheckpoint> {
    return this.run(async (revision) => {
      return { kind: "checkpoint", ...request, task: await begin(revision) };
    });
  }

  /** `begin` is called at the instant of the image; the result is the worker's answer to the task. */
  async run<Result>(begin: (revision: Revision) => Promise<SnapshotTask>): Promise<Result> {
    const { startWorker, clock } = this.#options;
    const running = new RunningSnapshot(startWorker);
    this.#current = running;
    try {
      running.post(await this.#cut(running, begin));
      return (await running.result) as Result;
    } finally {
      this.#current = undefined;
      await running.end(clock);
      await this.#removeImage();
    }
  }

  cancel(): void {
    this.#current?.cancel();
  }

  /** At the end of a turn: everything up to now, and nothing later. Resolves to what `begin` does. */
  #cut(
    running: RunningSnapshot,
    begin: (revision: Revision) => Promise<SnapshotTask>,
  ): Promise<SnapshotTask> {
    const { engine, folder } = this.#options;
    this.#ring ??= createRing();
    const ring = this.#ring;
    const { promise, resolve, reject } = Promise.withResolvers<SnapshotTask>();
    engine.atTurnEnd(() => {
      try {
        running.requireWanted();
        const task = begin(engine.journal.lastRevision);
        running.image(engine.beginCapture(ring), join(folder, IMAGE_NAME));
        resolve(task);
      } catch (error) {
        reject(error);
      }
    });
    return promise;
  }

  async #removeImage(): Promise<void> {
    const { files, folder, log } = this.#options;
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
export async function removeImage(files: Files, folder: string): Promise<void> {
  await files.remove(join(folder, IMAGE_NAME));
}

class RunningSnapshot {
  readonly #worker: SnapshotWorker;
  readonly #result = Promise.withResolvers<unknown>();
  #capture: Capture | undefined;
  #isCancelled = false;
  /** What the worker has to do yet; it will tell of each when it is done. */
  #orders = 0;
  #onIdle: () => void = () => {};

  constructor(startWorker: StartSnapshotWorker) {
    this.#worker = startWorker((news) => this.#heed(news));
    // Nobody may be waiting when it fails: `begin` may have failed before.
    void Promise.allSettled([this.result]);
  }

  get result(): Promise<unknown> {
    return this.#result.promise;
  }

  requireWanted(): void {
    if (this.#isCancelled) throw new KvdbError("UNAVAILABLE", "it is no longer wanted");
  }

  image(capture: Capture, path: string): void {
    this.#capture = capture;
    this.#orders++;
    this.#worker.post({ kind: "image", capture: capture.capture, path });
  }

  post(task: SnapshotTask): void {
    this.#orders++;
    this.#worker.post({ kind: "task", task });
  }

  #heed(news: SnapshotNews): void {
    switch (news.kind) {
      case "imaged":
        this.#capture?.finish();
        break;
      case "done":
        this.#result.resolve(news.result);
        break;
      case "failed":
        this.#capture?.cancel();
        this.#result.reject(new KvdbError(news.code, news.message));
        break;
    }
    this.#orders = news.kind === "failed" ? 0 : this.#orders - 1;
    if (this.#orders === 0) this.#onIdle();
  }

  /** The worker notices, and tells that it failed. */
  cancel(): void {
    this.#isCancelled = true;
    this.#capture?.cancel();
  }

  /** However it went: nothing is captured any more, and the worker is gone. */
  async end(clock: Clock): Promise<void> {
    this.cancel();
    if (this.#orders > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#onIdle = resolve;
      const timer = clock.after(CANCEL_LIMIT_MS, resolve);
      await promise;
      timer.cancel();
    }
    this.#worker.stop();
  }
}
