/**
 * Members of a sorted set around a position on earth: GEOSEARCH and GEOSEARCHSTORE, and the older GEORADIUS and its kin, which
 * say the same in other words.
 *
 * Records: what is stored becomes DEL and ZADD, since the distances are made of sines that another machine may round otherwise.
 */
import type { Session } from "../session/session.ts";
import type { ReadonlyBytes } from "../store/arena.ts";
import { formatDouble } from "../store/number-text.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { CommandError, notAnInteger, syntaxError } from "./command-error.ts";
import { cellsAround, distanceInside, type Shape } from "./geo-area.ts";
import { lengthOf, positionAt, replyDistance, replyPosition, unitAt } from "./geo-arguments.ts";
import { firstScore, type Position, positionOf, scoresIn } from "./geohash.ts";
import { roomForMembers } from "./growth.ts";
import { keyEvents } from "./key-event.ts";
import type { Reply } from "./reply.ts";
import {
  findMember,
  makeDraft,
  readSortedSet,
  sortedSetsOf,
  storeDraft,
} from "./sorted-set-value.ts";

const DEL = Buffer.from("DEL");
const ZADD = Buffer.from("ZADD");

/** How a command says what it searches. */
interface Form {
  /** Argument of the source. */
  readonly source: number;
  /** First argument behind what stands at a fixed place. */
  readonly options: number;
  /** Center and shape: given by options, by longitude, latitude, radius, unit, or by member, radius, unit. */
  readonly from: "options" | "position" | "member";
  /** Where the result is stored: nowhere, under argument 1, or where an option says. */
  readonly stores: "never" | "always" | "option";
}

/** What is asked for, as it is read. Arguments are 0 while they are not given. */
interface Search {
  readonly form: Form;
  /** Of the source; 0: there is none. */
  readonly entry: number;
  center: Position | null;
  /** The center was given as a member. */
  isCenterMember: boolean;
  shape: Shape | null;
  withDistance: boolean;
  withScore: boolean;
  withPosition: boolean;
  /** 0: all. */
  count: number;
  isAny: boolean;
  order: "none" | "nearest" | "farthest";
  /** Argument of the key that the result is stored under. */
  target: number;
  storesDistance: boolean;
}

interface Point {
  readonly bytes: ReadonlyBytes;
  readonly start: number;
  readonly end: number;
  readonly score: number;
  readonly position: Position;
  readonly distance: number;
}

/** Stands for the position of a member of a set that does not exist: nothing is searched. */
const NOWHERE: Position = { longitude: 0, latitude: 0 };

// ---- reading what is asked for ----

function readSearch(session: Session, args: Arguments, form: Form): Search {
  const search: Search = {
    form,
    entry: readSortedSet(session, args, form.source),
    center: null,
    isCenterMember: false,
    shape: null,
    withDistance: false,
    withScore: false,
    withPosition: false,
    count: 0,
    isAny: false,
    order: "none",
    target: form.stores === "always" ? 1 : 0,
    storesDistance: false,
  };
  readFixed(session, args, search);
  for (let i = form.options; i < args.count; ) i = readOption(session, args, i, search);
  requireSense(args, search);
  return search;
}

function readFixed(session: Session, args: Arguments, search: Search): void {
  const { from, options } = search.form;
  if (from === "options") return;
  if (from === "position") search.center = positionAt(args, 2);
  else if (search.entry === 0) return;
  else search.center = memberPosition(session, args, 2, search);
  search.shape = circleAt(args, options - 2);
}

function circleAt(args: Arguments, index: number): Shape {
  const radius = lengthOf(args, index, "radius");
  if (radius < 0) throw new CommandError("ERR", "radius cannot be negative");
  return { kind: "circle", radius, unit: unitAt(args, index + 1) };
}

function boxAt(args: Arguments, index: number): Shape {
  const width = lengthOf(args, index, "width");
  const height = lengthOf(args, index + 1, "height");
  if (height < 0 || width < 0) {
    throw new CommandError("ERR", "height or width cannot be negative");
  }
  return { kind: "box", width, height, unit: unitAt(args, index + 2) };
}

function memberPosition(
  session: Session,
  args: Arguments,
  index: number,
  { entry }: Search,
): Position {
  if (entry === 0) return NOWHERE;
  if (!findMember(session, args, entry, index)) {
    throw new CommandError("ERR", "could not decode requested zset member");
  }
  return positionOf(sortedSetsOf(session).score);
}

/** Reads the option at argument `i`; answers the argument behind it. */
function readOption(session: Session, args: Arguments, i: number, search: Search): number {
  if (args.is(i, "WITHDIST")) search.withDistance = true;
  else if (args.is(i, "WITHHASH")) search.withScore = true;
  else if (args.is(i, "WITHCOORD")) search.withPosition = true;
  else if (args.is(i, "ANY")) search.isAny = true;
  else if (args.is(i, "ASC")) search.order = "nearest";
  else if (args.is(i, "DESC")) search.order = "farthest";
  else if (args.is(i, "COUNT") && i + 1 < args.count) {
    search.count = countAt(args, i + 1);
    return i + 2;
  } else if (search.form.from === "options") return readPlace(session, args, i, search);
  else return readTarget(args, i, search);
  return i + 1;
}

