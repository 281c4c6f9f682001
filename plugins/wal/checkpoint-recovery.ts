/**
 * Reads a checkpoint back and hands its entries to the sink, in slices that leave the event loop
 * free. All of it was durable before the manifest named it, so whatever cannot be read is damage.
 * The invariant: an entry that the sink gets is whole and intact, and what is missing is told, with
 * the number of entries that it costs, or the checkpoint is refused.
 */
import type { OpenFile, StoredEntry } from "kvdb";
import { type OpenValue, openValue, type RecoveryAccount, type Stretch } from "kvdb/persistence";
import { KIND_END, KIND_ENTRIES, KIND_LONG_BEGINS, KIND_LONG_GOES_ON } from "./block.ts";
import { BlockReader, type ReadBlock } from "./block-reader.ts";
import { CHECKPOINT_HEADER_BYTES, decodeCheckpointHeader } from "./checkpoint.ts";
import { EntryDecoder, MAX_ENTRY_BYTES } from "./checkpoint-entry.ts";
import type { CheckpointEntry } from "./manifest.ts";

/** An entry whose parts are being put together. */
interface LongEntry {
  readonly bytes: Buffer;
  used: number;
}

export class CheckpointRecovery {
  readonly damaged: Stretch[];
  readonly #account: RecoveryAccount;
  readonly #entry: CheckpointEntry;
  readonly #file: OpenFile;
  readonly #blocks: BlockReader;
  readonly #decoder = new EntryDecoder();
  #long: LongEntry | undefined;
  /** Number of the entry that comes next: what a block behind damage begins with tells the loss. */
  #next = 0;
  /** The value whose next part is to come: of an entry with further elements. */
  #open: OpenValue | undefined;
  /** What could not be read since the last block that could. */
  #missing: Stretch | undefined;
  #hasEnd = false;

  constructor(account: RecoveryAccount, entry: CheckpointEntry, file: OpenFile) {
    this.#account = account;
    this.#entry = entry;
    this.#file = file;
    this.damaged = [...(entry.damaged ?? [])];
    this.#blocks = new BlockReader(file, CHECKPOINT_HEADER_BYTES, entry.bytes, entry.salt);
    this.#blocks.onSlice = account.beginPart(entry.bytes);
  }

