import { ptr } from "bun:ffi";
import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { preferHugePages } from "../../../src/platform/huge-pages.ts";

const MIB = 1024 * 1024;
const hasHugePages = existsSync("/sys/kernel/mm/transparent_hugepage/enabled");

test.skipIf(!hasHugePages)("the memory of a chunk is marked for huge pages", () => {
  const memory = new SharedArrayBuffer(16 * MIB);
  preferHugePages(memory);
  const middle = ptr(new Uint8Array(memory)) + 8 * MIB;
  expect(flagsOf(middle)).toContain("hg");
});

test("memory shorter than a page is left as it is", () => {
  expect(() => preferHugePages(new SharedArrayBuffer(64))).not.toThrow();
});

/** What the system notes of the mapping that an address is in: two letters each. */
function flagsOf(address: number): string[] {
  let isInside = false;
  for (const line of readFileSync("/proc/self/smaps", "latin1").split("\n")) {
    const range = /^([0-9a-f]+)-([0-9a-f]+) /.exec(line);
    if (range !== null) {
      const [from, to] = [Number(`0x${range[1]}`), Number(`0x${range[2]}`)];
      isInside = from <= address && address < to;
    } else if (isInside && line.startsWith("VmFlags:")) return line.slice(8).trim().split(" ");
  }
  return [];
}
