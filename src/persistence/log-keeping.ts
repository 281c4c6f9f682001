/**
 * How much of the log is kept behind a checkpoint, for whoever follows the changes and was away for a while: the option
 * `keep`, the parameter `log-keep`. The invariant: what is kept is one stretch that ends at the log that counts.
 */
import { CommandError } from "../commands/command-error.ts";
import { parseMemorySize } from "../commands/memory-size.ts";
import type { Clock } from "../platform/clock.ts";
import type { Parameter } from "../plugin.ts";

/** When nobody says how much, and somebody reads: a consumer that is deployed anew is back before. */
const USUAL_BYTES = 64 * 1024 * 1024;

const DURATION = /^(\d{1,12})(s|m|h|d)$/;
const SIZE = /^(\d{1,15}|\d{1,15}(b|kb|mb|gb))$/i;
const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Of the option as a configuration has it. */
export const keepSchema = {
  type: ["string", "integer"],
  title: 'a size such as "64mb", a time such as "2h", or 0',
  pattern: "^([0-9]{1,15}([kKmMgG]?[bB])?|[0-9]{1,12}[smhd])$",
  minimum: 0,
  examples: ["1gb", "12h"],
  description:
    "How much of the log is kept behind a checkpoint, for CHANGES: a size, or a time (s, m, h, d). " +
    'Default: nothing until somebody asks for changes, then "64mb".',
} as const;

/** Bounds: either may be absent, and one that is absent bounds nothing. */
interface Bounds {
  readonly bytes: number;
  readonly ms: number;
}

/** A file that is covered by a checkpoint. */
export interface CoveredFile {
  /** On disk. */
  readonly bytes: number;
  /** Since when it is covered, in milliseconds since 1970. */
  readonly coveredMs: number;
}

export class LogKeeping {
  #text: string | undefined;
  readonly #clock: Clock;
  /** Somebody has followed the changes, in this life or in one before. */
  isFollowed = false;

  constructor(option: string | number | undefined, clock: Clock) {
    this.#text = option === undefined ? undefined : String(option);
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  /** The first of `files`, oldest first, that stays, with all behind it. */
  firstToStay(files: readonly CoveredFile[]): number {
    const { bytes, ms } = this.#bounds;
    const nowMs = this.#clock.now();
    let total = 0;
    let first = files.length;
    for (; first > 0; first--) {
      const file = files[first - 1] as CoveredFile;
      total += file.bytes;
      if (total > bytes || nowMs - file.coveredMs >= ms) break;
    }
    return first;
  }

  get #bounds(): Bounds {
    if (this.#text !== undefined) return boundsOf(this.#text);
    return { bytes: this.isFollowed ? USUAL_BYTES : 0, ms: Number.POSITIVE_INFINITY };
  }

  parameter(): Parameter {
    return {
      name: "log-keep",
      get: () => this.#text ?? "",
      set: (value) => {
        if (value !== "" && !DURATION.test(value) && !SIZE.test(value)) {
          const message = "argument must be a size such as 64mb, a time such as 2h, or empty";
          throw new CommandError("ERR", message);
        }
        this.#text = value === "" ? undefined : value;
      },
    };
  }
}

function boundsOf(text: string): Bounds {
  const duration = DURATION.exec(text);
  if (duration === null) {
    return { bytes: parseMemorySize(text) ?? 0, ms: Number.POSITIVE_INFINITY };
  }
  const ms = Number(duration[1]) * (UNIT_MS[duration[2] as string] as number);
  return { bytes: Number.POSITIVE_INFINITY, ms };
}
