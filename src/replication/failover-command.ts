/** FAILOVER, the command. What it does is in failover.ts. */
import type { Arguments } from "../commands/arguments.ts";
import type { Command } from "../commands/command.ts";
import { CommandError, notAnInteger, syntaxError } from "../commands/command-error.ts";
import type { Reply } from "../commands/reply.ts";
import type { Session } from "../session/session.ts";
import type { Failover, FailoverTarget } from "./failover.ts";

function run(failover: Failover) {
  return (_session: Session, args: Arguments, reply: Reply): void => {
    if (args.count === 2 && args.is(1, "ABORT")) failover.abort();
    else failover.begin(readOptions(args));
    reply.ok();
  };
}

function readOptions(args: Arguments) {
  let target: FailoverTarget | null = null;
  let timeoutMs = 0;
  let isForced = false;
  for (let i = 1; i < args.count; i++) {
    if (args.is(i, "TIMEOUT") && i + 1 < args.count && timeoutMs === 0) {
      timeoutMs = readTimeout(args, ++i);
    } else if (args.is(i, "TO") && i + 2 < args.count && target === null) {
      target = { host: args.text(i + 1), port: readInteger(args, i + 2) };
      i += 2;
    } else if (args.is(i, "FORCE") && !isForced) isForced = true;
    else throw syntaxError();
  }
  return { target, timeoutMs, isForced };
}

function readTimeout(args: Arguments, index: number): number {
  const timeoutMs = readInteger(args, index);
  if (timeoutMs > 0) return timeoutMs;
  throw new CommandError("ERR", "FAILOVER timeout must be greater than 0");
}

function readInteger(args: Arguments, index: number): number {
  const value = args.integer(index);
  if (Number.isNaN(value)) throw notAnInteger();
  return value;
}

export function failoverCommand(failover: Failover): Command {
  return {
    name: "FAILOVER",
    arity: -1,
    flags: ["admin", "noscript", "stale"],
    group: "server",
    since: "6.2.0",
    summary: "Changes places with a replica, without losing a write.",
    syntax: "[TO host port [FORCE]] [ABORT] [TIMEOUT milliseconds]",
    run: run(failover),
  };
}
