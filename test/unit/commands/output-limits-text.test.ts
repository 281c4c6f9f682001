/** `client-output-buffer-limit` as text: what is understood, what it changes, what Redis says of anything else. */
import { describe, expect, test } from "bun:test";
import {
  OUTPUT_LIMITS_PATTERN,
  outputLimitsText,
  parseOutputLimits,
} from "../../../src/commands/output-limits-text.ts";
import { DEFAULT_OUTPUT_LIMITS } from "../../../src/session/output-limits.ts";

const DEFAULTS = "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60";

/** Texts, and what CONFIG GET says of the defaults changed by them; each asked of redis-server 7.0.15. */
const accepted: readonly (readonly [string, string])[] = [
  ["", DEFAULTS],
  ["pubsub 32mb 8mb 60", DEFAULTS],
  ["PubSub 1k 1KB 5", "normal 0 0 0 slave 268435456 67108864 60 pubsub 1000 1024 5"],
  ["normal 1 2 3  replica 4 5 6", "normal 1 2 3 slave 4 5 6 pubsub 33554432 8388608 60"],
  ["slave 1 1 1 replica 5 5 5", "normal 0 0 0 slave 5 5 5 pubsub 33554432 8388608 60"],
];

const COUNT = "Wrong number of arguments in buffer limit configuration.";
const CLASS = "Invalid client class specified in buffer limit configuration.";
const LIMIT = "Error in hard, soft or soft_seconds setting in buffer limit configuration.";
const refused: readonly (readonly [string, string])[] = [
  ["pubsub 1mb 2mb", COUNT],
  ["foo 1 2 3", CLASS],
  ["master 1 1 1", CLASS],
  ["normal -1 0 0", LIMIT],
  ["pubsub 1 2 x", LIMIT],
  ["pubsub 1xb 1 1", LIMIT],
  ["normal 0 0 0 pubsub 10 10 -1", LIMIT],
];

describe("client-output-buffer-limit", () => {
  test.each(accepted)("%j", (text, shown) => {
    expect(outputLimitsText(parseOutputLimits(text, DEFAULT_OUTPUT_LIMITS))).toBe(shown);
    expect(new RegExp(OUTPUT_LIMITS_PATTERN).test(text)).toBe(true);
  });

  test.each(refused)("%j is refused", (text, message) => {
    expect(() => parseOutputLimits(text, DEFAULT_OUTPUT_LIMITS)).toThrow(message);
    expect(new RegExp(OUTPUT_LIMITS_PATTERN).test(text)).toBe(false);
  });

  test("what CONFIG GET answers can be set again", () => {
    expect(parseOutputLimits(DEFAULTS, DEFAULT_OUTPUT_LIMITS)).toEqual(DEFAULT_OUTPUT_LIMITS);
  });
});
