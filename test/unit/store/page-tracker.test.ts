/** Several trackers at one arena: each hears of everything as long as it is attached. */
import { expect, test } from "bun:test";
import { Arena, CHUNK_UNITS } from "../../../src/store/arena.ts";
import { attachTracker, detachTracker, type PageTracker } from "../../../src/store/page-tracker.ts";

class Listener implements PageTracker {
  heard: string[] = [];
  touch(firstPage: number, lastPage: number): void {
    this.heard.push(`${firstPage}-${lastPage}`);
  }
  released(firstChunk: number, count: number): void {
    this.heard.push(`released ${firstChunk} ${count}`);
  }
  reset(): void {
    this.heard.push("reset");
  }
}

test("each hears of everything until it is detached", () => {
  const arena = new Arena();
  const [a, b, c] = [new Listener(), new Listener(), new Listener()];
  for (const one of [a, b, c]) attachTracker(arena, one);
  const giant = arena.allocate(2 * CHUNK_UNITS);
  a.heard = [];
  b.heard = [];
  c.heard = [];
  arena.edit(5 << 10, (2 << 10) + 1);
  detachTracker(arena, b);
  detachTracker(arena, b);
  arena.release(giant, 2 * CHUNK_UNITS);
  detachTracker(arena, a);
  arena.reset();
  detachTracker(arena, c);
  expect(arena.tracker).toBe(null);
  arena.edit(9 << 10, 1);
  expect(b.heard).toEqual(["5-7"]);
  expect(a.heard[0]).toBe("5-7");
  expect(a.heard).toContain("released 1 2");
  expect(a.heard).not.toContain("reset");
  expect(c.heard).toContain("reset");
  expect(c.heard).not.toContain("9-9");
});
