/**
 * The arena: every byte of user data, and every structure that finds it, lives in chunks on SharedArrayBuffers: the first
 * has 1 MiB, all others 16. An address counts units of 8 bytes in 32 bits (32 GiB) and is kept as a signed integer, because a
 * load that may exceed 2^31 becomes a double in the JIT.
 *
 *   address a:  chunk = a >>> 21, unit within the chunk = a & UNIT_MASK
 *               bytes at (a & UNIT_MASK) << 3, 32-bit words at << 1, doubles at << 0
 *   address 0:  "none"; it is the superblock's own, so it is never handed out
 *
 * Invariant: nothing is written but through `edit` / `editInts` / `editDoubles`, which touch the pages first (that is
 * how an image is taken without fork), and no state of the store is kept outside the chunks: the heap holds views.
 *
 * The superblock is the first two pages of chunk 0:
 *
 *   page 0  i0 magic "kvdb"        i1 layout version      i2 bump: next address never used   i3 bump's end
 *           i4 chunk numbers used  i5 databases           i6 address of the database table   i7 free
 *           i8, i9 key of the hash
 *           d8  units in use (class waste included), all accounts together
 *           d9  units in use by the accounts that are queued for freeing (they count as free)
 *           d16 … d31 free for owners that need a word of their own (d16: highest revision applied, d17: when that was
 *           noted, in ms since 1970, d18: the same where what is over needs no record, else 0)
 *           i64 … i255 heads of the free lists, one per size class
 *   page 1  i2048 … i4095 the chunk map: 0 no such chunk, 1 ordinary, n ≥ 2 head of a giant of n - 1 chunks,
 *           -1 the rest of a giant
 *
 * An image of an arena holds the same bytes, chunk k at k * 16 MiB: `Arena.open` makes it an arena again, for reading.
 *
 * This file is longer than usual: whatever gives memory or takes it back touches the same words of the superblock, whose
 * invariants can so be seen in one place.
 */
import { assert } from "../assert.ts";
import { KvdbError } from "../errors.ts";
import { preferHugePages } from "../platform/huge-pages.ts";
import type { PageTracker } from "./page-tracker.ts";

export const CHUNK_BITS = 24;
export const CHUNK_BYTES = 1 << CHUNK_BITS;
export const UNIT_BYTES = 8;
export const CHUNK_UNITS = CHUNK_BYTES / UNIT_BYTES;
export const CHUNK_SHIFT = CHUNK_BITS - 3;
export const UNIT_MASK = CHUNK_UNITS - 1;
export const PAGE_BYTES = 8192;
/** page = address >>> PAGE_SHIFT */
export const PAGE_SHIFT = 10;
export const MAX_CHUNKS = 2048;
/**
 * Chunk 0 is shorter: it is what a small store takes. The runtime counts the whole of a chunk as garbage to be, so that 16 MiB
 * make it collect in the middle of a start, which is a tenth of `kvdb get`.
 */
export const FIRST_CHUNK_BYTES = 1 << 20;

const MAGIC = 0x6264766b;
const LAYOUT_VERSION = 1;
const SUPERBLOCK_UNITS = (2 * PAGE_BYTES) / UNIT_BYTES;
const I_MAGIC = 0;
const I_LAYOUT = 1;
export const I_BUMP = 2;
export const I_BUMP_END = 3;
export const I_CHUNKS = 4;
export const I_DATABASES = 5;
export const I_DATABASE_TABLE = 6;
export const I_HASH_KEY = 8;
const D_USED = 8;
export const D_QUEUED = 9;
export const D_REVISION = 16;
export const D_TIME = 17;
export const D_OVER = 18;
export const I_FREE = 64;
export const I_CHUNK_MAP = PAGE_BYTES / 4;
/** The superblock: the first bytes of an arena, and of its image. */
export const SUPERBLOCK_BYTES = 2 * PAGE_BYTES;

/**
 * Size classes: exact up to 33 units, then eight steps a doubling, each a multiple of a power of two *plus one unit*,
 * because the structures are a power of two plus a header (a full segment has 513 units). Waste: at most 12.5 %.
 */
