/**
 * The default persistence: a write-ahead log. FORMAT.md beside this file draws what it leaves on
 * disk.
 */
import { definePlugin } from "kvdb";
import { compactionSchema, keepSchema, saveSchema } from "kvdb/persistence";
import { writeCheckpoint } from "./checkpoint-writer.ts";
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
      save: {
        ...saveSchema,
        description:
          "Seconds and changes: a checkpoint is written after so many seconds, if so many changes came. " +
          "Default: none, for the log keeps each change.",
      },
      keep: keepSchema,
      compaction: compactionSchema,
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
