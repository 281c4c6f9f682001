/** Records that do not fit the data, because an earlier one was lost: fatal, unless somebody wants to be told instead. */
import { expect, test } from "bun:test";
import { Replay, type Skipped } from "../../../src/journal/replay.ts";
import type { RecordBatch } from "../../../src/plugin.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";

type Commands = readonly (readonly string[])[];

/** A batch with one record for each list of commands. */
function batchOf(records: readonly Commands[], firstRevision = 10): RecordBatch {
  const frames = records.map((commands) => {
    const payload = Buffer.concat(commands.map(encode));
    const header = Buffer.alloc(8);
    header.writeUInt32LE(payload.length);
    return Buffer.concat([header, payload]);
  });
  const bytes = Buffer.concat(frames);
  const { length: count } = records;
  return { firstRevision, count, timeMs: 1e12, bytes, start: 0, end: bytes.length };
}

function encode(words: readonly string[]): Buffer {
  const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  return Buffer.from(`*${words.length}\r\n${parts.join("")}`);
}

/** Loads a batch into an engine that tells what it leaves out. */
function load(batch: RecordBatch) {
  const db = new EngineHarness();
  const skipped: Skipped[] = [];
  const session = db.engine.connect(db.session.client, "replay");
  const replay = new Replay(db.engine.gate, session, (one) => void skipped.push(one));
  replay.records(batch);
  return { db, skipped };
}

const withLoss: Commands[] = [
  [["SET", "a", "1"]],
  [["RENAME", "lost", "b"]],
  [
    ["SET", "c", "1"],
    ["RENAME", "lost", "d"],
    ["INCR", "c"],
  ],
  [["SET", "e", "1"]],
];

test("what does not fit is left out with its revision and why, all else is applied", () => {
  const { db, skipped } = load(batchOf(withLoss));
  const rename = encode(["RENAME", "lost", "b"]).length;
  expect(skipped).toEqual([
    { revision: 11, bytes: rename, reason: "ERR no such key" },
    { revision: 12, bytes: rename, reason: "ERR no such key" },
  ]);
  expect(db.run("MGET", "a", "b", "c", "d", "e")).toEqual(["1", null, "2", null, "1"]);
});

test("with nobody to be told the first one is fatal, with its place", () => {
  const db = new EngineHarness();
  const replay = new Replay(db.engine.gate, db.engine.connect(db.session.client, "replay"));
  const batch = batchOf(withLoss);
  const place = batch.bytes.indexOf("*3\r\n$6\r\nRENAME");
  expect(() => replay.records(batch)).toThrow(
    expect.objectContaining({ code: "DAMAGE", message: expect.stringContaining(` ${place} `) }),
  );
  expect(db.run("EXISTS", "e")).toBe(0);
});

test("a record that is no command, or longer than its batch, is left out as well", () => {
  const whole = batchOf([[["SET", "a", "1"]], [["SET", "b", "1"]], [["SET", "c", "1"]]]);
  const size = whole.end / 3;
  const noCommand = Buffer.from(whole.bytes);
  noCommand.write("?", size + 8 + 4);
  const first = load({ ...whole, bytes: noCommand });
  expect(first.skipped).toEqual([
    { revision: 11, bytes: size - 8, reason: "a record is no complete command" },
  ]);
  expect(first.db.run("EXISTS", "a", "b", "c")).toBe(2);

  const tooLong = Buffer.from(whole.bytes);
  tooLong.writeUInt32LE(size * 9, size);
  const second = load({ ...whole, bytes: tooLong });
  expect(second.skipped).toMatchObject([{ revision: 11, bytes: 2 * size }]);
  expect(second.db.run("EXISTS", "a", "b", "c")).toBe(1);

  const third = load({ ...whole, count: 2 });
  expect(third.skipped).toMatchObject([{ revision: 11, bytes: size }]);
});

test("a database beyond the configured ones stays fatal: the configuration is what must change", () => {
  const batch = batchOf([[["SET", "a", "1"]]]);
  batch.bytes.writeUInt16LE(99, 4);
  expect(() => load(batch)).toThrow(expect.objectContaining({ code: "CONFIG" }));
});
