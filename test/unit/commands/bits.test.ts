import { describe, expect, test } from "bun:test";
import { seededRandom } from "../../../src/platform/random.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";
import { seeds } from "../../suites/seeds.ts";

/** The bits of some bytes as a text of zeros and ones: the naive model. */
function bitsOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(2).padStart(8, "0")).join("");
}

/** Bytes with long stretches of equal ones, so that searches have something to skip. */
function randomBytes(random: { below(bound: number): number }): Buffer {
  const bytes = Buffer.alloc(random.below(80));
  for (let at = 0; at < bytes.length; ) {
    const value = [0, 0xff, random.below(256)][random.below(3)];
    for (let left = random.below(20) + 1; left > 0 && at < bytes.length; left--) {
      bytes[at++] = value;
    }
  }
  return bytes;
}

function ones(bits: string): number {
  return bits.replaceAll("0", "").length;
}

/** Redis's inclusive range, in a text of bits. */
function part(bits: string, first: number, last: number, unit: number): [number, number] {
  const length = bits.length / unit;
  const from = Math.max(0, first < 0 ? length + first : first);
  const to = Math.min(length - 1, Math.max(0, last < 0 ? length + last : last));
  return [from * unit, (to + 1) * unit];
}

describe("against a text of zeros and ones", () => {
  test.each(seeds(3))("BITCOUNT and BITPOS, seed %d", (seed) => {
    const random = seededRandom(seed);
    const db = new EngineHarness({ auditEvery: 0, durability: "none" });
    for (let round = 0; round < 1500; round++) {
      const bytes = randomBytes(random);
      const bits = bitsOf(bytes);
      // Keys of various lengths, so that values begin at each place within a word.
      const key = "k".repeat(1 + random.below(8));
      db.run("SET", key, bytes);
      const [unit, word] = random.below(2) === 0 ? [1, "BIT"] : [8, "BYTE"];
      const bound = bits.length / unit + 5;
      const first = random.below(2 * bound) - bound;
      const last = random.below(2 * bound) - bound;
      const [from, to] = part(bits, first, last, unit);
      const isReversed = first < 0 && last < 0 && first > last;
      const expected = isReversed ? 0 : ones(bits.slice(from, to));
      expect(db.run("BITCOUNT", key, first, last, word)).toBe(expected);
      expect(db.run("BITCOUNT", key)).toBe(ones(bits));
      for (const bit of [0, 1]) {
        const at = from < to ? bits.slice(0, to).indexOf(String(bit), from) : -1;
        expect(db.run("BITPOS", key, bit, first, last, word)).toBe(at);
      }
    }
  });

  test.each(seeds(2))("BITOP, seed %d", (seed) => {
    const random = seededRandom(seed);
    const db = new EngineHarness({ auditEvery: 10, durability: "none" });
    const operations = {
      AND: (a: number, b: number) => a & b,
      OR: (a: number, b: number) => a | b,
      XOR: (a: number, b: number) => a ^ b,
    };
    for (let round = 0; round < 300; round++) {
      const sources = Array.from({ length: 1 + random.below(3) }, () => randomBytes(random));
      sources.forEach((bytes, index) => {
        db.run("SET", `source${index}`, bytes);
      });
      const names = sources.map((_, index) => `source${index}`);
      const size = Math.max(...sources.map((bytes) => bytes.length));
      const [name, combine] = Object.entries(operations)[random.below(3)];
      const expected = Buffer.alloc(size);
      for (let i = 0; i < size; i++) {
        expected[i] = sources.map((bytes) => bytes[i] ?? 0).reduce(combine);
      }
      // The target may be one of the sources.
      const target = ["target", "source0"][random.below(2)];
      expect(db.run("BITOP", name, target, ...names)).toBe(size);
      db.run("SET", "expected", expected);
      expect(db.run("GET", target)).toEqual(size === 0 ? null : db.run("GET", "expected"));
    }
  });
});

describe("BITOP", () => {
  test("over more than a stripe, sources of different lengths", () => {
    const db = new EngineHarness();
    const long = Buffer.from(Uint8Array.from({ length: 20_001 }, (_, index) => index * 7));
    const short = Buffer.from(Uint8Array.from({ length: 9_003 }, (_, index) => index * 13));
    db.run("SET", "long", long);
    db.run("SET", "short", short);
    db.run("BITOP", "XOR", "k", "long", "short");
    db.run("BITOP", "XOR", "k", "k", "short");
    expect(db.run("GET", "k")).toEqual(db.run("GET", "long"));
    db.run("BITOP", "NOT", "k", "k");
    db.run("BITOP", "AND", "k", "k", "long");
    expect(db.run("BITCOUNT", "k")).toBe(0);
    expect(db.run("STRLEN", "k")).toBe(long.length);
  });

  test("of nothing deletes the target", () => {
    const db = new EngineHarness();
    db.run("SET", "k", "v");
    db.records();
    expect(db.run("BITOP", "OR", "k", "none", "neither")).toBe(0);
    expect(db.run("EXISTS", "k")).toBe(0);
    expect(db.records()[0]?.commands).toEqual(["BITOP OR k none neither"]);
  });

  test("takes the deadline of the target away", () => {
    const db = new EngineHarness();
    db.run("SET", "k", "v", "EX", 10);
    db.run("BITOP", "NOT", "k", "k");
    expect(db.run("TTL", "k")).toBe(-1);
  });
});

describe("SETBIT", () => {
  test("the last bit that may be set", () => {
    const db = new EngineHarness({ auditEvery: 0, durability: "none" });
    expect(db.run("SETBIT", "k", 4_294_967_296, 1)).toEqual({
      error: "ERR bit offset is not an integer or out of range",
    });
    expect(db.run("SETBIT", "k", 4_294_967_295, 1)).toBe(0);
    expect(db.run("STRLEN", "k")).toBe(536_870_912);
    expect(db.run("GETBIT", "k", 4_294_967_295)).toBe(1);
    expect(db.run("BITPOS", "k", 1)).toBe(4_294_967_295);
    expect(db.run("BITPOS", "k", 1, 4_294_967_290, -1, "BIT")).toBe(4_294_967_295);
    expect(db.run("BITCOUNT", "k")).toBe(1);
  });

  test("of a bit that is so already leaves no record, once the string was edited", () => {
    const db = new EngineHarness();
    db.run("SETBIT", "k", 7, 1);
    db.records();
    expect(db.run("SETBIT", "k", 7, 1)).toBe(1);
    expect(db.run("SETBIT", "k", 6, 0)).toBe(0);
    expect(db.records()).toEqual([]);
    db.run("SETBIT", "k", 8, 0);
    expect(db.records()).toHaveLength(1);
    expect(db.run("STRLEN", "k")).toBe(2);
  });

  test("keeps the deadline", () => {
    const db = new EngineHarness();
    db.run("SET", "k", "v", "PX", 700);
    db.run("SETBIT", "k", 1000, 1);
    db.run("APPEND", "k", "x");
    expect(db.run("PTTL", "k")).toBe(700);
  });
});
