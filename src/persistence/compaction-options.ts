/**
 * When the log is compacted, as the configuration and CONFIG SET say it: the options with their
 * defaults, and Redis's two parameters for them.
 */
import { readMemorySize, readWholeNumber } from "../commands/parameter-values.ts";
import { KvdbError } from "../errors.ts";
import { readCronSchedule, type Schedule } from "../platform/cron-schedule.ts";
import type { Parameter } from "../plugin.ts";

/** All of them together: whichever comes first. */
export interface CompactionOptions {
  /** The log since the last checkpoint is so many times as long as the checkpoint; 0: never for that. */
  readonly ratio?: number;
  /** The log is at least so long when the ratio counts. */
  readonly minBytes?: number;
  /** The log is longer than this, whatever the checkpoint. */
  readonly maxBytes?: number;
  /** So long after the last checkpoint, when anything changed. */
  readonly everySeconds?: number;
  /** A cron expression: when anything changed. */
  readonly schedule?: string;
  /** Of the schedule, an IANA name; the system's when it is absent. */
  readonly timeZone?: string;
}

/**
 * A log as long as the checkpoint: no folder is much over twice its data, and each byte is written
 * twice, once here and once there.
 */
export const DEFAULT_RATIO = 1;

/**
 * With the zeros written ahead, 256 KiB at most: a small store that is changed now and then, or by
 * one command after the other, stays under 1 MiB. One that is overwritten all the time: see
 * compaction.ts.
 */
export const DEFAULT_MIN_BYTES = 512 * 1024;

/** Redis's bound on the percentage: a signed number of 32 bits. */
const MAX_PERCENTAGE = 2 ** 31 - 1;

/** Of the options as a configuration has them. */
export const compactionSchema = {
  type: "object",
  description:
    "When the log is replaced by a checkpoint, in the background: whichever comes first.",
  properties: {
    ratio: {
      type: "number",
      minimum: 0,
      default: DEFAULT_RATIO,
      description:
        "When it is so many times as long as the last checkpoint; 0: never for that. " +
        "As auto-aof-rewrite-percentage, divided by 100.",
    },
    minBytes: {
      type: "integer",
      minimum: 0,
      default: DEFAULT_MIN_BYTES,
      description: "A shorter log is left alone by the ratio. As auto-aof-rewrite-min-size.",
    },
    maxBytes: {
      type: "integer",
      minimum: 65536,
      examples: [1073741824],
      description: "When it is so long, whatever the ratio.",
    },
    everySeconds: {
      type: "integer",
      minimum: 1,
      examples: [3600],
      description: "So long after the last checkpoint, when anything was changed.",
    },
    schedule: {
      type: "string",
      examples: ["0 3 * * *"],
      description: "At these times, when anything was changed: minute hour day month weekday.",
    },
    timeZone: {
      type: "string",
      examples: ["Europe/Zurich"],
      description: "Of the schedule. Default: the system's.",
    },
  },
  additionalProperties: false,
} as const;

/** What holds now; CONFIG SET changes the first two. */
export class CompactionLimits {
  ratio: number;
  minBytes: number;
  readonly maxBytes: number;
  readonly everyMs: number | undefined;
  readonly schedule: Schedule | undefined;

  constructor(options: CompactionOptions, nowMs: number) {
    this.ratio = options.ratio ?? DEFAULT_RATIO;
    this.minBytes = options.minBytes ?? DEFAULT_MIN_BYTES;
    this.maxBytes = options.maxBytes ?? Number.POSITIVE_INFINITY;
    this.everyMs = options.everySeconds === undefined ? undefined : options.everySeconds * 1000;
    this.schedule = readSchedule(options, nowMs);
  }

  /** The log is not longer than this. */
  longestLog(checkpointBytes: number): number {
    const byRatio =
      this.ratio > 0
        ? Math.max(this.minBytes, this.ratio * checkpointBytes)
        : Number.POSITIVE_INFINITY;
    return Math.min(byRatio, this.maxBytes);
  }

  parameters(): Parameter[] {
    return [
      {
        name: "auto-aof-rewrite-percentage",
        get: () => String(Math.round(this.ratio * 100)),
        set: (value) => {
          this.ratio = readWholeNumber(value, 0, MAX_PERCENTAGE) / 100;
        },
      },
      {
        name: "auto-aof-rewrite-min-size",
        get: () => String(this.minBytes),
        set: (value) => {
          this.minBytes = readMemorySize(value);
        },
      },
    ];
  }
}

function readSchedule(options: CompactionOptions, nowMs: number): Schedule | undefined {
  const { schedule, timeZone } = options;
  if (schedule === undefined) {
    if (timeZone === undefined) return undefined;
    throw new KvdbError("CONFIG", "compaction: timeZone says nothing without schedule");
  }
  try {
    return readCronSchedule(schedule, timeZone, nowMs);
  } catch (error) {
    throw error instanceof KvdbError ? error.prefix("compaction") : error;
  }
}
