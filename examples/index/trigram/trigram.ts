/**
 * A kind of index for what stands anywhere in a text: `text matches /pine.*tree/`. It keeps every three
 * characters in a row of each text. What a filter looks for has such triples too: a document that lacks
 * one of them cannot match; the others are looked at by the host.
 */
import type { Condition, Index, IndexCursor, OrderedMap, Value } from "kvdb";
import { definePlugin } from "kvdb";

export default definePlugin<Record<string, never>>({
  name: "trigram",
  apiVersion: 1,
  indexes: () => [
    {
      name: "trigram",
      summary: "What stands anywhere in a text: matches, starts with and =.",
      supports: { unique: false, compound: false, databaseKeys: false },
      readsValues: true,
      create: (host) => createIndex(host.orderedMap()),
    },
  ],
});

function createIndex(map: OrderedMap): Index {
  return {
    apply({ document, valuesBefore, valuesAfter }) {
      for (const key of keysOf(valuesBefore)) map.remove(key, document);
      for (const key of keysOf(valuesAfter)) map.add(key, document);
    },
    hasValues: (values, document) => keysOf(values).every((key) => map.has(key, document)),
    answer({ conditions }) {
      const keys = keysOf(conditions.flatMap(textsIn));
      if (keys.length === 0) return undefined;
      const count = Math.min(...keys.map((key) => map.count(key)));
      return { count, isExact: false, isOrdered: false, open: () => openCursor(map, keys) };
    },
  };
}

/** Through the documents of the rarest triple that have the others too. */
function openCursor(map: OrderedMap, keys: readonly Uint8Array[]): IndexCursor {
  let key = keys.reduce((one, other) => (map.count(other) < map.count(one) ? other : one));
  let inner = map.cursor([key]);
  return {
    next() {
      while (inner.next()) if (keys.every((one) => map.has(one, inner.document))) return true;
      return false;
    },
    get document() {
      return inner.document;
    },
    get key() {
      return key;
    },
    /** A page goes on through the triple that the one before it went through. */
    seek(place, document) {
      key = Buffer.from(place);
      inner = map.cursor([key]);
      inner.seek(key, document);
    },
  };
}

/** Texts that stand in every document which fulfils the condition. */
function textsIn(condition: Condition): string[] {
  if (condition.kind === "prefix") return [condition.prefix];
  if (condition.kind === "regex")
    return literalsIn(condition.source, condition.flags.includes("i"));
  return condition.kind === "equal" && typeof condition.value === "string" ? [condition.value] : [];
}

/** What an expression has between its signs; nothing when it has alternatives, groups or classes. */
function literalsIn(source: string, ignoresCase: boolean): string[] {
  let texts = "";
  for (const [, sign = "", repeat = ""] of source.matchAll(/(\\.|[^\\])([*+?]|\{[^}]*\})?\??/gsu)) {
    if (/^(?:[|()[]|\\\w)$/.test(sign)) return [];
    // What is repeated may be missing; and case is counted in ways of its own beyond ASCII.
    const isAny = /^[.^$]$/.test(sign) || /[*?{]/.test(repeat) || (ignoresCase && sign > "\x7f");
    texts += (isAny ? "\n" : sign.replace(/^\\(?=.)/s, "")) + (repeat && "\n");
  }
  return texts.split("\n");
}

/** Each triple once. */
function keysOf(values: readonly Value[]): Uint8Array[] {
  const found = new Set<string>();
  for (const value of values) {
    if (typeof value !== "string") continue;
    const text = value.toUpperCase().replaceAll("\u212a", "K"); // the sign of the kelvin is a K
    for (let at = 0; at + 3 <= text.length; at++) found.add(text.slice(at, at + 3));
  }
  return [...found].map((triple) => Buffer.from(triple, "utf16le"));
}
