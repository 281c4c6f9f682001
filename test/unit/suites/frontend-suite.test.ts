/**
 * The conformance suite for frontends: a naive frontend passes it, and each defect of which it
 * speaks is found by the test that is meant to find it.
 */
import { describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readReport } from "../../../scripts/junit.ts";
import { frontendSuite } from "../../suites/index.ts";
import { naiveCase } from "./naive-client.ts";
import { defects } from "./naive-frontend.ts";

/** Each defect makes its test wait for what does not come. */
const LIMIT_MS = 60_000;

frontendSuite(naiveCase("tcp"));
frontendSuite(naiveCase("unix"));

describe("a broken frontend", () => {
  test(
    "fails, by each defect in the test that is meant to find it",
    async () => {
      const { failed, passedCount } = await runBroken();
      expect(failed).toEqual(expectedNames());
      expect(passedCount).toBe(0);
    },
    LIMIT_MS,
  );
});

function expectedNames(): string[] {
  return Object.entries(defects)
    .map(([defect, name]) => `frontend ${defect} > ${name}`)
    .sort();
}

/** Only the tests in question: the others of a broken frontend may fail or not. */
async function runBroken(): Promise<{ failed: string[]; passedCount: number }> {
  const folder = await mkdtemp(join(tmpdir(), "kvdb-broken-"));
  try {
    const report = join(folder, "report.xml");
    const names = expectedNames().map((name) => RegExp.escape(name.replace(" > ", " ")));
    const child = Bun.spawn(
      [
        ...[process.execPath, "test", "--reporter=junit", `--reporter-outfile=${report}`],
        ...["-t", names.join("|"), "./test/unit/suites/broken-frontends.ts"],
      ],
      { cwd: join(import.meta.dir, "../../.."), stdio: ["ignore", "ignore", "ignore"] },
    );
    await child.exited;
    const { failed, passedCount } = readReport(await Bun.file(report).text());
    return { failed: failed.map(({ name }) => name.replace(/^.*?: /, "")).sort(), passedCount };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
