/** What is on disk, byte by byte, as FORMAT.md draws it; and words and manifests as Redis has them. */
import { describe, expect, test } from "bun:test";
import {
  endLine,
  fileLine,
  MAX_LINE_BYTES,
  readFileLine,
  readGroupLine,
  recordsLine,
} from "../../../plugins/aof/group-line.ts";
import { type LiveFiles, manifestText, readManifest } from "../../../plugins/aof/manifest.ts";
import { quotedWord, splitWords } from "../../../plugins/aof/quoted-words.ts";
import { RecordScan } from "../../../plugins/aof/record-scan.ts";
import { emptyDisk, FOLDER } from "./support.ts";

const PATH = `${FOLDER}/m`;
const HEAD = { salt: 0x5f3a9c01, sequence: 3, firstRevision: 120 };
const GROUP = {
  ...{ firstRevision: 120, count: 2, timeMs: 1_767_225_600_123, database: 0 },
  ...{ textBytes: 54, durable: 38, textCrc: 0x1a2b },
};

describe("lines", () => {
  test("are what FORMAT.md shows", () => {
    const place = { offset: 38, salt: HEAD.salt };
    expect(fileLine(HEAD).toString()).toBe("#kvdb-file 1 5f3a9c01 3 120 026e79ce\r\n");
    expect(recordsLine(GROUP, place).toString()).toBe(
      "#kvdb-group 120 2 1767225600123 0 54 38 00001a2b 43d5345b\r\n",
    );
    expect(endLine(122, 38, place).toString()).toBe("#kvdb-end 122 38 653820f6\r\n");
  });

  test("are read back, at their place and nowhere else", () => {
    const place = { offset: 38, salt: HEAD.salt };
    const line = recordsLine(GROUP, place);
    const read = readGroupLine(line, 0, line.length, place);
    expect(read).toMatchObject({ kind: "records", ...GROUP });
    expect(readGroupLine(line, 0, line.length, { ...place, offset: 39 })).toBeUndefined();
    expect(readGroupLine(line, 0, line.length, { ...place, salt: 1 })).toBeUndefined();
    expect(readFileLine(fileLine(HEAD), 0, 100)).toMatchObject({ ...HEAD, isKnown: true });
  });

  test("of the largest numbers fit in what redis-server reads", () => {
    const most = 2 ** 48;
    const group = {
      ...{ firstRevision: most, count: 2 ** 32, timeMs: -8_640_000_000_000_000, database: 65_535 },
      ...{ textBytes: 2 ** 32, durable: most, textCrc: 2 ** 32 - 1 },
    };
    const line = recordsLine(group, { offset: most, salt: 2 ** 32 - 1 });
    expect(line.length).toBeLessThanOrEqual(MAX_LINE_BYTES);
  });

  test("a bit that flipped is seen", () => {
    const place = { offset: 38, salt: HEAD.salt };
    const line = recordsLine(GROUP, place);
    for (let bit = 0; bit < line.length * 8; bit++) {
      const changed = Buffer.from(line);
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
      expect([bit, readGroupLine(changed, 0, changed.length, place)]).toEqual([bit, undefined]);
    }
  });
});

