/**
 * SORT and SORT_RO: the elements of a list, a set or a sorted set in another order, by their own values or by those that
 * they name elsewhere (sort-pattern.ts). What is sorted are the numbers of elements, which are copied first: looking others
 * up may let keys expire.
 *
 * Redis leaves the order open of what is equal, and of a set that is not sorted. Here equal elements come by their bytes, so
 * that the record of SORT … STORE, the command itself, makes the same list wherever it is replayed.
 */
import type { Session } from "../session/session.ts";
import { ElementPart } from "../store/element-part.ts";
import { ElementReader } from "../store/element-reader.ts";
import { LIST, PACKED, SET, typeOf, ZSET } from "../store/entry.ts";
import { parseFloatText } from "../store/number-text.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { CommandError, notAnInteger, syntaxError, wrongType } from "./command-error.ts";
import { requireGrowth } from "./growth.ts";
import { keyEvents, tellKey } from "./key-event.ts";
import type { Reply } from "./reply.ts";
import { type Part, SortPattern } from "./sort-pattern.ts";

interface SortOptions {
  descends: boolean;
  /** By bytes, not by numbers. */
  isAlphabetic: boolean;
  by: SortPattern | undefined;
  readonly gets: SortPattern[];
  start: number;
  /** Negative: all. */
  count: number;
  /** The argument with the key that the result goes to; 0: it is the reply. */
  store: number;
}

function sortOptions(session: Session, args: Arguments, mayStore: boolean): SortOptions {
  const options: SortOptions = {
    descends: false,
    isAlphabetic: false,
    by: undefined,
    gets: [],
    start: 0,
    count: -1,
    store: 0,
  };
  for (let i = 2; i < args.count; i++) {
    const left = args.count - i - 1;
    if (args.is(i, "ASC")) options.descends = false;
    else if (args.is(i, "DESC")) options.descends = true;
    else if (args.is(i, "ALPHA")) options.isAlphabetic = true;
    else if (args.is(i, "LIMIT") && left >= 2) {
      options.start = integerAt(args, ++i);
      options.count = integerAt(args, ++i);
    } else if (mayStore && args.is(i, "STORE") && left >= 1) options.store = ++i;
    else if (args.is(i, "BY") && left >= 1) {
      options.by = new SortPattern(session, args.bytes(++i));
      if (!options.by.isConstant) requireAllKeys(session, args, "BY");
    } else if (args.is(i, "GET") && left >= 1) {
      requireAllKeys(session, args, "GET");
      options.gets.push(new SortPattern(session, args.bytes(++i)));
    } else throw syntaxError();
  }
  return options;
}

/** The keys that such an option makes up are named by no argument, so only who may read all has it. */
function requireAllKeys(session: Session, args: Arguments, option: string): void {
  const command = session.server.commands.get(args.latin(0).toUpperCase()) as Command;
  if (session.server.accounts.mayReadAllKeys(session, { command, args, start: 0 })) return;
  const text = `${option} option of SORT denied due to insufficient ACL permissions.`;
  throw new CommandError("ERR", text);
}

function integerAt(args: Arguments, index: number): number {
  const value = args.integer(index);
  if (Number.isNaN(value)) throw notAnInteger();
  return value;
}

/** The elements, copied. */
class SortedElements {
  bytes = Buffer.allocUnsafe(1024);
  readonly #ends: number[] = [];
  /** Of each its first bytes as a number: most comparisons need no more, at a tenth of the cost of a call. */
  readonly #fronts: number[] = [];

  get count(): number {
    return this.#ends.length;
  }

  add(bytes: Buffer, start: number, end: number): void {
    const at = this.#ends.at(-1) ?? 0;
    const needed = at + end - start;
    if (needed > this.bytes.length) {
      const larger = Buffer.allocUnsafe(2 * needed);
      this.bytes.copy(larger, 0, 0, at);
      this.bytes = larger;
    }
    bytes.copy(this.bytes, at, start, end);
    this.#ends.push(needed);
    this.#fronts.push(frontOf(bytes, start, end));
  }

