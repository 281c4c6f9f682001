/**
 * One process per data folder: an exclusive flock on `<folder>/kvdb.lock`, which the kernel
 * releases however the process ends. The file is never removed: who removed it could lock a file
 * that another process no longer sees. Its first line says which persistence the folder belongs to,
 * for a persistence sees only files of its own and would take the folder of another one for empty;
 * and, while the folder is held, who holds it:
 *
 *   {"persistence":"wal","pid":4711,"processStart":"81726","since":"2026-03-01T12:00:00.000Z",
 *    "socket":"/data/kvdb.sock"}      all in one line, while it is held, and after a crash
 *   {"persistence":"wal"}             when it was given back
 *   {"persistence":"json-snapshot","paths":{"file":"/home/ada/database.json"}, …}
 *                                     when the persistence was told to keep something elsewhere
 *
 * What follows the first line means nothing: a shorter line is written over a longer one, and cut off
 * after that. Of a longer one that was written over a shorter one, a power loss may leave the beginning:
 * the name comes first, for that. A file without the word (made by an older kvdb, or emptied) belongs to
 * nobody, and the folder to whoever reads it first.
 *
 * Who holds serves the error message of the next one, and is no lock by itself. Where flock is not to
 * be had it has to do: a holder is a live process with that pid and start time.
 */
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { asKvdbError, KvdbError } from "../errors.ts";
import type { Clock } from "./clock.ts";
import { errnoOf, type Files, type OpenFile } from "./files.ts";

export const LOCK_FILE_NAME = "kvdb.lock";

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

export interface FolderOwner {
  /** False: no kvdb has opened the folder yet. */
  readonly hasLockFile: boolean;
  /** Undefined: it belongs to nobody, and to whoever reads it first. */
  readonly persistence: string | undefined;
  readonly paths: Paths;
}

/** Options of the persistence that name places, absolute: without them its data would not be found again. */
export type Paths = Readonly<Record<string, string>>;

export interface FolderLock {
  readonly folder: string;
  /** Of the persistence at its last start; undefined: the folder belonged to nobody. */
  readonly pathsBefore: Paths | undefined;
  /**
   * The persistence has opened and read the folder: it is that one's for ever, durably. Without it,
   * `release` leaves a folder that belonged to nobody as it was.
   */
  claim(): Promise<void>;
  /**
   * From now on the folder is this persistence's, durably: what it has to have is there. A stop in the
   * middle leaves the folder to the one or the other.
   */
  handOver(persistence: string, paths: Paths): Promise<void>;
  /** Tells others where commands can be forwarded to. */
  announceSocket(path: string): Promise<void>;
  /** Harmless when called again. */
  release(): Promise<void>;
}

export interface LockOptions {
  readonly files: Files;
  readonly clock: Clock;
  /** Name of the persistence that is about to open the folder. */
  readonly persistence: string;
  /** Default: none. */
  readonly paths?: Paths;
  /**
   * Only to look at the folder: it must be there, and nothing in it is written but the lock file's note, where
   * that is permitted.
   */
  readonly changesNothing?: boolean;
  /** Handed in by tests. */
  readonly processes?: Processes;
}

/** What the lock asks about processes. */
export interface Processes {
  readonly ownPid: number;
  isAlive(pid: number): boolean;
  /** undefined where the system does not tell. */
  startOf(pid: number): Promise<string | undefined>;
}

/**
 * Makes the folder when missing and locks it. Throws KvdbError("HELD") with the holder's pid,
 * "PERMISSION", or "CONFIG" when the folder belongs to another persistence; it is unchanged then.
 */
export async function lockFolder(folder: string, options: LockOptions): Promise<FolderLock> {
  const { files } = options;
  const found = options.changesNothing
    ? await findLockFile(folder, files)
    : { file: await makeLockFile(folder, files), isWritable: true };
  // Nobody has ever locked it. Who does it in this moment changes what is read; that is all.
  if (found === undefined) return new Onlooker(folder, undefined);
  try {
    return await take(folder, found, options);
  } catch (error) {
    await found.file.close();
    throw error;
  }
}

/** Not writable: the file system is read-only, or somebody else's. The lock is one all the same. */
interface LockFile {
  readonly file: OpenFile;
  readonly isWritable: boolean;
}

async function take(
  folder: string,
  { file, isWritable }: LockFile,
  options: LockOptions,
): Promise<FolderLock> {
  const { files, clock, persistence, paths = {} } = options;
  const processes = options.processes ?? systemProcesses(files);
  const result = file.lock();
  const found = await readNote(file);
  const held =
    result === "held" ||
    (result === "unavailable" && found.holder && (await runs(found.holder, processes)));
  if (held) throw heldError(folder, found.holder, processes);
  const owner = found.persistence;
  if (owner !== undefined && owner !== persistence) {
    throw foreignError(folder, owner, persistence);
  }
  if (!isWritable) return new Onlooker(folder, file);
  // The paths of before stand until the folder was read from the new ones.
  const note = { persistence, paths: found.paths, holder: await describeSelf(processes, clock) };
  await writeNote(file, note);
  if (result === "unavailable") await confirm(folder, file, processes);
  return new HeldFolder({ folder, files, file, note, paths, isClaimed: owner !== undefined });
}

