/**
 * XCLAIM and XAUTOCLAIM: a consumer takes over what is pending for another. An entry that the stream does not have any more is not
 * pending any more either, once somebody wants to claim it.
 *
 * Records: XCLAIM with moments and counts fixed, XACK for what is gone, XGROUP SETID for LASTID alone.
 */
import type { Session } from "../session/session.ts";
import { compareIds, StreamId } from "../store/stream-id.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { CommandError, shownArgument, syntaxError } from "./command-error.ts";
import type { Reply } from "./reply.ts";
import {
  type Claim,
  type GroupNames,
  recordAcknowledged,
  recordClaims,
  recordPosition,
} from "./stream-claims.ts";
import { seenConsumer } from "./stream-delivery.ts";
import { requireGroup } from "./stream-pending.ts";
import {
  readId,
  readStart,
  readStream,
  replyEntry,
  replyId,
  requireStream,
  rootOf,
  streamsOf,
  tryId,
} from "./stream-value.ts";

/** How the claimed entries are to be pending. */
interface ClaimOptions {
  /** Those idle for less stay with whoever has them. */
  leastIdleMs: number;
  deliveredMs: number;
  /** -1: one more than before. */
  deliveryCount: number;
  /** Entries that are not pending become it. */
  isForced: boolean;
  /** The reply is IDs alone, and the count stays. */
  isIdOnly: boolean;
  lastId: StreamId | null;
}

function namesOf(args: Arguments): GroupNames {
  return { key: args.bytes(1), group: args.bytes(2), consumer: args.bytes(3) };
}

function leastIdle(args: Arguments, command: string): number {
  return Math.max(namedInteger(args, 4, `min-idle-time argument for ${command}`), 0);
}

function namedInteger(args: Arguments, index: number, what: string): number {
  const value = args.integer(index);
  if (Number.isNaN(value)) throw new CommandError("ERR", `Invalid ${what}`);
  return value;
}

/** The entries that a command has claimed, and those that were gone. */
class Claims {
  readonly taken: Claim[] = [];
  readonly gone: StreamId[] = [];
  readonly #session: Session;
  readonly #root: number;
  readonly #group: number;
  readonly #names: GroupNames;
  readonly #options: ClaimOptions;
  /** It is made when it gets its first entry; 0: not yet. */
  #consumer = 0;

  constructor(
    session: Session,
    place: { readonly root: number; readonly group: number; readonly names: GroupNames },
    options: ClaimOptions,
  ) {
    this.#session = session;
    this.#root = place.root;
    this.#group = place.group;
    this.#names = place.names;
    this.#options = options;
  }

