/**
 * Up to which offset of the stream this server may say that it has everything: what kill -9 cannot take from it, as far as its
 * persistence promises that. Offsets are noted with the revision that has them, a few a turn.
 */
import type { Revision } from "../plugin.ts";

/** More than this many turns behind the disk, every second one is enough. */
const MAX_NOTED = 1024;

interface Noted {
  readonly revision: Revision;
  readonly offset: number;
}

export class AcknowledgedOffset {
  #offset = 0;
  #noted: Noted[] = [];

  /** Everything up to `offset` is durable; 0: nothing is known to be. */
  begin(offset: number): void {
    this.#offset = offset;
    this.#noted = [];
  }

  /** With everything up to `revision` the data stands at `offset`. */
  note(revision: Revision, offset: number): void {
    const last = this.#noted.at(-1);
    if (last?.revision === revision) this.#noted.pop();
    this.#noted.push({ revision, offset });
    const count = this.#noted.length;
    // The last one stays: nothing may come behind it for long.
    if (count > MAX_NOTED) this.#noted = this.#noted.filter((_, i) => (count - i) % 2 === 1);
  }

  /** `durable`: the last revision that is as durable as promised. */
  at(durable: Revision): number {
    let passed = 0;
    for (const { revision, offset } of this.#noted) {
      if (revision > durable) break;
      this.#offset = offset;
      passed++;
    }
    if (passed > 0) this.#noted.splice(0, passed);
    return this.#offset;
  }
}
