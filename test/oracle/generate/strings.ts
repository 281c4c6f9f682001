/**
 * Generators of the string commands.
 */

import { type Step, step } from "../step.ts";
import type { Group } from "./group.ts";
import type { Material } from "./material.ts";
import { expiryOption, lookedAt } from "./times.ts";

export const strings: Group = {
  name: "strings",
  weight: 8,
  entries: [
    { weight: 8, make: set },
    { weight: 3, make: (m) => step([m.keyword("GET"), m.key()]) },
    { weight: 3, make: getex },
    { weight: 1, make: (m) => step([m.keyword("GETDEL"), m.key()]) },
    { weight: 1, make: (m) => step([m.keyword("GETSET"), m.key(), m.value()]) },
    { weight: 1, make: (m) => step([m.keyword("SETNX"), m.key(), m.value()]) },
    { weight: 1, make: (m) => step(["SETEX", m.key(), m.relativeTime("seconds"), m.value()]) },
    { weight: 1, make: (m) => step(["PSETEX", m.key(), m.relativeTime("milliseconds"), "v"]) },
    { weight: 2, make: (m) => step([m.keyword("MGET"), ...m.keys(1, 5)]) },
    { weight: 2, make: (m) => step([m.keyword("MSET"), ...pairs(m)]) },
    { weight: 2, make: (m) => step([m.keyword("MSETNX"), ...pairs(m)]) },
    { weight: 2, make: (m) => step([m.keyword("APPEND"), m.key(), m.value()]) },
    { weight: 1, make: (m) => step([m.keyword("STRLEN"), m.key()]) },
    { weight: 2, make: (m) => step([m.keyword(m.random.pick(["INCR", "DECR"])), m.key()]) },
    { weight: 2, make: (m) => step(["INCRBY", m.key(), m.integer()]) },
    { weight: 2, make: (m) => step(["DECRBY", m.key(), m.integer()]) },
    { weight: 3, make: (m) => step(["INCRBYFLOAT", m.key(), m.float()]) },
    { weight: 2, make: getrange },
    { weight: 2, make: setrange },
    { weight: 3, make: lcs },
  ],
};

function set(m: Material): Step {
  const key = m.key();
  const choices = [
    () => [m.keyword("NX")],
    () => [m.keyword("XX")],
    () => [m.keyword("GET")],
    () => [m.keyword("KEEPTTL")],
    () => expiryOption(m),
    () => (m.random.chance(0.1) ? [m.random.pick(["PERSIST", "", "NXX", "EX"])] : []),
  ];
  const most = m.random.pick([0, 0, 1, 1, 2, 3]);
  return lookedAt([m.keyword("SET"), key, m.value(), ...m.options(choices, most)], key);
}

function getex(m: Material): Step {
  const key = m.key();
  const choices = [
    () => [m.keyword("PERSIST")],
    () => expiryOption(m),
    () => expiryOption(m),
    () => (m.random.chance(0.1) ? [m.random.pick(["KEEPTTL", "NX", "GET", "", "PX"])] : []),
  ];
  const most = m.random.pick([0, 1, 1, 1, 2]);
  return lookedAt([m.keyword("GETEX"), key, ...m.options(choices, most)], key);
}

function pairs(m: Material): string[] {
  return m.list(1, 4, () => [m.key(), m.value()]).flat();
}

function getrange(m: Material): Step {
  const name = m.keyword(m.random.pick(["GETRANGE", "GETRANGE", "SUBSTR"]));
  return step([name, m.key(), m.index(), m.index()]);
}

function setrange(m: Material): Step {
  const offset = m.random.pick([
    ...["0", "0", "1", "3", "5", "10", "100"],
    // The first offset at which not even one byte fits below the 512 MB limit, and worse.
    ...["-1", "536870912", "9223372036854775807", "-9223372036854775808", "abc", "", "1.0"],
  ]);
  return step([m.keyword("SETRANGE"), m.key(), offset, m.value()]);
}

function lcs(m: Material): Step {
  const choices = [
    () => [m.keyword("LEN")],
    () => [m.keyword("IDX")],
    () => [m.keyword("IDX")],
    () => [m.keyword("WITHMATCHLEN")],
    () => [m.keyword("MINMATCHLEN"), m.random.pick(["0", "1", "2", "3", "4", m.integer()])],
    () => (m.random.chance(0.1) ? [m.random.pick(["LENGTH", "", "MINMATCHLEN"])] : []),
  ];
  return step([m.keyword("LCS"), m.key(), m.key(), ...m.options(choices, 4)]);
}
