/**
 * Keeps the history in a file of the user alone (mode 0600). One entry a line; a line break in it is
 * written `\n`, a backslash `\\`. Several shells may add to it at once: each adds its own lines at the
 * end, under a lock, so none loses those of another.
 */
import { dirname } from "node:path";
import type { Clock, Files, OpenFile } from "kvdb";

/** Another shell holds the lock for a moment. */
const LOCK_ATTEMPTS = 40;
const LOCK_PAUSE_MS = 5;
/** The file is cut when it has so many times the entries that are kept: seldom, but not never. */
const SLACK = 2;
/** A file that is larger is none that a shell wrote. */
const MAX_BYTES = 64 * 1024 * 1024;

export interface HistoryFileOptions {
  readonly path: string;
  readonly maxLength: number;
  readonly files: Files;
  readonly clock: Clock;
}

export class HistoryFile {
  readonly #options: HistoryFileOptions;

  constructor(options: HistoryFileOptions) {
    this.#options = options;
  }

  /** Oldest first; none when there is no file. Rejects with a KvdbError. */
  async read(): Promise<string[]> {
    const { files, path, maxLength } = this.#options;
    if (!(await files.exists(path))) return [];
    const file = await files.open(path, "read");
    try {
      return decode(await readAll(file)).slice(-maxLength);
    } finally {
      await file.close();
    }
  }

  /** Rejects with a KvdbError. */
  async add(entry: string): Promise<void> {
    const { files, path, maxLength } = this.#options;
    await files.makeFolder(dirname(path));
    const file = await files.open(path, "keep");
    try {
      await this.#lock(file);
      const line = Buffer.from(encode([entry]));
      const size = await file.size();
      await file.write(line, 0, line.length, size);
      if (size + line.length > maxLength * SLACK) await this.#cut(file);
    } finally {
      await file.close();
    }
  }

  /** An entry has a byte at least, so a file with fewer bytes has nothing to cut. */
  async #cut(file: OpenFile): Promise<void> {
    const { maxLength } = this.#options;
    const entries = decode(await readAll(file));
    if (entries.length <= maxLength * SLACK) return;
    const kept = Buffer.from(encode(entries.slice(-maxLength)));
    await file.write(kept, 0, kept.length, 0);
    await file.truncate(kept.length);
  }

  /** Where there are no locks, or somebody keeps one: an entry is worth less than the shell's time. */
  async #lock(file: OpenFile): Promise<void> {
    for (let attempt = 1; file.lock() === "held" && attempt < LOCK_ATTEMPTS; attempt++) {
      await new Promise<void>((resolve) => this.#options.clock.after(LOCK_PAUSE_MS, resolve));
    }
  }
}

async function readAll(file: OpenFile): Promise<string> {
  const bytes = Buffer.alloc(Math.min(await file.size(), MAX_BYTES));
  const count = await file.read(bytes, 0, bytes.length, 0);
  return bytes.toString("utf8", 0, count);
}

function encode(entries: readonly string[]): string {
  return entries
    .map((entry) => `${entry.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}\n`)
    .join("");
}

function decode(text: string): string[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.replace(/\\(.)/g, (_, escaped) => (escaped === "n" ? "\n" : escaped)));
}
