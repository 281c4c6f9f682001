/**
 * XREAD and XREADGROUP: entries of several streams at once, now or when they come.
 *
 * Who waits is answered by the first stream that gets what he waits for, with that alone. His reply is written later, so it is
 * kept as a recording.
 */
import type { Session } from "../session/session.ts";
import { STREAM } from "../store/entry.ts";
import { StreamId } from "../store/stream-id.ts";
import type { Arguments } from "./arguments.ts";
import { readTimeoutMs } from "./blocking-timeout.ts";
import type { Command } from "./command.ts";
import { CommandError, shownArgument, syntaxError } from "./command-error.ts";
import type { Reply } from "./reply.ts";
import {
  type Delivery,
  deliverAgain,
  deliverNew,
  entriesBehind,
  type GroupRead,
  groupNamed,
} from "./stream-delivery.ts";
import { keptReply } from "./stream-reply.ts";
import { integerAt, readId, readStream, rootOf, streamsOf } from "./stream-value.ts";

const NOWHERE = -1;

/** The options in front of the streams. */
interface ReadOptions {
  /** Milliseconds, 0: for ever; NOWHERE: it does not wait. */
  timeoutMs: number;
  most: number;
  noAck: boolean;
  /** Argument of the group's name; the consumer's follows. NOWHERE: none is given. */
  groupAt: number;
  /** Arguments: the first key, and how many. */
  keysAt: number;
  keyCount: number;
}

/** A stream to read. */
interface Source {
  /** Argument of its key. */
  readonly at: number;
  /** What was delivered last. */
  readonly id: StreamId;
  /** `>`: what the group has not seen. */
  readonly isNew: boolean;
}

function readOptions(session: Session, args: Arguments, isGroup: boolean): ReadOptions {
  const options: ReadOptions = {
    timeoutMs: NOWHERE,
    most: 0,
    noAck: false,
    groupAt: NOWHERE,
    keysAt: 0,
    keyCount: 0,
  };
  for (let i = 1; i < args.count && options.keysAt === 0; i++) {
    const more = args.count - 1 - i;
    if (args.is(i, "BLOCK") && more > 0) {
      options.timeoutMs = readTimeoutMs(args, ++i, session.server.clock.now());
    } else if (args.is(i, "COUNT") && more > 0) {
      options.most = Math.max(integerAt(args, ++i), 0);
    } else if (args.is(i, "STREAMS") && more > 0) {
      options.keysAt = i + 1;
      options.keyCount = more / 2;
      if (more % 2 !== 0) throw unbalanced();
    } else if (args.is(i, "GROUP") && more > 1) {
      requireGroupCommand(isGroup, "GROUP");
      options.groupAt = i + 1;
      i += 2;
    } else if (args.is(i, "NOACK")) {
      requireGroupCommand(isGroup, "NOACK");
      options.noAck = true;
    } else throw syntaxError();
  }
  if (options.keysAt === 0) throw syntaxError();
  if (isGroup && options.groupAt === NOWHERE) {
    throw new CommandError("ERR", "Missing GROUP option for XREADGROUP");
  }
  if (options.most === 0) options.most = Number.POSITIVE_INFINITY;
  return options;
}

/** Of both commands the same words, as Redis 7.0 has them. */
function unbalanced(): CommandError {
  return new CommandError(
    "ERR",
    "Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified.",
  );
}

function requireGroupCommand(isGroup: boolean, option: string): void {
  if (isGroup) return;
  throw new CommandError(
    "ERR",
    `The ${option} option is only supported by XREADGROUP. You called XREAD instead.`,
  );
}

function readSource(
  session: Session,
  args: Arguments,
  options: ReadOptions,
  index: number,
): Source {
  const at = options.keysAt + index;
  const idAt = at + options.keyCount;
  const isGroup = options.groupAt !== NOWHERE;
  const entry = readStream(session, args, at);
  if (isGroup) requireGroup(session, args, at, options.groupAt, entry);
  const source = { at, id: new StreamId(), isNew: false };
  if (args.is(idAt, "$")) {
    if (isGroup) throw meaninglessId();
    if (entry !== 0) streamsOf(session).readLastId(rootOf(session, entry), source.id);
  } else if (args.is(idAt, ">")) {
    if (!isGroup) throw groupIdAlone();
    return { ...source, isNew: true };
  } else readId(args, idAt, source.id);
  return { ...source, isNew: isGroup && source.id.isGreatest };
}

function requireGroup(
  session: Session,
  args: Arguments,
  keyAt: number,
  groupAt: number,
  entry: number,
): number {
  const { buffer, start, end } = args;
  const group = entry === 0 ? 0 : groupNamed(session, entry, buffer, start[groupAt], end[groupAt]);
  if (group !== 0) return group;
  const [key, name] = [shownArgument(args, keyAt), shownArgument(args, groupAt)];
  throw new CommandError(
    "NOGROUP",
    `No such key '${key}' or consumer group '${name}' in XREADGROUP with GROUP option`,
  );
}

function meaninglessId(): CommandError {
  return new CommandError(
    "ERR",
    "The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set.",
  );
}

