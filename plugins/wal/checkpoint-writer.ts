/**
 * Writes a checkpoint, in the snapshot's worker: nothing but its arguments decides what it does.
 * Memory is bounded by one block and one write, however long an entry is. Durable, its name
 * included, when it resolves; when it rejects no file is left.
 */
import { join } from "node:path";
import type { CheckpointTarget, EntryReader, OpenFile, StoredEntry, WrittenCheckpoint } from "kvdb";
import {
  KIND_END,
  KIND_ENTRIES,
  KIND_LONG_BEGINS,
  KIND_LONG_GOES_ON,
  MAX_CONTENT_BYTES,
} from "./block.ts";
import { BlockWriter, payloadOf } from "./block-writer.ts";
import {
  type CheckpointTask,
  checkpointName,
  encodeCheckpointHeader,
  type WrittenFile,
} from "./checkpoint.ts";
import { encodeEntry, encodeFront, entryBound } from "./checkpoint-entry.ts";

/** How often it asks whether the checkpoint is still wanted. */
const PROCEED_BYTES = 1 << 20;

export async function writeCheckpoint(
  entries: EntryReader,
  target: CheckpointTarget,
): Promise<WrittenCheckpoint> {
  const { files, folder } = target;
  const task = target.task as CheckpointTask;
  const path = join(folder, checkpointName(task.number));
  try {
    const writer = await writeFile(path, entries, target);
    await files.syncFolder(folder);
    const { number, salt, revision } = task;
    const detail: WrittenFile = { number, salt, revision, entries: writer.entryCount };
    return { bytes: writer.size, detail };
  } catch (error) {
    await Promise.allSettled([files.remove(path)]); // the next attempt and the next start try again
    throw error;
  }
}

async function writeFile(
  path: string,
  entries: EntryReader,
  target: CheckpointTarget,
): Promise<CheckpointWriter> {
  const file = await target.files.open(path, "replace");
  try {
    const writer = new CheckpointWriter(file, target);
    await writer.run(entries);
    await file.sync();
    return writer;
  } finally {
    await file.close();
  }
}

class CheckpointWriter {
  readonly #file: OpenFile;
  readonly #task: CheckpointTask;
  readonly #proceed: () => void;
  /** Content of the block in hand. */
  readonly #content = Buffer.allocUnsafeSlow(MAX_CONTENT_BYTES);
  #used = 0;
  /** Number of the first entry in it. */
  #from = 0;
  #blocks: BlockWriter | undefined;
  #askedBytes = 0;
  entryCount = 0;

  constructor(file: OpenFile, target: CheckpointTarget) {
    this.#file = file;
    this.#task = target.task as CheckpointTask;
    this.#proceed = () => target.proceed();
  }

  get size(): number {
    return this.#blocks?.size ?? 0;
  }

  async run(entries: EntryReader): Promise<void> {
    const front = encodeCheckpointHeader(this.#task, entries.timeMs);
    const blocks = new BlockWriter(this.#file, this.#task.salt, front);
    this.#blocks = blocks;
    const { entry } = entries;
    while (entries.next()) {
      const bound = entryBound(entry);
      if (this.#used + bound > MAX_CONTENT_BYTES) {
        await this.#endBlock(blocks);
        if (bound > MAX_CONTENT_BYTES) {
          await this.#writeLong(blocks, entry);
          continue;
        }
      }
      this.#used = encodeEntry(this.#content, this.#used, entry);
      this.entryCount++;
    }
    await this.#endBlock(blocks);
    const end = { contentLength: 0, ...payloadOf(this.#content.subarray(0, 0), undefined) };
    blocks.add({ kind: KIND_END, from: this.entryCount, to: this.entryCount, ...end });
    await blocks.flush();
  }

  async #endBlock(blocks: BlockWriter): Promise<void> {
    if (this.#used > 0) await this.#add(blocks, KIND_ENTRIES, this.entryCount);
  }

  /** An entry that fits in no block: its bytes go through the block's buffer, part after part. */
  async #writeLong(blocks: BlockWriter, entry: Readonly<StoredEntry>): Promise<void> {
    const { keyBytes, keyStart, keyEnd, valueBytes, valueStart, valueEnd } = entry;
    this.#used = encodeFront(this.#content, 0, entry);
    let kind = KIND_LONG_BEGINS;
    for (const [bytes, start, end] of [
      [keyBytes, keyStart, keyEnd],
      [valueBytes, valueStart, valueEnd],
    ] as const) {
      for (let at = start; at < end; ) {
        if (this.#used === MAX_CONTENT_BYTES) {
          await this.#add(blocks, kind, this.entryCount + 1);
          kind = KIND_LONG_GOES_ON;
        }
        const stop = Math.min(end, at + MAX_CONTENT_BYTES - this.#used);
        this.#used += bytes.copy(this.#content, this.#used, at, stop);
        at = stop;
      }
    }
    await this.#add(blocks, kind, ++this.entryCount);
    this.#from = this.entryCount;
  }

  /** The block in hand is whole. */
  async #add(blocks: BlockWriter, kind: number, to: number): Promise<void> {
    const content = this.#content.subarray(0, this.#used);
    const { level } = this.#task;
    const compressed = level === 0 ? undefined : Bun.zstdCompressSync(content, { level });
    const contentLength = content.length;
    blocks.add({ kind, from: this.#from, to, contentLength, ...payloadOf(content, compressed) });
    this.#used = 0;
    if (kind === KIND_ENTRIES) this.#from = to;
    if (blocks.contentBytes - this.#askedBytes >= PROCEED_BYTES) {
      this.#askedBytes = blocks.contentBytes;
      this.#proceed();
    }
    if (blocks.isFull) await blocks.flush();
  }
}
