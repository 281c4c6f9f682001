/**
 * Lists that are waited for: BLPOP BRPOP BLMPOP BLMOVE BRPOPLPUSH. Each tries at once, and waits when there is nothing
 * (session/blocked-clients.ts): where nobody can wait it answers as when the time is over.
 *
 * The record of each is the command that does the same without waiting: LPOP, RPOP, LMOVE.
 */
import type { WriteReply } from "../session/later-reply.ts";
import type { Session } from "../session/session.ts";
import { LIST } from "../store/entry.ts";
import type { KeyPlace } from "../store/key-place.ts";
import type { Arguments } from "./arguments.ts";
import { readTimeoutSeconds } from "./blocking-timeout.ts";
import type { Command } from "./command.ts";
import { readMultiplePop, replyKeyed } from "./list-ends.ts";
import {
  findList,
  keyPlace,
  type ListMove,
  moveElement,
  placeOfKey,
  popCopies,
  readEnd,
} from "./list-value.ts";
import type { Reply } from "./reply.ts";

/** Serves a client from the list under the key, whose look-up was the last. */
type Serve = (key: Buffer, entry: number) => WriteReply;

interface Wanted {
  /** Arguments [firstKey, firstKey + keyCount). */
  readonly firstKey: number;
  readonly keyCount: number;
  readonly timeoutMs: number;
  readonly serve: Serve;
}

const onTimeout: WriteReply = (reply) => reply.nullArray();

/** From the first of the keys that has a list, now or later. */
function serveOrWait(session: Session, args: Arguments, wanted: Wanted, reply: Reply): void {
  const { firstKey, keyCount, timeoutMs, serve } = wanted;
  for (let i = firstKey; i < firstKey + keyCount; i++) {
    const entry = findList(session, args, i);
    if (entry === 0) continue;
    serve(args.bytes(i), entry)(reply);
    return;
  }
  if (!session.mayWait) {
    onTimeout(reply);
    return;
  }
  const keys = Array.from({ length: keyCount }, (_, index) => args.bytes(firstKey + index));
  session.server.blockedClients.wait({ session, type: LIST, keys, timeoutMs, serve, onTimeout });
}

function blockingPop(atHead: boolean) {
  return (session: Session, args: Arguments, reply: Reply): void => {
    const timeoutMs = readTimeoutSeconds(session, args, args.count - 1);
    const serve: Serve = (key, entry) => {
      const place = placeOfKey(session, key);
      const [element] = popCopies(session, place, entry, { atHead, count: 1 });
      recordPop(session, key, atHead, 1);
      return (to) => {
        to.array(2);
        to.bulk(key, 0, key.length);
        to.bulk(element, 0, element.length);
      };
    };
    serveOrWait(session, args, { firstKey: 1, keyCount: args.count - 2, timeoutMs, serve }, reply);
  };
}

function blmpop(session: Session, args: Arguments, reply: Reply): void {
  const { firstKey, keyCount, atHead, count } = readMultiplePop(args, 2);
  const timeoutMs = readTimeoutSeconds(session, args, 1);
  const serve: Serve = (key, entry) => {
    const popped = popCopies(session, placeOfKey(session, key), entry, { atHead, count });
    recordPop(session, key, atHead, popped.length);
    return (to) => replyKeyed(key, popped, to);
  };
  serveOrWait(session, args, { firstKey, keyCount, timeoutMs, serve }, reply);
}

function blmove(session: Session, args: Arguments, reply: Reply): void {
  const [fromHead, toHead] = [readEnd(args, 3), readEnd(args, 4)];
  moveOrWait(session, args, { fromHead, toHead, timeout: 5 }, reply);
}

function brpoplpush(session: Session, args: Arguments, reply: Reply): void {
  moveOrWait(session, args, { fromHead: false, toHead: true, timeout: 3 }, reply);
}

interface MoveArguments {
  readonly fromHead: boolean;
  readonly toHead: boolean;
  /** The argument. */
  readonly timeout: number;
}