const EXACT_UNITS = 33;
/** Above half a chunk a block gets chunk numbers of its own. */
const GIANT_UNITS = CHUNK_UNITS / 2 + 1;
export const CLASS_COUNT = classOf(GIANT_UNITS) + 1;

/** The class of a request; `units` ≤ GIANT_UNITS. */
export function classOf(units: number): number {
  if (units <= EXACT_UNITS) return units;
  const log = 31 - Math.clz32(units - 2);
  return EXACT_UNITS + ((log - 5) << 3) + (((units - 2) >>> (log - 3)) - 7);
}

/** The units that a block of this class takes. */
function unitsOfClass(index: number): number {
  if (index <= EXACT_UNITS) return index;
  const step = index - EXACT_UNITS - 1;
  return (((step & 7) + 9) << ((step >>> 3) + 2)) + 1;
}

export const UNITS_OF_CLASS = new Int32Array(CLASS_COUNT);
for (let index = 0; index < CLASS_COUNT; index++) UNITS_OF_CLASS[index] = unitsOfClass(index);

/** The units that a request of `units` really takes: what `allocate` takes and `release` gives back. */
export function roundUnits(units: number): number {
  if (units <= EXACT_UNITS) return units;
  if (units > GIANT_UNITS) return giantUnits(units);
  return UNITS_OF_CLASS[classOf(units)];
}

/** Eight steps a doubling here too, each a multiple of a page: appending to a giant does not copy it each time. */
function giantUnits(units: number): number {
  const step = 1 << (28 - Math.clz32(units - 1));
  return Math.ceil(units / step) * step;
}

/** Who keeps new blocks out of some chunks: evacuation.ts. */
export interface Evacuating {
  /** Sees that the list of a size class has a block, if it can. */
  freeHead(index: number): void;
  /** True: it takes care of the free block. */
  park(address: number, index: number): boolean;
  /** What it knows is as at this instant when the function that is returned is called (undo.ts). */
  memorize(): () => void;
}

/** What the arena lets it do. */
export interface FreeLists {
  /** Puts a block into the list of its size class. */
  link(address: number, index: number): void;
  /** Gives the memory of a chunk back. */
  drop(chunk: number): void;
  end(): void;
}

/** Views for reading. `edit` gives the same memory for writing. */
export interface ReadonlyBytes {
  readonly [index: number]: number;
  readonly length: number;
  copy(target: Uint8Array, targetStart: number, sourceStart: number, sourceEnd: number): number;
  toString(encoding: BufferEncoding, start: number, end: number): string;
}
export interface ReadonlyNumbers {
  readonly [index: number]: number;
  readonly length: number;
}

/** All of an arena, to be handed to another thread or to another arena: `Arena.exchange` takes it. */
export interface ArenaMemory {
  readonly chunks: readonly ArenaChunk[];
  /** Units in use in each chunk, by its number. */
  readonly live: Int32Array;
}

/** A chunk, or a giant: its number is that of its first chunk. */
export interface ArenaChunk {
  readonly number: number;
  readonly memory: ArrayBufferLike;
}

/** The chunks by number, as they were at one instant: what `Arena.restore` takes. */
export interface ArenaViews {
  readonly bytes: readonly Buffer[];
  readonly ints: readonly Int32Array[];
  readonly doubles: readonly Float64Array[];
  /** Units in use in each. */
  readonly live: Int32Array;
  /** Brings what is known of free blocks back to that instant. */
  readonly restoreEvacuation: () => void;
}

/** A giant that was given back, and on whose account it was. */
interface HeldGiant {
  readonly address: number;
  readonly units: number;
  readonly account: number;
}

export class OutOfMemory extends Error {
  constructor() {
    super("the arena's 32 GiB of addresses are used up");
    this.name = "OutOfMemory";
  }
}

