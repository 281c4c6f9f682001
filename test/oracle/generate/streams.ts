/**
 * Generators of the stream commands. IDs are few and small, so that ranges, deletions and groups meet the entries there are;
 * nodes are a few entries (PROLOGUE), so that trimming by whole nodes and ranges over several of them are met.
 *
 * IDs that the server's clock gives are not generated.
 */

import { type Step, step } from "../step.ts";
import type { Group } from "./group.ts";
import type { Material } from "./material.ts";

const GROUP_NAMES = ["g", "h", "longer name", ""];
const CONSUMERS = ["alice", "bob", "carol", ""];
const FIELDS = ["f", "f", "f", "temperature", "", "\xff\x00"];
const BAD_IDS = [
  ...["", "a", "1-", "-1", "1-a", "1-2-3", "18446744073709551616", "1-18446744073709551616"],
  ...["(", "(-", "(+", "(1", "*-1", "01-02", " 1-1", "+1-1", "1--1", "$", ">", "1-1 "],
];
const FAR_IDS = ["18446744073709551615-18446744073709551615", "9007199254740993-1", "2-4294967296"];

export const streams: Group = {
  name: "streams",
  weight: 14,
  entries: [
    { weight: 16, make: add },
    { weight: 6, make: addMany },
    { weight: 2, make: (m) => step([m.keyword("XLEN"), m.key()]) },
    { weight: 4, make: (m) => step([m.keyword("XDEL"), m.key(), ...ids(m, 1, 3)]) },
    { weight: 3, make: (m) => step([m.keyword("XTRIM"), m.key(), ...trimming(m)]) },
    { weight: 2, make: setId },
    {
      weight: 6,
      make: (m) => step([m.keyword("XRANGE"), m.key(), bound(m), bound(m), ...count(m)]),
    },
    {
      weight: 5,
      make: (m) => step([m.keyword("XREVRANGE"), m.key(), bound(m), bound(m), ...count(m)]),
    },
    { weight: 5, make: read },
    { weight: 8, make: groupCommand },
    { weight: 10, make: readGroup },
    { weight: 4, make: (m) => step([m.keyword("XACK"), m.key(), group(m), ...ids(m, 1, 3)]) },
    { weight: 5, make: pending },
    { weight: 5, make: claim },
    { weight: 4, make: autoclaim },
    { weight: 6, make: info },
    { weight: 1, make: (m) => step(["OBJECT", "ENCODING", m.key()]) },
    { weight: 1, make: (m) => step(["TYPE", m.key()]) },
  ],
};

function group(m: Material): string {
  return m.random.pick(m.random.chance(0.8) ? ["g"] : GROUP_NAMES);
}

function consumer(m: Material): string {
  return m.random.pick(CONSUMERS);
}

function id(m: Material): string {
  if (m.random.chance(0.04)) return m.random.pick(BAD_IDS);
  if (m.random.chance(0.03)) return m.random.pick(FAR_IDS);
  const ms = m.random.integer(0, 12);
  return m.random.chance(0.2) ? String(ms) : `${ms}-${m.random.integer(0, 3)}`;
}

function ids(m: Material, least: number, most: number): string[] {
  return m.list(least, most, () => id(m));
}

/** Of a range. */
function bound(m: Material): string {
  if (m.random.chance(0.4)) return m.random.pick(["-", "+"]);
  return (m.random.chance(0.2) ? "(" : "") + id(m);
}

function count(m: Material): string[] {
  if (m.random.chance(0.6)) return [];
  if (m.random.chance(0.1)) return m.random.pick([["COUNT"], ["COUNT", "a"], ["LIMIT", "1"]]);
  return [m.keyword("COUNT"), m.random.pick(["0", "1", "2", "3", "5", "100", "-1"])];
}

function fields(m: Material): string[] {
  const pairs = m.random.chance(0.7) ? 1 : m.random.integer(1, 3);
  const words = m.list(pairs, pairs, () => [m.random.pick(FIELDS), m.value()]).flat();
  return m.random.chance(0.03) ? words.slice(1) : words;
}

function trimming(m: Material): string[] {
  const isLength = m.random.chance(0.6);
  const lengths = ["0", "1", "2", "4", "7", "100"];
  const bad = ["-1", "a", "", "9223372036854775808"];
  const threshold = isLength ? m.random.pick(m.random.chance(0.95) ? lengths : bad) : id(m);
  const mark = m.random.pick([[], [], ["="], ["~"], ["~"], ["~"]]);
  const limit = m.random.chance(0.2)
    ? ["LIMIT", m.random.pick(["0", "1", "3", "6", "-1", "a"])]
    : [];
  const other = m.random.chance(0.03) ? ["MINID", "1"] : [];
  return [m.keyword(isLength ? "MAXLEN" : "MINID"), ...mark, threshold, ...limit, ...other];
}

function add(m: Material): Step {
  const options = m.random.chance(0.2) ? trimming(m) : [];
  const makes = m.random.chance(0.1) ? [m.keyword("NOMKSTREAM")] : [];
  const given = m.random.chance(0.15) ? `${m.random.integer(0, 12)}-*` : id(m);
  const words = [m.keyword("XADD"), m.key(), ...makes, ...options, given, ...fields(m)];
  return several([words]);
}

/** Steps of several commands are not varied: no `9-*` becomes a `*`, for which each server has its own clock. */
function several(commands: readonly (readonly string[])[]): Step {
  const all = [...commands, ["PING"]];
  return { kind: "commands", commands: all.map((words) => ({ words, answer: "exact" })) };
}

/** Entries one behind the other, so that there are several nodes; the clock's IDs would end what can be given by hand. */
function addMany(m: Material): Step {
  const key = m.key();
  const first = m.random.integer(1, 9);
  return several(m.list(3, 12, () => ["XADD", key, `${first}-*`, ...fields(m)]));
}

