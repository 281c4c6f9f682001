/**
 * HELP of a container (CLIENT HELP, CONFIG HELP …), made of the command table: a line for each subcommand with its
 * syntax, and below it its summary. The frame is Redis's, so tools that show it look right.
 */
import type { Session } from "../session/session.ts";
import type { Command, CommandGroup } from "./command.ts";
import type { Reply } from "./reply.ts";

const INDENT = "    ";

/** The definition of a container's HELP. */
export function helpSubcommand(container: string, group: CommandGroup, since: string): Command {
  return {
    name: `${container}|HELP`,
    arity: 2,
    flags: ["loading", "stale"],
    group,
    since,
    summary: "Prints this help.",
    syntax: "",
    run: (session, _args, reply) => replyHelp(reply, container, containerLines(session, container)),
  };
}

function containerLines(session: Session, container: string): readonly string[] {
  const prefix = `${container}|`;
  const help = `${prefix}HELP`;
  return session.server.commands
    .all()
    .filter(({ name }) => name.startsWith(prefix) && name !== help)
    .flatMap(({ name, syntax, summary }) => [
      `${name.slice(prefix.length)} ${syntax}`.trimEnd(),
      INDENT + summary,
    ]);
}

/** Answers the lines between Redis's first and last ones. */
export function replyHelp(reply: Reply, container: string, lines: readonly string[]): void {
  const whole = [
    `${container} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:`,
    ...lines,
    "HELP",
    `${INDENT}Prints this help.`,
  ];
  reply.array(whole.length);
  for (const line of whole) reply.status(line);
}
