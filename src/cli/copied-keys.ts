/**
 * The keys of a database of a server with their values, some at a time: what SCAN answers, then value and deadline of each as
 * they are in one moment. From a kvdb they come by VALUE.EXPORT, else by DUMP. A key that is there all the while comes at
 * least once; one that comes or goes meanwhile may come or not. The next keys are asked for while those at hand are used.
 */
import type { Part } from "../client/link.ts";
import { KvdbError } from "../errors.ts";
import type { Answer } from "../resp/answer.ts";
import { type EntryKind, ItemProblem, type TransferEntry } from "../transfer/entry.ts";
import { contentOfPayload, moduleTypeOf } from "../transfer/foreign-value.ts";
import { at, type CopyPlace } from "./copy-place.ts";
import { awaitLater } from "./transfer-data.ts";

/** A key as it came, or why it cannot be taken. */
export type CopiedKey =
  | { readonly entry: TransferEntry; readonly problem?: undefined }
  | { readonly entry?: undefined; readonly key: Buffer; readonly problem: string };

export interface CopyWish {
  readonly database: number;
  /** A pattern of SCAN; undefined: all keys. */
  readonly match: string | undefined;
  /** What DUMP answers is wanted as it is, for RESTORE. */
  readonly isRaw: boolean;
}

const SCANNED_AT_ONCE = "1000";
/** Values that are asked for at a time: first so many, then as many as make about as many bytes. */
const FIRST_GROUP = 16;
const LARGEST_GROUP = 512;
const GROUP_BYTES = 1 << 20;
/** PEXPIRETIME came with 7.0. */
const VERSION_WITH_EXPIRETIME = 700;

export function copiedKeys(place: CopyPlace, wish: CopyWish): AsyncGenerator<readonly CopiedKey[]> {
  return oneAhead(groups(place, wish));
}

async function* groups(
  place: CopyPlace,
  { database, match, isRaw }: CopyWish,
): AsyncGenerator<readonly CopiedKey[]> {
  const fetch = isRaw ? dumps : place.isKvdb ? exports : payloads;
  await one(place, ["SELECT", String(database)]);
  let cursor = "0";
  let size = FIRST_GROUP;
  do {
    const pattern = match === undefined ? [] : ["MATCH", match];
    const step = await one(place, ["SCAN", cursor, ...pattern, "COUNT", SCANNED_AT_ONCE]);
    const [next, found] = itemsOf(place, step);
    cursor = bytesOf(place, next).toString();
    const keys = itemsOf(place, found).map((item) => bytesOf(place, item));
    if (keys.length === 0) yield []; // whoever wants it to stop is heard
    for (let from = 0; from < keys.length; ) {
      const asked = keys.slice(from, from + size);
      const { group, count } = await fetch(place, asked);
      yield group;
      from += count;
      size = nextSize(group);
    }
  } while (cursor !== "0");
}

/** The key, the value and the deadline of a key that is there. */
function nextSize(group: readonly CopiedKey[]): number {
  const bytes = group.reduce((sum, { entry }) => sum + (entry?.value.length ?? 0), 0);
  if (group.length === 0) return LARGEST_GROUP;
  return Math.min(
    LARGEST_GROUP,
    Math.max(1, Math.floor((GROUP_BYTES * group.length) / (bytes + 1))),
  );
}

async function* oneAhead<Item>(items: AsyncGenerator<Item>): AsyncGenerator<Item> {
  let next = items.next();
  for (;;) {
    const { done, value } = await next;
    if (done === true) return;
    next = items.next();
    awaitLater(next);
    yield value;
  }
}

/** `count`: of how many keys they are, for an answer may end before the last one. */
interface Fetched {
  readonly group: readonly CopiedKey[];
  readonly count: number;
}

async function exports(place: CopyPlace, keys: readonly Buffer[]): Promise<Fetched> {
  const values = itemsOf(place, await one(place, ["VALUE.EXPORT", ...keys]));
  if (values.length === 0) throw strange(place);
  const group = values.flatMap((answer, i): CopiedKey[] => {
    if (answer.kind === "null") return [];
    const [kind, deadline, value] = itemsOf(place, answer);
    const entry = {
      key: keys[i] as Buffer,
      kind: bytesOf(place, kind).toString() as EntryKind,
      deadlineMs: numberOf(place, deadline),
      value: bytesOf(place, value),
    };
    return [{ entry }];
  });
  return { group, count: values.length };
}

/** For a server that has DUMP alone, in the form that VALUE.IMPORT takes. */
async function payloads(place: CopyPlace, keys: readonly Buffer[]): Promise<Fetched> {
  const { group, count } = await dumps(place, keys);
  const converted: CopiedKey[] = [];
  for (const one of group)
    converted.push(one.entry === undefined ? one : await convert(place, one.entry));
  return { group: converted, count };
}