async function makeLockFile(folder: string, files: Files): Promise<OpenFile> {
  await entering("make", folder, () => files.makeFolder(folder));
  // An unreadable folder must fail here, not after the first write.
  await entering("read", folder, () => files.list(folder));
  const path = join(folder, LOCK_FILE_NAME);
  return entering("write in", folder, () => files.open(path, "keep"));
}

async function findLockFile(folder: string, files: Files): Promise<LockFile | undefined> {
  await requireFolder(folder, files);
  const path = join(folder, LOCK_FILE_NAME);
  const names = await entering("read", folder, () => files.list(folder));
  if (!names.includes(LOCK_FILE_NAME)) return undefined;
  try {
    return { file: await files.open(path, "update"), isWritable: true };
  } catch (error) {
    if (asKvdbError(error).code !== "PERMISSION") throw error;
    const file = await entering("read in", folder, () => files.open(path, "read"));
    return { file, isWritable: false };
  }
}

async function requireFolder(folder: string, files: Files): Promise<void> {
  const exists = await entering("read", folder, () => files.exists(folder));
  if (!exists) throw new KvdbError("CONFIG", `there is no folder ${folder}`);
}

/** A failure in terms of the folder that the user named; the system's words tell of its calls. */
async function entering<Result>(
  doing: string,
  folder: string,
  run: () => Promise<Result>,
): Promise<Result> {
  try {
    return await run();
  } catch (error) {
    const failure = asKvdbError(error);
    const reason = whyNotEntered(doing, folder, failure);
    if (reason === undefined) throw failure;
    throw new KvdbError(failure.code, `${reason} (${errnoOf(error)})`, { cause: error });
  }
}

function whyNotEntered(doing: string, folder: string, failure: KvdbError): string | undefined {
  const errno = errnoOf(failure);
  if (errno === "EEXIST") return `${folder} is a file, not a folder`;
  if (errno === "ENOTDIR") return `a part of the path ${folder} is a file, not a folder`;
  if (errno === "EROFS") return `cannot ${doing} ${folder}: its file system is read-only`;
  return failure.code === "PERMISSION" ? `no permission to ${doing} ${folder}` : undefined;
}

/**
 * Who holds a folder now; undefined when nobody does or nobody can tell. Takes nothing, changes
 * nothing.
 */
export async function readLockHolder(
  files: Files,
  folder: string,
): Promise<LockHolder | undefined> {
  const path = join(folder, LOCK_FILE_NAME);
  if (!(await files.exists(path))) return undefined;
  const file = await files.open(path, "read");
  try {
    const { holder } = await readNote(file);
    if (holder === undefined) return undefined;
    return (await runs(holder, systemProcesses(files))) ? holder : undefined;
  } finally {
    await file.close();
  }
}

/** Whose a folder is. Takes nothing, changes nothing; throws a KvdbError CONFIG when there is no folder. */
export async function readFolderOwner(files: Files, folder: string): Promise<FolderOwner> {
  await requireFolder(folder, files);
  const path = join(folder, LOCK_FILE_NAME);
  if (!(await files.exists(path))) {
    return { hasLockFile: false, persistence: undefined, paths: {} };
  }
  const file = await entering("read in", folder, () => files.open(path, "read"));
  try {
    const { persistence, paths } = await readNote(file);
    return { hasLockFile: true, persistence, paths };
  } finally {
    await file.close();
  }
}

/** What the lock file says. */
interface LockNote {
  readonly persistence?: string;
  readonly paths: Paths;
  readonly holder?: LockHolder;
}

interface Holding {
  readonly folder: string;
  readonly files: Files;
  readonly file: OpenFile;
  readonly note: Required<LockNote>;
  /** Of the persistence as it is configured now. */
  readonly paths: Paths;
  readonly isClaimed: boolean;
}

class HeldFolder implements FolderLock {
  readonly folder: string;
  readonly #files: Files;
  #file: OpenFile | undefined;
  #note: Required<LockNote>;
  readonly #paths: Paths;
  #isClaimed: boolean;

  constructor({ folder, files, file, note, paths, isClaimed }: Holding) {
    this.folder = folder;
    this.#paths = paths;
    this.#files = files;
    this.#file = file;
    this.#note = note;
    this.#isClaimed = isClaimed;
  }

  get pathsBefore(): Paths | undefined {
    return this.#isClaimed ? this.#note.paths : undefined;
  }

