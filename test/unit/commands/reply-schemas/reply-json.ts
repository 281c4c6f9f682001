/**
 * A RESP3 reply as the JSON value that the schemas of replies speak of: maps are objects, sets and pushes arrays,
 * integers and doubles numbers, statuses, bulk and verbatim strings strings. What JSON cannot hold is an error: a map
 * with the same key twice, a key that is no string, an infinite number. So is an error reply.
 */

import type { ReplyNode } from "../../../oracle/resp-reply.ts";

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

export function toJson(reply: ReplyNode): Json {
  const text = reply.text;
  switch (reply.type) {
    case "+":
    case "$":
      if (text === null) throw new Error("a null of RESP2 in RESP3");
      return text;
    case "=":
      return String(text).slice("txt:".length);
    case ":":
    case ",":
    case "(":
      return toNumber(String(text));
    case "#":
      return text === "t";
    case "_":
      return null;
    case "*":
      if (text === "-1") throw new Error("a null array of RESP2 in RESP3");
      return reply.items.map(toJson);
    case "~":
    case ">":
      return reply.items.map(toJson);
    case "%":
      return toObject(reply.items);
    default:
      throw new Error(`${reply.type}${text}`);
  }
}

function toNumber(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value)) throw new Error(`no number of JSON: ${text}`);
  return value;
}

function toObject(items: readonly ReplyNode[]): Json {
  const object: { [key: string]: Json } = {};
  for (let i = 0; i < items.length; i += 2) {
    const [key, value] = items.slice(i, i + 2).map((item) => toJson(item));
    if (typeof key !== "string" || value === undefined) throw new Error("a key that is no string");
    if (key in object) throw new Error(`the key ${key} twice in a map`);
    object[key] = value;
  }
  return object;
}
