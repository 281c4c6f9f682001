/**
 * What was found out about a backup, in a small file beside it:
 *
 *   {"verification":{"level":"restore","result":"ok","timeMs":1795664117000,"durationMs":42,"debugDigest":"…"},"sha256":"…"}
 *
 * `sha256` is the backup's, as its manifest has it: a note that got beside another backup says nothing of that one. It is
 * absent of one whose end cannot be read. The file may be missing, and it may be lost without harm: then the backup counts
 * as one that nobody has looked at, and is looked at again.
 */
import { BACKUP_LEVELS, type BackupVerification } from "../session/backup-control.ts";

export interface Note {
  readonly verification: BackupVerification;
  readonly sha256: string | undefined;
}

export function encodeNote(note: Note): Buffer {
  return Buffer.from(`${JSON.stringify(note)}\n`);
}

/** Undefined: the file says nothing that can be relied on. */
export function readNote(bytes: Buffer): Note | undefined {
  const { verification: found, sha256 } = noteIn(bytes.toString());
  if (found === undefined || found === null) return undefined;
  const { level, result, timeMs, durationMs, problem, debugDigest } = found;
  const isOne =
    BACKUP_LEVELS.some((known) => known === level) &&
    (result === "ok" || result === "failed") &&
    Number.isFinite(timeMs) &&
    Number.isFinite(durationMs);
  if (!isOne) return undefined;
  const verification = {
    ...{ level, result, timeMs, durationMs },
    ...(typeof problem === "string" && { problem }),
    ...(typeof debugDigest === "string" && { debugDigest }),
  };
  return { verification, sha256 };
}

/** Without fields when it is none. */
function noteIn(text: string): Partial<Note> {
  try {
    return { ...JSON.parse(text) };
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}