function setId(m: Material): Step {
  const choices = [
    () => [m.keyword("ENTRIESADDED"), m.random.pick(["0", "3", "20", "-1", "a"])],
    () => [m.keyword("MAXDELETEDID"), id(m)],
    () => (m.random.chance(0.1) ? ["FOO"] : []),
  ];
  return step([m.keyword("XSETID"), m.key(), id(m), ...m.options(choices, 2)]);
}

function read(m: Material): Step {
  const keys = m.keys(1, 3);
  const from = keys.map(() => (m.random.chance(0.1) ? m.random.pick(["$", ">"]) : id(m)));
  if (m.random.chance(0.03)) from.pop();
  const bad = m.random.chance(0.05) ? m.random.pick([["NOACK"], ["GROUP", "g", "c"], ["FOO"]]) : [];
  return step([m.keyword("XREAD"), ...count(m), ...bad, m.keyword("STREAMS"), ...keys, ...from]);
}

function groupCommand(m: Material): Step {
  const name = [m.key(), group(m)];
  const read = m.random.chance(0.3)
    ? [m.keyword("ENTRIESREAD"), m.random.pick(["0", "2", "-1", "-2", "a"])]
    : [];
  const from = m.random.chance(0.2)
    ? "$"
    : m.random.chance(0.1)
      ? m.random.pick(["-", "+"])
      : id(m);
  const make = m.random.chance(0.6) ? [m.keyword("MKSTREAM")] : [];
  const words = m.random.weighted([
    { weight: 10, words: ["CREATE", ...name, from, ...make, ...read] },
    { weight: 3, words: ["SETID", ...name, from, ...read] },
    { weight: 1, words: ["DESTROY", ...name] },
    { weight: 3, words: ["CREATECONSUMER", ...name, consumer(m)] },
    { weight: 3, words: ["DELCONSUMER", ...name, consumer(m)] },
    { weight: 1, words: ["CREATE", ...name, from, "FOO"] },
  ]).words;
  return step([m.keyword("XGROUP"), m.keyword(words[0] ?? ""), ...words.slice(1)]);
}

function readGroup(m: Material): Step {
  const keys = m.random.chance(0.8) ? [m.key()] : m.keys(2, 3);
  const from = keys.map(() => (m.random.chance(0.7) ? ">" : m.random.chance(0.1) ? "$" : id(m)));
  const noAck = m.random.chance(0.15) ? [m.keyword("NOACK")] : [];
  const who = m.random.chance(0.97)
    ? [m.keyword("GROUP"), group(m), consumer(m)]
    : ["NOACK", "NOACK"];
  const rest = [...count(m), ...noAck, m.keyword("STREAMS"), ...keys, ...from];
  return step([m.keyword("XREADGROUP"), ...who, ...rest]);
}

function pending(m: Material): Step {
  const words = [m.keyword("XPENDING"), m.key(), group(m)];
  if (m.random.chance(0.3)) return step(words);
  const idle = m.random.chance(0.2)
    ? [m.keyword("IDLE"), m.random.pick(["0", "-5", "10000000", "a"])]
    : [];
  const of = m.random.chance(0.4) ? [consumer(m)] : [];
  const most = m.random.pick(["0", "1", "2", "10", "10", "-1", "a"]);
  const rest = [bound(m), bound(m), most];
  return step([...words, ...idle, ...(m.random.chance(0.95) ? rest : rest.slice(1)), ...of]);
}

/** Idle times are far from where a clock would matter. */
function claim(m: Material): Step {
  const choices = [
    () => [m.keyword("IDLE"), m.random.pick(["0", "100000000", "-5", "a"])],
    () => [m.keyword("TIME"), m.random.pick(["0", "1000", "99999999999999", "-5", "a"])],
    () => [m.keyword("RETRYCOUNT"), m.random.pick(["0", "7", "-1", "a"])],
    () => [m.keyword("FORCE")],
    () => [m.keyword("FORCE")],
    () => [m.keyword("JUSTID")],
    () => [m.keyword("LASTID"), id(m)],
    () => (m.random.chance(0.1) ? ["FOO"] : []),
  ];
  const words = [m.key(), group(m), consumer(m), leastIdle(m), ...ids(m, 1, 4)];
  return step([m.keyword("XCLAIM"), ...words, ...m.options(choices, 3)]);
}

function leastIdle(m: Material): string {
  return m.random.pick(["0", "0", "0", "-1", "10000000", "a"]);
}

function autoclaim(m: Material): Step {
  const choices = [
    () => [m.keyword("COUNT"), m.random.pick(["1", "2", "10", "0", "-1", "a"])],
    () => [m.keyword("JUSTID")],
    () => (m.random.chance(0.1) ? ["FOO"] : []),
  ];
  const words = [m.key(), group(m), consumer(m), leastIdle(m), bound(m)];
  return step([m.keyword("XAUTOCLAIM"), ...words, ...m.options(choices, 2)]);
}

function info(m: Material): Step {
  const full = m.random.pick([
    [],
    [m.keyword("FULL")],
    ["FULL", "COUNT", m.random.pick(["0", "1", "2", "-1", "a"])],
    ["FULL", "COUNT"],
    ["FOO"],
  ]);
  const words = m.random.weighted([
    { weight: 3, words: ["STREAM", m.key(), ...full] },
    { weight: 2, words: ["GROUPS", m.key()] },
    { weight: 2, words: ["CONSUMERS", m.key(), group(m)] },
  ]).words;
  return step([m.keyword("XINFO"), m.keyword(words[0] ?? ""), ...words.slice(1)]);
}
