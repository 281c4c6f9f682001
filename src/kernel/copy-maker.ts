/**
 * Full copies for replicas, made of an image in the snapshot worker, when nothing else takes one. The file is made here, and read
 * here while the worker writes it; replication/full-copy.ts gives it to replicas.
 *
 * Invariant: whatever happens, in the end the file has no name.
 */
import { join } from "node:path";
import { KvdbError } from "../errors.ts";
import type { Files } from "../platform/files.ts";
import type { WorkFolder } from "../platform/scratch-folder.ts";
import { COPY_NAME, type CopyTask } from "../replication/copy-task.ts";
import type { CopyMaker, CopyOrder } from "../replication/full-copies.ts";
import type { StreamCut } from "../replication/stream.ts";
import type { Checkpoints } from "./checkpoints.ts";
import type { Snapshots } from "./snapshots.ts";

export interface ImageCopiesOptions {
  readonly snapshots: Pick<Snapshots, "run" | "cancel">;
  readonly checkpoints: Pick<Checkpoints, "exclusively" | "phase">;
  readonly files: Files;
  /** For the image and the copy. */
  openFolder(): Promise<WorkFolder>;
  /** What an image that is taken at this moment stands for. */
  cut(): StreamCut;
}

export class ImageCopies implements CopyMaker {
  readonly #options: ImageCopiesOptions;
  #isRunning = false;

  constructor(options: ImageCopiesOptions) {
    this.#options = options;
  }

  make(order: CopyOrder): Promise<number> {
    const { checkpoints } = this.#options;
    return checkpoints.exclusively(async () => {
      const reason = order.isWanted ? checkpoints.phase : "nobody waits for it";
      if (reason !== "") throw new KvdbError("UNAVAILABLE", reason);
      this.#isRunning = true;
      try {
        return await this.#write(order);
      } finally {
        this.#isRunning = false;
      }
    });
  }

  async #write(order: CopyOrder): Promise<number> {
    const folder = await this.#options.openFolder();
    try {
      return await this.#writeIn(folder.path, order);
    } finally {
      await folder.close();
    }
  }

  async #writeIn(folder: string, order: CopyOrder): Promise<number> {
    const { snapshots, files, cut } = this.#options;
    const path = join(folder, COPY_NAME);
    const begin = async (): Promise<CopyTask> => {
      // At the instant of the image.
      const at = cut();
      const file = await files.open(path, "replace");
      order.begun(at, file);
      return { kind: "copy", path, cut: at };
    };
    try {
      const onProgress = (bytes: number) => order.grown(bytes);
      return await snapshots.run<number>(begin, { onProgress, folder });
    } finally {
      await files.remove(path);
    }
  }

  /** What else takes an image goes on. */
  cancel(): void {
    if (this.#isRunning) this.#options.snapshots.cancel();
  }
}