export class Arena {
  readonly #bytes: Buffer[] = [];
  readonly #ints: Int32Array[] = [];
  readonly #doubles: Float64Array[] = [];
  readonly bytes: readonly ReadonlyBytes[] = this.#bytes;
  readonly ints: readonly ReadonlyNumbers[] = this.#ints;
  readonly doubles: readonly ReadonlyNumbers[] = this.#doubles;
  /** Set while somebody must see each page before it changes. */
  tracker: PageTracker | null = null;
  /** Units in use in each ordinary chunk: what evacuation.ts goes by. */
  readonly live = new Int32Array(MAX_CHUNKS);
  /** Chunks that are being emptied, if any: nothing new comes into them. */
  #evacuation: Evacuating | null = null;
  /** Double of chunk 0 that also counts what is allocated and released: set by whoever owns what follows. */
  account = D_QUEUED + 1;
  /** What was given back while that may be undone; null: it goes at once. */
  #held: HeldGiant[] | null = null;
  /** The chunks when that began. */
  #heldChunks: readonly Buffer[] = [];

  constructor(image: readonly Uint8Array[] | null = null) {
    if (image === null) this.#format();
    else this.#adopt(image);
  }

  /**
   * The arena whose image these bytes are, for reading: writing to it is a broken invariant. The parts follow one another;
   * each begins with a chunk, and no giant lies in two of them (image.ts cuts them so, because one view of the runtime has
   * at most 4 GiB).
   */
  static open(image: readonly Uint8Array[]): Arena {
    return new Arena(image);
  }

