/**
 * Another program that reads a folder of `wal`: written from FORMAT.md alone, without a line of the
 * plugin, so that the page is known to say all that it takes. It refuses whatever the page calls
 * damage, and leaves an unsynced tail out.
 */
import type { ReadEntry, ReadRecord } from "../../suites/index.ts";

export interface OutsideReading {
  readonly entries: readonly ReadEntry[];
  readonly records: readonly ReadRecord[];
  /** The last group is a closing one. */
  readonly isClosed: boolean;
  /** What was come across, so that a test knows that it was there. */
  readonly seen: ReadonlySet<Seen>;
}

type Seen = "checkpoint" | "long entry" | "value in parts" | "packed" | "zstd" | "plain" | "zeros";

interface Manifest {
  readonly persistence: string;
  readonly format: number;
  readonly checkpoint?: {
    readonly number: number;
    readonly salt: number;
    readonly revision: number;
    readonly bytes: number;
    readonly entries: number;
  };
  readonly segments: readonly Segment[];
  readonly checksum: string;
}

interface Segment {
  readonly number: number;
  readonly salt: number;
  readonly firstRevision: number;
  readonly bytes?: number;
  readonly packed?: { readonly salt: number; readonly bytes: number };
}

interface Block {
  readonly kind: number;
  readonly from: number;
  readonly to: number;
  readonly content: Buffer;
}

/** `file` gives a file of the folder by its name. */
export function readFolder(file: (name: string) => Buffer): OutsideReading {
  return new FolderReader(file).run();
}

class FolderReader {
  readonly #file: (name: string) => Buffer;
  readonly #entries: ReadEntry[] = [];
  /** Entries that were read; parts of a value count each, and are one of #entries. */
  #taken = 0;
  #isContinued = false;
  readonly #records: ReadRecord[] = [];
  readonly #seen = new Set<Seen>();
  #covered = 0;
  #isClosed = true;

  constructor(file: (name: string) => Buffer) {
    this.#file = file;
  }

