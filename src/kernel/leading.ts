/** The side of replication that is followed, put together with the engine: its commands, its settings, and its place in the gate. */
import type { Gate } from "../commands/dispatch.ts";
import type { CommandTable } from "../commands/table.ts";
import type { ChangeFeed } from "../feed/change-feed.ts";
import type { Journal } from "../journal/journal.ts";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { Failover } from "../replication/failover.ts";
import { failoverCommand } from "../replication/failover-command.ts";
import { followerCommands } from "../replication/follower-commands.ts";
import { Followers } from "../replication/followers.ts";
import { leadingParameters, shutdownTimeout } from "../replication/leading-parameters.ts";
import type { ServerReplication } from "../replication/replication.ts";
import { ShutdownWait } from "../replication/shutdown-wait.ts";
import type { ReplicationStream } from "../replication/stream.ts";
import { waitCommand } from "../replication/wait-command.ts";
import { waitaofCommand } from "../replication/waitaof-command.ts";
import type { ClientPause } from "../session/client-pause.ts";
import type { OutputLimits } from "../session/output-limits.ts";
import type { ServerParameter } from "../session/server.ts";
import type { Keyspace } from "../store/keyspace.ts";
import { ENOUGH_REPLICAS, OF_REPLICA } from "./gate-steps.ts";

export interface LeadingParts {
  readonly stream: ReplicationStream;
  readonly replication: ServerReplication;
  readonly gate: Gate;
  readonly commands: CommandTable;
  readonly journal: Journal;
  readonly keyspace: Keyspace;
  readonly changes: ChangeFeed;
  readonly pause: ClientPause;
  readonly outputLimits: OutputLimits;
  readonly clock: Clock;
  readonly log: Log;
  addParameter(parameter: ServerParameter): void;
  /** This server follows another one. */
  isFollowing(): boolean;
}

export interface Leading {
  readonly followers: Followers;
  readonly shutdown: ShutdownWait;
}

export function leadReplicas(parts: LeadingParts): Leading {
  const { stream, replication, gate, commands, journal, keyspace, changes, clock } = parts;
  const log = parts.log.child("replication");
  const hurry = () => journal.disk.requestSync(keyspace.nextRevision - 1);
  const followers = new Followers({
    ...{ stream, clock, log, hurry },
    mark: () => Buffer.from(crypto.getRandomValues(new Uint8Array(20))).toString("hex"),
    replicaBit: gate.bit(OF_REPLICA),
    onEnough: (isEnough) => gate.setActive(ENOUGH_REPLICAS, !isEnough),
    onLate: (isLate) => changes.keepForLate(isLate ? mostKept(parts.outputLimits) : 0),
    onFed: (isFed) => {
      changes.feedsReplicas = isFed;
    },
    keptBytes: () => (stream.isInUse ? changes.usedBytes : 0),
    isJoining: () => journal.isJoining,
    isFollowing: () => parts.isFollowing(),
  });
  replication.leading = followers;
  stream.onOther = (reason) => followers.release(reason);
  const { pause } = parts;
  const failover = new Failover({ followers, replication, pause, clock, log, hurry });
  const shutdown = new ShutdownWait({ followers, stream, pause, clock, log, hurry });
  const waiting = [waitCommand(followers, stream), waitaofCommand(followers, stream)];
  const own = [...waiting, failoverCommand(failover)];
  commands.add([...followerCommands(followers), ...own], "kvdb");
  const keep = (bytes: number) => {
    changes.recentBytes = Math.max(changes.recentBytes, bytes);
  };
  const parameters = [...leadingParameters(followers, keep), shutdownTimeout(shutdown)];
  for (const parameter of parameters) parts.addParameter(parameter);
  return { followers, shutdown };
}

/** What Redis would keep for a replica that falls behind, before it lets it go. */
function mostKept({ byClass }: OutputLimits): number {
  return byClass.replica.hardBytes || Number.POSITIVE_INFINITY;
}