  /** Resolves to what the manifest is to say of it. */
  async run(): Promise<CheckpointEntry> {
    const account = this.#account;
    account.raiseRevision(this.#entry.revision);
    account.checkpointRevision = this.#entry.revision;
    account.closed = false; // only a closing group behind it tells of a stop in order
    try {
      await this.#readHeader();
      for (let block = await this.#blocks.next(); block; block = await this.#blocks.next()) {
        if (block.content === undefined) this.#miss([block.offset, block.end]);
        else await this.#take(block);
        await account.breathe();
      }
    } finally {
      await this.#blocks.settled();
    }
    const { bytes, entries } = this.#entry;
    // Cut between two blocks, and no manifest that says how long it was: nothing looks broken.
    if (!this.#hasEnd && entries === undefined) this.#miss([bytes, bytes]);
    await this.#tellMissing(entries ?? this.#next);
    this.#closeBefore(undefined);
    account.bytes += bytes;
    return { ...this.#entry, entries: this.#next, damaged: this.damaged };
  }

  /** The blocks can be checked without it: the salt stands in the manifest too. */
  async #readHeader(): Promise<void> {
    const bytes = Buffer.alloc(CHECKPOINT_HEADER_BYTES);
    const count = await this.#file.read(bytes, 0, bytes.length, 0);
    const identity = decodeCheckpointHeader(bytes.subarray(0, count), this.#file.path);
    const { number, salt, revision } = this.#entry;
    const fits =
      identity?.number === number && identity.salt === salt && identity.revision === revision;
    if (fits) return;
    this.#miss([0, CHECKPOINT_HEADER_BYTES]);
    await this.#tellMissing(0);
  }

  async #take(block: ReadBlock): Promise<void> {
    // A part of an entry whose first part is lost: the block behind it tells that it is.
    if (block.kind === KIND_LONG_GOES_ON && this.#long === undefined) return;
    if (block.from !== this.#next) this.#miss([block.offset, block.offset]);
    await this.#tellMissing(block.from);
    if (!this.#hasTaken(block)) this.#miss([block.offset, block.end]);
  }

  /** False when the block is not what it should be. */
  #hasTaken(block: ReadBlock): boolean {
    const { content, kind, to } = block;
    switch (kind) {
      case KIND_ENTRIES:
        this.#handOver(block, content, content.length);
        return this.#next === to;
      case KIND_LONG_BEGINS:
        this.#long = beginLong(this.#decoder.decodeFront(content, 0));
        return this.#addPart(block);
      case KIND_LONG_GOES_ON:
        return this.#addPart(block);
      case KIND_END:
        this.#hasEnd = to === this.#next && block.end === this.#entry.bytes;
        return this.#hasEnd;
      default:
        return false;
    }
  }

  #addPart(block: ReadBlock): boolean {
    const long = this.#long;
    if (long === undefined || long.used + block.content.length > long.bytes.length) return false;
    long.used += block.content.copy(long.bytes, long.used);
    if (long.used < long.bytes.length) return true;
    this.#long = undefined;
    this.#handOver(block, long.bytes, long.used);
    return this.#next === block.to;
  }

  /** Gives the entries in content[0, end) to the sink, until one is none. */
  #handOver(block: ReadBlock, content: Buffer, end: number): void {
    const { sink } = this.#account;
    const { entry } = this.#decoder;
    let at = 0;
    try {
      while (at < end) {
        at = this.#decoder.decode(content, at, end);
        if (at < 0) return;
        this.#closeBefore(entry);
        sink.entry(entry);
        if (entry.isContinued !== (this.#open !== undefined)) {
          this.#open = entry.isContinued ? openValue(entry) : undefined;
        }
        this.#next++;
      }
    } catch (error) {
      const place = `${this.#file.path}: entry ${this.#next} in the block at ${block.offset}`;
      throw this.#account.placed(error, place);
    }
  }

  /**
   * Ends the value whose last parts are lost, since the sink takes entries of another key only then. Where a part in the
   * middle is lost, those behind it go on: every element that is intact is kept.
   */
  #closeBefore(entry: StoredEntry | undefined): void {
    const open = this.#open;
    if (open === undefined || (entry !== undefined && isSameKey(open, entry))) return;
    this.#open = undefined;
    this.#account.sink.entry(open);
  }

  #miss([start, end]: Stretch): void {
    this.#long = undefined;
    this.#missing = [this.#missing?.[0] ?? start, end];
  }

  /** The next block that could be read begins with entry `from`. */
  async #tellMissing(from: number): Promise<void> {
    const stretch = this.#missing;
    if (stretch === undefined) return;
    const reason = `was durable and cannot be read; ${this.#loss(from - this.#next)}`;
    this.#missing = undefined;
    this.#next = from;
    if (this.damaged.some(([start, end]) => start === stretch[0] && end === stretch[1])) return;
    await this.#account.reportDamage({ source: this.#file, stretch, reason });
    this.damaged.push(stretch);
  }

  #loss(count: number): string {
    const { entries } = this.#entry;
    if (entries === undefined) return "how many entries are lost nobody can tell";
    return `${count} of its ${entries} entries are lost`;
  }
}

function isSameKey(open: OpenValue, entry: Readonly<StoredEntry>): boolean {
  if (open.database !== entry.database || open.type !== entry.type) return false;
  const key = (entry.keyBytes as Buffer).subarray(entry.keyStart, entry.keyEnd);
  return key.equals(open.keyBytes as Buffer);
}

function beginLong(length: number): LongEntry | undefined {
  if (!(length > 0 && length <= MAX_ENTRY_BYTES)) return undefined;
  return { bytes: Buffer.allocUnsafeSlow(length), used: 0 };
}