describe("records in text", () => {
  const text = Buffer.from(
    [
      "*2\r\n$6\r\nSELECT\r\n$1\r\n5\r\n",
      "#TS:1700000000\r\n",
      "*1\r\n$4\r\nINCR\r\n",
      "#kvdb-json\r\n*2\r\n$3\r\nSET\r\n$1\r\na\r\n",
      "#kvdb-expired\r\n*2\r\n$3\r\nDEL\r\n$1\r\na\r\n",
      "# a comment\r\n",
      "#kvdb-do A\r\n#kvdb-and B\r\n",
      "*1\r\n$5\r\nmulti\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n7\r\n#kvdb-do C\r\n*1\r\n$4\r\nEXEC\r\n",
      "*1\r\n$3\r\nDEL\r\n",
      "#kvdb-stream 38\r\n*1\r\n$5\r\nMULTI\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n9\r\n",
      "*1\r\n$4\r\nINCR\r\n",
      "#kvdb-passed 14\r\n*1\r\n$4\r\nEVAL\r\n",
      "*1\r\n$5\r\nMULTI\r\n#kvdb-beside\r\n*1\r\n$4\r\nINCR\r\n*1\r\n$4\r\nEXEC\r\n",
    ].join(""),
  );
  const payloads = [
    [5, "*1\r\n$4\r\nINCR\r\n"],
    [5, "#kvdb-json\r\n*2\r\n$3\r\nSET\r\n$1\r\na\r\n"],
    [5, "#kvdb-expired\r\n*2\r\n$3\r\nDEL\r\n$1\r\na\r\n"],
    [5, "#kvdb-do A\r\n#kvdb-and B\r\n"],
    [5, "*2\r\n$6\r\nSELECT\r\n$1\r\n7\r\n#kvdb-do C\r\n"],
    [7, "*1\r\n$3\r\nDEL\r\n"],
    [7, "#kvdb-stream 38\r\n*1\r\n$5\r\nMULTI\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n9\r\n"],
    [9, "*1\r\n$4\r\nINCR\r\n"],
    [9, "#kvdb-passed 14\r\n*1\r\n$4\r\nEVAL\r\n"],
    [9, "#kvdb-beside\r\n*1\r\n$4\r\nINCR\r\n"],
  ];

  test("are found with their databases and times", () => {
    const scan = new RecordScan(0, 0, true);
    const found: unknown[] = [];
    for (let at = 0; scan.scan(text, at, text.length) === "record"; at = scan.next) {
      found.push([scan.database, text.toString("latin1", scan.payloadStart, scan.payloadEnd)]);
      expect(scan.timeMs).toBe(1_700_000_000_000);
    }
    expect(found).toEqual(payloads);
  });

  test("cut anywhere: what is whole is found, and no part of what is not", () => {
    for (let length = 0; length < text.length; length++) {
      const scan = new RecordScan(0, 0, true);
      const found: string[] = [];
      let at = 0;
      let outcome = scan.scan(text, at, length);
      for (; outcome === "record"; outcome = scan.scan(text, at, length)) {
        found.push(text.toString("latin1", scan.payloadStart, scan.payloadEnd));
        at = scan.next;
      }
      expect([length, outcome]).not.toEqual([length, "malformed"]);
      for (const [index, payload] of found.entries()) {
        const isCutAtLine = payload === "#kvdb-do A\r\n"; // what may follow it, only the file knows
        expect(payload === payloads[index]?.[1] || isCutAtLine).toBe(true);
      }
    }
  });

  test.each([
    "PING\r\n",
    "*0\r\n",
    "*-1\r\n",
    "*1\r\n$x\r\n",
    "*1\r\n$1\r\nabc",
    "*1\r\n+OK\r\n",
    "*99999999999\r\n",
    "*1\r\n$999999999\r\n",
    "#kvdb-group 1 1 1 0 1 1 00000000 00000000\r\n",
    "#kvdb-ms 70000\r\n",
    "*2\r\n$6\r\nSELECT\r\n$1\r\nx\r\n",
    "*1\r\n$5\r\nMULTI\r\n*1\r\n$5\r\nMULTI\r\n",
    "#kvdb-stream 13\r\n*1\r\n$4\r\nPING\r\n",
    "#kvdb-stream 0\r\n*1\r\n$4\r\nPING\r\n",
    "#kvdb-stream -1\r\n",
    "#kvdb-passed x\r\n",
  ])("%j is none", (bytes) => {
    const scan = new RecordScan(0, 0, true);
    expect(scan.scan(Buffer.from(bytes), 0, bytes.length)).toBe("malformed");
    expect(scan.problem).not.toBe("");
  });
});

describe("the manifest", () => {
  const live: LiveFiles = {
    base: { name: "a b.1.base.rdb", sequence: 1, own: { revision: 9, bytes: 100 } },
    increments: [
      { name: "x.2.incr.aof", sequence: 2, own: { salt: 255, firstRevision: 10, bytes: 50 } },
      { name: "of redis", sequence: 3 },
      { name: "y.zst", sequence: 4, own: { salt: 1, firstRevision: 11, bytes: 9, packedBytes: 3 } },
    ],
    history: ["old.aof"],
  };

  test("is read back as it was written", async () => {
    const disk = await emptyDisk();
    disk.put(PATH, Buffer.from(manifestText(live)));
    expect(await readManifest(disk.files, PATH)).toEqual({ kind: "intact", live, isOwn: true });
    disk.put(PATH, Buffer.from(manifestText({ ...live, standing: "off" })));
    expect(await readManifest(disk.files, PATH)).toMatchObject({ live: { standing: "off" } });
  });

  test("of Redis is taken for what it says, with words that are unknown", async () => {
    const disk = await emptyDisk();
    const text = `# comment\nfile "a\\x20b" seq 2 type b\nfile c seq 7 type i startoffset 5\nfile d seq 1 type h\n`;
    disk.put(PATH, Buffer.from(text));
    expect(await readManifest(disk.files, PATH)).toEqual({
      kind: "intact",
      isOwn: false,
      live: {
        base: { name: "a b", sequence: 2 },
        increments: [{ name: "c", sequence: 7 }],
        history: ["d"],
      },
    });
  });

  test.each([
    "",
    "file a seq 1 type b",
    "file a seq 1\n",
    "file a seq 1 type x\n",
    "file a seq x type i\n",
    "file ../a seq 1 type i\n",
    "file a seq 1 type b\nfile b seq 2 type b\n",
    "file a seq 2 type i\nfile b seq 2 type i\n",
    'file "a seq 1 type i\n',
    "file a seq 1 type i kvdb salt=1,first=2\n",
    `file ${"a".repeat(1100)} seq 1 type i\n`,
  ])("%j is damaged", async (text) => {
    const disk = await emptyDisk();
    disk.put(`${FOLDER}/m`, Buffer.from(text));
    expect(await readManifest(disk.files, `${FOLDER}/m`)).toMatchObject({ kind: "damaged" });
  });

  test.each(["plain", "with space", 'a"b\\c', "tab\tnew\n", "Größe", "'", ""])(
    "a name %j comes back",
    (name) => {
      expect(splitWords(`x ${quotedWord(name)} y`)).toEqual(["x", name, "y"]);
    },
  );
});
