/**
 * A stream's items as arrays of strings, both ways, between the form in which kvdb gives them (stream-elements.ts) and
 * that of readable files:
 *
 *   ["stream", "5-1", "0-0", "3"]             last ID given, greatest deleted, entries ever added
 *   ["entry", "5-1", "field", "value", …]
 *   ["group", "name", "5-1", "3"]             last ID delivered, entries read, -1: not known
 *   ["consumer", "name", "1767225600000"]     when it was seen last, milliseconds since 1970
 *   ["pending", "5-1", "0", "1767225600000", "1"]    which consumer of the group, counted from 0, when delivered, how often
 *
 * One stream, its entries by ID, each group with its consumers and then what is pending.
 */
type Bytes = { readonly [index: number]: number };

/** The strings of an item, of which those of a user are bytes; and where it ends. */
export interface StreamItem {
  readonly texts: readonly (string | StreamSpan)[];
  readonly end: number;
}

export interface StreamSpan {
  readonly start: number;
  readonly end: number;
}

const LONG = 255;
const LARGEST_HALF = 2n ** 64n - 1n;
/** Two halves of 20 digits. */
const LONGEST_ID = 41;
/** Counts are those of a client, up to 2^63 - 1, as doubles. */
const LARGEST_NUMBER = 2 ** 63;

/** The item at bytes[at]. */
export function streamItemAt(bytes: Buffer, at: number): StreamItem {
  const start = spanAt(bytes, at).start;
  let end = spanAt(bytes, at).end;
  const next = (): StreamSpan => {
    const span = spanAt(bytes, end);
    end = span.end;
    return span;
  };
  const id = (offset: number) => idText(bytes, start + offset);
  const number = (offset: number) => String(bytes.readDoubleLE(start + offset));
  const tag = String.fromCharCode(bytes[start]);
  if (tag === "S") return { texts: ["stream", id(1), id(17), number(33)], end };
  if (tag === "P") {
    const consumer = String(bytes.readUInt32LE(start + 17));
    return { texts: ["pending", id(1), consumer, number(21), number(29)], end };
  }
  if (tag === "G") return { texts: ["group", next(), id(1), number(17)], end };
  if (tag === "C") return { texts: ["consumer", next(), number(1)], end };
  const pairs = Array.from({ length: 2 * bytes.readUInt32LE(start + 17) }, next);
  return { texts: ["entry", id(1), ...pairs], end };
}

function spanAt(bytes: Bytes, at: number): StreamSpan {
  if (bytes[at] < LONG) return { start: at + 1, end: at + 1 + bytes[at] };
  const length = (bytes as Buffer).readUInt32LE(at + 1);
  return { start: at + 5, end: at + 5 + length };
}

function idText(bytes: Buffer, at: number): string {
  return `${bytes.readBigUInt64LE(at)}-${bytes.readBigUInt64LE(at + 8)}`;
}

/** The strings that kvdb takes for an item of these; undefined: they are none. */
export function streamStrings(texts: readonly Buffer[]): readonly Buffer[] | undefined {
  const [kind, ...rest] = texts;
  const words = rest.map((text) => (text.length > LONGEST_ID ? "" : text.toString("latin1")));
  switch (kind?.toString("latin1")) {
    case "stream":
      return rest.length === 3
        ? item("S", idOf(words[0]), idOf(words[1]), numberOf(words[2]))
        : undefined;
    case "entry": {
      const strings = rest.slice(1);
      if (strings.length === 0 || strings.length % 2 === 1) return undefined;
      const made = item("E", idOf(words[0]), countOf(String(strings.length / 2)));
      return made && [...made, ...strings];
    }
    case "group": {
      const made = rest.length === 3 ? item("G", idOf(words[1]), numberOf(words[2])) : undefined;
      return made && [...made, rest[0]];
    }
    case "consumer": {
      const made = rest.length === 2 ? item("C", numberOf(words[1])) : undefined;
      return made && [...made, rest[0]];
    }
    case "pending":
      if (rest.length !== 4) return undefined;
      return item("P", idOf(words[0]), countOf(words[1]), numberOf(words[2]), numberOf(words[3]));
    default:
      return undefined;
  }
}

function item(tag: string, ...parts: (Buffer | undefined)[]): Buffer[] | undefined {
  if (parts.includes(undefined)) return undefined;
  return [Buffer.concat([Buffer.from(tag), ...(parts as Buffer[])])];
}

function idOf(text: string): Buffer | undefined {
  const [, ms, sequence] = /^(\d{1,20})-(\d{1,20})$/.exec(text) ?? [];
  if (ms === undefined || sequence === undefined) return undefined;
  const halves = [BigInt(ms), BigInt(sequence)] as const;
  if (halves.some((half) => half > LARGEST_HALF)) return undefined;
  const bytes = Buffer.alloc(16);
  bytes.writeBigUInt64LE(halves[0]);
  bytes.writeBigUInt64LE(halves[1], 8);
  return bytes;
}

function numberOf(text: string): Buffer | undefined {
  const value = /^-?\d{1,19}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= -1 && value <= LARGEST_NUMBER)) return undefined;
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
}

function countOf(text: string): Buffer | undefined {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value < 2 ** 32)) return undefined;
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
