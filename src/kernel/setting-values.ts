/**
 * One value in two spellings: as an option, a variable, a redis.conf and CONFIG say it, which is text; and as a key of the
 * configuration has it, which is JSON. Judges nothing: what is not of the kind stays as it is, so that the schema says so.
 */
import { resolve } from "node:path";
import { parseMemorySize } from "../commands/memory-size.ts";
import { levelOfWord } from "./log-words.ts";
import type { Setting } from "./settings.ts";

type Kind = Setting["kind"];

/** `folder`: what relative paths are relative to. */
export function valueOfText(
  { kind }: Pick<Setting, "kind">,
  text: string,
  folder: string,
): unknown {
  return values[kind](text, folder);
}

/** The same in the other direction: what CONFIG SET takes for a value of the configuration. */
export function textOfValue({ kind }: Pick<Setting, "kind">, value: unknown): string {
  return texts[kind](value);
}

const values = {
  text: (text) => text,
  level: (text) => levelOfWord(text) ?? text,
  yesno: (text) => text,
  boolean: (text) => ({ yes: true, no: false })[text.toLowerCase()] ?? text,
  // What the schema counts in times, Redis counts in percent.
  percentage: (text) => (/^\d{1,10}$/.test(text) ? Number(text) / 100 : text),
  size: (text) => parseMemorySize(text) ?? text,
  integer: (text) => (/^-?\d{1,15}$/.test(text) ? Number(text) : text),
  // An empty path stays empty: the schema refuses it, while resolved it would be the current
  // folder.
  path: (text, folder) => (text === "" ? text : resolve(folder, text)),
  words: (text) => text.split(/\s+/).filter((word) => word !== ""),
} as const satisfies Record<Kind, (text: string, folder: string) => unknown>;

const plain = (value: unknown) => String(value);
const joined = (value: unknown) => (Array.isArray(value) ? value.join(" ") : String(value));

const yesOrNo = (value: unknown) =>
  typeof value === "boolean" ? (value ? "yes" : "no") : String(value);

const texts = {
  // A list of rules, as `save` may be, is one text to CONFIG.
  text: joined,
  level: plain,
  yesno: yesOrNo,
  boolean: yesOrNo,
  percentage: (value) => (typeof value === "number" ? String(Math.round(value * 100)) : `${value}`),
  size: plain,
  integer: plain,
  path: plain,
  words: joined,
} as const satisfies Record<Kind, (value: unknown) => string>;
