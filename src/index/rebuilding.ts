/** Makes an index anew from the documents: beside the old one, which it replaces when it is complete. */
import { CommandError } from "../commands/command-error.ts";
import type { SlicedWork } from "../session/sliced-work.ts";
import { IndexBuild } from "./building.ts";
import type { Indexes } from "./indexes.ts";
import type { LiveIndex } from "./live-index.ts";

export interface RebuildOptions {
  /** Throws when there is no memory left. */
  requireMemory(): void;
  onEnd?(failure: Error | undefined): void;
}

export class IndexRebuild implements SlicedWork {
  readonly changesMemory = true;
  /** What takes the place of the old one. */
  readonly index: LiveIndex;
  /** Why it did not come to that. */
  failure: Error | undefined;
  readonly #indexes: Indexes;
  readonly #old: LiveIndex;
  readonly #build: IndexBuild;

  constructor(indexes: Indexes, old: LiveIndex, options: RebuildOptions) {
    this.#indexes = indexes;
    this.#old = old;
    this.index = indexes.make(old.database, old.definition);
    this.index.isReplacement = true;
    indexes.add(this.index);
    this.#build = new IndexBuild({
      indexes: [this.index],
      requireMemory: () => options.requireMemory(),
      onEnd: (_index, failure) => {
        this.failure = failure;
        this.#replace();
        options.onEnd?.(this.failure);
      },
    });
  }

  step(exhausted: () => boolean): boolean {
    return this.#build.step(exhausted);
  }

  #replace(): void {
    const { index } = this;
    if (this.#old.isDropped) this.failure ??= new CommandError("ERR", "the index was dropped");
    if (this.failure === undefined) {
      index.isReplacement = false;
      this.#indexes.remove(this.#old);
    } else if (!index.isDropped) this.#indexes.remove(index);
  }
}