function countAt(args: Arguments, index: number): number {
  const count = args.integer(index);
  if (Number.isNaN(count)) throw notAnInteger();
  if (count <= 0) throw new CommandError("ERR", "COUNT must be > 0");
  return count;
}

/** STORE and STOREDIST of the older commands. */
function readTarget(args: Arguments, i: number, search: Search): number {
  const isDistance = args.is(i, "STOREDIST");
  const isTarget = isDistance || args.is(i, "STORE");
  if (!isTarget || search.form.stores === "never" || i + 1 >= args.count) throw syntaxError();
  search.target = i + 1;
  search.storesDistance = isDistance;
  return i + 2;
}

/** Center, shape and STOREDIST of the newer ones: which of the two ways comes first, excludes the other. */
function readPlace(session: Session, args: Arguments, i: number, search: Search): number {
  const left = args.count - 1 - i;
  const { center, shape } = search;
  const hasMember = search.isCenterMember;
  const hasPosition = center !== null && !hasMember;
  if (left >= 1 && !hasPosition && args.is(i, "FROMMEMBER")) {
    search.center = memberPosition(session, args, i + 1, search);
    search.isCenterMember = true;
    return i + 2;
  }
  if (left >= 2 && !hasMember && args.is(i, "FROMLONLAT")) {
    search.center = positionAt(args, i + 1);
    return i + 3;
  }
  if (left >= 2 && shape?.kind !== "box" && args.is(i, "BYRADIUS")) {
    search.shape = circleAt(args, i + 1);
    return i + 3;
  }
  if (left >= 3 && shape?.kind !== "circle" && args.is(i, "BYBOX")) {
    search.shape = boxAt(args, i + 1);
    return i + 4;
  }
  if (search.form.stores !== "always" || !args.is(i, "STOREDIST")) throw syntaxError();
  search.storesDistance = true;
  return i + 1;
}

function requireSense(args: Arguments, search: Search): void {
  const { form, target, center, shape } = search;
  if (target !== 0 && (search.withDistance || search.withScore || search.withPosition)) {
    const who = form.stores === "always" ? "GEOSEARCHSTORE" : "STORE option in GEORADIUS";
    throw new CommandError(
      "ERR",
      `${who} is not compatible with WITHDIST, WITHHASH and WITHCOORD options`,
    );
  }
  if (form.from === "options" && center === null) {
    throw new CommandError(
      "ERR",
      `exactly one of FROMMEMBER or FROMLONLAT can be specified for ${args.latin(0)}`,
    );
  }
  if (form.from === "options" && shape === null) {
    throw new CommandError(
      "ERR",
      `exactly one of BYRADIUS and BYBOX can be specified for ${args.latin(0)}`,
    );
  }
  if (search.isAny && search.count === 0) {
    throw new CommandError("ERR", "the ANY argument requires COUNT argument");
  }
}

// ---- finding ----

/** The points to be answered, in order. They lie where the set has them: good until something changes. */
function findPoints(session: Session, search: Search): Point[] {
  const { entry, center, shape, count, isAny } = search;
  if (entry === 0 || center === null || shape === null) return [];
  const points: Point[] = [];
  const most = isAny ? count : Number.POSITIVE_INFINITY;
  for (const cell of cellsAround(shape, center)) {
    if (points.length >= most) break;
    const low = firstScore(cell);
    addPoints(session, search, low, low + scoresIn(cell.steps), most, points);
  }
  sortPoints(points, search);
  return count === 0 ? points : points.slice(0, count);
}

/** Adds those with scores in [low, high) that are inside, up to `most` in all. */
function addPoints(
  session: Session,
  { entry, center, shape }: Search,
  low: number,
  high: number,
  most: number,
  points: Point[],
): void {
  const sets = sortedSetsOf(session);
  const first = sets.countBelow(entry, low, false);
  let left = sets.countBelow(entry, high, false) - first;
  if (left > 0) sets.seek(entry, first);
  for (; left > 0 && points.length < most; left--) {
    sets.next();
    const { bytes, start, end, score } = sets;
    const position = positionOf(score);
    const found = distanceInside(shape as Shape, center as Position, position);
    if (found >= 0) points.push({ bytes, start, end, score, position, distance: found });
  }
}

function sortPoints(points: Point[], { order, count, isAny }: Search): void {
  if (order === "farthest") points.sort((a, b) => b.distance - a.distance);
  // The first so many of no order would mean nothing.
  else if (order === "nearest" || (count > 0 && !isAny)) {
    points.sort((a, b) => a.distance - b.distance);
  }
}

// ---- answering ----

function searching(form: Form) {
  return (session: Session, args: Arguments, reply: Reply): void => {
    const search = readSearch(session, args, form);
    const points = findPoints(session, search);
    if (search.target !== 0) storePoints(session, args, search, points);
    if (search.target !== 0) reply.integer(points.length);
    else replyPoints(search, points, reply);
  };
}

