/**
 * The payload of DUMP and RESTORE: one value that moves between servers.
 *
 *   u8 type · value (value-decoder.ts) · [u8 250 · string "kvdb-entry" · string "json"] · u16 version of RDB · u64 CRC-64
 *
 * The note in brackets says that the string is the text of a document. Redis does not look at what stands behind the value:
 * there the document is a string, here it is a document again.
 *
 *   Example: the string "hi", version 10:   00 02 68 69 0a 00 <crc>
 */
import { Crc64 } from "./crc64.ts";
import { RdbDamage } from "./rdb-damage.ts";
import { RdbInput, type Span } from "./rdb-input.ts";
import type { RdbOutput } from "./rdb-output.ts";
import { RDB_AUX, RDB_STRING, RDB_VERSION, RDB_VERSION_TIMED } from "./rdb-types.ts";
import { decodeValue } from "./value-decoder.ts";
import type { ValueVisitor } from "./value-visitor.ts";

const FOOTER_BYTES = 10;
const CHECKSUM_BYTES = 8;
const NOTE = Buffer.from("kvdb-entry");
const DOCUMENT = Buffer.from("json");
/** As `sealPayload` writes the note. */
const DOCUMENT_TAIL = Buffer.from("\xfa\x0akvdb-entry\x04json", "latin1");

/** Ends a payload whose value was written. */
export function sealPayload(
  output: RdbOutput,
  { isDocument, isTimed }: { isDocument: boolean; isTimed: boolean },
): void {
  if (isDocument) {
    output.byte(RDB_AUX);
    output.string(NOTE, 0, NOTE.length);
    output.string(DOCUMENT, 0, DOCUMENT.length);
  }
  output.reserve(FOOTER_BYTES);
  output.end = output.bytes.writeUInt16LE(isTimed ? RDB_VERSION_TIMED : RDB_VERSION, output.end);
  const checksum = new Crc64();
  checksum.add(output.bytes, 0, output.end);
  output.end = checksum.write(output.bytes, output.end);
}

/** Whether version and checksum are right: else it is a payload of a later server, or damaged. */
export function hasIntactFooter(payload: Span): boolean {
  return hasIntactChecksum(payload) && payloadVersion(payload) <= RDB_VERSION_TIMED;
}

export function hasIntactChecksum({ bytes, start, end }: Span): boolean {
  if (end - start < FOOTER_BYTES) return false;
  const checksum = new Crc64();
  checksum.add(bytes, start, end - CHECKSUM_BYTES);
  return checksum.isAt(bytes, end - CHECKSUM_BYTES);
}

/** The version of RDB that it says it is of; it is long enough for a footer. */
export function payloadVersion({ bytes, end }: Span): number {
  return bytes.readUInt16LE(end - FOOTER_BYTES);
}

/** Has a whole payload say that it is of another version. */
export function resealPayload(payload: Buffer, version: number): void {
  const end = payload.writeUInt16LE(version, payload.length - FOOTER_BYTES);
  const checksum = new Crc64();
  checksum.add(payload, 0, end);
  checksum.write(payload, end);
}

/** The type of a value with elements, and what stands behind it, as in a file. */
export function payloadContent({ bytes, start, end }: Span): { type: number; value: Buffer } {
  return { type: bytes[start], value: bytes.subarray(start + 1, end - FOOTER_BYTES) };
}

/** Tells the visitor of the value; true: it is a document. RdbDamage when it is none. */
export function readPayload({ bytes, start, end }: Span, visitor: ValueVisitor): boolean {
  const input = new RdbInput(bytes, start, end - FOOTER_BYTES);
  const type = input.byte();
  decodeValue(type, input, visitor);
  if (input.at === input.end) return false;
  const isNote = input.byte() === RDB_AUX && isText(input.string(), NOTE);
  const isDocument = isNote && type === RDB_STRING && isText(input.string(), DOCUMENT);
  if (!isDocument || input.at < input.end) throw new RdbDamage("something follows the value");
  return true;
}

/** Whether the note that says so stands behind the value, without reading the value. */
export function looksLikeDocument({ bytes, start, end }: Span): boolean {
  const from = end - FOOTER_BYTES - DOCUMENT_TAIL.length;
  return (
    from > start &&
    bytes.compare(DOCUMENT_TAIL, 0, DOCUMENT_TAIL.length, from, from + DOCUMENT_TAIL.length) === 0
  );
}

function isText({ bytes, start, end }: Span, text: Buffer): boolean {
  return bytes.compare(text, 0, text.length, start, end) === 0;
}
