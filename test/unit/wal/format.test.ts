/**
 * The bytes on disk, written out: what an older kvdb wrote must be read for ever. A change that
 * breaks this file needs a new format version and a reader for the old one, not a new expectation.
 */
import { expect, test } from "bun:test";
import {
  decodeGroupHeader,
  decodePayload,
  encodeGroupHeader,
  GROUP_HEADER_BYTES,
  KIND_CLOSING,
} from "../../../plugins/wal/group.ts";
import { GroupBuffer } from "../../../plugins/wal/group-buffer.ts";
import {
  decodeSegmentHeader,
  encodeSegmentHeader,
  segmentName,
  segmentNumber,
} from "../../../plugins/wal/segment.ts";
import { createBatch } from "../../suites/index.ts";
import { emptyDisk, segmentPath, start } from "./history.ts";

const identity = { number: 2, salt: 0x01020304, firstRevision: 2 ** 40 + 5 };

function closingGroup(): Buffer {
  const bytes = Buffer.alloc(GROUP_HEADER_BYTES);
  const header = {
    payloadLength: 0,
    count: 0,
    firstRevision: 1,
    offset: 32,
    durable: 32,
    kind: KIND_CLOSING,
    payloadCrc: 0,
  };
  encodeGroupHeader(bytes, new DataView(bytes.buffer), header, 0);
  return bytes;
}

test("segment header", () => {
  const bytes = encodeSegmentHeader(identity);
  expect(bytes.toString("hex")).toBe(
    "6b7664622d77616c" +
      "0100" +
      "0000" +
      "02000000" +
      "050000000001" +
      "0000" +
      "04030201" +
      bytes.toString("hex", 28),
  );
  expect(bytes.readUInt32LE(28)).toBe(Bun.hash.crc32(bytes.subarray(0, 28)));
  expect(decodeSegmentHeader(bytes, "x")).toEqual(identity);
});

test("segment header of a later version is refused by its number, not called damage", () => {
  const bytes = encodeSegmentHeader(identity);
  bytes.writeUInt16LE(2, 8);
  bytes.writeUInt32LE(Bun.hash.crc32(bytes.subarray(0, 28)), 28);
  expect(() => decodeSegmentHeader(bytes, "x")).toThrow(/version 2/);
});

test("closing group: the example of group.ts", () => {
  const bytes = closingGroup();
  expect(bytes.toString("hex", 0, 36)).toBe(
    "4b564731" +
      "00000000" +
      "00000000" +
      "010000000000" +
      "200000000000" +
      "200000000000" +
      "0200" +
      "00000000",
  );
  expect(bytes.readUInt32LE(36)).toBe(Bun.hash.crc32(bytes.subarray(0, 36), 0));
});

test("a group is one only at its own offset and in its own segment", () => {
  const bytes = closingGroup();
  expect(decodeGroupHeader(bytes, 0, { offset: 32, salt: 0 })).toBeDefined();
  expect(decodeGroupHeader(bytes, 0, { offset: 72, salt: 0 })).toBeUndefined();
  expect(decodeGroupHeader(bytes, 0, { offset: 32, salt: 1 })).toBeUndefined();
});

test("group of two batches", () => {
  const batches = [
    createBatch({ firstRevision: 9, sizes: [3], timeMs: 1000 }),
    createBatch({ firstRevision: 10, sizes: [0, 1], timeMs: 2000 }),
  ];
  const payloadBytes = 16 + 11 + 16 + 17;
  const buffer = new GroupBuffer();
  const place = { offset: 300, durable: 200, salt: 7 };
  buffer.encode({ batches, first: 0, count: 2, payloadBytes }, place, 40 + payloadBytes + 20);
  const { bytes } = buffer;
  expect(bytes.toString("hex", 0, 32)).toBe(
    "4b564731" +
      "3c000000" +
      "03000000" +
      "090000000000" +
      "2c0100000000" +
      "c80000000000" +
      "0100",
  );
  expect(bytes.toString("hex", 40, 56)).toBe("0000000000408f40" + "01000000" + "0b000000");
  expect(bytes.toString("hex", 56, 67)).toBe("03000000" + "0900" + "0000" + "171e25");
  expect(bytes.subarray(100, 120)).toEqual(Buffer.alloc(20));
  const header = decodeGroupHeader(bytes, 0, { offset: 300, salt: 7 });
  if (header === undefined) throw new Error("the header was not read");
  const decoded = decodePayload(bytes, GROUP_HEADER_BYTES, header);
  expect(
    decoded?.map(({ firstRevision, count, timeMs }) => [firstRevision, count, timeMs]),
  ).toEqual([
    [9, 1, 1000],
    [10, 2, 2000],
  ]);
});

test("a whole segment: the example of FORMAT.md", async () => {
  const disk = await emptyDisk();
  const { instance } = await start(disk.files);
  const commands = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n";
  const bytes = Buffer.from(`\x1b\0\0\0\0\0\0\0${commands}`, "latin1");
  const timeMs = Date.UTC(2026, 0, 1);
  const end = bytes.length;
  instance.append({ firstRevision: 1, count: 1, timeMs, bytes, start: 0, end });
  await instance.flush(true);
  await instance.close();
  const found = disk.contents(segmentPath(1));
  expect(found.length).toBe(163);
  expect(found.toString("hex", 32, 64)).toBe(
    "4b564731330000000100000001000000000020000000000020000000000001" + "00",
  );
  expect(found.toString("hex", 80, 88)).toBe("0100000023000000");
  expect(found.subarray(88, 123)).toEqual(bytes);
  expect(found.toString("hex", 123, 159)).toBe(
    "4b56473100000000000000000200000000007b00000000007b0000000000" + "0200" + "00000000",
  );
});

test("names of segments", () => {
  expect(segmentName(1)).toBe("wal-00000001.log");
  expect(segmentName(123456789)).toBe("wal-123456789.log");
  expect(segmentNumber("wal-00000017.log")).toBe(17);
  for (const name of [
    "wal-1.log",
    "wal-00000001.log.damaged-32",
    "wal-000000001.log",
    "manifest.json",
  ]) {
    expect(segmentNumber(name)).toBeUndefined();
  }
});
