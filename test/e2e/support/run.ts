/** Runs the executable, or another program, to its end, and gives back what a shell would see of it. */
import { within } from "./poll.ts";
import type { Workspace } from "./workspace.ts";

export interface Outcome {
  /** The exit code; 128 and the signal's number after a signal, as shells say it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly limitMs?: number;
}

/** `kvdb …` in the workspace's folder. */
export function kvdb(
  workspace: Workspace,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Outcome> {
  return run(workspace, [workspace.executable, ...args], options);
}

export async function run(
  workspace: Workspace,
  command: readonly string[],
  options: RunOptions = {},
): Promise<Outcome> {
  const child = Bun.spawn([...command], {
    cwd: options.cwd ?? workspace.folder,
    env: { ...cleanEnvironment(workspace), ...options.env },
    stdin: options.input === undefined ? "ignore" : Buffer.from(options.input),
    stdout: "pipe",
    stderr: "pipe",
  });
  return outcomeOf(child, command.join(" "), options.limitMs);
}

/** Of a process that runs already; it is gone when this settles. */
export async function outcomeOf(
  child: Bun.Subprocess<Bun.Spawn.Writable, "pipe", "pipe">,
  name = "the process",
  limitMs?: number,
): Promise<Outcome> {
  try {
    const read = Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
    const [stdout, stderr, code] = await within(name, read, limitMs);
    return { code, stdout, stderr };
  } finally {
    child.kill("SIGKILL");
  }
}

/** Nothing of the developer's own settings reaches kvdb. */
export function cleanEnvironment(workspace: Workspace): Record<string, string> {
  const { PATH = "", MIMALLOC_ALLOW_THP } = process.env; // the latter: scripts/test.ts
  const hugePages = MIMALLOC_ALLOW_THP === undefined ? {} : { MIMALLOC_ALLOW_THP };
  return { PATH, HOME: workspace.root, TZ: "UTC", ...hugePages };
}
