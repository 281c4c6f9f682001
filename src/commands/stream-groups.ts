/**
 * XGROUP: making and removing consumer groups and their consumers, and setting how far a group has read. What groups do is in
 * stream-reading.ts and stream-pending.ts.
 */
import type { Session } from "../session/session.ts";
import { UNKNOWN } from "../store/stream-groups.ts";
import { StreamId } from "../store/stream-id.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { CommandError, shownArgument } from "./command-error.ts";
import { helpSubcommand } from "./container-help.ts";
import { keyEvents, tellKey } from "./key-event.ts";
import type { Reply } from "./reply.ts";
import { groupNamed } from "./stream-delivery.ts";
import {
  findStream,
  integerAt,
  readBound,
  readId,
  rootOf,
  signalStream,
  streamsOf,
} from "./stream-value.ts";

const id = new StreamId();

interface GroupOptions {
  makesStream: boolean;
  entriesRead: number;
}

/** What stands behind the ID of CREATE and SETID. */
function readOptions(args: Arguments, isCreate: boolean): GroupOptions {
  const options = { makesStream: false, entriesRead: UNKNOWN };
  for (let i = 5; i < args.count; ) {
    if (isCreate && args.is(i, "MKSTREAM")) {
      options.makesStream = true;
      i++;
    } else if (args.is(i, "ENTRIESREAD") && i + 1 < args.count) {
      options.entriesRead = integerAt(args, i + 1);
      if (options.entriesRead < UNKNOWN) {
        throw new CommandError("ERR", "value for ENTRIESREAD must be positive or -1");
      }
      i += 2;
    } else throw wrongSubcommand(args, "XGROUP");
  }
  return options;
}

/** Options may stand there twice, but no more of them than there are; Redis looks the key and the group up first. */
function requireAtMost(args: Arguments, count: number): void {
  if (args.count > count) throw wrongSubcommand(args, "XGROUP");
}

export function wrongSubcommand(args: Arguments, container: string): CommandError {
  const name = shownArgument(args, 1, 128);
  return new CommandError(
    "ERR",
    `unknown subcommand or wrong number of arguments for '${name}'. Try ${container} HELP.`,
  );
}

/** The entry of argument 2, which must be there. */
function requireStream(session: Session, args: Arguments): number {
  const entry = findStream(session, args, 2);
  if (entry !== 0) return entry;
  throw new CommandError(
    "ERR",
    "The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically.",
  );
}

function findGroup(session: Session, args: Arguments, entry: number): number {
  return groupNamed(session, entry, args.buffer, args.start[3], args.end[3]);
}

function requireGroup(session: Session, args: Arguments, entry: number): number {
  const group = findGroup(session, args, entry);
  if (group !== 0) return group;
  const [name, key] = [shownArgument(args, 3), shownArgument(args, 2)];
  throw new CommandError("NOGROUP", `No such consumer group '${name}' for key name '${key}'`);
}

function create(session: Session, args: Arguments, reply: Reply): void {
  const { makesStream, entriesRead } = readOptions(args, true);
  const { database } = session;
  let entry = makesStream ? findStream(session, args, 2) : requireStream(session, args);
  requireAtMost(args, 8);
  if (!args.is(4, "$")) readId(args, 4, id);
  else if (entry === 0) id.setLeast();
  else streamsOf(session).readLastId(rootOf(session, entry), id);
  const { buffer, start, end } = args;
  const streams = streamsOf(session);
  if (entry === 0) entry = streams.create(database, buffer, start[2], end[2]);
  if (findGroup(session, args, entry) !== 0) {
    throw new CommandError("BUSYGROUP", "Consumer Group name already exists");
  }
  const root = rootOf(session, entry);
  streams.begin(database);
  const group = streams.groups.create(root, buffer, start[3], end[3], id);
  streams.groups.setEntriesRead(group, entriesRead);
  streams.end(database, entry, root);
  tellKey(session, keyEvents["xgroup-create"], args, 2);
  reply.ok();
}

function setId(session: Session, args: Arguments, reply: Reply): void {
  const { entriesRead } = readOptions(args, false);
  const entry = requireStream(session, args);
  const group = requireGroup(session, args, entry);
  requireAtMost(args, 7);
  const streams = streamsOf(session);
  const root = rootOf(session, entry);
  if (args.is(4, "$")) streams.readLastId(root, id);
  else readBound(args, 4, 0, id);
  streams.begin(session.database);
  streams.groups.setLastId(group, id);
  streams.groups.setEntriesRead(group, entriesRead);
  streams.end(session.database, entry, root);
  tellKey(session, keyEvents["xgroup-setid"], args, 2);
  reply.ok();
}

