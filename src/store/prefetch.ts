/**
 * Loads what several look-ups will need, ahead of them. A command on a key that is in no cache waits two times for memory,
 * for the slot and then for the entry, and such a wait costs as much as the rest of the command. The commands of a pipeline
 * are known before the first of them runs, so their waits are made to overlap: first all hashes, then one tight loop over
 * the slots, then one over the entries, each short enough that the processor has many loads under way.
 *
 * It is a hint: it changes nothing, and a key that moves before its command runs is merely not in the cache.
 */
import { type Arena, CHUNK_SHIFT, type ReadonlyBytes, UNIT_MASK } from "./arena.ts";
import type { Dictionary } from "./dictionary.ts";
import { hashBytes } from "./hash.ts";

/** Keys that are loaded together: as many loads as a core keeps under way, more or less. */
export const PREFETCH_KEYS = 16;

/**
 * The hash of bytes[start, end), worked out ahead: `find` of just these bytes takes it. Right as long as what is behind
 * `bytes` does not change, which an input buffer does not while commands in it wait.
 */
export class KeyHint {
  bytes: ReadonlyBytes | null = null;
  start = -1;
  end = -1;
  hash = 0;
  /** A number for neighbours in a pipeline that have this same key, never given again; 0: it has none. */
  group = 0;
}

/** Words into an entry where its key goes on, and where a short value ends. */
const KEY_WORD = 8;
const VALUE_WORD = 15;

export class Prefetch {
  readonly #ints: Arena["ints"];
  readonly #entries: Dictionary;
  readonly #key0: number;
  readonly #key1: number;
  readonly #hashes = new Int32Array(PREFETCH_KEYS);
  readonly #addresses = new Int32Array(PREFETCH_KEYS);
  #count = 0;
  #groups = 0;
  /** The key that was noted last, since the last call of `load`. */
  #last: KeyHint | null = null;
  /** What was read, for nobody: kept, so that the reading is not optimized away. */
  sink = 0;

  constructor(arena: Arena, entries: Dictionary, hashKey: readonly [number, number]) {
    this.#ints = arena.ints;
    this.#entries = entries;
    this.#key0 = hashKey[0];
    this.#key1 = hashKey[1];
  }

  /** Notes a key, of at most PREFETCH_KEYS before `load`, and its hash in `hint`. */
  add(bytes: ReadonlyBytes, start: number, end: number, hint: KeyHint): void {
    const last = this.#last;
    hint.bytes = bytes;
    hint.start = start;
    hint.end = end;
    // A pipeline often stays with one key: comparing takes a third of hashing.
    if (last !== null && isSameKey(last, bytes, start, end)) {
      if (last.group === 0) last.group = ++this.#groups;
      hint.group = last.group;
      hint.hash = last.hash;
      return;
    }
    const hash = hashBytes(this.#key0, this.#key1, bytes, start, end);
    hint.hash = hash;
    hint.group = 0;
    this.#hashes[this.#count++] = hash;
    this.#last = hint;
  }

  /** Loads the slots, then the entries, of the keys noted since the last call. */
  load(root: number): void {
    const count = this.#count;
    this.#count = 0;
    this.#last = null;
    const addresses = this.#addresses;
    const ints = this.#ints;
    this.#entries.slotsOf(root, this.#hashes, count, addresses);
    let sink = 0;
    for (let i = 0; i < count; i++) {
      const slot = addresses[i];
      sink ^= ints[slot >>> CHUNK_SHIFT][(slot & UNIT_MASK) << 1];
    }
    // Which entry it is stands in the slots just loaded: a third of the keys are not in their home slot.
    for (let i = 0; i < count; i++)
      addresses[i] = this.#entries.probe(addresses[i], this.#hashes[i]);
    for (let i = 0; i < count; i++) {
      const entry = addresses[i];
      const words = ints[entry >>> CHUNK_SHIFT];
      const at = (entry & UNIT_MASK) << 1;
      // Never behind the end of the chunk, whatever its length: one such load makes all of them slow.
      const mask = words.length - 1;
      sink ^= words[at] ^ words[(at + KEY_WORD) & mask];
      sink ^= words[(at + VALUE_WORD) & mask];
    }
    this.sink = sink;
  }
}

function isSameKey(last: KeyHint, bytes: ReadonlyBytes, start: number, end: number): boolean {
  if (last.bytes !== bytes || last.end - last.start !== end - start) return false;
  // Keys that are alike mostly differ at their end.
  let at = last.end;
  for (let i = end; i > start; ) if (bytes[--i] !== bytes[--at]) return false;
  return true;
}
