/**
 * COMMAND DOCS: what a command does and takes, for people and for tools that help them type: redis-cli takes its hints
 * from it. The arguments are the tree that syntax.ts makes of a command's `syntax`.
 */
import type { Session } from "../session/session.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { keyPlaceCount } from "./command-keys.ts";
import { namedCommands, topLevelCommands } from "./command-names.ts";
import { complexityOf } from "./complexities.ts";
import { displayName } from "./refusal-words.ts";
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
  const syntax = syntaxOf(command);
  const subcommands = session.server.commands.subcommandsOf(command.name);
  const complexity = complexityOf(command.name);
  const fields = [complexity !== undefined, syntax.length > 0, subcommands.length > 0];
  reply.map(3 + fields.filter(Boolean).length);
  reply.text("summary");
  reply.text(command.summary);
  reply.text("since");
  reply.text(command.since);
  reply.text("group");
  reply.text(command.group);
  if (complexity !== undefined) {
    reply.text("complexity");
    reply.text(complexity);
  }
  if (syntax.length > 0) {
    reply.text("arguments");
    replyArguments(syntax, new KeyNumbers(command), reply);
  }
  if (subcommands.length > 0) {
    reply.text("subcommands");
    replyDocs(session, subcommands, reply);
  }
}

/** Parsed once: redis-cli asks for all commands whenever it connects. */
const parsed = new WeakMap<Command, readonly SyntaxArgument[]>();

function syntaxOf(command: Command): readonly SyntaxArgument[] {
  const found = parsed.get(command);
  if (found !== undefined) return found;
  const syntax = parseSyntax(command.syntax, TYPES[command.name]);
  parsed.set(command, syntax);
  return syntax;
}

const WAITING: ArgumentTypes = { timeout: "double" };
const BY_SCORE: ArgumentTypes = { min: "double", max: "double" };
const BY_ID: ArgumentTypes = { start: "string", end: "string" };

/** Where a name of an argument means something else than in other commands. */
const TYPES: Readonly<Record<string, ArgumentTypes>> = {
  BITFIELD: { value: "integer" },
  BLMOVE: WAITING,
  BLMPOP: WAITING,
  BLPOP: WAITING,
  BRPOP: WAITING,
  BRPOPLPUSH: WAITING,
  BZMPOP: WAITING,
  BZPOPMAX: WAITING,
  BZPOPMIN: WAITING,
  HINCRBYFLOAT: { increment: "double" },
  INCRBYFLOAT: { increment: "double" },
  SETBIT: { value: "integer" },
  XAUTOCLAIM: BY_ID,
  XPENDING: { ...BY_ID, "min-idle-time": "integer" },
  XRANGE: BY_ID,
  XREVRANGE: BY_ID,
  ZCOUNT: BY_SCORE,
  ZRANGE: { start: "string", stop: "string" },
  ZRANGEBYSCORE: BY_SCORE,
  ZRANGESTORE: { dst: "key", src: "key" },
  ZREMRANGEBYSCORE: BY_SCORE,
  ZREVRANGEBYSCORE: BY_SCORE,
};

/** The place of keys (command-keys.ts) that a pattern names keys at, besides that of its argument. */
const PATTERN_PLACES: Readonly<Record<string, number>> = { SORT: 1, SORT_RO: 1 };

/**
 * Which of the command's places of keys each argument with keys is: they follow one another as the arguments do, and where
 * there are fewer, the last one is for the rest.
 */
class KeyNumbers {
  readonly #last: number;
  readonly #ofPatterns: number | undefined;
  #next = 0;

  constructor(command: Command) {
    this.#last = keyPlaceCount(command) - 1;
    this.#ofPatterns = PATTERN_PLACES[command.name];
  }

  of({ type }: SyntaxArgument): number | undefined {
    if (type === "pattern") return this.#ofPattern();
    if (type !== "key") return undefined;
    return Math.max(0, Math.min(this.#next++, this.#last));
  }

  #ofPattern(): number | undefined {
    if (this.#ofPatterns !== undefined) this.#next = this.#ofPatterns + 1;
    return this.#ofPatterns;
  }
}

function replyArguments(tree: readonly SyntaxArgument[], keys: KeyNumbers, reply: Reply): void {
  reply.array(tree.length);
  for (const argument of tree) replyArgument(argument, keys, reply);
}

function replyArgument(argument: SyntaxArgument, keys: KeyNumbers, reply: Reply): void {
  const { name, type, token, arguments: parts } = argument;
  const flags = flagsOf(argument);
  const keyNumber = keys.of(argument);
  const fields = [keyNumber !== undefined, token !== undefined, flags.length > 0, parts.length > 0];
  reply.map(2 + fields.filter(Boolean).length);
  reply.text("name");
  reply.text(name);
  reply.text("type");
  reply.text(type);
  if (keyNumber !== undefined) {
    reply.text("key_spec_index");
    reply.integer(keyNumber);
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
    replyArguments(parts, keys, reply);
  }
}

function flagsOf({ isOptional, isMultiple, repeatsToken }: SyntaxArgument): string[] {
  const flags: string[] = [];
  if (isOptional) flags.push("optional");
  if (isMultiple) flags.push("multiple");
  if (repeatsToken) flags.push("multiple_token");
  return flags;
}
