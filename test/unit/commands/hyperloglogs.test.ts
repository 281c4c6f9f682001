/** HyperLogLogs: counts, what is recorded, what is refused, the two forms. Their bytes are compared in test/oracle. */
import { describe, expect, test } from "bun:test";
import { murmur, murmurHash } from "../../../src/store/murmur-hash.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";

const DAMAGED = { error: "INVALIDOBJ Corrupted HLL object detected" };
const NO_HYPERLOGLOG = { error: "WRONGTYPE Key is not a valid HyperLogLog string value." };
const EMPTY = Buffer.from("HYLL\x01\0\0\0\0\0\0\0\0\0\0\0\x7f\xff", "latin1");

function recorded(db: EngineHarness): string[] {
  return db.records().flatMap((record) => record.commands);
}

function addMany(db: EngineHarness, key: string, from: number, to: number): void {
  for (let at = from; at < to; at += 500) {
    const count = Math.min(500, to - at);
    db.run("PFADD", key, ...Array.from({ length: count }, (_, i) => `element${at + i}`));
  }
}

test.each([[""], ["a"], ["abcdefg"], ["abcdefgh"], ["\xff".repeat(31)]])(
  "MurmurHash64A of %j, as computed with big integers",
  (text) => {
    const bytes = Buffer.from(` ${text} `, "latin1");
    murmurHash(bytes, 1, 1 + text.length);
    const found = (BigInt(murmur.high >>> 0) << 32n) | BigInt(murmur.low >>> 0);
    expect(found).toBe(plainMurmur(Buffer.from(text, "latin1")));
  },
);

/** The algorithm as its author wrote it down. */
function plainMurmur(bytes: Buffer): bigint {
  const wrap = (value: bigint) => BigInt.asUintN(64, value);
  const m = 0xc6a4a7935bd1e995n;
  let h = 0xadc83b19n ^ wrap(BigInt(bytes.length) * m);
  let at = 0;
  for (; at + 8 <= bytes.length; at += 8) {
    let k = wrap(bytes.readBigUInt64LE(at) * m);
    k = wrap((k ^ (k >> 47n)) * m);
    h = wrap((h ^ k) * m);
  }
  if (at < bytes.length) {
    const rest = Buffer.alloc(8);
    bytes.copy(rest, 0, at);
    h = wrap((h ^ rest.readBigUInt64LE()) * m);
  }
  h = wrap((h ^ (h >> 47n)) * m);
  return h ^ (h >> 47n);
}

describe("counts", () => {
  test("are right within three standard errors, sparse and dense", () => {
    const db = new EngineHarness({ auditEvery: 20 });
    let size = 0;
    for (const count of [1, 10, 100, 500, 2000, 20_000, 60_000]) {
      addMany(db, "k", size, count);
      size = count;
      const error = Math.abs((db.run("PFCOUNT", "k") as number) - count) / count;
      expect(error).toBeLessThan(3 * 0.0081);
      expect(db.run("PFDEBUG", "ENCODING", "k")).toBe(count <= 500 ? "sparse" : "dense");
    }
  });

  test("of several keys, and of their merger, are those of the union", () => {
    const db = new EngineHarness({ auditEvery: 20 });
    addMany(db, "a", 0, 400);
    addMany(db, "b", 200, 4000);
    const together = db.run("PFCOUNT", "a", "b", "none") as number;
    expect(Math.abs(together - 4000)).toBeLessThan(100);
    expect(db.run("PFMERGE", "c", "a", "b", "none")).toBe("OK");
    expect(db.run("PFCOUNT", "c")).toBe(together);
    expect(db.run("PFMERGE", "a", "b")).toBe("OK");
    expect(db.run("PFCOUNT", "a")).toBe(together);
    expect(db.run("PFCOUNT", "none", "nothing")).toBe(0);
  });

  test("the self-test passes", () => {
    expect(new EngineHarness().run("PFSELFTEST")).toBe("OK");
  });
});