  #adopt(image: readonly Uint8Array[]): void {
    const map = requireSuperblock(image[0]);
    const total = map[I_CHUNKS];
    for (const part of image) this.#addPart(part, map);
    if (this.#bytes.length < total) {
      throw new KvdbError(
        "DAMAGE",
        `the image ends after ${this.#bytes.length} of ${total} chunks`,
      );
    }
    this.tracker = READ_ONLY;
  }

  /** Of an image: lets go of its memory. Who still reads it gets an exception, and not what is there instead. */
  close(): void {
    assert(this.tracker === READ_ONLY, "only an image is closed");
    this.#bytes.length = 0;
    this.#ints.length = 0;
    this.#doubles.length = 0;
  }

  #addPart(part: Uint8Array, map: Int32Array): void {
    for (let at = 0; at + CHUNK_BYTES <= part.length; ) {
      const first = this.#bytes.length;
      const count = Math.max(1, map[I_CHUNK_MAP + first] - 1);
      const size = count * CHUNK_BYTES;
      if (at + size > part.length) throw new KvdbError("DAMAGE", `chunk ${first} is cut off`);
      this.#view(first, part.buffer, part.byteOffset + at, size);
      at += size;
    }
  }

  /** Makes the superblock, in chunk 0 if there is one. */
  #format(): void {
    if (this.#bytes.length === 0) this.#addChunk(0, FIRST_CHUNK_BYTES);
    const ints = this.#ints[0];
    ints.fill(0, 0, 2 * SUPERBLOCK_UNITS);
    ints[I_MAGIC] = MAGIC;
    ints[I_LAYOUT] = LAYOUT_VERSION;
    ints[I_BUMP] = SUPERBLOCK_UNITS;
    ints[I_BUMP_END] = this.#bytes[0].length / UNIT_BYTES;
    ints[I_CHUNKS] = 1;
    ints[I_CHUNK_MAP] = 1;
  }

  /**
   * Forgets everything at once: the old chunks go to the garbage collector, or to a snapshot that still reads them. Chunk
   * 0 is used again when nobody reads it: a new one costs a millisecond, and tests empty a small database all the time.
   */
  reset(): void {
    const revision = this.#doubles[0][D_REVISION];
    const timeMs = this.#doubles[0][D_TIME];
    const overMs = this.#doubles[0][D_OVER];
    const kept = this.tracker === null ? 1 : 0;
    this.tracker?.reset();
    this.#evacuation = null;
    this.live.fill(0);
    this.#bytes.length = kept;
    this.#ints.length = kept;
    this.#doubles.length = kept;
    this.#format();
    this.#doubles[0][D_REVISION] = revision;
    this.#doubles[0][D_TIME] = timeMs;
    this.#doubles[0][D_OVER] = overMs;
  }

  /** Of an arena that nobody writes to any more. */
  get memory(): ArenaMemory {
    const map = this.#ints[0];
    const chunks: ArenaChunk[] = [];
    for (let number = 0; number < this.#bytes.length; number++) {
      if (map[I_CHUNK_MAP + number] < 1) continue;
      chunks.push({ number, memory: this.#bytes[number].buffer });
    }
    return { chunks, live: this.live };
  }

  /**
   * Takes the memory of another arena in the place of its own, which goes as in `reset`. Views are the same objects as before,
   * so whoever has them sees what is there now; addresses that somebody kept mean something else.
   */
  exchange({ chunks, live }: ArenaMemory): void {
    assert(this.#held === null, "what may be undone is not exchanged");
    this.tracker?.reset();
    this.#evacuation = null;
    this.account = D_QUEUED + 1;
    this.live.set(live);
    for (const views of [this.#bytes, this.#ints, this.#doubles]) views.length = 0;
    for (const { number, memory } of chunks) {
      while (this.#bytes.length < number) this.#leaveOut(this.#bytes.length);
      this.#view(number, memory, 0, memory.byteLength);
    }
    const total = this.#ints[0][I_CHUNKS];
    while (this.#bytes.length < total) this.#leaveOut(this.#bytes.length);
  }

  // ---- what may be undone (undo.ts) ----

  /**
   * Memory of these chunks that is given back from now on stays, until `letGo` or `restore`. Answers the chunks as they are.
   * What is made and given back in between goes at once: a value that grows and grows must not stay once for each step.
   */
  hold(): ArenaViews {
    assert(this.#held === null, "one change at a time may be undone");
    this.#held = [];
    this.#heldChunks = [...this.#bytes];
    return {
      bytes: this.#heldChunks,
      ints: [...this.#ints],
      doubles: [...this.#doubles],
      live: this.live.slice(),
      restoreEvacuation: this.#evacuation?.memorize() ?? (() => {}),
    };
  }

  get isHolding(): boolean {
    return this.#held !== null;
  }

  /** What was given back goes. */
  letGo(): void {
    const held = this.#held ?? [];
    this.#endHold();
    for (const { address, units, account } of held) {
      this.account = account;
      this.#releaseGiant(address, units);
    }
  }

  /** The chunks are those of `hold` again; what they held is the caller's to put back. */
  restore({ bytes, ints, doubles, live, restoreEvacuation }: ArenaViews): void {
    this.#endHold();
    this.live.set(live);
    restoreEvacuation();
    this.#bytes.splice(0, this.#bytes.length, ...bytes);
    this.#ints.splice(0, this.#ints.length, ...ints);
    this.#doubles.splice(0, this.#doubles.length, ...doubles);
  }

  #endHold(): void {
    this.#held = null;
    this.#heldChunks = [];
  }

  /** Bytes in use: blocks with their class waste, less what is queued for freeing. */
  get usedBytes(): number {
    const head = this.#doubles[0];
    return (head[D_USED] - head[D_QUEUED]) * UNIT_BYTES;
  }

  /** Bytes of all chunks, used or not. */
  get reservedBytes(): number {
    let total = 0;
    const map = this.#ints[0];
    for (let chunk = 0; chunk < this.#bytes.length; chunk++) {
      if (map[I_CHUNK_MAP + chunk] >= 1) total += this.#bytes[chunk].length;
    }
    return total;
  }

  /** Bytes of blocks that wait to be freed. */
  get queuedBytes(): number {
    return this.#doubles[0][D_QUEUED] * UNIT_BYTES;
  }

  /** Bytes at the end of the newest chunk in which nothing was ever written: the system has not given them yet. */
  get untouchedBytes(): number {
    const head = this.#ints[0];
    const end = head[I_BUMP_END];
    // A region that was a free block before ends elsewhere.
    const isNew = (end & UNIT_MASK) === 0 || end === FIRST_CHUNK_BYTES / UNIT_BYTES;
    return isNew ? ((end - head[I_BUMP]) | 0) * UNIT_BYTES : 0;
  }

  /** Chunks, a giant being one. */
  get chunkCount(): number {
    const map = this.#ints[0];
    let count = 0;
    for (let chunk = 0; chunk < this.#bytes.length; chunk++) {
      if (map[I_CHUNK_MAP + chunk] >= 1) count++;
    }
    return count;
  }

  /** Pages of all chunks: page numbers are address >>> PAGE_SHIFT. */
  get pageCount(): number {
    return this.#bytes.length << (CHUNK_SHIFT - PAGE_SHIFT);
  }

  // ---- writing ----

  /** The chunk's bytes, to write the `units` at this address. */
  edit(address: number, units: number): Buffer {
    if (this.tracker !== null) this.#touch(address, units);
    return this.#bytes[address >>> CHUNK_SHIFT];
  }
  editInts(address: number, units: number): Int32Array {
    if (this.tracker !== null) this.#touch(address, units);
    return this.#ints[address >>> CHUNK_SHIFT];
  }
  editDoubles(address: number, units: number): Float64Array {
    if (this.tracker !== null) this.#touch(address, units);
    return this.#doubles[address >>> CHUNK_SHIFT];
  }
  #touch(address: number, units: number): void {
    this.tracker?.touch(address >>> PAGE_SHIFT, (address + units - 1) >>> PAGE_SHIFT);
  }

  // ---- blocks ----

  /** A block of at least `units`; its content is whatever was there before. */
  allocate(units: number): number {
    if (units > GIANT_UNITS) return this.#allocateGiant(units);
    const index = units <= EXACT_UNITS ? units : classOf(units);
    const size = units <= EXACT_UNITS ? units : UNITS_OF_CLASS[index];
    if (this.tracker !== null) this.#touch(0, SUPERBLOCK_UNITS / 2);
    const head = this.#ints[0];
    if (this.#evacuation !== null) this.#evacuation.freeHead(index);
    const address = head[I_FREE + index];
    if (address === 0) return this.#take(size);
    head[I_FREE + index] = this.#ints[address >>> CHUNK_SHIFT][(address & UNIT_MASK) << 1];
    this.live[address >>> CHUNK_SHIFT] += size;
    this.#count(size);
    return address;
  }

  /** Gives back a block that was allocated with the same `units`. */
  release(address: number, units: number): void {
    if (units > GIANT_UNITS) {
      this.#releaseGiant(address, units);
      return;
    }
    const index = units <= EXACT_UNITS ? units : classOf(units);
    const size = units <= EXACT_UNITS ? units : UNITS_OF_CLASS[index];
    if (this.#evacuation === null || !this.#evacuation.park(address, index)) {
      this.#link(address, index);
    }
    this.live[address >>> CHUNK_SHIFT] -= size;
    this.#count(-size);
  }

  #count(units: number): void {
    const head = this.#doubles[0];
    head[D_USED] += units;
    if (this.tracker !== null) this.#touch(this.account, 1);
    head[this.account] += units;
  }

  #link(address: number, index: number): void {
    if (this.tracker !== null) {
      this.#touch(0, SUPERBLOCK_UNITS / 2);
      this.#touch(address, 1);
    }
    const head = this.#ints[0];
    this.#ints[address >>> CHUNK_SHIFT][(address & UNIT_MASK) << 1] = head[I_FREE + index];
    head[I_FREE + index] = address;
  }

  /** From memory never used; from the largest free block, which becomes the new bump region; from a new chunk. */
  #take(size: number): number {
    const head = this.#ints[0];
    if (((head[I_BUMP_END] - head[I_BUMP]) | 0) < size) {
      const rest = (head[I_BUMP_END] - head[I_BUMP]) | 0;
      const from = head[I_BUMP];
      this.#newRegion(size);
      this.#scatter(from, rest);
    }
    const address = head[I_BUMP];
    head[I_BUMP] = (address + size) | 0;
    this.live[address >>> CHUNK_SHIFT] += size;
    this.#count(size);
    return address;
  }

  #newRegion(size: number): void {
    const head = this.#ints[0];
    for (
      let index = CLASS_COUNT - 1;
      index > EXACT_UNITS && UNITS_OF_CLASS[index] >= size;
      index--
    ) {
      if (this.#evacuation !== null) this.#evacuation.freeHead(index);
      const address = head[I_FREE + index];
      if (address === 0) continue;
      head[I_FREE + index] = this.#ints[address >>> CHUNK_SHIFT][(address & UNIT_MASK) << 1];
      head[I_BUMP] = address;
      head[I_BUMP_END] = (address + UNITS_OF_CLASS[index]) | 0;
      return;
    }
    const chunk = this.#freeChunkNumbers(1);
    this.#addChunk(chunk, CHUNK_BYTES);
    this.#map(chunk, 1);
    head[I_BUMP] = (chunk << CHUNK_SHIFT) | 0;
    head[I_BUMP_END] = ((chunk + 1) << CHUNK_SHIFT) | 0;
  }

  /** Puts a stretch into the free lists, in the largest pieces that fit. */
  #scatter(from: number, units: number): void {
    let address = from;
    for (let rest = units; rest > 0; ) {
      let index = rest >= GIANT_UNITS ? CLASS_COUNT - 1 : classOf(rest);
      if (UNITS_OF_CLASS[index] > rest) index--;
      this.#link(address, index);
      address = (address + UNITS_OF_CLASS[index]) | 0;
      rest -= UNITS_OF_CLASS[index];
    }
  }

  // ---- chunks ----

  /**
   * From now on whoever is made here decides about free blocks, until it says that it has ended: one at a time.
   */
  beginEvacuation<Made extends Evacuating>(make: (lists: FreeLists) => Made): Made {
    assert(this.#evacuation === null, "one evacuation at a time");
    const made = make({
      link: (address, index) => this.#link(address, index),
      drop: (chunk) => this.#dropChunk(chunk),
      end: () => {
        this.#evacuation = null;
      },
    });
    this.#evacuation = made;
    return made;
  }

  /** It has not ended, and the arena has not started anew meanwhile. */
  isUnderWay(evacuation: Evacuating): boolean {
    return this.#evacuation === evacuation;
  }

  /** Chunks that may be emptied: ordinary ones, but for the first and the one that new blocks are cut from. */
  get ordinaryChunks(): number[] {
    const map = this.#ints[0];
    const current = map[I_BUMP] >>> CHUNK_SHIFT;
    const last = (map[I_BUMP_END] - 1) >>> CHUNK_SHIFT;
    const found: number[] = [];
    for (let chunk = 1; chunk < this.#bytes.length; chunk++) {
      if (map[I_CHUNK_MAP + chunk] === 1 && chunk !== current && chunk !== last) found.push(chunk);
    }
    return found;
  }

  /** Gives the memory of a chunk back in which nothing is in use, and to which no list leads. */
  #dropChunk(chunk: number): void {
    assert(this.live[chunk] === 0, "a chunk in use stays");
    this.#map(chunk, 0);
    this.#leaveOut(chunk);
    this.tracker?.released(chunk, 1);
  }

  #leaveOut(chunk: number): void {
    this.#bytes[chunk] = NO_BYTES;
    this.#ints[chunk] = NO_INTS;
    this.#doubles[chunk] = NO_DOUBLES;
  }

  #addChunk(chunk: number, bytes: number): void {
    const memory = new SharedArrayBuffer(bytes);
    // A small store fits into the caches as it is, and is not to take 2 MiB for each page that it touches.
    if (chunk > 0) preferHugePages(memory);
    this.#view(chunk, memory, 0, bytes);
  }

  /** Views of `bytes` of the memory, under the numbers from `chunk` on: each reaches from its chunk to the end. */
  #view(chunk: number, memory: ArrayBufferLike, start: number, bytes: number): void {
    for (let part = 0; part << CHUNK_BITS < bytes; part++) {
      const from = part << CHUNK_BITS;
      const rest = bytes - from;
      this.#bytes[chunk + part] = Buffer.from(memory as ArrayBuffer, start + from, rest);
      this.#ints[chunk + part] = new Int32Array(memory, start + from, rest >> 2);
      this.#doubles[chunk + part] = new Float64Array(memory, start + from, rest >> 3);
    }
  }

  #map(chunk: number, value: number): void {
    if (this.tracker !== null) this.#touch(0, SUPERBLOCK_UNITS);
    const head = this.#ints[0];
    head[I_CHUNK_MAP + chunk] = value;
    if (chunk >= head[I_CHUNKS]) head[I_CHUNKS] = chunk + 1;
  }

  /** The first of `count` neighbouring chunk numbers that are not in use. */
  #freeChunkNumbers(count: number): number {
    const map = this.#ints[0];
    for (let first = 1, run = 0; first + run < MAX_CHUNKS; ) {
      if (map[I_CHUNK_MAP + first + run] !== 0) {
        first += run + 1;
        run = 0;
      } else if (++run === count) return first;
    }
    throw new OutOfMemory();
  }

  #allocateGiant(units: number): number {
    const size = giantUnits(units);
    const count = Math.ceil(size / CHUNK_UNITS);
    const chunk = this.#freeChunkNumbers(count);
    this.#addChunk(chunk, size * UNIT_BYTES);
    this.#map(chunk, count + 1);
    for (let part = 1; part < count; part++) this.#map(chunk + part, -1);
    this.#count(size);
    return (chunk << CHUNK_SHIFT) | 0;
  }

  #releaseGiant(address: number, units: number): void {
    const size = giantUnits(units);
    const chunk = address >>> CHUNK_SHIFT;
    if (this.#held !== null && this.#heldChunks[chunk] === this.#bytes[chunk]) {
      this.#held.push({ address, units, account: this.account });
      return;
    }
    const count = Math.ceil(size / CHUNK_UNITS);
    assert(
      this.#ints[0][I_CHUNK_MAP + chunk] === count + 1,
      "a giant is released with its own size",
    );
    for (let part = 0; part < count; part++) {
      this.#map(chunk + part, 0);
      this.#leaveOut(chunk + part);
    }
    this.tracker?.released(chunk, count);
    this.#count(-size);
  }
}

