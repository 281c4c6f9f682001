/** Keys that are chosen so as to collide do not: where a key goes depends on bits that only the server knows. */
import { expect, test } from "bun:test";
import { hashBytes } from "../../../src/store/hash.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";

/** Segments of a table of so many keys are found by about as many of the upper bits. */
const BUCKETS = 256;
const KEYS = 4096;
/** Sixteen fall into each bucket, give or take four: this many come to pass once in 10^10 buckets. */
const MOST_IN_A_BUCKET = 50;

type HashKey = readonly [number, number];

function bucketOf(key: Buffer, [key0, key1]: HashKey): number {
  return hashBytes(key0, key1, key, 0, key.length) >>> 24;
}

/** Keys that all fall into bucket 0 of a server with this key. */
function collidingKeys(hashKey: HashKey): Buffer[] {
  const found: Buffer[] = [];
  for (let i = 0; found.length < KEYS; i++) {
    const key = Buffer.from(`key:${i}`);
    if (bucketOf(key, hashKey) === 0) found.push(key);
  }
  return found;
}

function hashKeyOf(harness: EngineHarness): HashKey {
  const { hashKey0, hashKey1 } = harness.engine.keyspace;
  return [hashKey0, hashKey1];
}

test("keys that collide in one server are spread in another", () => {
  const one = hashKeyOf(new EngineHarness());
  const other = hashKeyOf(new EngineHarness());
  expect(other).not.toEqual(one);
  const counts = new Array<number>(BUCKETS).fill(0);
  for (const key of collidingKeys(one)) {
    const bucket = bucketOf(key, other);
    counts[bucket] = (counts[bucket] ?? 0) + 1;
  }
  expect(Math.max(...counts)).toBeLessThan(MOST_IN_A_BUCKET);
});