describe("what is recorded", () => {
  test("whatever changes the bytes, and a replay gives the same", () => {
    const db = new EngineHarness();
    for (const [command, isRecorded] of [
      ["PFADD k", true],
      ["PFADD k", false],
      ["PFCOUNT k", true],
      ["PFCOUNT k", false],
      ["PFADD k a b c", true],
      ["PFADD k c b a", false],
      ["PFCOUNT k", true],
      ["PFCOUNT k", false],
      ["PFCOUNT k none", false],
      ["PFMERGE m k none", true],
      ["PFDEBUG GETREG m", true],
      ["PFDEBUG GETREG m", false],
      ["PFADD m d", true],
      ["PFADD m d", false],
      ["PFDEBUG TODENSE k", true],
      ["PFDEBUG TODENSE k", false],
      ["PFDEBUG ENCODING k", false],
    ] as const) {
      db.run(...command.split(" "));
      expect([command, recorded(db)]).toEqual([command, isRecorded ? [command] : []]);
    }
    expect(db.replayed().run("DEBUG", "DIGEST")).toBe(db.run("DEBUG", "DIGEST"));
  });

  test("a deadline stays", () => {
    const db = new EngineHarness();
    db.run("PFADD", "k", "a");
    db.run("EXPIRE", "k", 100);
    addMany(db, "k", 0, 3000);
    db.run("PFMERGE", "k", "k");
    expect(db.run("PFDEBUG", "ENCODING", "k")).toBe("dense");
    expect(db.run("TTL", "k")).toBe(100);
  });
});

test("hll-sparse-max-bytes decides when it becomes dense", () => {
  const db = new EngineHarness();
  db.run("CONFIG", "SET", "hll-sparse-max-bytes", 40);
  let elements = 0;
  while (db.run("PFDEBUG", "ENCODING", "k") !== "dense") {
    if (elements > 0) expect(db.run("STRLEN", "k")).toBeLessThanOrEqual(40);
    db.run("PFADD", "k", `element${elements++}`);
  }
  expect(elements).toBeGreaterThan(5);
  expect(elements).toBeLessThan(15);
  expect(db.run("STRLEN", "k")).toBe(12_304);
  expect(db.run("PFCOUNT", "k")).toBe(elements);
});

describe("refused, with nothing changed", () => {
  test.each([
    ["text", "some text"],
    ["a short header", EMPTY.subarray(0, 15)],
    ["an unknown encoding", Buffer.concat([Buffer.from("HYLL\x02"), EMPTY.subarray(5)])],
    ["a dense one of another length", Buffer.from(`HYLL${"\0".repeat(12_299)}`)],
  ])("%s", (_name, value) => {
    const db = new EngineHarness();
    db.run("SET", "k", value);
    db.records();
    for (const command of ["PFADD k a", "PFCOUNT k", "PFCOUNT n k", "PFMERGE d k", "PFMERGE k d"]) {
      expect(db.run(...command.split(" "))).toEqual(NO_HYPERLOGLOG);
    }
    expect(db.run("PFDEBUG", "DECODE", "k")).toEqual(NO_HYPERLOGLOG);
    expect(db.records()).toEqual([]);
  });

  test.each([
    ["no runs", "", "a"],
    ["a run cut off", "\x7f", "a"],
    ["too few registers", "\x40\x00", "a"],
    ["too many", "\x7f\xff\x00", null],
  ])("damage: %s", (_name, runs, added) => {
    const db = new EngineHarness();
    const stale = Buffer.from(`HYLL\x01\0\0\0\0\0\0\0\0\0\0\x80${runs}`, "latin1");
    db.run("SET", "k", stale);
    db.records();
    expect(db.run("PFCOUNT", "k")).toEqual(DAMAGED);
    expect(db.run("PFCOUNT", "k", "n")).toEqual(DAMAGED);
    expect(db.run("PFMERGE", "d", "k")).toEqual(DAMAGED);
    expect(db.run("PFDEBUG", "TODENSE", "k")).toEqual(DAMAGED);
    if (added !== null) expect(db.run("PFADD", "k", added)).toEqual(DAMAGED);
    expect(db.records()).toEqual([]);
  });

  test("other types, unknown questions", () => {
    const db = new EngineHarness();
    db.run("SADD", "s", "a");
    const text = "WRONGTYPE Operation against a key holding the wrong kind of value";
    expect(db.run("PFADD", "s", "a")).toEqual({ error: text });
    expect(db.run("PFDEBUG", "FOO", "none")).toEqual({
      error: "ERR The specified key does not exist",
    });
    db.run("PFADD", "k", "a");
    expect(db.run("PFDEBUG", "FOO", "k")).toEqual({
      error: "ERR Unknown PFDEBUG subcommand 'FOO'",
    });
  });
});
