/**
 * Generators of the sorted set commands. The limit of packed sets is a few members (PROLOGUE), so sequences cross it in both
 * directions. Scores are few, so that many are equal and members decide the order.
 *
 * Ranges of members mean something only when all scores are equal: they stand in steps that make such a set first.
 */

import { type Step, step } from "../step.ts";
import type { Group } from "./group.ts";
import type { Material } from "./material.ts";

const SCORES = [
  ...["0", "1", "2", "3", "-1", "1.5", "0.1", "0.2", "-0.0", "inf", "-inf", "+inf", "1e300"],
  ...[
    "3.14159265358979",
    "9007199254740993",
    "1e17",
    "1e-5",
    "1e21",
    "0x10",
    "17179869184",
    "-2.5",
  ],
];
const BAD_SCORES = ["", "abc", "nan", "1 ", " 1", "--1", "(1", "1\x00"];
const SCORE_BOUNDS = [
  ...["-inf", "+inf", "(1", "(2", "(-inf", "(+inf", "(0.1", "(1.5", " 1", "", "("],
];
const BAD_SCORE_BOUNDS = ["abc", "((1", "[1", "nan", "1 ", "(nan", "-"];
const MEMBER_BOUNDS = ["-", "+", "[a", "(a", "[b", "(c", "[", "(", "[zz", "(m\x00", "[\xff"];
const BAD_MEMBER_BOUNDS = ["a", "", "+x", "-x", "1"];
const WEIGHTS = ["1", "2", "0", "-1", "0.5", "0.1", "3.3", "inf", "-inf"];
const LONG = ["m".repeat(64), "m".repeat(65), "n".repeat(300)];

export const sortedSets: Group = {
  name: "sorted-sets",
  weight: 14,
  entries: [
    { weight: 16, make: zadd },
    { weight: 4, make: (m) => step([m.keyword("ZADD"), m.key(), ...pairs(m, 4, 9)]) },
    { weight: 4, make: (m) => step([m.keyword("ZINCRBY"), m.key(), score(m), member(m)]) },
    { weight: 5, make: (m) => step([m.keyword("ZREM"), m.key(), ...members(m, 1, 5)]) },
    { weight: 2, make: (m) => step([m.keyword("ZCARD"), m.key()]) },
    { weight: 3, make: (m) => step([m.keyword("ZSCORE"), m.key(), member(m)]) },
    { weight: 2, make: (m) => step([m.keyword("ZMSCORE"), m.key(), ...members(m, 1, 4)]) },
    { weight: 3, make: (m) => ofMember(m, "ZRANK") },
    { weight: 3, make: (m) => ofMember(m, "ZREVRANK") },
    { weight: 8, make: zrange },
    { weight: 4, make: zrangestore },
    { weight: 3, make: (m) => step([m.keyword("ZREVRANGE"), m.key(), ...ranks(m), ...scores(m)]) },
    { weight: 4, make: (m) => rangeByScore(m, "ZRANGEBYSCORE") },
    { weight: 4, make: (m) => rangeByScore(m, "ZREVRANGEBYSCORE") },
    { weight: 3, make: (m) => step([m.keyword("ZCOUNT"), m.key(), ...scoreBounds(m)]) },
    { weight: 9, make: byMember },
    { weight: 2, make: (m) => step([m.keyword("ZREMRANGEBYRANK"), m.key(), ...ranks(m)]) },
    { weight: 2, make: (m) => step([m.keyword("ZREMRANGEBYSCORE"), m.key(), ...scoreBounds(m)]) },
    { weight: 4, make: (m) => step([m.keyword("ZPOPMIN"), m.key(), ...count(m)]) },
    { weight: 4, make: (m) => step([m.keyword("ZPOPMAX"), m.key(), ...count(m)]) },
    { weight: 3, make: zmpop },
    { weight: 2, make: (m) => ofKeyAlone(m, "ZRANDMEMBER") },
    { weight: 2, make: (m) => step(["OBJECT", "ENCODING", m.key()]) },
    { weight: 1, make: (m) => step(["TYPE", m.key()]) },
    { weight: 2, make: zscan },
    { weight: 9, make: combined },
    { weight: 2, make: zintercard },
  ],
};

