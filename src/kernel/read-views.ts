/**
 * Views of all data at one instant, for a program that reads them while its writes go on: an image that the snapshot worker
 * takes, mapped into this process. It is a file without a name, so a crash leaves nothing; it takes disk space until it is
 * closed, and memory only as far as it is read.
 */
import { KvdbError } from "../errors.ts";
import type { IndexImage } from "../index/index-images.ts";
import type { Persistence } from "../plugin.ts";
import type { Image } from "../store/image.ts";
import type { Checkpoints } from "./checkpoints.ts";
import type { Snapshots } from "./snapshots.ts";

/** Besides the arena. */
export interface ViewSource {
  /** What expires up to here is gone. */
  readonly nowMs: number;
  readonly keyIndexes: readonly IndexImage[];
}

export interface ReadView extends ViewSource {
  readonly image: Image;
}

export interface ReadViewsOptions {
  readonly engine: { readonly readView: ViewSource };
  readonly checkpoints: Checkpoints;
  readonly snapshots: Snapshots | undefined;
  readonly persistence: Pick<Persistence, "supports">;
}

export class ReadViews {
  readonly #options: ReadViewsOptions;

  constructor(options: ReadViewsOptions) {
    this.#options = options;
  }

  /** Of the end of the turn in which it is asked for, unless a checkpoint is being written: then it comes after that. */
  take(): Promise<ReadView> {
    return this.#options.checkpoints.exclusively(() => this.#take());
  }

  async #take(): Promise<ReadView> {
    const { engine, checkpoints, snapshots, persistence } = this.#options;
    const { records, checkpoints: files } = persistence.supports;
    if (!records && !files) {
      const message = "a snapshot needs a data folder, and this database keeps nothing on disk";
      throw new KvdbError("UNAVAILABLE", message);
    }
    if (checkpoints.phase !== "") throw new KvdbError("UNAVAILABLE", checkpoints.phase);
    if (snapshots === undefined) throw new KvdbError("UNAVAILABLE", "nobody else is served");
    let source: ViewSource | undefined;
    const image = await snapshots.take(() => {
      source = engine.readView;
    });
    return { ...(source as ViewSource), image };
  }
}
