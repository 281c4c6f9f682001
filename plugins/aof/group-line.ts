/**
 * The lines by which kvdb tells, in a file that Redis reads as well, what is whole: one at the head
 * of the file, one in front of each group of records, one at the end when it was stopped in order.
 * Redis skips every line that begins with `#`, but reads lines into 128 bytes, so none is longer
 * than 127. Numbers are decimal, checksums are CRC-32 in hex; words are parted by one space.
 *
 *   #kvdb-file 1 <salt> <sequence> <first revision> <check>
 *   #kvdb-group <first revision> <records> <time> <database> <bytes> <durable> <crc> <check>
 *   #kvdb-part <revision> <time> <bytes> <crc> <check>
 *   #kvdb-end <next revision> <durable> <check>
 *
 *   salt      random: begins every check of the file, so no value of a user passes for a group
 *   time      milliseconds since 1970 of the first record
 *   database  that was selected before the first record
 *   bytes     length of the text behind the line, and `crc` its CRC-32
 *   durable   the file was durable up to this offset when the line was written: that is what tells
 *             an unsynced tail from damage
 *   check     CRC-32 of the offset of the line, a space, and the line up to here; begun with the
 *             salt, but that of the head with 0
 *
 * A group holds records with revisions that follow on each other. A part is a piece of a state (a
 * base written as commands), all of it of one revision.
 */
import type { Revision } from "kvdb";

/** Redis reads a line into 128 bytes with a zero behind it. */
export const MAX_LINE_BYTES = 127;

/** What each of the lines begins with. */
export const OWN_LINE = Buffer.from("#kvdb-");

const FORMAT = "1";
const HEX_BYTES = 8;

/** What a file says of itself at its head. */
export interface FileHead {
  readonly salt: number;
  readonly sequence: number;
  /** Revisions below it are in earlier files. */
  readonly firstRevision: Revision;
}

/** Where a line stands, and in which file. */
export interface LinePlace {
  readonly offset: number;
  readonly salt: number;
}

export type GroupLine = RecordsLine | PartLine | EndLine;

interface LineAt {
  /** Of the line, in its file. */
  readonly offset: number;
  /** Length of the line with its end. */
  readonly lineBytes: number;
}

/** Text follows: its length and its CRC-32. */
interface TextBehind {
  readonly textBytes: number;
  readonly textCrc: number;
}

export interface RecordsLine extends LineAt, TextBehind {
  readonly kind: "records";
  readonly firstRevision: Revision;
  readonly count: number;
  readonly timeMs: number;
  readonly database: number;
  readonly durable: number;
}

export interface PartLine extends LineAt, TextBehind {
  readonly kind: "part";
  readonly revision: Revision;
  readonly timeMs: number;
}

export interface EndLine extends LineAt {
  readonly kind: "end";
  readonly nextRevision: Revision;
  readonly durable: number;
}

// ---- writing ----

export function fileLine({ salt, sequence, firstRevision }: FileHead): Buffer {
  const text = `#kvdb-file ${FORMAT} ${hex(salt)} ${sequence} ${firstRevision}`;
  return sealed(text, { offset: 0, salt: 0 });
}

export function recordsLine(
  group: Omit<RecordsLine, "kind" | "offset" | "lineBytes">,
  place: LinePlace,
): Buffer {
  const { firstRevision, count, timeMs, database, textBytes, durable, textCrc } = group;
  const numbers = `${firstRevision} ${count} ${timeMs} ${database} ${textBytes} ${durable}`;
  return sealed(`#kvdb-group ${numbers} ${hex(textCrc)}`, place);
}

export function partLine(
  part: Omit<PartLine, "kind" | "offset" | "lineBytes">,
  place: LinePlace,
): Buffer {
  const { revision, timeMs, textBytes, textCrc } = part;
  return sealed(`#kvdb-part ${revision} ${timeMs} ${textBytes} ${hex(textCrc)}`, place);
}

