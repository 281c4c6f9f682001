/**
 * Generators of the geo commands. Positions are all over the map, its edges included.
 *
 * COUNT, which stops sorting early, leaves the order of members at one distance free: it is asked for only where all positions
 * differ, or with ANY.
 */

import { type Step, step } from "../step.ts";
import type { Group } from "./group.ts";
import type { Material } from "./material.ts";

const BAD_POSITIONS = [
  ...[
    ["180.1", "0"],
    ["0", "85.06"],
    ["-180.1", "-86"],
    ["abc", "1"],
    ["1", ""],
    ["nan", "1"],
  ],
  ...[
    ["inf", "1"],
    ["1", "1e30"],
  ],
];
const EDGES = [
  ...[
    ["180", "85.05112878"],
    ["-180", "-85.05112878"],
    ["0", "0"],
    ["-180", "85"],
    ["180", "0"],
  ],
];
const UNITS = ["m", "km", "ft", "mi"];
const RADII = ["0", "1", "10", "100", "500", "1000", "5000", "10000", "100000", "1e7", "200.5"];

export const geo: Group = {
  name: "geo",
  weight: 8,
  entries: [
    { weight: 14, make: geoadd },
    { weight: 3, make: (m) => step([m.keyword("GEOPOS"), m.key(), ...members(m)]) },
    { weight: 3, make: (m) => step([m.keyword("GEOHASH"), m.key(), ...members(m)]) },
    { weight: 4, make: geodist },
    { weight: 10, make: geosearch },
    { weight: 5, make: counted },
    { weight: 6, make: geosearchstore },
    { weight: 6, make: georadius },
    { weight: 6, make: georadiusbymember },
    { weight: 2, make: (m) => step(["ZRANGE", m.key(), "0", "-1", "WITHSCORES"]) },
    { weight: 1, make: scoresThatAreNoHashes },
  ],
};

function position(m: Material): string[] {
  if (m.random.chance(0.02)) return [...m.random.pick(BAD_POSITIONS)];
  if (m.random.chance(0.06)) return [...m.random.pick(EDGES)];
  return distinct(m);
}

function distinct(m: Material): string[] {
  // Half of them in one corner of Europe, so that small circles find something.
  const isNear = m.random.chance(0.6);
  const [west, south, width, height] = isNear ? [10, 45, 8, 6] : [-180, -85, 360, 170];
  const at = (from: number, size: number) => from + (size * m.random.integer(0, 999_983)) / 1e6;
  return [String(at(west, width)), String(at(south, height))];
}

function member(m: Material): string {
  return m.random.chance(0.95) ? m.random.pick([..."abcdefghijkl"]) : m.value();
}

function members(m: Material): string[] {
  return m.list(0, 4, () => member(m));
}

function unit(m: Material): string {
  return m.keyword(m.random.chance(0.97) ? m.random.pick(UNITS) : "yd");
}

function radius(m: Material): string {
  if (m.random.chance(0.03)) return m.random.pick(["-1", "abc", "", "nan"]);
  return m.random.pick(RADII);
}

function geoadd(m: Material): Step {
  const words = ["NX", "XX", "CH", "CH"];
  const options = m.random.chance(0.7)
    ? []
    : m.options(
        words.map((word) => () => [word]),
        2,
      );
  const added = m.list(1, 7, () => [...position(m), member(m)]).flat();
  return step([m.keyword("GEOADD"), m.key(), ...options.map((word) => m.keyword(word)), ...added]);
}

function geodist(m: Material): Step {
  const asked = m.random.chance(0.6) ? [unit(m)] : [];
  return step([m.keyword("GEODIST"), m.key(), member(m), member(m), ...asked]);
}

/** ANY among several cells takes what it finds first, in the same order on both. */
function order(m: Material): string[] {
  const count = () => String(m.random.integer(1, 6));
  const choices = [
    () => [m.keyword("ASC")],
    () => [m.keyword("DESC")],
    () => [m.keyword("COUNT"), count(), m.keyword("ANY")],
    () => (m.random.chance(0.1) ? [m.random.pick(["COUNT", "ANY", "FOO"])] : []),
    () => (m.random.chance(0.1) ? [m.keyword("COUNT"), m.random.pick(["0", "-1", "abc"])] : []),
  ];
  return m.options(choices, 2);
}

function details(m: Material): string[] {
  const words = ["WITHCOORD", "WITHDIST", "WITHHASH"];
  return m.options(
    words.map((word) => () => [m.keyword(word)]),
    2,
  );
}

function place(m: Material): string[] {
  const from = m.random.chance(0.5)
    ? [m.keyword("FROMMEMBER"), member(m)]
    : [m.keyword("FROMLONLAT"), ...position(m)];
  const by = m.random.chance(0.5)
    ? [m.keyword("BYRADIUS"), radius(m), unit(m)]
    : [m.keyword("BYBOX"), radius(m), radius(m), unit(m)];
  if (m.random.chance(0.05)) return m.random.pick([from, by, [...from, ...from, ...by]]);
  return m.random.chance(0.5) ? [...from, ...by] : [...by, ...from];
}

function geosearch(m: Material): Step {
  return step([m.keyword("GEOSEARCH"), m.key(), ...place(m), ...order(m), ...details(m)]);
}

function counted(m: Material): Step {
  const key = m.key();
  const positions = [..."abcdefghijkl"].flatMap((name) => [...distinct(m), name]);
  const sorted = m.random.pick([[], [m.keyword("ASC")], [m.keyword("DESC")]]);
  const count = [m.keyword("COUNT"), String(m.random.integer(1, 13))];
  const question = [m.keyword("GEOSEARCH"), key, ...place(m), ...sorted, ...count, ...details(m)];
  const requests = [["DEL", key], ["GEOADD", key, ...positions], question];
  return { kind: "commands", commands: requests.map((words) => ({ words, answer: "exact" })) };
}

function geosearchstore(m: Material): Step {
  const stored = m.random.chance(0.4) ? [m.keyword("STOREDIST")] : [];
  const wrong = m.random.chance(0.05) ? details(m) : [];
  const words = [m.keyword("GEOSEARCHSTORE"), m.key(), m.key(), ...place(m), ...order(m)];
  return step([...words, ...stored, ...wrong]);
}

function target(m: Material): string[] {
  if (m.random.chance(0.5)) return details(m);
  const stored = [m.keyword(m.random.pick(["STORE", "STOREDIST"])), m.key()];
  return m.random.chance(0.9) ? stored : [...stored, ...details(m)];
}

function readOnly(m: Material, name: string): string {
  return m.keyword(m.random.chance(0.7) ? name : `${name}_RO`);
}

function georadius(m: Material): Step {
  const circle = [...position(m), radius(m), unit(m)];
  return step([readOnly(m, "GEORADIUS"), m.key(), ...circle, ...order(m), ...target(m)]);
}

function georadiusbymember(m: Material): Step {
  const circle = [member(m), radius(m), unit(m)];
  return step([readOnly(m, "GEORADIUSBYMEMBER"), m.key(), ...circle, ...order(m), ...target(m)]);
}

/** Redis decodes any number. */
function scoresThatAreNoHashes(m: Material): Step {
  const key = m.key();
  const score = m.random.pick(["0", "-1", "1.5", "4503599627370496", "1e15", "1e18"]);
  const requests = [
    ["DEL", key],
    ["ZADD", key, score, "a"],
    ["GEOPOS", key, "a"],
    ["GEOHASH", key, "a"],
  ];
  return { kind: "commands", commands: requests.map((words) => ({ words, answer: "exact" })) };
}
