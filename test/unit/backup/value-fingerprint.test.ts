import { describe, expect, test } from "bun:test";
import { ValueFingerprint } from "../../../src/backup/value-fingerprint.ts";
import { ElementPart } from "../../../src/store/element-part.ts";
import { HASH, LIST, SET, ZSET } from "../../../src/store/entry.ts";

type Element = string | number;

/** Of elements in one part or several. */
function fingerprint(type: number, parts: readonly (readonly Element[])[], isTimed = false) {
  const made = new ValueFingerprint();
  made.begin(type);
  const part = new ElementPart();
  for (const elements of parts) {
    part.beginPart();
    for (const element of elements) {
      if (typeof element === "number") part.number(element);
      else part.string(Buffer.from(element), 0, Buffer.byteLength(element));
    }
    made.add(isTimed, part.run, part.start, part.end);
  }
  return made.take();
}

describe("a fingerprint", () => {
  test.each([
    [LIST, ["a", "b", "c"], 1],
    [SET, ["a", "b", "c"], 1],
    [HASH, ["a", "1", "b", "2"], 2],
    [ZSET, ["a", 1, "b", 2], 2],
  ])("of type %d does not depend on the parts", (type, elements, each) => {
    const parts = [elements.slice(0, each), [], elements.slice(each)];
    expect(fingerprint(type, parts)).toBe(fingerprint(type, [elements]));
  });

  test("depends on the order where the type has one", () => {
    expect(fingerprint(LIST, [["a", "b"]])).not.toBe(fingerprint(LIST, [["b", "a"]]));
    expect(fingerprint(SET, [["a", "b"]])).toBe(fingerprint(SET, [["b", "a"]]));
    const hash = fingerprint(HASH, [["a", "1", "b", "2"]]);
    expect(fingerprint(HASH, [["b", "2", "a", "1"]])).toBe(hash);
    expect(fingerprint(HASH, [["a", "2", "b", "1"]])).not.toBe(hash);
  });

  test("tells scores and deadlines of fields apart", () => {
    expect(fingerprint(ZSET, [["a", 0]])).not.toBe(fingerprint(ZSET, [["a", -0]]));
    const timed = fingerprint(HASH, [["a", "1", 2e12]], true);
    expect(fingerprint(HASH, [["a", "1", 2e12 + 1]], true)).not.toBe(timed);
    expect(fingerprint(HASH, [["a", "1", 0]], true)).toBe(fingerprint(HASH, [["a", "1"]]));
  });
});
