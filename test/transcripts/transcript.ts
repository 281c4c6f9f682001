/** Reads a transcript: README.md says what one looks like. */

export const wayNames = ["in process", "resp", "script", "one-shot"] as const;
export type WayName = (typeof wayNames)[number];

export interface Step {
  /** As it was typed. */
  readonly command: string;
  readonly lineNumber: number;
  /** Lines of the answer; a RegExp for one that begins with `~ `. */
  readonly answer: readonly (string | RegExp)[];
}

export interface Transcript {
  readonly name: string;
  /** Steps of one process each; between them it is restarted. */
  readonly runs: readonly (readonly Step[])[];
  /** Ways that are skipped, and why. */
  readonly skips: ReadonlyMap<WayName, string>;
}

export function parseTranscript(name: string, text: string): Transcript {
  const runs: { command: string; lineNumber: number; answer: (string | RegExp)[] }[][] = [[]];
  const skips = new Map<WayName, string>();
  const wrong = (lineNumber: number, what: string) => new Error(`${name}:${lineNumber}: ${what}`);
  text.split("\n").forEach((line, index) => {
    const lineNumber = index + 1;
    const run = runs.at(-1) ?? [];
    if (line.startsWith("#!")) {
      const [, way, reason] = /^#! not ([a-z -]+): (.+)$/.exec(line) ?? [];
      const known = wayNames.find((one) => one === way);
      if (known === undefined || reason === undefined) throw wrong(lineNumber, `no skip: ${line}`);
      skips.set(known, reason);
    } else if (line === "--- restart") runs.push([]);
    else if (line.startsWith("> ")) run.push({ command: line.slice(2), lineNumber, answer: [] });
    else if (line !== "" && !line.startsWith("#")) {
      const step = run.at(-1);
      if (step === undefined) throw wrong(lineNumber, "an answer without a command");
      step.answer.push(line.startsWith("~ ") ? new RegExp(`^${line.slice(2)}$`) : line);
    }
  });
  if (runs.some((steps) => steps.length === 0)) throw wrong(0, "a run without commands");
  return { name, runs, skips };
}

/** Lines of an answer that was printed, as a step has them. */
export function linesOf(printed: string): string[] {
  return printed.split("\n").filter((line) => line !== "");
}

export interface Difference {
  /** `line 12: get user`. */
  readonly step: string;
  readonly wanted: readonly string[];
  readonly found: readonly string[];
}

/** Undefined when the step printed what it should have. */
export function differenceOf(step: Step, printed: readonly string[]): Difference | undefined {
  const { command, lineNumber, answer } = step;
  const fits =
    printed.length === answer.length &&
    answer.every((line, at) => {
      const found = printed[at] as string;
      return typeof line === "string" ? line === found : line.test(found);
    });
  if (fits) return undefined;
  return { step: `line ${lineNumber}: ${command}`, wanted: answer.map(String), found: printed };
}
