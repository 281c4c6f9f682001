/**
 * Images of values of every type: generated commands go on while the image is written, stepped by hand with a ring of a few
 * pages; what the image has is what was there at the cut. Strings and documents: snapshot.test.ts.
 */
import { expect, test } from "bun:test";
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
const STEPS = 4000;
const STEPS_BEFORE = 1500;
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
      const isLeftOut = wire !== undefined || /^(HELLO|DEBUG|CONFIG)$/i.test(String(words[0]));
      if (!isLeftOut && words.length > 0) yield words;
    }
  }
}

test.each(seeds(6))("every type is in an image as it was at the cut, seed %i", (seed) => {
  const db = new EngineHarness({ auditEvery: 0 });
  const { keyspace } = db.engine;
  const next = commands(seed);
  const change = (): boolean => {
    const { value, done } = next.next();
    if (done === true) return false;
    db.run(...value);
    return true;
  };
  db.run("CONFIG", "SET", ...LIMITS);
  for (let i = 0; i < 900; i++) db.run("ZADD", "big zset", i % 70, `member ${i}`);
  for (let i = 0; i < 900; i++) db.run("HSET", "big hash", `field ${i}`, "v".repeat(i % 60));
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
