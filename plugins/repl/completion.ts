/**
 * What may be put where the cursor is: words of the shell, commands, subcommands, the command's own
 * words and options, keys and fields from the live store. The store is asked a bounded number of
 * times and for a bounded time: a key that is not found in it is not offered.
 */
import { type Answer, type Clock, KvdbError, type Part } from "kvdb";
import {
  type Catalog,
  commandName,
  expectedAfter,
  knownWords,
  optionsOf,
  type ParsedLine,
  parseLine,
  quoteWord,
  subcommandsOf,
  syntaxOf,
  type WordValue,
} from "kvdb/shell";
import { indexKinds, indexNames, type NameSource } from "./field-names.ts";
import { fieldList, filterCandidates } from "./filter-completion.ts";
import { filterAtCursor, type TypedFilter, withFilter } from "./filter-line.ts";
import { completeWords } from "./line-hint.ts";
import { findLocalWord, localWords } from "./local-words.ts";

export interface Completion {
  /** The part of the line that a candidate replaces. */
  readonly start: number;
  readonly end: number;
  /** As they are written in the line, in order. */
  readonly candidates: readonly string[];
}

export interface CompletionSource {
  readonly catalog: Catalog;
  readonly clock: Clock;
  call(parts: readonly Part[]): Promise<Answer>;
}

/** How long and how far the store is searched for one Tab. */
const SEARCH_LIMIT_MS = 50;
const SEARCH_STEPS = 10;
const SEARCH_STEP_KEYS = 200;
const MAX_CANDIDATES = 200;

export async function complete(
  text: string,
  cursor: number,
  source: CompletionSource,
): Promise<Completion> {
  const parsed = parseLine(text.slice(0, cursor));
  const touched = parsed.wordTokens.findIndex(({ end }) => end === cursor);
  const start = touched < 0 ? cursor : (parsed.wordTokens[touched]?.start ?? cursor);
  const typed = touched < 0 ? "" : (parsed.words[touched] ?? "");
  const none = { start, end: cursor, candidates: [] };
  if (parsed.program !== undefined) return none;
  const filter = filterAtCursor(text.slice(0, cursor), parsed);
  if (filter === undefined && parsed.isIncomplete) return none;
  const found = await (filter === undefined
    ? candidatesFor(parsed, cursor, typed, source)
    : candidatesInFilter(parsed, filter, text.slice(filter.start, cursor), source));
  const candidates = [...new Set(found)].sort(byText).slice(0, MAX_CANDIDATES);
  return { ...none, start: filter?.start ?? start, candidates };
}

function candidatesInFilter(
  parsed: ParsedLine,
  filter: TypedFilter,
  typed: string,
  source: CompletionSource,
): Promise<string[]> {
  const [word = ""] = parsed.words.map((one) => String(one).toLowerCase());
  const command = source.catalog.get(word === "index" ? "INDEX" : "FIND");
  // Behind the filter, or the field, any of the command's words.
  const expected = command && expectedAfter(syntaxOf(command, word), ["*"]);
  const keywords = (expected?.tokens ?? []).map((token) => token.toLowerCase());
  return filterCandidates(typed, filter, keywords, namesIn(source));
}

function namesIn({ clock, call }: CompletionSource): NameSource {
  return { clock, call: (parts) => tryCall(call, parts) };
}

