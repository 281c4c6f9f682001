/**
 * Generators of the list commands. Elements come from few values, so that they are found again; now and then many of them, or
 * long ones, so that lists outgrow their short form, and the nodes of the long one; and are cut down again.
 */

import { type Step, step } from "../step.ts";
import type { Group } from "./group.ts";
import type { Material } from "./material.ts";

/** 254 and 255 bytes stand on either side of a length in one byte; 9000 on that of a node of 8 KiB. */
const LONG_ELEMENTS = ["y".repeat(254), "y".repeat(255), "z".repeat(700), "n".repeat(9000)];
const NODE_SIZES = ["-2", "-2", "-1", "-5", "1", "3", "128", "0", "-6"];

export const lists: Group = {
  name: "lists",
  weight: 8,
  entries: [
    { weight: 6, make: (m) => push(m, ["LPUSH", "RPUSH"]) },
    { weight: 1, make: (m) => push(m, ["LPUSHX", "RPUSHX"]) },
    { weight: 2, make: pushMany },
    { weight: 4, make: (m) => step([end(m, "LPOP", "RPOP"), m.key(), ...popCount(m)]) },
    { weight: 2, make: (m) => step([m.keyword("LLEN"), m.key()]) },
    { weight: 4, make: (m) => step([m.keyword("LRANGE"), m.key(), m.index(), m.index()]) },
    { weight: 1, make: (m) => step(["LRANGE", m.key(), "0", "-1"]) },
    { weight: 3, make: (m) => step([m.keyword("LINDEX"), m.key(), m.index()]) },
    { weight: 3, make: (m) => step([m.keyword("LSET"), m.key(), m.index(), element(m)]) },
    { weight: 4, make: linsert },
    { weight: 4, make: (m) => step([m.keyword("LREM"), m.key(), removeCount(m), element(m)]) },
    { weight: 2, make: (m) => step([m.keyword("LTRIM"), m.key(), m.index(), m.index()]) },
    { weight: 3, make: lpos },
    { weight: 4, make: (m) => step([m.keyword("LMOVE"), m.key(), m.key(), side(m), side(m)]) },
    { weight: 1, make: (m) => step([m.keyword("RPOPLPUSH"), m.key(), m.key()]) },
    { weight: 2, make: (m) => step([m.keyword("LMPOP"), ...multiplePop(m)]) },
    { weight: 2, make: blocking },
    { weight: 1, make: nodeSize },
  ],
};

function element(m: Material): string {
  if (m.random.chance(0.7)) return m.random.pick(["a", "b", "c", "abc", "", "12"]);
  return m.random.chance(0.2) ? m.random.pick(LONG_ELEMENTS) : m.value();
}

function end(m: Material, left: string, right: string): string {
  return m.keyword(m.random.pick([left, right]));
}

/** Mostly LEFT or RIGHT. */
function side(m: Material): string {
  return m.random.chance(0.95) ? end(m, "LEFT", "RIGHT") : m.random.pick(["UP", "", "LEFTX"]);
}

function push(m: Material, names: readonly string[]): Step {
  return step([m.keyword(m.random.pick(names)), m.key(), ...m.list(1, 6, () => element(m))]);
}

function pushMany(m: Material): Step {
  const unit = m.random.pick([1, 3, 30]);
  const elements = m.list(20, 150, () => m.random.pick(["a", "b", "c", "d"]).repeat(unit));
  return step([end(m, "LPUSH", "RPUSH"), m.key(), ...elements]);
}

function popCount(m: Material): string[] {
  if (m.random.chance(0.5)) return [];
  return m.random.chance(0.8) ? [String(m.random.integer(0, 60))] : [m.integer()];
}

function removeCount(m: Material): string {
  return m.random.chance(0.9) ? String(m.random.integer(-3, 3)) : m.integer();
}

function linsert(m: Material): Step {
  const where = m.random.chance(0.95) ? end(m, "BEFORE", "AFTER") : "NEAR";
  return step([m.keyword("LINSERT"), m.key(), where, element(m), element(m)]);
}

function lpos(m: Material): Step {
  const small = () => (m.random.chance(0.9) ? String(m.random.integer(-3, 4)) : m.integer());
  const choices = [
    () => [m.keyword("RANK"), rank(small())],
    () => [m.keyword("COUNT"), small()],
    () => [m.keyword("MAXLEN"), small()],
    () => (m.random.chance(0.1) ? [m.random.pick(["RANK", "FOO", ""])] : []),
  ];
  return step([m.keyword("LPOS"), m.key(), element(m), ...m.options(choices, 3)]);
}

/** NOT_GENERATED: the one number that 7.0 does not negate. */
function rank(text: string): string {
  return text === "-9223372036854775808" ? "-9223372036854775807" : text;
}

/** `numkeys key… LEFT | RIGHT [COUNT count]`; numkeys is wrong now and then. */
function multiplePop(m: Material): string[] {
  const keys = m.keys(1, 3);
  const count = m.random.chance(0.9) ? String(keys.length) : m.random.pick(["0", "-1", "x", "4"]);
  const small = () => (m.random.chance(0.9) ? String(m.random.integer(0, 50)) : m.integer());
  const choices = [
    () => [m.keyword("COUNT"), small()],
    () => (m.random.chance(0.1) ? [m.random.pick(["COUNT", "FOO"])] : []),
  ];
  return [count, ...keys, side(m), ...m.options(choices, 1)];
}

/** Waits for a millisecond at most: nobody else is there to push. */
function blocking(m: Material): Step {
  const timeout = m.random.pick(["0.001", "0.001", "0.001", "-1", "x", ""]);
  return m.random.pick([
    () => step([end(m, "BLPOP", "BRPOP"), ...m.keys(1, 3), timeout]),
    () => step([m.keyword("BLMOVE"), m.key(), m.key(), side(m), side(m), timeout]),
    () => step([m.keyword("BRPOPLPUSH"), m.key(), m.key(), timeout]),
    () => step([m.keyword("BLMPOP"), timeout, ...multiplePop(m)]),
  ])();
}

function nodeSize(m: Material): Step {
  return step(["CONFIG", "SET", "list-max-listpack-size", m.random.pick(NODE_SIZES)]);
}
