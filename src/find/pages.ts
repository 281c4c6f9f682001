/**
 * Where a page of FIND ended, as the text that continues it. Nothing is kept between two pages: a place is one in an order
 * that stays, so whatever comes and goes meanwhile, a document that stays is answered once.
 *
 *   without SORT, through all documents     the number of the last document, and its key
 *   without SORT, through an index          the key in the index, and the same
 *   with SORT                               the place in the order, and the key of the document
 *
 * As text: JSON in base64url; "0" is the beginning, and the end.
 */
import { CommandError } from "../commands/command-error.ts";

export interface PagePlace {
  /** Name of the index that the pages go through; empty: none. */
  readonly index: string;
  /** In the index, or in the order; empty: there is none. */
  readonly place: Buffer;
  /** Of the document; 0 with SORT. */
  readonly number: number;
  /** Of the document. */
  readonly key: Buffer;
}

export const FIRST_PAGE = "0";

export function encodePage({ index, place, number, key }: PagePlace): string {
  const parts = [index, place.toString("latin1"), number, key.toString("latin1")];
  return Buffer.from(JSON.stringify(parts)).toString("base64url");
}

/** Undefined: the first page. Throws a CommandError for what was never handed out. */
export function decodePage(text: string): PagePlace | undefined {
  if (text === FIRST_PAGE) return undefined;
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(text, "base64url").toString());
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw invalidCursor();
  }
  if (!Array.isArray(parts) || parts.length !== 4) throw invalidCursor();
  const [index, place, number, key] = parts as unknown[];
  if (typeof index !== "string" || typeof place !== "string" || typeof key !== "string") {
    throw invalidCursor();
  }
  if (!Number.isInteger(number) || (number as number) < 0 || (number as number) >= 2 ** 32) {
    throw invalidCursor();
  }
  return {
    ...{ index, number: number as number },
    place: Buffer.from(place, "latin1"),
    key: Buffer.from(key, "latin1"),
  };
}

function invalidCursor(): CommandError {
  return new CommandError("ERR", "invalid cursor");
}