  run(): OutsideReading {
    const { checkpoint, segments } = readManifest(this.#file("manifest.json").toString());
    if (checkpoint !== undefined) this.#readCheckpoint(checkpoint);
    for (const [index, segment] of segments.entries()) {
      const next = segments[index + 1]?.firstRevision ?? Number.POSITIVE_INFINITY;
      this.#readSegment(segment, next);
    }
    const [entries, records] = [this.#entries, this.#records];
    return { entries, records, isClosed: this.#isClosed, seen: this.#seen };
  }

  // ---- checkpoints ----

  #readCheckpoint(named: NonNullable<Manifest["checkpoint"]>): void {
    const bytes = this.#file(`checkpoint-${eightDigits(named.number)}.kvc`);
    must(bytes.length === named.bytes, "length of the checkpoint");
    must(bytes.toString("latin1", 0, 8) === "kvdb-ckp", "magic of the checkpoint");
    must(bytes.readUInt16LE(8) === 1 && bytes.readUInt16LE(10) === 0, "version of the checkpoint");
    must(bytes.readUInt32LE(12) === named.number, "number of the checkpoint");
    must(bytes.readUIntLE(16, 6) === named.revision, "revision of the checkpoint");
    must(bytes.readUInt16LE(22) === 0, "zeros in the checkpoint");
    must(bytes.readDoubleLE(24) > 0, "time of the checkpoint");
    must(bytes.readUInt32LE(32) === named.salt, "salt of the checkpoint");
    must(bytes.readUInt32LE(36) === crc32(bytes.subarray(0, 36)), "CRC of the checkpoint");
    let long: Buffer[] = [];
    for (const { kind, from, to, content } of this.#blocks(bytes, 40, named.salt)) {
      if (kind === 4) must(from === named.entries && to === named.entries, "count of entries");
      else must(from === this.#taken, "number of an entry");
      must(long.length === 0 || kind === 3, "the parts of an entry in order");
      if (kind === 1) this.#takeEntries([content], to - from);
      else if (kind !== 4) long = [...long, content];
      if (kind === 2 || kind === 3) must(to === from + 1, "parts of one entry");
      if (long.length > 0 && isWholeEntry(Buffer.concat(long))) {
        this.#takeEntries(long.splice(0), 1);
        this.#seen.add("long entry");
      }
    }
    must(this.#taken === named.entries && !this.#isContinued, "entries of the checkpoint");
    this.#covered = named.revision;
    this.#isClosed = false;
    this.#seen.add("checkpoint");
  }

  #takeEntries(contents: readonly Buffer[], count: number): void {
    const bytes = Buffer.concat(contents);
    let at = 0;
    for (let taken = 0; taken < count; taken++) {
      const { entry, end, isContinued } = readEntry(bytes, at);
      if (this.#isContinued) this.#join(entry);
      else this.#entries.push(entry);
      this.#isContinued = isContinued;
      this.#taken++;
      at = end;
    }
    must(at === bytes.length, "end of the entries in a block");
  }

  #join(part: ReadEntry): void {
    const first = this.#entries.pop() as ReadEntry;
    must(
      JSON.stringify({ ...first, value: part.value }) === JSON.stringify(part),
      "parts of a value",
    );
    this.#entries.push({ ...first, value: first.value + part.value });
    this.#seen.add("value in parts");
  }

  /** All blocks of a file from `at` on; the last one is of kind 4, and ends the file. */
  #blocks(bytes: Buffer, at: number, salt: number): Block[] {
    const blocks: Block[] = [];
    let before = 0;
    while (blocks.at(-1)?.kind !== 4) {
      must(bytes.toString("latin1", at, at + 4) === "KVB1", "magic of a block");
      must(bytes.readUInt32LE(at + 44) === crc32(bytes.subarray(at, at + 44), salt), "block CRC");
      const [payloadLength, length] = [bytes.readUInt32LE(at + 4), bytes.readUInt32LE(at + 8)];
      must(length <= 65536 && bytes.readUInt16LE(at + 38) === 0, "header of a block");
      must(bytes.readUIntLE(at + 12, 6) === at, "offset of a block");
      must(bytes.readUIntLE(at + 18, 6) === before, "content before a block");
      const payload = bytes.subarray(at + 48, at + 48 + payloadLength);
      must(bytes.readUInt32LE(at + 40) === crc32(payload), "CRC of a payload");
      const isCompressed = bytes[at + 37] === 1;
      this.#seen.add(isCompressed ? "zstd" : "plain");
      const content = isCompressed ? Bun.zstdDecompressSync(payload) : payload;
      must(content.length === length, "length of a content");
      const [from, to] = [bytes.readUIntLE(at + 24, 6), bytes.readUIntLE(at + 30, 6)];
      blocks.push({ kind: bytes.readUInt8(at + 36), from, to, content });
      before += length;
      at += 48 + payloadLength;
    }
    must(at === bytes.length && blocks.at(-1)?.content.length === 0, "end of a file of blocks");
    return blocks;
  }

  // ---- segments ----

  #readSegment(segment: Segment, repeatedFrom: number): void {
    const { number, salt, firstRevision } = segment;
    const isLast = segment.bytes === undefined;
    const bytes = this.#segmentBytes(segment);
    must(bytes.toString("latin1", 0, 8) === "kvdb-wal", "magic of a segment");
    must(bytes.readUInt16LE(8) === 1 && bytes.readUInt16LE(10) === 0, "version of a segment");
    must(bytes.readUInt32LE(12) === number, "number of a segment");
    must(bytes.readUIntLE(16, 6) === firstRevision, "first revision of a segment");
    must(bytes.readUInt16LE(22) === 0 && bytes.readUInt32LE(24) === salt, "salt of a segment");
    must(bytes.readUInt32LE(28) === crc32(bytes.subarray(0, 28)), "CRC of a segment");
    let at = 32;
    while (at < bytes.length) {
      const end = groupEnd(bytes, at, salt);
      if (end === undefined) break;
      this.#takeGroup(bytes, at, { firstRevision, repeatedFrom });
      at = end;
    }
    if (at === bytes.length) return;
    must(isLast, "a group where the manifest says that one counts");
    if (bytes.subarray(at).every((byte) => byte === 0)) this.#seen.add("zeros");
  }

  #segmentBytes({ number, salt, firstRevision, bytes: length, packed }: Segment): Buffer {
    if (packed === undefined) {
      return this.#file(`wal-${eightDigits(number)}.log`).subarray(0, length);
    }
    const bytes = this.#file(`wal-${eightDigits(number)}.logz`);
    must(bytes.length === packed.bytes, "length of a packed segment");
    must(bytes.toString("latin1", 0, 8) === "kvdb-wlz", "magic of a packed segment");
    must(bytes.readUInt16LE(8) === 1 && bytes.readUInt16LE(10) === 0, "version");
    must(bytes.readUInt32LE(12) === number, "number of a packed segment");
    must(bytes.readUIntLE(16, 6) === firstRevision, "first revision of a packed segment");
    must(bytes.readUIntLE(22, 6) === length, "length of the segment in a packed one");
    must(bytes.readUInt32LE(28) === salt, "salt of the segment in a packed one");
    must(bytes.readUInt32LE(32) === packed.salt, "salt of a packed segment");
    must(bytes.readUInt32LE(36) === crc32(bytes.subarray(0, 36)), "CRC of a packed segment");
    const blocks = this.#blocks(bytes, 40, packed.salt);
    must(
      blocks.slice(0, -1).every(({ kind }) => kind === 5),
      "blocks of a packed segment",
    );
    this.#seen.add("packed");
    return Buffer.concat(blocks.map(({ content }) => content));
  }

