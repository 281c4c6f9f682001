/**
 * The persistence that keeps nothing: no file, no journal, an empty start. For caches, and to
 * measure what others cost.
 */
import { definePlugin, type LoadReport, type Persistence } from "kvdb";

export default definePlugin<Record<string, never>>({
  name: "none",
  apiVersion: 1,
  schema: { type: "object", properties: {}, additionalProperties: false },
  persistence: () => keepNothing,
});

const nothing: LoadReport = { records: 0, bytes: 0, lastRevision: 0, clean: true, dropped: [] };

/**
 * Without state, so every folder may share it. The journal never appends to it: its durability says
 * so.
 */
const keepNothing: Persistence = {
  supports: { records: false, checkpoints: false },
  durability: "none",
  async open() {},
  async load() {
    return nothing;
  },
  append() {},
  async flush() {},
  async close() {},
};
