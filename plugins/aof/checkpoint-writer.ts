/**
 * Writes a base of the AOF or saves an RDB, in the snapshot's worker: nothing but its arguments
 * decides what it does. Durable, its name included, when it resolves; when it rejects no file is left.
 */
import { dirname } from "node:path";
import type { CheckpointTarget, EntryReader, OpenFile, Revision, WrittenCheckpoint } from "kvdb";
import { writeRdb } from "kvdb/rdb";
import { BaseCommands } from "./base-commands.ts";
import { endLine, fileLine, partLine } from "./group-line.ts";
import type { AofOptions } from "./options.ts";
import { SLICE_BYTES } from "./record-frames.ts";

/** What the worker is given. */
export type AofTask =
  | {
      readonly kind: "base";
      readonly name: string;
      readonly path: string;
      readonly sequence: number;
      readonly isRdb: boolean;
      readonly salt: number;
      readonly revision: Revision;
    }
  | { readonly kind: "save"; readonly path: string };

/** Ends the name of a file that is being saved. Nothing under such a name was ever promised. */
export const UNFINISHED_SUFFIX = ".new";

export async function writeCheckpoint(
  entries: EntryReader,
  target: CheckpointTarget<AofOptions>,
): Promise<WrittenCheckpoint> {
  const task = target.task as AofTask;
  const { files } = target;
  const path = task.kind === "save" ? task.path + UNFINISHED_SUFFIX : task.path;
  try {
    const bytes = await writeFile(path, task, entries, target);
    if (task.kind === "save") await files.rename(path, task.path);
    await files.syncFolder(dirname(path));
    return { bytes, detail: task };
  } catch (error) {
    await Promise.allSettled([files.remove(path)]); // the next attempt and the next start try again
    throw error;
  }
}

async function writeFile(
  path: string,
  task: AofTask,
  entries: EntryReader,
  { files, proceed }: CheckpointTarget<AofOptions>,
): Promise<number> {
  const file = await files.open(path, "replace");
  try {
    const isRdb = task.kind === "save" || task.isRdb;
    const bytes = isRdb
      ? await writeRdbInto(file, entries, { isPreamble: task.kind === "base", proceed })
      : await new CommandsWriter(file, entries, task).run(proceed);
    await file.sync();
    return bytes;
  } finally {
    await file.close();
  }
}

async function writeRdbInto(
  file: OpenFile,
  entries: EntryReader,
  writing: { readonly isPreamble: boolean; proceed(): void },
): Promise<number> {
  let position = 0;
  const target = {
    async write(bytes: Buffer, start: number, end: number): Promise<void> {
      await file.write(bytes, start, end, position);
      position += end - start;
    },
  };
  const { bytes } = await writeRdb(entries, target, writing);
  return bytes;
}

/** A base that consists of commands: a head, parts, and the line that ends it. */
class CommandsWriter {
  readonly #file: OpenFile;
  readonly #entries: EntryReader;
  readonly #salt: number;
  readonly #revision: Revision;
  readonly #head: Buffer;
  readonly #commands = new BaseCommands();
  #position = 0;

  constructor(file: OpenFile, entries: EntryReader, task: AofTask & { readonly kind: "base" }) {
    this.#file = file;
    this.#entries = entries;
    const { salt, sequence, revision } = task;
    this.#salt = salt;
    this.#revision = revision;
    this.#head = fileLine({ salt, sequence, firstRevision: revision });
  }

  async run(proceed: () => void): Promise<number> {
    const { entry } = this.#entries;
    await this.#write(this.#head, this.#head.length);
    while (this.#entries.next()) {
      this.#commands.write(entry);
      if (this.#commands.length < SLICE_BYTES) continue;
      proceed();
      await this.#endPart();
    }
    if (this.#commands.length > 0) await this.#endPart();
    const place = { offset: this.#position, salt: this.#salt };
    const end = endLine(this.#revision + 1, 0, place);
    await this.#write(end, end.length);
    return this.#position;
  }

  async #endPart(): Promise<void> {
    const { bytes, length } = this.#commands;
    const part = {
      revision: this.#revision,
      timeMs: this.#entries.timeMs,
      textBytes: length,
      textCrc: Bun.hash.crc32(bytes.subarray(0, length)),
    };
    const line = partLine(part, { offset: this.#position, salt: this.#salt });
    await this.#write(line, line.length);
    await this.#write(bytes, length);
    this.#commands.clear();
  }

  async #write(bytes: Buffer, length: number): Promise<void> {
    await this.#file.write(bytes, 0, length, this.#position);
    this.#position += length;
  }
}
