/**
 * The definitions of a database's indexes: names, and for each a text that whoever makes indexes of it understands (compact
 * JSON, an object). They lie in the arena, so that an image has those of its cut, and an exchange of databases takes them
 * along; what an index contains is not here. They are no contents: a flush leaves them.
 *
 * One block per database, on its account, its address in the record's i11 (0: no definition):
 *
 *   i0      units of the block              i1   how many definitions
 *   then one definition behind the other, in the order of their names:
 *   u8      bytes of the name               u16  bytes of the text, little endian
 *   bytes   name, then text
 *
 *   Example: by_city {"use":"hash"}, 5 units
 *   05 00 00 00  01 00 00 00  07  0e 00  62 79 5f 63 69 74 79  7b 22 75 73 65 22 3a …
 *
 * There are few and they change seldom, so each change writes the block anew.
 */
import { assert } from "../assert.ts";
import { MAX_DEFINITION_BYTES } from "../limits.ts";
import { type Arena, CHUNK_SHIFT, type ReadonlyBytes, roundUnits, UNIT_MASK } from "./arena.ts";
import { D_ACCOUNT, I_DEFINITIONS, RECORD_UNITS } from "./database-record.ts";
import { JsonScanner } from "./json-text.ts";

const NAME = /^[A-Za-z0-9_.:-]{1,64}$/;
const HEADER_BYTES = 8;
/** Before the name. */
const FRONT_BYTES = 3;
const OPEN_OBJECT = 0x7b;

const NO_BYTES: ReadonlyBytes = Buffer.alloc(0);
const scanner = new JsonScanner();

/** What is wrong with it; empty: nothing, it can be kept. */
export function definitionProblem(name: string, text: string): string {
  if (!NAME.test(name)) {
    return "an index's name has 1 to 64 letters, digits or characters of _ . : -";
  }
  const bytes = Buffer.from(text);
  if (bytes.length > MAX_DEFINITION_BYTES) {
    return `its definition has ${bytes.length} bytes, of at most ${MAX_DEFINITION_BYTES}`;
  }
  if (!scanner.scan(bytes, 0, bytes.length)) {
    return `its definition is no JSON, ${scanner.problem} at byte ${scanner.problemAt}`;
  }
  if (scanner.kind !== OPEN_OBJECT) return "its definition is no JSON object";
  return scanner.compactSize === bytes.length ? "" : "its definition is not compact";
}

/** Goes through the definitions of one database, in the order of their names, until the arena changes. */
export class DefinitionCursor {
  readonly #arena: Arena;
  /** After `next`: the name is bytes[nameStart, nameEnd), and the text goes on from there to textEnd. */
  bytes = NO_BYTES;
  nameStart = 0;
  nameEnd = 0;
  textEnd = 0;
  #left = 0;

  constructor(arena: Arena) {
    this.#arena = arena;
  }

  /** Stands before the first definition of the database with this record; answers how many there are. */
  begin(record: number): number {
    const { ints, bytes } = this.#arena;
    const block = blockOf(this.#arena, record);
    this.#left = block === 0 ? 0 : ints[block >>> CHUNK_SHIFT][((block & UNIT_MASK) << 1) + 1];
    this.bytes = bytes[block >>> CHUNK_SHIFT];
    this.textEnd = ((block & UNIT_MASK) << 3) + HEADER_BYTES;
    return this.#left;
  }

  next(): boolean {
    if (this.#left === 0) return false;
    this.#left--;
    const { bytes } = this;
    const at = this.textEnd;
    this.nameStart = at + FRONT_BYTES;
    this.nameEnd = this.nameStart + bytes[at];
    this.textEnd = this.nameEnd + (bytes[at + 1] | (bytes[at + 2] << 8));
    return true;
  }
}

export class IndexDefinitions {
  readonly #arena: Arena;
  readonly #cursor: DefinitionCursor;

  constructor(arena: Arena) {
    this.#arena = arena;
    this.#cursor = new DefinitionCursor(arena);
  }

  /** Texts by name, in the order of the names: a copy. */
  of(record: number): Map<string, string> {
    const definitions = new Map<string, string>();
    const cursor = this.#cursor;
    cursor.begin(record);
    while (cursor.next()) {
      const { bytes, nameStart, nameEnd, textEnd } = cursor;
      const name = bytes.toString("latin1", nameStart, nameEnd);
      definitions.set(name, bytes.toString("utf8", nameEnd, textEnd));
    }
    return definitions;
  }

  set(record: number, name: string, text: string): void {
    assert(definitionProblem(name, text) === "", "a definition is checked before it is kept");
    this.write(record, this.of(record).set(name, text));
  }

  /** False: there was none. */
  delete(record: number, name: string): boolean {
    const definitions = this.of(record);
    if (!definitions.delete(name)) return false;
    this.write(record, definitions);
    return true;
  }

  /** These, and no others. */
  write(record: number, definitions: ReadonlyMap<string, string>): void {
    const arena = this.#arena;
    const old = blockOf(arena, record);
    arena.account = record + D_ACCOUNT;
    const block = definitions.size === 0 ? 0 : this.#writeBlock(encode(definitions));
    if (old !== 0) arena.release(old, unitsOfBlock(arena, old));
    arena.editInts(record, RECORD_UNITS)[(record << 1) + I_DEFINITIONS] = block;
  }

  #writeBlock({ count, content }: EncodedDefinitions): number {
    const arena = this.#arena;
    const units = Math.ceil((HEADER_BYTES + content.length) / 8);
    const block = arena.allocate(units);
    const ints = arena.editInts(block, units);
    const at = block & UNIT_MASK;
    ints[at << 1] = units;
    ints[(at << 1) + 1] = count;
    content.copy(arena.edit(block, units), (at << 3) + HEADER_BYTES);
    return block;
  }

  /** Takes the block off the record and its account, so that it outlives what becomes of them. For `attach`. */
  detach(record: number): number {
    const block = blockOf(this.#arena, record);
    this.#give(record, 0, -this.#takenBy(block));
    return block;
  }

  attach(record: number, block: number): void {
    this.#give(record, block, this.#takenBy(block));
  }

  #give(record: number, block: number, units: number): void {
    this.#arena.editInts(record, RECORD_UNITS)[(record << 1) + I_DEFINITIONS] = block;
    this.#arena.editDoubles(record, RECORD_UNITS)[record + D_ACCOUNT] += units;
  }

  #takenBy(block: number): number {
    return block === 0 ? 0 : roundUnits(unitsOfBlock(this.#arena, block));
  }
}

interface EncodedDefinitions {
  readonly count: number;
  readonly content: Buffer;
}

function encode(definitions: ReadonlyMap<string, string>): EncodedDefinitions {
  const names = [...definitions.keys()].sort();
  const parts = names.flatMap((name) => {
    const text = Buffer.from(definitions.get(name) as string);
    const front = Buffer.from([name.length, text.length & 255, text.length >>> 8]);
    return [front, Buffer.from(name, "latin1"), text];
  });
  return { count: names.length, content: Buffer.concat(parts) };
}

/** The record is in chunk 0. */
function blockOf(arena: Arena, record: number): number {
  return arena.ints[0][(record << 1) + I_DEFINITIONS];
}

function unitsOfBlock(arena: Arena, block: number): number {
  return arena.ints[block >>> CHUNK_SHIFT][(block & UNIT_MASK) << 1];
}
