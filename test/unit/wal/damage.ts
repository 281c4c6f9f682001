/**
 * What the tests of damage have in common: every way to change one byte of a file or to cut it, and
 * starts that may be refused.
 */
import { expect } from "bun:test";
import { type Dropped, KvdbError } from "../../../src/plugin.ts";
import type { MemoryDisk } from "../../suites/index.ts";
import { look, type Started } from "./history.ts";

/**
 * What a start finds, or undefined when it refuses with DAMAGE. Any other failure fails the test.
 */
export async function lookOrRefuse(disk: MemoryDisk): Promise<Started | undefined> {
  try {
    return await look(disk.files);
  } catch (error) {
    if (error instanceof KvdbError && error.code === "DAMAGE") return undefined;
    throw error;
  }
}

export function expectKept(
  disk: MemoryDisk,
  damaged: ReadonlyMap<string, Buffer>,
  dropped: Dropped,
): void {
  if (dropped.keptIn === undefined) return;
  const before = damaged.get(dropped.file) ?? Buffer.alloc(0);
  const wanted = before.subarray(dropped.offset, dropped.offset + dropped.bytes);
  expect(disk.contents(dropped.keptIn).equals(wanted)).toBe(true);
}

export function allContents(disk: MemoryDisk): Map<string, Buffer> {
  return new Map(disk.paths().map((path) => [path, disk.contents(path)]));
}

/** Calls `check` with a copy of the disk for each byte of a file and each way to change it. */
export async function forEachChange(
  disk: MemoryDisk,
  path: string,
  change: "flip" | "cut",
  check: (copy: MemoryDisk, where: string, offset: number) => Promise<void>,
): Promise<void> {
  const bytes = disk.contents(path);
  for (let offset = 0; offset < bytes.length; offset++) {
    const changed = Buffer.from(change === "cut" ? bytes.subarray(0, offset) : bytes);
    if (change === "flip") changed[offset] ^= 1 << (offset % 8);
    const copy = disk.copy();
    copy.put(path, changed);
    await check(copy, `${change} ${path} at ${offset}`, offset);
  }
}

/** All files as they are now, to be compared with what they are later. */
export function pictureOf(disk: MemoryDisk): Record<string, string> {
  return Object.fromEntries(
    disk.paths().map((path) => [path, disk.contents(path).toString("hex")] as const),
  );
}
