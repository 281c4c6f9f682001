/**
 * The entries of one database on their way into the file: each a line, between them commas. The
 * lines of a database that people may read and compare are sorted by name, so that what has not
 * changed stays where it was; those of a large one leave in the order they come, since sorting them
 * would need as much memory as they have text.
 */
import type { StoredEntry } from "kvdb";
import { ElementsText } from "./elements-text.ts";
import {
  type Dress,
  EntryLine,
  expiryBack,
  NAME_START,
  put,
  type SourceBytes,
  VALUE_FRONT,
} from "./entry-text.ts";
import type { TextOutput } from "./text-output.ts";

/** Sorted up to so many bytes of text: some 200 000 small entries, and a third of a second. */
const SORTED_BYTES = 16 << 20;
const FIRST_COLLECTED_BYTES = 1 << 16;

/** Bytes of a large key or value written at a time; a multiple of 3, for base64. */
const PIECE_BYTES = 3 << 15;

const SEPARATOR = Buffer.from(",\n");

/** Where a line is among those collected. */
interface LineRange {
  readonly start: number;
  readonly nameEnd: number;
  readonly end: number;
}

export class DatabaseLines {
  readonly #output: TextOutput;
  readonly #line: EntryLine;
  readonly #sortedBytes: number;
  /** Lines to be sorted, one behind the other; undefined: too many. */
  #collected: Buffer | undefined = Buffer.allocUnsafeSlow(FIRST_COLLECTED_BYTES);
  #collectedBytes = 0;
  readonly #ranges: LineRange[] = [];
  #isFirst = true;
  readonly #entry: StoredEntry;
  readonly #elements = new ElementsText();
  /** The line in hand goes on in the next entry. */
  #isContinued = false;
  /** Where it begins among those collected, and its name ends. */
  #lineStart = 0;
  #nameEnd = 0;

  /** `entry` is where each entry is put in its turn. */
  constructor(output: TextOutput, entry: StoredEntry, sortedBytes = SORTED_BYTES) {
    this.#output = output;
    this.#entry = entry;
    this.#line = new EntryLine(entry);
    this.#sortedBytes = sortedBytes;
  }

  /** Adds what is in the entry now. A promise when it could not be done at once. */
  add(): Promise<void> | undefined {
    const { type } = this.#entry;
    const isWhole = type === "string" || type === "json" || type === "index";
    if (!isWhole) return this.#addElements();
    const line = this.#line;
    line.read();
    if (this.#collected === undefined) return this.#addUnsorted();
    const target = this.#collectedWithRoom(line.mostBytes);
    if (target === undefined) return this.#addBehindSorted();
    const start = this.#collectedBytes;
    const end = line.put(target, start);
    this.#ranges.push({ start, nameEnd: line.nameEnd, end });
    this.#collectedBytes = end;
    return undefined;
  }

  /** No more entries. */
  async end(): Promise<void> {
    await this.#writeSorted();
  }

  #addUnsorted(): Promise<void> | undefined {
    const output = this.#output;
    if (output.room < this.#line.mostBytes + SEPARATOR.length) return this.#addWithoutRoom();
    this.#separate();
    output.length = this.#line.put(output.bytes, output.length);
    return undefined;
  }

  async #addWithoutRoom(): Promise<void> {
    const output = this.#output;
    await output.flush();
    if (output.room >= this.#line.mostBytes + SEPARATOR.length) await this.#addUnsorted();
    else {
      this.#separate();
      await this.#addLarge();
    }
  }

  #separate(): void {
    if (!this.#isFirst) {
      const output = this.#output;
      output.length += SEPARATOR.copy(output.bytes, output.length);
    }
    this.#isFirst = false;
  }

  // ---- values with elements, whose line may come in parts ----

