/**
 * Reads the records of a CSV (RFC 4180) as documents. The header names the fields (csv-columns.ts). A cell that is a number,
 * true, false, null, an array or an object of JSON is that, any other is text, an empty one is no field.
 *
 * Records are told apart here, by their quotes: that way their line numbers are right whatever stands in them, and one that is
 * wrong costs itself alone. What a record says is csv-parse's matter, which is asked for many at a time.
 */
import { isUtf8 } from "node:buffer";
import { CsvError, type Options, parse } from "csv-parse/sync";
import { type ByteLine, ByteLines } from "./byte-lines.ts";
import { CellDocument } from "./cell-document.ts";
import { columnNames, KEY_COLUMN } from "./csv-columns.ts";
import { type FileItem, type FilePlace, type FileReader, ItemProblem } from "./entry.ts";

const QUOTE = 0x22;
/** Records that are parsed together, and their bytes. */
const BATCH_RECORDS = 256;
const BATCH_BYTES = 1 << 18;

/** A quote that nobody closes must not take the whole file into memory. */
const MAX_RECORD_BYTES = 256 << 20;

const PARSING: Options = {
  record_delimiter: ["\r\n", "\n"],
  relax_column_count: true,
  skip_empty_lines: false,
};

export interface CsvReading {
  readonly prefix: Buffer;
  /** The column of the key, which is a field as well; undefined: the column `key`, which is none. */
  readonly keyColumn: string | undefined;
  /** Cells are text, whatever they look like. */
  readonly isText: boolean;
}

/** The lines of one record, as they stand in the file. */
type RawRecord = readonly ByteLine[];

export class CsvReader implements FileReader {
  readonly #options: CsvReading;
  readonly #lines = new ByteLines();
  /** Lines of a record whose last quote is open. */
  readonly #open = new OpenRecord();
  #batch: RawRecord[] = [];
  #batchBytes = 0;
  #records = 0;
  #header: Header | undefined;
  /** Without a header nothing can be read. */
  #isBroken = false;

  constructor(options: CsvReading) {
    this.#options = options;
  }

  *push(chunk: Uint8Array): Generator<FileItem> {
    for (const line of this.#lines.push(chunk)) yield* this.#take(line);
    yield* this.#readBatch();
  }

  *finish(): Generator<FileItem> {
    const last = this.#lines.finish();
    if (last !== undefined) yield* this.#take(last);
    yield* this.#readBatch();
    for (let open = this.#open.takeRest(); open.length > 0; open = this.#open.takeRest()) {
      yield* this.#takeRecord(open);
      yield* this.#readBatch();
    }
    if (this.#header === undefined && !this.#isBroken) {
      yield { kind: "problem", message: "expected a header", place: { line: 1 } };
    }
  }

  *#take(line: ByteLine): Generator<FileItem> {
    const record = this.#open.add(line);
    if (record !== undefined) yield* this.#takeRecord(record);
  }

  *#takeRecord(lines: RawRecord): Generator<FileItem> {
    if (this.#isBroken) return;
    if (this.#header === undefined) {
      yield* this.#readHeader(lines);
      return;
    }
    this.#batch.push(lines);
    for (const { whole } of lines) this.#batchBytes += whole.length;
    const isFull = this.#batch.length >= BATCH_RECORDS || this.#batchBytes >= BATCH_BYTES;
    if (isFull) yield* this.#readBatch();
  }

  *#readHeader(lines: RawRecord): Generator<FileItem> {
    try {
      const [cells = []] = recordsOf(lines);
      this.#header = new Header(cells, this.#options);
    } catch (error) {
      this.#isBroken = true;
      const place = { line: lines[0]?.number ?? 1 };
      yield { kind: "problem", message: `the header: ${reasonOf(error)}`, place };
    }
  }

  *#readBatch(): Generator<FileItem> {
    let records = this.#batch;
    this.#batch = [];
    this.#batchBytes = 0;
    while (records.length > 0) {
      const wrong = yield* this.#readRecords(records);
      if (wrong < 0) return;
      // A quote that was none has taken in the lines behind its own, and turned the meaning of all that followed.
      const lines = records.slice(wrong).flat().slice(1);
      records = this.#split([...lines, ...this.#open.takeRest()]);
    }
  }

  #split(lines: RawRecord): RawRecord[] {
    return lines.map((line) => this.#open.add(line)).filter((record) => record !== undefined);
  }

  /** The index of a record of several lines that is none: those behind it are not read. -1: there was none. */
  *#readRecords(records: readonly RawRecord[]): Generator<FileItem, number> {
    const together = parsedTogether(records);
    for (const [index, lines] of records.entries()) {
      const place = { line: lines[0]?.number ?? 1, record: ++this.#records };
      const cells = together?.[index] ?? cellsOf(lines);
      if (typeof cells === "string") yield { kind: "problem", message: cells, place };
      else yield this.#item(cells, place);
      if (typeof cells === "string" && lines.length > 1) return index;
    }
    return -1;
  }

  #item(cells: readonly string[], place: FilePlace): FileItem {
    try {
      return { kind: "entry", entry: (this.#header as Header).entry(cells), place };
    } catch (error) {
      if (!(error instanceof ItemProblem)) throw error;
      return { kind: "problem", message: error.message, place };
    }
  }
}

