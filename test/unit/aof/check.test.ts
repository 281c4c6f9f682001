/** The purpose `check`: everything is read, nothing is changed; also beside an instance that writes. */
import { expect, test } from "bun:test";
import type { MemoryDisk } from "../../suites/index.ts";
import { emptyDisk, FOLDER, look, lookOrRefuse, rewrite, start, write } from "./support.ts";

function pictureOf(disk: MemoryDisk): Record<string, string> {
  return Object.fromEntries(
    disk.paths().map((path) => [path, disk.contents(path).toString("hex")] as const),
  );
}

const state = { revision: 2, entries: [{ key: "a", value: "1" }] };

async function history(): Promise<MemoryDisk> {
  const disk = await emptyDisk();
  const running = await start(disk, { options: { segmentBytes: 4096 } });
  for (const revision of [1, 2]) await write(running, revision, 20);
  await rewrite(running, disk, state);
  await write(running, 3, 4200);
  await write(running, 4, 30);
  await running.instance.close();
  return disk;
}

test("tells what a start refuses, and changes nothing", async () => {
  const disk = await history();
  let refused = 0;
  for (const path of disk.paths()) {
    const bytes = disk.contents(path);
    for (let offset = 0; offset < bytes.length; offset += 5) {
      const copy = disk.copy();
      const changed = Buffer.from(bytes);
      changed[offset] = (changed[offset] as number) ^ 2;
      copy.put(path, changed);
      const before = pictureOf(copy);
      const { report } = await look(copy, { purpose: { kind: "check" } });
      expect([path, offset, pictureOf(copy)]).toEqual([path, offset, before]);
      const isRefused = (await lookOrRefuse(copy)) === undefined;
      if (isRefused) refused++;
      const tellsDamage = report.dropped.some(({ kind }) => kind === "damage");
      expect([path, offset, tellsDamage]).toEqual([path, offset, isRefused]);
    }
  }
  expect(refused).toBeGreaterThan(100);
});

test("of files that another Redis left changes nothing either", async () => {
  const disk = await emptyDisk();
  disk.put(`${FOLDER}/appendonly.aof`, Buffer.from("*1\r\n$5\r\nPINGS\r\n*1\r\n$4\r\nPI"));
  const before = pictureOf(disk);
  const { read, report } = await look(disk, { purpose: { kind: "check" } });
  expect(read).toHaveLength(1);
  expect(report.dropped).toMatchObject([{ kind: "tail" }]);
  expect(pictureOf(disk)).toEqual(before);
});

test("beside an instance that writes: all up to what was asked for, and nothing later", async () => {
  const disk = await emptyDisk();
  const running = await start(disk, { options: { segmentBytes: 4096 } });
  for (let revision = 1; revision <= 12; revision++) {
    await write(running, revision, revision * 90);
    if (revision === 6) await rewrite(running, disk, { ...state, revision: 6 });
    for (let upTo = Math.max(6, revision - 3); upTo <= revision; upTo++) {
      const before = pictureOf(disk);
      const { read, report } = await look(disk, { purpose: { kind: "check", upTo } });
      const first = revision < 6 ? 1 : 7;
      const wanted = Array.from({ length: Math.max(0, upTo - first + 1) }, (_, i) => first + i);
      expect([upTo, read.map((record) => record.revision)]).toEqual([upTo, wanted]);
      expect(report.dropped).toEqual([]);
      expect(pictureOf(disk)).toEqual(before);
    }
  }
  await running.instance.close();
});
