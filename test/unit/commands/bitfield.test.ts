import { describe, expect, test } from "bun:test";
import { seededRandom } from "../../../src/platform/random.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";
import { seeds } from "../../suites/seeds.ts";

/** The string as a text of zeros and ones, as long as anybody asks: the naive model. */
class BitText {
  bits = "";

  read(offset: number, width: number, isSigned: boolean): bigint {
    const text = this.bits.padEnd(offset + width, "0").slice(offset, offset + width);
    const value = BigInt(`0b${text}`);
    return isSigned ? BigInt.asIntN(width, value) : value;
  }

  write(offset: number, width: number, value: bigint): void {
    const text = BigInt.asUintN(width, value).toString(2).padStart(width, "0");
    const padded = this.bits.padEnd(offset + width, "0");
    this.bits = padded.slice(0, offset) + text + padded.slice(offset + width);
  }
}

const reply = (value: bigint) => (Number.isSafeInteger(Number(value)) ? Number(value) : value);

function randomValue(random: { below(bound: number): number }): bigint {
  const value = (BigInt(random.below(2 ** 32)) << 31n) | BigInt(random.below(2 ** 31));
  const narrowed = value >> BigInt(random.below(63));
  return random.below(2) === 0 ? narrowed : -narrowed;
}

test.each(seeds(4))("wrapping fields against a text of zeros and ones, seed %d", (seed) => {
  const random = seededRandom(seed);
  const db = new EngineHarness({ auditEvery: 20 });
  const model = new BitText();
  for (let step = 0; step < 1200; step++) {
    const isSigned = random.below(2) === 0;
    const width = 1 + random.below(isSigned ? 64 : 63);
    const offset = random.below(300);
    const type = `${isSigned ? "i" : "u"}${width}`;
    const old = model.read(offset, width, isSigned);
    const action = ["GET", "SET", "INCRBY"][random.below(3)];
    if (action === "GET") {
      expect(db.run("BITFIELD", "k", "GET", type, offset)).toEqual([reply(old)]);
      continue;
    }
    const value = randomValue(random);
    model.write(offset, width, action === "SET" ? value : old + value);
    const expected = action === "SET" ? old : model.read(offset, width, isSigned);
    expect(db.run("BITFIELD", "k", action, type, offset, value)).toEqual([reply(expected)]);
  }
  expect(db.replayed().run("DEBUG", "DIGEST")).toBe(db.run("DEBUG", "DIGEST"));
});

describe("overflow", () => {
  /** As redis-server 7.0.15 answers, each on a new key that holds `start`. */
  test.each([
    ["u8", 250, 10, 4, 255, null],
    ["u8", 5, -10, 251, 0, null],
    ["i8", 120, 10, -126, 127, null],
    ["i8", -120, -10, 126, -128, null],
    ["i32", 2_147_483_647, 1, -2_147_483_648, 2_147_483_647, null],
    ["u32", 4_294_967_295, 1, 0, 4_294_967_295, null],
    ["u33", 8_589_934_591, 2, 1, 8_589_934_591, null],
    ["i64", 2n ** 63n - 1n, 1, -(2n ** 63n), 2n ** 63n - 1n, null],
    ["i5", 3, "9223372036854775807", 2, 15, null],
    ["u8", 1, "-9223372036854775808", 1, 0, null],
  ])("%s: %p + %p wraps to %p, saturates to %p", (type, start, by, wrapped, saturated, failed) => {
    const results = ["WRAP", "SAT", "FAIL"].map((overflow) => {
      const db = new EngineHarness();
      db.run("BITFIELD", "k", "SET", type, 3, start);
      return db.run("BITFIELD", "k", "OVERFLOW", overflow, "INCRBY", type, 3, by);
    });
    expect(results).toEqual([[wrapped], [saturated], [failed]]);
  });

  /** A negative value for an unsigned field is a huge one; one far below an i8 counts as above it, in Redis's 64 bits. */
  test.each([
    ["u8", -1, 255],
    ["u8", 300, 255],
    ["i8", -1000, -128],
    ["i8", "-9223372036854775808", 127],
    ["i63", "-9223372036854775808", 2n ** 62n - 1n],
    ["u63", "-1", 2n ** 63n - 1n],
  ])("SET %s to %s saturates to %p", (type, value, expected) => {
    const db = new EngineHarness();
    db.run("BITFIELD", "k", "OVERFLOW", "SAT", "SET", type, 0, value);
    expect(db.run("BITFIELD", "k", "GET", type, 0)).toEqual([expected]);
    expect(db.run("BITFIELD", "k", "OVERFLOW", "FAIL", "SET", type, 0, value)).toEqual([null]);
  });
});

test("what changes no field leaves no record, once the string was edited", () => {
  const db = new EngineHarness();
  db.run("BITFIELD", "k", "SET", "u8", 0, 255);
  db.records();
  db.run("BITFIELD", "k", "SET", "u8", 0, 255, "OVERFLOW", "FAIL", "INCRBY", "u8", 0, 1);
  db.run("BITFIELD", "k", "GET", "u8", 0);
  db.run("BITFIELD_RO", "k", "GET", "u8", 0);
  expect(db.records()).toEqual([]);
  expect(db.run("BITFIELD", "k", "INCRBY", "u4", "#1", 1, "GET", "u8", 0)).toEqual([0, 240]);
  expect(db.records()).toHaveLength(1);
});

test("an error changes nothing, whatever stands before it", () => {
  const db = new EngineHarness();
  const good = ["SET", "u8", "0", "1"];
  expect(db.run("BITFIELD", "k", ...good, "SET", "u64", "0", "1")).toHaveProperty("error");
  expect(db.run("BITFIELD", "k", ...good, "SET", "u8", "#536870912", "1")).toHaveProperty("error");
  expect(db.run("BITFIELD", "k", ...good, "OVERFLOW", "NEVER")).toHaveProperty("error");
  expect(db.run("BITFIELD_RO", "k", ...good)).toEqual({
    error: "ERR BITFIELD_RO only supports the GET subcommand",
  });
  expect(db.run("DBSIZE")).toBe(0);
});
