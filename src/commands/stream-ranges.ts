/** XRANGE and XREVRANGE: the entries of a stream between two IDs. */
import type { Session } from "../session/session.ts";
import { StreamId } from "../store/stream-id.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { syntaxError } from "./command-error.ts";
import type { Reply } from "./reply.ts";
import {
  integerAt,
  readEnd,
  readStart,
  readStream,
  replyEntry,
  rootOf,
  streamsOf,
} from "./stream-value.ts";

const from = new StreamId();
const to = new StreamId();

function range(session: Session, args: Arguments, reply: Reply, isReverse: boolean): void {
  readStart(args, isReverse ? 3 : 2, from);
  readEnd(args, isReverse ? 2 : 3, to);
  let most = Number.POSITIVE_INFINITY;
  for (let i = 4; i < args.count; i += 2) {
    if (!args.is(i, "COUNT") || i + 1 === args.count) throw syntaxError();
    most = Math.max(integerAt(args, i + 1), 0);
  }
  const entry = readStream(session, args, 1);
  if (entry === 0) reply.array(0);
  else if (most === 0) reply.nullArray();
  else replyRange(session, rootOf(session, entry), isReverse, most, reply);
}

function replyRange(
  session: Session,
  root: number,
  isReverse: boolean,
  most: number,
  reply: Reply,
): void {
  const { cursor } = streamsOf(session);
  const count = cursor.count(root, from, to, most);
  reply.array(count);
  if (isReverse) cursor.begin(root, from, to, true);
  else if (count > 0) cursor.beginAt(cursor.firstPlace);
  for (let i = 0; i < count && cursor.next(); i++) replyEntry(cursor, reply);
}

const RANGE_COMMAND = {
  arity: -4,
  flags: ["readonly"],
  group: "stream",
  keys: [1, 1, 1],
  since: "5.0.0",
} as const satisfies Partial<Command>;

export const streamRangeCommands: readonly Command[] = [
  {
    ...RANGE_COMMAND,
    name: "XRANGE",
    summary: "Returns the entries of a stream between two IDs.",
    syntax: "key start end [COUNT count]",
    run: (session, args, reply) => range(session, args, reply, false),
  },
  {
    ...RANGE_COMMAND,
    name: "XREVRANGE",
    summary: "Returns the entries of a stream between two IDs, the last one first.",
    syntax: "key end start [COUNT count]",
    run: (session, args, reply) => range(session, args, reply, true),
  },
];
