/**
 * ACL: users, what they may do, and what was refused. The words and answers are Redis's; who the users are is
 * session.server.accounts. LOAD and SAVE answer when the file is read or durable, and hold up nobody meanwhile.
 */
import { isUtf8 } from "node:buffer";
import type { AccessLogEntry, Refusal, SelectorDescription } from "../session/accounts.ts";
import type { Session } from "../session/session.ts";
import { ACL_CATEGORIES, aclCategories } from "./acl-categories.ts";
import type { Arguments } from "./arguments.ts";
import type { Command, CommandFlag } from "./command.ts";
import { CommandError, notAnInteger, shownArgument } from "./command-error.ts";
import { helpSubcommand } from "./container-help.ts";
import { oneLine } from "./one-line.ts";
import { displayName, wrongArity } from "./refusal-words.ts";
import type { Reply } from "./reply.ts";

// ---- users ----

function setUser(session: Session, args: Arguments, reply: Reply): void {
  if (!isUtf8(args.bytes(2))) throw new CommandError("ERR", "Usernames must be UTF-8 text");
  const rules: string[] = [];
  for (let i = 3; i < args.count; i++) rules.push(args.latin(i));
  session.server.accounts.set(args.text(2), rules, session);
  reply.ok();
}

function getUser(session: Session, args: Arguments, reply: Reply): void {
  const user = session.server.accounts.describe(args.text(2));
  if (user === undefined) {
    reply.null();
    return;
  }
  const [root, ...others] = user.selectors as [SelectorDescription, ...SelectorDescription[]];
  reply.map(6);
  reply.text("flags");
  reply.set(user.flags.length);
  for (const flag of user.flags) reply.text(flag);
  reply.text("passwords");
  replyTexts(user.passwords, reply);
  replySelector(root, reply);
  reply.text("selectors");
  reply.array(others.length);
  for (const selector of others) {
    reply.map(3);
    replySelector(selector, reply);
  }
}

/** Three fields of a map. */
function replySelector({ commands, keys, channels }: SelectorDescription, reply: Reply): void {
  for (const [name, value] of Object.entries({ commands, keys, channels })) {
    reply.text(name);
    replyBytes(Buffer.from(value, "latin1"), reply);
  }
}

function deleteUsers(session: Session, args: Arguments, reply: Reply): void {
  const names: string[] = [];
  for (let i = 2; i < args.count; i++) names.push(args.text(i));
  reply.integer(session.server.accounts.remove(names, session));
}

function listUsers(session: Session, _args: Arguments, reply: Reply): void {
  const { lines } = session.server.accounts;
  reply.array(lines.length);
  for (const line of lines) replyBytes(line, reply);
}

function load(session: Session): void {
  answerWhen(session, () => session.server.accounts.load());
}

function save(session: Session): void {
  answerWhen(session, () => session.server.accounts.save());
}

function answerWhen(session: Session, act: () => Promise<void>): void {
  const later = session.answerLater({ outlivesInput: true });
  act().then(
    () => later.settle((reply) => reply.ok()),
    (error: Error) => later.settle((reply) => reply.error("ERR", oneLine(error.message))),
  );
}

// ---- permissions ----

function listCategories(session: Session, args: Arguments, reply: Reply): void {
  if (args.count > 3) throw wrongUse(args);
  if (args.count === 2) {
    replyTexts(ACL_CATEGORIES, reply);
    return;
  }
  const word = args.latin(2).toLowerCase();
  const category = ACL_CATEGORIES.find((one) => one === word);
  if (category === undefined) {
    throw new CommandError("ERR", `Unknown category '${shownArgument(args, 2)}'`);
  }
  const commands = session.server.commands.all();
  const found = commands.filter((command) => aclCategories(command).includes(category));
  replyTexts(
    found.map(({ name }) => displayName(name)),
    reply,
  );
}