  #addElements(): Promise<void> | undefined {
    const elements = this.#elements;
    const isFirst = !this.#isContinued;
    this.#isContinued = this.#entry.isContinued;
    elements.write(this.#entry, isFirst);
    const target = this.#collected && this.#collectedWithRoom(elements.length);
    if (target === undefined) return this.#addPart(isFirst);
    if (isFirst) {
      this.#lineStart = this.#collectedBytes;
      this.#nameEnd = this.#lineStart + elements.nameEnd;
    }
    this.#collectedBytes += elements.bytes.copy(target, this.#collectedBytes, 0, elements.length);
    if (this.#isContinued) return undefined;
    this.#ranges.push({
      start: this.#lineStart,
      nameEnd: this.#nameEnd,
      end: this.#collectedBytes,
    });
    return undefined;
  }

  /** Too many lines to sort: what is collected of this one goes behind the others. */
  async #addPart(isFirst: boolean): Promise<void> {
    const output = this.#output;
    const collected = this.#collected;
    await this.#writeSorted();
    if (isFirst || collected !== undefined) {
      if (output.room < SEPARATOR.length) await output.flush();
      this.#separate();
    }
    if (!isFirst && collected !== undefined) {
      await output.append(collected, this.#lineStart, this.#collectedBytes);
    }
    await output.append(this.#elements.bytes, 0, this.#elements.length);
  }

  // ---- a line longer than the buffer ----

  async #addLarge(): Promise<void> {
    const output = this.#output;
    const { entry, key, value } = this.#line;
    const { keyBytes, keyStart, keyEnd, valueBytes, valueStart, valueEnd, deadlineMs } = entry;
    await this.#addDressed(key, keyBytes, keyStart, keyEnd);
    if (deadlineMs !== 0) await output.append(VALUE_FRONT, 0, VALUE_FRONT.length);
    await this.#addDressed(value, valueBytes, valueStart, valueEnd);
    if (deadlineMs === 0) return;
    const back = Buffer.from(expiryBack(deadlineMs));
    await output.append(back, 0, back.length);
  }

  async #addDressed(
    { encoding, front, back }: Dress,
    bytes: SourceBytes,
    start: number,
    end: number,
  ): Promise<void> {
    const output = this.#output;
    await output.append(front, 0, front.length);
    for (let at = start; at < end; at += PIECE_BYTES) {
      const stop = Math.min(at + PIECE_BYTES, end);
      if (output.room < PIECE_BYTES * 6) await output.flush();
      output.length = put(encoding, bytes, at, stop, output.bytes, output.length);
    }
    await output.append(back, 0, back.length);
  }

  // ---- sorting ----

  /** The buffer with room for a line of so many bytes; undefined: there would be too many. */
  #collectedWithRoom(most: number): Buffer | undefined {
    const collected = this.#collected as Buffer;
    const needed = this.#collectedBytes + most;
    if (needed <= collected.length) return collected;
    if (needed > this.#sortedBytes) return undefined;
    const larger = Buffer.allocUnsafeSlow(
      Math.min(this.#sortedBytes, Math.max(needed, collected.length * 2)),
    );
    collected.copy(larger, 0, 0, this.#collectedBytes);
    this.#collected = larger;
    return larger;
  }

  async #addBehindSorted(): Promise<void> {
    await this.#writeSorted();
    await this.#addUnsorted();
  }

  async #writeSorted(): Promise<void> {
    const lines = this.#collected;
    if (lines === undefined) return;
    this.#collected = undefined;
    for (const { start, end } of sortByName(lines, this.#ranges)) {
      if (this.#output.room < SEPARATOR.length) await this.#output.flush();
      this.#separate();
      if (this.#output.room >= end - start) {
        this.#output.length += lines.copy(this.#output.bytes, this.#output.length, start, end);
      } else await this.#output.append(lines, start, end);
    }
  }
}

function sortByName(lines: Buffer, ranges: LineRange[]): readonly LineRange[] {
  return ranges.sort((a, b) =>
    lines.compare(lines, b.start + NAME_START, b.nameEnd, a.start + NAME_START, a.nameEnd),
  );
}
