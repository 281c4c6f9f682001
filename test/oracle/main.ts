/**
 * The differential test by hand, against servers that run already:
 *
 *   bun test/oracle/main.ts --a PORT --b PORT [--seed N] [--sequences N] [--steps N]
 *     [--groups strings,bits] [--keep-going]
 *
 * `a` is the server that is right (redis-server with --enable-debug-command yes), `b` the one under
 * test. Both are emptied. Exit code 0: no difference, 1: differences, 2: wrong usage.
 */

import { parseArgs } from "node:util";
import { type RunOptions, run } from "./differential.ts";
import { GROUPS } from "./generate/sequence.ts";
import { formatReport } from "./report.ts";

const LARGEST_SEED = 4_294_967_295;

process.exitCode = await main(process.argv.slice(2));

async function main(args: string[]): Promise<number> {
  let options: RunOptions;
  try {
    options = readOptions(args);
  } catch (cause) {
    console.error(cause instanceof Error ? cause.message : cause);
    return 2;
  }
  const startMs = performance.now();
  const report = await run(options);
  console.log(formatReport(report));
  console.log(`\n${((performance.now() - startMs) / 1000).toFixed(1)} s`);
  return report.differences.length === 0 ? 0 : 1;
}

function readOptions(args: string[]): RunOptions {
  const { values } = parseArgs({
    args,
    options: {
      a: { type: "string" },
      b: { type: "string" },
      seed: { type: "string", default: String(Date.now() % LARGEST_SEED) },
      sequences: { type: "string", default: "1000" },
      steps: { type: "string", default: "30" },
      groups: { type: "string", default: GROUPS.map((group) => group.name).join(",") },
      "keep-going": { type: "boolean", default: false },
    },
  });
  return {
    ports: { expected: wholeNumber("a", values.a), actual: wholeNumber("b", values.b) },
    seed: wholeNumber("seed", values.seed),
    sequences: wholeNumber("sequences", values.sequences),
    stepsPerSequence: wholeNumber("steps", values.steps),
    groups: values.groups.split(",").map(groupNamed),
    keepGoing: values["keep-going"],
  };
}

function wholeNumber(name: string, text: string | undefined): number {
  if (text === undefined || !/^\d{1,10}$/.test(text)) throw new Error(`--${name} needs a number`);
  return Number(text);
}

function groupNamed(name: string) {
  const group = GROUPS.find((candidate) => candidate.name === name);
  if (group !== undefined) return group;
  const names = GROUPS.map((candidate) => candidate.name).join(", ");
  throw new Error(`--groups: there is no group "${name}"; there are ${names}`);
}
