/**
 * Going through keys in byte order, a page at a time: what comes and goes behind the page is seen. With an index of the keys
 * a page costs its keys. Without one it costs a walk over all keys, so pages are as long as memory allows then: the keys of
 * one are sorted out of all, and a program that does not know of indexes is served all the same.
 */
import { KvdbError } from "../errors.ts";
import type { Answer } from "../resp/answer.ts";
import { boundsOfPrefix, type KeyBounds, within } from "../session/key-order.ts";
import {
  notBoolean,
  positiveInteger,
  requireKey,
  requireKeys,
  requireText,
} from "./checked-options.ts";
import type { Key } from "./database.ts";
import { type KeyStep, readKeyStep } from "./key-steps.ts";
import type { RangeOptions } from "./store-types.ts";

/** Keys read ahead: few at first, since many programs want few. */
const FIRST_PAGE = 64;
const MAX_PAGE = 1024;
/** Keys of a page that takes a walk over all. */
const SORTED_PAGE = 65_536;

export interface KeyRange {
  readonly bounds: KeyBounds;
  readonly isReverse: boolean;
  readonly limit: number;
}

/** `whole`: makes the key that is stored of one that the program says; `prefix`: what that puts before it. */
export function readRange(options: RangeOptions = {}, prefix: Buffer): KeyRange {
  requireKeys("options", options, ["prefix", "gte", "gt", "lte", "lt", "reverse", "limit"]);
  const { reverse = false, limit } = options;
  if (options.prefix !== undefined) requireText("options.prefix", options.prefix);
  if (typeof reverse !== "boolean") throw notBoolean("options.reverse", reverse);
  if (limit !== undefined && limit !== 0) positiveInteger("options.limit", limit);
  const whole = (name: "gte" | "gt" | "lte" | "lt"): Buffer | null => {
    const key = options[name];
    if (key === undefined) return null;
    requireKey(`options.${name}`, key);
    return Buffer.concat([prefix, bytesOf(key)]);
  };
  const all = boundsOfPrefix(Buffer.concat([prefix, bytesOf(options.prefix ?? "")]));
  const closed = { low: whole("gte"), includesLow: true, high: whole("lte"), includesHigh: true };
  const open = { low: whole("gt"), includesLow: false, high: whole("lt"), includesHigh: false };
  return {
    bounds: within(within(all, closed), open),
    isReverse: reverse,
    limit: limit ?? Number.POSITIVE_INFINITY,
  };
}

function bytesOf(key: Key): Uint8Array {
  return typeof key === "string" ? Buffer.from(key) : key;
}

type Ask = (command: readonly (string | Uint8Array)[]) => Answer;

/** The keys within the range in its order, without heed of the limit: some may be gone when they are looked at. */
export function* walkRange(ask: Ask, { bounds, isReverse, limit }: KeyRange): Generator<Buffer> {
  let left = bounds;
  for (let size = Math.min(limit, FIRST_PAGE); ; size = Math.min(4 * size, MAX_PAGE)) {
    const page = readPage(ask, left, isReverse, size, Math.min(limit, SORTED_PAGE));
    yield* page.keys;
    const last = page.keys.at(-1);
    if (page.isLast || last === undefined) return;
    left = isReverse
      ? { ...left, high: last, includesHigh: false }
      : { ...left, low: last, includesLow: false };
  }
}

interface Page {
  readonly keys: readonly Buffer[];
  /** There are none behind it. */
  readonly isLast: boolean;
}

function readPage(
  ask: Ask,
  bounds: KeyBounds,
  isReverse: boolean,
  size: number,
  sortedSize: number,
): Page {
  const first = readStep(ask, bounds, isReverse, size, "0");
  if (first.cursor === "0" || isInOrder(first)) {
    return pageOf(first.keys, isReverse, size, first.cursor === "0");
  }
  // All keys are gone through: for as many as possible.
  let keys: Buffer[] = [];
  let wanted = bounds;
  for (let cursor = "0"; ; ) {
    const step = readStep(ask, wanted, isReverse, sortedSize, cursor);
    for (const key of step.keys) keys.push(key);
    cursor = step.cursor;
    if (cursor === "0") return pageOf(keys, isReverse, sortedSize, true);
    if (keys.length > 2 * sortedSize) {
      keys = sorted(keys, isReverse).slice(0, sortedSize);
      wanted = upTo(wanted, keys.at(-1), isReverse);
    }
  }
}

/** What lies behind the last key of a full page is not wanted in it. */
function upTo(bounds: KeyBounds, last: Buffer | undefined, isReverse: boolean): KeyBounds {
  if (last === undefined) return bounds;
  return isReverse
    ? { ...bounds, low: last, includesLow: true }
    : { ...bounds, high: last, includesHigh: true };
}

/** The keys of a step that came in order, and is not over, are the first ones. */
function isInOrder({ cursor }: KeyStep): boolean {
  return cursor.startsWith("0@");
}

function pageOf(found: readonly Buffer[], isReverse: boolean, size: number, isAll: boolean): Page {
  const keys = sorted(found, isReverse).slice(0, size);
  return { keys, isLast: isAll && keys.length < size };
}

function sorted(keys: readonly Buffer[], isReverse: boolean): Buffer[] {
  const direction = isReverse ? -1 : 1;
  return [...keys].sort((one, other) => direction * Buffer.compare(one, other));
}

function readStep(
  ask: Ask,
  { low, includesLow, high, includesHigh }: KeyBounds,
  isReverse: boolean,
  first: number,
  cursor: string,
): KeyStep {
  const command: (string | Uint8Array)[] = ["VALUE.KEYS", "CURSOR", cursor, "FIRST", String(first)];
  if (low !== null) command.push(includesLow ? "FROM" : "AFTER", low);
  if (high !== null) command.push(includesHigh ? "UPTO" : "BEFORE", high);
  if (isReverse) command.push("REV");
  return readKeyStep(ask(command));
}

/** What a value that is none throws, with its key. */
export function withKey(error: unknown, key: string): unknown {
  return error instanceof KvdbError ? error.prefix(`key ${JSON.stringify(key)}`) : error;
}
