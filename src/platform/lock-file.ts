/**
 * Opening the lock file of a data folder: made with the folder, or only looked for; and what keeps
 * one from it, in terms of the folder. It takes no lock.
 */
import { join } from "node:path";
import { asKvdbError, KvdbError } from "../errors.ts";
import { errnoOf, type Files, type OpenFile } from "./files.ts";

export const LOCK_FILE_NAME = "kvdb.lock";

/** Not writable: the file system is read-only, or somebody else's. The lock is one all the same. */
export interface LockFile {
  readonly file: OpenFile;
  readonly isWritable: boolean;
}

export async function makeLockFile(folder: string, files: Files): Promise<OpenFile> {
  await entering("make", folder, () => files.makeFolder(folder));
  // An unreadable folder must fail here, not after the first write.
  await entering("read", folder, () => files.list(folder));
  const path = join(folder, LOCK_FILE_NAME);
  return entering("write in", folder, () => files.open(path, "keep"));
}

export async function findLockFile(folder: string, files: Files): Promise<LockFile | undefined> {
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

export async function requireFolder(folder: string, files: Files): Promise<void> {
  const exists = await entering("read", folder, () => files.exists(folder));
  if (!exists) throw new KvdbError("CONFIG", `there is no folder ${folder}`);
}

/** A failure in terms of the folder that the user named; the system's words tell of its calls. */
export async function entering<Result>(
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
