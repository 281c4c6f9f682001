/**
 * The persistence that people read and edit: all data in one JSON file, replaced as a whole. What was
 * changed since the last save is lost with the process. FORMAT.md beside this file describes it.
 */
import { definePlugin } from "kvdb";
import { saveSchema } from "kvdb/persistence";
import { JsonSnapshot } from "./json-snapshot.ts";
import type { SnapshotOptions } from "./snapshot-file.ts";
import { writeSnapshot } from "./snapshot-writer.ts";

export default definePlugin<SnapshotOptions>({
  name: "json-snapshot",
  apiVersion: 1,
  schema: {
    type: "object",
    properties: {
      file: {
        type: "string",
        title: "a path",
        minLength: 1,
        format: "path",
        description: "The file. Default: database.json in the data folder.",
      },
      save: saveSchema,
      every: {
        type: "integer",
        minimum: 1,
        maximum: 999_999_999,
        description: "Seconds after which it is saved, if anything has changed.",
      },
    },
    additionalProperties: false,
  },
  persistence: (options, context) => new JsonSnapshot(options, context),
  writeCheckpoint: writeSnapshot,
});
