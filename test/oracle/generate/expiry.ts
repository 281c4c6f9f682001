/**
 * Generators of the commands about the time a key has to live.
 *
 * Replies that count from now are compared within the time that two servers may lie apart.
 */

import { type Answer, type Step, step } from "../step.ts";
import type { Group } from "./group.ts";
import type { Material, Unit } from "./material.ts";

/** Both servers get a pipeline at the same moment; two seconds is a machine under heavy load. */
const WITHIN_SECONDS: Answer = { within: 2 };
const WITHIN_MILLISECONDS: Answer = { within: 2_000 };

export const expiry: Group = {
  name: "expiry",
  weight: 5,
  entries: [
    { weight: 3, make: (m) => expire(m, "EXPIRE", m.relativeTime("seconds")) },
    { weight: 3, make: (m) => expire(m, "PEXPIRE", m.relativeTime("milliseconds")) },
    { weight: 3, make: (m) => expire(m, "EXPIREAT", m.absoluteTime("seconds")) },
    { weight: 3, make: (m) => expire(m, "PEXPIREAT", m.absoluteTime("milliseconds")) },
    { weight: 2, make: (m) => timeReply(m.keyword("TTL"), m.key(), "seconds") },
    { weight: 2, make: (m) => timeReply(m.keyword("PTTL"), m.key(), "milliseconds") },
    { weight: 2, make: (m) => timeReply(m.keyword("EXPIRETIME"), m.key(), "seconds") },
    { weight: 2, make: (m) => timeReply(m.keyword("PEXPIRETIME"), m.key(), "milliseconds") },
    { weight: 2, make: (m) => step([m.keyword("PERSIST"), m.key()]) },
  ],
};

export function timeReply(name: string, key: string, unit: Unit): Step {
  return step([name, key], unit === "seconds" ? WITHIN_SECONDS : WITHIN_MILLISECONDS);
}

function expire(m: Material, name: string, time: string): Step {
  const choices = [
    () => [m.keyword("NX")],
    () => [m.keyword("XX")],
    () => [m.keyword("GT")],
    () => [m.keyword("LT")],
    () => (m.random.chance(0.2) ? [m.random.pick(["EX", "", "GTLT"])] : []),
  ];
  return step([m.keyword(name), m.key(), time, ...m.options(choices, 2)]);
}
