/** Which offsets of which ids lead to the data as it is, what is forgotten of that, and the file that it stands in. */
import { describe, expect, test } from "bun:test";
import { type Anchor, Lineage, NO_ID } from "../../../src/replication/lineage.ts";
import { LINEAGE_FILE, readLineage, writeLineage } from "../../../src/replication/lineage-file.ts";
import { MemoryDisk } from "../../suites/index.ts";

const A = "a".repeat(40);
const B = "b".repeat(40);
const C = "c".repeat(40);

function anchor(revision: number, id: string, offset: number, parts: Partial<Anchor> = {}): Anchor {
  return { revision, id, offset, database: 0, continues: true, isFollowing: false, ...parts };
}

describe("ids", () => {
  const lineage = new Lineage([
    anchor(1, C, 1, { continues: false }),
    anchor(10, A, 500, { continues: false }),
    anchor(20, A, 700),
    anchor(30, B, 900),
  ]);

  test.each([
    ["the first byte of the chain", A, 500, true],
    ["before it", A, 499, false],
    ["the last byte of the id before", A, 899, true],
    ["one behind it", A, 900, true],
    ["two behind it", A, 901, false],
    ["the id that is, before it was", B, 600, true],
    ["one behind the end", B, 1001, true],
    ["two behind the end", B, 1002, false],
    ["of data that was replaced", C, 1, false],
    ["an id that never was", "d".repeat(40), 900, false],
  ] as const)("%s", (_what, id, offset, isCovered) => {
    expect(lineage.covers(id, offset, 1000)).toBe(isCovered);
  });

  test("the one before holds up to where the next one begins, and none does before the chain", () => {
    expect(lineage.previous).toEqual({ id: A, end: 900 });
    expect(new Lineage(lineage.anchors.slice(0, 3)).previous).toEqual({ id: NO_ID, end: -1 });
  });

  test("a place is looked for from the last anchor before it, within the chain", () => {
    expect(lineage.before(899)?.revision).toBe(20);
    expect(lineage.before(900)?.revision).toBe(30);
    expect(lineage.before(499)).toBeUndefined();
  });
});

describe("what is forgotten", () => {
  test("places before the last one that is needed; ids stay", () => {
    const lineage = new Lineage([
      anchor(1, C, 1, { continues: false }),
      anchor(10, A, 500, { continues: false }),
      ...[20, 21, 22].map((revision) => anchor(revision, A, 10 * revision + 500)),
      anchor(30, B, 900),
      ...[40, 50, 60].map((revision) => anchor(revision, B, 10 * revision + 600)),
    ]);
    lineage.prune(55);
    expect(lineage.anchors.map(({ revision }) => revision)).toEqual([10, 30, 50, 60]);
    expect(lineage.previous).toEqual({ id: A, end: 900 });
  });

  test("ids beyond the last 32", () => {
    const ids = Array.from({ length: 50 }, (_, i) => i.toString(16).padStart(40, "0"));
    const lineage = new Lineage(ids.map((id, i) => anchor(i + 1, id, i * 10 + 1)));
    lineage.prune(1000);
    expect(lineage.anchors.length).toBe(32);
    expect(lineage.covers(ids[20] as string, 212, 1000)).toBe(false);
    expect(lineage.covers(ids[49] as string, 501, 1000)).toBe(true);
  });

  test("however many places there are, their number is bounded, and the first and the last stay", () => {
    const lineage = new Lineage([anchor(1, A, 1, { continues: false })]);
    for (let i = 2; i < 5000; i++) lineage.addPlace(anchor(i, A, i));
    expect(lineage.anchors.length).toBeLessThanOrEqual(1024);
    expect(lineage.anchors[0]?.revision).toBe(1);
    expect(lineage.last?.revision).toBe(4999);
    const revisions = lineage.anchors.map(({ revision }) => revision);
    expect(revisions).toEqual(revisions.toSorted((a, b) => a - b));
  });

  test("what was made for a state that never became durable", () => {
    const lineage = new Lineage([anchor(1, A, 1, { continues: false })]);
    lineage.add(anchor(50, B, 7, { continues: false, isFollowing: true }));
    lineage.forgetAbove(49);
    expect(lineage.covers(A, 5, 10)).toBe(true);
  });

  test("a checkpoint that took long stands where it began", () => {
    const lineage = new Lineage([anchor(1, A, 1, { continues: false }), anchor(90, B, 900)]);
    lineage.addPlace(anchor(40, A, 400));
    lineage.addPlace(anchor(90, A, 900));
    expect(lineage.anchors.map(({ revision, id }) => [revision, id])).toEqual([
      [1, A],
      [40, A],
      [90, B],
    ]);
  });
});

