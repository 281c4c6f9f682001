/** Transactions: MULTI, EXEC, DISCARD, WATCH, UNWATCH. What they do is src/transaction's; here is what they take and answer. */
import type { Session } from "../session/session.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { CommandError, syntaxError } from "./command-error.ts";
import { wrongArity } from "./refusal-words.ts";
import type { Reply } from "./reply.ts";

/** Redis's has no argument: what is not kvdb's own word is refused as Redis refuses it. */
function multi(session: Session, args: Arguments, reply: Reply): void {
  if (args.count > 1 && !args.is(1, "ROLLBACK")) {
    session.transaction?.fail();
    throw new CommandError("ERR", wrongArity("MULTI"));
  }
  if (args.count > 2) throw syntaxError();
  session.server.transactions.begin(session, args.count === 2);
  reply.ok();
}

function discard(session: Session, _args: Arguments, reply: Reply): void {
  session.server.transactions.discard(session);
  reply.ok();
}

function watch(session: Session, args: Arguments, reply: Reply): void {
  session.server.transactions.watch(session, args);
  reply.ok();
}

function unwatch(session: Session, _args: Arguments, reply: Reply): void {
  session.server.transactions.unwatch(session);
  reply.ok();
}

export const transactionCommands: readonly Command[] = [
  {
    name: "MULTI",
    arity: -1,
    flags: ["noscript", "loading", "stale", "fast", "allow_busy"],
    group: "transactions",
    since: "1.2.0",
    summary:
      "Begins a transaction: what follows is queued until EXEC. ROLLBACK: an error undoes all.",
    syntax: "[ROLLBACK]",
    run: multi,
  },
  {
    name: "EXEC",
    arity: 1,
    flags: ["noscript", "loading", "stale", "skip_slowlog"],
    group: "transactions",
    since: "1.2.0",
    summary: "Runs everything that is queued, as one change.",
    syntax: "",
    run: (session, args, reply) => session.server.transactions.execute(session, args, reply),
  },
  {
    name: "DISCARD",
    arity: 1,
    flags: ["noscript", "loading", "stale", "fast", "allow_busy"],
    group: "transactions",
    since: "2.0.0",
    summary: "Forgets what is queued.",
    syntax: "",
    run: discard,
  },
  {
    name: "WATCH",
    arity: -2,
    flags: ["noscript", "loading", "stale", "fast", "allow_busy"],
    group: "transactions",
    keys: [1, -1, 1],
    since: "2.2.0",
    summary: "Lets the next EXEC do nothing if one of the keys changes before.",
    syntax: "key [key ...]",
    run: watch,
  },
  {
    name: "UNWATCH",
    arity: 1,
    flags: ["noscript", "loading", "stale", "fast", "allow_busy"],
    group: "transactions",
    since: "2.2.0",
    summary: "Watches no key any more.",
    syntax: "",
    run: unwatch,
  },
];