function dryRun(session: Session, args: Arguments, reply: Reply): void {
  const { accounts } = session.server;
  const user = args.text(2);
  if (accounts.describe(user) === undefined) {
    throw new CommandError("ERR", `User '${shownArgument(args, 2)}' not found`);
  }
  const command = commandAt(session, args, 3);
  if (command === undefined) {
    throw new CommandError("ERR", `Command '${shownArgument(args, 3)}' not found`);
  }
  const count = args.count - 3;
  if (command.arity >= 0 ? count !== command.arity : count < -command.arity) {
    throw new CommandError("ERR", wrongArity(command.name));
  }
  const refusal = accounts.refusalOf(user, { command, args, start: 3 });
  if (refusal === null || refusal === undefined) reply.ok();
  else replyBytes(Buffer.from(refusalText(command, args, refusal), "latin1"), reply);
}

/** A container alone, or with a subcommand that there is. */
function commandAt(session: Session, args: Arguments, at: number): Command | undefined {
  const { commands } = session.server;
  const found = commands.get(args.latin(at).toUpperCase());
  if (found === undefined || at + 1 === args.count) return found;
  const subcommand = commands.get(`${found.name}|${args.latin(at + 1).toUpperCase()}`);
  const isContainer = commands.all().some(({ name }) => name.startsWith(`${found.name}|`));
  return isContainer ? subcommand : found;
}

function refusalText({ name }: Command, args: Arguments, { reason, argument }: Refusal): string {
  if (reason === "command") {
    return `This user has no permissions to run the '${displayName(name)}' command`;
  }
  return `This user has no permissions to access the '${args.latin(argument)}' ${reason}`;
}

// ---- passwords ----

const DEFAULT_PASSWORD_BITS = 256;
const MAX_PASSWORD_BITS = 4096;
const BITS_PER_DIGIT = 4;

/** Hex digits, as few as have so many bits. */
function generatePassword(_session: Session, args: Arguments, reply: Reply): void {
  if (args.count > 3) throw wrongUse(args);
  const bits = args.count === 3 ? args.integer(2) : DEFAULT_PASSWORD_BITS;
  if (Number.isNaN(bits)) throw notAnInteger();
  if (bits < 1 || bits > MAX_PASSWORD_BITS) {
    const text = `ACL GENPASS argument must be the number of bits for the output password, a positive number up to ${MAX_PASSWORD_BITS}`;
    throw new CommandError("ERR", text);
  }
  const digits = Math.ceil(bits / BITS_PER_DIGIT);
  // Not the random numbers that are handed in: a test may know which come next.
  const bytes = crypto.getRandomValues(new Uint8Array(Math.ceil(digits / 2)));
  reply.text(Buffer.from(bytes).toString("hex").slice(0, digits));
}

// ---- the log ----

/** How many entries are told to who does not say. */
const LOG_ENTRIES = 10;

function log(session: Session, args: Arguments, reply: Reply): void {
  if (args.count > 3) throw wrongUse(args);
  const { accounts } = session.server;
  if (args.count === 3 && args.is(2, "RESET")) {
    accounts.log.clear();
    reply.ok();
    return;
  }
  const count = args.count === 3 ? args.integer(2) : LOG_ENTRIES;
  if (Number.isNaN(count)) throw notAnInteger();
  const entries = accounts.log.entries.slice(0, Math.max(0, count));
  reply.array(entries.length);
  const nowMs = session.server.clock.now();
  for (const entry of entries) replyEntry(entry, nowMs, reply);
}

function replyEntry(entry: AccessLogEntry, nowMs: number, reply: Reply): void {
  reply.map(7);
  reply.text("count");
  reply.integer(entry.count);
  reply.text("reason");
  reply.text(entry.reason);
  reply.text("context");
  reply.text(entry.context);
  reply.text("object");
  replyBytes(entry.object, reply);
  reply.text("username");
  reply.text(entry.user);
  reply.text("age-seconds");
  reply.double(Math.max(0, nowMs - entry.timeMs) / 1000);
  reply.text("client-info");
  reply.text(entry.client);
}

