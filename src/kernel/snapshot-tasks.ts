/**
 * What a snapshot worker does: takes an image of the arena, and lets a plugin's `writeCheckpoint` read it. One image and one
 * task, then the worker's life is over.
 */
import type { FinishedBackup } from "../backup/backup-making.ts";
import { asKvdbError, KvdbError } from "../errors.ts";
import type { Clock } from "../platform/clock.ts";
import type { Files } from "../platform/files.ts";
import type { Random } from "../platform/random.ts";
import type { IndexKind, PluginContext, WriteCheckpoint } from "../plugin.ts";
import type { CopyTask } from "../replication/copy-task.ts";
import type { StoreReport } from "../session/server.ts";
import { EntryWalk } from "../store/entry-walk.ts";
import { type Image, leaveImage, takeImage } from "../store/image.ts";
import type { ImageReport } from "../store/image-writer.ts";
import { CANCELLED, type PageCapture } from "../store/page-capture.ts";
import type { BackupSurroundings } from "./backup-tasks.ts";
import type { AnyPlugin, Builtins } from "./builtins.ts";
import { checkedCheckpoint } from "./checked-checkpoint.ts";
import type { WorkedCheckpoint } from "./checkpoint-writer.ts";
import { importPlugin } from "./plugin-import.ts";
import type { PluginSource } from "./plugin-source.ts";
import type {
  BackupTask,
  CheckpointTask,
  CheckTask,
  SealTask,
  SnapshotNews,
  SnapshotOrder,
  SnapshotTask,
  StageTask,
  VerificationTask,
} from "./snapshot-messages.ts";
import type { StagingTasks } from "./staging-tasks.ts";

/** As at a start: one that takes longer hangs. */
const IMPORT_LIMIT_MS = 30_000;
/**
 * What a task leaves behind (blocks that were compressed) lies outside the heap, so the collector sees no reason to hurry:
 * some 30 MiB gathered. It takes 1 ms here, where nobody waits.
 */
const PROCEEDS_PER_COLLECTION = 4;
/** Of a comparison, which proceeds with each entry that it reads and leaves little behind. */
const ENTRIES_PER_COLLECTION = 65_536;

/** Of a verification, which proceeds with each frame of some MiB, and while it loads with each 128 KiB. */
const FRAMES_PER_COLLECTION = 32;

export interface TaskSurroundings {
  readonly files: Files;
  readonly clock: Clock;
  readonly random: Random;
  readonly builtins: Builtins;
  /** Nobody wants anything any more of what is under way. */
  isOver(): boolean;
  tell(news: SnapshotNews): void;
}

type ImageTask = CheckpointTask | CheckTask | BackupTask | CopyTask;
type ImageOrder = Extract<SnapshotOrder, { kind: "image" }>;

export class SnapshotTasks {
  readonly #surroundings: TaskSurroundings;
  #image: Promise<Image> | undefined;
  #left: Promise<ImageReport> | undefined;
  #isCancelled: () => boolean = () => false;
  #proceeded = 0;
  #staging: StagingTasks | undefined;

  constructor(surroundings: TaskSurroundings) {
    this.#surroundings = surroundings;
  }

  heed(order: SnapshotOrder): void {
    if (order.kind === "task") {
      void this.#begin(order.task);
    } else if (order.isLeft === true) this.#left = told(this.#take(leaveImage, order));
    else this.#image = told(this.#take(takeImage, order));
  }

