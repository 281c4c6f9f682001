/** How many bytes the rows of one answer take until they have left, and that they do not take all that there is. */
import { CommandError } from "../commands/command-error.ts";
import { MAX_FOUND_BYTES } from "../limits.ts";
import type { Row, SortedRow } from "./row.ts";

/** Of two buffers, and the row itself. */
const ROW_BYTES = 256;

export class RowBudget {
  readonly #most: number;
  #held = 0;

  constructor(most = MAX_FOUND_BYTES) {
    this.#most = most;
  }

  /** Throws a CommandError when there would be too many. */
  take(row: Row): void {
    this.#held += bytesOf(row);
    if (this.#held <= this.#most) return;
    const size = `${Math.floor(this.#most / 2 ** 20)} MiB`;
    throw new CommandError(
      "ERR",
      `the answer takes more than ${size}: use LIMIT, FIELDS or CURSOR`,
    );
  }

  /** It is not kept after all. */
  giveBack(row: Row): void {
    this.#held -= bytesOf(row);
  }
}

function bytesOf({ key, text, place }: Row & Partial<SortedRow>): number {
  return ROW_BYTES + key.length + text.length + (place?.length ?? 0);
}