function score(m: Material): string {
  if (m.random.chance(0.05)) return m.random.pick(BAD_SCORES);
  return m.random.chance(0.5) ? String(m.random.integer(-3, 4)) : m.random.pick(SCORES);
}

function member(m: Material): string {
  if (m.random.chance(0.7)) return m.random.pick(["a", "b", "c", "d", "e", "f", "g", "ab", ""]);
  return m.random.chance(0.1) ? m.random.pick(LONG) : m.value();
}

function members(m: Material, least: number, most: number): string[] {
  return m.list(least, most, () => member(m));
}

function pairs(m: Material, least: number, most: number): string[] {
  return m.list(least, most, () => [score(m), member(m)]).flat();
}

function zadd(m: Material): Step {
  const words = ["NX", "XX", "GT", "LT", "CH", "CH", "INCR"];
  const options = m.random.chance(0.5)
    ? []
    : m.options(
        words.map((word) => () => [word]),
        3,
      );
  const isSingle = options.includes("INCR") && m.random.chance(0.8);
  const added = isSingle ? pairs(m, 1, 1) : pairs(m, 1, 4);
  return step([m.keyword("ZADD"), m.key(), ...options.map((word) => m.keyword(word)), ...added]);
}

/** Of several, so that it is not varied: Redis 7.0 takes no further argument. */
function ofMember(m: Material, name: string): Step {
  const words = [m.keyword(name), m.key(), member(m)];
  return several([words, ["ZCARD", words[1] as string]]);
}

function several(requests: readonly (readonly string[])[]): Step {
  return { kind: "commands", commands: requests.map((words) => ({ words, answer: "exact" })) };
}

function ranks(m: Material): string[] {
  return [m.index(), m.index()];
}

function scores(m: Material): string[] {
  return m.random.chance(0.5) ? [m.keyword("WITHSCORES")] : [];
}

function limit(m: Material): string[] {
  if (m.random.chance(0.6)) return [];
  return [
    m.keyword("LIMIT"),
    m.random.chance(0.9) ? String(m.random.integer(-1, 4)) : m.integer(),
  ].concat(m.random.chance(0.9) ? String(m.random.integer(-1, 5)) : m.integer());
}

function scoreBound(m: Material): string {
  if (m.random.chance(0.05)) return m.random.pick(BAD_SCORE_BOUNDS);
  return m.random.chance(0.5) ? m.random.pick(SCORE_BOUNDS) : score(m);
}

function scoreBounds(m: Material): string[] {
  return [scoreBound(m), scoreBound(m)];
}

function rangeByScore(m: Material, name: string): Step {
  return step([m.keyword(name), m.key(), ...scoreBounds(m), ...scores(m), ...limit(m)]);
}

function zrange(m: Material): Step {
  return step([m.keyword("ZRANGE"), m.key(), ...anyRange(m), ...scores(m)]);
}

function zrangestore(m: Material): Step {
  const options = m.random.chance(0.05) ? scores(m) : [];
  return step([m.keyword("ZRANGESTORE"), m.key(), m.key(), ...anyRange(m), ...options]);
}

/** By rank or by score; by member is for sets of one score. */
function anyRange(m: Material): string[] {
  const rev = m.random.chance(0.4) ? [m.keyword("REV")] : [];
  if (m.random.chance(0.5)) {
    return [...ranks(m), ...rev, ...(m.random.chance(0.05) ? limit(m) : [])];
  }
  const by = m.random.chance(0.95) ? [m.keyword("BYSCORE")] : [];
  return [...scoreBounds(m), ...by, ...rev, ...limit(m)];
}

function memberBound(m: Material): string {
  if (m.random.chance(0.07)) return m.random.pick(BAD_MEMBER_BOUNDS);
  return m.random.pick(MEMBER_BOUNDS);
}

