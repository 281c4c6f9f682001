/**
 * Makes a failing sequence small: drops steps, first by halves, then singly, and then words of what
 * remains, as long as it goes on failing. Knows nothing of servers; `fails` runs the candidate.
 *
 * Invariant: the result fails, or is the input.
 */

import type { Command, Step } from "./step.ts";

type Fails = (steps: readonly Step[]) => Promise<boolean>;

/** A candidate takes milliseconds, but each one on a server that hangs takes the reply timeout. */
const SHRINK_BUDGET_MS = 20_000;

export async function shrink(steps: readonly Step[], fails: Fails): Promise<readonly Step[]> {
  const deadline = Date.now() + SHRINK_BUDGET_MS;
  const inTime: Fails = async (candidate) => Date.now() < deadline && (await fails(candidate));
  let current = steps;
  for (let size = Math.max(1, current.length >> 1); size >= 1; size >>= 1) {
    current = await dropRuns(current, size, inTime);
  }
  current = await dropRuns(current, 1, inTime);
  for (let index = 0; index < current.length; index++) {
    current = await simplifyStep(current, index, inTime);
  }
  return current;
}

/** Tries without each run of `size` steps, the last ones first: they depend on the others. */
async function dropRuns(steps: readonly Step[], size: number, fails: Fails) {
  let current = steps;
  for (let start = current.length - size; start >= 0; start -= size) {
    const candidate = without(current, start, size);
    if (candidate.length > 0 && (await fails(candidate))) current = candidate;
  }
  return current;
}

/** Sends the step's command plainly instead of inline, and without words that do not matter. */
async function simplifyStep(steps: readonly Step[], index: number, fails: Fails) {
  const step = steps[index];
  const only = step?.kind === "commands" && step.commands.length === 1 ? step.commands[0] : null;
  if (only == null || only.words.length === 0) return steps;
  let current = steps;
  let command = only;
  const accept = async (candidate: Command): Promise<void> => {
    const changed = replaced(current, index, candidate);
    if (!(await fails(changed))) return;
    current = changed;
    command = candidate;
  };
  if (command.wire !== undefined) {
    await accept({ words: command.words, answer: command.answer });
    if (command.wire !== undefined) return current;
  }
  // By twos first: keys go with values, options with numbers.
  for (const size of [2, 1]) {
    for (let at = command.words.length - size; at >= 1; at--) {
      await accept({ words: without(command.words, at, size), answer: command.answer });
    }
  }
  return current;
}

function replaced(steps: readonly Step[], index: number, command: Command): Step[] {
  return steps.map((step, at) => (at === index ? { kind: "commands", commands: [command] } : step));
}

function without<T>(list: readonly T[], start: number, count: number): T[] {
  return [...list.slice(0, start), ...list.slice(start + count)];
}
