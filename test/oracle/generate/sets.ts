/**
 * Generators of the set commands. The limit of integer sets is a few members (PROLOGUE), and some members are too long for
 * a packed set, so that every form is met.
 *
 * What is random in the data itself is not generated: SPOP takes the only member, or all. Such commands stand in steps of
 * several, which are not varied.
 */

import { type Answer, type Step, step } from "../step.ts";
import type { Group } from "./group.ts";
import type { Material } from "./material.ts";

const LONG = ["y".repeat(65), "z".repeat(300)];

export const sets: Group = {
  name: "sets",
  weight: 8,
  entries: [
    { weight: 10, make: (m) => step([m.keyword("SADD"), m.key(), ...members(m, 1, 6)]) },
    { weight: 5, make: (m) => step([m.keyword("SREM"), m.key(), ...members(m, 1, 6)]) },
    { weight: 3, make: (m) => step([m.keyword("SMOVE"), m.key(), m.key(), member(m)]) },
    { weight: 2, make: (m) => step([m.keyword("SCARD"), m.key()]) },
    { weight: 3, make: (m) => step([m.keyword("SISMEMBER"), m.key(), member(m)]) },
    { weight: 3, make: (m) => step([m.keyword("SMISMEMBER"), m.key(), ...members(m, 1, 4)]) },
    { weight: 3, make: (m) => step([m.keyword("SMEMBERS"), m.key()], "unordered") },
    { weight: 2, make: (m) => step(["OBJECT", "ENCODING", m.key()]) },
    { weight: 1, make: (m) => step(["TYPE", m.key()]) },
    { weight: 2, make: popOnly },
    { weight: 2, make: (m) => several(["unordered", [m.keyword("SPOP"), m.key(), "1000"]]) },
    { weight: 1, make: (m) => several(["exact", ["SPOP", m.key(), m.random.pick(NO_COUNTS)]]) },
    { weight: 1, make: (m) => several(["presence", [m.keyword("SRANDMEMBER"), m.key()]]) },
    { weight: 2, make: (m) => several(["unordered", ["SRANDMEMBER", m.key(), "1000"]]) },
    {
      weight: 1,
      make: (m) => several(["exact", ["SRANDMEMBER", m.key(), m.random.pick(["0", "a", ""])]]),
    },
    { weight: 5, make: (m) => step([combine(m, ""), ...keysOf(m)], "unordered") },
    { weight: 7, make: (m) => step([combine(m, "STORE"), m.key(), ...keysOf(m)]) },
    { weight: 4, make: intercard },
    { weight: 2, make: sscan },
  ],
};

const NO_COUNTS = ["0", "-1", "", "a", "9223372036854775808"];

/** Mostly small integers and letters, so that sets have something in common. */
function member(m: Material): string {
  if (m.random.chance(0.4)) return String(m.random.integer(0, 9));
  if (m.random.chance(0.3)) return m.random.pick(["a", "b", "c", "d", "e"]);
  return m.random.chance(0.08) ? m.random.pick(LONG) : m.value();
}

function members(m: Material, least: number, most: number): string[] {
  return m.list(least, most, () => member(m));
}

/** Many keys at times: difference has another way for those. */
function keysOf(m: Material): string[] {
  return m.random.chance(0.1) ? m.keys(5, 9) : m.keys(1, 3);
}

function combine(m: Material, ending: string): string {
  return m.keyword(m.random.pick(["SINTER", "SUNION", "SDIFF"]) + ending);
}

function several(...commands: [answer: Answer, words: string[]][]): Step {
  const look = { words: ["PING"], answer: "exact" } as const;
  return {
    kind: "commands",
    commands: [...commands.map(([answer, words]) => ({ words, answer })), look],
  };
}

function popOnly(m: Material): Step {
  const key = m.key();
  return several(
    ["exact", ["DEL", key]],
    ["exact", ["SADD", key, member(m)]],
    ["exact", [m.keyword("SPOP"), key, ...m.random.pick([[], ["1"]])]],
    ["exact", ["EXISTS", key]],
  );
}

function intercard(m: Material): Step {
  const keys = keysOf(m);
  const count = m.random.chance(0.85) ? String(keys.length) : m.random.pick(["0", "9", "a", "-1"]);
  const limits = [[], [], ["LIMIT", m.random.pick(["0", "1", "2", "100", "-1", "a"])], ["LIMIT"]];
  return step([m.keyword("SINTERCARD"), count, ...keys, ...m.random.pick(limits)]);
}

function sscan(m: Material): Step {
  const choices = [
    () => [m.keyword("MATCH"), m.random.pick(["*", "[0-5]", "a*", "?", "[^a]", ""])],
    () => [m.keyword("COUNT"), m.random.pick(["1", "2", "10", "1000", "0", "-1", "a"])],
    () => (m.random.chance(0.1) ? [m.random.pick(["MATCH", "TYPE", "FOO", ""])] : []),
  ];
  const cursor = m.random.chance(0.9) ? "0" : m.random.pick(["abc", "", " 0"]);
  const command = [m.keyword("SSCAN"), m.key()];
  return { kind: "scan", command, cursor, options: m.options(choices, 2) };
}
