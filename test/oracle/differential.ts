/**
 * The differential test: the same generated sequences to two servers, their replies compared, and
 * at the end of each sequence what they hold (DEBUG DIGEST, times to live). Sequence number n uses
 * the seed `seed + n`, so that each can be run again alone.
 *
 * It empties both servers again and again: never point it at data.
 */

import { repliesAgree } from "./compare.ts";
import { EPILOGUE, execute, type Outcome } from "./execute.ts";
import type { Group } from "./generate/group.ts";
import { GROUPS, sequence } from "./generate/sequence.ts";
import { answers } from "./servers.ts";
import { shrink } from "./shrink.ts";
import { type Command, commandsOf, describe, type Step } from "./step.ts";

export type Ports = { readonly expected: number; readonly actual: number };

export type RunOptions = {
  readonly ports: Ports;
  readonly seed: number;
  readonly sequences: number;
  readonly stepsPerSequence: number;
  /** Go on after the first difference. */
  readonly keepGoing?: boolean;
  readonly groups?: readonly Group[];
};

export type Mismatch = {
  /** What differs, to count and group by: a command's name. */
  readonly label: string;
  readonly command: string;
  readonly expected: string;
  readonly actual: string;
};

export type Difference = Mismatch & {
  readonly seed: number;
  /** What remains of the sequence after shrinking. */
  readonly steps: readonly Step[];
};

export type Report = {
  readonly options: RunOptions;
  readonly sequencesRun: number;
  readonly commandsRun: number;
  readonly differences: readonly Difference[];
  /** Port of a server that no longer answers, which ended the run. */
  readonly lostPort: number | null;
};

/** Shrinking costs some fifty round trips; a third example of the same replies teaches little. */
const SHRUNK_PER_KIND = 2;
/** Replies that are all different (digests) are no kinds; so there is a limit for each command. */
const SHRUNK_PER_LABEL = 20;
/** A server that is wrong everywhere: more would only make the report long. */
const MOST_DIFFERENCES = 500;
/** The label of what is found only when the steps are done; shrinking names its cause. */
const STATE_LABEL = "(state)";

export async function run(options: RunOptions): Promise<Report> {
  const differences: Difference[] = [];
  const shrunkCounts = new Map<string, number>();
  let sequencesRun = 0;
  let commandsRun = 0;
  let lostPort: number | null = null;
  while (sequencesRun < options.sequences && lostPort === null) {
    const seed = options.seed + sequencesRun++;
    const steps = sequence(seed, options.stepsPerSequence, options.groups ?? GROUPS);
    commandsRun += steps.flatMap(commandsOf).length;
    const mismatch = await firstMismatch(options.ports, steps);
    if (mismatch === null) continue;
    lostPort = await findLostPort(options.ports);
    const difference = { ...mismatch, seed, steps };
    const isWorthIt = lostPort === null && isFirstOfItsKind(mismatch, shrunkCounts);
    differences.push(isWorthIt ? await shrunk(options.ports, difference) : difference);
    if (options.keepGoing !== true || differences.length >= MOST_DIFFERENCES) break;
  }
  return { options, sequencesRun, commandsRun, differences, lostPort };
}

/** Whether this one is to be shrunk; counts it among those of its kind. */
function isFirstOfItsKind(mismatch: Mismatch, counts: Map<string, number>): boolean {
  const { label, expected, actual } = mismatch;
  const kind = [label, expected, actual].join("\n");
  const [ofKind, ofLabel] = [counts.get(kind) ?? 0, counts.get(label) ?? 0];
  if (ofKind >= SHRUNK_PER_KIND || ofLabel >= SHRUNK_PER_LABEL) return false;
  counts.set(kind, ofKind + 1).set(label, ofLabel + 1);
  return true;
}

/** The first reply that differs when both servers run the steps, or null. */
export async function firstMismatch(
  ports: Ports,
  steps: readonly Step[],
): Promise<Mismatch | null> {
  const [expected, actual] = await Promise.all([
    execute(ports.expected, steps),
    execute(ports.actual, steps),
  ]);
  const inReplies = firstUnequal(steps, expected.replies, actual.replies);
  if (inReplies !== null) return withEnding(inReplies, expected, actual);
  if (expected.ending !== actual.ending) {
    const command = "(the connection afterwards)";
    return { label: command, command, expected: expected.ending, actual: actual.ending };
  }
  const inState = firstUnequal(EPILOGUE, expected.state, actual.state);
  return inState === null ? null : { ...inState, label: STATE_LABEL };
}

function firstUnequal(
  steps: readonly Step[],
  expected: readonly string[],
  actual: readonly string[],
): Mismatch | null {
  const commands = steps.flatMap(commandsOf).filter((command) => command.answer !== "none");
  for (let index = 0; index < Math.max(expected.length, actual.length); index++) {
    const command = commands[index] ?? { words: ["(no command)"], answer: "exact" };
    const [one, other] = [expected[index] ?? "", actual[index] ?? ""];
    if (repliesAgree(command, one, other)) continue;
    return { label: labelOf(command), command: describe(command), expected: one, actual: other };
  }
  return null;
}

/** Says why there is no reply where one is missing. */
function withEnding(mismatch: Mismatch, expected: Outcome, actual: Outcome): Mismatch {
  return {
    ...mismatch,
    expected: mismatch.expected || `(no reply, connection ${expected.ending})`,
    actual: mismatch.actual || `(no reply, connection ${actual.ending})`,
  };
}

function labelOf(command: Command): string {
  const [name = "(malformed request)", subcommand = ""] = command.words;
  const isContainer = /^(client|object|debug)$/i.test(name);
  return (isContainer ? `${name} ${subcommand}` : name).toUpperCase();
}

async function shrunk(ports: Ports, difference: Difference): Promise<Difference> {
  const steps = await shrink(difference.steps, async (candidate) => {
    return (await firstMismatch(ports, candidate))?.label === difference.label;
  });
  const mismatch = (await firstMismatch(ports, steps)) ?? difference;
  if (mismatch.label !== STATE_LABEL) return { ...difference, ...mismatch, steps };
  const cause = steps.flatMap(commandsOf).at(-1);
  const label = cause === undefined ? STATE_LABEL : `${labelOf(cause)} ${STATE_LABEL}`;
  return { ...difference, ...mismatch, label, steps };
}

async function findLostPort(ports: Ports): Promise<number | null> {
  for (const port of [ports.expected, ports.actual]) {
    if (!(await answers(port))) return port;
  }
  return null;
}
