/**
 * One process per data folder: an exclusive flock on `<folder>/kvdb.lock`, which the kernel
 * releases however the process ends. The file is never removed: who removed it could lock a file
 * that another process no longer sees. What it says is drawn in lock-note.ts: first of all which
 * persistence the folder belongs to, for a persistence sees only files of its own and would take the
 * folder of another one for empty. What Redis has left is `aof`'s.
 *
 * Who holds serves the error message of the next one, and is no lock by itself. Where flock is not to
 * be had it has to do: a holder is a live process with that pid and start time.
 */
import { join } from "node:path";
import { KvdbError } from "../errors.ts";
import type { Clock } from "./clock.ts";
import type { Files, OpenFile } from "./files.ts";
import {
  entering,
  findLockFile,
  LOCK_FILE_NAME,
  type LockFile,
  makeLockFile,
  requireFolder,
} from "./lock-file.ts";
import {
  type GivenRevisions,
  type LockHolder,
  type LockNote,
  type Paths,
  readNote,
  writeNote,
} from "./lock-note.ts";
import { type Processes, systemProcesses } from "./processes.ts";
import { hasRedisFiles, REDIS_PERSISTENCE } from "./redis-files.ts";

export type { GivenRevisions, LockHolder, Paths };

/** The data folder's own socket: commands are forwarded through it to whoever holds the folder. */
export const SOCKET_NAME = "kvdb.sock";

export interface FolderOwner {
  /** False: no kvdb has opened the folder yet. */
  readonly hasLockFile: boolean;
  /** Undefined: it belongs to nobody, and to whoever reads it first. */
  readonly persistence: string | undefined;
  readonly paths: Paths;
}

export interface FolderLock {
  readonly folder: string;
  /** Of the persistence at its last start; undefined: the folder belonged to nobody. */
  readonly pathsBefore: Paths | undefined;
  /** By the runs before, where that was kept. */
  readonly givenBefore: GivenRevisions | undefined;
  /**
   * The persistence has opened and read the folder: it is that one's for ever, durably. Without it,
   * `release` leaves a folder that belonged to nobody as it was. `lastRevision`: changes are about to be
   * given revisions above it, and not each of them is kept.
   */
  claim(lastRevision?: number): Promise<void>;
  /**
   * From now on the folder is this persistence's, durably: what it has to have is there. A stop in the
   * middle leaves the folder to the one or the other. `lastRevision`: the last that was given out.
   */
  handOver(persistence: string, paths: Paths, lastRevision?: number): Promise<void>;
  /** Tells others where commands can be forwarded to. */
  announceSocket(path: string): Promise<void>;
  /** `lastRevision`: no higher one is given out by whoever claimed it. Harmless when called again. */
  release(lastRevision?: number): Promise<void>;
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
  if (found === undefined) return new Onlooker(folder, undefined, { paths: {} });
  try {
    return await take(folder, found, options);
  } catch (error) {
    await found.file.close();
    throw error;
  }
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
  const owner = found.persistence ?? (await ownerOfOldFiles(folder, files));
  if (owner !== undefined && owner !== persistence) {
    throw foreignError(folder, owner, persistence);
  }
  if (!isWritable) return new Onlooker(folder, file, found);
  const isClaimed = found.persistence !== undefined;
  // What was noted before stands until the folder was read.
  const note = { ...found, persistence, holder: await describeSelf(processes, clock) };
  await writeNote(file, note);
  if (result === "unavailable") await confirm(folder, file, processes);
  return new HeldFolder({ folder, files, file, note, paths, isClaimed });
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
    return { hasLockFile: false, persistence: await ownerOfOldFiles(folder, files), paths: {} };
  }
  const file = await entering("read in", folder, () => files.open(path, "read"));
  try {
    const { persistence = await ownerOfOldFiles(folder, files), paths } = await readNote(file);
    return { hasLockFile: true, persistence, paths };
  } finally {
    await file.close();
  }
}

/** Of a folder that no kvdb has claimed: Redis may have. */
async function ownerOfOldFiles(folder: string, files: Files): Promise<string | undefined> {
  return (await hasRedisFiles(files, folder)) ? REDIS_PERSISTENCE : undefined;
}

