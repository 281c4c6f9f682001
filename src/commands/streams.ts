/**
 * Streams as a log: adding entries, deleting them, trimming. Ranges are in stream-ranges.ts, consumer groups in
 * stream-groups.ts.
 *
 * Records: XADD with the ID that it gave and the length that it left; XTRIM with that length where whole nodes were meant, since
 * elsewhere the nodes may be others.
 */
import type { Session } from "../session/session.ts";
import { compareIds, StreamId } from "../store/stream-id.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { CommandError, noSuchKey, syntaxError } from "./command-error.ts";
import { keyEvents, tellKey } from "./key-event.ts";
import { wrongArity } from "./refusal-words.ts";
import type { Reply } from "./reply.ts";
import { StreamTrimming } from "./stream-trimming.ts";
import {
  findStream,
  integerAt,
  readId,
  readStream,
  recordId,
  replyId,
  rootOf,
  signalStream,
  streamsOf,
} from "./stream-value.ts";

const XADD = Buffer.from("XADD");
const XTRIM = Buffer.from("XTRIM");
const MAXLEN = Buffer.from("MAXLEN");
const EXACT = Buffer.from("=");

const trimming = new StreamTrimming();
const last = new StreamId();
const id = new StreamId();

// ---- XADD ----

function xadd(session: Session, args: Arguments, reply: Reply): void {
  trimming.readForAdd(session, args);
  const first = trimming.idIndex + 1;
  const words = args.count - first;
  if (words < 2 || words % 2 !== 0) {
    throw new CommandError("ERR", wrongArity("XADD"));
  }
  if (!trimming.isAutomatic && !trimming.isSequenceOpen && trimming.id.isLeast) {
    throw new CommandError("ERR", "The ID specified in XADD must be greater than 0-0");
  }
  const { database } = session;
  const streams = streamsOf(session);
  let entry = findStream(session, args, 1);
  if (entry === 0 && !trimming.makesStream) {
    reply.null();
    return;
  }
  chooseId(session, entry);
  if (entry === 0) entry = streams.create(database, args.buffer, args.start[1], args.end[1]);
  const root = rootOf(session, entry);
  streams.begin(database);
  streams.append(root, id, args, first, words / 2);
  const trimmed = trimming.isGiven ? streams.trim(root, trimming) : 0;
  streams.end(database, entry, root);
  tellKey(session, keyEvents.xadd, args);
  if (trimmed > 0) tellKey(session, keyEvents.xtrim, args);
  if (trimming.isAutomatic || trimming.isSequenceOpen || trimming.isApproximate) {
    recordAddition(session, args, streams.length(root));
  }
  signalStream(session, args, 1);
  replyId(id, reply);
}

/** Sets `id`: that of the new entry of the stream, or of the first one of a new stream. */
function chooseId(session: Session, entry: number): void {
  if (entry === 0) last.setLeast();
  else streamsOf(session).readLastId(rootOf(session, entry), last);
  if (last.isGreatest) {
    throw new CommandError(
      "ERR",
      "The stream has exhausted the last possible ID, unable to add more items",
    );
  }
  if (trimming.isAutomatic) {
    id.setNumbers(session.server.keyspace.nowMs, 0);
    if (compareIds(id, last) <= 0) id.copy(last).increment();
    return;
  }
  id.copy(trimming.id);
  const isSameMs = id.msHigh === last.msHigh && id.msLow === last.msLow;
  if (trimming.isSequenceOpen && isSameMs) {
    // The greatest sequence has no next one: the ID stays and is refused.
    id.copy(last);
    if ((id.seqHigh & id.seqLow) !== -1) id.increment();
  }
  if (compareIds(id, last) <= 0) {
    throw new CommandError(
      "ERR",
      "The ID specified in XADD is equal or smaller than the target stream top item",
    );
  }
}

function recordAddition(session: Session, args: Arguments, length: number): void {
  const { effects } = session.server;
  const fields = trimming.idIndex + 1;
  effects.command(3 + (trimming.isGiven ? 3 : 0) + args.count - fields);
  effects.bytes(XADD, 0, XADD.length);
  effects.bytes(args.buffer, args.start[1], args.end[1]);
  if (trimming.isGiven) recordLength(session, length);
  recordId(session, id);
  for (let i = fields; i < args.count; i++) {
    effects.bytes(args.buffer, args.start[i], args.end[i]);
  }
}

function recordLength(session: Session, length: number): void {
  const { effects } = session.server;
  effects.bytes(MAXLEN, 0, MAXLEN.length);
  effects.bytes(EXACT, 0, EXACT.length);
  effects.integer(length);
}

// ---- the others ----

function xlen(session: Session, args: Arguments, reply: Reply): void {
  const entry = readStream(session, args, 1);
  reply.integer(entry === 0 ? 0 : streamsOf(session).length(rootOf(session, entry)));
}

