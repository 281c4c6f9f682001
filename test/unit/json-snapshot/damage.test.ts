/**
 * Files that were damaged: every bit and every length of a small one, sectors of a larger one. A
 * start refuses or tells, a check reports and changes nothing, a recovery keeps what can be read,
 * and the file as it was beside it.
 */
import { describe, expect, test } from "bun:test";
import { KvdbError } from "../../../src/errors.ts";
import { seededRandom } from "../../../src/platform/random.ts";
import type { Dropped, OpenPurpose } from "../../../src/plugin.ts";
import { type EntryShape, type ReadEntry, readEntryOf } from "../../suites/index.ts";
import { seeds } from "../../suites/seeds.ts";
import {
  comparable,
  diskWith,
  expectRead,
  FILE,
  fileOf,
  json,
  look,
  reasons,
  type Started,
  save,
  start,
} from "./support.ts";

const DAMAGED = `${FILE}.damaged`;
const RECOVER: OpenPurpose = { kind: "recover" };
const CHECK: OpenPurpose = { kind: "check" };

const entries: readonly EntryShape[] = [
  { key: "name", value: "Alice é" },
  { key: Buffer.from([255, 0]), value: Buffer.from([0, 1, 255]), deadlineMs: Date.UTC(2030, 0, 1) },
  json("user", '{"a":[1,"b"],"c":1.0}'),
  { key: "$price", value: '"\n', database: 1 },
  json("filter", '{"$gt":{}}', { database: 1 }),
  { key: "by_a", value: '{"use":"hash","$a":1}', type: "index", database: 1 },
  { key: "last", value: "", database: 11 },
];
const small = await fileOf(entries);

/** What a start, a check and a recovery say of the same bytes. */
interface Verdict {
  readonly use: Started | KvdbError;
  readonly check: Started | KvdbError;
  readonly recovered: Started | KvdbError;
  /** Files beside the one that was recovered. */
  readonly kept: readonly string[];
}

async function verdictOn(content: Buffer): Promise<Verdict> {
  const outcome = (purpose: OpenPurpose) =>
    look(disk.files, { purpose }).catch((error: unknown) => {
      if (error instanceof KvdbError) return error;
      throw error;
    });
  const disk = await diskWith(content);
  const use = await outcome({ kind: "use" });
  const check = await outcome(CHECK);
  expect(disk.paths()).toEqual([FILE]);
  const recovered = await outcome(RECOVER);
  expect(disk.contents(FILE)).toEqual(content);
  const kept = disk.paths().filter((path) => path !== FILE);
  for (const path of kept) expect(disk.contents(path)).toEqual(content);
  return { use, check, recovered, kept };
}

function damageOf(started: Started): readonly Dropped[] {
  return started.report.dropped.filter(({ kind }) => kind === "damage");
}

/** The start is refused, or says that the file was changed; the check finds damage either way. */
function expectNoticed({ use, check, recovered, kept }: Verdict, where: string): void {
  const isNoticed =
    use instanceof KvdbError ? use.code === "DAMAGE" : use.report.dropped[0]?.kind === "note";
  const isFound = !(check instanceof KvdbError) && damageOf(check).length > 0;
  expect({ where, isNoticed, isFound }).toEqual({ where, isNoticed: true, isFound: true });
  if (recovered instanceof KvdbError) throw recovered;
  expect({ where, kept }).toEqual({ where, kept: use instanceof KvdbError ? [DAMAGED] : [] });
  for (const { keptIn } of damageOf(recovered)) expect(keptIn).toBe(DAMAGED);
}

/** Entries that are not among those read, but for their database, which may be the damage. */
function lostOf(read: readonly ReadEntry[], all: readonly EntryShape[] = entries): number {
  const shown = ({ database, ...entry }: ReturnType<typeof comparable>[number]) =>
    JSON.stringify(entry);
  const found = new Set(comparable(read).map(shown));
  return comparable(all.map(readEntryOf)).filter((entry) => !found.has(shown(entry))).length;
}

