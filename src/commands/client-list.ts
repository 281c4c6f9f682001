/**
 * The lines of CLIENT LIST and CLIENT INFO: one for each session, in the order they were opened, with the fields of Redis
 * 7.0 in its order. Fields about what kvdb does not have (file descriptors shown to clients, buffers of a fixed size)
 * hold what Redis shows for none. lib-name and lib-ver follow once CLIENT SETINFO set them.
 */
import { isSubscribed } from "../pubsub/pubsub.ts";
import type { Server } from "../session/server.ts";
import type { Session } from "../session/session.ts";
import type { Arguments } from "./arguments.ts";
import { redirectionOf } from "./client-tracking.ts";
import { CommandError, shownArgument, syntaxError } from "./command-error.ts";
import { displayName } from "./refusal-words.ts";
import type { Reply } from "./reply.ts";

/** Redis's words for what a client may be. */
export type ClientType = "normal" | "replica" | "pubsub" | "master";

export function clientList(session: Session, args: Arguments, reply: Reply): void {
  const chosen = chosenSessions(session, args);
  reply.verbatim(chosen.map((one) => `${clientLine(one)}\n`).join(""), "txt");
}

export function clientInfo(session: Session, _args: Arguments, reply: Reply): void {
  reply.verbatim(`${clientLine(session)}\n`, "txt");
}

/** All of clients, and that to the primary while its stream comes, in the order they were opened. */
export function connections({ sessions, replication }: Server): readonly Session[] {
  const all = [...sessions.values()];
  const primary = replication.primary?.session;
  return primary ? [...all, primary].sort((one, other) => one.id - other.id) : all;
}

function chosenSessions(session: Session, args: Arguments): readonly Session[] {
  const all = connections(session.server);
  if (args.count === 2) return all;
  if (args.count === 4 && args.is(2, "TYPE")) {
    const type = readClientType(args, 3);
    return all.filter((one) => typeOfClient(one) === type);
  }
  if (args.count > 3 && args.is(2, "ID")) return sessionsById(session, args);
  throw syntaxError();
}

/** In the order asked for; an id that is not there is left out, one asked for twice is there twice. */
function sessionsById(session: Session, args: Arguments): readonly Session[] {
  const all = new Map(connections(session.server).map((one) => [one.id, one]));
  const found: Session[] = [];
  for (let i = 3; i < args.count; i++) {
    const id = args.integer(i);
    if (Number.isNaN(id)) throw new CommandError("ERR", "Invalid client ID");
    const one = all.get(id);
    if (one !== undefined) found.push(one);
  }
  return found;
}

export function readClientType(args: Arguments, index: number): ClientType {
  if (args.is(index, "NORMAL")) return "normal";
  if (args.is(index, "SLAVE") || args.is(index, "REPLICA")) return "replica";
  if (args.is(index, "PUBSUB")) return "pubsub";
  if (args.is(index, "MASTER")) return "master";
  throw new CommandError("ERR", `Unknown client type '${shownArgument(args, index)}'`);
}

export function typeOfClient(session: Session): ClientType {
  if (isPrimary(session)) return "master";
  if (session.isReplica) return "replica";
  return isSubscribed(session) ? "pubsub" : "normal";
}

/** Through it the stream of the primary comes. */
function isPrimary({ origin }: Session): boolean {
  return origin === "replica";
}

export function clientLine(session: Session): string {
  const { client, server } = session;
  const nowMs = server.keyspace.nowMs;
  const inputBytes = client.inputBytes();
  const outputBytes = client.outputBytes();
  const fields: Record<string, string | number> = {
    id: session.id,
    addr: client.address,
    laddr: client.localAddress,
    fd: -1,
    name: session.name,
    age: wholeSeconds(nowMs - session.createdMs),
    idle: wholeSeconds(nowMs - session.lastCommandMs),
    flags: flagsOf(session),
    db: session.database.index,
    sub: session.subscriptions?.channel.size ?? 0,
    psub: session.subscriptions?.pattern.size ?? 0,
    ssub: session.subscriptions?.shard.size ?? 0,
    multi: session.transaction?.count ?? -1,
    ...{ qbuf: inputBytes, "qbuf-free": 0, "argv-mem": 0 },
    "multi-mem": session.transaction?.bytes ?? 0,
    ...{ rbs: 0, rbp: 0, obl: 0, oll: 0 },
    omem: outputBytes,
    "tot-mem": inputBytes + outputBytes + session.keptBytes,
    events: outputBytes > 0 ? "rw" : "r",
    cmd: session.lastCommand === "" ? "NULL" : displayName(session.lastCommand),
    user: session.user,
    redir: redirectionOf(session),
    resp: session.protocol,
    ...(session.libraryName === "" ? {} : { "lib-name": session.libraryName }),
    ...(session.libraryVersion === "" ? {} : { "lib-ver": session.libraryVersion }),
  };
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${value}`)
    .join(" ");
}

/** The clock of the turn may stand before that of the connection. */
function wholeSeconds(ms: number): number {
  return Math.max(0, Math.floor(ms / 1000));
}

function trackingFlags({ tracker }: Session): string {
  if (tracker === null || !tracker.isOn) return "";
  return `t${tracker.isBroken ? "R" : ""}${tracker.isBroadcast ? "B" : ""}`;
}

function flagsOf(session: Session): string {
  // Redis has monitors for a kind of replicas, which is told by the other letter alone.
  const follows = session.isReplica ? "S" : "";
  const leads = isPrimary(session) ? "M" : "";
  const monitors = session.isMonitor ? "O" : "";
  const waits = session.later?.isPending ? "b" : "";
  const queues = session.transaction === null ? "" : "x";
  const isTouched = session.watch?.isTouched ? "d" : "";
  const subscribes = isSubscribed(session) ? "P" : "";
  const tracks = trackingFlags(session);
  const isLocal = session.client.address.startsWith("/") ? "U" : "";
  const others = `${isLocal}${session.noEvict ? "e" : ""}${session.noTouch ? "T" : ""}`;
  const flags = `${follows}${leads}${monitors}${queues}${subscribes}${waits}${tracks}${isTouched}${others}`;
  return flags === "" ? "N" : flags;
}
