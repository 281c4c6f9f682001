/**
 * Transcripts: fenced blocks marked `console`. A line that begins with `$ ` is given to bash, the
 * lines after it are its whole output, standard error included. A block is one bash, so `$?` and
 * variables last from line to line.
 *
 * Three things in a transcript stand for what each run has of its own: 6379 for the port, 8080 for
 * that of a frontend for the web, /srv/kvdb for the folder. And a time is compared as a time,
 * whatever it is.
 */
import { join } from "node:path";
import { run } from "../e2e/support/run.ts";
import type { Workspace } from "../e2e/support/workspace.ts";
import type { Fence } from "./document.ts";

export interface Step {
  readonly command: string;
  readonly output: string;
}

/** Between the outputs of two commands: no program prints it. */
const SEPARATOR = "\u001e";
const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g;

export function stepsOf({ line, lines }: Fence): Step[] {
  const steps: { command: string; output: string }[] = [];
  for (const text of lines) {
    const last = steps.at(-1);
    if (text.startsWith("$ ")) steps.push({ command: text.slice(2), output: "" });
    else if (last !== undefined) last.output += `${text}\n`;
    else throw new Error(`line ${line}: a transcript begins with a command`);
  }
  return steps;
}

/** What is different in each run. */
export interface LocalPlace {
  readonly port: number;
  readonly webPort: number;
  readonly folder: string;
}

/** The same block with the ports and the folder of this run. */
export function localized(steps: readonly Step[], { port, webPort, folder }: LocalPlace): Step[] {
  const local = (text: string) =>
    text
      .replaceAll("6379", String(port))
      .replaceAll("8080", String(webPort))
      .replaceAll("/srv/kvdb", folder);
  return steps.map(({ command, output }) => ({ command: local(command), output: local(output) }));
}

/** What the commands really print. */
export async function replay(steps: readonly Step[], workspace: Workspace): Promise<Step[]> {
  const script = join(workspace.root, "transcript.sh");
  const lines = steps.map(({ command }) => `${command}\n${END_OF_STEP}`);
  await Bun.write(script, `exec 2>&1\n${lines.join("")}`);
  const { stdout } = await run(workspace, ["bash", "--noprofile", "--norc", script], {
    env: {
      PATH: `${workspace.root}:${process.env["PATH"]}`,
      FAKETTY: "1", // redis-cli answers as it answers a person
    },
  });
  const outputs = stdout.split(SEPARATOR);
  return steps.map(({ command }, index) => ({ command, output: outputs[index] ?? "(not run)" }));
}

const END_OF_STEP = `{ status=$?; printf '\\036'; (exit $status); }\n`;

export function withoutTimes(steps: readonly Step[]): Step[] {
  return steps.map(({ command, output }) => ({ command, output: output.replace(TIME, "(time)") }));
}
