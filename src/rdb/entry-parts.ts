/**
 * Makes of a value that is read from a file the entries of a checkpoint (plugin.ts, StoredEntry): long ones in parts of some
 * 64 KiB, so that none is held whole; but a stream is, whose head is known last, and a hash of which it is not known yet
 * whether its fields have deadlines. Whether the elements are right together whoever takes the entries knows.
 *
 * Invariant: as long as a value goes on, the last element stays behind, since the last part must say that it is the last.
 */
import type { StoredEntry } from "../plugin.ts";
import { ENTRY_TYPES, HASH, STREAM } from "../store/entry.ts";
import { afterString, stringSpan, writeString } from "../store/packed-run.ts";
import { newStoredEntry } from "../store/stored-entry.ts";
import { RdbDamage } from "./rdb-damage.ts";
import type { Span } from "./rdb-input.ts";
import { RunWriter } from "./run-writer.ts";
import type { ValueVisitor } from "./value-visitor.ts";

const PART_BYTES = 1 << 16;
/** A run that has grown beyond is given back with its value. */
const LARGEST_KEPT_BYTES = 1 << 22;

export class EntryParts extends RunWriter implements ValueVisitor {
  /** Key, database, deadline and version of the next value are put in here. */
  readonly entry = newStoredEntry();
  /** Hashes are held until `end`, or until their deadlines come. */
  holdsHashes = false;
  /** The string that comes next is the text of a document. */
  isDocument = false;
  /** Nobody was told of the value yet. */
  isHeld = false;
  /** Elements of the value. */
  count = 0;
  readonly #give: (entry: Readonly<StoredEntry>) => void;
  /** Where the element in hand begins. */
  #elementAt = 0;
  /** Of a value that is held: where its parts end, but for the last. */
  #partEnds: number[] = [];
  /** Where the part in hand begins. */
  #partAt = 0;

  constructor(give: (entry: Readonly<StoredEntry>) => void) {
    super(2 * PART_BYTES);
    this.#give = give;
  }

  text(bytes: Buffer, start: number, end: number): void {
    const { entry } = this;
    entry.type = this.isDocument ? "json" : "string";
    entry.isTimed = false;
    this.isHeld = false;
    this.count = 1;
    this.#show(bytes, start, end, false);
  }

  begin(type: number, isTimed: boolean): void {
    this.entry.type = ENTRY_TYPES[type];
    this.entry.isTimed = isTimed;
    this.isHeld = type === STREAM || (type === HASH && !isTimed && this.holdsHashes);
    this.count = 0;
    this.#clear();
    if (this.run.length > LARGEST_KEPT_BYTES) this.run = Buffer.allocUnsafeSlow(2 * PART_BYTES);
  }

  #clear(): void {
    this.size = 0;
    this.#elementAt = 0;
    this.#partAt = 0;
    if (this.#partEnds.length > 0) this.#partEnds = [];
  }

  endElement(): void {
    this.count++;
    const at = this.#elementAt;
    if (at - this.#partAt >= PART_BYTES) this.#endPart(at);
    this.#elementAt = this.size;
  }

  #endPart(end: number): void {
    if (this.isHeld) {
      this.#partEnds.push(end);
      this.#partAt = end;
      return;
    }
    this.#show(this.run, 0, end, true);
    this.run.copyWithin(0, end, this.size);
    this.size -= end;
  }

  streamHead({ bytes, start, end }: Span): void {
    const span = stringSpan(end - start);
    const last = this.#partAt;
    if (last === 0) {
      this.reserve(span);
      this.run.copyWithin(span, 0, this.size);
      writeString(this.run, 0, bytes, start, end);
      this.size += span;
    } else {
      const head = Buffer.allocUnsafe(span);
      writeString(head, 0, bytes, start, end);
      this.#show(head, 0, span, true);
      this.#showEnded();
      this.run.copyWithin(0, last, this.size);
      this.size -= last;
      this.#partAt = 0;
    }
    this.#elementAt = this.size;
    this.isHeld = false;
    this.count++;
  }

  /** Shows the parts of what is held, but for the last. */
  #showEnded(): void {
    if (this.#partEnds.length === 0) return;
    let at = 0;
    for (const end of this.#partEnds) {
      this.#show(this.run, at, end, true);
      at = end;
    }
    this.#partEnds = [];
  }

  /** Nothing follows. False: the value has no elements, and nobody was told of it. */
  end(): boolean {
    if (this.count === 0) return false;
    if (this.entry.type === "string" || this.entry.type === "json") return true;
    this.#showEnded();
    this.#show(this.run, this.#partAt, this.size, false);
    return true;
  }

  /** An index's definition: its name is bytes[start, space), its text what follows. */
  definition(bytes: Buffer, start: number, space: number, end: number): void {
    const { database } = this.entry;
    const spans = { keyStart: start, keyEnd: space, valueStart: space + 1, valueEnd: end };
    const fixed = { deadlineMs: 0, version: 0, isTimed: false, isContinued: false };
    this.#give({ type: "index", database, keyBytes: bytes, valueBytes: bytes, ...spans, ...fixed });
  }

  #show(bytes: Buffer, start: number, end: number, isContinued: boolean): void {
    const { entry } = this;
    entry.valueBytes = bytes;
    entry.valueStart = start;
    entry.valueEnd = end;
    entry.isContinued = isContinued;
    this.#give(entry);
  }

  // ---- deadlines of fields ----

  /** The deadlines of a hash that is held follow, in one or several notes; afterwards it is `end`ed as ever. */
  beginDeadlines(): FieldDeadlines {
    const held = { run: this.run, size: this.size, count: this.count };
    this.run = Buffer.allocUnsafeSlow(2 * PART_BYTES);
    this.begin(HASH, true);
    return new FieldDeadlines(this, held);
  }
}

interface HeldHash {
  readonly run: Buffer;
  readonly size: number;
  readonly count: number;
}

/** Goes through the fields of a hash again, and tells of each with its deadline. */
export class FieldDeadlines {
  readonly #parts: EntryParts;
  readonly #held: HeldHash;
  #at = 0;

  constructor(parts: EntryParts, held: HeldHash) {
    this.#parts = parts;
    this.#held = held;
  }

  /** As rdb-file.ts draws AUX_FIELDS. */
  read(bytes: Buffer, start: number, end: number): void {
    for (let at = start; at < end; ) {
      let gap = 0;
      let byte = 128;
      for (let factor = 1; byte >= 128; factor *= 128) {
        byte = at < end ? bytes[at++] : 0;
        gap += (byte & 127) * factor;
      }
      if (at + 8 > end) throw new RdbDamage("a field's deadline is cut off");
      const deadlineMs = Number(bytes.readBigInt64LE(at));
      at += 8;
      if (!Number.isSafeInteger(deadlineMs) || deadlineMs <= 0) {
        throw new RdbDamage("a field's deadline is no moment");
      }
      if (gap >= this.#held.count - this.#parts.count) {
        throw new RdbDamage("there are more deadlines than fields");
      }
      for (; gap > 0; gap--) this.#field(0);
      this.#field(deadlineMs);
    }
  }

  /** No deadline follows. */
  end(): void {
    while (this.#at < this.#held.size) this.#field(0);
  }

  #field(deadlineMs: number): void {
    const { run } = this.#held;
    const end = afterString(run, afterString(run, this.#at));
    this.#parts.copy(run, this.#at, end);
    this.#parts.number(deadlineMs);
    this.#parts.endElement();
    this.#at = end;
  }
}
