/**
 * Where the keys of a command are, for programs that must know before they send it: as specifications (COMMAND INFO), and in
 * a whole command (COMMAND GETKEYS). Keys stand at fixed places, behind their number, behind a word, or as the value of an
 * option; a command may have keys of the first kind and of one of the others.
 */
import type { Arguments } from "./arguments.ts";
import type { CommandInfo, KeyAfter, KeyPositions } from "./command.ts";
import { CommandError } from "./command-error.ts";
import type { Reply } from "./reply.ts";

type Values = Readonly<Record<string, number | string>>;

interface Specification {
  readonly search: readonly [type: string, values: Values];
  readonly find: readonly [type: string, values: Values];
  readonly flags: readonly string[];
}

const READ = ["RO", "access"];
const CHANGED = ["RW", "access", "update"];
const OVERWRITTEN = ["OW", "update"];

function specificationsOf(command: CommandInfo): Specification[] {
  const { keys, keysCountedAt, keysBehind, keyAfter } = command;
  const isRead = keyAfter !== undefined || !command.flags.includes("write");
  const flags = isRead ? READ : CHANGED;
  const found: Specification[] = [];
  if (keys !== undefined) found.push({ ...ofPositions(keys), flags });
  if (keysCountedAt !== undefined) {
    found.push({
      search: ["index", { index: keysCountedAt }],
      find: ["keynum", { keynumidx: 0, firstkey: 1, keystep: 1 }],
      flags,
    });
  }
  if (keysBehind !== undefined) {
    found.push({
      search: ["keyword", { keyword: keysBehind.word, startfrom: keysBehind.from }],
      // Of what follows, the first half.
      find: ["range", { lastkey: -1, keystep: 1, limit: 2 }],
      flags,
    });
  }
  if (keyAfter !== undefined) found.push(...ofOptions(keyAfter));
  return found;
}

/** Where a specification cannot say that other options are passed over, it says that it does not know. */
function ofOptions({ words, from, passing }: KeyAfter): Specification[] {
  if (passing !== undefined) {
    return words.map(() => ({
      search: ["unknown", {}],
      find: ["unknown", {}],
      flags: OVERWRITTEN,
    }));
  }
  return words.map((word) => ({
    search: ["keyword", { keyword: word, startfrom: from }],
    find: ["range", { lastkey: 0, keystep: 1, limit: 0 }],
    flags: OVERWRITTEN,
  }));
}

/** A range that begins at an index. `lastkey` counts from there, or from the end if negative. */
function ofPositions([first, last, step]: KeyPositions): Omit<Specification, "flags"> {
  const lastkey = last < 0 ? last : last - first;
  return {
    search: ["index", { index: first }],
    find: ["range", { lastkey, keystep: step, limit: 0 }],
  };
}

export function takesKeys(command: CommandInfo): boolean {
  return specificationsOf(command).length > 0;
}

export function replyKeySpecifications(command: CommandInfo, reply: Reply): void {
  const specifications = specificationsOf(command);
  reply.set(specifications.length);
  for (const { search, find, flags } of specifications) {
    reply.map(3);
    reply.text("flags");
    reply.set(flags.length);
    for (const flag of flags) reply.status(flag);
    reply.text("begin_search");
    replyTyped(search, reply);
    reply.text("find_keys");
    replyTyped(find, reply);
  }
}

function replyTyped([type, values]: Specification["search"], reply: Reply): void {
  const fields = Object.entries(values);
  reply.map(2);
  reply.text("type");
  reply.text(type);
  reply.text("spec");
  reply.map(fields.length);
  for (const [name, value] of fields) {
    reply.text(name);
    if (typeof value === "number") reply.integer(value);
    else reply.text(value);
  }
}

/**
 * The arguments that are keys, of a command whose name is argument `start` and that goes on to the last argument. Throws
 * Redis's errors when there are none, or when they are not where the command says.
 */
export function keyArguments(command: CommandInfo, args: Arguments, start: number): number[] {
  const { keys, keysCountedAt, keysBehind, keyAfter } = command;
  if (!takesKeys(command)) {
    throw new CommandError("ERR", "The command has no key arguments");
  }
  const count = args.count - start;
  if (command.arity >= 0 ? count !== command.arity : count < -command.arity) {
    throw new CommandError("ERR", "Invalid number of arguments specified for command");
  }
  const found = keys === undefined ? [] : atPositions(keys, count);
  if (keysCountedAt !== undefined) found.push(...counted(keysCountedAt, args, start));
  if (keysBehind !== undefined) found.push(...behind(keysBehind, args, start));
  if (keyAfter !== undefined) found.push(...inOptions(keyAfter, args, start));
  return found.map((index) => start + index);
}

const invalid = () => new CommandError("ERR", "Invalid arguments specified for command");

function atPositions([first, last, step]: KeyPositions, count: number): number[] {
  const bound = last < 0 ? count + last : last;
  const found: number[] = [];
  for (let i = first; i <= bound; i += step) found.push(i);
  return found;
}

function counted(at: number, args: Arguments, start: number): number[] {
  const count = args.integer(start + at);
  if (!(count > 0) || start + at + count >= args.count) throw invalid();
  return Array.from({ length: count }, (_, index) => at + 1 + index);
}

function behind(
  { word, from }: NonNullable<CommandInfo["keysBehind"]>,
  args: Arguments,
  start: number,
): number[] {
  for (let i = from; start + i < args.count; i++) {
    if (!args.is(start + i, word)) continue;
    const rest = args.count - start - i - 1;
    if (rest === 0 || rest % 2 !== 0) break;
    return Array.from({ length: rest / 2 }, (_, index) => i + 1 + index);
  }
  throw invalid();
}

/** None is an error: options may be left out. */
function inOptions(options: KeyAfter, args: Arguments, start: number): number[] {
  if (options.passing !== undefined) return lastInOptions(options, options.passing, args, start);
  return options.words.flatMap((word) => {
    for (let i = options.from; start + i + 1 < args.count; i++) {
      if (args.is(start + i, word)) return [i + 1];
    }
    return [];
  });
}

/** As Redis looks: what follows the word may be the word again. */
function lastInOptions(
  { words, from }: KeyAfter,
  passing: Readonly<Record<string, number>>,
  args: Arguments,
  start: number,
): number[] {
  let found: number[] = [];
  for (let i = from; start + i + 1 < args.count; i++) {
    const passed = Object.entries(passing).find(([option]) => args.is(start + i, option));
    if (passed !== undefined) i += passed[1];
    else if (words.some((word) => args.is(start + i, word))) found = [i + 1];
  }
  return found;
}
