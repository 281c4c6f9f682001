/**
 * Generators of the HyperLogLog commands. What PFADD and PFCOUNT leave in the value is compared byte for byte by GET and by
 * the digest; a low limit of the sparse form (PROLOGUE) makes them dense early, and so does a value that only that form has.
 */

import { type Step, step } from "../step.ts";
import type { Group } from "./group.ts";
import type { Material } from "./material.ts";

export const hyperloglogs: Group = {
  name: "hyperloglogs",
  weight: 4,
  entries: [
    { weight: 8, make: (m) => step([m.keyword("PFADD"), m.random.pick(OWN), ...elements(m)]) },
    { weight: 3, make: (m) => step(["PFADD", m.key(), ...m.list(0, 1, () => m.value())]) },
    { weight: 4, make: (m) => step([m.keyword("PFCOUNT"), ...m.list(1, 3, () => key(m))]) },
    { weight: 4, make: (m) => step([m.keyword("PFMERGE"), ...m.list(1, 4, () => key(m))]) },
    { weight: 3, make: (m) => step(["GET", key(m)]) },
    { weight: 3, make: (m) => step([m.keyword("PFDEBUG"), question(m), key(m)]) },
    { weight: 1, make: (m) => step(["OBJECT", "ENCODING", m.key()]) },
    { weight: 2, make: made },
    { weight: 1, make: madeDense },
    { weight: 1, make: damaged },
  ],
};

/**
 * No other group's, so that nobody damages what is there: of the elements of a PFADD that finds damage, Redis keeps those
 * before, without a word to replicas, and kvdb none.
 */
const OWN = ["pf:1", "pf:2", "pf:3"];

function key(m: Material): string {
  return m.random.chance(0.5) ? m.random.pick(OWN) : m.key();
}

function question(m: Material): string {
  const words = ["DECODE", "DECODE", "ENCODING", "ENCODING", "TODENSE", "GETREG", "FOO"];
  return m.keyword(m.random.pick(words));
}

function elements(m: Material): string[] {
  if (m.random.chance(0.5)) return m.list(0, 4, () => m.value());
  return m.list(1, 60, () => `${m.random.pick(["a", "element", ""])}${m.random.integer(0, 2000)}`);
}

/** More than the 44 bytes up to which Redis makes a string "raw" when it only looks. */
const FORTY_ZEROS = "\x00".repeat(40);
/** Runs of the other 16 344 registers: zeros, values, several that could be one. */
const WHOLE = [
  ...["\x7f\xd7", "\x7f\xd6\x80", "\x7f\xd5\x84\x80", "\x7f\xd3\x87", "\x7f\xcf\xff\xff"],
  "\x7f\xcf\x80\x80\x80\x80\x84\x84\x80\x80",
];
/** Of too few registers, and of too many. */
const NOT_WHOLE = ["\x7f\xd6", "\x7f\xd8", "\x7f\xd7\x00", "\x7f\xd6\x87", ""];

function header(m: Material): string {
  const start = m.random.pick(["HYLL\x01", "HYLL\x01", "HYLL\x02", "HYLM\x01"]);
  const count = m.random.pick(["\x00", "\x05"]).padEnd(7, "\x00");
  return `${start}\x00\x00\x00${count}${m.random.pick(["\x00", "\x80"])}`;
}

function made(m: Material): Step {
  return step(["SET", m.key(), header(m) + FORTY_ZEROS + m.random.pick(WHOLE)]);
}

function madeDense(m: Material): Step {
  const value = `HYLL\x00${"\x00".repeat(11)}`.padEnd(m.random.pick([12_304, 12_303]), "\x41");
  return step(["SET", m.key(), value]);
}

/** It goes at once. */
function damaged(m: Material): Step {
  const key = m.key();
  const requests = [
    ["SET", key, header(m) + FORTY_ZEROS + m.random.pick(NOT_WHOLE)],
    ["PFCOUNT", key],
    ["PFCOUNT", key, m.key()],
    ["PFDEBUG", "DECODE", key],
    ["PFADD", key, m.value()],
    ["PFDEBUG", "DECODE", key],
    ["PFDEBUG", "TODENSE", key],
    ["DEL", key],
  ];
  return { kind: "commands", commands: requests.map((words) => ({ words, answer: "exact" })) };
}