/** The words of an image's superblock, if these bytes begin with one that this version wrote. */
export function requireSuperblock(image: Uint8Array | undefined): Int32Array {
  if (image === undefined || image.length < SUPERBLOCK_BYTES) {
    throw new KvdbError("DAMAGE", "the image of an arena is shorter than its superblock");
  }
  const head = new Int32Array(image.buffer, image.byteOffset, SUPERBLOCK_BYTES / 4);
  if (head[I_MAGIC] !== MAGIC) throw new KvdbError("DAMAGE", "this is no image of an arena");
  if (head[I_LAYOUT] !== LAYOUT_VERSION) {
    const versions = `${head[I_LAYOUT]}, not ${LAYOUT_VERSION}`;
    throw new KvdbError("DAMAGE", `the image has the layout version ${versions}`);
  }
  return head;
}

/** The tracker of an image. */
const READ_ONLY: PageTracker = {
  touch: () => assert(false, "an image is not written to"),
  released: () => assert(false, "nothing of an image is released"),
  reset: () => assert(false, "an image is not reset"),
};

/** What stands for a chunk number that is not in use: any access reads undefined at once instead of old data. */
const NO_BYTES = Buffer.alloc(0);
const NO_INTS = new Int32Array(0);
const NO_DOUBLES = new Float64Array(0);

/** Copies `count` bytes between buffers that do not overlap; below 28 bytes a loop beats the call. */
export function copyBytes(
  from: ReadonlyBytes,
  fromAt: number,
  to: Uint8Array,
  toAt: number,
  count: number,
): void {
  if (count > 28) {
    from.copy(to, toAt, fromAt, fromAt + count);
    return;
  }
  for (let i = 0; i < count; i++) to[toAt + i] = from[fromAt + i];
}

export function sameBytes(
  a: ReadonlyBytes,
  aAt: number,
  b: ReadonlyBytes,
  bAt: number,
  count: number,
): boolean {
  for (let i = 0; i < count; i++) if (a[aAt + i] !== b[bAt + i]) return false;
  return true;
}
