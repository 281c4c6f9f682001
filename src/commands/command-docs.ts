/**
 * COMMAND DOCS: what a command does and takes, for people and for tools that help them type: redis-cli takes its hints
 * from it. The arguments are the tree that syntax.ts makes of a command's `syntax`.
 */
import type { Session } from "../session/session.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { namedCommands, subcommandsOf, topLevelCommands } from "./command-names.ts";
import { displayName } from "./dispatch.ts";
import type { Reply } from "./reply.ts";
import { type ArgumentTypes, parseSyntax, type SyntaxArgument } from "./syntax.ts";

/** Unknown names are left out. */
export function commandDocs(session: Session, args: Arguments, reply: Reply): void {
  const catalog = session.server.commands;
  const chosen =
    args.count === 2
      ? topLevelCommands(catalog)
      : namedCommands(catalog, args).filter((command) => command !== undefined);
  replyDocs(session, chosen, reply);
}

function replyDocs(session: Session, commands: readonly Command[], reply: Reply): void {
  reply.map(commands.length);
  for (const command of commands) {
    reply.text(displayName(command.name));
    replyDoc(session, command, reply);
  }
}

function replyDoc(session: Session, command: Command, reply: Reply): void {
  const syntax = parseSyntax(command.syntax, TYPES[command.name]);
  const subcommands = subcommandsOf(session.server.commands, command);
  reply.map(3 + (syntax.length > 0 ? 1 : 0) + (subcommands.length > 0 ? 1 : 0));
  reply.text("summary");
  reply.text(command.summary);
  reply.text("since");
  reply.text(command.since);
  reply.text("group");
  reply.text(command.group);
  if (syntax.length > 0) {
    reply.text("arguments");
    replyArguments(syntax, reply);
  }
  if (subcommands.length > 0) {
    reply.text("subcommands");
    replyDocs(session, subcommands, reply);
  }
}

/** Where a name of an argument means something else than in other commands. */
const TYPES: Readonly<Record<string, ArgumentTypes>> = {
  BITFIELD: { value: "integer" },
  INCRBYFLOAT: { increment: "double" },
  SETBIT: { value: "integer" },
};

function replyArguments(tree: readonly SyntaxArgument[], reply: Reply): void {
  reply.array(tree.length);
  for (const argument of tree) replyArgument(argument, reply);
}

function replyArgument(argument: SyntaxArgument, reply: Reply): void {
  const { name, type, token, arguments: parts } = argument;
  const flags = flagsOf(argument);
  const isKey = type === "key";
  const fields = [isKey, token !== undefined, flags.length > 0, parts.length > 0];
  reply.map(2 + fields.filter(Boolean).length);
  reply.text("name");
  reply.text(name);
  reply.text("type");
  reply.text(type);
  if (isKey) {
    reply.text("key_spec_index");
    reply.integer(0);
  }
  if (token !== undefined) {
    reply.text("token");
    reply.text(token);
  }
  if (flags.length > 0) {
    reply.text("flags");
    reply.set(flags.length);
    for (const flag of flags) reply.status(flag);
  }
  if (parts.length > 0) {
    reply.text("arguments");
    replyArguments(parts, reply);
  }
}

function flagsOf({ isOptional, isMultiple, repeatsToken }: SyntaxArgument): string[] {
  const flags: string[] = [];
  if (isOptional) flags.push("optional");
  if (isMultiple) flags.push("multiple");
  if (repeatsToken) flags.push("multiple_token");
  return flags;
}