test("one bit, wherever it is: noticed by a start, found by a check, and one entry is lost at most", async () => {
  for (let at = 0; at < small.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const content = Buffer.from(small);
      content[at] ^= 1 << bit;
      const where = `bit ${bit} of byte ${at}: ${content.toString("latin1", at - 10, at + 10)}`;
      const verdict = await verdictOn(content);
      expectNoticed(verdict, where);
      const lost = lostOf((verdict.recovered as Started).entries);
      expect({ where, isLittle: lost <= 1 }).toEqual({ where, isLittle: true });
    }
  }
});

test("every shorter length: refused or told, and a recovery keeps each entry that is whole", async () => {
  for (let length = 0; length < small.length; length++) {
    const content = small.subarray(0, length);
    const verdict = await verdictOn(content);
    expectNoticed(verdict, `${length} bytes`);
    const isWhole = length === small.length - 1; // without the last line break
    expect(verdict.use instanceof KvdbError).toBe(!isWhole);
    const lines = content.toString("latin1").split("\n");
    const whole = lines.filter((line) => /^ {6}".*[^,]$/.test(line) || /^ {6}".*,$/.test(line));
    const { entries: read } = verdict.recovered as Started;
    expect(read.length).toBeGreaterThanOrEqual(Math.max(0, whole.length - 1));
    const known = comparable(entries.map(readEntryOf));
    for (const entry of comparable(read)) expect(known).toContainEqual(entry);
  }
});

test("a file of nothing but zeros, as a disk may leave it", async () => {
  const verdict = await verdictOn(Buffer.alloc(3000));
  expectNoticed(verdict, "zeros");
  expect((verdict.recovered as Started).entries).toEqual([]);
});

test.each(seeds(5))(
  "a sector of zeros or rubbish: what lies outside of it is kept, seed %d",
  async (seed) => {
    const random = seededRandom(seed);
    const many = Array.from({ length: 600 }, (_, i) =>
      i % 3 === 0
        ? json(`key:${i}`, `{"n":${i},"t":"${"x".repeat(random.below(60))}"}`, { database: i % 4 })
        : { key: `key:${i}`, value: "v".repeat(random.below(60)), database: i % 4 },
    );
    const file = await fileOf(many);
    for (let round = 0; round < 20; round++) {
      const from = random.below(file.length >> 9) << 9;
      const content = Buffer.from(file);
      for (let at = from; at < from + 512; at++)
        content[at] = seed % 2 === 0 ? 0 : random.below(256);
      const verdict = await verdictOn(content);
      expectNoticed(verdict, `a sector at ${from}`);
      const lines = file.toString("latin1", from, from + 512).split("\n").length;
      expect(lostOf((verdict.recovered as Started).entries, many)).toBeLessThanOrEqual(lines + 1);
    }
  },
);

describe("a check", () => {
  test("reports every problem with its place, and reads on behind it", async () => {
    const content = `{
  "databases": {
    "0": {
      "a": 01,
      "b": {"$foo": 1},
      "c": "x",
      "d": "x" "y",
      "e": {"$value": 1, "$expires": "soon"},
      "c": "again",
      "f": [1, 2
    },
    "1": {
      "f": 1,
      "g": "\\ud800",
      "h": 1
    },
    "one": {
      "i": 1
    },
    "1": {
      "j": 1
    }
  }
} x
`;
    const disk = await diskWith(content);
    const found = await look(disk.files, { purpose: CHECK });
    const places = reasons(found.report.dropped).map((reason) => /^\d+:\d+/.exec(reason)?.[0]);
    expect(places).toEqual(
      ["4:13", "5:13", "7:16", "8:38", "11:5", "9:7", "14:13", "17:5", "20:5", "24:3"].sort(
        (a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10),
      ),
    );
    const keys = found.entries.map(({ key }) => Buffer.from(key, "hex").toString());
    expect(keys).toEqual(["c", "c", "f", "h", "i", "j"]);
    expect(disk.contents(FILE).toString()).toBe(content);
    expect(disk.paths()).toEqual([FILE]);
  });

  test("leaves what a cut off save left behind", async () => {
    const disk = await diskWith(small);
    disk.put(`${FILE}.new`, small.subarray(0, 100));
    const found = await look(disk.files, { purpose: CHECK });
    expect(found.report.dropped).toEqual([]);
    expectRead(found.entries, entries);
    expect(disk.paths()).toEqual([FILE, `${FILE}.new`]);
  });

  test("does not read a file that was saved after the moment that is asked for", async () => {
    const { files } = await diskWith(small);
    const purpose = (upTo: number) => ({ kind: "check", upTo }) as const;
    const later = await look(files, { purpose: purpose(41) });
    expect(later.entries).toEqual([]);
    expect(later.report.dropped).toMatchObject([{ kind: "note" }]);
    const found = await look(files, { purpose: purpose(42) });
    expectRead(found.entries, entries);
    expect(found.report.dropped).toEqual([]);
  });
});

