/**
 * The files that a manifest names, found and measured before any is read: the checkpoint and the log behind it. At rest each is
 * opened when its turn comes; of a folder that another instance writes to all are opened at once, for that one may remove any
 * of them at any time.
 */
import { KvdbError } from "../errors.ts";
import type { Files, OpenFile } from "../platform/files.ts";
import type { Revision } from "../plugin.ts";
import { closeAll, sizeOf } from "./folder-files.ts";
import type { FolderOptions } from "./recovery-account.ts";

/** A file that the manifest names. */
export interface NamedFile<Entry> {
  readonly entry: Entry;
  readonly path: string;
  /** How many bytes of it are to be read, where the manifest says so; undefined: all. */
  readonly bytes: number | undefined;
  /** `update`: who uses the data may have to change the file. */
  readonly mode: "read" | "update";
}

export interface NamedFiles<Checkpoint, Entry> {
  readonly checkpoint: NamedFile<Checkpoint> | undefined;
  /** What the checkpoint covers; 0 without one, or when nobody knows. */
  readonly revision: Revision;
  /** The log behind it, in order. */
  readonly log: readonly NamedFile<Entry>[];
}

/** A file that was looked for. */
export interface FilePart<Entry> {
  readonly entry: Entry;
  readonly path: string;
  /** undefined: the manifest names it, but it is gone. */
  readonly size: number | undefined;
  /** The caller closes it. */
  open(): Promise<OpenFile>;
}

export interface FolderParts<Checkpoint, Entry> {
  readonly checkpoint: FilePart<Checkpoint> | undefined;
  readonly log: readonly FilePart<Entry>[];
  /** Of all that is to be read. */
  readonly bytes: number;
}

export function findParts<Checkpoint, Entry>(
  { files, purpose }: Pick<FolderOptions, "files" | "purpose">,
  named: NamedFiles<Checkpoint, Entry>,
): Promise<FolderParts<Checkpoint, Entry>> {
  return collect(named, async ({ path, mode }) => {
    const size = (await files.exists(path)) ? await sizeOf(files, path) : undefined;
    return { size, open: () => files.open(path, purpose.kind === "check" ? "read" : mode) };
  });
}

/** So often a folder may change while it is being opened: each time takes a compaction. */
const ATTEMPTS = 5;

/**
 * The parts of a folder that is being written to, as they were at one moment. What is missing is
 * damage, unless the manifest has changed meanwhile.
 */
export class HeldFolder<Checkpoint, Entry> {
  readonly #files: Files;
  readonly #readNamed: () => Promise<NamedFiles<Checkpoint, Entry>>;
  /** Opened, and nobody's yet. */
  readonly #held = new Set<OpenFile>();

  /** `readNamed`: what the manifest says now. It is replaced atomically, so it is one or the other. */
  constructor(files: Files, readNamed: () => Promise<NamedFiles<Checkpoint, Entry>>) {
    this.#files = files;
    this.#readNamed = readNamed;
  }

  async open(upTo: Revision): Promise<FolderParts<Checkpoint, Entry>> {
    let named = await this.#readNamed();
    for (let attempt = 1; ; attempt++) {
      const parts = await this.#hold(named);
      const now = isWhole(parts) ? named : await this.#readNamed();
      if (attempt === ATTEMPTS || JSON.stringify(now) === JSON.stringify(named)) {
        if (named.revision > upTo) throw isTooNew(upTo);
        return parts;
      }
      await this.close();
      named = now;
    }
  }

  async close(): Promise<void> {
    await closeAll([...this.#held]);
    this.#held.clear();
  }

  #hold(named: NamedFiles<Checkpoint, Entry>): Promise<FolderParts<Checkpoint, Entry>> {
    return collect(named, async ({ path }) => {
      const file = await this.#openUnlessGone(path);
      if (file === undefined) return { size: undefined, open: () => this.#take(path, undefined) };
      this.#held.add(file);
      return { size: await file.size(), open: () => this.#take(path, file) };
    });
  }

  async #openUnlessGone(path: string): Promise<OpenFile | undefined> {
    try {
      return await this.#files.open(path, "read");
    } catch (error) {
      if (await this.#files.exists(path)) throw error;
      return undefined;
    }
  }

  async #take(path: string, file: OpenFile | undefined): Promise<OpenFile> {
    if (file === undefined) throw new KvdbError("INTERNAL", `${path}: gone, and was to be read`);
    this.#held.delete(file);
    return file;
  }
}

function isTooNew(upTo: Revision): KvdbError {
  const message = `a checkpoint has replaced what the folder held at revision ${upTo}; try again`;
  return new KvdbError("UNAVAILABLE", message);
}

function isWhole({ checkpoint, log }: FolderParts<unknown, unknown>): boolean {
  const isThere = ({ size }: FilePart<unknown>) => size !== undefined;
  return log.every(isThere) && (checkpoint === undefined || isThere(checkpoint));
}

type Find = (file: NamedFile<unknown>) => Promise<Pick<FilePart<unknown>, "size" | "open">>;

async function collect<Checkpoint, Entry>(
  named: NamedFiles<Checkpoint, Entry>,
  find: Find,
): Promise<FolderParts<Checkpoint, Entry>> {
  let total = 0;
  const part = async <One>(file: NamedFile<One>): Promise<FilePart<One>> => {
    const found = await find(file);
    total += file.bytes ?? found.size ?? 0;
    return { entry: file.entry, path: file.path, ...found };
  };
  const log: FilePart<Entry>[] = [];
  for (const file of named.log) log.push(await part(file));
  const checkpoint = named.checkpoint && (await part(named.checkpoint));
  return { checkpoint, log, bytes: total };
}