  #begin(task: SnapshotTask): Promise<void> {
    switch (task.kind) {
      case "leave":
        return this.#leave();
      case "verification":
        return this.#verify(task);
      case "stage":
      case "seal":
        return this.#stage(task);
      default:
        return this.#work(task);
    }
  }

  /** `take`: what is made of the pages. */
  async #take<Taken>(
    take: (files: Files, path: string, capture: PageCapture) => Promise<Taken | null>,
    { capture, path }: ImageOrder,
  ): Promise<Taken> {
    const { files, tell } = this.#surroundings;
    this.#isCancelled = () => Atomics.load(capture.control, CANCELLED) === 1;
    try {
      const image = await take(files, path, capture);
      if (image === null) throw cancelled();
      tell({ kind: "imaged" });
      return image;
    } catch (error) {
      this.#fail(error);
      throw error;
    }
  }

  async #leave(): Promise<void> {
    const [left] = await Promise.allSettled([this.#left]);
    if (left.status === "rejected") return; // which has been told
    this.#surroundings.tell({ kind: "done", result: left.value });
  }

  async #verify(task: VerificationTask): Promise<void> {
    try {
      const { workVerification } = await import("./backup-tasks.ts");
      const surroundings = this.#backupSurroundings(FRAMES_PER_COLLECTION);
      const result = await workVerification(task, surroundings);
      this.#surroundings.tell({ kind: "done", result });
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Loads it, or seals the one that was loaded. */
  async #stage(task: StageTask | SealTask): Promise<void> {
    try {
      this.#staging ??= await this.#createStaging();
      const staging = this.#staging;
      const result = await (task.kind === "stage" ? staging.load(task) : staging.seal(task));
      this.#surroundings.tell({ kind: "done", result });
    } catch (error) {
      this.#fail(error);
    }
  }

  async #createStaging(): Promise<StagingTasks> {
    const { StagingTasks } = await import("./staging-tasks.ts");
    const { builtins } = this.#surroundings;
    return new StagingTasks({
      ...{ ...this.#surroundings, kinds: await builtinKinds(builtins) },
      ...this.#backupSurroundings(FRAMES_PER_COLLECTION),
      heed: () => this.#proceed(PROCEEDS_PER_COLLECTION),
      writerOf: async (plugin) => (await this.#load(plugin)).writeCheckpoint as WriteCheckpoint,
    });
  }

  async #work(task: ImageTask): Promise<void> {
    const [taken] = await Promise.allSettled([this.#image]);
    if (taken.status === "rejected") return; // which has been told
    const image = taken.value as Image;
    try {
      const result = await this.#make(image, task);
      await image.close();
      this.#surroundings.tell({ kind: "done", result });
    } catch (error) {
      this.#fail(error);
    }
  }

  #make(image: Image, task: ImageTask): Promise<unknown> {
    switch (task.kind) {
      case "checkpoint":
        return this.#writeCheckpoint(image, task);
      case "check":
        return this.#check(image, task);
      case "backup":
        return this.#backup(image, task);
      case "copy":
        return this.#copy(image, task);
    }
  }

  async #copy(image: Image, task: CopyTask): Promise<number> {
    const { files, tell } = this.#surroundings;
    const { writeCopy } = await import("../replication/copy-task.ts");
    return writeCopy(new EntryWalk(image.arena, "all"), task, {
      files,
      proceed: () => this.#proceed(PROCEEDS_PER_COLLECTION),
      grown: (bytes) => tell({ kind: "progress", share: bytes }),
    });
  }

  async #backup(image: Image, task: BackupTask): Promise<FinishedBackup> {
    const { workBackup } = await import("./backup-tasks.ts");
    const entries = new EntryWalk(image.arena);
    return workBackup(entries, task, this.#backupSurroundings(PROCEEDS_PER_COLLECTION));
  }

  #backupSurroundings(perCollection: number): BackupSurroundings {
    const { files, clock, random, tell } = this.#surroundings;
    const proceed = (share: number) => {
      this.#proceed(perCollection);
      tell({ kind: "progress", share });
    };
    return { files, clock, random, proceed };
  }

  async #check(image: Image, task: CheckTask): Promise<Omit<StoreReport, "unsaved">> {
    const { files, clock } = this.#surroundings;
    const plugin = await this.#load(task.plugin);
    // Loaded where it is used: a checkpoint needs no engine.
    const { compareStore } = await import("./store-comparison.ts");
    const memory = new EntryWalk(image.arena);
    const proceed = () => this.#proceed(ENTRIES_PER_COLLECTION);
    return compareStore(memory, { ...task, plugin, files, clock, proceed });
  }

  async #writeCheckpoint(image: Image, task: CheckpointTask): Promise<WorkedCheckpoint> {
    const { writeCheckpoint } = await this.#load(task.plugin);
    const entries = new EntryWalk(image.arena, "stored");
    const written = await (writeCheckpoint as WriteCheckpoint)(entries, {
      files: this.#surroundings.files,
      folder: task.folder,
      options: task.options,
      task: task.task,
      proceed: () => this.#proceed(PROCEEDS_PER_COLLECTION),
    });
    return {
      ...checkedCheckpoint(written),
      revision: entries.revision,
      entries: entries.entryCount,
    };
  }

  #proceed(perCollection: number): void {
    if (this.#surroundings.isOver() || this.#isCancelled()) throw cancelled();
    if (++this.#proceeded % perCollection === 0) Bun.gc(true);
  }

  async #load(source: PluginSource): Promise<AnyPlugin> {
    const { builtins, files, clock } = this.#surroundings;
    switch (source.kind) {
      case "builtin":
        return (await builtins[source.name].load()).default;
      case "file": {
        const { use, folder } = source;
        const surroundings = { folder, files, clock, limitMs: IMPORT_LIMIT_MS };
        return (await importPlugin(use, surroundings)) as AnyPlugin;
      }
      case "given":
        throw new KvdbError("INTERNAL", "a plugin that is an object cannot be loaded by a worker");
    }
  }

  #fail(thrown: unknown): void {
    const { code, message } = asKvdbError(thrown);
    this.#surroundings.tell({ kind: "failed", code, message });
  }
}

/** Its failure has been told, and perhaps no task will come that heeds it. */
function told<Taken>(taking: Promise<Taken>): Promise<Taken> {
  void Promise.allSettled([taking]);
  return taking;
}

/** Which ask nothing of who makes them. */
async function builtinKinds(builtins: Builtins): Promise<readonly IndexKind[]> {
  const bringing = Object.values(builtins).filter(({ brings }) => brings.includes("indexes"));
  const modules = await Promise.all(bringing.map((builtin) => builtin.load()));
  return modules.flatMap(
    ({ default: { indexes } }) => indexes?.({} as never, {} as PluginContext) ?? [],
  );
}

function cancelled(): KvdbError {
  return new KvdbError("UNAVAILABLE", "it is no longer wanted");
}