function destroy(session: Session, args: Arguments, reply: Reply): void {
  const entry = requireStream(session, args);
  const group = findGroup(session, args, entry);
  if (group !== 0) {
    const streams = streamsOf(session);
    const root = rootOf(session, entry);
    streams.begin(session.database);
    streams.groups.destroy(root, group);
    streams.end(session.database, entry, root);
    tellKey(session, keyEvents["xgroup-destroy"], args, 2);
    signalStream(session, args, 2);
  }
  reply.integer(group === 0 ? 0 : 1);
}

function findConsumer(session: Session, args: Arguments, group: number): number {
  const { consumers } = streamsOf(session).groups;
  return consumers.find(group, args.buffer, args.start[4], args.end[4]);
}

function createConsumer(session: Session, args: Arguments, reply: Reply): void {
  const entry = requireStream(session, args);
  const group = requireGroup(session, args, entry);
  const streams = streamsOf(session);
  const { nowMs } = session.server.keyspace;
  const found = findConsumer(session, args, group);
  // A client changes nothing about one that there is; a record says that it was seen.
  const isRecord = session.origin === "replay" || session.origin === "replica";
  if (found === 0 || isRecord) {
    streams.begin(session.database);
    if (found !== 0) streams.groups.setSeen(found, nowMs);
    else streams.groups.createConsumer(group, args.buffer, args.start[4], args.end[4], nowMs);
    streams.end(session.database, entry, rootOf(session, entry));
  }
  if (found === 0) tellKey(session, keyEvents["xgroup-createconsumer"], args, 2);
  reply.integer(found === 0 ? 1 : 0);
}

function deleteConsumer(session: Session, args: Arguments, reply: Reply): void {
  const entry = requireStream(session, args);
  const group = requireGroup(session, args, entry);
  const consumer = findConsumer(session, args, group);
  if (consumer === 0) {
    reply.integer(0);
    return;
  }
  const streams = streamsOf(session);
  const pending = streams.groups.pendingCount(consumer);
  streams.begin(session.database);
  streams.groups.deleteConsumer(group, consumer);
  streams.end(session.database, entry, rootOf(session, entry));
  tellKey(session, keyEvents["xgroup-delconsumer"], args, 2);
  reply.integer(pending);
}

const GROUP_COMMAND = { group: "stream", keys: [2, 2, 1] } as const satisfies Partial<Command>;

export const streamGroupCommands: readonly Command[] = [
  {
    name: "XGROUP",
    arity: -2,
    flags: [],
    group: "stream",
    since: "5.0.0",
    summary: "A container for commands about consumer groups.",
    syntax: "",
  },
  {
    ...GROUP_COMMAND,
    name: "XGROUP|CREATE",
    arity: -5,
    flags: ["write", "denyoom"],
    since: "5.0.0",
    summary: "Makes a consumer group that reads a stream from behind an ID on.",
    syntax: "key group <id | $> [MKSTREAM] [ENTRIESREAD entries-read]",
    run: create,
  },
  {
    ...GROUP_COMMAND,
    name: "XGROUP|CREATECONSUMER",
    arity: 5,
    flags: ["write", "denyoom"],
    since: "6.2.0",
    summary: "Makes a consumer of a group.",
    syntax: "key group consumer",
    run: createConsumer,
  },
  {
    ...GROUP_COMMAND,
    name: "XGROUP|DELCONSUMER",
    arity: 5,
    flags: ["write"],
    since: "5.0.0",
    summary: "Removes a consumer, and returns how many entries were pending for it.",
    syntax: "key group consumer",
    run: deleteConsumer,
  },
  {
    ...GROUP_COMMAND,
    name: "XGROUP|DESTROY",
    arity: 4,
    flags: ["write"],
    since: "5.0.0",
    summary: "Removes a consumer group.",
    syntax: "key group",
    run: destroy,
  },
  {
    ...GROUP_COMMAND,
    name: "XGROUP|SETID",
    arity: -5,
    flags: ["write"],
    since: "5.0.0",
    summary: "Sets behind which ID a group reads on.",
    syntax: "key group <id | $> [ENTRIESREAD entries-read]",
    run: setId,
  },
  helpSubcommand("XGROUP", "stream", "5.0.0"),
];
