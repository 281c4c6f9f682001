/**
 * Reads RESP2 and RESP3 replies: where one ends, and what it is made of. Written for the oracle
 * alone, apart from kvdb's own protocol code, so that one mistake cannot hide in both.
 *
 *   line       + - : _ # , (       up to \r\n
 *   blob       $ = !               $3\r\nabc\r\n, null as $-1\r\n
 *   aggregate  * ~ >  (n items)    *2\r\n…, null as *-1\r\n
 *              %      (2n items)
 *              |      (2n items, then the reply that they describe)
 *
 * Incomplete is `null`, malformed is a MalformedReply: the first waits for bytes, the second fails.
 */

import { fromBytes } from "./byte-text.ts";

export type ReplyNode = {
  /** The first byte of the reply, as a character. */
  readonly type: string;
  /** The text of a line or of a blob (null for a null blob); for an aggregate its count. */
  readonly text: string | null;
  readonly items: readonly ReplyNode[];
  readonly start: number;
  /** Offset of the first byte after the reply. */
  readonly end: number;
};

export class MalformedReply extends Error {}

const LINE_TYPES = "+-:_#,(";
const BLOB_TYPES = "$=!";
const AGGREGATE_TYPES = "*~>%|";
/** Redis nests a handful deep; a limit turns garbage into an error, not a stack overflow. */
const MOST_LEVELS = 64;

/** The reply that starts at `start`, or null when not all of it is there yet. */
export function readReply(bytes: Uint8Array, start: number, level = 0): ReplyNode | null {
  if (level > MOST_LEVELS) throw new MalformedReply("nested too deep");
  const lineEnd = bytes.indexOf(0x0d, start);
  if (lineEnd < 0 || lineEnd + 1 >= bytes.length) return null;
  if (bytes[lineEnd + 1] !== 0x0a) throw new MalformedReply("carriage return without line feed");
  const type = String.fromCharCode(bytes[start] ?? 0);
  const text = fromBytes(bytes.subarray(start + 1, lineEnd));
  const end = lineEnd + 2;
  if (LINE_TYPES.includes(type)) return { type, text, items: [], start, end };
  if (BLOB_TYPES.includes(type)) return readBlob(bytes, { type, text, items: [], start, end });
  if (!AGGREGATE_TYPES.includes(type)) throw new MalformedReply(`unknown type ${type}`);
  return readAggregate(bytes, { type, text, items: [], start, end }, level);
}

function readBlob(bytes: Uint8Array, head: ReplyNode): ReplyNode | null {
  const size = readCount(head);
  if (size < 0) return { ...head, text: null };
  const end = head.end + size + 2;
  if (end > bytes.length) return null;
  if (bytes[end - 2] !== 0x0d || bytes[end - 1] !== 0x0a) throw new MalformedReply("blob end");
  return { ...head, text: fromBytes(bytes.subarray(head.end, end - 2)), end };
}

function readAggregate(bytes: Uint8Array, head: ReplyNode, level: number): ReplyNode | null {
  const count = readCount(head);
  const itemCount = head.type === "%" ? count * 2 : head.type === "|" ? count * 2 + 1 : count;
  const items: ReplyNode[] = [];
  let end = head.end;
  for (let index = 0; index < itemCount; index++) {
    const item = readReply(bytes, end, level + 1);
    if (item === null) return null;
    items.push(item);
    end = item.end;
  }
  return { ...head, items, end };
}

function readCount(head: ReplyNode): number {
  if (!/^(-1|\d{1,10})$/.test(head.text ?? "")) throw new MalformedReply(`count ${head.text}`);
  return Number(head.text);
}
