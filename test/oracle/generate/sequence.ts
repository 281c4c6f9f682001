/**
 * Puts a sequence together: a few keys first, then steps of all groups, in a third of the cases in
 * RESP3. The list of groups is here: a new one is one line.
 */

import { Random } from "../random.ts";
import { type Step, step } from "../step.ts";
import { bits } from "./bits.ts";
import { connection } from "./connection.ts";
import { expiry } from "./expiry.ts";
import { geo } from "./geo.ts";
import type { Group } from "./group.ts";
import { hashes } from "./hashes.ts";
import { hyperloglogs } from "./hyperloglogs.ts";
import { keys } from "./keys.ts";
import { lists } from "./lists.ts";
import { Material } from "./material.ts";
import { sets } from "./sets.ts";
import { sortedSets } from "./sorted-sets.ts";
import { streams } from "./streams.ts";
import { strings } from "./strings.ts";
import { unknown } from "./unknown.ts";
import { vary } from "./vary.ts";

export const GROUPS: readonly Group[] = [
  strings,
  lists,
  sets,
  hashes,
  hyperloglogs,
  streams,
  sortedSets,
  geo,
  bits,
  keys,
  expiry,
  connection,
  unknown,
];

/** The sequence of this seed; the same seed, count and groups give the same steps. */
export function sequence(seed: number, stepCount: number, groups: readonly Group[]): Step[] {
  const material = new Material(new Random(seed));
  const steps: Step[] = [];
  if (material.random.chance(1 / 3)) steps.push(step(["HELLO", "3"]));
  steps.push(
    step(["MSET", ...material.list(2, 5, () => [material.key(), material.value()]).flat()]),
  );
  while (steps.length < stepCount) {
    const entry = material.random.weighted(material.random.weighted(groups).entries);
    steps.push(vary(material, entry.make(material)));
  }
  return steps;
}
