/** Whether a process that left its number behind still runs, and is not a later one with that number. */
import { errnoOf, type Files } from "./files.ts";

/** A process's line in /proc is a few hundred bytes. */
const MAX_STAT_BYTES = 8192;

/** Handed to the folder lock, so that a test can replace it. */
export interface Processes {
  readonly ownPid: number;
  isAlive(pid: number): boolean;
  /** undefined where the system does not tell. */
  startOf(pid: number): Promise<string | undefined>;
}

export function systemProcesses(files: Files): Processes {
  return {
    ownPid: process.pid,
    isAlive(pid) {
      try {
        process.kill(pid, 0);
        return true;
      } catch (error) {
        // EPERM: it runs, as another user.
        return (error as NodeJS.ErrnoException).code === "EPERM";
      }
    },
    startOf: (pid) => readProcessStart(files, pid),
  };
}

/**
 * Field 22 of /proc/<pid>/stat, in ticks since boot. The name in field 2 may hold spaces and
 * parentheses.
 */
async function readProcessStart(files: Files, pid: number): Promise<string | undefined> {
  if (process.platform !== "linux") return undefined;
  try {
    const file = await files.open(`/proc/${pid}/stat`, "read");
    try {
      const bytes = Buffer.alloc(MAX_STAT_BYTES);
      const text = bytes.toString("utf8", 0, await file.read(bytes, 0, bytes.length, 0));
      return text.slice(text.lastIndexOf(")") + 2).split(" ")[19];
    } finally {
      await file.close();
    }
  } catch (error) {
    // It ended while it was looked at: ENOENT at the open, ESRCH at the read.
    if (["ENOENT", "ESRCH"].includes(errnoOf(error) ?? "")) return undefined;
    throw error;
  }
}
