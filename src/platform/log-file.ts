/**
 * The log in a file, appended to. A line that cannot be written is lost: logging must not fail what it reports on. Who
 * rotates the file renames it and asks for it to be opened again (SIGHUP).
 */
import * as fs from "node:fs";
import { failure } from "./files.ts";

export interface LogFile {
  write(line: string): void;
  /** Throws a KvdbError; the file that was open then stays. */
  reopen(): void;
  close(): void;
}

/** With the mode that the umask leaves: others may be who reads logs. */
const MODE = 0o644;

/** Throws a KvdbError. */
export function openLogFile(path: string): LogFile {
  let descriptor = openToAppend(path);
  return {
    write(line) {
      try {
        fs.writeSync(descriptor, line);
      } catch (error) {
        // The disk is full, or gone. Whoever looks at the log sees that lines are missing.
        if ((error as NodeJS.ErrnoException).code === undefined) throw error;
      }
    },
    reopen() {
      const opened = openToAppend(path);
      fs.closeSync(descriptor);
      descriptor = opened;
    },
    close: () => fs.closeSync(descriptor),
  };
}

function openToAppend(path: string): number {
  try {
    return fs.openSync(path, "a", MODE);
  } catch (error) {
    throw failure("opening the log", path, error);
  }
}
