/**
 * CHECK on a live store: a worker takes an image of the memory, loads the folder anew up to the same revision, reports what
 * it cannot read there, and compares the two by digest. Clients are served meanwhile; the worker needs as much memory as the
 * data once more. This is the main thread's half; store-comparison.ts is the worker's.
 */
import { KvdbError } from "../errors.ts";
import type { Persistence, Revision } from "../plugin.ts";
import type { CheckControl, StoreReport } from "../session/server.ts";
import type { Checkpoints } from "./checkpoints.ts";
import type { PluginSource } from "./plugin-source.ts";
import type { Snapshots } from "./snapshots.ts";

export interface StoreCheckOptions {
  readonly persistence: Persistence;
  readonly plugin: { readonly source: PluginSource; readonly options: unknown };
  readonly folder: string;
  readonly databases: number;
  readonly disk: {
    readonly durableRevision: Revision;
    readonly failure: Error | null;
    onDurable(listener: () => void): () => void;
    onFailure(listener: (failure: Error) => void): () => void;
  };
  readonly checkpoints: Checkpoints;
  /** Undefined: there is no worker where nobody is served. */
  readonly snapshots: Snapshots | undefined;
}

export class StoreCheck implements CheckControl {
  readonly #options: StoreCheckOptions;

  constructor(options: StoreCheckOptions) {
    this.#options = options;
  }

  get obstacle(): string {
    const { persistence, plugin, snapshots, checkpoints } = this.#options;
    const { supports } = persistence;
    if (!supports.records && !supports.checkpoints) return "nothing is kept on disk";
    if (snapshots === undefined) return "nobody else holds the folder: use `kvdb check`";
    if (plugin.source.kind === "given") return "a plugin handed over as an object cannot be loaded";
    return checkpoints.phase;
  }

  /** Waits for a checkpoint that is being written. */
  run(): Promise<StoreReport> {
    const { checkpoints } = this.#options;
    return checkpoints.exclusively(() => this.#check());
  }

  async #check(): Promise<StoreReport> {
    const { plugin, folder, databases, persistence, snapshots, checkpoints } = this.#options;
    if (this.obstacle !== "") throw new KvdbError("UNAVAILABLE", this.obstacle);
    let unsaved = 0;
    const report = await (snapshots as Snapshots).run<Omit<StoreReport, "unsaved">>(
      async (revision, end) => {
        // Whoever keeps whole states alone has on disk what the last one had.
        unsaved = persistence.supports.records ? 0 : checkpoints.of("save").changes;
        await this.#written(revision, end);
        const { source, options } = plugin;
        const compares = unsaved === 0;
        return { kind: "check", plugin: source, options, folder, databases, revision, compares };
      },
    );
    return { ...report, unsaved };
  }

  /**
   * Everything up to the revision is in the files: synced, or in mode `no` at least written. Rejects as `end` does: a disk
   * may stall for long, and a stop does not wait for it.
   */
  async #written(revision: Revision, end: Promise<unknown>): Promise<void> {
    const { disk, persistence } = this.#options;
    if (!persistence.supports.records || disk.durableRevision >= revision) return;
    if (disk.failure !== null) throw disk.failure;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    end.catch(reject);
    const ends = [
      disk.onDurable(() => {
        if (disk.durableRevision >= revision) resolve();
      }),
      disk.onFailure(reject),
    ];
    try {
      await promise;
    } finally {
      for (const end of ends) end();
    }
  }
}
