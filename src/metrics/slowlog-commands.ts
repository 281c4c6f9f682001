/** SLOWLOG: reads and empties the log of slow commands. What stands in it, and why, is in slowlog.ts. */
import type { Arguments } from "../commands/arguments.ts";
import type { Command, CommandFlag } from "../commands/command.ts";
import { CommandError, shownArgument } from "../commands/command-error.ts";
import { helpSubcommand } from "../commands/container-help.ts";
import type { Reply } from "../commands/reply.ts";
import type { SlowCommand, Slowlog } from "./slowlog.ts";

const SHOWN = 10;
const FLAGS: readonly CommandFlag[] = ["admin", "loading", "stale"];

function replyLatest(slowlog: Slowlog, args: Arguments, reply: Reply): void {
  if (args.count > 3) {
    const text = `unknown subcommand or wrong number of arguments for '${shownArgument(args, 1)}'`;
    throw new CommandError("ERR", `${text}. Try SLOWLOG HELP.`);
  }
  const entries = slowlog.latest(args.count === 2 ? SHOWN : readCount(args));
  reply.array(entries.length);
  for (const entry of entries) replyEntry(entry, reply);
}

function readCount(args: Arguments): number {
  const count = args.integer(2);
  if (count >= -1) return count === -1 ? Number.MAX_SAFE_INTEGER : count;
  throw new CommandError("ERR", "count should be greater than or equal to -1");
}

function replyEntry(entry: SlowCommand, reply: Reply): void {
  reply.array(6);
  reply.integer(entry.id);
  reply.integer(Math.floor(entry.timeMs / 1000));
  reply.integer(entry.usec);
  reply.array(entry.arguments.length);
  for (const argument of entry.arguments) reply.bulk(argument, 0, argument.length);
  reply.text(entry.address);
  reply.text(entry.clientName);
}

export function slowlogCommands(slowlog: Slowlog): readonly Command[] {
  return [
    {
      name: "SLOWLOG",
      arity: -2,
      flags: [],
      group: "server",
      since: "2.2.12",
      summary: "A container for commands about the log of slow commands.",
      syntax: "",
    },
    {
      name: "SLOWLOG|GET",
      arity: -2,
      flags: FLAGS,
      group: "server",
      since: "2.2.12",
      summary: "Returns the latest entries of the log of slow commands.",
      syntax: "[count]",
      run: (_session, args, reply) => replyLatest(slowlog, args, reply),
    },
    helpSubcommand("SLOWLOG", "server", "6.2.0"),
    {
      name: "SLOWLOG|LEN",
      arity: 2,
      flags: FLAGS,
      group: "server",
      since: "2.2.12",
      summary: "Returns the number of entries in the log of slow commands.",
      syntax: "",
      run: (_session, _args, reply) => reply.integer(slowlog.length),
    },
    {
      name: "SLOWLOG|RESET",
      arity: 2,
      flags: FLAGS,
      group: "server",
      since: "2.2.12",
      summary: "Empties the log of slow commands.",
      syntax: "",
      run: (_session, _args, reply) => {
        slowlog.clear();
        reply.ok();
      },
    },
  ];
}
