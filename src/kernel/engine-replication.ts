/**
 * Replication, put together with the engine: the stream, the replicas that follow this server (leading.ts), and what it takes
 * to follow another one (engine-following.ts).
 */
import type { Followers } from "../replication/followers.ts";
import { LoggedStream } from "../replication/logged-stream.ts";
import { replicaofCommands } from "../replication/replicaof-commands.ts";
import { ServerReplication } from "../replication/replication.ts";
import type { ShutdownWait } from "../replication/shutdown-wait.ts";
import { EngineFollowing, type EngineFollowingParts } from "./engine-following.ts";
import { type LeadingParts, leadReplicas } from "./leading.ts";

export type EngineReplicationParts = Omit<LeadingParts, "stream" | "replication" | "isFollowing"> &
  EngineFollowingParts;

export function engineReplication(parts: EngineReplicationParts): {
  readonly stream: LoggedStream;
  readonly replication: ServerReplication;
  readonly followers: Followers;
  readonly shutdown: ShutdownWait;
  readonly following: EngineFollowing;
} {
  const { journal, changes, commands, addParameter } = parts;
  const log = parts.log.child("replication");
  const stream = new LoggedStream({ journal, feed: changes, log });
  const replication = new ServerReplication(stream);
  const following = new EngineFollowing(parts);
  const isFollowing = () => following.duties.isFollowing;
  const { followers, shutdown } = leadReplicas({ ...parts, stream, replication, isFollowing });
  following.duties.onRole = () => followers.roleChanged();
  for (const parameter of following.settings.parameters()) addParameter(parameter);
  commands.add(replicaofCommands, "kvdb");
  return { stream, replication, followers, shutdown, following };
}
