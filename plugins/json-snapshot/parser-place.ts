/**
 * A place in the file while it is read: the object that is being read, and what must come next in
 * it; and that in words, for whoever has to correct a file.
 */
import { BASE64, ELEMENT_FORMS, EXPIRES, VALUE } from "./entry-names.ts";
import { FORMAT } from "./snapshot-head.ts";

// Levels: the object that is being read.
export const IN_FILE = 0;
export const IN_HEAD = 1;
export const IN_DATABASES = 2;
export const IN_DATABASE = 3;
/** {"$value": …, "$expires": …} */
export const IN_VALUE_FORM = 4;
/** {"$base64": …} or {"$json": …}: one member. */
export const IN_SINGLE_FORM = 5;
export const IN_DOCUMENT = 6;
export const BEHIND_FILE = 7;
/** Of {"$list": […]} and its like; what must come there elements-parser.ts knows. */
export const IN_ELEMENTS = 8;

// Steps: what must come next.
export const OPENING = 0;
export const NAME_OR_END = 1;
export const NAME = 2;
export const MEMBER_COLON = 3;
export const MEMBER_VALUE = 4;
export const NEXT_OR_END = 5;
/** In a document, behind `[`. */
export const ELEMENT_OR_END = 6;

export const FILE_MEMBERS: readonly string[] = ["kvdb", "databases"];
export const HEAD_MEMBERS: readonly string[] = ["format", "revision", "time", "crc32"];

/** Of a revision there must be some left: what follows are higher ones, below 2^48. */
export const MAX_REVISION = 2 ** 47;

export interface Place {
  readonly level: number;
  readonly step: number;
  /** The member whose value comes. */
  readonly member: string;
  /** Of a document: the innermost level. */
  readonly isInArray: boolean;
}

/** What must come at a place. */
export function expectedAt(place: Place): string {
  const { level, step } = place;
  switch (step) {
    case NAME:
      return expectedName(level);
    case NAME_OR_END:
      return `${expectedName(level)} or '}'`;
    case MEMBER_COLON:
      return "':'";
    case MEMBER_VALUE:
      return expectedValue(place);
    case ELEMENT_OR_END:
      return `${A_VALUE}, or ']'`;
    case NEXT_OR_END:
      if (level === IN_SINGLE_FORM) return "'}'";
      return level === IN_DOCUMENT && place.isInArray ? "',' or ']'" : "',' or '}'";
    default:
      return level === BEHIND_FILE ? "nothing behind the last '}'" : "'{'";
  }
}

export function expectedName(level: number): string {
  switch (level) {
    case IN_FILE:
      return inQuotes(FILE_MEMBERS);
    case IN_HEAD:
      return inQuotes(HEAD_MEMBERS);
    case IN_DATABASES:
      return "the number of a database in quotes";
    case IN_DATABASE:
      return "a key in quotes";
    case IN_VALUE_FORM:
      return inQuotes([VALUE, EXPIRES]);
    default:
      return "a name in quotes";
  }
}

function expectedValue({ level, member }: Place): string {
  if (level === IN_FILE) return "an object";
  if (level === IN_DATABASES) return "an object with the entries of the database";
  if (level === IN_SINGLE_FORM && member === BASE64) return "base64 in quotes";
  if (level === IN_SINGLE_FORM && member in ELEMENT_FORMS) {
    return ELEMENT_FORMS[member] === "hash" ? "'{'" : "'['";
  }
  if (level === IN_VALUE_FORM && member === EXPIRES) return MOMENT_EXAMPLE;
  return level === IN_HEAD ? expectedInHead(member) : A_VALUE;
}

function expectedInHead(member: string): string {
  if (member === "format") return String(FORMAT);
  if (member === "revision") return `a whole number up to ${MAX_REVISION}`;
  return member === "time" ? MOMENT_EXAMPLE : "a checksum in quotes";
}

const A_VALUE = "a value (strings in double quotes)";

const MOMENT_EXAMPLE = 'a moment such as "2030-01-01T00:00:00.000Z"';

function inQuotes(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(" or ");
}
