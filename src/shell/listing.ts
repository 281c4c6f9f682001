/**
 * `list [pattern] [--prefix text] [--limit count] [--cursor key]`: the keys that are there, in byte order;
 * `prefix`, `limit` and `cursor` stand without the dashes as well. The cursor is the last key of the page
 * before: it means the same tomorrow, and in another process.
 *
 * The walk is made of short steps, so that no listing holds up a server, and a page of ten keys takes
 * no more than ten from each step. kvdb answers VALUE.KEYS; a server of others is asked by SCAN.
 */
import { type Part, partText } from "../client/link.ts";
import { KvdbError } from "../errors.ts";
import type { Answer } from "../resp/answer.ts";
import { suggestion } from "../suggest.ts";
import { quoteWord } from "./line.ts";
import { escapeControls } from "./printable.ts";

export interface Listing {
  readonly pattern: Part | undefined;
  readonly prefix: Part | undefined;
  /** Infinity: all. */
  readonly limit: number;
  /** Keys behind this one alone. */
  readonly after: Part | undefined;
}

/** More keys than this are listed as they are found: to sort them takes their memory, and time. */
const MAX_SORTED = 1_000_000;
/** Keys that a step of SCAN looks at. */
const SCAN_COUNT = 1000;

/** For help and completion, as the options that a command declares. */
export const listOptions = [
  { name: "prefix", value: "text", summary: "Keys that begin with the text alone." },
  { name: "limit", value: "count", summary: "So many keys, and the cursor of those behind them." },
  { name: "cursor", value: "key", summary: "Keys behind this one alone." },
] as const;

type Keyword = (typeof listOptions)[number]["name"];

/**
 * A pattern that is called like a keyword, or begins with two dashes, stands behind `--`. Throws a
 * KvdbError USAGE.
 */
export function readListing(words: readonly Part[]): Listing {
  const given: { [keyword in Keyword]?: Part } = {};
  let pattern: Part | undefined;
  // Behind options there may be a pattern; behind bare keywords it would be one that is misspelt.
  let mayBePattern = true;
  for (let at = 0; at < words.length; at++) {
    const text = partText(words[at]);
    const option = text === "--" ? undefined : readOption(text);
    const keyword = listOptions.find(({ name }) => name === text.toLowerCase())?.name;
    const next = words[at + 1];
    if (option !== undefined) {
      if (option.inline === undefined) at++;
      given[option.name] = option.inline ?? required(next, option.name);
    } else if (keyword !== undefined && next !== undefined) {
      given[keyword] = next;
      mayBePattern = false;
      at++;
    } else if (!mayBePattern) throw strange(text);
    else {
      pattern = text === "--" && next !== undefined ? words[++at] : words[at];
      mayBePattern = false;
    }
  }
  return {
    pattern,
    prefix: given.prefix,
    limit: given.limit === undefined ? Number.POSITIVE_INFINITY : positive(given.limit),
    after: given.cursor,
  };
}

/** `--limit` or `--limit=2`; undefined for a word without dashes. */
function readOption(text: string): { name: Keyword; inline: string | undefined } | undefined {
  const [, name = "", inline] = /^--([^=]*)(?:=(.*))?$/s.exec(text) ?? [];
  if (name === "") return undefined;
  const known = listOptions.find((option) => option.name === name.toLowerCase());
  if (known !== undefined) return { name: known.name, inline };
  const near = suggestion(
    `--${name}`,
    listOptions.map((option) => `--${option.name}`),
  );
  const shown = JSON.stringify(`--${name}`);
  const message = `list: unknown option ${shown}${near}; a pattern like that stands behind --`;
  throw new KvdbError("USAGE", message);
}

function required(next: Part | undefined, name: Keyword): Part {
  if (next !== undefined) return next;
  const value = listOptions.find((option) => option.name === name)?.value;
  throw new KvdbError("USAGE", `--${name} needs a ${value}`);
}

export interface ListedKeys {
  readonly answer: Answer;
  /** A word for people beside the answer. */
  readonly note?: string;
}

type Call = (parts: readonly Part[]) => Promise<Answer>;

