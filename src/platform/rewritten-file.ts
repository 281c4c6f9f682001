/**
 * Replaces a file that belongs to a person, such as a configuration: who may read it, whose it is and a symbolic link to it
 * stay as they are. A crash at any moment leaves the old or the new one.
 */
import * as fs from "node:fs/promises";
import { dirname } from "node:path";
import { KvdbError } from "../errors.ts";
import { UNFINISHED_SUFFIX } from "./atomic-file.ts";
import { attempt, syncFolder } from "./files.ts";

/** A file that is read and rewritten as a whole; handed in, so that a test has one that fails. */
export interface WholeFiles {
  readText(path: string): Promise<string>;
  /** Rejects for what has no content to be replaced: reading a pipe that nobody writes to any more would never end. */
  requireOrdinary(path: string): Promise<void>;
  /** Durable when it resolves; when it rejects the old one stands, or the new one whole. */
  rewriteText(path: string, text: string): Promise<void>;
}

export const systemWholeFiles: WholeFiles = {
  readText: (path) => attempt("reading", path, () => fs.readFile(path, "utf8")),
  requireOrdinary: (path) => attempt("rewriting", path, () => requireOrdinary(path)),
  rewriteText: (path, text) => attempt("rewriting", path, () => rewrite(path, text)),
};

async function requireOrdinary(path: string): Promise<void> {
  const status = await fs.stat(path);
  if (!status.isFile()) throw new KvdbError("CONFIG", "it is no ordinary file");
}

async function rewrite(path: string, text: string): Promise<void> {
  // What the link leads to: the link itself would be replaced.
  const target = await fs.realpath(path);
  const { mode, uid, gid } = await fs.stat(target);
  const unfinished = target + UNFINISHED_SUFFIX;
  // Nobody may read a password in it before its rights are those of the old one.
  const file = await fs.open(unfinished, "w", 0o600);
  try {
    await file.writeFile(text);
    const made = await file.stat();
    if (made.uid !== uid || made.gid !== gid) await file.chown(uid, gid);
    await file.chmod(mode & 0o7777);
    await file.sync();
    await fs.rename(unfinished, target);
  } catch (error) {
    await fs.rm(unfinished, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  await syncFolder(dirname(target));
}
