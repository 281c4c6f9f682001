/**
 * Generators of the bitmap commands.
 */

import { type Step, step } from "../step.ts";
import type { Group } from "./group.ts";
import type { Material } from "./material.ts";

const OFFSETS = [
  "0",
  "1",
  "2",
  "6",
  "7",
  "8",
  "9",
  "15",
  "16",
  "31",
  "63",
  "64",
  "65",
  "100",
  "8191",
];
/** 4294967296 bits are the 512 MB limit: the first offset that is refused. */
const BAD_OFFSETS = [
  ...["-1", "4294967296", "9223372036854775807", "-9223372036854775808", "abc", "", "1.0", "#1"],
];
const FIELD_TYPES = [
  ...["u1", "u2", "u4", "u5", "u8", "u16", "u31", "u32", "u33", "u63"],
  ...["i1", "i2", "i5", "i8", "i16", "i31", "i32", "i63", "i64"],
];
const BAD_FIELD_TYPES = ["u64", "i65", "u0", "i0", "x8", "u", "", "8", "U8", "u8x", "u-1", "i 8"];
/** Multiplied by any width, 4294967296 is refused. */
const BAD_FIELD_OFFSETS = ["#-1", "#", "##1", "#abc", "#4294967296", ...BAD_OFFSETS.slice(0, -1)];

export const bits: Group = {
  name: "bits",
  weight: 4,
  entries: [
    { weight: 3, make: (m) => step([m.keyword("SETBIT"), m.key(), offset(m), bit(m)]) },
    { weight: 2, make: (m) => step([m.keyword("GETBIT"), m.key(), anyOffset(m)]) },
    { weight: 3, make: (m) => step([m.keyword("BITCOUNT"), m.key(), ...range(m)]) },
    { weight: 3, make: (m) => step([m.keyword("BITPOS"), m.key(), bit(m), ...range(m)]) },
    { weight: 3, make: bitop },
    { weight: 5, make: (m) => step([m.keyword("BITFIELD"), m.key(), ...fieldOperations(m)]) },
    { weight: 2, make: (m) => step([m.keyword("BITFIELD_RO"), m.key(), ...fieldReads(m)]) },
  ],
};

function offset(m: Material): string {
  return m.random.pick(m.random.chance(0.85) ? OFFSETS : BAD_OFFSETS);
}

/** Reading far out allocates nothing, so here the last offset that is allowed appears too. */
function anyOffset(m: Material): string {
  return m.random.chance(0.1) ? "4294967295" : offset(m);
}

function bit(m: Material): string {
  return m.random.chance(0.9)
    ? m.random.pick(["0", "1"])
    : m.random.pick(["2", "-1", "", "abc", "01"]);
}

function range(m: Material): string[] {
  const count = m.random.pick([0, 0, 1, 2, 2, 2, 3, 3, 3]);
  const unit = m.random.chance(0.95) ? m.random.pick(["BYTE", "BIT"]) : m.random.pick(["BITS", ""]);
  return [m.index(), m.index(), m.keyword(unit)].slice(0, count);
}

function bitop(m: Material): Step {
  const operation = m.random.chance(0.95) ? m.random.pick(["AND", "OR", "XOR", "NOT"]) : "NAND";
  const sources = operation === "NOT" && m.random.chance(0.8) ? [m.key()] : m.keys(1, 3);
  return step([m.keyword("BITOP"), m.keyword(operation), m.key(), ...sources]);
}

function fieldOperations(m: Material): string[] {
  const operations = [
    () => [m.keyword("GET"), ...field(m)],
    () => [m.keyword("SET"), ...field(m), m.integer()],
    () => [m.keyword("INCRBY"), ...field(m), m.integer()],
    () => [m.keyword("OVERFLOW"), m.keyword(m.random.pick(["WRAP", "SAT", "FAIL"]))],
    () => (m.random.chance(0.1) ? [m.keyword("OVERFLOW"), m.random.pick(["", "SATURATE"])] : []),
    () => (m.random.chance(0.1) ? [m.random.pick(["FOO", "", "GET", "SET"])] : []),
  ];
  return m.options(operations, 5);
}

function fieldReads(m: Material): string[] {
  if (m.random.chance(0.15)) return fieldOperations(m);
  return m.list(0, 3, () => [m.keyword("GET"), ...field(m)]).flat();
}

function field(m: Material): string[] {
  const type = m.random.pick(m.random.chance(0.93) ? FIELD_TYPES : BAD_FIELD_TYPES);
  if (m.random.chance(0.07)) return [type, m.random.pick(BAD_FIELD_OFFSETS)];
  return [type, m.random.chance(0.3) ? `#${m.random.integer(0, 5)}` : m.random.pick(OFFSETS)];
}
