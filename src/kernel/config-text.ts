/**
 * The text of a configuration file, parsed, with the line of each key: JSON with comments, YAML,
 * TOML. The parsers are Bun's. They tell no lines, so the lines are found here, exactly for JSON
 * (jsonc-lines.ts); YAML and TOML are read line by line by people and parsers alike, so there the
 * line of a key is the first at which the text up to it has the key.
 */

import { segmentsOf, valueAt } from "./json-pointer.ts";
import { findJsoncLines } from "./jsonc-lines.ts";

export type ConfigLanguage = "json" | "yaml" | "toml";

export interface ConfigText {
  readonly value: unknown;
  /**
   * Line of a place (JSON Pointer), or of the nearest place around it; undefined when no line can
   * be told.
   */
  lineOf(pointer: string): number | undefined;
}

/** A text that cannot be read. No KvdbError yet: the file's name is known further up. */
export class ConfigTextFault extends Error {
  readonly line: number | undefined;

  constructor(message: string, line?: number) {
    super(message);
    this.line = line;
  }
}

/**
 * A file cut short by a crash or a full disk must not pass as "nothing configured": it may have
 * held the password.
 */
export const EMPTY_FILE = "expected an object, found an empty file";

/**
 * `lineOf` parses a text once for each of its lines; a longer file is told without line numbers.
 */
const MAX_LINES = 1000;

export function parseConfigText(text: string, language: ConfigLanguage): ConfigText {
  const content = text.replace(/^\uFEFF/, "");
  if (content.trim() === "") throw new ConfigTextFault(EMPTY_FILE);
  return language === "json" ? parseJson(content) : parseByLines(content, language);
}

function parseJson(text: string): ConfigText {
  const { lines, fault } = findJsoncLines(text);
  if (fault !== undefined) throw new ConfigTextFault(fault.message, fault.line);
  return {
    value: parseOrFault(() => Bun.JSONC.parse(text)),
    lineOf: (pointer) => nearest(pointer, (place) => lines.get(place)),
  };
}

function parseByLines(text: string, language: "yaml" | "toml"): ConfigText {
  const parse = language === "yaml" ? Bun.YAML.parse : Bun.TOML.parse;
  const value = parseOrFault(
    () => parse(text),
    () => lineByPrefix(text, parse, () => false),
  );
  return {
    value,
    lineOf: (pointer) =>
      nearest(pointer, (place) =>
        place === "" ? 1 : lineByPrefix(text, parse, (partial) => has(partial, place)),
      ),
  };
}

function parseOrFault(parse: () => unknown, line?: () => number | undefined): unknown {
  try {
    return parse();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new ConfigTextFault(message.replace(/^\w+ Parse error: /, ""), line?.());
  }
}

/**
 * The line at which `found` becomes true of the text up to there. Texts that do not parse are a
 * value of several lines that is not over: it began after the last text that did parse. Without a
 * match: the line of the first such beginning that never ends, which is where a syntax fault
 * stands.
 */
function lineByPrefix(
  text: string,
  parse: (text: string) => unknown,
  found: (partial: unknown) => boolean,
): number | undefined {
  const lines = text.split("\n");
  if (lines.length > MAX_LINES) return undefined;
  let lastWhole = 0;
  for (let count = 1; count <= lines.length; count++) {
    const partial = parsePartial(lines.slice(0, count).join("\n"), parse);
    if (partial === unfinished) continue;
    if (found(partial)) return lastWhole + 1;
    lastWhole = count;
  }
  return lastWhole < lines.length ? lastWhole + 1 : undefined;
}

const unfinished = Symbol("unfinished");

function parsePartial(text: string, parse: (text: string) => unknown): unknown {
  try {
    return parse(text);
  } catch {
    return unfinished;
  }
}

function has(root: unknown, pointer: string): boolean {
  const segments = segmentsOf(pointer);
  const last = segments.pop() ?? "";
  const parent = valueAt(root, pointer.slice(0, pointer.lastIndexOf("/")));
  return typeof parent === "object" && parent !== null && Object.hasOwn(parent, last);
}

function nearest(
  pointer: string,
  lineAt: (pointer: string) => number | undefined,
): number | undefined {
  for (let place = pointer; ; place = place.slice(0, place.lastIndexOf("/"))) {
    const line = lineAt(place);
    if (line !== undefined || place === "") return line;
  }
}