export function endLine(nextRevision: Revision, durable: number, place: LinePlace): Buffer {
  return sealed(`#kvdb-end ${nextRevision} ${durable}`, place);
}

function sealed(text: string, place: LinePlace): Buffer {
  return Buffer.from(`${text} ${hex(checkOf(text, place))}\r\n`, "latin1");
}

function checkOf(text: string, { offset, salt }: LinePlace): number {
  return Bun.hash.crc32(`${offset} ${text}`, salt);
}

function hex(value: number): string {
  return value.toString(16).padStart(HEX_BYTES, "0");
}

// ---- reading ----

/** undefined when bytes[at, end) do not begin with the intact head of a file. */
export function readFileLine(bytes: Buffer, at: number, end: number): ReadHead | undefined {
  const line = readLine(bytes, at, end);
  if (line === undefined || !isSealed(line, { offset: 0, salt: 0 })) return undefined;
  const [name, format, salt, sequence, firstRevision] = line.text.split(" ");
  if (name !== "#kvdb-file") return undefined;
  return {
    format: format as string,
    isKnown: format === FORMAT,
    salt: Number.parseInt(salt as string, 16),
    sequence: Number(sequence),
    firstRevision: Number(firstRevision),
    lineBytes: line.bytes,
  };
}

export interface ReadHead extends FileHead {
  readonly format: string;
  /** Whether this kvdb reads files of this format. */
  readonly isKnown: boolean;
  readonly lineBytes: number;
}

/** undefined when bytes[at, end) do not begin with an intact line of this place. */
export function readGroupLine(
  bytes: Buffer,
  at: number,
  end: number,
  place: LinePlace,
): GroupLine | undefined {
  const line = readLine(bytes, at, end);
  if (line === undefined || !isSealed(line, place)) return undefined;
  const { offset } = place;
  const lineBytes = line.bytes;
  const words = line.text.split(" ");
  const number = (index: number) => Number(words[index]);
  const crc = (index: number) => Number.parseInt(words[index] as string, 16);
  switch (words[0]) {
    case "#kvdb-group":
      return {
        ...{ kind: "records", offset, lineBytes, firstRevision: number(1), count: number(2) },
        ...{ timeMs: number(3), database: number(4), textBytes: number(5) },
        ...{ durable: number(6), textCrc: crc(7) },
      };
    case "#kvdb-part":
      return {
        ...{ kind: "part", offset, lineBytes, revision: number(1), timeMs: number(2) },
        ...{ textBytes: number(3), textCrc: crc(4) },
      };
    case "#kvdb-end":
      return { kind: "end", offset, lineBytes, nextRevision: number(1), durable: number(2) };
    default:
      return undefined;
  }
}

interface Line {
  /** Without its check. */
  readonly text: string;
  readonly check: string;
  /** Length with its end. */
  readonly bytes: number;
}

function readLine(bytes: Buffer, at: number, end: number): Line | undefined {
  if (!beginsWith(bytes, at, end, OWN_LINE)) return undefined;
  const limit = Math.min(end, at + MAX_LINE_BYTES);
  const feed = bytes.subarray(at, limit).indexOf(0x0a);
  if (feed < 1 || bytes[at + feed - 1] !== 0x0d) return undefined;
  const line = bytes.toString("latin1", at, at + feed - 1);
  const space = line.lastIndexOf(" ");
  if (space < 0) return undefined;
  return { text: line.slice(0, space), check: line.slice(space + 1), bytes: feed + 1 };
}

/** As text: digits that mean the same number, but were not written so, are no check. */
function isSealed({ text, check }: Line, place: LinePlace): boolean {
  return check === hex(checkOf(text, place));
}

export function beginsWith(bytes: Buffer, at: number, end: number, text: Buffer): boolean {
  if (end - at < text.length) return false;
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text[i]) return false;
  return true;
}
