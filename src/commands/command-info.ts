/**
 * COMMAND: what programs ask about commands: names, arity, flags, where the keys are. What people ask is COMMAND DOCS
 * (command-docs.ts). The replies have the ten fields of Redis 7.0; tips are in command-tips.ts, key specifications in
 * command-keys.ts.
 */
import type { Session } from "../session/session.ts";
import { ACL_CATEGORIES, type AclCategory, aclCategories } from "./acl-categories.ts";
import type { Arguments } from "./arguments.ts";
import type { Command, CommandFlag, KeyPositions } from "./command.ts";
import { commandDocs } from "./command-docs.ts";
import { CommandError, syntaxError } from "./command-error.ts";
import { keyArguments, keysUsed, replyKeySpecifications } from "./command-keys.ts";
import { namedCommands, topLevelCommands } from "./command-names.ts";
import { tipsOf } from "./command-tips.ts";
import { helpSubcommand } from "./container-help.ts";
import { matchGlob } from "./glob.ts";
import { displayName } from "./refusal-words.ts";
import type { Reply } from "./reply.ts";

function commandInfo(session: Session, args: Arguments, reply: Reply): void {
  const catalog = session.server.commands;
  const chosen = args.count <= 2 ? topLevelCommands(catalog) : namedCommands(catalog, args);
  reply.array(chosen.length);
  for (const command of chosen) {
    if (command === undefined) reply.null();
    else replyInfo(session, command, reply);
  }
}

function replyInfo(session: Session, command: Command, reply: Reply): void {
  const [first, last, step] = command.keys ?? NO_KEYS;
  reply.array(10);
  reply.text(displayName(command.name));
  reply.integer(command.arity);
  replyStatuses(FLAG_ORDER.filter((flag) => command.flags.includes(flag)).map(shownFlag), reply);
  reply.integer(first);
  reply.integer(last);
  reply.integer(step);
  replyStatuses(
    aclCategories(command).map((category) => `@${category}`),
    reply,
  );
  const tips = tipsOf(command.name);
  reply.set(tips.length);
  for (const tip of tips) reply.text(tip);
  replyKeySpecifications(command, reply);
  const subcommands = session.server.commands.subcommandsOf(command.name);
  if (subcommands.length === 0) reply.set(0);
  else reply.array(subcommands.length);
  for (const subcommand of subcommands) replyInfo(session, subcommand, reply);
}

const NO_KEYS: KeyPositions = [0, 0, 0];

/** In the order in which Redis answers them. */
const FLAG_ORDER: readonly CommandFlag[] = [
  ...([
    "write",
    "readonly",
    "denyoom",
    "admin",
    "pubsub",
    "noscript",
    "blocking",
    "loading",
  ] as const),
  ...(["stale", "skip_slowlog", "fast", "noauth", "no_async_loading", "no_multi"] as const),
  ...(["movablekeys", "allow_busy"] as const),
];

function shownFlag(flag: CommandFlag): string {
  return flag === "noauth" ? "no_auth" : flag;
}

function replyStatuses(texts: readonly string[], reply: Reply): void {
  reply.set(texts.length);
  for (const text of texts) reply.status(text);
}

// ---- names and keys ----

function commandList(session: Session, args: Arguments, reply: Reply): void {
  const fits = args.count === 2 ? () => true : readFilter(args);
  const names = session.server.commands
    .all()
    .filter(fits)
    .map(({ name }) => displayName(name));
  reply.array(names.length);
  for (const name of names) reply.text(name);
}

function readFilter(args: Arguments): (command: Command) => boolean {
  if (args.count !== 5 || !args.is(2, "FILTERBY")) throw syntaxError();
  if (args.is(3, "MODULE")) return () => false;
  if (args.is(3, "ACLCAT")) {
    const category = args.latin(4).toLowerCase() as AclCategory;
    return (command) =>
      ACL_CATEGORIES.includes(category) && aclCategories(command).includes(category);
  }
  if (!args.is(3, "PATTERN")) throw syntaxError();
  return ({ name }) => {
    const bytes = Buffer.from(displayName(name), "latin1");
    return matchGlob(args.buffer, args.start[4], args.end[4], bytes, 0, bytes.length, true);
  };
}

function commandGetKeys(session: Session, args: Arguments, reply: Reply): void {
  const keys = keyArguments(commandInside(session, args), args, 2);
  reply.array(keys.length);
  for (const key of keys) reply.bulk(args.buffer, args.start[key], args.end[key]);
}

function commandGetKeysAndFlags(session: Session, args: Arguments, reply: Reply): void {
  const keys = keysUsed(commandInside(session, args), args, 2);
  reply.array(keys.length);
  for (const { index, use } of keys) {
    reply.array(2);
    reply.bulk(args.buffer, args.start[index], args.end[index]);
    replyStatuses(
      use.flags.filter((flag) => flag !== "variable_flags"),
      reply,
    );
  }
}

/** The command that stands behind GETKEYS. */
function commandInside(session: Session, args: Arguments): Command {
  const catalog = session.server.commands;
  const outer = catalog.get(args.latin(2).toUpperCase());
  const inner = outer && catalog.get(`${outer.name}|${args.latin(3).toUpperCase()}`);
  const command = inner ?? outer;
  if (command?.run === undefined) throw new CommandError("ERR", "Invalid command specified");
  return command;
}

const FLAGS: readonly CommandFlag[] = ["loading", "stale"];

export const commandCommands: readonly Command[] = [
  {
    name: "COMMAND",
    arity: -1,
    flags: FLAGS,
    group: "server",
    since: "2.8.13",
    summary: "Returns what programs need to know about all commands.",
    syntax: "",
    run: commandInfo,
  },
  {
    name: "COMMAND|COUNT",
    arity: 2,
    flags: FLAGS,
    group: "server",
    since: "2.8.13",
    summary: "Returns the number of commands.",
    syntax: "",
    run: (session, _args, reply) => reply.integer(topLevelCommands(session.server.commands).length),
  },
  {
    name: "COMMAND|DOCS",
    arity: -2,
    flags: FLAGS,
    group: "server",
    since: "7.0.0",
    summary: "Returns what people need to know about commands.",
    syntax: "[command-name [command-name ...]]",
    run: commandDocs,
  },
  {
    name: "COMMAND|GETKEYS",
    arity: -4,
    flags: FLAGS,
    group: "server",
    since: "2.8.13",
    summary: "Returns the keys in a whole command.",
    syntax: "command [arg [arg ...]]",
    run: commandGetKeys,
  },
  {
    name: "COMMAND|GETKEYSANDFLAGS",
    arity: -4,
    flags: FLAGS,
    group: "server",
    since: "7.0.0",
    summary: "Returns the keys in a whole command, and what it does with each.",
    syntax: "command [arg [arg ...]]",
    run: commandGetKeysAndFlags,
  },
  helpSubcommand("COMMAND", "server", "5.0.0"),
  {
    name: "COMMAND|INFO",
    arity: -2,
    flags: FLAGS,
    group: "server",
    since: "2.8.13",
    summary: "Returns what programs need to know about some commands.",
    syntax: "[command-name [command-name ...]]",
    run: commandInfo,
  },
  {
    name: "COMMAND|LIST",
    arity: -2,
    flags: FLAGS,
    group: "server",
    since: "7.0.0",
    summary: "Returns the names of commands.",
    syntax: "[FILTERBY <MODULE module-name | ACLCAT category | PATTERN pattern>]",
    run: commandList,
  },
];
