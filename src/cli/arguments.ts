/**
 * The grammar of the command line. kvdb's own flags stand before the command; after the command
 * everything is data, up to options that `serve` has and those that a command declares: shell/words.ts.
 *
 *   kvdb [--config FILE] [--dir PATH] [--recover] [--json …] COMMAND [DATA …]
 *   kvdb [--config FILE] [--dir PATH] [--recover] serve [--port 6380 …]
 */
import { Command, CommanderError, Help, Option } from "commander";
import { KvdbError } from "../errors.ts";
import { type Given, type Setting, settings } from "../kernel/settings.ts";
import { version } from "../kernel/version.ts";
import type { OutputMode } from "../shell/answer-text.ts";
import { helpRows } from "./help-rows.ts";
import type { Invocation, OwnFlags } from "./invocation.ts";
import { ownWords } from "./own-words.ts";

type Values = Readonly<Record<string, unknown>>;

/** Throws a KvdbError USAGE. */
export function parseArguments(argv: readonly string[]): Invocation {
  let output = "";
  let invocation: Invocation | undefined;
  const program = createProgram((found) => {
    invocation = found;
  });
  let failed = program;
  for (const command of [program, ...program.commands]) {
    const isOver = (error: CommanderError) => {
      failed = command;
      throw error;
    };
    command.exitOverride(isOver).configureOutput({
      writeOut: (text) => {
        output += text;
      },
      writeErr: () => {}, // the same text is in the error that is thrown
    });
  }
  try {
    program.parse(argv, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { kind: "text", text: output };
    throw usage(inOurWords(error.message), failed, error);
  }
  if (invocation === undefined) throw usage("nothing to do", program);
  return invocation;
}

export function programHelp(): string {
  return textOf(["--help"]);
}

export function serveHelp(): string {
  return textOf(["serve", "--help"]);
}

function textOf(argv: readonly string[]): string {
  const help = parseArguments(argv);
  return help.kind === "text" ? help.text : "";
}

export interface Flag {
  /** `--port`; a short form is not told. */
  readonly name: string;
  /** What its value is called; undefined: it takes none. */
  readonly value: string | undefined;
  readonly summary: string;
}

/** The flags before a command, and the options of `serve`, for completion. */
export function allFlags(): { readonly own: readonly Flag[]; readonly serve: readonly Flag[] } {
  const program = createProgram(() => {});
  const serve = program.commands.find((command) => command.name() === "serve");
  return { own: flagsOf(program), serve: serve === undefined ? [] : flagsOf(serve) };
}

function flagsOf(command: Command): Flag[] {
  return new Help().visibleOptions(command).map(({ long, flags, description, required }) => ({
    name: long ?? flags,
    value: required ? flags.replace(/^.*[<](.*)[>]$/, "$1") : undefined,
    summary: description,
  }));
}

/** commander's messages, with the suggestion as all others of kvdb make it. */
function inOurWords(message: string): string {
  return message
    .replace(/^error: /, "")
    .replace(/\s*\n\s*/g, " ")
    .replace(/\.$/, "")
    .replace(/ \(Did you mean (--?[\w-]+)\?\)$/, '; did you mean "$1"?');
}

/** `command`: whose help tells what would be right. */
function usage(message: string, command: Command, cause?: unknown): KvdbError {
  const words = command.parent === null ? "kvdb" : `kvdb ${command.name()}`;
  return new KvdbError("USAGE", `${message}; see \`${words} --help\``, { cause });
}

/** commander takes whatever stands behind an option: `--replicaof --port 6380` would follow a server named --port. */
function requireValues(command: Command): void {
  const names = new Set((command.parent ?? command).commands.flatMap((one) => one.options));
  const known = [...names, ...command.options].map(({ long }) => long);
  for (const option of command.options) {
    const value: unknown = command.getOptionValue(option.attributeName());
    const first: unknown = Array.isArray(value) ? value[0] : value;
    if (typeof first !== "string" || !known.includes(first)) continue;
    throw usage(`option '${option.flags}' argument missing`, command);
  }
}

/** What most people come for, then the words of the command line itself. */
const commandRows: readonly (readonly [string, string])[] = [
  ["set <key> <value>", `store JSON or text: kvdb set user '{"name":"Ada"}'`],
  ["get <key>", "print it as JSON, null when there is none"],
  ["delete <key...>", "remove keys (also: del)"],
  ["list [pattern]", "keys in order: kvdb list 'user:*' --limit 10"],
  ["<command> [data...]", "any other command, as in Redis: kvdb incr visits"],
  ...ownWords.map(({ name, syntax, summary }) => [`${name} ${syntax}`, summary] as const),
  ["help commands", "all commands, one line each"],
];

/** Of the column of commands: a few that take more than others stand on a line of their own. */
const COMMAND_COLUMNS = 29;

const commandsHelp = () => `
Commands:
${helpRows(
  commandRows.map(([name, summary]) => ({ name, summary })),
  COMMAND_COLUMNS,
)}
Without a command kvdb starts the frontends that the configuration names; commands that come
through a pipe or from a file (kvdb < script) are run line by line.
`;

function createProgram(found: (invocation: Invocation) => void): Command {
  const program = new Command("kvdb")
    .description("A Redis-compatible JSON database in one executable.")
    .usage("[flags] <command> [data...]")
    .helpCommand(false)
    .helpOption("-h, --help", "print this")
    .version(version, "-v, --version", "print the version")
    .enablePositionalOptions()
    .passThroughOptions()
    .argument("[words...]", "the command and its data")
    .configureHelp({ visibleArguments: () => [], visibleCommands: () => [] })
    .addHelpText("after", commandsHelp);
  addOwnFlags(program);
  addAnswerFlags(program);
  program.action((words: string[], values: Values) => {
    requireValues(program);
    const flags = readFlags(values, {});
    const [command, ...data] = words;
    if (command === undefined) found({ kind: "start", flags, serve: false });
    else found({ kind: "words", flags, words: [command, ...data] });
  });
  addServe(program, found);
  return program;
}

function addOwnFlags(command: Command): void {
  command
    .option("--config <file>", "configuration file; else it is searched upward from here")
    .option("--recover", "keep every intact record of a damaged folder");
  command.addOption(optionOf(dirSetting));
}

/** How answers are shown and what is asked: for commands, not for a server. */
function addAnswerFlags(program: Command): void {
  const others = (mode: string) => outputFlags.filter((one) => one !== mode);
  program
    .addOption(new Option("--json", "print answers and errors as JSON").conflicts(others("json")))
    .addOption(new Option("--raw", "print strings as bare bytes").conflicts(others("raw")))
    .addOption(new Option("--csv", "print answers as CSV").conflicts(others("csv")))
    .option("--color", "print as for a terminal, also into a pipe: kvdb --color get user | less -R")
    .option("--no-color", "no colours (also: NO_COLOR=1)")
    .option("--exit-status", "exit with 1 when the answer is null")
    .option("-y, --yes", "ask nothing before a destructive command")
    .option("--force", "in a script, go on after a line that failed");
}

const outputFlags = ["json", "raw", "csv"] as const;

function outputOf(values: Values): OutputMode {
  return outputFlags.find((mode) => values[mode] === true) ?? "plain";
}

const dirSetting = settings.find(({ name }) => name === "dir") as Setting;

function addServe(program: Command, found: (invocation: Invocation) => void): void {
  const serve = program
    .command("serve")
    .description("Starts a server for Redis clients, by default on 127.0.0.1:6379.")
    .helpOption("-h, --help", "print this")
    .argument("[file]", "the configuration: also a redis.conf")
    .allowExcessArguments(false);
  addOwnFlags(serve);
  for (const setting of settings) {
    if (setting.serve && setting !== dirSetting) serve.addOption(optionOf(setting));
  }
  serve.action((file: string | undefined, values: Values) => {
    requireValues(program);
    requireValues(serve);
    const flags = readFlags(program.opts(), values);
    if (file !== undefined && /^\d+$/.test(file)) {
      throw usage(`unexpected argument '${file}'; did you mean --port ${file}?`, serve);
    }
    if (file !== undefined && flags.configFile !== undefined) {
      throw usage(`two configurations: ${flags.configFile} and ${file}`, serve);
    }
    const configFile = file ?? flags.configFile;
    found({ kind: "start", flags: { ...flags, configFile }, serve: true });
  });
}

function optionOf({ name, value, summary }: Setting): Option {
  return new Option(`--${name} <${value}>`, summary);
}

/** `later` wins: the same flag after `serve` is nearer to what it is for. */
function readFlags(earlier: Values, later: Values): OwnFlags {
  const values = { ...earlier, ...later };
  const given: Given[] = [];
  for (const setting of settings) {
    const value = values[optionOf(setting).attributeName()];
    if (value === undefined) continue;
    const text = Array.isArray(value) ? value.join(" ") : String(value);
    given.push({ setting, text, place: `--${setting.name}` });
  }
  const configFile = values["config"];
  return {
    configFile: typeof configFile === "string" ? configFile : undefined,
    recover: values["recover"] === true,
    exitStatus: values["exitStatus"] === true,
    output: outputOf(values),
    colour: typeof values["color"] === "boolean" ? values["color"] : undefined,
    yes: values["yes"] === true,
    force: values["force"] === true,
    given,
  };
}
