/**
 * Whether what a plugin's `commands` returned are commands that the table can take. As in plugin-check.ts, each refusal
 * says what to change, and every fault is told, not the first alone. What is wrong here would otherwise be noticed by the
 * clients: COMMAND, help and the gate trust the table.
 */
import type { CommandFlag, CommandGroup, CommandInfo } from "../commands/command.ts";
import { parseSyntax } from "../commands/syntax.ts";
import type { Command } from "../plugin.ts";
import type { CommandCatalog } from "../session/server.ts";
import { suggestion } from "../suggest.ts";
import { messageOf } from "./fault-log.ts";

export type CommandCheck =
  | { readonly commands: readonly Command[]; readonly faults: readonly never[] }
  | { readonly commands: readonly never[]; readonly faults: readonly string[] };

/** A word, and for a subcommand a second one behind a bar. Long ones would not fit any table of a tool. */
const NAME = /^[A-Z][A-Z0-9._-]{0,63}(\|[A-Z][A-Z0-9._-]{0,63})?$/;

const flagNames = Object.keys({
  write: true,
  readonly: true,
  denyoom: true,
  admin: true,
  fast: true,
  loading: true,
  stale: true,
  noauth: true,
  noscript: true,
  no_multi: true,
  no_async_loading: true,
  blocking: true,
  allow_busy: true,
  skip_slowlog: true,
  movablekeys: true,
  pubsub: true,
} satisfies Record<CommandFlag, true>);

const groupNames = Object.keys({
  plugin: true,
  string: true,
  bitmap: true,
  list: true,
  set: true,
  hash: true,
  "sorted-set": true,
  geo: true,
  hyperloglog: true,
  stream: true,
  json: true,
  generic: true,
  transactions: true,
  pubsub: true,
  connection: true,
  server: true,
  value: true,
  index: true,
} satisfies Record<CommandGroup, true>);

const TEXTS = ["since", "summary", "syntax"] as const;

/** `table`: the commands that are there already. */
export function checkCommands(made: unknown, table: CommandCatalog): CommandCheck {
  if (!Array.isArray(made)) {
    const isPromise = made instanceof Promise;
    const found = isPromise ? "a promise: it is called synchronously" : kindOf(made);
    return { commands: [], faults: [`expected an array of commands, found ${found}`] };
  }
  const taken = new Set<string>();
  const faults = made.flatMap((candidate: unknown, index) => {
    if (typeof candidate !== "object" || candidate === null) {
      return [`commands[${index}]: expected an object, found ${kindOf(candidate)}`];
    }
    const command = candidate as Candidate;
    const own = [...nameFaults(command.name, taken, table), ...memberFaults(command, made)];
    const title =
      typeof command.name === "string" ? `command ${command.name}` : `commands[${index}]`;
    return own.map((fault) => `${title}: ${fault}`);
  });
  return faults.length === 0 ? { commands: made, faults: [] } : { commands: [], faults };
}

/** What may be anything. */
type Candidate = Readonly<Partial<Record<keyof Command, unknown>>>;

function nameFaults(name: unknown, taken: Set<string>, table: CommandCatalog): string[] {
  if (typeof name !== "string") return [`expected a name, found ${kindOf(name)}`];
  if (!NAME.test(name)) {
    const upper = name.toUpperCase();
    return NAME.test(upper)
      ? [`a name is written in upper case: "${upper}"`]
      : ['expected a name of capital letters, digits, ".", "_" and "-", a subcommand behind "|"'];
  }
  if (taken.has(name)) return ["the plugin brings it twice"];
  const [container = "", subcommand] = name.split("|");
  const isTaken = table.get(name) !== undefined;
  const isOrphan = subcommand !== undefined && !taken.has(container);
  taken.add(name);
  if (isTaken) return ["the name is taken, choose another one"];
  return isOrphan ? [`expected its container ${container} before it, of the same plugin`] : [];
}

function memberFaults(command: Candidate, all: readonly unknown[]): string[] {
  return [
    ...arityFaults(command),
    ...flagFaults(command.flags),
    ...keyFaults(command.keys),
    ...textFaults(command),
    ...optionFaults(command),
    ...runFaults(command, all),
  ];
}

function arityFaults({ arity, name }: Candidate): string[] {
  const least = String(name).includes("|") ? 2 : 1;
  if (Number.isSafeInteger(arity) && Math.abs(arity as number) >= least) return [];
  return [
    `expected as arity how many words a call has, its name of ${least} included (negative: at least so many), found ${shownValue(arity)}`,
  ];
}

function flagFaults(flags: unknown): string[] {
  if (!Array.isArray(flags)) return [`expected an array as flags, found ${kindOf(flags)}`];
  const faults = flags
    .filter((flag) => !flagNames.includes(flag))
    .map((flag) => `unknown flag ${shownValue(flag)}${suggestion(String(flag), flagNames)}`);
  if (flags.includes("write") && flags.includes("readonly")) {
    faults.push('the flags "write" and "readonly" exclude each other');
  }
  return faults;
}

function keyFaults(keys: unknown): string[] {
  if (keys === undefined) return [];
  if (Array.isArray(keys) && keys.length === 3 && keys.every(Number.isSafeInteger)) {
    const [first, last, step] = keys as [number, number, number];
    if (first >= 1 && step >= 1 && (last < 0 || last >= first)) return [];
  }
  return [
    "expected as keys [first, last, step]: [1, 1, 1] for the first argument, [1, -1, 1] for all of them",
  ];
}

function textFaults(command: Candidate): string[] {
  const faults = TEXTS.filter((member) => typeof command[member] !== "string").map(
    (member) => `expected text as ${member}, found ${kindOf(command[member])}`,
  );
  const { group, syntax, asks } = command;
  if (!groupNames.includes(group as string)) {
    faults.push(`expected "plugin" as group, found ${shownValue(group)}`);
  }
  if (asks !== undefined && typeof asks !== "string") {
    faults.push(`expected a question as asks, found ${kindOf(asks)}`);
  }
  if (typeof syntax === "string") faults.push(...syntaxFaults(syntax));
  return faults;
}

function syntaxFaults(syntax: string): string[] {
  try {
    parseSyntax(syntax);
    return [];
  } catch (error) {
    return [messageOf(error)];
  }
}

function optionFaults({ options }: Candidate): string[] {
  if (options === undefined) return [];
  const isOption = (one: unknown) =>
    typeof one === "object" &&
    one !== null &&
    ["name", "sends", "summary"].every((key) => typeof Reflect.get(one, key) === "string") &&
    Reflect.get(one, "value") === "duration";
  if (Array.isArray(options) && options.every(isOption)) return [];
  return ['expected as options { name, value: "duration", sends, summary } each'];
}

/** Without `run` it is a container, which has subcommands. */
function runFaults({ name, run }: Candidate, all: readonly unknown[]): string[] {
  if (typeof run === "function") return [];
  if (run !== undefined) return [`expected a function as run, found ${kindOf(run)}`];
  const hasSubcommands = all.some((other) =>
    String((other as CommandInfo | null)?.name).startsWith(`${name}|`),
  );
  return hasSubcommands ? [] : ["expected a function as run, found none"];
}

function kindOf(value: unknown): string {
  if (value === undefined || value === null) return "none";
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

function shownValue(value: unknown): string {
  const isShort = typeof value === "string" || typeof value === "number";
  return isShort ? JSON.stringify(value) : kindOf(value);
}
