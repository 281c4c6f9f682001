/**
 * Generators of what redis-server does not have: JSON documents, values of the shell, fields that expire. Not in GROUPS,
 * which are for comparing replies; for tests that compare data.
 */

import { type Step, step } from "../step.ts";
import type { Group } from "./group.ts";
import type { Material } from "./material.ts";

const DOCUMENTS = [
  ...[
    '{"a":1,"b":{"c":[1,2,3]},"s":"text"}',
    "[1,[2,3],{}]",
    "5",
    "-1.50",
    "true",
    "null",
    '"Ada"',
  ],
  ...[
    "{}",
    "[]",
    '{"a":"é\\n","b":[]}',
    '{ "a" : 1.0 , "b" : [ true ] }',
    '"\\u0041"',
    "1E2",
    "-0",
  ],
];
const VALUES = ["1", "-2.5", '"x"', "null", "true", "[1,2]", '{"n":1}', "{}", '"#kvdb-json\\r\\n"'];
const PATHS = ["$", "$.a", "$.b", "$.b.c", "$..n", "$.*", ".a", "$.new", "$.b[0]", "$[1]"];
const FIELDS = ["f1", "f2", "f3", "n", "m", "", "a b", "\x00", "\xff\xfe", "#", "'", '"\\'];

export const documents: Group = {
  name: "documents",
  weight: 12,
  entries: [
    { weight: 6, make: (m) => step(["JSON.SET", m.key(), "$", document(m)]) },
    { weight: 4, make: (m) => step(["JSON.SET", m.key(), path(m), value(m)]) },
    { weight: 2, make: (m) => step(["JSON.MERGE", m.key(), path(m), document(m)]) },
    { weight: 2, make: (m) => step(["JSON.MSET", ...m.list(1, 3, () => triple(m)).flat()]) },
    { weight: 2, make: (m) => step(["JSON.NUMINCRBY", m.key(), path(m), "1.5"]) },
    { weight: 1, make: (m) => step(["JSON.NUMMULTBY", m.key(), path(m), "2"]) },
    { weight: 1, make: (m) => step(["JSON.STRAPPEND", m.key(), path(m), '"more"']) },
    { weight: 1, make: (m) => step(["JSON.TOGGLE", m.key(), path(m)]) },
    { weight: 2, make: (m) => step(["JSON.ARRAPPEND", m.key(), path(m), value(m), value(m)]) },
    { weight: 1, make: (m) => step(["JSON.ARRINSERT", m.key(), path(m), "0", value(m)]) },
    { weight: 1, make: (m) => step(["JSON.ARRPOP", m.key(), path(m)]) },
    { weight: 1, make: (m) => step(["JSON.ARRTRIM", m.key(), path(m), "0", "1"]) },
    { weight: 2, make: (m) => step(["JSON.DEL", m.key(), path(m)]) },
    { weight: 1, make: (m) => step(["JSON.CLEAR", m.key(), path(m)]) },
    { weight: 3, make: (m) => step(["VALUE.SET", m.key(), document(m), ...lifetime(m)]) },
    { weight: 1, make: (m) => step(["VALUE.SET", m.key(), m.value()]) },
    { weight: 2, make: batch },
    { weight: 2, make: imported },
    { weight: 4, make: number },
    { weight: 2, make: (m) => step(["SET", m.key(), document(m), "IFEQ", document(m)]) },
  ],
};

export const fieldLifetimes: Group = {
  name: "field lifetimes",
  weight: 10,
  entries: [
    { weight: 6, make: (m) => step(["HSET", m.key(), ...m.list(1, 4, () => pair(m)).flat()]) },
    { weight: 3, make: (m) => expire(m, "HEXPIRE", m.relativeTime("seconds")) },
    { weight: 3, make: (m) => expire(m, "HPEXPIRE", m.relativeTime("milliseconds")) },
    { weight: 2, make: (m) => expire(m, "HEXPIREAT", m.absoluteTime("seconds")) },
    { weight: 2, make: (m) => expire(m, "HPEXPIREAT", m.absoluteTime("milliseconds")) },
    { weight: 2, make: (m) => step(["HPERSIST", m.key(), ...named(m)]) },
    { weight: 2, make: (m) => step(["HGETDEL", m.key(), ...named(m)]) },
    { weight: 3, make: (m) => step(["HGETEX", m.key(), ...lifetime(m, "PERSIST"), ...named(m)]) },
    { weight: 5, make: hsetex },
    { weight: 4, make: counter },
    { weight: 2, make: (m) => step(["HINCRBYFLOAT", m.key(), field(m), "1.5"]) },
    { weight: 2, make: (m) => step(["HINCRBY", m.key(), field(m), "3"]) },
  ],
};