  #takeGroup(
    bytes: Buffer,
    at: number,
    { firstRevision, repeatedFrom }: { firstRevision: number; repeatedFrom: number },
  ): void {
    let revision = bytes.readUIntLE(at + 12, 6);
    this.#isClosed = bytes[at + 30] === 2;
    if (this.#isClosed || revision >= repeatedFrom) return;
    must(bytes[at + 30] === 1 && bytes[at + 31] === 0, "kind of a group");
    must(revision >= firstRevision, "a record that is not of an earlier segment");
    const last = revision + bytes.readUInt32LE(at + 8);
    const end = at + 40 + bytes.readUInt32LE(at + 4);
    for (let batch = at + 40; batch < end; ) {
      const timeMs = bytes.readDoubleLE(batch);
      let frame = batch + 16;
      batch = frame + bytes.readUInt32LE(batch + 12);
      for (; frame < batch; revision++) {
        const next = frame + 8 + bytes.readUInt32LE(frame);
        const record = {
          revision,
          timeMs: timeMs + bytes.readUInt16LE(frame + 6),
          frame: bytes.toString("hex", frame, next),
        };
        if (revision > this.#covered) this.#records.push(record);
        frame = next;
      }
    }
    must(revision === last, "records of a group");
  }
}

function readManifest(text: string): Manifest {
  const { checksum, ...rest }: Manifest = JSON.parse(text);
  const crc = crc32(Buffer.from(JSON.stringify(rest))).toString(16);
  must(checksum === crc.padStart(8, "0"), "checksum of the manifest");
  must(rest.persistence === "wal" && [1, 2].includes(rest.format), "format of the manifest");
  return { ...rest, checksum };
}

/** Where the group at `at` ends; undefined when there is none. */
function groupEnd(bytes: Buffer, at: number, salt: number): number | undefined {
  if (bytes.length - at < 40 || bytes.toString("latin1", at, at + 4) !== "KVG1") return undefined;
  if (bytes.readUInt32LE(at + 36) !== crc32(bytes.subarray(at, at + 36), salt)) return undefined;
  const end = at + 40 + bytes.readUInt32LE(at + 4);
  if (bytes.readUIntLE(at + 18, 6) !== at || end > bytes.length) return undefined;
  return bytes.readUInt32LE(at + 32) === crc32(bytes.subarray(at + 40, end)) ? end : undefined;
}

interface EntryFront {
  readonly entry: Omit<ReadEntry, "key" | "value">;
  readonly keyAt: number;
  readonly valueAt: number;
  readonly end: number;
  readonly isContinued: boolean;
}

const TYPES = [
  undefined,
  "string",
  "json",
  "list",
  "set",
  "zset",
  "hash",
  "stream",
  "index",
] as const;

function readFront(bytes: Buffer, at: number): EntryFront {
  const first = bytes.readUInt8(at++);
  const type = TYPES[first & 15];
  if (type === undefined) throw new Error(`type ${first & 15} of an entry`);
  const database = (first & 32) === 0 ? 0 : bytes.readUInt16LE(at);
  if (database > 0) at += 2;
  const key = readVarint(bytes, at);
  const value = readVarint(bytes, key.end);
  const version = bytes.readUIntLE(value.end, 6);
  at = value.end + 6;
  const deadlineMs = (first & 16) === 0 ? 0 : bytes.readDoubleLE(at);
  const keyAt = deadlineMs === 0 ? at : at + 8;
  const valueAt = keyAt + key.value;
  return {
    entry: { database, type, deadlineMs, version, ...((first & 128) !== 0 && { isTimed: true }) },
    keyAt,
    valueAt,
    end: valueAt + value.value,
    isContinued: (first & 64) !== 0,
  };
}

interface EntryRead {
  readonly entry: ReadEntry;
  readonly end: number;
  readonly isContinued: boolean;
}

function readEntry(bytes: Buffer, at: number): EntryRead {
  const { entry, keyAt, valueAt, end, isContinued } = readFront(bytes, at);
  must(end <= bytes.length, "an entry within its block");
  const key = bytes.toString("hex", keyAt, valueAt);
  const value = bytes.toString("hex", valueAt, end);
  return { entry: { ...entry, key, value }, end, isContinued };
}

function isWholeEntry(bytes: Buffer): boolean {
  return readFront(bytes, 0).end === bytes.length;
}

function readVarint(bytes: Buffer, at: number): { value: number; end: number } {
  let value = 0;
  for (let factor = 1; ; factor *= 128) {
    const byte = bytes.readUInt8(at++);
    value += (byte & 127) * factor;
    if (byte < 128) return { value, end: at };
  }
}

function eightDigits(number: number): string {
  return String(number).padStart(8, "0");
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ 0xedb88320;
  return crc;
});

/** As zlib's crc32(begun, bytes). */
function crc32(bytes: Uint8Array, begun = 0): number {
  let crc = ~begun;
  for (const byte of bytes) crc = (crc >>> 8) ^ (CRC_TABLE[(crc ^ byte) & 255] as number);
  return ~crc >>> 0;
}

function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(`not as FORMAT.md says: ${what}`);
}
