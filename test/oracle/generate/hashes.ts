/**
 * Generators of the hash commands. The limits of packed hashes are a few fields of a few bytes (PROLOGUE), so that both forms
 * and the way from one to the other are met.
 *
 * What is random is compared only where all fields are asked for, in steps of several, which are not varied.
 */

import { type Answer, type Step, step } from "../step.ts";
import type { Group } from "./group.ts";
import type { Material } from "./material.ts";

const FIELDS = ["f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8", "n", "m"];
const RARE_FIELDS = ["", "a b", "\x00", "\xff\xfe", "field of 20 bytes ...", "y".repeat(300)];

export const hashes: Group = {
  name: "hashes",
  weight: 8,
  entries: [
    { weight: 10, make: (m) => step([m.keyword("HSET"), m.key(), ...pairs(m, 5)]) },
    { weight: 2, make: (m) => step([m.keyword("HMSET"), m.key(), ...pairs(m, 3)]) },
    { weight: 2, make: (m) => step([m.keyword("HSETNX"), m.key(), field(m), value(m)]) },
    { weight: 3, make: (m) => step([m.keyword("HGET"), m.key(), field(m)]) },
    { weight: 3, make: (m) => step([m.keyword("HMGET"), m.key(), ...fields(m, 5)]) },
    { weight: 6, make: (m) => step([m.keyword("HDEL"), m.key(), ...fields(m, 6)]) },
    { weight: 2, make: (m) => step([m.keyword("HLEN"), m.key()]) },
    { weight: 2, make: (m) => step([m.keyword("HSTRLEN"), m.key(), field(m)]) },
    { weight: 2, make: (m) => step([m.keyword("HEXISTS"), m.key(), field(m)]) },
    { weight: 2, make: (m) => step([m.keyword("HGETALL"), m.key()], "unordered") },
    { weight: 1, make: (m) => step([m.keyword("HKEYS"), m.key()], "unordered") },
    { weight: 1, make: (m) => step([m.keyword("HVALS"), m.key()], "unordered") },
    { weight: 4, make: (m) => step([m.keyword("HINCRBY"), m.key(), number(m), m.integer()]) },
    { weight: 4, make: (m) => step([m.keyword("HINCRBYFLOAT"), m.key(), number(m), m.float()]) },
    { weight: 3, make: (m) => step(["OBJECT", "ENCODING", m.key()]) },
    { weight: 1, make: (m) => step(["TYPE", m.key()]) },
    { weight: 1, make: (m) => several("presence", [m.keyword("HRANDFIELD"), m.key()]) },
    { weight: 2, make: (m) => several("unordered", ["HRANDFIELD", m.key(), "1000"]) },
    { weight: 1, make: (m) => several("unordered", ["HRANDFIELD", m.key(), "1000", "WITHVALUES"]) },
    {
      weight: 1,
      make: (m) => several("exact", ["HRANDFIELD", m.key(), ...m.random.pick(NO_COUNTS)]),
    },
    { weight: 2, make: hscan },
    { weight: 1, make: moved },
  ],
};

const NO_COUNTS = [
  ...[["0"], ["a"], [""], ["1", "WITHVALUE"], ["0", "withvalues"], ["1", "WITHVALUES", "x"]],
  ...[["-9223372036854775808"], ["9223372036854775807", "WITHVALUES"]],
];

function field(m: Material): string {
  return m.random.pick(m.random.chance(0.9) ? FIELDS : RARE_FIELDS);
}

function fields(m: Material, most: number): string[] {
  return m.list(1, most, () => field(m));
}

function value(m: Material): string {
  return m.random.chance(0.5) ? String(m.random.integer(0, 99)) : m.value();
}

function pairs(m: Material, most: number): string[] {
  return m.list(1, most, () => [field(m), value(m)]).flat();
}

/** A field that often holds a number. */
function number(m: Material): string {
  return m.random.chance(0.7) ? m.random.pick(["n", "m"]) : field(m);
}

function several(answer: Answer, words: string[]): Step {
  const look = { words: ["PING"], answer: "exact" } as const;
  return { kind: "commands", commands: [{ words, answer }, look] };
}

/** A hash under another name, where both forms must come along whole. */
function moved(m: Material): Step {
  const [from, to] = [m.key(), m.key()];
  const command = m.random.pick(["RENAME", "COPY"]);
  return several("exact", [command, from, to, ...(command === "COPY" ? ["REPLACE"] : [])]);
}

function hscan(m: Material): Step {
  const choices = [
    () => [m.keyword("MATCH"), m.random.pick(["*", "f[1-4]", "f*", "?", "[^f]", ""])],
    () => [m.keyword("COUNT"), m.random.pick(["1", "2", "10", "1000", "0", "-1", "a"])],
    () => (m.random.chance(0.1) ? [m.random.pick(["MATCH", "TYPE", "FOO", ""])] : []),
  ];
  const cursor = m.random.chance(0.9) ? "0" : m.random.pick(["abc", "", " 0"]);
  const command = [m.keyword("HSCAN"), m.key()];
  return { kind: "scan", command, cursor, options: m.options(choices, 2) };
}