/** Of one record; what is wrong, as text. */
function cellsOf(lines: RawRecord): readonly string[] | string {
  try {
    return recordsOf(lines)[0] ?? [];
  } catch (error) {
    return reasonOf(error);
  }
}

/** Lines on their way to be a record: it ends where as many quotes were closed as were opened. */
class OpenRecord {
  #lines: ByteLine[] = [];
  #bytes = 0;
  #isOpen = false;

  /** The record that ends with the line; undefined: it goes on, or the line is empty. */
  add(line: ByteLine): RawRecord | undefined {
    if (this.#lines.length === 0 && line.bytes.length === 0) return undefined;
    this.#lines.push(line);
    this.#bytes += line.whole.length;
    if (hasOddQuotes(line.whole)) this.#isOpen = !this.#isOpen;
    return this.#isOpen && this.#bytes < MAX_RECORD_BYTES ? undefined : this.takeRest();
  }

  takeRest(): RawRecord {
    const lines = this.#lines;
    this.#lines = [];
    this.#bytes = 0;
    this.#isOpen = false;
    return lines;
  }
}

/** What the columns of this file mean. */
class Header {
  readonly #options: CsvReading;
  readonly #cells: readonly string[];
  readonly #key: number;
  readonly #document: CellDocument;

  constructor(cells: readonly string[], options: CsvReading) {
    this.#options = options;
    this.#cells = cells;
    const name = options.keyColumn ?? KEY_COLUMN;
    this.#key = cells.indexOf(name);
    if (this.#key < 0) {
      const hint = options.keyColumn === undefined ? "; --key names another column" : "";
      throw new ItemProblem(`there is no column ${JSON.stringify(name)} for the key${hint}`);
    }
    const twice = cells.find((cell, at) => cells.indexOf(cell) !== at);
    if (twice !== undefined)
      throw new ItemProblem(`the column ${JSON.stringify(twice)} comes twice`);
    const isField = (index: number) => options.keyColumn !== undefined || index !== this.#key;
    const columns = cells.map((cell, index) => (isField(index) ? columnNames(cell) : undefined));
    this.#document = new CellDocument(columns, options.isText);
  }

  entry(cells: readonly string[]) {
    if (cells.length !== this.#cells.length) {
      throw new ItemProblem(`expected ${this.#cells.length} cells, found ${cells.length}`);
    }
    const key = cells[this.#key] ?? "";
    if (key === "") throw new ItemProblem("the cell of the key is empty");
    const value = Buffer.from(this.#document.text(cells));
    const whole = Buffer.concat([this.#options.prefix, Buffer.from(key)]);
    return { key: whole, kind: "json", deadlineMs: 0, value } as const;
  }
}

/** Undefined: at least one is wrong, and only each by itself tells which. */
function parsedTogether(batch: readonly RawRecord[]): string[][] | undefined {
  try {
    const records = recordsOf(batch.flat());
    return records.length === batch.length ? records : undefined;
  } catch (error) {
    if (error instanceof CsvError || error instanceof ItemProblem) return undefined;
    throw error;
  }
}

function recordsOf(lines: RawRecord): string[][] {
  const bytes =
    lines.length === 1
      ? (lines[0] as ByteLine).whole
      : Buffer.concat(lines.map(({ whole }) => whole));
  if (!isUtf8(bytes)) throw new ItemProblem("not UTF-8");
  return parse(bytes, PARSING) as unknown as string[][];
}

function reasonOf(error: unknown): string {
  if (error instanceof ItemProblem) return error.message;
  if (!(error instanceof CsvError)) throw error;
  return REASONS[error.code] ?? error.message;
}

/** csv-parse names lines of its own counting. */
const REASONS: Readonly<Record<string, string>> = {
  CSV_QUOTE_NOT_CLOSED: "a quote is not closed",
  CSV_INVALID_CLOSING_QUOTE: "expected a comma behind the closing quote",
  INVALID_OPENING_QUOTE:
    'a quote within a cell: the cell stands in quotes then, and the quote is written ""',
};

function hasOddQuotes(bytes: Buffer): boolean {
  let isOdd = false;
  for (let at = bytes.indexOf(QUOTE); at >= 0; at = bytes.indexOf(QUOTE, at + 1)) isOdd = !isOdd;
  return isOdd;
}
