/**
 * What a search around a position on earth asks for, read from its arguments: GEOSEARCH names each part, GEORADIUS and its kin
 * have the center and the radius at fixed places. What makes no sense together is refused here.
 */
import type { Session } from "../session/session.ts";
import type { Arguments } from "./arguments.ts";
import { CommandError, notAnInteger, syntaxError } from "./command-error.ts";
import type { Shape } from "./geo-area.ts";
import { lengthOf, positionAt, unitAt } from "./geo-arguments.ts";
import { type Position, positionOf } from "./geohash.ts";
import { findMember, readSortedSet, sortedSetsOf } from "./sorted-set-value.ts";

/** How a command says what it searches. */
export interface SearchForm {
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
export interface Search {
  readonly form: SearchForm;
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

/** Stands for the position of a member of a set that does not exist: nothing is searched. */
const NOWHERE: Position = { longitude: 0, latitude: 0 };

export function readSearch(session: Session, args: Arguments, form: SearchForm): Search {
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