function byMember(m: Material): Step {
  const key = m.key();
  const bounds = [memberBound(m), memberBound(m)];
  const equal = members(m, 1, 12).flatMap((one) => ["1", one]);
  const question = m.random.pick([
    () => [m.keyword("ZRANGEBYLEX"), key, ...bounds, ...limit(m)],
    () => [m.keyword("ZREVRANGEBYLEX"), key, ...bounds, ...limit(m)],
    () => [m.keyword("ZRANGE"), key, ...bounds, "BYLEX", ...limit(m)],
    () => [m.keyword("ZRANGE"), key, ...bounds, "BYLEX", "REV", ...limit(m), ...scores(m)],
    () => [m.keyword("ZRANGESTORE"), m.key(), key, ...bounds, "BYLEX", ...limit(m)],
    () => [m.keyword("ZLEXCOUNT"), key, ...bounds],
    () => [m.keyword("ZREMRANGEBYLEX"), key, ...bounds],
  ])();
  return several([["DEL", key], ["ZADD", key, ...equal], question]);
}

function count(m: Material): string[] {
  if (m.random.chance(0.4)) return [];
  return [m.random.chance(0.9) ? String(m.random.integer(0, 6)) : m.integer()];
}

function keysWithNumber(m: Material): string[] {
  const keys = m.keys(1, 4);
  return [m.random.chance(0.93) ? String(keys.length) : m.integer(), ...keys];
}

function zmpop(m: Material): Step {
  const side = m.random.chance(0.95) ? m.random.pick(["MIN", "MAX"]) : "MID";
  const counted = m.random.chance(0.5)
    ? [m.keyword("COUNT"), String(m.random.integer(m.random.chance(0.1) ? 0 : 1, 4))]
    : [];
  return step([m.keyword("ZMPOP"), ...keysWithNumber(m), m.keyword(side), ...counted]);
}

/** Of a set with one member there is only one right answer. */
function ofKeyAlone(m: Material, name: string): Step {
  const key = m.key();
  const words = m.random.pick([
    [m.keyword(name), key],
    [m.keyword(name), key, String(m.random.integer(-3, 3))],
    [m.keyword(name), key, String(m.random.integer(-3, 3)), m.keyword("WITHSCORES")],
    [m.keyword(name), key, m.integer(), "WITHSCORE"],
  ]);
  return several([["DEL", key], ["ZADD", key, score(m), member(m)], words]);
}

/** Of at most one member, since the order of all of them is free. */
function zscan(m: Material): Step {
  const pattern = m.random.pick(["a", "b", "[c]", "ab", "nothing"]);
  const cursor = m.random.chance(0.9) ? "0" : m.random.pick(["abc", "", "1x", "-"]);
  const options = m.random.chance(0.9)
    ? [m.keyword("MATCH"), pattern, m.keyword("COUNT"), "1000"]
    : ["MATCH", pattern, "COUNT", m.random.pick(["0", "abc", "-1"])];
  return several([[m.keyword("ZSCAN"), m.key(), cursor, ...options]]);
}

/** Sets come in through the generators of theirs. */
function combined(m: Material): Step {
  const operation = m.random.pick(["ZUNION", "ZINTER", "ZDIFF"]);
  const isStored = m.random.chance(0.5);
  const sources = keysWithNumber(m);
  const isDifference = operation === "ZDIFF" && m.random.chance(0.9);
  const options = [
    () => (isDifference ? [] : [m.keyword("AGGREGATE"), m.keyword(aggregate(m))]),
    () => (isDifference ? [] : [m.keyword("WEIGHTS"), ...weights(m, sources.length - 1)]),
    () => (isStored && m.random.chance(0.9) ? [] : [m.keyword("WITHSCORES")]),
  ];
  const name = m.keyword(isStored ? `${operation}STORE` : operation);
  const destination = isStored ? [m.key()] : [];
  return step([name, ...destination, ...sources, ...m.options(options, 3)]);
}

function aggregate(m: Material): string {
  return m.random.chance(0.95) ? m.random.pick(["SUM", "MIN", "MAX"]) : "AVG";
}

function weights(m: Material, number: number): string[] {
  const wanted = m.random.chance(0.95) ? number : number + 1;
  const weight = () => (m.random.chance(0.97) ? m.random.pick(WEIGHTS) : score(m));
  return m.list(wanted, wanted, weight);
}

function zintercard(m: Material): Step {
  const limits = ["0", "1", "2", "100", "-1", "abc"];
  const limited = m.random.chance(0.5) ? [m.keyword("LIMIT"), m.random.pick(limits)] : [];
  return step([m.keyword("ZINTERCARD"), ...keysWithNumber(m), ...limited]);
}
