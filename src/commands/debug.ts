/**
 * DEBUG: for tests and for whoever looks under the hood. One command with words of its own, as in Redis, whose error for
 * an unknown one or a wrong number of arguments is DEBUG's own.
 */
import { blockThread } from "../platform/block.ts";
import type { Session } from "../session/session.ts";
import { inlineSize } from "../store/entry.ts";
import type { Arguments } from "./arguments.ts";
import type { Command, Run } from "./command.ts";
import { CommandError, noSuchKey, shownArgument } from "./command-error.ts";
import { replyHelp } from "./container-help.ts";
import { keyspaceDigest, valueDigest } from "./digest.ts";
import { encodingName } from "./object.ts";
import type { Reply } from "./reply.ts";

interface Subcommand {
  readonly name: string;
  /** As of a command: DEBUG and the name included, negative: at least so many. */
  readonly arity: number;
  readonly syntax: string;
  readonly summary: string;
  readonly run: Run;
}

const SUBCOMMANDS: readonly Subcommand[] = [
  {
    name: "DIGEST",
    arity: 2,
    syntax: "",
    summary: "Returns one number for all data, the same as Redis for the same data.",
    run: (session, _args, reply) => reply.status(keyspaceDigest(session.server.keyspace)),
  },
  {
    name: "DIGEST-VALUE",
    arity: -2,
    syntax: "key [key ...]",
    summary: "Returns such a number for each value.",
    run: digestValues,
  },
  {
    name: "OBJECT",
    arity: 3,
    syntax: "key",
    summary: "Tells how a value is kept.",
    run: describeValue,
  },
  {
    name: "SET-ACTIVE-EXPIRE",
    arity: 3,
    syntax: "<0 | 1>",
    summary: "With 0, keys expire only when they are looked at.",
    run: setActiveExpiry,
  },
  {
    name: "SLEEP",
    arity: 3,
    syntax: "seconds",
    summary: "Stops the whole server for a while.",
    run: sleep,
  },
  {
    name: "TURN-CLOCK",
    arity: 3,
    syntax: "<0 | 1>",
    summary: "With 1, INFO debug tells the longest turn of the event loop by CPU time.",
    run: setTurnClock,
  },
  { name: "HELP", arity: 2, syntax: "", summary: "", run: help },
];

function debug(session: Session, args: Arguments, reply: Reply): void {
  const found = SUBCOMMANDS.find(({ name }) => args.is(1, name));
  const fits =
    found !== undefined &&
    (found.arity >= 0 ? args.count === found.arity : args.count >= -found.arity);
  if (!fits) {
    const name = shownArgument(args, 1, 128);
    throw new CommandError(
      "ERR",
      `unknown subcommand or wrong number of arguments for '${name}'. Try DEBUG HELP.`,
    );
  }
  found.run(session, args, reply);
}

function digestValues(session: Session, args: Arguments, reply: Reply): void {
  reply.array(args.count - 2);
  for (let i = 2; i < args.count; i++) {
    const entry = session.database.find(args.buffer, args.start[i], args.end[i]);
    reply.status(valueDigest(session.database, entry));
  }
}

/** Redis's line, which tools take apart. The address is the arena's; nothing is shared, and no time of use is kept. */
function describeValue(session: Session, args: Arguments, reply: Reply): void {
  const { database } = session;
  const entry = database.find(args.buffer, args.start[2], args.end[2]);
  if (entry === 0) throw noSuchKey();
  const address = (entry >>> 0).toString(16);
  const encoding = encodingName(database.arena, entry);
  const size = inlineSize(database.arena, entry);
  reply.status(
    `Value at:0x${address} refcount:1 encoding:${encoding} serializedlength:${size} lru:0 lru_seconds_idle:0`,
  );
}

/** As C's atoi: a text that begins with no number is 0. */
function setTurnClock(session: Session, args: Arguments, reply: Reply): void {
  session.server.turnClock.enabled = args.is(2, "1");
  reply.ok();
}

function setActiveExpiry(session: Session, args: Arguments, reply: Reply): void {
  const value = Number.parseInt(args.latin(2), 10);
  session.server.activeExpiry = !Number.isNaN(value) && value !== 0;
  reply.ok();
}

function sleep(session: Session, args: Arguments, reply: Reply): void {
  const seconds = Number.parseFloat(args.latin(2));
  if (seconds > 0) blockThread(seconds * 1000);
  // What follows in this turn must not believe that no time has passed.
  session.server.keyspace.nowMs = session.server.clock.now();
  reply.ok();
}

function help(_session: Session, _args: Arguments, reply: Reply): void {
  const lines = SUBCOMMANDS.filter(({ name }) => name !== "HELP").flatMap(
    ({ name, syntax, summary }) => [`${name} ${syntax}`.trimEnd(), `    ${summary}`],
  );
  replyHelp(reply, "DEBUG", lines);
}

export const debugCommands: readonly Command[] = [
  {
    name: "DEBUG",
    arity: -2,
    flags: ["admin", "noscript", "loading", "stale"],
    group: "server",
    since: "1.0.0",
    summary: "A container for commands that test and inspect the server.",
    syntax: "subcommand [argument [argument ...]]",
    run: debug,
  },
];
