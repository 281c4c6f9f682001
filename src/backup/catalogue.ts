/**
 * The backups of one place: which there are, what each says of itself, and what was found out about it. Files of other names
 * are nobody's business. What a backup says of itself is read once, for it never changes.
 */
import { asKvdbError, type ErrorCode, KvdbError } from "../errors.ts";
import type { BackupVerification, ListedBackup } from "../session/backup-control.ts";
import { suggestion } from "../suggest.ts";
import { noteNameOf, readBackupName, withSuffix } from "./backup-name.ts";
import { BackupReader } from "./backup-reader.ts";
import type { BackupStorage, StoredFile } from "./storage.ts";
import { encodeNote, readNote } from "./verification.ts";

/** That a backup says nothing of itself is no reason to list none. */
const UNREADABLE: readonly ErrorCode[] = ["DAMAGE", "CONFIG", "COMMAND", "IO"];

/** Requests to a storage under way at once: it may be far away. */
const PARALLEL = 8;

export class Catalogue {
  readonly storage: BackupStorage;
  /** Keys of a backup by its name and size. */
  readonly #keys = new Map<string, number>();

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
      listed.push(...(await Promise.all(some.map((file) => this.#describe(file, names)))));
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

  async note(name: string, verification: BackupVerification): Promise<void> {
    await this.storage.put(noteNameOf(name), encodeNote(verification));
  }

  /** The backup first: a note alone is no backup, and harms nobody. */
  async remove(name: string): Promise<void> {
    await this.storage.remove(name);
    await this.storage.remove(noteNameOf(name));
  }

  async #describe(file: StoredFile, names: ReadonlySet<string>): Promise<ListedBackup> {
    const { name, bytes } = file;
    const parts = readBackupName(name);
    const note = names.has(noteNameOf(name)) ? await this.storage.get(noteNameOf(name)) : undefined;
    return {
      name,
      timeMs: parts?.timeMs ?? 0,
      revision: parts?.revision ?? 0,
      bytes,
      keys: await this.#keysOf(file),
      verification: note && readNote(note),
    };
  }

  #forgetOthers(backups: readonly StoredFile[]): void {
    const ids = new Set(backups.map(idOf));
    for (const id of this.#keys.keys()) if (!ids.has(id)) this.#keys.delete(id);
  }

  /** One that is damaged is listed all the same: somebody wants to know. */
  async #keysOf(file: StoredFile): Promise<number | undefined> {
    const id = idOf(file);
    const known = this.#keys.get(id);
    if (known !== undefined) return known;
    try {
      const reader = await BackupReader.open(this.storage, file.name);
      await reader.close();
      const { keys } = reader.manifest;
      const count = Object.values(keys).reduce((sum, one) => sum + one, 0);
      this.#keys.set(id, count);
      return count;
    } catch (error) {
      // IO: perhaps somebody has removed it in this moment.
      if (UNREADABLE.includes(asKvdbError(error).code)) return undefined;
      throw error;
    }
  }
}

function idOf({ name, bytes }: StoredFile): string {
  return `${name} ${bytes}`;
}
