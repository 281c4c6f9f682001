/**
 * One key on its way into a file or out of one, in the form of VALUE.EXPORT and VALUE.IMPORT, and where in a file something
 * stands.
 */

export type EntryKind = "json" | "string" | "dump";

export interface TransferEntry {
  readonly key: Buffer;
  readonly kind: EntryKind;
  /** Milliseconds since 1970; 0: it stays. */
  readonly deadlineMs: number;
  /** The compact text of a document, the bytes of a string, or what DUMP answers of a value with elements. */
  readonly value: Buffer;
}

/** All counted from 1. */
export interface FilePlace {
  readonly line: number;
  /** Characters, as editors count them. */
  readonly column?: number;
  /** Of a CSV, its header not counted. */
  readonly record?: number;
}

/** What a reader finds: an entry, or why there is none. */
export type FileItem =
  | { readonly kind: "entry"; readonly entry: TransferEntry; readonly place: FilePlace }
  | { readonly kind: "problem"; readonly message: string; readonly place: FilePlace };

/** Reads a file in chunks of any size. The entries of a chunk are taken before the next one is pushed. */
export interface FileReader {
  push(chunk: Uint8Array): Iterable<FileItem>;
  /** The file has ended. */
  finish(): Iterable<FileItem>;
}

/** Something in a file is not what it should be; `at` is an offset in the bytes in hand, where that is known. */
export class ItemProblem extends Error {
  readonly at: number | undefined;

  constructor(message: string, at?: number) {
    super(message);
    this.name = "ItemProblem";
    this.at = at;
  }
}

export function placeText({ line, column, record }: FilePlace): string {
  const parts = [`line ${line}`];
  if (record !== undefined) parts.push(`record ${record}`);
  if (column !== undefined) parts.push(`column ${column}`);
  return parts.join(", ");
}
