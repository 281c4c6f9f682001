/**
 * What a backup is compared by: how many keys each database has, the indexes that are defined, and one digest for all of
 * it. It is taken of the entries while they are written, and again of an engine that has loaded them, however those lie
 * there: the order of entries does not matter, nor that of members and fields, nor how a long value is parted.
 *
 *   digest   XOR over all entries of SHA-256(
 *              u32 database, u8 type, u32 length of the key, the key,
 *              f64 deadline in milliseconds since 1970, 0: none,
 *              f64 length of the value, then the value: up to 1 KiB as it is, longer ones as their SHA-256;
 *              or f64 -1, then the fingerprint of its elements )
 *
 * Types are numbered as entries store them, definitions of indexes behind those; numbers are little endian. No key is there
 * twice, so nothing cancels itself. Versions do not count: a backup does not keep them.
 */
import type { EntryReader, Revision, StoredEntry } from "../plugin.ts";
import { ENTRY_TYPES, isText } from "../store/entry.ts";
import { ValueFingerprint } from "./value-fingerprint.ts";

const DIGEST_BYTES = 32;
/** In front of the key. */
const HEAD_BYTES = 9;
/** Behind the key: deadline and length. */
const NUMBERS_BYTES = 16;
/** Copying a short value is faster than hashing it by itself; a long one need not be copied. */
const INLINE_BYTES = 1024;
const FIRST_CAPACITY = 4096;

export interface ContentSummary {
  /** By the number of the database; those without keys are left out. */
  readonly keys: Readonly<Record<string, number>>;
  /** Of the databases, in the order of the entries. */
  readonly indexes: readonly { readonly database: number; readonly name: string }[];
  /** Keys and definitions together. */
  readonly entries: number;
  /** 64 hexadecimal digits. */
  readonly digest: string;
}

export class ContentAccount {
  readonly #keys: number[] = [];
  readonly #indexes: { database: number; name: string }[] = [];
  readonly #sum = Buffer.alloc(DIGEST_BYTES);
  readonly #own = Buffer.alloc(DIGEST_BYTES);
  readonly #elements = new ValueFingerprint();
  #isContinued = false;
  #text = Buffer.alloc(FIRST_CAPACITY);

  /** Of a value in several entries each of them, one behind the other. */
  add(entry: Readonly<StoredEntry>): void {
    const type = typeNumber(entry);
    if (hasElements(type)) {
      if (!this.#isContinued) this.#elements.begin(type);
      const { isTimed, valueBytes, valueStart, valueEnd } = entry;
      this.#elements.add(isTimed, valueBytes, valueStart, valueEnd);
      this.#isContinued = entry.isContinued;
      if (entry.isContinued) return;
    }
    this.#count(entry);
    this.#mix(entry, type);
  }

  /** Keys and definitions so far. */
  get entries(): number {
    return this.#keys.reduce((sum, count) => sum + (count ?? 0), this.#indexes.length);
  }

  get summary(): ContentSummary {
    const keys = Object.fromEntries(
      this.#keys.map((count, database) => [String(database), count]).filter(([, count]) => count),
    ) as Record<string, number>;
    const { entries } = this;
    return { keys, indexes: this.#indexes, entries, digest: this.#sum.toString("hex") };
  }

  #count({ type, database, keyBytes, keyStart, keyEnd }: Readonly<StoredEntry>): void {
    if (type === "index") {
      this.#indexes.push({ database, name: keyBytes.toString("latin1", keyStart, keyEnd) });
    } else this.#keys[database] = (this.#keys[database] ?? 0) + 1;
  }

  #mix(entry: Readonly<StoredEntry>, type: number): void {
    const { database, keyBytes, keyStart, keyEnd, deadlineMs } = entry;
    const keySize = keyEnd - keyStart;
    const text = this.#room(HEAD_BYTES + keySize + NUMBERS_BYTES + INLINE_BYTES);
    text.writeUInt32LE(database, 0);
    text[4] = type;
    text.writeUInt32LE(keySize, 5);
    keyBytes.copy(text, HEAD_BYTES, keyStart, keyEnd);
    const numbersAt = text.writeDoubleLE(deadlineMs, HEAD_BYTES + keySize);
    const end = this.#writeValue(text, numbersAt, entry, type);
    Bun.SHA256.hash(text.subarray(0, end), this.#own);
    for (let i = 0; i < DIGEST_BYTES; i++) this.#sum[i] ^= this.#own[i];
  }

  /** Answers where it ends. */
  #writeValue(text: Buffer, at: number, entry: Readonly<StoredEntry>, type: number): number {
    const { valueBytes, valueStart, valueEnd } = entry;
    const size = hasElements(type) ? -1 : valueEnd - valueStart;
    const valueAt = text.writeDoubleLE(size, at);
    if (size < 0) return valueAt + text.write(this.#elements.take(), valueAt, "latin1");
    if (size <= INLINE_BYTES) return valueAt + valueBytes.copy(text, valueAt, valueStart, valueEnd);
    Bun.SHA256.hash((valueBytes as Buffer).subarray(valueStart, valueEnd), this.#own);
    return valueAt + this.#own.copy(text, valueAt);
  }

  #room(bytes: number): Buffer {
    if (this.#text.length < bytes) this.#text = Buffer.alloc(2 * bytes);
    return this.#text;
  }
}

/** All entries of a reader, for who only wants to know what they are. `proceed` is called now and then. */
export function accountOf(entries: EntryReader, proceed: () => void): ContentSummary {
  const account = new ContentAccount();
  for (let count = 1; entries.next(); count++) {
    account.add(entries.entry);
    if (count % ENTRIES_PER_PROCEED === 0) proceed();
  }
  return account.summary;
}

const ENTRIES_PER_PROCEED = 4096;

/** Entries that somebody else reads, taken into an account on the way. */
export class AccountedEntries implements EntryReader {
  readonly #entries: EntryReader;
  readonly account = new ContentAccount();
  readonly revision: Revision;
  readonly timeMs: number;
  readonly entryCount: number;
  readonly keyCount: number;
  readonly entry: StoredEntry;

  constructor(entries: EntryReader) {
    this.#entries = entries;
    this.revision = entries.revision;
    this.timeMs = entries.timeMs;
    this.entryCount = entries.entryCount;
    this.keyCount = entries.keyCount;
    this.entry = entries.entry;
  }

  get elementCount(): number {
    return this.#entries.elementCount;
  }

  next(): boolean {
    if (!this.#entries.next()) return false;
    this.account.add(this.entry);
    return true;
  }
}

function typeNumber({ type }: Readonly<StoredEntry>): number {
  return type === "index" ? ENTRY_TYPES.length : ENTRY_TYPES.indexOf(type);
}

function hasElements(type: number): boolean {
  return type < ENTRY_TYPES.length && !isText(type);
}
