/**
 * Images of values of every type: generated commands go on while the image is written, stepped by hand with a ring of a few
 * pages; what the image has is what was there at the cut. Strings and documents: snapshot.test.ts.
 */
import { expect, test } from "bun:test";
import { type Random, seededRandom } from "../../../src/platform/random.ts";
import { Arena } from "../../../src/store/arena.ts";
import { EntryWalk } from "../../../src/store/entry-walk.ts";
import { type CapturedImage, captureSteps, placePages } from "../../../src/store/image-writer.ts";
import { createRing } from "../../../src/store/page-capture.ts";
import { Snapshot } from "../../../src/store/snapshot.ts";
import { GROUPS, sequence } from "../../oracle/generate/sequence.ts";
import { commandsOf } from "../../oracle/step.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";
import { seeds } from "../../suites/seeds.ts";
import { copyImage } from "./stored-entries.ts";

const CHOSEN = /^(strings|lists|sets|hashes|hyperloglogs|streams|sorted-sets|geo|keys|expiry)$/;
/** What would take the large values away, or lead to another database than theirs. */
const LEFT_OUT = /^(HELLO|DEBUG|CONFIG|FLUSHALL|FLUSHDB|SWAPDB|SELECT)$/i;
const STEPS = 4000;
const STEPS_BEFORE = 1500;
/** Elements of each large value: together some hundred pages, most of which are not in the image yet when they change. */
const LARGE = 3000;
/** Packed forms, big ones, and values on their way from the one to the other. */
const LIMITS = [
  ...["hash-max-listpack-entries", "8", "zset-max-listpack-entries", "8"],
  ...["set-max-listpack-entries", "8", "set-max-intset-entries", "8"],
  ...["list-max-listpack-size", "4", "stream-node-max-entries", "4"],
];

/** Key, type, deadline, version and elements of each entry, in a line that compares. */
function contentOf(arena: Arena): string[] {
  const walk = new EntryWalk(arena);
  const lines: string[] = [];
  while (walk.next()) {
    const { database, type, keyBytes, keyStart, keyEnd, valueBytes, valueStart, valueEnd } =
      walk.entry;
    const { deadlineMs, version, isTimed } = walk.entry;
    const key = keyBytes.toString("hex", keyStart, keyEnd);
    const value = valueBytes.toString("hex", valueStart, valueEnd);
    lines.push(`${database} ${key} ${type} ${isTimed} ${deadlineMs} ${version} ${value}`);
  }
  return lines;
}

function* commands(seed: number) {
  const groups = GROUPS.filter(({ name }) => CHOSEN.test(name));
  for (const step of sequence(seed, STEPS, groups)) {
    for (const { words, wire } of commandsOf(step)) {
      const isLeftOut = wire !== undefined || LEFT_OUT.test(String(words[0]));
      if (!isLeftOut && words.length > 0) yield words;
    }
  }
}

/** What fills a large value of each type; `at` is below LARGE. */
function large(at: number): string[][] {
  const text = `element ${at}`;
  return [
    ["RPUSH", "large list", text],
    ["SADD", "large set", text],
    ["HSET", "large hash", text, "v".repeat(at % 60)],
    ["ZADD", "large zset", String(at % 70), text],
    ["XADD", "large stream", `${at + 1}-1`, "field", text],
  ];
}

/** A change anywhere in a large value, which stays about as large as it is. */
function largeChange(random: Random): string[] {
  const at = random.below(LARGE);
  const text = `element ${at}`;
  const changes = [
    ["LSET", "large list", String(random.below(LARGE / 2)), `${text} again`],
    ["LINSERT", "large list", "BEFORE", text, text],
    ["LREM", "large list", "1", text],
    ["SADD", "large set", text],
    ["SREM", "large set", text],
    ["HSET", "large hash", text, "w".repeat(random.below(60))],
    ["HDEL", "large hash", text],
    ["HEXPIRE", "large hash", String(1000 + at), "FIELDS", "1", text],
    ["ZADD", "large zset", String(random.below(70)), text],
    ["ZREM", "large zset", text],
    ["XDEL", "large stream", `${at + 1}-1`],
    ["XADD", "large stream", `${LARGE + 1}-*`, "field", text],
    ["XREADGROUP", "GROUP", "g", "c", "COUNT", "5", "STREAMS", "large stream", ">"],
    ["XACK", "large stream", "g", `${at + 1}-1`],
  ];
  return changes[random.below(changes.length)] as string[];
}

test.each(seeds(6))("every type is in an image as it was at the cut, seed %i", (seed) => {
  const db = new EngineHarness({ auditEvery: 0 });
  const { keyspace } = db.engine;
  const next = commands(seed);
  const random = seededRandom(seed);
  const change = (): boolean => {
    const { value, done } = next.next();
    if (done === true) return false;
    db.run(...value);
    db.run(...largeChange(random));
    return true;
  };
  db.run("CONFIG", "SET", ...LIMITS);
  for (let i = 0; i < LARGE; i++) for (const words of large(i)) db.run(...words);
  db.run("XGROUP", "CREATE", "large stream", "g", "0");
  for (let i = 0; i < STEPS_BEFORE; i++) change();

  let rounds = 0;
  const types = new Set<string | undefined>();
  for (let isGoingOn = true; isGoingOn; rounds++) {
    keyspace.noteRevision();
    const expected = contentOf(keyspace.arena);
    for (const line of expected) types.add(line.split(" ")[2]);
    const atCut = copyImage(keyspace.arena);
    const snapshot = Snapshot.cut(keyspace.arena, createRing(rounds % 2 === 0 ? 2 : 4));
    const file = new Uint8Array(2 * atCut.length);
    const writeNow = (bytes: Uint8Array, start: number, end: number, position: number) =>
      file.set(bytes.subarray(start, end), position);
    const steps = captureSteps(snapshot.capture, { writeNow });
    let captured: CapturedImage | undefined;
    while (captured === undefined) {
      for (let i = 0; i < 8 && isGoingOn; i++) isGoingOn = change();
      const { done, value } = steps.next();
      if (done === true) captured = value;
      else snapshot.endTurn();
    }
    expect(captured.report.isComplete).toBe(true);
    expect(placePages(snapshot.capture, captured, file.subarray(atCut.length), { writeNow })).toBe(
      true,
    );
    snapshot.finish();
    const image = file.subarray(0, atCut.length);
    expect(contentOf(Arena.open([image]))).toEqual(expected);
  }
  expect(rounds).toBeGreaterThan(2);
  expect(types.size).toBeGreaterThan(5);
});
