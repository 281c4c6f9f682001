/**
 * What an engine says of checkpoints, CHECK, backups and its configuration until the kernel has given it what it needs; in
 * tests for good. Not the plugin `none`, which is one.
 */
import { KvdbError } from "../errors.ts";
import type { BackupControl } from "../session/backup-control.ts";
import type { ConfigurationControl } from "../session/configuration.ts";
import type { CheckControl, CheckpointControl, CheckpointState } from "../session/server.ts";

/** In Redis's words. */
export const NO_CONFIG_FILE = "The server is running without a config file";

const NO_PERSISTENCE = "there is no persistence";

const refuse = () => Promise.reject(new KvdbError("UNAVAILABLE", NO_PERSISTENCE));

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
  obstacle: NO_PERSISTENCE,
  inProgress: false,
  of: () => NONE_YET,
  atStop: "never",
  isWantedAtStop: false,
  request: refuse,
  cancel: () => false,
};

export const NO_CHECK: CheckControl = {
  obstacle: NO_PERSISTENCE,
  run: refuse,
};

export const NO_BACKUPS: BackupControl = {
  obstacle: NO_PERSISTENCE,
  status: {
    ...{ stage: "idle", share: undefined, startedMs: 0, last: undefined },
    ...{ existing: { count: 0, newestMs: 0, newestVerifiedMs: 0 }, nextMs: 0, missed: 0 },
  },
  see: async () => {},
  start: refuse,
  list: refuse,
  verify: refuse,
  restore: refuse,
  remove: refuse,
};

export const NO_CONFIGURATION: ConfigurationControl = {
  changed: () => {},
  rewrite: () => Promise.reject(new KvdbError("CONFIG", NO_CONFIG_FILE)),
};
