/** Entries as the text of a file: JSON Lines, or one array of JSON. With `isBare` the values alone. */
import type { TransferEntry } from "./entry.ts";
import { itemText } from "./json-item.ts";
import { type FieldTree, isObjectAt, pickFields } from "./json-members.ts";
import { valueText } from "./value-form.ts";

export interface EntryWriter {
  begin(): string | Buffer;
  add(entry: TransferEntry): string | Buffer;
  finish(): string | Buffer;
}

/** For a file that has all databases, and what else belongs to them. */
export interface WholeWriter extends EntryWriter {
  /** The entries that follow are of this database. */
  database(index: number): Buffer;
  /** The definition of an index of it, as it is kept. */
  index(name: string, definition: string): Buffer;
}

export function isWholeWriter(writer: EntryWriter): writer is WholeWriter {
  return "database" in writer;
}

export interface JsonWriting {
  readonly isArray: boolean;
  readonly isBare: boolean;
  /** Of documents; undefined: all. */
  readonly fields: FieldTree | undefined;
}

export class JsonWriter implements EntryWriter {
  readonly #options: JsonWriting;
  #isFirst = true;

  constructor(options: JsonWriting) {
    this.#options = options;
  }

  begin(): string {
    return this.#options.isArray ? "[" : "";
  }

  add(entry: TransferEntry): Buffer {
    const { isArray, isBare } = this.#options;
    const picked = this.#picked(entry);
    const text = isBare ? valueText(picked, true) : itemText(picked);
    const front = isArray ? (this.#isFirst ? "\n" : ",\n") : "";
    this.#isFirst = false;
    return Buffer.concat([Buffer.from(front), text, Buffer.from(isArray ? "" : "\n")]);
  }

  finish(): string {
    if (!this.#options.isArray) return "";
    return this.#isFirst ? "]\n" : "\n]\n";
  }

  #picked(entry: TransferEntry): TransferEntry {
    const { fields } = this.#options;
    const { kind, value } = entry;
    if (fields === undefined || kind !== "json" || !isObjectAt(value, 0)) return entry;
    const text = pickFields(value, { start: 0, end: value.length }, fields);
    return { ...entry, value: Buffer.from(text) };
  }
}
