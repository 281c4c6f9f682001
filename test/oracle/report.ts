/**
 * The report of a differential run as text: the differences grouped by command, each with a script
 * to paste into redis-cli, both replies, and how to run its sequence again.
 */

import { quoteAlways } from "./byte-text.ts";
import type { Difference, Report } from "./differential.ts";
import { commandsOf, describe } from "./step.ts";

/** A reply in the report; the longest interesting ones are errors that quote 128 bytes twice. */
const REPLY_WIDTH = 400;
/** Examples of a group that are shown in full, each with other replies; the rest are only seeds. */
const SHOWN_PER_GROUP = 5;

export function formatReport(report: Report): string {
  const { sequencesRun, commandsRun, differences, options, lostPort } = report;
  const lines = [
    `seed ${options.seed}: ${sequencesRun} sequences, ${commandsRun} commands, ` +
      `${differences.length} differences`,
  ];
  for (const [label, group] of byLabel(differences)) {
    lines.push("", `${label}: ${group.length}`);
    const examples = examplesOf(group);
    for (const difference of examples) {
      lines.push(...formatDifference(difference, options.stepsPerSequence));
    }
    const others = group.filter((one) => !examples.includes(one)).map((one) => one.seed);
    if (others.length > 0) lines.push(`  also with the seeds ${others.join(" ")}`);
  }
  if (lostPort !== null) lines.push("", `the server on port ${lostPort} no longer answers`);
  return lines.join("\n");
}

/** The groups, the one with the shortest script first: it is the easiest to understand. */
function byLabel(differences: readonly Difference[]): [string, Difference[]][] {
  const groups = Map.groupBy(differences, (difference) => difference.label);
  for (const group of groups.values()) group.sort((a, b) => a.steps.length - b.steps.length);
  return [...groups].sort(([, a], [, b]) => scriptLength(a) - scriptLength(b));
}

function scriptLength(group: readonly Difference[]): number {
  return group[0]?.steps.length ?? 0;
}

function examplesOf(group: readonly Difference[]): Difference[] {
  const examples: Difference[] = [];
  for (const { expected, actual } of group) {
    const example = group.find((one) => one.expected === expected && one.actual === actual);
    if (example !== undefined && !examples.includes(example)) examples.push(example);
  }
  return examples.slice(0, SHOWN_PER_GROUP);
}

function formatDifference(difference: Difference, stepCount: number): string[] {
  const script = difference.steps.flatMap(commandsOf).map(describe);
  const isOfLast = script.at(-1) === difference.command;
  return [
    ...script.map((command) => `  > ${command}`),
    ...(isOfLast ? [] : [`    reply to ${difference.command}`]),
    `    expected ${formatReply(difference.expected)}`,
    `    actual   ${formatReply(difference.actual)}`,
    `    again: --seed ${difference.seed} --sequences 1 --steps ${stepCount}`,
  ];
}

function formatReply(reply: string): string {
  const quoted = quoteAlways(reply);
  return quoted.length <= REPLY_WIDTH ? quoted : `${quoted.slice(0, REPLY_WIDTH)}…`;
}
