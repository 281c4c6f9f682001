/**
 * Watches the file system calls of a running process, or makes them fail, by strace, where the
 * system permits it.
 */
import { readdir, readFile } from "node:fs/promises";
import { until, within } from "./poll.ts";

const CALLS = [
  ...["read", "readv", "pread64", "preadv", "preadv2", "mmap", "sendfile", "openat", "open"],
  ...["write", "writev", "pwrite64", "pwritev", "pwritev2"],
  ...["fsync", "fdatasync", "sync_file_range", "syncfs"],
];

export class Trace implements AsyncDisposable {
  readonly #child: Bun.Subprocess<"ignore", "ignore", "ignore">;
  readonly #path: string;

  private constructor(child: Bun.Subprocess<"ignore", "ignore", "ignore">, path: string) {
    this.#child = child;
    this.#path = path;
  }

  /** Resolves when every call from here on is written to `path`; undefined when that is not permitted. */
  static async attach(pid: number, path: string): Promise<Trace | undefined> {
    const strace = Bun.which("strace");
    if (strace === null) return undefined;
    const child = Bun.spawn(
      [strace, "-f", "-y", "-e", `trace=${CALLS.join(",")}`, "-o", path, "-p", String(pid)],
      { stdin: "ignore", stdout: "ignore", stderr: "ignore" },
    );
    const isAttached = await until("strace is attached", async () => {
      if (child.exitCode !== null) return "refused";
      return (await tracerOf(pid)) === child.pid ? "attached" : false;
    });
    return isAttached === "attached" ? new Trace(child, path) : undefined;
  }

  /** Ends it. Resolves to the calls on files under the folder, one line each. */
  async callsUnder(folder: string): Promise<string[]> {
    await this[Symbol.asyncDispose]();
    const text = await readFile(this.#path, "utf8");
    return text.split("\n").filter((line) => line.includes(folder));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGINT"); // detaches; the process goes on
    await within("the end of strace", this.#child.exited);
  }
}

/** What befalls calls, in strace's words: `error=EIO`, `delay_enter=500000:when=3+`. */
export interface Fault {
  readonly calls: readonly string[];
  readonly inject: string;
}

/** Calls that fail from the moment that it is there to the moment that it is disposed of. */
export class Injection implements AsyncDisposable {
  readonly #child: Bun.Subprocess<"ignore", "ignore", "ignore">;

  private constructor(child: Bun.Subprocess<"ignore", "ignore", "ignore">) {
    this.#child = child;
  }

  /** Resolves when it holds for each thread of the process. Only where `mayTrace` is true. */
  static async attach(pid: number, { calls, inject }: Fault): Promise<Injection> {
    const names = calls.join(",");
    const faults = ["-e", `trace=${names}`, "-e", `inject=${names}:${inject}`];
    const child = Bun.spawn(["strace", "-f", ...faults, "-o", "/dev/null", "-p", String(pid)], {
      stdio: ["ignore", "ignore", "ignore"],
    });
    const injection = new Injection(child);
    await until("strace is attached to each thread", async () => {
      if (child.exitCode !== null) throw new Error(`strace ended with ${child.exitCode}`);
      const threads = await readdir(`/proc/${pid}/task`);
      const tracers = await Promise.all(threads.map((thread) => tracerOfThread(pid, thread)));
      return tracers.every((tracer) => tracer === child.pid || tracer === undefined);
    });
    return injection;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGINT"); // detaches; the process goes on
    await within("the end of strace", this.#child.exited);
  }
}

async function tracerOf(pid: number): Promise<number> {
  return tracerIn(await readFile(`/proc/${pid}/status`, "utf8"));
}

/** undefined: the thread has ended, as those of checkpoints do. */
async function tracerOfThread(pid: number, thread: string): Promise<number | undefined> {
  try {
    return tracerIn(await readFile(`/proc/${pid}/task/${thread}/status`, "utf8"));
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (!["ENOENT", "ESRCH"].includes(code)) throw error;
    return undefined;
  }
}

function tracerIn(status: string): number {
  return Number(/^TracerPid:\s*(\d+)$/m.exec(status)?.[1]);
}

/** Whether a process of ours may be watched here. */
export async function mayTrace(): Promise<boolean> {
  if (process.platform !== "linux") return false;
  const child = Bun.spawn(["sleep", "60"], { stdin: "ignore", stdout: "ignore" });
  try {
    await using trace = await Trace.attach(child.pid, "/dev/null");
    return trace !== undefined;
  } finally {
    child.kill("SIGKILL");
    await child.exited;
  }
}

/** Of lines of a trace: those of these calls. */
export function callsOf(lines: readonly string[], names: RegExp): string[] {
  return lines.filter((line) => names.test(/^\d+\s+(\w+)/.exec(line)?.[1] ?? ""));
}