describe("the file", () => {
  const lineage = new Lineage([
    anchor(1, A, 1, { continues: false, database: -1 }),
    anchor(7, B, 100, { isFollowing: true, database: 3 }),
    anchor(8, C, 500, { isFollowing: true, continues: false, isPending: true }),
  ]);
  const end = { revision: 9, offset: 130 };

  async function written(): Promise<MemoryDisk> {
    const disk = new MemoryDisk();
    await disk.files.makeFolder("/data");
    await writeLineage(disk.files, "/data", { lineage, end });
    return disk;
  }

  test("is read back as it was written; where there is none nobody was", async () => {
    const disk = await written();
    expect(await readLineage(disk.files, "/data")).toEqual({ lineage, end });
    await writeLineage(disk.files, "/data", { lineage, end: undefined });
    expect((await readLineage(disk.files, "/data"))?.end).toBeUndefined();
    expect(await readLineage(disk.files, "/")).toBeUndefined();
  });

  test("what is pending is so until it is confirmed", async () => {
    const disk = await written();
    const { anchors } = lineage;
    const confirmed = new Lineage(anchors);
    confirmed.confirm();
    await writeLineage(disk.files, "/data", { lineage: confirmed, end });
    const read = await readLineage(disk.files, "/data");
    expect(read?.lineage.last).toEqual(anchor(8, C, 500, { isFollowing: true, continues: false }));
    expect(read?.lineage.anchors.slice(0, -1)).toEqual(anchors.slice(0, -1));
  });

  test("a crash at any moment leaves the old or the new one", async () => {
    const disk = await written();
    const next = new Lineage([...lineage.anchors, anchor(20, C, 900)]);
    await writeLineage(disk.files, "/data", { lineage: next, end: undefined });
    disk.crash();
    expect(await readLineage(disk.files, "/data")).toEqual({ lineage: next, end: undefined });
  });

  test.each([
    ["nothing", ""],
    ["no object", "[]"],
    ["another format", '{"format":2,"anchors":[]}'],
    ["no anchors", '{"format":1,"anchors":[]}'],
    ["an anchor with less", '{"format":1,"anchors":[{"revision":1}]}'],
    ["an id that is none", file({ id: "A".repeat(40) })],
    ["an offset that is no number", file({ offset: "1" })],
    ["a revision below zero", file({ revision: -1 })],
    ["a member that nobody knows", file({ more: 1 })],
    ["a mark that is none", file({ pending: false })],
  ])("%s is damage", async (_what, text) => {
    const disk = await written();
    disk.put(`/data/${LINEAGE_FILE}`, Buffer.from(text));
    await expect(readLineage(disk.files, "/data")).rejects.toMatchObject({ code: "DAMAGE" });
  });

  test("anchors in no order are damage", async () => {
    const disk = await written();
    const text = disk
      .contents(`/data/${LINEAGE_FILE}`)
      .toString()
      .replace('"revision":1,', '"revision":9,');
    disk.put(`/data/${LINEAGE_FILE}`, Buffer.from(text));
    await expect(readLineage(disk.files, "/data")).rejects.toMatchObject({ code: "DAMAGE" });
  });
});

function file(change: Readonly<Record<string, unknown>>): string {
  const whole = { revision: 1, id: A, offset: 1, database: 0, continues: false, following: false };
  return JSON.stringify({ format: 1, anchors: [{ ...whole, ...change }] });
}
