/** Redis has written on where kvdb had stopped: in order, or in the middle of a write. Nothing of it is lost. */
import { expect, test } from "bun:test";
import { createBatch, type MemoryDisk, recordsOf } from "../../suites/index.ts";
import { AOF_FOLDER, emptyDisk, look, start, write } from "./support.ts";

const INCREMENT = `${AOF_FOLDER}/appendonly.aof.1.incr.aof`;
const APPENDED = "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*2\r\n$3\r\nDEL\r\n$1\r\nk\r\n";

async function written(isClosed: boolean): Promise<MemoryDisk> {
  const disk = await emptyDisk();
  const running = await start(disk);
  for (const revision of [1, 2]) await write(running, revision * 6 + 1, 20);
  if (isClosed) await running.instance.close();
  else disk.kill();
  return disk;
}

test.each([true, false])("behind a stop in order: %p", async (isClosed) => {
  const disk = await written(isClosed);
  disk.put(INCREMENT, Buffer.concat([disk.contents(INCREMENT), Buffer.from(APPENDED)]));
  const { read, report } = await look(disk);
  expect(report.dropped).toEqual([]);
  expect(read).toHaveLength(3);
  // What comes next goes into a file of its own, behind it.
  const running = await start(disk);
  const later = await write(running, 2 ** 25, 5);
  await running.instance.close();
  const again = await look(disk);
  expect(again.read).toHaveLength(4);
  expect(again.read.at(-1)).toEqual(later);
});

test("within a group that was torn: redis-server has cut it, and gone on", async () => {
  const disk = await written(false);
  const whole = disk.contents(INCREMENT);
  const running = await start(disk);
  const batch = createBatch({ firstRevision: 601, sizes: [9, 9, 9, 9, 9, 9], words: true });
  running.instance.append(batch);
  await running.instance.flush(true);
  disk.kill();
  const torn = disk.contents(INCREMENT);
  const ends = endsOfCommands(torn, whole.length);
  expect(ends.length).toBeGreaterThan(4);
  for (const end of ends.slice(0, -1)) {
    const copy = disk.copy();
    copy.put(INCREMENT, Buffer.concat([torn.subarray(0, end), Buffer.from(APPENDED.repeat(20))]));
    const { read, report } = await look(copy);
    expect([end, report.dropped]).toEqual([end, []]);
    // All that kvdb and Redis had both read, and what Redis has added.
    const ours = read.filter(({ revision }) => revision < 601);
    expect([end, ours.length, read.length >= 2 + 20]).toEqual([end, 2, true]);
    const first = read.filter(({ revision }) => revision >= 601)[0];
    if (end > (ends[0] as number)) expect(first?.frame).toBe(recordsOf(batch)[0]?.frame as string);
  }
});

test("its last command is not whole: that is cut and told", async () => {
  const disk = await written(true);
  const before = disk.contents(INCREMENT);
  for (let length = 1; length < APPENDED.length; length++) {
    const copy = disk.copy();
    copy.put(INCREMENT, Buffer.concat([before, Buffer.from(APPENDED.slice(0, length))]));
    const { read, report } = await look(copy);
    expect([length, read.length]).toEqual([length, 2]);
    for (const { kind } of report.dropped) expect(kind).toBe("tail");
    expect((await look(copy)).report.dropped).toEqual([]);
  }
});

/** Where redis-server may cut: behind each command that is whole, and in no transaction. */
function endsOfCommands(bytes: Buffer, from: number): number[] {
  const ends: number[] = [];
  let at = bytes.indexOf("\r\n", from) + 2;
  let isOpen = false;
  while (at < bytes.length) {
    if (bytes[at] === 0x23) {
      at = bytes.indexOf("\r\n", at) + 2;
      continue;
    }
    const count = Number(bytes.toString("latin1", at + 1, bytes.indexOf("\r\n", at)));
    at = bytes.indexOf("\r\n", at) + 2;
    let name = "";
    for (let i = 0; i < count; i++) {
      const lineEnd = bytes.indexOf("\r\n", at);
      const size = Number(bytes.toString("latin1", at + 1, lineEnd));
      name ||= bytes.toString("latin1", lineEnd + 2, lineEnd + 2 + size);
      at = lineEnd + 2 + size + 2;
    }
    if (name === "MULTI") isOpen = true;
    if (name === "EXEC") isOpen = false;
    if (!isOpen) ends.push(at);
  }
  return ends;
}
