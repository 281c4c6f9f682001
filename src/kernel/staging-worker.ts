/**
 * Who loads a copy of data beside the data that is served: a worker of its own, so that checkpoints and backups go on
 * meanwhile, or this thread, where nobody is served. What it has loaded is plain data and shared memory: it outlives it.
 */
import { KvdbError } from "../errors.ts";
import type { WorkedCheckpoint } from "./checkpoint-writer.ts";
import type {
  SealTask,
  SnapshotNews,
  SnapshotWorker,
  StageTask,
  StartSnapshotWorker,
} from "./snapshot-messages.ts";
import type { LoadedData } from "./staged-data.ts";
import { type StagingSurroundings, StagingTasks } from "./staging-tasks.ts";

/** For one copy. One call at a time. */
export interface StagingLoader {
  load(task: StageTask): Promise<LoadedData>;
  seal(task: SealTask): Promise<WorkedCheckpoint | null>;
  /** Nobody wants anything of it any more: what is under way rejects. */
  end(): void;
}

export class StagingWorker implements StagingLoader {
  readonly #worker: SnapshotWorker;
  readonly #proceed: (share: number) => void;
  #answer = Promise.withResolvers<unknown>();
  #failure: unknown;

  /** `proceed` is told how much is done, between 0 and 1; what it throws ends the copy. */
  constructor(start: StartSnapshotWorker, proceed: (share: number) => void) {
    this.#proceed = proceed;
    this.#worker = start((news) => this.#heed(news));
  }

  load(task: StageTask): Promise<LoadedData> {
    return this.#ask(task);
  }

  seal(task: SealTask): Promise<WorkedCheckpoint | null> {
    return this.#ask(task);
  }

  end(): void {
    this.#fail(unwanted());
    this.#worker.stop();
  }

  #ask<Answer>(task: StageTask | SealTask): Promise<Answer> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    this.#answer = Promise.withResolvers();
    this.#worker.post({ kind: "task", task });
    return this.#answer.promise as Promise<Answer>;
  }

  #heed(news: SnapshotNews): void {
    if (news.kind === "done") this.#answer.resolve(news.result);
    else if (news.kind === "failed") this.#fail(new KvdbError(news.code, news.message));
    else if (news.kind === "progress" && this.#failure === undefined) this.#tell(news.share);
  }

  #tell(share: number): void {
    try {
      this.#proceed(share);
    } catch (error) {
      this.#fail(error);
      this.#worker.stop();
    }
  }

  #fail(failure: unknown): void {
    this.#failure ??= failure;
    // Perhaps nobody waits for it just now.
    void Promise.allSettled([this.#answer.promise]);
    this.#answer.reject(failure);
  }
}

export class StagingHere implements StagingLoader {
  readonly #tasks: StagingTasks;
  readonly #heed: () => void;
  #isOver = false;

  constructor(surroundings: Omit<StagingSurroundings, "heed">) {
    const heed = () => {
      if (this.#isOver) throw unwanted();
    };
    this.#heed = heed;
    const proceed = (share: number) => {
      heed();
      surroundings.proceed(share);
    };
    this.#tasks = new StagingTasks({ ...surroundings, heed, proceed });
  }

  load(task: StageTask): Promise<LoadedData> {
    return this.#tasks.load(task);
  }

  async seal(task: SealTask): Promise<WorkedCheckpoint | null> {
    this.#heed();
    return this.#tasks.seal(task);
  }

  end(): void {
    this.#isOver = true;
  }
}

function unwanted(): KvdbError {
  return new KvdbError("UNAVAILABLE", "it is no longer wanted");
}