function document(m: Material): string {
  return m.random.pick(DOCUMENTS);
}

function value(m: Material): string {
  return m.random.pick(VALUES);
}

function path(m: Material): string {
  return m.random.pick(PATHS);
}

function triple(m: Material): string[] {
  return [m.key(), m.random.pick(["$", "$", "$.a"]), value(m)];
}

function lifetime(m: Material, none = "KEEPTTL"): string[] {
  return m.random.pick([
    ...[[], [none], ["EX", m.relativeTime("seconds")], ["PX", m.relativeTime("milliseconds")]],
    ["PXAT", m.absoluteTime("milliseconds")],
  ]);
}

function batch(m: Material): Step {
  const changes = m.list(1, 4, () =>
    m.random.pick([
      [m.key(), "DEL", "", "0"],
      [m.key(), "SET", m.value(), m.random.pick(["0", "+5000000", "4102444800000", "1000"])],
      [m.key(), "JSON", document(m), m.random.pick(["0", "+7000000", "4102444800000", "1000"])],
    ]),
  );
  return step(["VALUE.BATCH", ...changes.flat()]);
}

function imported(m: Material): Step {
  const deadline = m.random.pick(["0", "0", "4102444800000", "1000"]);
  const kind = m.random.pick(["json", "string"]);
  return step([
    "VALUE.IMPORT",
    m.key(),
    kind,
    deadline,
    document(m),
    "an other key",
    kind,
    "0",
    "1",
  ]);
}

/** A number that is a document, counted up; it may have a time to live. */
function number(m: Material): Step {
  const key = m.key();
  const count = m.random.pick([["INCR"], ["DECRBY", "7"], ["INCRBYFLOAT", "1.5"]]);
  const [name = "", ...by] = count;
  return several(
    ["VALUE.SET", key, m.random.pick(["5", "-0", "1.0", "1E2"]), ...lifetime(m)],
    [name, key, ...by],
  );
}

/** A number in a field, counted up; the field may have a time to live. */
function counter(m: Material): Step {
  const key = m.key();
  const name = m.random.pick(["HINCRBYFLOAT", "HINCRBY"]);
  return several(
    ["HSETEX", key, ...lifetime(m), "FIELDS", "1", "n", "2"],
    [name, key, "n", m.random.pick(["1", "-3"])],
  );
}

function several(...commands: readonly string[][]): Step {
  return { kind: "commands", commands: commands.map((words) => ({ words, answer: "exact" })) };
}

function field(m: Material): string {
  return m.random.pick(FIELDS);
}

function pair(m: Material): string[] {
  return [field(m), m.random.pick(["1", "2.5", "x", m.value()])];
}

function named(m: Material): string[] {
  const fields = m.list(1, 4, () => field(m));
  return ["FIELDS", `${fields.length}`, ...fields];
}

function expire(m: Material, name: string, time: string): Step {
  const condition = m.random.pick([[], [], [], ["NX"], ["XX"], ["GT"], ["LT"]]);
  return step([name, m.key(), time, ...condition, ...named(m)]);
}

function hsetex(m: Material): Step {
  const pairs = m.list(1, 4, () => pair(m));
  const condition = m.random.pick([[], [], [], ["FNX"], ["FXX"]]);
  return step([
    ...["HSETEX", m.key(), ...condition, ...lifetime(m)],
    ...["FIELDS", `${pairs.length}`, ...pairs.flat()],
  ]);
}
