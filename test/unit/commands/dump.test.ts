// Payloads between kvdb and redis-server are tested in test/oracle/dump.test.ts; here are the commands.

import { describe, expect, test } from "bun:test";
import { Crc64 } from "../../../src/rdb/crc64.ts";
import { sealPayload } from "../../../src/rdb/dump-payload.ts";
import { RdbOutput } from "../../../src/rdb/rdb-output.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";

/** Of redis-server 7.0.15: the string "hi". */
const HI = Buffer.from("000268690a00af6b9fe88e311b14", "hex");

function harness(history?: EngineHarness): EngineHarness {
  const db = new EngineHarness({}, history);
  return db;
}

test("DUMP is what redis-server answers for a string; null for no key", () => {
  const db = harness();
  db.run("SET", "k", "hi");
  expect(db.run("DUMP", "k")).toEqual(HI);
  expect(db.run("DUMP", "none")).toBeNull();
});

describe("RESTORE", () => {
  test("with a time to live, as a moment, over another key", () => {
    const db = harness();
    expect(db.run("RESTORE", "k", 5000, HI)).toBe("OK");
    expect([db.run("GET", "k"), db.run("PTTL", "k")]).toEqual(["hi", 5000]);
    expect(db.run("RESTORE", "k", db.now() + 7000, HI, "ABSTTL", "replace")).toBe("OK");
    expect(db.run("PTTL", "k")).toBe(7000);
    expect(db.run("RESTORE", "k", 0, HI, "REPLACE", "IDLETIME", 100)).toBe("OK");
    expect(db.run("PTTL", "k")).toBe(-1);
    expect(db.run("RESTORE", "k", 0, HI, "REPLACE", "FREQ", 255)).toBe("OK");
  });

  test("that is over when it comes deletes what it replaces", () => {
    const db = harness();
    db.run("SET", "k", "old");
    db.records();
    expect(db.run("RESTORE", "k", 1, HI, "ABSTTL", "REPLACE")).toBe("OK");
    expect(db.run("EXISTS", "k")).toBe(0);
    expect(db.records()).toEqual([{ database: 0, commands: ["DEL k"] }]);
    expect(db.run("RESTORE", "k", 1, HI, "ABSTTL")).toBe("OK");
    expect(db.records()).toEqual([]);
  });

  test("is recorded with its time to live as a moment, and replays", () => {
    const db = harness();
    db.run("SET", "k", "old");
    db.run("RESTORE", "k", 5000, HI, "REPLACE");
    db.run("RESTORE", "l", 0, HI);
    const commands = db.records().flatMap((record) => record.commands);
    expect(commands[1]).toStartWith(`RESTORE k ${db.now() + 5000} `);
    expect(commands[1]).toEndWith(" ABSTTL REPLACE");
    expect(db.replayed().run("DEBUG", "DIGEST")).toBe(db.run("DEBUG", "DIGEST"));
  });

  test.each<[string, (string | number | Buffer)[]]>([
    ["BUSYKEY Target key name already exists.", ["there", 0, HI]],
    ["BUSYKEY Target key name already exists.", ["there", -1, "x"]],
    ["ERR Invalid TTL value, must be >= 0", ["k", -1, "x"]],
    ["ERR value is not an integer or out of range", ["k", "1x", HI]],
    ["ERR invalid expire time in 'restore' command", ["k", "9223372036854775807", HI, "ABSTTL"]],
    ["ERR syntax error", ["k", 0, HI, "KEEP"]],
    ["ERR syntax error", ["k", 0, HI, "IDLETIME"]],
    ["ERR syntax error", ["k", 0, HI, "IDLETIME", 1, "FREQ", 1]],
    ["ERR Invalid IDLETIME value, must be >= 0", ["k", 0, HI, "IDLETIME", -1]],
    ["ERR Invalid FREQ value, must be >= 0 and <= 255", ["k", 0, HI, "FREQ", 256]],
    ["ERR DUMP payload version or checksum are wrong", ["k", 0, ""]],
    ["ERR DUMP payload version or checksum are wrong", ["k", 0, HI.subarray(0, -1)]],
  ])("%s", (error, words) => {
    const db = harness();
    db.run("SET", "there", "1");
    db.records();
    expect(db.run("RESTORE", ...words)).toEqual({ error });
    expect(db.records()).toEqual([]);
  });

  test.each(["0002686a", "0102016101", "0200", "020201610161", "0401016101620161"])(
    "a value that is none, or has an element twice or none: %s",
    (content) => {
      const db = harness();
      const payload = sealed(Buffer.from(`${content}0a00`, "hex"));
      const isValue = content === "0002686a";
      const error = { error: "ERR Bad data format" };
      expect(db.run("RESTORE", "k", 0, payload)).toEqual(isValue ? "OK" : error);
      expect(db.run("EXISTS", "k")).toBe(isValue ? 1 : 0);
    },
  );

  test("a sorted set in any order, of many elements", () => {
    const db = harness();
    const rows = Array.from({ length: 3000 }, (_, i) => [`member ${(i * 7919) % 3000}`, i % 10]);
    db.run("RESTORE", "k", 0, sortedSet(rows as [string, number][]));
    db.run("RESTORE", "l", 0, sortedSet(rows.toReversed() as [string, number][]));
    expect(db.run("DUMP", "k")).toEqual(db.run("DUMP", "l"));
  });

  test("deadlines of fields", () => {
    const db = harness();
    const hash = Buffer.from(`18e8030000000000000301016101310001620132030163c003`, "hex");
    expect(db.run("RESTORE", "k", 0, sealed(Buffer.concat([hash, Buffer.from([12, 0])])))).toBe(
      "OK",
    );
    const dumped = db.run("DUMP", "k") as Buffer;
    expect(dumped.toString("hex")).toStartWith("18e80300000000000003010161c0010001");
    expect(db.run("RESTORE", "l", 0, dumped)).toBe("OK");
    expect(db.run("DUMP", "l")).toEqual(dumped);
  });
});

function sealed(content: Buffer): Buffer {
  const checksum = new Crc64();
  checksum.add(content, 0, content.length);
  const payload = Buffer.concat([content, Buffer.alloc(8)]);
  checksum.write(payload, content.length);
  return payload;
}

function sortedSet(rows: readonly [string, number][]): Buffer {
  const output = new RdbOutput();
  output.byte(5);
  output.length(rows.length);
  for (const [member, score] of rows) {
    output.string(Buffer.from(member), 0, member.length);
    output.double(score);
  }
  sealPayload(output, { isDocument: false, isTimed: false });
  return Buffer.from(output.bytes.subarray(0, output.end));
}
