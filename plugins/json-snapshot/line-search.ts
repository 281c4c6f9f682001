/**
 * Finds in a damaged file the next line that begins as an entry or a database does: with the white
 * space that the others have before them, and a quote. A string has no line break in it, and what is
 * within an entry is indented further, so such a line is what it looks like.
 */
import type { OpenFile } from "kvdb";

const SLICE_BYTES = 1 << 18;
/** Longer than the white space before an entry, and shorter than a slice. */
const INDENT_BYTES = 256;
const LF = 0x0a;

export interface FoundLine<Kind> {
  readonly kind: Kind;
  /** Where the line's quote is. */
  readonly offset: number;
}

/** What a line of a kind begins with: white space, a quote, perhaps more. */
export type LineFronts<Kind extends string> = readonly (readonly [kind: Kind, front: string])[];

/** The first line of one of the kinds whose quote is at or behind `from`, and before `limit`. */
export async function findLine<Kind extends string>(
  file: OpenFile,
  from: number,
  limit: number,
  fronts: LineFronts<Kind>,
): Promise<FoundLine<Kind> | undefined> {
  const longest = Math.max(...fronts.map(([, front]) => front.length)) + 1;
  const size = Math.min(SLICE_BYTES, limit + longest);
  const buffer = Buffer.allocUnsafeSlow(size);
  // What begins before `from` may have its quote behind it.
  for (let offset = Math.max(0, from - longest); offset < limit; ) {
    const length = Math.min(size, limit - offset);
    const count = await file.read(buffer, 0, length, offset);
    const found = firstIn(buffer.subarray(0, count), from - offset, fronts);
    if (found !== undefined) return { kind: found.kind, offset: offset + found.at };
    if (count < size) return undefined;
    offset += count - longest; // a line's front may be cut by the end of the slice
  }
  return undefined;
}

function firstIn<Kind extends string>(
  bytes: Buffer,
  from: number,
  fronts: LineFronts<Kind>,
): { kind: Kind; at: number } | undefined {
  let first: { kind: Kind; at: number } | undefined;
  for (const [kind, front] of fronts) {
    const line = `\n${front}`;
    const toQuote = line.indexOf('"');
    const at = bytes.indexOf(line, Math.max(0, from - toQuote), "latin1");
    if (at >= 0 && (first === undefined || at + toQuote < first.at)) {
      first = { kind, at: at + toQuote };
    }
  }
  return first;
}

/** The white space before what begins at `offset`; undefined when its line begins with more. */
export async function indentBefore(file: OpenFile, offset: number): Promise<string | undefined> {
  const start = Math.max(0, offset - INDENT_BYTES);
  const bytes = Buffer.alloc(offset - start);
  const count = await file.read(bytes, 0, bytes.length, start);
  const lineStart = bytes.lastIndexOf(LF, count - 1);
  if (lineStart < 0) return undefined;
  const indent = bytes.toString("latin1", lineStart + 1, count);
  return /^[ \t]*$/.test(indent) ? indent : undefined;
}