describe("a recovery", () => {
  const damaged = Buffer.from(small.toString().replace('"name"', '"name'));

  test("tells what it dropped and where the file is kept, and the next save replaces it", async () => {
    const disk = await diskWith(damaged);
    const context = { lastRevision: 42 };
    const {
      instance,
      report,
      entries: read,
    } = await start(disk.files, {
      purpose: RECOVER,
      context,
    });
    expect(lostOf(read)).toBe(1);
    const line = damaged.indexOf('"name');
    const [dropped] = damageOf({ report } as Started);
    expect(dropped).toMatchObject({ file: FILE, offset: line, keptIn: DAMAGED });
    expect(damaged.toString("latin1", line, line + (dropped?.bytes ?? 0)).split("\n")).toHaveLength(
      2,
    );
    expect(report.lastRevision).toBe(43);
    await save(instance, disk.files, entries.slice(1), 44);
    await instance.close();
    expect(disk.paths()).toEqual([FILE, DAMAGED]);
    const after = await look(disk.files);
    expectRead(after.entries, entries.slice(1));
    expect(after.report.dropped).toEqual([]);
  });

  test("keeps earlier files that it put aside", async () => {
    const disk = await diskWith(damaged);
    disk.put(DAMAGED, Buffer.from("an older one"));
    const { report } = await look(disk.files, { purpose: RECOVER });
    expect(report.dropped[0]?.keptIn).toBe(`${DAMAGED}-2`);
    expect(disk.contents(DAMAGED).toString()).toBe("an older one");
    expect(disk.contents(`${DAMAGED}-2`)).toEqual(damaged);
  });

  test("of a sound file changes nothing", async () => {
    const disk = await diskWith(small);
    const { report, entries: read } = await look(disk.files, { purpose: RECOVER });
    expectRead(read, entries);
    expect(report.dropped).toEqual([]);
    expect(disk.paths()).toEqual([FILE]);
    expect(disk.contents(FILE)).toEqual(small);
  });

  test("of a number of a database that cannot be read keeps the entries, and says where", async () => {
    for (const [wrong, database] of [
      ['"p": {', 0],
      ['"0": x', 0],
      ["0: {", 0],
      ['"0", {', 0],
    ] as const) {
      const { files } = await diskWith(small.toString().replace('"0": {', wrong));
      const found = await look(files, { purpose: RECOVER });
      expect(lostOf(found.entries)).toBe(0);
      const [first] = comparable(found.entries);
      expect(first?.database).toBe(database);
      expect(reasons(damageOf(found))[0]).toContain("database 0");
    }
  });

  test("tells a thousand things one by one, and of more how many they are", async () => {
    const lines = Array.from({ length: 3000 }, (_, i) => `      "k${i}": ${i % 2 === 0 ? i : "x"}`);
    const content = `{\n  "databases": {\n    "0": {\n${lines.join(",\n")}\n    }\n  }\n}\n`;
    const { report, entries: read } = await look((await diskWith(content)).files, {
      purpose: RECOVER,
    });
    expect(read).toHaveLength(1500);
    expect(report.dropped).toHaveLength(1001);
    const total = report.dropped.reduce((sum, { bytes }) => sum + bytes, 0);
    expect(total).toBeGreaterThan(1500 * 8);
  });
});
