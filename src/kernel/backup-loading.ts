/**
 * A backup, loaded into an engine of its own and compared with what it says of itself: whether it can be brought back, found
 * out by bringing it back. Runs in the snapshot worker, or where nobody is served.
 */
import { BackupReader } from "../backup/backup-reader.ts";
import { accountOf, type ContentSummary } from "../backup/content-account.ts";
import type { BackupStorage } from "../backup/storage.ts";
import { withUnpacked } from "../backup/unpacked-backup.ts";
import { keyspaceDigest } from "../commands/digest.ts";
import { asKvdbError, KvdbError } from "../errors.ts";
import type { Clock } from "../platform/clock.ts";
import type { Files } from "../platform/files.ts";
import { silentLog } from "../platform/log.ts";
import { systemRandom } from "../platform/random.ts";
import { readRdb } from "../rdb/index.ts";
import type { BackupLevel, BackupVerification } from "../session/backup-control.ts";
import { EntryWalk } from "../store/entry-walk.ts";
import { Engine } from "./engine.ts";

export interface BackupLoading {
  readonly storage: BackupStorage;
  readonly name: string;
  /** Of the engine; a backup that needs more is not damaged, and cannot be brought back here. */
  readonly databases: number;
  readonly files: Files;
  /** Where it is unpacked. */
  readonly folder: string;
  readonly clock: Clock;
  /** With how much is done, between 0 and 1; throws when nobody wants the answer. */
  proceed(share: number): void;
}

export interface LoadedBackup {
  readonly engine: Engine;
  readonly reader: BackupReader;
  /** As DEBUG DIGEST answers. */
  readonly debugDigest: string;
}

/** What is wrong with the backup is an answer; that it cannot be reached, or nobody waits any more, is thrown. */
export async function verifyBackup(
  loading: BackupLoading & { readonly level: BackupLevel },
): Promise<BackupVerification> {
  const { level, clock } = loading;
  const begunMs = clock.monotonicMs();
  const verified = (found: Pick<BackupVerification, "result" | "problem" | "debugDigest">) => {
    const durationMs = Math.round(clock.monotonicMs() - begunMs);
    return { level, ...found, timeMs: clock.now(), durationMs };
  };
  try {
    if (level === "restore") {
      const { debugDigest } = await loadBackup(loading);
      return verified({ result: "ok", debugDigest });
    }
    await readFrames(loading);
    return verified({ result: "ok" });
  } catch (error) {
    const { code, message } = asKvdbError(error);
    // COMMAND: it is another kind of file.
    if (code !== "DAMAGE" && code !== "COMMAND") throw error;
    return verified({ result: "failed", problem: message });
  }
}

async function readFrames({ storage, name, proceed }: BackupLoading): Promise<void> {
  const reader = await BackupReader.open(storage, name);
  try {
    const { bytes } = reader.manifest;
    await reader.readAll(
      () => {},
      (done) => proceed(done / bytes),
    );
  } finally {
    await reader.close();
  }
}

/** Rejects with a KvdbError("DAMAGE") unless everything in it came back. */
export async function loadBackup(loading: BackupLoading): Promise<LoadedBackup> {
  const { storage, name, files, folder, proceed, databases, clock } = loading;
  const reader = await BackupReader.open(storage, name);
  try {
    requireDatabases(reader, databases);
    const secrets = { password: "", maxMemoryBytes: 0 };
    const engine = new Engine({
      databases,
      ...secrets,
      clock,
      random: systemRandom,
      log: silentLog,
    });
    const { bytes, revision } = reader.manifest;
    // Unpacking is half of it, for who looks at a number.
    const unpacking = {
      files,
      folder,
      reader,
      proceed: (done: number) => proceed(done / bytes / 2),
    };
    await withUnpacked(unpacking, async (file) => {
      const { loadSink: sink } = engine;
      await readRdb({
        file,
        entry: (entry) => sink.entry(entry),
        progress: (done, total) => proceed((1 + done / total) / 2),
        revision,
      });
      engine.finishReplay();
    });
    const debugDigest = requireContent(reader, engine, () => proceed(1));
    return { engine, reader, debugDigest };
  } catch (error) {
    throw named(error, name);
  } finally {
    await reader.close();
  }
}

function requireDatabases({ manifest, name }: BackupReader, databases: number): void {
  const used = [...Object.keys(manifest.keys), ...manifest.indexes.map(({ database }) => database)];
  const highest = Math.max(0, ...used.map(Number));
  if (highest < databases) return;
  const message = `backup ${name} has database ${highest}, but "databases" allows only ${databases}`;
  throw new KvdbError("CONFIG", message);
}

/** Answers DEBUG DIGEST's value. Entries count as they were when the image was taken, over since or not. */
function requireContent(
  { manifest, name }: BackupReader,
  { keyspace }: Engine,
  proceed: () => void,
): string {
  keyspace.nowMs = manifest.timeMs;
  keyspace.noteRevision();
  const found = accountOf(new EntryWalk(keyspace.arena), proceed);
  const differences = differencesOf(found, manifest);
  if (differences.length === 0) return keyspaceDigest(keyspace);
  const what = differences.join(", ");
  throw new KvdbError("DAMAGE", `backup ${name} does not give back what was saved: ${what}`);
}

function differencesOf(found: ContentSummary, saved: ContentSummary): string[] {
  const differences: string[] = [];
  if (found.entries !== saved.entries) {
    differences.push(`${found.entries} entries instead of ${saved.entries}`);
  }
  for (const database of new Set([...Object.keys(saved.keys), ...Object.keys(found.keys)])) {
    const [now, before] = [found.keys[database] ?? 0, saved.keys[database] ?? 0];
    if (now !== before)
      differences.push(`${now} keys instead of ${before} in database ${database}`);
  }
  if (found.digest !== saved.digest) {
    differences.push(`digest ${found.digest} instead of ${saved.digest}`);
  }
  return differences;
}

/** Damage of the RDB within is damage of the backup. */
function named(thrown: unknown, name: string): KvdbError {
  const error = asKvdbError(thrown);
  return error.message.includes(name) ? error : error.prefix(`backup ${name}`);
}
