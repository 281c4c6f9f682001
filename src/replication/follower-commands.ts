/**
 * What replicas say to the server that they follow: REPLCONF, PSYNC, and SYNC of old. Their answers are not replies: PSYNC is
 * answered in the stream that begins with it, an acknowledgement by nothing at all.
 */
import type { Arguments } from "../commands/arguments.ts";
import type { Command, CommandFlag } from "../commands/command.ts";
import {
  CommandError,
  notAnInteger,
  shownArgument,
  syntaxError,
} from "../commands/command-error.ts";
import type { Reply } from "../commands/reply.ts";
import type { Session } from "../session/session.ts";
import type { Announced } from "./follower.ts";
import type { Followers } from "./followers.ts";

/** As Redis: the longest name of a host with its end. */
const MAX_HOST_BYTES = 256;

// ---- REPLCONF ----

function replconf(followers: Followers) {
  return (session: Session, args: Arguments, reply: Reply): void => {
    if (args.count % 2 === 0) throw syntaxError();
    const announced = followers.announced(session);
    for (let i = 1; i < args.count; i += 2) {
      if (args.is(i, "ACK")) {
        acknowledge(followers, session, args, i + 1);
        saySilently(session, reply);
        return;
      }
      if (args.is(i, "GETACK")) {
        // A primary asks so within its stream, where it is answered; of anybody else it means nothing.
        saySilently(session, reply);
        return;
      }
      announce(announced, args, i);
    }
    reply.ok();
  };
}

/** Whoever has no connection to be silent on waits for a reply. */
function saySilently({ client }: Session, reply: Reply): void {
  if (client.beginStream === undefined) reply.ok();
}

function acknowledge(followers: Followers, session: Session, args: Arguments, index: number): void {
  const offset = args.integer(index);
  if (!Number.isSafeInteger(offset)) return;
  const hasSynced = args.count > index + 2 && args.is(index + 1, "FACK");
  const synced = hasSynced ? args.integer(index + 2) : Number.NaN;
  followers.acknowledge(session, offset, Number.isSafeInteger(synced) ? synced : undefined);
}

function announce(announced: Announced, args: Arguments, index: number): void {
  const value = index + 1;
  if (args.is(index, "LISTENING-PORT")) announced.port = readInteger(args, value);
  else if (args.is(index, "IP-ADDRESS")) announced.ip = readHost(args, value);
  else if (args.is(index, "CAPA")) {
    // Others may come: a replica tells what it can, not what it needs.
    if (args.is(value, "EOF")) announced.takesGrowing = true;
    else if (args.is(value, "PSYNC2")) announced.takesId = true;
  } else if (args.is(index, "RDB-ONLY")) {
    announced.isCopyOnly = readFlag(args, value);
  } else if (args.is(index, "RDB-FILTER-ONLY")) {
    announced.isWithoutData = readFilter(args, value);
  } else {
    const option = shownArgument(args, index);
    throw new CommandError("ERR", `Unrecognized REPLCONF option: ${option}`);
  }
}

function readInteger(args: Arguments, index: number): number {
  const value = args.integer(index);
  if (Number.isNaN(value)) throw notAnInteger();
  return value;
}

function readHost(args: Arguments, index: number): string {
  const bytes = args.bytes(index).length;
  if (bytes < MAX_HOST_BYTES) return args.text(index);
  const message = `REPLCONF ip-address provided by replica instance is too long: ${bytes} bytes`;
  throw new CommandError("ERR", message);
}

function readFlag(args: Arguments, index: number): boolean {
  const value = readInteger(args, index);
  if (value === 0 || value === 1) return value === 1;
  throw new CommandError("ERR", "value is out of range, value must between 0 and 1");
}

/** Redis's only filter is `functions`, of which there are none: whatever is left, it is no data. */
function readFilter(args: Arguments, index: number): true {
  const words = args.text(index).split(/\s+/);
  const unknown = words.find((word) => word !== "" && word.toLowerCase() !== "functions");
  if (unknown === undefined) return true;
  throw new CommandError("ERR", `Unsupported rdb-filter-only option: ${unknown}`);
}

// ---- PSYNC and SYNC ----

function psync(followers: Followers) {
  return (session: Session, args: Arguments): void => {
    if (mayNotBegin(session)) return;
    const isFailover = args.count > 3 && args.is(3, "FAILOVER");
    const leading = isFailover ? takeOver(session, args) : undefined;
    if (leading === undefined) requireLink(session, followers);
    const id = args.latin(1);
    const offset = readInteger(args, 2);
    followers.begin(session, { id: id.toLowerCase(), offset }, leading);
  };
}

function sync(followers: Followers) {
  return (session: Session): void => {
    if (mayNotBegin(session)) return;
    requireLink(session, followers);
    followers.begin(session, null);
  };
}

/** It is a replica already, or was made something like one by MONITOR: Redis ignores it. */
function mayNotBegin({ isReplica, isMonitor, client }: Session): boolean {
  if (client.beginStream === undefined) {
    throw new CommandError("ERR", "nobody can be a replica here: connect to a port of this server");
  }
  return isReplica || isMonitor;
}

/** The primary that this server follows asks it to take its place. Resolves when it has, and the stream goes on under its id. */
function takeOver(session: Session, args: Arguments): Promise<void> {
  const { replication } = session.server;
  if (replication.role === "master") {
    throw new CommandError("ERR", "PSYNC FAILOVER can't be sent to a master.");
  }
  if (!args.is(1, replication.stream.id.toUpperCase())) {
    throw new CommandError("ERR", "PSYNC FAILOVER replid must match my replid.");
  }
  return replication.lead();
}

function requireLink({ server }: Session, followers: Followers): void {
  if (followers.maker === null) throw new CommandError("ERR", followers.obstacle);
  if (followers.failoverState !== "no-failover") {
    throw new CommandError("NOMASTERLINK", "Can't SYNC while failing over");
  }
  const { primary } = server.replication;
  if (primary !== null && primary.link !== "connected") {
    throw new CommandError("NOMASTERLINK", "Can't SYNC while not connected with my master");
  }
}

const FLAGS: readonly CommandFlag[] = ["admin", "noscript", "no_async_loading", "no_multi"];

export function followerCommands(followers: Followers): readonly Command[] {
  return [
    {
      name: "REPLCONF",
      arity: -1,
      flags: ["admin", "noscript", "loading", "stale", "allow_busy"],
      group: "server",
      since: "3.0.0",
      summary:
        "Tells a server about the replica that speaks: what it can, and how far it has come.",
      syntax: "",
      run: replconf(followers),
    },
    {
      name: "PSYNC",
      arity: -3,
      flags: FLAGS,
      group: "server",
      since: "2.8.0",
      summary: "Makes the connection a replica's, which goes on where it was if it can.",
      syntax: "replicationid offset",
      run: psync(followers),
    },
    {
      name: "SYNC",
      arity: 1,
      flags: FLAGS,
      group: "server",
      since: "1.0.0",
      summary: "Makes the connection a replica's, which gets all data.",
      syntax: "",
      run: sync(followers),
    },
  ];
}

/** What a replica may send besides: a second PSYNC is ignored. */
export const OF_REPLICAS: ReadonlySet<string> = new Set(["REPLCONF", "PSYNC", "SYNC"]);
