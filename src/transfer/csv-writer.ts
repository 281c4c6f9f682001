/**
 * Documents as the records of a CSV (RFC 4180): a header, then a document a line, its key in front. Columns are those that are
 * named, else the fields of the first documents, those within objects by their paths. A cell has the text of a string, or the
 * JSON text of anything else; nothing where the document has no such field. What a CSV cannot say is counted: keys that have no
 * object, and documents with fields that no column has.
 */
import { stringify } from "csv-stringify/sync";
import { columnText, KEY_COLUMN } from "./csv-columns.ts";
import { ItemProblem, type TransferEntry } from "./entry.ts";
import { isObjectAt, membersOf, textAt, type ValueSpan } from "./json-members.ts";
import { decodeUtf8 } from "./utf8-text.ts";

/** Documents whose fields become columns where none are named, and bytes of them. */
const SAMPLED_DOCUMENTS = 1000;
const SAMPLED_BYTES = 8 << 20;

/** Records whose text is made at a time. */
const BATCH_ROWS = 256;

const QUOTE = 0x22;

export interface CsvOptions {
  /** Undefined: the fields of the first documents. */
  readonly columns: readonly (readonly string[])[] | undefined;
  /** No column for the key. */
  readonly isBare: boolean;
}

export class CsvWriter {
  /** Keys that were left out, because their value is no object. */
  leftOut = 0;
  /** Documents with fields that no column has; one of these fields. */
  partly = 0;
  partlyField = "";
  readonly #isBare: boolean;
  readonly #isNamed: boolean;
  #columns: Columns | undefined;
  #waiting: TransferEntry[] = [];
  /** Records whose text is not made yet: many at a time are made much faster. */
  readonly #rows: string[][] = [];
  #waitingBytes = 0;

  constructor({ columns, isBare }: CsvOptions) {
    this.#isBare = isBare;
    this.#isNamed = columns !== undefined;
    this.#columns = columns && columnsOf(columns);
  }

  /** What is to be written before anything else. */
  begin(): string {
    return this.#columns === undefined ? "" : this.#header(this.#columns);
  }

  add(entry: TransferEntry): string {
    if (entry.kind !== "json" || !isObjectAt(entry.value, 0)) {
      this.leftOut++;
      return "";
    }
    if (this.#columns !== undefined) {
      this.#take(entry, this.#columns);
      return this.#rows.length < BATCH_ROWS ? "" : this.#takeText();
    }
    this.#waiting.push(entry);
    this.#waitingBytes += entry.value.length;
    const isEnough =
      this.#waiting.length === SAMPLED_DOCUMENTS || this.#waitingBytes >= SAMPLED_BYTES;
    return isEnough ? this.#settleColumns() : "";
  }

  finish(): string {
    const begun = this.#columns === undefined ? this.#settleColumns() : "";
    return begun + this.#takeText();
  }

  #settleColumns(): string {
    const paths = new Map<string, readonly string[]>();
    for (const { value } of this.#waiting) {
      eachLeaf(value, (names) => paths.set(columnText(names), names));
    }
    const settled = columnsOf([...paths.values()]);
    this.#columns = settled;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const entry of waiting) this.#take(entry, settled);
    return this.#header(settled) + this.#takeText();
  }

  #header({ paths }: Columns): string {
    return linesOf([[...(this.#isBare ? [] : [KEY_COLUMN]), ...paths.map(columnText)]]);
  }

  #take({ key, value }: TransferEntry, columns: Columns): void {
    const cells: string[] = columns.paths.map(() => "");
    const other = fillCells(value, cells, columns);
    if (other !== undefined && !this.#isNamed) {
      this.partly++;
      this.partlyField ||= columnText(other);
    }
    this.#rows.push(this.#isBare ? cells : [keyText(key), ...cells]);
  }

  #takeText(): string {
    return linesOf(this.#rows.splice(0));
  }
}

/** A line of one empty cell would be an empty line, which is none. */
function linesOf(rows: string[][]): string {
  const width = rows[0]?.length ?? 0;
  if (width === 0) return "\n".repeat(rows.length);
  return stringify(rows, { quoted_match: /[\r\n]/, quoted_empty: width === 1 });
}

function keyText(key: Buffer): string {
  const text = decodeUtf8(key);
  if (text !== undefined) return text;
  throw new ItemProblem("a key is no UTF-8, which a CSV cannot say: --format jsonl can");
}

function cellText(bytes: Buffer, value: ValueSpan): string {
  const text = textAt(bytes, value);
  return bytes[value.start] === QUOTE ? (JSON.parse(text) as string) : text;
}

/** The paths, and by names what each is: a column, or fields below, or both. */
interface Columns {
  readonly paths: readonly (readonly string[])[];
  readonly root: Branch;
}

interface Column {
  column?: number;
  readonly below: Branch;
}

type Branch = Map<string, Column>;

function columnsOf(paths: readonly (readonly string[])[]): Columns {
  const root: Branch = new Map();
  for (const [column, names] of paths.entries()) {
    let branch = root;
    for (const [index, name] of names.entries()) {
      const node: Column = branch.get(name) ?? { below: new Map() };
      branch.set(name, node);
      if (index === names.length - 1) node.column ??= column;
      branch = node.below;
    }
  }
  return { paths, root };
}

/** Puts the fields of the document in one walk; answers the path of one that has no column. */
function fillCells(
  bytes: Buffer,
  cells: string[],
  { root }: Columns,
): readonly string[] | undefined {
  let other: readonly string[] | undefined;
  const visit = (start: number, end: number, branch: Branch, above: readonly string[]) => {
    for (const member of membersOf(bytes, start, end)) {
      const node = branch.get(member.name);
      const isBranch = node !== undefined && node.below.size > 0 && hasMembers(bytes, member);
      if (isBranch) visit(member.start, member.end, node.below, [...above, member.name]);
      else if (node?.column !== undefined) cells[node.column] = cellText(bytes, member);
      else other ??= [...above, member.name];
    }
  };
  visit(0, bytes.length, root, []);
  return other;
}

function hasMembers(bytes: Buffer, { start, end }: ValueSpan): boolean {
  return isObjectAt(bytes, start) && end - start > 2;
}

/** All values but objects with members. */
function eachLeaf(bytes: Buffer, take: (names: readonly string[]) => void): void {
  const visit = (start: number, end: number, above: readonly string[]) => {
    for (const member of membersOf(bytes, start, end)) {
      const names = [...above, member.name];
      if (hasMembers(bytes, member)) visit(member.start, member.end, names);
      else take(names);
    }
  };
  visit(0, bytes.length, []);
}