async function convert(place: CopyPlace, entry: TransferEntry): Promise<CopiedKey> {
  const { key, deadlineMs, value } = entry;
  if (moduleTypeOf(value) === JSON_MODULE) return fetchDocument(place, entry);
  try {
    return { entry: { key, deadlineMs, ...contentOfPayload(value) } };
  } catch (error) {
    if (!(error instanceof ItemProblem)) throw error;
    return { key, problem: error.message };
  }
}

const JSON_MODULE = "ReJSON-RL";

/** A document of Redis's own module: its DUMP is the module's matter, its text is not. */
async function fetchDocument(
  { ask }: CopyPlace,
  { key, deadlineMs }: TransferEntry,
): Promise<CopiedKey> {
  const [answer] = await ask([["JSON.GET", key]]);
  if (answer?.kind === "bulk")
    return { entry: { key, kind: "json", deadlineMs, value: answer.bytes } };
  const reason = answer?.kind === "error" ? `${answer.code} ${answer.text}` : "it has just gone";
  return { key, problem: `JSON.GET: ${reason}` };
}

const DUMP = Buffer.from("DUMP");
const PEXPIRETIME = Buffer.from("PEXPIRETIME");

/**
 * The deadline is asked for in front of the value and behind it: where nothing has changed it, they belong together. All
 * others, few, are asked in a transaction each, which takes twice the time. Not all keys in one: a cluster refuses that.
 */
async function dumps(place: CopyPlace, keys: readonly Buffer[]): Promise<Fetched> {
  if (place.version < VERSION_WITH_EXPIRETIME) return dumpsOfOld(place, keys);
  const answers = await place.ask(
    keys.flatMap((key): Part[][] => [
      [PEXPIRETIME, key],
      [DUMP, key],
      [PEXPIRETIME, key],
    ]),
  );
  const group: CopiedKey[] = [];
  const changed: Buffer[] = [];
  for (const [i, key] of keys.entries()) {
    const own = answers.slice(3 * i, 3 * i + 3);
    for (const answer of own) at(place.name, answer);
    const [before, value, after] = own;
    const deadlineMs = numberOf(place, before);
    if (value?.kind === "null") continue;
    if (numberOf(place, after) !== deadlineMs) changed.push(key);
    else group.push(dumped(key, Math.max(0, deadlineMs), bytesOf(place, value)));
  }
  const again = changed.length === 0 ? [] : (await dumpsOfOld(place, changed)).group;
  return { group: [...group, ...again], count: keys.length };
}

/** Each key in a transaction of its own, by commands that every Redis has. */
async function dumpsOfOld(place: CopyPlace, keys: readonly Buffer[]): Promise<Fetched> {
  const answers = await place.ask(
    keys.flatMap((key): Part[][] => [["MULTI"], ["TIME"], ["PTTL", key], [DUMP, key], ["EXEC"]]),
  );
  const each = answers.length / keys.length;
  const group = keys.flatMap((key, i): CopiedKey[] => {
    const own = answers.slice(i * each, (i + 1) * each);
    for (const answer of own) at(place.name, answer); // of several the first says why
    const results = itemsOf(place, own.at(-1));
    for (const answer of results) at(place.name, answer);
    const [time, left, value] = results;
    if (value?.kind === "null") return [];
    const leftMs = numberOf(place, left);
    const deadlineMs = leftMs < 0 ? 0 : momentOf(place, time) + leftMs;
    return [dumped(key, deadlineMs, bytesOf(place, value))];
  });
  return { group, count: keys.length };
}

function dumped(key: Buffer, deadlineMs: number, value: Buffer): CopiedKey {
  return { entry: { key, kind: "dump", deadlineMs, value } };
}

/** Seconds and microseconds, as TIME answers. */
function momentOf(place: CopyPlace, answer: Answer | undefined): number {
  const [seconds, microseconds] = itemsOf(place, answer).map((item) =>
    Number(bytesOf(place, item).toString()),
  ) as [number, number];
  return seconds * 1000 + Math.floor(microseconds / 1000);
}

// ---- answers ----

async function one(place: CopyPlace, parts: readonly Part[]): Promise<Answer> {
  const [answer] = await place.ask([parts]);
  return at(place.name, answer as Answer);
}

function itemsOf(place: CopyPlace, answer: Answer | undefined): readonly Answer[] {
  if (answer?.kind === "array") return answer.items;
  throw strange(place);
}

function bytesOf(place: CopyPlace, answer: Answer | undefined): Buffer {
  if (answer?.kind === "bulk") return answer.bytes;
  throw strange(place);
}

function numberOf(place: CopyPlace, answer: Answer | undefined): number {
  if (answer?.kind === "integer") return Number(answer.value);
  throw strange(place);
}

function strange({ name }: CopyPlace): KvdbError {
  return new KvdbError("UNAVAILABLE", `${name} answers as no Redis server does`);
}
