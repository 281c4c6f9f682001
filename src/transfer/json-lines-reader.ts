/** Reads JSON Lines: one element a line (json-item.ts), LF or CR LF; empty lines are none. A bad line costs itself alone. */
import { type ByteLine, ByteLines, isBlank } from "./byte-lines.ts";
import { type FileItem, type FileReader, ItemProblem } from "./entry.ts";
import { type ItemOptions, readItem } from "./json-item.ts";

export class JsonLinesReader implements FileReader {
  readonly #lines = new ByteLines();
  readonly #options: ItemOptions;

  constructor(options: ItemOptions) {
    this.#options = options;
  }

  *push(chunk: Uint8Array): Generator<FileItem> {
    for (const line of this.#lines.push(chunk)) yield* this.#read(line);
  }

  *finish(): Generator<FileItem> {
    const last = this.#lines.finish();
    if (last !== undefined) yield* this.#read(last);
  }

  *#read({ bytes, number }: ByteLine): Generator<FileItem> {
    if (isBlank(bytes)) return;
    try {
      yield { kind: "entry", entry: readItem(bytes, this.#options), place: { line: number } };
    } catch (error) {
      if (!(error instanceof ItemProblem)) throw error;
      const { message, at } = error;
      const column = at === undefined ? {} : { column: columnAt(bytes, at) };
      yield { kind: "problem", message, place: { line: number, ...column } };
    }
  }
}

/** Characters from 1 on, in bytes whose line begins at `start`. */
export function columnAt(bytes: Buffer, at: number, start = 0): number {
  return [...bytes.toString("utf8", start, at)].length + 1;
}
