/**
 * The commands that every kvdb has, whatever its configuration, for help and completion: those of the core, and those on
 * indexes, statistics, changes and replicas, which an engine makes of what they work on. Nobody runs them.
 */
import type { Command } from "../commands/command.ts";
import { coreCommands } from "../commands/index.ts";
import { changesInfo } from "../feed/changes-command.ts";
import { findCommands } from "../find/find-commands.ts";
import { indexCommands } from "../index/index-commands.ts";
import { Indexes } from "../index/indexes.ts";
import { BigKeys } from "../metrics/big-keys.ts";
import { HotKeys } from "../metrics/hot-keys.ts";
import { insightCommands } from "../metrics/insight-commands.ts";
import { LatencyEvents } from "../metrics/latency-events.ts";
import { Slowlog } from "../metrics/slowlog.ts";
import { seededRandom } from "../platform/random.ts";
import { failoverCommand } from "../replication/failover-command.ts";
import { followerCommands } from "../replication/follower-commands.ts";
import { replicaofCommands } from "../replication/replicaof-commands.ts";
import { waitCommand } from "../replication/wait-command.ts";
import { Keyspace } from "../store/keyspace.ts";

export function ownCommands(): readonly Command[] {
  const nothing = { databases: 1, hashKey: [0, 0] as const, random: seededRandom(0), nowMs: 0 };
  const keyspace = new Keyspace(nothing);
  const indexes = new Indexes(keyspace, () => {});
  const insight = {
    slowlog: new Slowlog(),
    latency: new LatencyEvents(() => 0),
    hotKeys: new HotKeys(() => 0),
    bigKeys: new BigKeys(keyspace),
  };
  const changes: Command = { ...changesInfo, run: () => {} };
  const nobody = undefined as never;
  return [
    ...coreCommands,
    ...insightCommands(insight),
    ...indexCommands(indexes),
    ...findCommands(indexes),
    changes,
    ...replicaofCommands,
    ...followerCommands(nobody),
    ...[waitCommand(nobody, nobody), failoverCommand(nobody)],
  ];
}
