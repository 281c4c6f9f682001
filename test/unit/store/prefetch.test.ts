/**
 * Looking ahead changes no reply and no data: batches of commands, most of them on the key of their neighbour, run with
 * their keys looked up ahead and beside it one by one.
 */
import { describe, expect, test } from "bun:test";
import { Arguments } from "../../../src/commands/arguments.ts";
import { type Random, seededRandom } from "../../../src/platform/random.ts";
import { Decoder, RespEncoder } from "../../../src/resp/index.ts";
import { type Arena, FIRST_CHUNK_BYTES, UNIT_BYTES } from "../../../src/store/arena.ts";
import type { Dictionary } from "../../../src/store/dictionary.ts";
import { KeyHint, PREFETCH_KEYS, Prefetch } from "../../../src/store/prefetch.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";
import { seeds } from "../../suites/seeds.ts";

const BATCHES = 1500;

type Words = readonly string[];

/** A harness whose commands come as bytes, several at a time. */
class Pipeline {
  readonly db = new EngineHarness({ auditEvery: 0 });
  readonly #decoder = new Decoder();
  readonly #encoder = new RespEncoder();
  readonly #batch = Array.from({ length: PREFETCH_KEYS }, () => new Arguments());

  /** The replies as they would be sent. */
  run(commands: readonly Words[], looksAhead: boolean): string {
    const { engine, session } = this.db;
    const input = Buffer.from(commands.map(encoded).join(""));
    let at = 0;
    for (let i = 0; i < commands.length; i++) {
      at = this.#decoder.decode(this.#batch[i] as Arguments, input, at, input.length);
    }
    if (looksAhead) engine.lookAhead(session, this.#batch, commands.length);
    this.#encoder.begin(session);
    for (let i = 0; i < commands.length; i++) {
      engine.dispatch(session, this.#batch[i] as Arguments, this.#encoder);
    }
    const { buffer, lastStart, at: end } = this.#encoder;
    const replies = buffer.toString("latin1", lastStart, end);
    this.#encoder.reset();
    return replies;
  }
}

function encoded(words: Words): string {
  return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`;
}

/** Values that keep an entry where it is, and values that move it. */
function value(random: Random): string {
  return "v".repeat(random.below(3) === 0 ? random.below(300) : 8);
}

const oneKey: readonly ((key: string, random: Random) => Words)[] = [
  (key, random) => ["SET", key, value(random)],
  (key, random) => ["APPEND", key, value(random)],
  (key) => ["GET", key],
  (key) => ["DEL", key],
  (key, random) => ["LPUSH", key, value(random)],
  (key, random) => ["RPUSH", key, value(random), value(random)],
  (key) => ["LPOP", key],
  (key) => ["RPOP", key, "2"],
  (key) => ["LLEN", key],
  (key, random) => ["HSET", key, `f${random.below(9)}`, value(random)],
  (key, random) => ["HGET", key, `f${random.below(9)}`],
  (key, random) => ["PEXPIRE", key, String(1 + random.below(20))],
  (key) => ["PERSIST", key],
  (key) => ["TYPE", key],
  (key) => ["PTTL", key],
];

/** Commands that change the tables under a key that was looked up ahead. */
const anyKey: readonly ((one: string, other: string) => Words)[] = [
  (one, other) => ["RENAME", one, other],
  (one, other) => ["COPY", one, other, "REPLACE"],
  (one, other) => ["LMOVE", one, other, "LEFT", "RIGHT"],
  (one) => ["MOVE", one, "1"],
  () => ["SWAPDB", "0", "1"],
  () => ["SELECT", "1"],
  () => ["SELECT", "0"],
  () => ["FLUSHDB"],
  () => ["FLUSHALL"],
];

/** Keys of all lengths that a comparison by words can end with, which differ at the end or in the middle. */
const KEYS = ["k", "l", "key1", "key2", "key10", "kex10", "key100", "kez100", "key1000", "kay1000"];

function pick<T>(random: Random, list: readonly T[]): T {
  return list[random.below(list.length)] as T;
}

function nextBatch(random: Random): Words[] {
  const batch: Words[] = [];
  let key = pick(random, KEYS);
  for (let left = 1 + random.below(PREFETCH_KEYS); left > 0; left--) {
    if (random.below(5) === 0) key = pick(random, KEYS);
    const isOther = random.below(20) === 0;
    batch.push(
      isOther ? pick(random, anyKey)(key, pick(random, KEYS)) : pick(random, oneKey)(key, random),
    );
  }
  return batch;
}

describe("looking ahead", () => {
  test.each(seeds(3))("changes neither replies nor data, seed %d", (seed) => {
    const random = seededRandom(seed);
    const [ahead, plain] = [new Pipeline(), new Pipeline()];
    for (let i = 0; i < BATCHES; i++) {
      const batch = nextBatch(random);
      expect(ahead.run(batch, true)).toBe(plain.run(batch, false));
      const elapsed = random.below(10);
      ahead.db.advance(elapsed);
      plain.db.advance(elapsed);
    }
    expect(ahead.db.run("DEBUG", "DIGEST")).toEqual(plain.db.run("DEBUG", "DIGEST"));
  });
});

test("nothing behind the end of a chunk is read, however short the chunk is", () => {
  const outside: number[] = [];
  const words = new Proxy(new Int32Array(FIRST_CHUNK_BYTES / 4), {
    get(target, name) {
      if (Number(name) >= target.length) outside.push(Number(name));
      return Reflect.get(target, name, target);
    },
  });
  // The last block of the chunk: the smallest that there is.
  const entry = FIRST_CHUNK_BYTES / UNIT_BYTES - 3;
  const entries = { slotsOf: () => {}, probe: () => entry } as unknown as Dictionary;
  const prefetch = new Prefetch({ ints: [words] } as unknown as Arena, entries, [1, 2]);
  prefetch.add(Buffer.from("key"), 0, 3, new KeyHint());
  prefetch.load(0);
  expect(outside).toEqual([]);
});
