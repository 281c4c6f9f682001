/**
 * Members of a sorted set around a position on earth: GEOSEARCH and GEOSEARCHSTORE, and the older GEORADIUS and its kin, which
 * say the same in other words. What is asked for is read in geo-search-arguments.ts.
 *
 * Records: what is stored becomes DEL and ZADD, since the distances are made of sines that another machine may round otherwise.
 */
import type { Session } from "../session/session.ts";
import type { ReadonlyBytes } from "../store/arena.ts";
import { formatDouble } from "../store/number-text.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { cellsAround, distanceInside, type Shape } from "./geo-area.ts";
import { replyDistance, replyPosition } from "./geo-arguments.ts";
import { readSearch, type Search, type SearchForm } from "./geo-search-arguments.ts";
import { firstScore, type Position, positionOf, scoresIn } from "./geohash.ts";
import { roomForMembers } from "./growth.ts";
import { keyEvents } from "./key-event.ts";
import type { Reply } from "./reply.ts";
import { makeDraft, sortedSetsOf, storeDraft } from "./sorted-set-value.ts";

const DEL = Buffer.from("DEL");
const ZADD = Buffer.from("ZADD");

interface Point {
  readonly bytes: ReadonlyBytes;
  readonly start: number;
  readonly end: number;
  readonly score: number;
  readonly position: Position;
  readonly distance: number;
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

function searching(form: SearchForm) {
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