  async claim(): Promise<void> {
    const isKnown = this.#isClaimed && isDeepStrictEqual(this.#paths, this.#note.paths);
    if (this.#file === undefined || isKnown) return;
    this.#note = { ...this.#note, paths: this.#paths };
    await writeNote(this.#file, this.#note);
    this.#isClaimed = true;
    await this.#file.sync();
    await this.#files.syncFolder(this.folder);
  }

  async handOver(persistence: string, paths: Paths): Promise<void> {
    if (this.#file === undefined) return;
    const note = { ...this.#note, persistence, paths };
    await writeNote(this.#file, note);
    await this.#file.sync();
    // Until here it is the one before that `release` names again.
    this.#note = note;
    this.#isClaimed = true;
    await this.#files.syncFolder(this.folder);
  }

  async announceSocket(path: string): Promise<void> {
    if (this.#file === undefined) return;
    this.#note = { ...this.#note, holder: { ...this.#note.holder, socket: path } };
    await writeNote(this.#file, this.#note);
  }

  async release(): Promise<void> {
    const file = this.#file;
    if (file === undefined) return;
    this.#file = undefined;
    try {
      if (this.#isClaimed) {
        const { persistence, paths } = this.#note;
        await writeNote(file, { persistence, paths });
      } else await file.truncate(0);
    } finally {
      await file.close(); // this is what releases
    }
  }
}

/** Keeps others out, where there is a lock file, and writes nothing. */
class Onlooker implements FolderLock {
  readonly folder: string;
  readonly pathsBefore = undefined;
  #file: OpenFile | undefined;

  constructor(folder: string, file: OpenFile | undefined) {
    this.folder = folder;
    this.#file = file;
  }

  async claim(): Promise<void> {}

  handOver(): Promise<void> {
    return Promise.reject(new KvdbError("INTERNAL", "an onlooker cannot give a folder away"));
  }

  async announceSocket(): Promise<void> {}

  async release(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }
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
      const text = await readText(file);
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

async function runs(holder: LockHolder, processes: Processes): Promise<boolean> {
  if (!processes.isAlive(holder.pid)) return false;
  const start = await processes.startOf(holder.pid);
  return start === undefined || holder.processStart === undefined || start === holder.processStart;
}

/**
 * Without flock two processes may have written at once; the one whose text stands has the folder.
 */
async function confirm(folder: string, file: OpenFile, processes: Processes): Promise<void> {
  const { holder } = await readNote(file);
  if (holder?.pid !== processes.ownPid) throw heldError(folder, holder, processes);
}

function foreignError(folder: string, owner: string, wanted: string): KvdbError {
  return new KvdbError(
    "CONFIG",
    `${folder} belongs to the persistence "${owner}", and the configuration names "${wanted}"; ` +
      `the folder is unchanged: name "${owner}" again, or another folder; ` +
      `\`kvdb convert\` takes its data over to "${wanted}"`,
  );
}

function heldError(
  folder: string,
  holder: LockHolder | undefined,
  processes: Processes,
): KvdbError {
  if (holder === undefined) {
    return new KvdbError("HELD", `${folder} is held by another process`);
  }
  const who = holder.pid === processes.ownPid ? "this process" : "another process";
  const since = holder.since === undefined ? "" : ` since ${holder.since}`;
  return new KvdbError("HELD", `${folder} is held by ${who} (pid ${holder.pid})${since}`);
}

async function describeSelf(processes: Processes, clock: Clock): Promise<LockHolder> {
  const processStart = await processes.startOf(processes.ownPid);
  return {
    pid: processes.ownPid,
    ...(processStart === undefined ? {} : { processStart }),
    since: new Date(clock.now()).toISOString(),
  };
}

async function writeNote(file: OpenFile, { persistence, paths, holder }: LockNote): Promise<void> {
  const where = Object.keys(paths).length === 0 ? {} : { paths };
  const bytes = Buffer.from(`${JSON.stringify({ persistence, ...where, ...holder })}\n`);
  await file.write(bytes, 0, bytes.length, 0);
  await file.truncate(bytes.length);
}

/** Nothing is known from a file that is empty, half written, or none of ours. */
async function readNote(file: OpenFile): Promise<LockNote> {
  const [line = ""] = (await readText(file)).split("\n", 1);
  const found =
    parseJson(line) ?? parseJson(line.replace(/^(\{"persistence":"[^"\\]*").*$/, "$1}"));
  if (typeof found !== "object" || found === null) return { paths: {} };
  const fields = found as Record<string, unknown>;
  const text = (name: string) => {
    const value = fields[name];
    return typeof value === "string" ? { [name]: value } : {};
  };
  const note = { ...text("persistence"), paths: readPaths(fields["paths"]) };
  const pid = fields["pid"];
  if (typeof pid !== "number" || !Number.isSafeInteger(pid) || pid <= 0) return note;
  const holder = { pid, ...text("processStart"), ...text("since"), ...text("socket") };
  return { ...note, holder };
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