function moveOrWait(
  session: Session,
  args: Arguments,
  { fromHead, toHead, timeout }: MoveArguments,
  reply: Reply,
): void {
  const timeoutMs = readTimeoutSeconds(session, args, timeout);
  const [from, to] = [keyPlace(session, args, 1), keyPlace(session, args, 2)];
  const moved = moveElement(session, { from, fromHead, to, toHead });
  if (moved !== null) {
    recordMove(session, { from, fromHead, to, toHead });
    reply.bulk(moved, 0, moved.length);
    return;
  }
  if (!session.mayWait) {
    reply.null();
    return;
  }
  const target = args.bytes(2);
  const serve: Serve = (key) => {
    const move = {
      from: placeOfKey(session, key),
      fromHead,
      to: placeOfKey(session, target),
      toHead,
    };
    const element = moveElement(session, move) as Buffer;
    recordMove(session, move);
    return (later) => later.bulk(element, 0, element.length);
  };
  const keys = [args.bytes(1)];
  session.server.blockedClients.wait({ session, type: LIST, keys, timeoutMs, serve, onTimeout });
}

// ---- records ----

function recordPop(session: Session, key: Buffer, atHead: boolean, count: number): void {
  const { effects } = session.server;
  effects.command(count === 1 ? 2 : 3);
  effects.text(atHead ? "LPOP" : "RPOP");
  effects.bytes(key, 0, key.length);
  if (count !== 1) effects.integer(count);
}

function recordMove(session: Session, { from, fromHead, to, toHead }: ListMove): void {
  const { effects } = session.server;
  effects.command(5);
  effects.text("LMOVE");
  for (const { bytes, start, end } of [from, to] satisfies KeyPlace[]) {
    effects.bytes(bytes, start, end);
  }
  for (const atHead of [fromHead, toHead]) effects.text(atHead ? "LEFT" : "RIGHT");
}

const WAITING = ["write", "noscript", "blocking"] as const;
const WAITING_TO_MOVE = ["write", "denyoom", "noscript", "blocking"] as const;

export const listBlockingCommands: readonly Command[] = [
  {
    name: "BLPOP",
    arity: -3,
    flags: WAITING,
    group: "list",
    keys: [1, -2, 1],
    since: "2.0.0",
    summary: "Removes and returns the first element of the first list that has one; waits for it.",
    syntax: "key [key ...] timeout",
    run: blockingPop(true),
  },
  {
    name: "BRPOP",
    arity: -3,
    flags: WAITING,
    group: "list",
    keys: [1, -2, 1],
    since: "2.0.0",
    summary: "Removes and returns the last element of the first list that has one; waits for it.",
    syntax: "key [key ...] timeout",
    run: blockingPop(false),
  },
  {
    name: "BLMOVE",
    arity: 6,
    flags: WAITING_TO_MOVE,
    group: "list",
    keys: [1, 2, 1],
    since: "6.2.0",
    summary:
      "Moves an element from a list to another one and returns it; waits until there is one.",
    syntax: "source destination <LEFT | RIGHT> <LEFT | RIGHT> timeout",
    run: blmove,
  },
  {
    name: "BRPOPLPUSH",
    arity: 4,
    flags: WAITING_TO_MOVE,
    group: "list",
    keys: [1, 2, 1],
    since: "2.2.0",
    summary:
      "Moves the last element of a list to the head of another one; waits until there is one.",
    syntax: "source destination timeout",
    run: brpoplpush,
  },
  {
    name: "BLMPOP",
    arity: -5,
    flags: ["write", "blocking", "movablekeys"],
    group: "list",
    keysCountedAt: 2,
    since: "7.0.0",
    summary:
      "Removes and returns elements of the first list that has some; waits until there are any.",
    syntax: "timeout numkeys key [key ...] <LEFT | RIGHT> [COUNT count]",
    run: blmpop,
  },
];
