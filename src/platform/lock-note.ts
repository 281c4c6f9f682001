/**
 * What the lock file of a data folder says, in its first line: which persistence the folder belongs to, which
 * revisions were given out in it, where else its data is, and, while the folder is held, who holds it:
 *
 *   {"persistence":"wal","pid":4711,"processStart":"81726","since":"2026-03-01T12:00:00.000Z",
 *    "socket":"/data/kvdb.sock"}      all in one line, while it is held, and after a crash
 *   {"persistence":"wal"}             when it was given back
 *   {"persistence":"json-snapshot","lastRevision":42,"paths":{"file":"/home/ada/database.json"}}
 *                                     of a persistence that does not keep each change, and was told to keep
 *                                     something elsewhere
 *   {"persistence":"json-snapshot","revisionsAbove":42,"pid":4711, …}
 *                                     the same while it is used, and after a crash
 *
 * What follows the first line means nothing: a shorter line is written over a longer one, and cut off after that. Of a
 * longer one that was written over a shorter one, a power loss may leave the beginning: what must not be lost comes
 * first, for that. A file without the persistence (made by an older kvdb, or emptied) belongs to nobody.
 */
import type { OpenFile } from "./files.ts";

/**
 * The lock file is some hundred bytes; a longer one is none of ours, and is not read to its end.
 */
const MAX_LOCK_FILE_BYTES = 8192;

/** Who holds a folder. */
export interface LockHolder {
  readonly pid: number;
  /**
   * When the process was started, in the system's own words: tells it from a later one with the
   * same pid.
   */
  readonly processStart?: string;
  /** When the folder was locked, ISO 8601. */
  readonly since?: string;
  /** Where commands can be forwarded to. */
  readonly socket?: string;
}

/** Options of the persistence that name places, absolute: without them its data would not be found again. */
export type Paths = Readonly<Record<string, string>>;

/**
 * The revisions that changes in the folder were given. Only kept for a persistence that does not keep each change: of
 * what it has lost, somebody may have seen the revision.
 */
export interface GivenRevisions {
  readonly upTo: number;
  /** False: higher ones too, nobody knows how many. */
  readonly isComplete: boolean;
}

export interface LockNote {
  readonly persistence?: string;
  readonly given?: GivenRevisions | undefined;
  readonly paths: Paths;
  readonly holder?: LockHolder;
}

const COMPLETE = "lastRevision";
const INCOMPLETE = "revisionsAbove";

export async function writeNote(
  file: OpenFile,
  { persistence, given, paths, holder }: LockNote,
): Promise<void> {
  const revisions = given && { [given.isComplete ? COMPLETE : INCOMPLETE]: given.upTo };
  const where = Object.keys(paths).length === 0 ? {} : { paths };
  const content = { persistence, ...revisions, ...where, ...holder };
  const bytes = Buffer.from(`${JSON.stringify(content)}\n`);
  await file.write(bytes, 0, bytes.length, 0);
  await file.truncate(bytes.length);
}

/** The beginning of a line that was cut off: as much as must not be lost, as long as it is whole. */
const BEGINNING = new RegExp(
  `^(\\{"persistence":"[^"\\\\]*"(?:,"(?:${COMPLETE}|${INCOMPLETE})":\\d+(?=[,}]))?).*$`,
);

/** Nothing is known from a file that is empty, half written, or none of ours. */
export async function readNote(file: OpenFile): Promise<LockNote> {
  const [line = ""] = (await readText(file)).split("\n", 1);
  const found = parseJson(line) ?? parseJson(line.replace(BEGINNING, "$1}"));
  if (typeof found !== "object" || found === null) return { paths: {} };
  const fields = found as Record<string, unknown>;
  const text = (name: string) => {
    const value = fields[name];
    return typeof value === "string" ? { [name]: value } : {};
  };
  const given = readGiven(fields);
  const note = { ...text("persistence"), given, paths: readPaths(fields["paths"]) };
  const pid = fields["pid"];
  if (typeof pid !== "number" || !Number.isSafeInteger(pid) || pid <= 0) return note;
  const holder = { pid, ...text("processStart"), ...text("since"), ...text("socket") };
  return { ...note, holder };
}

function readGiven(fields: Record<string, unknown>): GivenRevisions | undefined {
  for (const [name, isComplete] of [
    [INCOMPLETE, false],
    [COMPLETE, true],
  ] as const) {
    const upTo = fields[name];
    if (Number.isSafeInteger(upTo) && (upTo as number) >= 0) {
      return { upTo: upTo as number, isComplete };
    }
  }
  return undefined;
}

function readPaths(found: unknown): Paths {
  if (typeof found !== "object" || found === null) return {};
  return Object.fromEntries(Object.entries(found).filter(([, path]) => typeof path === "string"));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Cut off in the middle of a write: it tells nothing, and the flock alone decides.
    return undefined;
  }
}

async function readText(file: OpenFile): Promise<string> {
  const bytes = Buffer.alloc(MAX_LOCK_FILE_BYTES);
  const count = await file.read(bytes, 0, bytes.length, 0);
  return bytes.toString("utf8", 0, count);
}