/** `name`: VALUE.KEYS, or SCAN for a server that has no such command. */
export async function listKeys(name: string, listing: Listing, call: Call): Promise<ListedKeys> {
  const { limit } = listing;
  // One more than asked for tells whether there are more.
  const page = new Page(limit + 1);
  let cursor = "0";
  do {
    const step = await call(stepRequest(name, listing, cursor));
    if (step.kind !== "array") return { answer: step };
    const [next, found] = step.items;
    cursor = next?.kind === "bulk" ? next.bytes.toString() : "0";
    for (const key of found?.kind === "array" ? found.items : []) {
      if (key.kind === "bulk" && isWanted(key.bytes, listing)) page.add(key.bytes);
    }
  } while (cursor !== "0");
  const keys = page.take();
  if (keys.length <= limit) return { answer: listOf(keys) };
  const shown = keys.slice(0, limit);
  const last = cursorWord(wordOf(shown[limit - 1] as Buffer));
  return { answer: listOf(shown), note: `there are more keys: go on with cursor ${last}` };
}

/**
 * The key as it is typed behind `cursor`, here and as an argument in a shell of the system. Single quotes
 * mean the same to both; in double ones that shell would replace $, ` and \\. What single quotes cannot
 * hold is written for here: there are no such arguments everywhere.
 */
function cursorWord(key: string | Buffer): string {
  if (typeof key !== "string") return quoteWord(key);
  if (PLAIN.test(key)) return key;
  // A backslash before the closing quote would take it along, here.
  const isSafe = !key.includes("'") && !key.endsWith("\\") && escapeControls(key) === key;
  return isSafe ? `'${key}'` : escapeControls(JSON.stringify(key));
}

/** Nothing in it is special to any shell. */
const PLAIN = /^[\w%+,./:@][\w%+,./:=@-]*$/;

/** The first keys in byte order of those that are added. */
class Page {
  readonly #size: number;
  #keys: Buffer[] = [];

  constructor(size: number) {
    this.#size = size;
  }

  /** A heap of several pages, cut back now and then: sorting is rare, and memory bounded. */
  add(key: Buffer): void {
    this.#keys.push(key);
    if (this.#keys.length >= 4 * this.#size + SCAN_COUNT) this.#cut();
  }

  take(): readonly Buffer[] {
    const isAll = this.#size === Number.POSITIVE_INFINITY;
    if (!isAll || this.#keys.length <= MAX_SORTED) this.#cut();
    return this.#keys;
  }

  #cut(): void {
    this.#keys.sort(Buffer.compare);
    // SCAN may answer a key twice while a table is rehashed.
    this.#keys = this.#keys.filter((key, at) => at === 0 || !key.equals(this.#keys[at - 1]));
    if (this.#keys.length > this.#size) this.#keys.length = this.#size;
  }
}

function stepRequest(name: string, listing: Listing, cursor: string): Part[] {
  const { pattern, prefix, limit, after } = listing;
  if (name === "SCAN") {
    const match = prefix === undefined ? pattern : `${escapeGlob(partText(prefix))}*`;
    const filter: Part[] = match === undefined ? [] : ["MATCH", match];
    if (pattern === undefined || prefix === undefined) {
      return ["SCAN", cursor, "COUNT", String(SCAN_COUNT), ...filter];
    }
    throw new KvdbError("USAGE", "this server lists by a pattern or by a prefix, not by both");
  }
  return [
    ...[name, "CURSOR", cursor],
    ...(pattern === undefined ? [] : ["MATCH", pattern]),
    ...(prefix === undefined ? [] : ["PREFIX", prefix]),
    ...(after === undefined ? [] : ["AFTER", after]),
    ...(Number.isFinite(limit) ? ["FIRST", String(limit + 1)] : []),
  ];
}

/** SCAN knows no AFTER. */
function isWanted(key: Buffer, { after }: Listing): boolean {
  return after === undefined || Buffer.compare(key, Buffer.from(after)) > 0;
}

function listOf(keys: readonly Buffer[]): Answer {
  return { kind: "array", items: keys.map((bytes) => ({ kind: "bulk", bytes })) };
}

function wordOf(key: Buffer): string | Buffer {
  const text = key.toString();
  return Buffer.from(text).equals(key) ? text : key;
}

function escapeGlob(text: string): string {
  return text.replace(/[*?[\]\\]/g, "\\$&");
}

function positive(part: Part): number {
  const text = partText(part);
  const value = /^\d{1,15}$/.test(text) ? Number(text) : 0;
  if (value >= 1) return value;
  throw new KvdbError(
    "USAGE",
    `limit: expected a whole number of at least 1, found ${JSON.stringify(text)}`,
  );
}

function strange(word: string): KvdbError {
  const near = suggestion(
    word,
    listOptions.map(({ name }) => name),
  );
  return new KvdbError(
    "USAGE",
    `list: expected prefix, limit or cursor, found ${JSON.stringify(word)}${near}`,
  );
}
