/**
 * What an engine says of checkpoints and CHECK until the kernel has given it a persistence; in tests
 * for good. Not the plugin `none`, which is one.
 */
import { KvdbError } from "../errors.ts";
import type { CheckControl, CheckpointControl, CheckpointState } from "../session/server.ts";

const NONE_YET: CheckpointState = {
  inProgress: false,
  startedMs: 0,
  last: { revision: 0, timeMs: 0, bytes: 0, entries: 0 },
  lastDurationMs: 0,
  failure: null,
  count: 0,
  changes: 0,
};

export const NO_CHECKPOINTS: CheckpointControl = {
  obstacle: "there is no persistence",
  inProgress: false,
  of: () => NONE_YET,
  atStop: "never",
  isWantedAtStop: false,
  request: () => Promise.reject(new KvdbError("UNAVAILABLE", "there is no persistence")),
  cancel: () => false,
};

export const NO_CHECK: CheckControl = {
  obstacle: "there is no persistence",
  run: () => Promise.reject(new KvdbError("UNAVAILABLE", "there is no persistence")),
};
