/**
 * How this run prints: what the flags, the environment and the terminal say together. Answers go to
 * standard output, all else to standard error.
 *
 * Colours: a flag decides, else it must be a terminal: no variable brings colours into a pipe, where
 * a program reads (build servers set FORCE_COLOR for all they run). On a terminal FORCE_COLOR wins
 * over NO_COLOR and TERM=dumb. `--color` makes standard output count as a terminal.
 */
import type { KvdbError } from "../errors.ts";
import type { Environment } from "../kernel/environment.ts";
import type { Answer } from "../resp/answer.ts";
import {
  type OutputStyle,
  renderAnswer,
  renderError,
  renderFailure,
} from "../shell/answer-text.ts";
import { pointerLines } from "../shell/filter-problem.ts";
import type { Performed } from "../shell/perform.ts";
import type { OwnFlags } from "./invocation.ts";
import type { World } from "./world.ts";

/** Width where no terminal tells one. */
const USUAL_COLUMNS = 80;

/** How a run shows answers; isValue is a matter of each answer. */
export function outputStyle(flags: OwnFlags, world: World): Omit<OutputStyle, "isValue"> {
  const { outputIsTerminal, columns } = world.console;
  const isForPeople = outputIsTerminal || flags.colour === true;
  return {
    mode: flags.output,
    colour: hasColour(outputIsTerminal, flags, world.environment),
    columns: isForPeople ? columns || Number(world.environment["COLUMNS"]) || USUAL_COLUMNS : 0,
  };
}

/** In a script one answer follows the other: a raw string is ended like in a terminal. */
export function scriptStyle(flags: OwnFlags, world: World): Omit<OutputStyle, "isValue"> {
  const style = outputStyle(flags, world);
  return style.mode === "raw" ? { ...style, columns: style.columns || USUAL_COLUMNS } : style;
}

/** Prints the answer of a command, an error on standard error; returns the exit code. */
export async function printAnswer(
  { answer, note, problem, ...shape }: Performed,
  flags: OwnFlags,
  world: World,
): Promise<number> {
  const style = outputStyle(flags, world);
  if (answer.kind === "error") {
    await world.printError(renderError(answer, errorStyle(flags, world)));
    if (problem !== undefined && flags.output !== "json") {
      await world.printError(`${pointerLines(problem, USUAL_COLUMNS).join("\n")}\n`);
    }
    return 1;
  }
  await world.print(renderAnswer(answer, { ...style, ...shape }));
  if (note !== undefined) await world.printError(`${note}\n`);
  return flags.exitStatus && answer.kind === "null" ? 1 : 0;
}

/**
 * Maps of equal keys as a table, for programs too: a line each is what grep and awk want. Strings in
 * them are JSON texts.
 */
export async function printTable(
  rows: readonly Answer[],
  flags: OwnFlags,
  world: World,
): Promise<void> {
  const style = { ...outputStyle(flags, world), isValue: true };
  const isLines = style.mode === "plain" && style.columns === 0;
  const columns = isLines ? UNBOUNDED_COLUMNS : style.columns;
  const bytes = renderAnswer({ kind: "array", items: rows }, { ...style, columns });
  await world.print(bytes);
}

/** No cell is cut. */
const UNBOUNDED_COLUMNS = 1_000_000;

/** `flags` is undefined when the arguments could not be read. */
export async function printFailure(
  { code, message }: KvdbError,
  flags: OwnFlags | undefined,
  world: World,
): Promise<void> {
  await world.printError(renderFailure({ code, message, line: message }, errorStyle(flags, world)));
}

function errorStyle(
  flags: OwnFlags | undefined,
  { console, environment }: World,
): Pick<OutputStyle, "mode" | "colour"> {
  return {
    mode: flags?.output ?? "plain",
    colour: hasColour(console.errorIsTerminal, flags, environment),
  };
}

function hasColour(
  isTerminal: boolean,
  flags: Pick<OwnFlags, "colour"> | undefined,
  environment: Environment,
): boolean {
  if (flags?.colour !== undefined) return flags.colour;
  if (!isTerminal) return false;
  const forced = environment["FORCE_COLOR"] ?? "";
  // As others read it: 0 and false mean no, anything else yes.
  if (forced !== "") return forced !== "0" && forced !== "false";
  return (environment["NO_COLOR"] ?? "") === "" && environment["TERM"] !== "dumb";
}
