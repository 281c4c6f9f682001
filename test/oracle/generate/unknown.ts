/**
 * Generators of commands and subcommands that exist on no server. The error quotes what was sent,
 * each argument and all of them cut at a length, which is what the long ones are for.
 */

import { type Step, step } from "../step.ts";
import type { Group } from "./group.ts";
import type { Material } from "./material.ts";

const NAMES = [
  ...["FOO", "foo", "GETT", "SE", "", " ", "GET ", "gett\x00", "\xff\xfe", "two words", "a\r\nb"],
  ...["it's", '"', "%s%n", "x".repeat(127), "x".repeat(128), "x".repeat(129), "y".repeat(300)],
  ...["OBJECT|ENCODING", "client|id", "-1", "*"],
];
const ARGUMENTS = ["z".repeat(60), "z".repeat(128), "w".repeat(200), "'", "a\r\nb", "a\x00b", ""];

export const unknown: Group = {
  name: "unknown",
  weight: 1,
  entries: [
    { weight: 3, make: unknownCommand },
    { weight: 2, make: unknownSubcommand },
  ],
};

function unknownCommand(m: Material): Step {
  const words = m.list(0, 6, () => (m.random.chance(0.5) ? m.random.pick(ARGUMENTS) : m.value()));
  return step([m.random.pick(NAMES), ...words]);
}

function unknownSubcommand(m: Material): Step {
  const container = m.keyword(m.random.pick(["OBJECT", "CLIENT"]));
  return step([container, m.random.pick(NAMES), ...m.keys(0, 2)]);
}
