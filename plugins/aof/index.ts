/**
 * Redis's persistence: an append-only file in Redis's own layout, which redis-server 7 loads and
 * which loads what redis-server has written; or an RDB alone. FORMAT.md beside this file draws what
 * it leaves on disk.
 */
import { definePlugin } from "kvdb";
import { compactionSchema, keepSchema, saveSchema } from "kvdb/persistence";
import { Aof } from "./aof.ts";
import { writeCheckpoint } from "./checkpoint-writer.ts";
import type { AofOptions } from "./options.ts";

/** A name and no path: Redis refuses others too. Those that begin with `kvdb.` are the kernel's own files. */
const NAME_PATTERN = "^(?!\\.{1,2}$|kvdb\\.)[^/\\\\\\u0000-\\u001f]+$";

export default definePlugin<AofOptions>({
  name: "aof",
  apiVersion: 1,
  schema: {
    type: "object",
    properties: {
      appendonly: {
        type: "boolean",
        default: true,
        description: "Each change is kept, in the append-only file. false: only what is saved.",
      },
      fsync: {
        enum: ["always", "everysec", "no"],
        default: "always",
        description:
          "always: replies wait until the write is on disk. everysec: at most the last second is lost. " +
          "no: the operating system decides.",
      },
      save: {
        ...saveSchema,
        description:
          "Seconds and changes: an RDB is saved after so many seconds, if so many changes came. " +
          'Default: none with appendonly, else Redis\'s "3600 1 300 100 60 10000".',
      },
      dbfilename: {
        type: "string",
        title: "a file name",
        pattern: NAME_PATTERN,
        default: "dump.rdb",
        description: "The RDB, in the data folder.",
      },
      appenddirname: {
        type: "string",
        title: "a folder name",
        pattern: NAME_PATTERN,
        default: "appendonlydir",
        description: "The folder of the append-only file, in the data folder.",
      },
      appendfilename: {
        type: "string",
        title: "a file name",
        pattern: NAME_PATTERN,
        default: "appendonly.aof",
        description: "What its files begin with.",
      },
      "aof-use-rdb-preamble": {
        type: "boolean",
        default: true,
        description: "A rewrite makes an RDB. false: commands, which anybody can read.",
      },
      "aof-timestamp-enabled": {
        type: "boolean",
        default: false,
        description: "Redis's annotations with the time, each second.",
      },
      compaction: compactionSchema,
      keep: keepSchema,
      compression: {
        type: "integer",
        minimum: 0,
        maximum: 19,
        default: 0,
        description:
          "Level of zstd for files of the log that are full and are going to stay; 0: none. " +
          "redis-server refuses such files.",
      },
      segmentBytes: {
        type: "integer",
        minimum: 4096,
        examples: [67108864],
        description: "Length at which a new file of the log is begun, in bytes. Default: 67108864.",
      },
    },
    additionalProperties: false,
  },
  persistence: (options, context) => new Aof(options, context),
  writeCheckpoint,
});
