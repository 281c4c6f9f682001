/**
 * What was found out about a backup, in a small file beside it: JSON, `{"verification":{…}}`. It may be missing, and it may
 * be lost without harm: then the backup counts as one that nobody has looked at, and is looked at again.
 */
import { BACKUP_LEVELS, type BackupVerification } from "../session/backup-control.ts";

export function encodeNote(verification: BackupVerification): Buffer {
  return Buffer.from(`${JSON.stringify({ verification })}\n`);
}

/** Undefined: the file says nothing that can be relied on. */
export function readNote(bytes: Buffer): BackupVerification | undefined {
  const found = verificationIn(bytes.toString());
  if (found === undefined) return undefined;
  const { level, result, timeMs, durationMs, problem, debugDigest } = found;
  const isOne =
    BACKUP_LEVELS.some((known) => known === level) &&
    (result === "ok" || result === "failed") &&
    Number.isFinite(timeMs) &&
    Number.isFinite(durationMs);
  if (!isOne) return undefined;
  return {
    ...{ level, result, timeMs, durationMs },
    ...(typeof problem === "string" && { problem }),
    ...(typeof debugDigest === "string" && { debugDigest }),
  };
}

function verificationIn(text: string): BackupVerification | undefined {
  try {
    return JSON.parse(text)?.verification;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