/** Not by language: the order must not depend on the machine. */
function byText(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

async function candidatesFor(
  parsed: ParsedLine,
  cursor: number,
  typed: WordValue,
  source: CompletionSource,
): Promise<string[]> {
  const { catalog } = source;
  const words = completeWords(parsed, cursor);
  const [word] = words;
  if (word === undefined) return matching(firstWords(catalog), typed);
  const local = findLocalWord(word);
  if (local?.name === "help") return matching(helpWords(words, catalog), typed);
  const command = catalog.get(commandName(word, catalog));
  const subcommands = command === undefined ? [] : subcommandsOf(command, catalog);
  const isIndex = command?.name === "INDEX";
  if (words.length === 1 && subcommands.length > 0) {
    const fields = isIndex ? await fieldList(String(typed), namesIn(source)) : [];
    return [...matching(subcommands, typed), ...fields];
  }
  const isSub = command !== undefined && subcommands.includes((words[1] ?? "").toLowerCase());
  const actual = isSub ? catalog.get(`${command.name}|${words[1]?.toUpperCase()}`) : command;
  const names = await namesAt(words, String(typed), source);
  if (names !== undefined) return names;
  const syntax = local?.syntax ?? (actual === undefined ? undefined : syntaxOf(actual, word));
  const given = withFilter(words, parsed).slice(isSub ? 2 : 1);
  const expected = syntax === undefined ? undefined : expectedAfter(syntax, given);
  // As the command was typed, so its own words.
  const isUpper = word !== word.toLowerCase();
  const tokens = (expected?.tokens ?? []).map((token) => (isUpper ? token : token.toLowerCase()));
  const declared = actual === undefined ? [] : optionsOf(actual, word);
  const options = declared.map(({ name }) => `--${name}`);
  const isKey = expected?.argument?.type === "key";
  const isField = expected?.argument?.name === "field" && given[0] !== undefined;
  return [
    ...matching(tokens, typed),
    ...matching(options, typed),
    ...(isKey ? await keysFrom(typed, source) : []),
    ...(isField ? await fieldsFrom(given[0] as string, typed, source) : []),
  ];
}

/** Names of indexes, kinds and fields, where the words before ask for one. */
async function namesAt(
  words: readonly string[],
  typed: string,
  source: CompletionSource,
): Promise<string[] | undefined> {
  const [first = "", second = ""] = words.map((word) => word.toLowerCase());
  const last = (words.at(-1) ?? "").toLowerCase();
  const names = namesIn(source);
  if (first === "index") {
    const isNamed = words.length === 2 && NAMED.includes(second);
    if (isNamed) return matching(await indexNames(names), typed);
    if (last === "using") return matching(await indexKinds(names), typed);
    return last === "field" ? fieldList(typed, names) : undefined;
  }
  if (first !== "find" && !(first === "explain" && second === "find")) return undefined;
  if (last === "using") return matching(await indexNames(names), typed);
  return BEFORE_FIELDS.includes(last) ? fieldList(typed, names) : undefined;
}

/** Subcommands of INDEX that take a name. */
const NAMED: readonly string[] = ["drop", "info", "check", "rebuild"];
/** Words of FIND that fields follow. */
const BEFORE_FIELDS: readonly string[] = ["sort", "fields", "by", "sum", "avg", "min", "max"];

function firstWords(catalog: Catalog): string[] {
  const known = knownWords(catalog).filter(
    (word) => catalog.get(commandName(word, catalog)) !== undefined,
  );
  return [...localWords.map(({ name }) => name), ...known];
}

function helpWords(words: readonly string[], catalog: Catalog): string[] {
  const [, asked] = words;
  const container = asked === undefined ? undefined : catalog.get(asked.toUpperCase());
  if (words.length === 1) return firstWords(catalog);
  return words.length === 2 && container !== undefined ? subcommandsOf(container, catalog) : [];
}

/** Who types capitals gets capitals. */
function matching(names: readonly string[], typed: WordValue): string[] {
  const wanted = String(typed);
  const isUpper = /[A-Z]/.test(wanted) && wanted === wanted.toUpperCase();
  const folded = wanted.toLowerCase();
  return names
    .filter((name) => name.toLowerCase().startsWith(folded))
    .map((name) => (isUpper ? name.toUpperCase() : name));
}

// ---- the live store ----

async function keysFrom(typed: WordValue, source: CompletionSource): Promise<string[]> {
  return scan(["SCAN"], typed, 1, source);
}

async function fieldsFrom(
  key: string,
  typed: WordValue,
  source: CompletionSource,
): Promise<string[]> {
  return source.catalog.get("HSCAN") === undefined ? [] : scan(["HSCAN", key], typed, 2, source);
}

/** `step`: how many items belong to a name in the answer. */
async function scan(
  command: readonly Part[],
  typed: WordValue,
  step: number,
  { clock, call }: CompletionSource,
): Promise<string[]> {
  const begunMs = clock.monotonicMs();
  const found: string[] = [];
  let cursor = "0";
  for (let steps = 0; steps < SEARCH_STEPS; steps++) {
    const answer = await tryCall(call, [
      ...command,
      ...[cursor, "MATCH", globOf(typed), "COUNT", String(SEARCH_STEP_KEYS)],
    ]);
    const [next, names] = answer?.kind === "array" ? answer.items : [];
    const items = names !== undefined && "items" in names ? names.items : [];
    for (let at = 0; at < items.length; at += step) {
      const name = items[at];
      if (name?.kind === "bulk") found.push(quoteWord(wordOf(name.bytes)));
    }
    cursor = next?.kind === "bulk" ? next.bytes.toString() : "0";
    const isLate = clock.monotonicMs() - begunMs > SEARCH_LIMIT_MS;
    if (cursor === "0" || isLate || found.length >= MAX_CANDIDATES) break;
  }
  return found;
}

/** Completion helps or does nothing: an answer that does not come is told by the command itself. */
async function tryCall(
  call: CompletionSource["call"],
  parts: readonly Part[],
): Promise<Answer | undefined> {
  try {
    return await call(parts);
  } catch (error) {
    if (error instanceof KvdbError) return undefined;
    throw error;
  }
}

function wordOf(bytes: Buffer): WordValue {
  const text = bytes.toString();
  return Buffer.from(text).equals(bytes) ? text : bytes;
}

function globOf(typed: WordValue): Part {
  const bytes = [...Buffer.from(typed)];
  const escaped = bytes.flatMap((byte) => (GLOB_BYTES.includes(byte) ? [BACKSLASH, byte] : [byte]));
  return Buffer.from([...escaped, STAR]);
}

const BACKSLASH = 0x5c;
const STAR = 0x2a;
const GLOB_BYTES: readonly number[] = [...Buffer.from("*?[]\\")];

/** How far all candidates agree. */
export function commonStart(candidates: readonly string[]): string {
  const [first = "", ...others] = candidates;
  let length = first.length;
  for (const other of others) {
    while (!other.startsWith(first.slice(0, length))) length--;
  }
  return first.slice(0, length);
}