type HolderNote = LockNote & Required<Pick<LockNote, "persistence" | "holder">>;

interface Holding {
  readonly folder: string;
  readonly files: Files;
  readonly file: OpenFile;
  readonly note: HolderNote;
  /** Of the persistence as it is configured now. */
  readonly paths: Paths;
  readonly isClaimed: boolean;
}

class HeldFolder implements FolderLock {
  readonly folder: string;
  readonly #files: Files;
  #file: OpenFile | undefined;
  #note: HolderNote;
  readonly #paths: Paths;
  #isClaimed: boolean;
  /** As far as it is known. */
  #writtenName: string;

  constructor({ folder, files, file, note, paths, isClaimed }: Holding) {
    this.folder = folder;
    this.#paths = paths;
    this.#files = files;
    this.#file = file;
    this.#note = note;
    this.#isClaimed = isClaimed;
    this.#writtenName = note.persistence;
  }

  get pathsBefore(): Paths | undefined {
    return this.#isClaimed ? this.#note.paths : undefined;
  }

  get givenBefore(): GivenRevisions | undefined {
    return this.#note.given;
  }

  async claim(lastRevision?: number): Promise<void> {
    const { paths, given: before } = this.#note;
    const given = givenUpTo(lastRevision, false);
    const isKnown = this.#isClaimed && Bun.deepEquals(this.#paths, paths, true);
    const file = this.#file;
    if (file === undefined || (isKnown && Bun.deepEquals(given, before, true))) return;
    this.#note = { ...this.#note, paths: this.#paths, given };
    await writeNote(file, this.#note);
    const isNew = !this.#isClaimed;
    this.#isClaimed = true;
    await file.sync();
    if (isNew) await this.#files.syncFolder(this.folder);
  }

  async handOver(persistence: string, paths: Paths, lastRevision?: number): Promise<void> {
    if (this.#file === undefined) return;
    const note = { ...this.#note, persistence, paths, given: givenUpTo(lastRevision, true) };
    await this.#rename(this.#file, persistence);
    await writeNote(this.#file, note);
    await this.#file.sync();
    // Until here it is the one before that `release` names again.
    this.#note = note;
    this.#isClaimed = true;
    await this.#files.syncFolder(this.folder);
  }

  /** By a write of its own: one that is cut off must not leave half a name in front of what stood there. */
  async #rename(file: OpenFile, persistence: string): Promise<void> {
    if (this.#writtenName === persistence) return;
    this.#writtenName = persistence;
    await writeNote(file, { persistence, paths: {} });
  }

  async announceSocket(path: string): Promise<void> {
    if (this.#file === undefined) return;
    this.#note = { ...this.#note, holder: { ...this.#note.holder, socket: path } };
    await writeNote(this.#file, this.#note);
  }

  /** Not synced: a note that says less than it could costs nothing but some revisions. */
  async release(lastRevision?: number): Promise<void> {
    const file = this.#file;
    if (file === undefined) return;
    this.#file = undefined;
    try {
      if (this.#isClaimed) {
        const { persistence, paths, given } = this.#note;
        const last = given && givenUpTo(lastRevision, true);
        await this.#rename(file, persistence);
        await writeNote(file, { persistence, paths, given: last ?? given });
      } else await file.truncate(0);
    } finally {
      await file.close(); // this is what releases
    }
  }
}

function givenUpTo(upTo: number | undefined, isComplete: boolean): GivenRevisions | undefined {
  return upTo === undefined ? undefined : { upTo, isComplete };
}

/** Keeps others out, where there is a lock file, and writes nothing. */
class Onlooker implements FolderLock {
  readonly folder: string;
  readonly pathsBefore: Paths | undefined;
  readonly givenBefore: GivenRevisions | undefined;
  #file: OpenFile | undefined;

  constructor(folder: string, file: OpenFile | undefined, found: LockNote) {
    this.folder = folder;
    this.pathsBefore = found.persistence === undefined ? undefined : found.paths;
    this.givenBefore = found.given;
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