// ---- answers ----

function replyTexts(texts: readonly string[], reply: Reply): void {
  reply.array(texts.length);
  for (const text of texts) reply.text(text);
}

function replyBytes(bytes: Uint8Array, reply: Reply): void {
  reply.bulk(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length);
}

function wrongUse(args: Arguments): CommandError {
  const text = `unknown subcommand or wrong number of arguments for '${shownArgument(args, 1, 128)}'`;
  return new CommandError("ERR", `${text}. Try ACL HELP.`);
}

const OWN: readonly CommandFlag[] = ["noscript", "loading", "stale"];
const ADMIN: readonly CommandFlag[] = ["admin", ...OWN];
const SERVER = { group: "server", since: "6.0.0" } as const;

export const aclCommands: readonly Command[] = [
  {
    ...SERVER,
    name: "ACL",
    arity: -2,
    flags: [],
    summary: "A container for commands about users.",
    syntax: "",
  },
  {
    ...SERVER,
    name: "ACL|CAT",
    arity: -2,
    flags: OWN,
    summary: "Returns the categories of commands, or the commands of one.",
    syntax: "[categoryname]",
    run: listCategories,
  },
  {
    ...SERVER,
    name: "ACL|DELUSER",
    arity: -3,
    flags: ADMIN,
    summary: "Removes users and closes their connections.",
    syntax: "username [username ...]",
    run: deleteUsers,
  },
  {
    ...SERVER,
    name: "ACL|DRYRUN",
    arity: -4,
    flags: ADMIN,
    since: "7.0.0",
    summary: "Tells whether a user may run a command, and does not run it.",
    syntax: "username command [arg [arg ...]]",
    run: dryRun,
  },
  {
    ...SERVER,
    name: "ACL|GENPASS",
    arity: -2,
    flags: OWN,
    summary: "Returns a random password.",
    syntax: "[bits]",
    run: generatePassword,
  },
  {
    ...SERVER,
    name: "ACL|GETUSER",
    arity: 3,
    flags: ADMIN,
    summary: "Returns the rules of a user.",
    syntax: "username",
    run: getUser,
  },
  helpSubcommand("ACL", "server", "6.0.0"),
  {
    ...SERVER,
    name: "ACL|LIST",
    arity: 2,
    flags: ADMIN,
    summary: "Returns all users with their rules, a line for each.",
    syntax: "",
    run: listUsers,
  },
  {
    ...SERVER,
    name: "ACL|LOAD",
    arity: 2,
    flags: ADMIN,
    mayAnswerLater: true,
    summary: "Takes the users from the file of users.",
    syntax: "",
    run: load,
  },
  {
    ...SERVER,
    name: "ACL|LOG",
    arity: -2,
    flags: ADMIN,
    summary: "Returns what was refused lately, or forgets it.",
    syntax: "[count | RESET]",
    run: log,
  },
  {
    ...SERVER,
    name: "ACL|SAVE",
    arity: 2,
    flags: ADMIN,
    mayAnswerLater: true,
    summary: "Writes the users into the file of users.",
    syntax: "",
    run: save,
  },
  {
    ...SERVER,
    name: "ACL|SETUSER",
    arity: -3,
    flags: ADMIN,
    summary: "Makes or changes a user.",
    syntax: "username [rule [rule ...]]",
    run: setUser,
  },
  {
    ...SERVER,
    name: "ACL|USERS",
    arity: 2,
    flags: ADMIN,
    summary: "Returns the names of all users.",
    syntax: "",
    run: (session, _args, reply) => replyTexts(session.server.accounts.names, reply),
  },
  {
    ...SERVER,
    name: "ACL|WHOAMI",
    arity: 2,
    flags: OWN,
    summary: "Returns the name of the user of the connection.",
    syntax: "",
    run: (session, _args, reply) => reply.text(session.user),
  },
];
