/**
 * The notes of an RDB (rdb-file.ts): those that say something of what follows are heeded, of the others the first ones are kept.
 */
import type { EntryParts } from "./entry-parts.ts";
import { RdbDamage } from "./rdb-damage.ts";
import {
  AUX_ENTRY,
  AUX_FIELDS,
  AUX_INDEX,
  AUX_REVISION,
  AUX_VERSION,
  ENTRY_DOCUMENT,
  MAX_REVISION,
} from "./rdb-file.ts";
import type { RdbInput } from "./rdb-input.ts";

/** Redis writes about ten; those of others are kept as far as nobody fills the memory with them. */
const MOST_FIELDS = 64;
const MOST_BYTES = 4096;
const SPACE = 0x20;

export class AuxFields {
  readonly fields = new Map<string, string>();
  revision = 0;
  timeMs = 0;
  readonly #parts: EntryParts;

  constructor(parts: EntryParts) {
    this.#parts = parts;
  }

  /** Reads the note that comes next. */
  read(input: RdbInput): void {
    input.readString();
    const { from, to } = input;
    const name = input.text.toString("utf8", from, Math.min(to, from + MOST_BYTES));
    input.readString();
    if (name === AUX_ENTRY) this.#expectDocument(input);
    else if (name === AUX_INDEX) this.#readIndex(input);
    else if (name === AUX_FIELDS) throw new RdbDamage("deadlines of fields are behind no hash");
    else this.#keep(name, input);
  }

  #expectDocument({ text, from, to }: RdbInput): void {
    const kind = text.toString("latin1", from, Math.min(to, from + MOST_BYTES));
    if (kind !== ENTRY_DOCUMENT) throw new RdbDamage(`entries of kind "${kind}" are not known`);
    this.#parts.isDocument = true;
  }

  /** The definition goes on as an entry of its own; what was said of the next key is kept for it. */
  #readIndex({ text, from, to }: RdbInput): void {
    const space = text.indexOf(SPACE, from);
    if (space < 0 || space >= to) throw new RdbDamage("an index has no definition");
    this.#parts.definition(text, from, space, to);
  }

  #keep(name: string, { text, from, to }: RdbInput): void {
    const value = text.toString("utf8", from, Math.min(to, from + MOST_BYTES));
    if (name === AUX_VERSION) this.#parts.holdsHashes = true;
    if (name === AUX_REVISION) this.#setRevision(value);
    if (name === "ctime" && /^\d{1,12}$/.test(value)) this.timeMs = 1000 * Number(value);
    if (this.fields.size < MOST_FIELDS) this.fields.set(name, value);
  }

  #setRevision(text: string): void {
    const revision = Number(text);
    if (!/^\d{1,15}$/.test(text) || revision > MAX_REVISION) {
      throw new RdbDamage(`"${text}" is no revision`);
    }
    this.revision = revision;
    this.#parts.entry.version = revision;
  }
}
