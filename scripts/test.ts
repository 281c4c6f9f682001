// The one test command: lint, type check, build, tests; the last line counts what passed and failed.
//
//   bun scripts/test.ts [--long] [--only-tests] [path filter …]
//
// --long        also runs what takes minutes (KVDB_TEST_LONG=1)
// --only-tests  skips lint, type check and build
//
// Counts come from bun's JUnit report, not from its text. A step that fails, a test file that cannot
// be loaded, and a run without a test count as failed too. Every step runs, also after a failed one.

import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { type Report, readReport } from "./junit.ts";

// Per test, not per run. Generous: a slow machine is no failure, a hang is.
const TEST_TIMEOUT_MS = 60_000;
const LONG_TEST_TIMEOUT_MS = 900_000;

/** Of what a failed test says, at the end. */
const SHOWN_LINES = 30;
const SHOWN_CHARACTERS = 4_000;

/** Of a group: what is slow is parted, so that the lanes end together. */
const SLOW_GROUP = "./test/e2e";
const FILES_PER_SLOW_GROUP = 12;

/**
 * The tests start thousands of processes, and each touches thousands of pages before it does anything: with huge pages it is
 * a quarter of them and a third less time. Left to whoever sets it.
 */
const HUGE_PAGES = { MIMALLOC_ALLOW_THP: process.env["MIMALLOC_ALLOW_THP"] ?? "1" };

/** Groups of tests at once: many wait for processes and timers. */
const LANES = Math.min(2, availableParallelism());

const ROOT = resolve(import.meta.dir, "..");
const BIN = join(ROOT, "node_modules/.bin");
process.chdir(ROOT);

const { values, positionals } = parseArgs({
  options: {
    long: { type: "boolean", default: false },
    "only-tests": { type: "boolean", default: false },
  },
  allowPositionals: true,
});

const failedSteps: string[] = [];
if (!values["only-tests"]) {
  await step("lint", [join(BIN, "biome"), "check", "--error-on-warnings"]);
  await step("type check", [join(BIN, "tsc"), "--noEmit"]);
  await step("build", [process.execPath, "scripts/build.ts"]);
}
const report = await runTests(positionals, values.long);
process.exitCode = summarize(report);

async function step(name: string, command: string[]): Promise<void> {
  console.log(`\n# ${name}`);
  const exitCode = await run(command);
  if (exitCode !== 0) failedSteps.push(`${name} (exit code ${exitCode})`);
}

async function run(
  command: string[],
  env: Record<string, string> = {},
  output: "inherit" | number = "inherit",
): Promise<number> {
  try {
    const child = Bun.spawn(command, {
      stdio: ["ignore", output, output],
      env: { ...process.env, ...env },
    });
    return await child.exited;
  } catch (error) {
    console.error(String(error)); // the program is not installed
    return 127;
  }
}

async function runTests(filters: string[], long: boolean): Promise<Report> {
  console.log("\n# tests");
  const reports: Report[] = [];
  const groups = filters.length > 0 ? [filters] : testGroups();
  const isAlone = groups.length === 1;
  const lane = async () => {
    for (let group = groups.shift(); group !== undefined; group = groups.shift()) {
      reports.push(await runGroup(group, { long, isAlone }));
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  const report: Report = {
    passedCount: reports.reduce((sum, { passedCount }) => sum + passedCount, 0),
    failed: reports.flatMap(({ failed }) => failed),
    skipped: reports.flatMap(({ skipped }) => skipped),
    files: new Set(reports.flatMap(({ files }) => [...files])),
  };
  const unloaded = filters.length === 0 ? testFilesMissingFrom(report) : [];
  for (const path of unloaded) failedSteps.push(`${path} (no test of it ran, see above)`);
  return report;
}

/**
 * Each runs in a process of its own. Bun keeps what a test file made until the end, and its garbage
 * collector looks through all of it: behind many others a test took up to twenty times as long.
 */
function testGroups(): string[][] {
  const groupOf = (path: string) => {
    const depth = path.startsWith("test/unit/") ? 3 : path.startsWith("test/") ? 2 : 1;
    return `./${path.split("/").slice(0, depth).join("/")}`;
  };
  const groups = Map.groupBy(testFiles(), groupOf);
  const slow = groups.get(SLOW_GROUP) ?? [];
  groups.delete(SLOW_GROUP);
  const parts = Array.from({ length: Math.ceil(slow.length / FILES_PER_SLOW_GROUP) }, (_, part) =>
    slow.slice(part * FILES_PER_SLOW_GROUP, (part + 1) * FILES_PER_SLOW_GROUP),
  );
  const slowFirst = parts.map((files) => files.map((path) => `./${path}`));
  return [...slowFirst, ...[...groups.keys()].map((path) => [path])];
}

function testFiles(): string[] {
  return [...new Bun.Glob("{test,examples}/**/*.test.ts").scanSync()].sort();
}

/** Beside others its output is printed when it has ended: else theirs would stand between its lines. */
async function runGroup(
  group: readonly string[],
  options: { long: boolean; isAlone: boolean },
): Promise<Report> {
  const { long, isAlone } = options;
  const folder = mkdtempSync(join(tmpdir(), "kvdb-test-"));
  const reportPath = join(folder, "report.xml");
  const outputPath = join(folder, "output");
  const output = openSync(outputPath, "w+");
  const exitCode = await run(
    [
      process.execPath,
      "test",
      `--timeout=${long ? LONG_TEST_TIMEOUT_MS : TEST_TIMEOUT_MS}`,
      "--reporter=junit",
      `--reporter-outfile=${reportPath}`,
      ...group,
    ],
    { ...HUGE_PAGES, ...(long ? { KVDB_TEST_LONG: "1" } : {}) },
    isAlone ? "inherit" : output,
  );
  closeSync(output);
  await Bun.write(Bun.stdout, readFileSync(outputPath));
  // Bun writes no report when it crashes, and when no test file could be loaded.
  const report = readReport(existsSync(reportPath) ? readFileSync(reportPath, "utf8") : "");
  rmSync(folder, { recursive: true, force: true });
  const count = report.passedCount + report.failed.length;
  if (count === 0) failedSteps.push(`tests of ${group.join(" ")} (none ran)`);
  else if (exitCode !== 0 && report.failed.length === 0) {
    failedSteps.push(`tests of ${group.join(" ")} (an error outside any, exit code ${exitCode})`);
  }
  return report;
}

/** A test file that throws while it loads is not in the report. */
function testFilesMissingFrom(report: Report): string[] {
  return testFiles().filter((path) => !report.files.has(path));
}

/** Its beginning: whoever has the last lines of a run alone learns from it what went wrong. */
function shown(message: string): string {
  const lines = message.slice(0, SHOWN_CHARACTERS).split("\n").slice(0, SHOWN_LINES);
  return lines.map((line) => `    ${line}\n`).join("");
}

function summarize(report: Report): number {
  console.log("");
  for (const name of report.skipped) console.log(`skipped: ${name}`);
  for (const { name, message } of report.failed) console.log(`failed: ${name}\n${shown(message)}`);
  for (const name of failedSteps) console.log(`failed: ${name}`);
  const failedCount = report.failed.length + failedSteps.length;
  const skippedText = report.skipped.length > 0 ? `, ${report.skipped.length} skipped` : "";
  console.log(`${report.passedCount} passed, ${failedCount} failed${skippedText}`);
  return failedCount === 0 ? 0 : 1;
}