function xdel(session: Session, args: Arguments, reply: Reply): void {
  const entry = findStream(session, args, 1);
  // All are read before any is deleted: a bad one changes nothing.
  if (entry !== 0) for (let i = 2; i < args.count; i++) readId(args, i, id);
  if (entry === 0) {
    reply.integer(0);
    return;
  }
  const streams = streamsOf(session);
  const root = rootOf(session, entry);
  let deleted = 0;
  streams.begin(session.database);
  for (let i = 2; i < args.count; i++) {
    if (streams.delete(root, readId(args, i, id))) deleted++;
  }
  if (deleted > 0) {
    streams.end(session.database, entry, root);
    tellKey(session, keyEvents.xdel, args);
  }
  reply.integer(deleted);
}

function xtrim(session: Session, args: Arguments, reply: Reply): void {
  trimming.readForTrim(session, args);
  const entry = findStream(session, args, 1);
  if (entry === 0) {
    reply.integer(0);
    return;
  }
  const streams = streamsOf(session);
  const root = rootOf(session, entry);
  streams.begin(session.database);
  const deleted = streams.trim(root, trimming);
  if (deleted > 0) {
    streams.end(session.database, entry, root);
    tellKey(session, keyEvents.xtrim, args);
    if (trimming.isApproximate) {
      const { effects } = session.server;
      effects.command(5);
      effects.bytes(XTRIM, 0, XTRIM.length);
      effects.bytes(args.buffer, args.start[1], args.end[1]);
      recordLength(session, streams.length(root));
    }
  }
  reply.integer(deleted);
}

const deletedId = new StreamId();

function xsetid(session: Session, args: Arguments, reply: Reply): void {
  readId(args, 2, id);
  const added = readSetidOptions(args);
  const entry = findStream(session, args, 1);
  if (entry === 0) throw noSuchKey();
  const streams = streamsOf(session);
  const root = rootOf(session, entry);
  requireSetid(session, root, added);
  streams.begin(session.database);
  streams.setLastId(root, id);
  if (added >= 0) streams.setEntriesAdded(root, added);
  if (!deletedId.isLeast) streams.setDeletedId(root, deletedId);
  streams.end(session.database, entry, root);
  tellKey(session, keyEvents.xsetid, args);
  reply.ok();
}

/** Answers how many entries were added ever, -1 when that is not given; sets `deletedId`, 0-0 when it is not. */
function readSetidOptions(args: Arguments): number {
  let added = -1;
  deletedId.setLeast();
  for (let i = 3; i < args.count; i += 2) {
    if (i + 1 === args.count) throw syntaxError();
    if (args.is(i, "ENTRIESADDED")) {
      added = integerAt(args, i + 1);
      if (added < 0) throw new CommandError("ERR", "entries_added must be positive");
    } else if (args.is(i, "MAXDELETEDID")) {
      readId(args, i + 1, deletedId);
      if (compareIds(id, deletedId) < 0) throw smallerId("the provided max_deleted_entry_id");
    } else throw syntaxError();
  }
  return added;
}

function requireSetid(session: Session, root: number, added: number): void {
  const streams = streamsOf(session);
  if (streams.length(root) === 0) return;
  if (compareIds(id, streams.readTopId(root, last)) < 0) {
    throw smallerId("the target stream top item");
  }
  if (added >= 0 && streams.length(root) > added) {
    throw new CommandError(
      "ERR",
      "The entries_added specified in XSETID is smaller than the target stream length",
    );
  }
}

function smallerId(than: string): CommandError {
  return new CommandError("ERR", `The ID specified in XSETID is smaller than ${than}`);
}

const STREAM_COMMAND = { group: "stream", keys: [1, 1, 1] } as const satisfies Partial<Command>;

export const streamCommands: readonly Command[] = [
  {
    ...STREAM_COMMAND,
    name: "XADD",
    arity: -5,
    flags: ["write", "denyoom", "fast"],
    since: "5.0.0",
    summary: "Adds an entry to a stream, which is made if need be, and returns its ID.",
    syntax:
      "key [NOMKSTREAM] [<MAXLEN | MINID> [= | ~] threshold [LIMIT count]] <* | id> field value [field value ...]",
    run: xadd,
  },
  {
    ...STREAM_COMMAND,
    name: "XLEN",
    arity: 2,
    flags: ["readonly", "fast"],
    since: "5.0.0",
    summary: "Returns the number of entries of a stream.",
    syntax: "key",
    run: xlen,
  },
  {
    ...STREAM_COMMAND,
    name: "XDEL",
    arity: -3,
    flags: ["write", "fast"],
    since: "5.0.0",
    summary: "Deletes entries of a stream and returns how many there were.",
    syntax: "key id [id ...]",
    run: xdel,
  },
  {
    ...STREAM_COMMAND,
    name: "XTRIM",
    arity: -4,
    flags: ["write"],
    since: "5.0.0",
    summary: "Deletes the first entries of a stream and returns how many.",
    syntax: "key <MAXLEN | MINID> [= | ~] threshold [LIMIT count]",
    run: xtrim,
  },
  {
    ...STREAM_COMMAND,
    name: "XSETID",
    arity: -3,
    flags: ["write", "denyoom", "fast"],
    since: "5.0.0",
    summary: "Sets the last ID of a stream, as replicas and conversions need it.",
    syntax: "key last-id [ENTRIESADDED entries-added] [MAXDELETEDID max-deleted-id]",
    run: xsetid,
  },
];
