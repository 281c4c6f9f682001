/**
 * Names that mean something to kvdb begin with `$`. FORMAT.md says what people need to know of them.
 *
 * A key is its name, but for those that JSON cannot say or that begin with `$`:
 *
 *   "user:1"            the key user:1
 *   "$$price"           the key $price
 *   "$base64:AAH/"      the key of the bytes 00 01 ff
 *   "$index:by_city"    no key: the index by_city, whose definition is the value
 */
import type { EntryType } from "kvdb";
import { Base64Decoder } from "./base64-decoder.ts";
import type { ByteBuilder } from "./byte-builder.ts";

export const DOLLAR = 0x24;
const BACKSLASH = 0x5c;

/** Before the base64 of a key. */
export const KEY_BASE64 = "$base64:";

/** Before the name of an index. */
export const INDEX_NAME = "$index:";

/** Forms of a value: an object whose first member has one of these names. */
export const VALUE = "$value";
export const EXPIRES = "$expires";
export const BASE64 = "$base64";
export const JSON_DOCUMENT = "$json";
export const LIST_FORM = "$list";
export const SET_FORM = "$set";
export const ZSET_FORM = "$zset";
export const HASH_FORM = "$hash";
export const STREAM_FORM = "$stream";

/** `$` as a document may have it escaped; the digits have no letters, so there is one such text. */
const ESCAPED_DOLLAR = Buffer.from("\\u0024");

/** Whether the name whose text is bytes[at, …), behind its quote, begins with `$`. */
export function beginsWithDollar(bytes: { readonly [index: number]: number }, at: number): boolean {
  if (bytes[at] === DOLLAR) return true;
  for (let i = 0; i < ESCAPED_DOLLAR.length; i++) {
    if (bytes[at + i] !== ESCAPED_DOLLAR[i]) return false;
  }
  return true;
}

/** Forms with elements, by their names: the type that each is of. */
export const ELEMENT_FORMS: Readonly<
  Record<string, Exclude<EntryType, "string" | "json" | "index">>
> = {
  [LIST_FORM]: "list",
  [SET_FORM]: "set",
  [ZSET_FORM]: "zset",
  [HASH_FORM]: "hash",
  [STREAM_FORM]: "stream",
};

/** The names of forms as they are written. */
const FORM_TEXTS = [
  ...[VALUE, EXPIRES, BASE64, JSON_DOCUMENT],
  ...[LIST_FORM, SET_FORM, ZSET_FORM, HASH_FORM, STREAM_FORM],
].map((name) => [name, Buffer.from(JSON.stringify(name))] as const);
/** With an escape for every character. */
const LONGEST_FORM_TEXT = 64;

/** The form whose name is the text bytes[start, end), with its quotes; undefined: none. */
export function formNamed(bytes: Buffer, start: number, end: number): string | undefined {
  for (const [name, text] of FORM_TEXTS) {
    let at = 0;
    while (at < text.length && text[at] === bytes[start + at]) at++;
    if (at === text.length && end - start === at) return name;
  }
  if (end - start > LONGEST_FORM_TEXT || bytes.indexOf(BACKSLASH, start) < 0) return undefined;
  const name: string = JSON.parse(bytes.toString("utf8", start, end));
  return FORM_TEXTS.find(([known]) => known === name)?.[0];
}

/** Whether it is the name of an index, and none of a key. */
export function isIndexName(name: ByteBuilder): boolean {
  return name.bytes[0] === DOLLAR && beginsWith(name, INDEX_NAME);
}

/**
 * Makes the key, or the name of an index, of its name, in place. Answers where in `name` it begins;
 * for a name that is neither, what was expected.
 */
export function decodeKeyName(name: ByteBuilder): number | string {
  const { bytes, length } = name;
  if (length === 0 || bytes[0] !== DOLLAR) return 0;
  if (length > 1 && bytes[1] === DOLLAR) return 1;
  if (beginsWith(name, INDEX_NAME)) return INDEX_NAME.length;
  if (!beginsWith(name, KEY_BASE64)) {
    return `a key, in which "$" at the front is written "$$", or "${INDEX_NAME}" and the name of an index`;
  }
  // Three bytes come out of four that were read: what is written never overtakes what is read.
  const decoder = new Base64Decoder();
  name.length = 0;
  const isRight = decoder.run(bytes, KEY_BASE64.length, length, name) === length;
  return isRight && decoder.isWhole ? 0 : `base64 behind "${KEY_BASE64}"`;
}

function beginsWith({ bytes, length }: ByteBuilder, front: string): boolean {
  return length >= front.length && bytes.toString("latin1", 0, front.length) === front;
}