function replyPoints(search: Search, points: readonly Point[], reply: Reply): void {
  const { withDistance, withScore, withPosition, shape } = search;
  const parts = 1 + Number(withDistance) + Number(withScore) + Number(withPosition);
  reply.array(points.length);
  for (const { bytes, start, end, score, position, distance } of points) {
    if (parts > 1) reply.array(parts);
    reply.bulk(bytes, start, end);
    if (withDistance) replyDistance(distance / (shape as Shape).unit, reply);
    if (withScore) reply.integer(Math.trunc(score));
    if (withPosition) replyPosition(position, reply);
  }
}

function storePoints(
  session: Session,
  args: Arguments,
  search: Search,
  points: readonly Point[],
): void {
  const { target, storesDistance, shape } = search;
  recordStore(session, args, target, points.length);
  const requireRoom = roomForMembers(session, [search.entry]);
  makeDraft(session, { requireRoom }, (draft) => {
    for (const { bytes, start, end, score, distance } of points) {
      const stored = storesDistance ? distance / (shape as Shape).unit : score;
      draft.find(bytes, start, end);
      draft.add(stored, bytes, start, end);
      session.server.effects.text(formatDouble(stored));
      session.server.effects.bytes(bytes, start, end);
    }
  });
  const isSearch = search.form.stores === "always";
  const event = isSearch ? keyEvents.geosearchstore : keyEvents.georadiusstore;
  storeDraft(session, args, target, event);
}

/** Begins the record; `count` scores and members follow. */
function recordStore(session: Session, args: Arguments, target: number, count: number): void {
  const { effects } = session.server;
  effects.command(2);
  effects.bytes(DEL, 0, DEL.length);
  effects.bytes(args.buffer, args.start[target], args.end[target]);
  if (count === 0) return;
  effects.command(2 + 2 * count);
  effects.bytes(ZADD, 0, ZADD.length);
  effects.bytes(args.buffer, args.start[target], args.end[target]);
}

const FROM = "<FROMMEMBER member | FROMLONLAT longitude latitude>";
const UNIT = "<M | KM | FT | MI>";
const BY = `<BYRADIUS radius ${UNIT} | BYBOX width height ${UNIT}>`;
const ORDER = "[ASC | DESC] [COUNT count [ANY]]";
const WITH = "[WITHCOORD] [WITHDIST] [WITHHASH]";

/** What all commands of this file have in common. */
const SEARCH = {
  flags: ["readonly"],
  group: "geo",
  keys: [1, 1, 1],
} as const satisfies Partial<Command>;
const STORE_WORDS = ["STORE", "STOREDIST"];
const STORING = { flags: ["write", "denyoom", "movablekeys"] } as const satisfies Partial<Command>;

export const geoSearchCommands: readonly Command[] = [
  {
    ...SEARCH,
    name: "GEOSEARCH",
    arity: -7,
    since: "6.2.0",
    summary: "Returns the members inside a circle or a rectangle.",
    syntax: `key ${FROM} ${BY} ${ORDER} ${WITH}`,
    run: searching({ source: 1, options: 2, from: "options", stores: "never" }),
  },
  {
    ...SEARCH,
    name: "GEOSEARCHSTORE",
    arity: -8,
    flags: ["write", "denyoom"],
    keys: [1, 2, 1],
    since: "6.2.0",
    summary: "Stores the members inside a circle or a rectangle.",
    syntax: `destination source ${FROM} ${BY} ${ORDER} [STOREDIST]`,
    run: searching({ source: 2, options: 3, from: "options", stores: "always" }),
  },
  {
    ...SEARCH,
    ...STORING,
    name: "GEORADIUS",
    arity: -6,
    keyAfter: { words: STORE_WORDS, from: 6 },
    since: "3.2.0",
    summary: "Returns or stores the members inside a circle around a position.",
    syntax: `key longitude latitude radius ${UNIT} ${WITH} ${ORDER} [STORE key | STOREDIST key]`,
    run: searching({ source: 1, options: 6, from: "position", stores: "option" }),
  },
  {
    ...SEARCH,
    name: "GEORADIUS_RO",
    arity: -6,
    since: "3.2.10",
    summary: "Returns the members inside a circle around a position.",
    syntax: `key longitude latitude radius ${UNIT} ${WITH} ${ORDER}`,
    run: searching({ source: 1, options: 6, from: "position", stores: "never" }),
  },
  {
    ...SEARCH,
    ...STORING,
    name: "GEORADIUSBYMEMBER",
    arity: -5,
    keyAfter: { words: STORE_WORDS, from: 5 },
    since: "3.2.0",
    summary: "Returns or stores the members inside a circle around a member.",
    syntax: `key member radius ${UNIT} ${WITH} ${ORDER} [STORE key | STOREDIST key]`,
    run: searching({ source: 1, options: 5, from: "member", stores: "option" }),
  },
  {
    ...SEARCH,
    name: "GEORADIUSBYMEMBER_RO",
    arity: -5,
    since: "3.2.10",
    summary: "Returns the members inside a circle around a member.",
    syntax: `key member radius ${UNIT} ${WITH} ${ORDER}`,
    run: searching({ source: 1, options: 5, from: "member", stores: "never" }),
  },
];
