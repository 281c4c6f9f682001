/**
 * The persistence that people read and edit: all data in one JSON file, replaced as a whole. What was
 * changed since the last save is lost with the process. FORMAT.md beside this file describes it.
 */
import { definePlugin } from "kvdb";
import { JsonSnapshot } from "./json-snapshot.ts";
import { RULES_PATTERN } from "./save-rules.ts";
import type { SnapshotOptions } from "./snapshot-file.ts";
import { writeSnapshot } from "./snapshot-writer.ts";

const RULES_TITLE = 'pairs of seconds and changes, such as "60 1000"';

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
      save: {
        type: ["string", "array"],
        title: RULES_TITLE,
        pattern: RULES_PATTERN,
        items: { type: "string", title: RULES_TITLE, pattern: RULES_PATTERN },
        examples: ["60 1000", "3600 1 300 100"],
        description:
          "Seconds and changes: it is saved after so many seconds, if so many changes came. " +
          'Empty: only at a stop and by SAVE. Default: "3600 1 300 100 60 10000".',
      },
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