  /** Claims this entry, if it may be; `id` may be used for another one afterwards. */
  take(id: StreamId): void {
    const streams = streamsOf(this.#session);
    const { groups } = streams;
    const options = this.#options;
    if (!streams.has(this.#root, id)) {
      if (groups.acknowledge(this.#group, id)) this.gone.push(new StreamId().copy(id));
      return;
    }
    const isPending = groups.findPending(this.#group, id);
    if (!isPending && !options.isForced) return;
    const { nowMs } = this.#session.server.keyspace;
    if (isPending && options.leastIdleMs > 0 && nowMs - groups.deliveredMs < options.leastIdleMs) {
      return;
    }
    if (this.#consumer === 0) {
      this.#consumer = seenConsumer(this.#session, this.#names, this.#group);
      groups.findPending(this.#group, id);
    }
    const before = isPending ? groups.deliveryCount : 1;
    const added = options.isIdOnly ? 0 : 1;
    const count = options.deliveryCount >= 0 ? options.deliveryCount : before + added;
    groups.assign(this.#group, this.#consumer, id, options.deliveredMs, count);
    this.taken.push({ id: new StreamId().copy(id), deliveryCount: count });
  }

  reply(reply: Reply): void {
    const { cursor } = streamsOf(this.#session);
    reply.array(this.taken.length);
    for (const { id } of this.taken) {
      if (this.#options.isIdOnly) {
        replyId(id, reply);
        continue;
      }
      cursor.begin(this.#root, id, id, false);
      cursor.next();
      replyEntry(cursor, reply);
    }
  }

  get isEmpty(): boolean {
    return this.taken.length + this.gone.length === 0;
  }

  record(): void {
    const [session, names] = [this.#session, this.#names];
    recordAcknowledged(session, names, this.gone);
    recordClaims(session, names, this.#group, this.taken, this.#options.deliveredMs);
  }
}

// ---- XCLAIM ----

function xclaim(session: Session, args: Arguments, reply: Reply): void {
  const entry = readStream(session, args, 1);
  const group = requireGroup(session, args, entry);
  const leastIdleMs = leastIdle(args, "XCLAIM");
  const id = new StreamId();
  let idsEnd = 5;
  while (idsEnd < args.count && tryId(args, idsEnd, id)) idsEnd++;
  const options = readClaimOptions(session, args, idsEnd, leastIdleMs);
  const streams = streamsOf(session);
  const { groups } = streams;
  const root = rootOf(session, entry);
  const names = namesOf(args);
  const moves =
    options.lastId !== null && compareIds(options.lastId, groups.readLastId(group, id)) > 0;
  streams.begin(session.database);
  if (moves) groups.setLastId(group, options.lastId as StreamId);
  const claims = new Claims(session, { root, group, names }, options);
  for (let i = 5; i < idsEnd; i++) claims.take(readId(args, i, id));
  if (moves || !claims.isEmpty) streams.end(session.database, entry, root);
  claims.record();
  if (moves && claims.taken.length === 0) recordPosition(session, names, group);
  claims.reply(reply);
}

function readClaimOptions(
  session: Session,
  args: Arguments,
  at: number,
  leastIdleMs: number,
): ClaimOptions {
  const { nowMs } = session.server.keyspace;
  const options: ClaimOptions = {
    leastIdleMs,
    deliveredMs: nowMs,
    deliveryCount: -1,
    isForced: false,
    isIdOnly: false,
    lastId: null,
  };
  const what = (name: string) => `${name} option argument for XCLAIM`;
  for (let i = at; i < args.count; i++) {
    const hasMore = i + 1 < args.count;
    if (args.is(i, "FORCE")) options.isForced = true;
    else if (args.is(i, "JUSTID")) options.isIdOnly = true;
    else if (args.is(i, "IDLE") && hasMore) {
      options.deliveredMs = nowMs - namedInteger(args, ++i, what("IDLE"));
    } else if (args.is(i, "TIME") && hasMore) {
      options.deliveredMs = namedInteger(args, ++i, what("TIME"));
    } else if (args.is(i, "RETRYCOUNT") && hasMore) {
      options.deliveryCount = namedInteger(args, ++i, what("RETRYCOUNT"));
    } else if (args.is(i, "LASTID") && hasMore) {
      options.lastId = readId(args, ++i, new StreamId());
    } else {
      throw new CommandError("ERR", `Unrecognized XCLAIM option '${shownArgument(args, i)}'`);
    }
  }
  // A clock that is ahead of this one is no reason to fail.
  if (options.deliveredMs < 0 || options.deliveredMs > nowMs) options.deliveredMs = nowMs;
  return options;
}

// ---- XAUTOCLAIM ----

const DEFAULT_COUNT = 100;
/** Entries that are looked at for each that is asked for, since many may not be idle enough. */
const TRIES = 10;
/** Redis's bound for what fits into memory: 2^63 over ten attempts, or over an ID's 16 bytes. */
const MOST = 2 ** 63 / 16;

function xautoclaim(session: Session, args: Arguments, reply: Reply): void {
  // Redis looks for the key before it reads the rest, and judges its type behind.
  const found = session.database.read(args.buffer, args.start[1], args.end[1]);
  const leastIdleMs = leastIdle(args, "XAUTOCLAIM");
  const next = readStart(args, 5, new StreamId());
  let count = DEFAULT_COUNT;
  let isIdOnly = false;
  for (let i = 6; i < args.count; i++) {
    if (args.is(i, "COUNT") && i + 1 < args.count) count = readCount(args, ++i);
    else if (args.is(i, "JUSTID")) isIdOnly = true;
    else throw syntaxError();
  }
  const entry = requireStream(session, found);
  const group = requireGroup(session, args, entry);
  const streams = streamsOf(session);
  const root = rootOf(session, entry);
  const names = namesOf(args);
  const { nowMs } = session.server.keyspace;
  streams.begin(session.database);
  const claims = new Claims(
    session,
    { root, group, names },
    {
      leastIdleMs,
      deliveredMs: nowMs,
      deliveryCount: -1,
      isForced: false,
      isIdOnly,
      lastId: null,
    },
  );
  const hasMore = claimFrom(session, group, next, count, claims);
  if (!claims.isEmpty) streams.end(session.database, entry, root);
  claims.record();
  reply.array(3);
  replyId(hasMore ? next : next.setLeast(), reply);
  claims.reply(reply);
  reply.array(claims.gone.length);
  for (const id of claims.gone) replyId(id, reply);
}

function readCount(args: Arguments, index: number): number {
  const count = args.integer(index);
  if (count >= 1 && count <= MOST) return count;
  throw new CommandError("ERR", "COUNT must be > 0");
}

/** Claims from `next` on, and leaves there where it ended; false: it came to the end. */
function claimFrom(
  session: Session,
  group: number,
  next: StreamId,
  count: number,
  claims: Claims,
): boolean {
  const { groups } = streamsOf(session);
  const walk = groups.groupWalk;
  let attempts = count * TRIES;
  // Claiming may remove the entry from the tree: each is looked for anew.
  while (walk.begin(groups.pendingTree(group), next)) {
    next.copy(walk.id);
    if (attempts-- === 0 || claims.taken.length + claims.gone.length >= count) return true;
    claims.take(next);
    if (!next.increment()) return false;
  }
  return false;
}

const CLAIM_COMMAND = {
  arity: -6,
  flags: ["write", "fast"],
  group: "stream",
  keys: [1, 1, 1],
} as const satisfies Partial<Command>;

export const streamClaimingCommands: readonly Command[] = [
  {
    ...CLAIM_COMMAND,
    name: "XCLAIM",
    since: "5.0.0",
    summary:
      "Lets a consumer take over entries that are pending for another one, and returns them.",
    syntax:
      "key group consumer min-idle-time id [id ...] [IDLE ms] [TIME unix-time-milliseconds] [RETRYCOUNT count] [FORCE] [JUSTID] [LASTID lastid]",
    run: xclaim,
  },
  {
    ...CLAIM_COMMAND,
    name: "XAUTOCLAIM",
    since: "6.2.0",
    summary: "Lets a consumer take over entries that are pending for long, and returns them.",
    syntax: "key group consumer min-idle-time start [COUNT count] [JUSTID]",
    run: xautoclaim,
  },
];