  startOf(index: number): number {
    return index === 0 ? 0 : this.#ends[index - 1];
  }

  at(index: number): Part {
    return { bytes: this.bytes, start: this.startOf(index), end: this.#ends[index] };
  }

  compare(a: number, b: number): number {
    const difference = this.#fronts[a] - this.#fronts[b];
    if (difference !== 0) return difference;
    const { bytes } = this;
    return bytes.compare(bytes, this.startOf(b), this.#ends[b], this.startOf(a), this.#ends[a]);
  }
}

/** Bytes of a front: what a double holds exactly. */
const FRONT_BYTES = 6;

/** In the order of the strings, as far as it reaches; behind a short one are zeros. */
function frontOf(bytes: Buffer, start: number, end: number): number {
  let front = 0;
  for (let i = 0; i < FRONT_BYTES; i++)
    front = front * 256 + (start + i < end ? bytes[start + i] : 0);
  return front;
}

const reader = new ElementReader();

/** Those under argument 1. */
function elementsOf(session: Session, args: Arguments): { type: number; found: SortedElements } {
  const { database } = session;
  const found = new SortedElements();
  const entry = database.read(args.buffer, args.start[1], args.end[1]);
  if (entry === 0) return { type: LIST, found };
  const type = typeOf(database.arena, entry);
  if (type !== LIST && type !== SET && type !== ZSET) throw wrongType();
  reader.begin(database.keyspace.collections.types, database.arena, entry);
  while (reader.next()) found.add(reader.bytes as Buffer, reader.start, reader.end);
  return { type, found };
}

/** The numbers of the elements in the order that is asked for. */
function inOrder(type: number, found: SortedElements, options: SortOptions): number[] {
  const order = Array.from({ length: found.count }, (_, index) => index);
  const { by, store, descends } = options;
  if (by?.isConstant === true) {
    if (type !== SET) return descends ? order.reverse() : order;
    if (store === 0) return order;
    // What is stored must be the same wherever it is replayed.
    return order.sort((a, b) => (descends ? -found.compare(a, b) : found.compare(a, b)));
  }
  const compare = options.isAlphabetic ? byText(found, by) : byNumber(found, by);
  return order.sort(descends ? (a, b) => -compare(a, b) : compare);
}

type Compare = (a: number, b: number) => number;

function byNumber(found: SortedElements, by: SortPattern | undefined): Compare {
  const weights = Float64Array.from({ length: found.count }, (_, index) => {
    const element = found.at(index);
    const weight = by === undefined ? element : by.valueOf(element);
    return weight === undefined ? 0 : weightOf(weight);
  });
  // As in Redis, all are looked up first: what is missing is told of.
  if (weights.some(Number.isNaN)) {
    throw new CommandError("ERR", "One or more scores can't be converted into double");
  }
  return (a, b) => {
    if (weights[a] === weights[b]) return found.compare(a, b);
    return weights[a] < weights[b] ? -1 : 1;
  };
}

/**
 * As C's strtod reads a whole string: white space before it is skipped, a zero byte ends it, and none is 0. NaN: it is no
 * number.
 */
function weightOf({ bytes, start, end }: Part): number {
  const zero = bytes.subarray(start, end).indexOf(0);
  const stop = zero < 0 ? end : start + zero;
  if (start === stop) return 0;
  let at = start;
  while (at < stop && (bytes[at] === 0x20 || (bytes[at] >= 9 && bytes[at] <= 13))) at++;
  return parseFloatText(bytes, at, stop);
}

function byText(found: SortedElements, by: SortPattern | undefined): Compare {
  if (by === undefined) return (a, b) => found.compare(a, b);
  const texts = Array.from({ length: found.count }, (_, index) => {
    const text = by.valueOf(found.at(index));
    return text && Buffer.from(text.bytes.subarray(text.start, text.end));
  });
  return (a, b) => {
    const [one, other] = [texts[a], texts[b]];
    if (one === undefined || other === undefined) {
      return one === other ? found.compare(a, b) : one === undefined ? -1 : 1;
    }
    return Buffer.compare(one, other) || found.compare(a, b);
  };
}

function sortCommand(mayStore: boolean) {
  return (session: Session, args: Arguments, reply: Reply): void => {
    const options = sortOptions(session, args, mayStore);
    const { type, found } = elementsOf(session, args);
    const order = inOrder(type, found, options);
    const start = Math.min(Math.max(options.start, 0), found.count);
    const end = options.count < 0 ? found.count : Math.min(start + options.count, found.count);
    const shown = order.slice(start, end);
    if (options.store === 0) replySorted(shown, found, options.gets, reply);
    else reply.integer(storeSorted(session, args, options, { shown, found }));
  };
}

function replySorted(
  shown: readonly number[],
  found: SortedElements,
  gets: readonly SortPattern[],
  reply: Reply,
): void {
  reply.array(shown.length * Math.max(1, gets.length));
  for (const index of shown) {
    const element = found.at(index);
    if (gets.length === 0) reply.bulk(element.bytes, element.start, element.end);
    for (const get of gets) {
      const part = get.valueOf(element);
      if (part === undefined) reply.null();
      else reply.bulk(part.bytes, part.start, part.end);
    }
  }
}

/** Makes the list of what is asked for; answers its length. What an element does not have is an empty string. */
function storeSorted(
  session: Session,
  args: Arguments,
  { store, gets }: SortOptions,
  { shown, found }: { shown: readonly number[]; found: SortedElements },
): number {
  const parts: { run: Buffer; end: number }[] = [];
  let part = new ElementPart();
  const add = (element: Part | undefined): void => {
    if (part.isFull) {
      parts.push({ run: part.run, end: part.end });
      part = new ElementPart();
    }
    if (element === undefined) part.string(args.buffer, 0, 0);
    else part.string(element.bytes, element.start, element.end);
  };
  for (const index of shown) {
    const element = found.at(index);
    if (gets.length === 0) add(element);
    for (const get of gets) add(get.valueOf(element));
  }
  if (part.end > 0) parts.push({ run: part.run, end: part.end });
  requireGrowth(
    session,
    parts.reduce((sum, { end }) => sum + end, 0),
  );
  putList(session, args, store, parts);
  return shown.length * Math.max(1, gets.length);
}

/** In the place of what the key under argument `key` has; nothing is no list. */
function putList(
  session: Session,
  args: Arguments,
  key: number,
  parts: readonly { run: Buffer; end: number }[],
): void {
  const { database } = session;
  const { buffer, start, end } = args;
  const old = database.find(buffer, start[key], end[key]);
  if (parts.length === 0) {
    if (old !== 0) {
      database.remove(old);
      tellKey(session, keyEvents.del, args, key);
    }
    return;
  }
  const kind = LIST | (PACKED << 4);
  let entry = database.put(old, buffer, start[key], end[key], kind, 0, 0, 0);
  const lists = database.keyspace.collections.types.of(LIST);
  for (const { run, end: runEnd } of parts) {
    entry = lists.readPart(database, entry, { run, at: 0, end: runEnd, isTimed: false });
  }
  tellKey(session, keyEvents.sortstore, args, key);
}

const SYNTAX =
  "key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC | DESC] [ALPHA]";

export const sortCommands: readonly Command[] = [
  {
    name: "SORT",
    arity: -2,
    flags: ["write", "denyoom", "movablekeys"],
    group: "generic",
    keys: [1, 1, 1],
    keysByContent: true,
    keyAfter: { words: ["STORE"], from: 2, passing: { BY: 1, GET: 1, LIMIT: 2 } },
    since: "1.0.0",
    summary:
      "Returns the elements of a list, a set or a sorted set in order, or stores them as a list.",
    syntax: `${SYNTAX} [STORE destination]`,
    run: sortCommand(true),
  },
  {
    name: "SORT_RO",
    arity: -2,
    flags: ["readonly", "movablekeys"],
    group: "generic",
    keys: [1, 1, 1],
    keysByContent: true,
    since: "7.0.0",
    summary: "Returns the elements of a list, a set or a sorted set in order.",
    syntax: SYNTAX,
    run: sortCommand(false),
  },
];
