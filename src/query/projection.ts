/**
 * A document with only some of its fields: `FIELDS a,b.c`. Copied from its text, so that numbers
 * keep their lexemes and fields their order. As in MongoDB the shape around a field is kept; in an
 * array every object, and array within, is projected, and what is neither is left out. A name of
 * digits is a name of a field alone, no position.
 */
import type { ReadonlyBytes } from "../store/arena.ts";
import type { FieldPath } from "./field-path.ts";
import { nextValue, skipString, skipValue } from "./json-walk.ts";
import { isName, type PathName, pathNames } from "./path-walk.ts";

const QUOTE = 0x22;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const OPEN_OBJECT = 0x7b;

interface Place {
  readonly name: PathName;
  readonly children: Place[];
  /** The field is wanted with all that is in it. */
  isWhole: boolean;
}

export class Projection {
  /** `@key` is among the fields: the caller's to add. */
  readonly includesKey: boolean;
  readonly #places: readonly Place[];

  constructor(paths: readonly FieldPath[]) {
    this.includesKey = paths.some(({ isKey }) => isKey);
    const places: Place[] = [];
    for (const path of paths) addPath(places, pathNames(path));
    this.#places = places;
  }

  /** The JSON text of what is left of the document bytes[start, end). */
  text(bytes: ReadonlyBytes, start: number, end: number): string {
    return projected(bytes, start, end, this.#places) ?? "{}";
  }
}

function addPath(places: Place[], [name, ...rest]: readonly PathName[]): void {
  if (name === undefined) return;
  let place = places.find((one) => one.name.text === name.text);
  if (place === undefined) {
    place = { name, children: [], isWhole: false };
    places.push(place);
  }
  if (rest.length === 0) place.isWhole = true;
  addPath(place.children, rest);
}

/** Undefined for what is no object and no array. */
function projected(
  bytes: ReadonlyBytes,
  start: number,
  end: number,
  places: readonly Place[],
): string | undefined {
  if (bytes[start] === OPEN_OBJECT) return projectedObject(bytes, start, end, places);
  return bytes[start] === OPEN_ARRAY ? projectedArray(bytes, start, end, places) : undefined;
}

/** Of several equal keys the last one counts, where the first stood. */
function projectedObject(
  bytes: ReadonlyBytes,
  start: number,
  end: number,
  places: readonly Place[],
): string {
  const fields = new Map<Place, string | undefined>();
  let at = start + 1;
  while (at < end && bytes[at] === QUOTE) {
    const key = at;
    const keyEnd = skipString(bytes, at, end);
    const value = keyEnd < end && bytes[keyEnd] === COLON ? keyEnd + 1 : keyEnd;
    const valueEnd = skipValue(bytes, value, end);
    const place = places.find(({ name }) => isName(bytes, key + 1, keyEnd - 1, name));
    if (place !== undefined) {
      const inside = place.isWhole
        ? bytes.toString("utf8", value, valueEnd)
        : projected(bytes, value, valueEnd, place.children);
      const name = bytes.toString("utf8", key, keyEnd);
      fields.set(place, inside === undefined ? undefined : `${name}:${inside}`);
    }
    at = nextValue(bytes, valueEnd, end);
  }
  return `{${[...fields.values()].filter((field) => field !== undefined).join(",")}}`;
}

function projectedArray(
  bytes: ReadonlyBytes,
  start: number,
  end: number,
  places: readonly Place[],
): string {
  const elements: string[] = [];
  for (let at = start + 1; at < end; ) {
    const elementEnd = skipValue(bytes, at, end);
    if (elementEnd === at) break;
    const element = projected(bytes, at, elementEnd, places);
    if (element !== undefined) elements.push(element);
    at = nextValue(bytes, elementEnd, end);
  }
  return `[${elements.join(",")}]`;
}
