/**
 * The ways in which a transcript is run. Each gives what its commands printed, step by step, and the
 * digest of all data in the end.
 */

import { ownCommands } from "../../src/cli/own-commands.ts";
import type { Part } from "../../src/client/link.ts";
import { SocketLink } from "../../src/client/socket-link.ts";
import { CommandTable } from "../../src/commands/table.ts";
import { LocalLink } from "../../src/kernel/local-link.ts";
import type { Answer } from "../../src/resp/answer.ts";
import { renderAnswer } from "../../src/shell/answer-text.ts";
import { parseLine } from "../../src/shell/line.ts";
import { lineWords } from "../../src/shell/line-words.ts";
import { perform } from "../../src/shell/perform.ts";
import { understand } from "../../src/shell/words.ts";
import { kvdb, type Outcome } from "../e2e/support/run.ts";
import { Server } from "../e2e/support/server.ts";
import { Workspace } from "../e2e/support/workspace.ts";
import { EngineHarness } from "../suites/engine-harness.ts";
import { linesOf, type Step, type Transcript, type WayName } from "./transcript.ts";

export interface Played {
  /** Lines that each step printed. */
  readonly steps: readonly (readonly string[])[];
  readonly digest: string;
}

export interface Way {
  readonly name: WayName;
  /** What is named behind the way in the test's name. */
  readonly persistence: string;
  play(transcript: Transcript): Promise<Played>;
}

/** `persistences`: every one that keeps data. */
export function allWays(persistences: readonly string[]): Way[] {
  return [
    { name: "in process", persistence: "", play: playInProcess },
    ...persistences.flatMap((persistence): Way[] => [
      { name: "resp", persistence, play: (one) => inWorkspace(persistence, one, playOverResp) },
      { name: "script", persistence, play: (one) => inWorkspace(persistence, one, playAsScript) },
      { name: "one-shot", persistence, play: (one) => inWorkspace(persistence, one, playOneShot) },
    ]),
  ];
}

const PLAIN = { mode: "plain", colour: false, columns: 0, isValue: false } as const;
const DIGEST: readonly Part[] = ["DEBUG", "DIGEST"];

// ---- in process, over RESP ----

async function playInProcess({ runs }: Transcript): Promise<Played> {
  let harness = new EngineHarness({ background: false });
  const steps: string[][] = [];
  let digest = "";
  for (const [number, run] of runs.entries()) {
    if (number > 0) harness = harness.replayed();
    const link = new LocalLink(harness.engine, { address: "127.0.0.1:0" });
    const call = async (parts: readonly Part[]) => {
      const answer = link.run(parts);
      harness.endTurn();
      return answer;
    };
    for (const step of run) steps.push(await typed(step, call));
    digest = textOf(await call(DIGEST));
  }
  return { steps, digest };
}

async function playOverResp({ runs }: Transcript, workspace: Workspace): Promise<Played> {
  const steps: string[][] = [];
  let digest = "";
  for (const run of runs) {
    await using server = await Server.start(workspace);
    const address = { hostname: "127.0.0.1", port: server.port, tls: false as const };
    const link = await SocketLink.connect(address);
    const call = (parts: readonly Part[]) => link.call(parts);
    for (const step of run) steps.push(await typed(step, call));
    digest = textOf(await call(DIGEST));
    await saveWhole(call);
    await link.close();
    await server.kill();
  }
  return { steps, digest };
}

/** A persistence that keeps no single changes has only what was saved when it is killed. */
async function saveWhole(call: (parts: readonly Part[]) => Promise<Answer>): Promise<void> {
  const answer = await call(["CONFIG", "GET", "appendonly"]);
  if (renderAnswer(answer, PLAIN).toString().includes('"no"')) await call(["SAVE"]);
}

const catalog = new CommandTable();
catalog.add(ownCommands(), "kvdb");

/** What the command line would print for a line that was typed. */
async function typed(
  { command }: Step,
  call: (parts: readonly Part[]) => Promise<Answer>,
): Promise<string[]> {
  const { answer, ...shape } = await perform(understand(wordsOf(command), catalog), call);
  return linesOf(renderAnswer(answer, { ...PLAIN, ...shape }).toString());
}

function wordsOf(command: string): [Part, ...Part[]] {
  const parsed = parseLine(command);
  const words = lineWords(parsed, catalog);
  if (parsed.problems.length > 0 || words === undefined) throw new Error(`no command: ${command}`);
  return [...words];
}

function textOf(answer: Answer): string {
  if (answer.kind === "status") return answer.text;
  throw new Error(`no digest: ${JSON.stringify(answer)}`);
}

// ---- through the executable ----

async function inWorkspace(
  persistence: string,
  transcript: Transcript,
  play: (transcript: Transcript, workspace: Workspace) => Promise<Played>,
): Promise<Played> {
  await using workspace = await Workspace.create();
  await workspace.write("kvdb.config.json", { persistence });
  return await play(transcript, workspace); // the workspace is gone when this function returns
}

/** A word that no transcript prints stands between the answers, to tell them apart. */
const BETWEEN = "between-two-answers";

async function playAsScript({ runs }: Transcript, workspace: Workspace): Promise<Played> {
  const steps: string[][] = [];
  for (const run of runs) {
    const input = run.map(({ command }) => `${command}\necho ${BETWEEN}\n`).join("");
    const { stdout, stderr } = await kvdb(workspace, ["--force"], { input });
    const answers = stdout.split(`"${BETWEEN}"\n`);
    for (const [index] of run.entries()) {
      const error = new RegExp(`^line ${2 * index + 1}: (.*)$`, "m").exec(stderr);
      steps.push(error === null ? linesOf(answers[index] ?? "") : [`(error) ${error[1]}`]);
    }
  }
  return { steps, digest: await digestOf(workspace) };
}

async function playOneShot({ runs }: Transcript, workspace: Workspace): Promise<Played> {
  const steps: string[][] = [];
  for (const { command } of runs.flat()) {
    const words = wordsOf(command).map((word) => {
      if (typeof word === "string") return word;
      throw new Error(`bytes cannot stand on a command line: ${command}`);
    });
    steps.push(printedBy(await kvdb(workspace, words)));
  }
  return { steps, digest: await digestOf(workspace) };
}

function printedBy({ code, stdout, stderr }: Outcome): string[] {
  return code === 0 ? linesOf(stdout) : [`(error) ${stderr.trimEnd()}`];
}

async function digestOf(workspace: Workspace): Promise<string> {
  return (await kvdb(workspace, ["debug", "digest"])).stdout.trimEnd();
}
