/**
 * The default persistence: a write-ahead log. FORMAT.md beside this file draws what it leaves on
 * disk.
 */
import { definePlugin } from "kvdb";
import { writeCheckpoint } from "./checkpoint-writer.ts";
import { DEFAULT_MIN_BYTES, DEFAULT_RATIO } from "./compaction-options.ts";
import { Wal, type WalOptions } from "./wal.ts";

export default definePlugin<WalOptions>({
  name: "wal",
  apiVersion: 1,
  schema: {
    type: "object",
    properties: {
      fsync: {
        enum: ["always", "everysec", "no"],
        default: "always",
        description:
          "always: replies wait until the write is on disk. everysec: at most the last second is lost. " +
          "no: the operating system decides.",
      },
      segmentBytes: {
        type: "integer",
        minimum: 4096,
        examples: [67108864],
        description: "Length at which a new file of the log is begun, in bytes. Default: 67108864.",
      },
      compaction: {
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
            description:
              "At these times, when anything was changed: minute hour day month weekday.",
          },
          timeZone: {
            type: "string",
            examples: ["Europe/Zurich"],
            description: "Of the schedule. Default: the system's.",
          },
        },
        additionalProperties: false,
      },
      compression: {
        type: "object",
        description: "How far files are compressed, with zstd. Files of every kind are read.",
        properties: {
          checkpoints: {
            type: "integer",
            minimum: 0,
            maximum: 19,
            default: 1,
            description: "Level of zstd for checkpoints; 0: none.",
          },
          segments: {
            type: "integer",
            minimum: 0,
            maximum: 19,
            default: 1,
            description: "The same for files of the log that are full and are going to stay.",
          },
        },
        additionalProperties: false,
      },
    },
    additionalProperties: false,
  },
  persistence: (options, context) => new Wal(options, context),
  writeCheckpoint,
});
