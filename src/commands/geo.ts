/**
 * Positions on earth as members of a sorted set, whose scores are geohashes (geohash.ts): add them, ask for one and for the
 * distance between two. Searching is geo-search.ts.
 */
import type { Session } from "../session/session.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { syntaxError } from "./command-error.ts";
import { distance } from "./geo-area.ts";
import { positionAt, replyDistance, replyPosition, unitAt } from "./geo-arguments.ts";
import { geohashText, positionOf, scoreOfPosition } from "./geohash.ts";
import type { Reply } from "./reply.ts";
import { findMember, readSortedSet, sortedSetsOf } from "./sorted-set-value.ts";
import { adding, addScored, CH, NX, XX } from "./sorted-sets.ts";

function geoadd(session: Session, args: Arguments, reply: Reply): void {
  let options = 0;
  let first = 2;
  for (; first < args.count; first++) {
    if (args.is(first, "NX")) options |= NX;
    else if (args.is(first, "XX")) options |= XX;
    else if (args.is(first, "CH")) options |= CH;
    else break;
  }
  const words = args.count - first;
  const isContradictory = (options & NX) !== 0 && (options & XX) !== 0;
  if (words === 0 || words % 3 !== 0 || isContradictory) throw syntaxError();
  const count = words / 3;
  adding.begin(options, count, first + 2, 3);
  for (let i = 0; i < count; i++) {
    adding.scores[i] = scoreOfPosition(positionAt(args, first + 3 * i));
  }
  addScored(session, args, reply);
}

function geopos(session: Session, args: Arguments, reply: Reply): void {
  const entry = readSortedSet(session, args, 1);
  reply.array(args.count - 2);
  for (let i = 2; i < args.count; i++) {
    if (findMember(session, args, entry, i)) {
      replyPosition(positionOf(sortedSetsOf(session).score), reply);
    } else reply.nullArray();
  }
}

function geohash(session: Session, args: Arguments, reply: Reply): void {
  const entry = readSortedSet(session, args, 1);
  reply.array(args.count - 2);
  for (let i = 2; i < args.count; i++) {
    if (findMember(session, args, entry, i)) reply.text(geohashText(sortedSetsOf(session).score));
    else reply.null();
  }
}

function geodist(session: Session, args: Arguments, reply: Reply): void {
  if (args.count > 5) throw syntaxError();
  const unit = args.count === 5 ? unitAt(args, 4) : 1;
  const entry = readSortedSet(session, args, 1);
  const sets = sortedSetsOf(session);
  if (!findMember(session, args, entry, 2)) {
    reply.null();
    return;
  }
  const from = positionOf(sets.score);
  if (findMember(session, args, entry, 3)) {
    replyDistance(distance(from, positionOf(sets.score)) / unit, reply);
  } else reply.null();
}

/** What all commands of this file have in common. */
const GEO_COMMAND = {
  flags: ["readonly"],
  group: "geo",
  keys: [1, 1, 1],
  since: "3.2.0",
} as const satisfies Partial<Command>;

export const geoCommands: readonly Command[] = [
  {
    ...GEO_COMMAND,
    name: "GEOADD",
    arity: -5,
    flags: ["write", "denyoom"],
    summary: "Adds members with their positions to a sorted set, or moves those it has.",
    syntax: "key [NX | XX] [CH] longitude latitude member [longitude latitude member ...]",
    run: geoadd,
  },
  {
    ...GEO_COMMAND,
    name: "GEOPOS",
    arity: -2,
    summary: "Returns the positions of members.",
    syntax: "key [member [member ...]]",
    run: geopos,
  },
  {
    ...GEO_COMMAND,
    name: "GEOHASH",
    arity: -2,
    summary: "Returns the positions of members as geohashes of 11 characters.",
    syntax: "key [member [member ...]]",
    run: geohash,
  },
  {
    ...GEO_COMMAND,
    name: "GEODIST",
    arity: -4,
    summary: "Returns the distance between two members.",
    syntax: "key member1 member2 [M | KM | FT | MI]",
    run: geodist,
  },
];