function groupIdAlone(): CommandError {
  return new CommandError(
    "ERR",
    "The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.",
  );
}

// ---- at once ----

function read(session: Session, args: Arguments, reply: Reply, isGroup: boolean): void {
  const options = readOptions(session, args, isGroup);
  const sources: Source[] = [];
  for (let i = 0; i < options.keyCount; i++) {
    sources.push(readSource(session, args, options, i));
  }
  const served: { readonly at: number; readonly delivery: Delivery }[] = [];
  for (const source of sources) {
    const delivery = deliver(session, args, options, source);
    if (delivery !== null) served.push({ at: source.at, delivery });
  }
  if (served.length > 0) {
    beginReply(session, served.length, reply);
    for (const { at, delivery } of served) {
      writeStream(session, args.buffer, args.start[at], args.end[at], delivery, reply);
    }
  } else if (options.timeoutMs === NOWHERE || !session.mayWait) reply.nullArray();
  else wait(session, args, options, sources);
}

/** What this stream has for the client at present; null: nothing. */
function deliver(
  session: Session,
  args: Arguments,
  options: ReadOptions,
  { at, id, isNew }: Source,
): Delivery | null {
  const entry = readStream(session, args, at);
  if (entry === 0) return null;
  if (options.groupAt === NOWHERE) {
    return entriesBehind(streamsOf(session), rootOf(session, entry), id, options.most);
  }
  const group = requireGroup(session, args, at, options.groupAt, entry);
  const read = groupRead(args, options, at);
  if (isNew) return deliverNew(session, entry, group, read);
  return deliverAgain(session, entry, group, read, id);
}

function groupRead(args: Arguments, options: ReadOptions, at: number): GroupRead {
  const { most, noAck, groupAt } = options;
  const names = {
    key: args.bytes(at),
    group: args.bytes(groupAt),
    consumer: args.bytes(groupAt + 1),
  };
  return { names, most, noAck };
}

/** A map by stream in RESP3, pairs in RESP2. */
function beginReply(session: Session, count: number, reply: Reply): void {
  if (session.protocol === 3) reply.map(count);
  else reply.array(count);
}

function writeStream(
  session: Session,
  key: Buffer,
  start: number,
  end: number,
  delivery: Delivery,
  reply: Reply,
): void {
  if (session.protocol !== 3) reply.array(2);
  reply.bulk(key, start, end);
  delivery.write(reply);
}

// ---- later ----

function wait(
  session: Session,
  args: Arguments,
  options: ReadOptions,
  sources: readonly Source[],
): void {
  const isGroup = options.groupAt !== NOWHERE;
  const keys = sources.map(({ at }) => args.bytes(at));
  const reads = isGroup ? sources.map(({ at }) => groupRead(args, options, at)) : [];
  const { most, timeoutMs } = options;
  session.server.blockedClients.wait({
    session,
    type: STREAM,
    keys,
    timeoutMs,
    serve(key, entry) {
      const index = keys.findIndex((one) => one.equals(key));
      const delivery = isGroup
        ? deliverToWaiting(session, entry, reads[index])
        : entriesBehind(streamsOf(session), rootOf(session, entry), sources[index].id, most);
      if (delivery === null) return null;
      return keptReply((reply) => {
        beginReply(session, 1, reply);
        writeStream(session, key, 0, key.length, delivery, reply);
      });
    },
    ...(isGroup && { missing: streamIsGone }),
    onTimeout: (reply) => reply.nullArray(),
  });
}

function deliverToWaiting(session: Session, entry: number, read: GroupRead): Delivery | null {
  const { group: name } = read.names;
  const group = groupNamed(session, entry, name, 0, name.length);
  if (group !== 0) return deliverNew(session, entry, group, read);
  throw new CommandError(
    "NOGROUP",
    "the consumer group this client was blocked on no longer exists",
  );
}

function streamIsGone(): never {
  throw new CommandError("UNBLOCKED", "the stream key no longer exists");
}

export const streamReadingCommands: readonly Command[] = [
  {
    name: "XREAD",
    arity: -4,
    flags: ["readonly", "blocking", "movablekeys"],
    group: "stream",
    keysBehind: { word: "STREAMS", from: 1 },
    since: "5.0.0",
    summary: "Returns the entries of streams behind an ID each, or waits for them.",
    syntax: "[COUNT count] [BLOCK milliseconds] STREAMS key [key ...] id [id ...]",
    run: (session, args, reply) => read(session, args, reply, false),
  },
  {
    name: "XREADGROUP",
    arity: -7,
    flags: ["write", "blocking", "movablekeys"],
    group: "stream",
    keysBehind: { word: "STREAMS", from: 4 },
    since: "5.0.0",
    summary:
      "Returns entries that no consumer of the group has had, or those pending for this one.",
    syntax:
      "GROUP group consumer [COUNT count] [BLOCK milliseconds] [NOACK] STREAMS key [key ...] id [id ...]",
    run: (session, args, reply) => read(session, args, reply, true),
  },
];
