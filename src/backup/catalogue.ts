/**
 * The backups of one place: which there are, what each says of itself, and what was found out about it. Files of other names
 * are nobody's business. What a backup says of itself is read once, for it never changes.
 */
import { asKvdbError, type ErrorCode, KvdbError } from "../errors.ts";
import type { BackupVerification, ListedBackup } from "../session/backup-control.ts";
import { suggestion } from "../suggest.ts";
import { noteNameOf, readBackupName, withSuffix } from "./backup-name.ts";
import type { BackupStorage, StoredFile } from "./storage.ts";
import { encodeNote, readNote } from "./verification.ts";

/** That a backup says nothing of itself is no reason to list none. */
const DAMAGED: readonly ErrorCode[] = ["DAMAGE", "CONFIG", "COMMAND"];

/** Requests to a storage under way at once: it may be far away. */
const PARALLEL = 8;

/** What a backup says of itself; undefined: it is too damaged to say. */
interface Content {
  readonly keys: number | undefined;
  readonly sha256: string | undefined;
}

export class Catalogue {
  readonly storage: BackupStorage;
  /** By name and size. */
  readonly #contents = new Map<string, Content>();

  constructor(storage: BackupStorage) {
    this.storage = storage;
  }

  /** From the oldest to the newest. */
  async list(): Promise<readonly ListedBackup[]> {
    const files = await this.storage.list();
    const names = new Set(files.map(({ name }) => name));
    const backups = files.filter(({ name }) => readBackupName(name) !== undefined);
    const listed: ListedBackup[] = [];
    for (let at = 0; at < backups.length; at += PARALLEL) {
      const some = backups.slice(at, at + PARALLEL);
      const described = await Promise.all(some.map((file) => this.#describe(file, names)));
      listed.push(...described.filter((backup) => backup !== undefined));
    }
    this.#forgetOthers(backups);
    return listed.sort((a, b) => a.timeMs - b.timeMs || a.revision - b.revision);
  }

  /** The full name of what a person typed. Throws a KvdbError("COMMAND") when there is none. */
  async find(typed: string): Promise<string> {
    const files = await this.storage.list();
    const names = files.map(({ name }) => name).filter((name) => readBackupName(name));
    const wanted = withSuffix(typed);
    if (names.includes(wanted)) return wanted;
    const { title } = this.storage;
    const near = suggestion(wanted, names);
    throw new KvdbError("COMMAND", `there is no backup "${typed}" in ${title}${near}`);
  }

  /**
   * What the backup is now is noted with it: of another one under its name nothing is said. One that was restored is known
   * to restore as long as its bytes are the same, so that a look at those alone takes nothing of it back.
   */
  async note(name: string, verification: BackupVerification): Promise<void> {
    const { sha256 } = await this.#readContent(name);
    const { level, result } = verification;
    if (level !== "restore" && result === "ok" && (await this.#hasRestored(name, sha256))) return;
    await this.storage.put(noteNameOf(name), encodeNote({ verification, sha256 }));
  }

  async #hasRestored(name: string, sha256: string | undefined): Promise<boolean> {
    const bytes = await this.storage.get(noteNameOf(name));
    const note = bytes && readNote(bytes);
    if (note === undefined || note.sha256 !== sha256) return false;
    return note.verification.level === "restore" && note.verification.result === "ok";
  }

  /** The backup first: a note alone is no backup, and harms nobody. */
  async remove(name: string): Promise<void> {
    await this.storage.remove(name);
    await this.storage.remove(noteNameOf(name));
  }

  /** Undefined: it was removed just now. */
  async #describe(file: StoredFile, names: ReadonlySet<string>): Promise<ListedBackup | undefined> {
    const { name, bytes } = file;
    const { timeMs = 0, revision = 0 } = readBackupName(name) ?? {};
    const described = { name, timeMs, revision, bytes };
    try {
      const { keys, sha256 } = await this.#contentOf(file);
      const bytesOfNote = names.has(noteNameOf(name))
        ? await this.storage.get(noteNameOf(name))
        : undefined;
      const note = bytesOfNote && readNote(bytesOfNote);
      const isOfIt = note?.sha256 === sha256;
      return { ...described, keys, verification: isOfIt ? note?.verification : undefined };
    } catch (error) {
      if (asKvdbError(error).code !== "IO") throw error;
      const isThere = (await this.storage.list()).some((other) => other.name === name);
      // A sector that cannot be read is damage of this one, and the others are listed all the same.
      return isThere ? { ...described, keys: undefined, verification: undefined } : undefined;
    }
  }

  #forgetOthers(backups: readonly StoredFile[]): void {
    const ids = new Set(backups.map(idOf));
    for (const id of this.#contents.keys()) if (!ids.has(id)) this.#contents.delete(id);
  }

  async #contentOf(file: StoredFile): Promise<Content> {
    const id = idOf(file);
    const known = this.#contents.get(id);
    if (known !== undefined) return known;
    const content = await this.#readContent(file.name);
    if (content.sha256 !== undefined) this.#contents.set(id, content);
    return content;
  }

  /** One that is damaged is listed all the same: somebody wants to know. */
  async #readContent(name: string): Promise<Content> {
    const { BackupReader } = await import("./backup-reader.ts");
    try {
      const reader = await BackupReader.open(this.storage, name);
      await reader.close();
      const { keys, sha256 } = reader.manifest;
      return { keys: Object.values(keys).reduce((sum, count) => sum + count, 0), sha256 };
    } catch (error) {
      if (DAMAGED.includes(asKvdbError(error).code)) return { keys: undefined, sha256: undefined };
      throw error;
    }
  }
}

function idOf({ name, bytes }: StoredFile): string {
  return `${name} ${bytes}`;
}
