/**
 * What a file of generators exports: one group of commands. To cover a new group, write such a file
 * and add it to the list in sequence.ts; give its commands the keys of `Material`, so that they
 * meet the other groups' types on them.
 */

import type { Step } from "../step.ts";
import type { Material } from "./material.ts";

export type Entry = {
  /** How often the entry is drawn, relative to the other entries of its group. */
  readonly weight: number;
  readonly make: (material: Material) => Step;
};

export type Group = {
  readonly name: string;
  /** How often the group is drawn, relative to the other groups. */
  readonly weight: number;
  readonly entries: readonly Entry[];
};
