/**
 * The expiry options that SET and GETEX share, and the care that they need.
 */

import { type Step, step } from "../step.ts";
import type { Material, Unit } from "./material.ts";

const EXPIRY_OPTIONS = [
  { word: "EX", unit: "seconds", absolute: false },
  { word: "PX", unit: "milliseconds", absolute: false },
  { word: "EXAT", unit: "seconds", absolute: true },
  { word: "PXAT", unit: "milliseconds", absolute: true },
] as const satisfies readonly { word: string; unit: Unit; absolute: boolean }[];

export function expiryOption(material: Material): string[] {
  const { word, unit, absolute } = material.random.pick(EXPIRY_OPTIONS);
  const time = absolute ? material.absoluteTime(unit) : material.relativeTime(unit);
  return [material.keyword(word), time];
}

/**
 * SET … EXAT with a past time stores a key that is expired already, and Redis counts it (DBSIZE,
 * DEBUG DIGEST) until somebody looks at it. kvdb must not, so somebody looks at it at once.
 */
export function lookedAt(words: readonly string[], key: string): Step {
  if (!words.some((word) => /^p?xat$|^exat$/i.test(word))) return step(words);
  const look = { words: ["EXISTS", key], answer: "exact" } as const;
  return { kind: "commands", commands: [{ words, answer: "exact" }, look] };
}
