/**
 * Saves, and what others do to the file meanwhile: what somebody put in its place is kept, whenever
 * kvdb or the machine stops. (That a save is atomic, the suite shows.)
 */
import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import plugin from "../../../plugins/json-snapshot/index.ts";
import { systemFiles } from "../../../src/platform/files.ts";
import type { Log } from "../../../src/platform/log.ts";
import { seededRandom } from "../../../src/platform/random.ts";
import {
  createFaultyFiles,
  createTestContext,
  type EntryShape,
  type MemoryDisk,
  subjectOf,
  takeCheckpoint,
} from "../../suites/index.ts";
import { diskWith, emptyDisk, expectRead, FILE, FOLDER, look, save, start } from "./support.ts";

const CHANGED = `${FILE}.changed`;
const one: readonly EntryShape[] = [{ key: "name", value: "Alice" }];
const two: readonly EntryShape[] = [{ key: "name", value: "Bob" }];
const BY_HAND = '{"databases":{"0":{"name":"Carol"}}}';

/** A log that keeps what it is told at `warn` and above. */
function warnings(): { log: Log; lines: string[] } {
  const lines: string[] = [];
  const keep = (message: string, fields?: object) =>
    void lines.push(`${message} ${JSON.stringify(fields)}`);
  const log: Log = { debug() {}, info() {}, warn: keep, error: keep, child: () => log };
  return { log, lines };
}

describe("somebody else changes the file", () => {
  test("the next save keeps their version and says so", async () => {
    const disk = await emptyDisk();
    const { log, lines } = warnings();
    const { instance } = await start(disk.files, { context: { log } });
    await save(instance, disk.files, one);
    disk.put(FILE, Buffer.from(BY_HAND));
    await save(instance, disk.files, two, 8);
    expect(disk.contents(CHANGED).toString()).toBe(BY_HAND);
    expect(disk.paths()).toEqual([FILE, CHANGED]);
    expect(lines).toEqual([expect.stringContaining(CHANGED)]);
    expectRead((await look(disk.files)).entries, two);
    await save(instance, disk.files, one, 9);
    expect(disk.paths()).toEqual([FILE, CHANGED]);
    await instance.close();
  });

  test("also when length and head are as they were", async () => {
    const disk = await emptyDisk();
    const { instance } = await start(disk.files);
    await save(instance, disk.files, one);
    const edited = disk.contents(FILE).toString().replace("Alice", "Alicf");
    disk.put(FILE, Buffer.from(edited));
    await save(instance, disk.files, two, 8);
    expect(disk.contents(CHANGED).toString()).toBe(edited);
    await instance.close();
  });

  test("and again: each version is kept", async () => {
    const disk = await diskWith(BY_HAND);
    const { instance } = await start(disk.files);
    for (const name of ["Dora", "Emil"]) {
      disk.put(FILE, Buffer.from(BY_HAND.replace("Carol", name)));
      await save(instance, disk.files, two, 8);
    }
    await instance.close();
    expect(disk.paths()).toEqual([FILE, CHANGED, `${CHANGED}-2`]);
    expect(disk.contents(CHANGED).toString()).toContain("Dora");
    expect(disk.contents(`${CHANGED}-2`).toString()).toContain("Emil");
  });

  test("where there was none at the start", async () => {
    const disk = await emptyDisk();
    const { instance } = await start(disk.files);
    disk.put(FILE, Buffer.from(BY_HAND));
    await save(instance, disk.files, one);
    await instance.close();
    expect(disk.contents(CHANGED).toString()).toBe(BY_HAND);
  });

  test("another kvdb with the same file: neither loses what the other saved", async () => {
    const disk = await emptyDisk();
    const [first, second] = [await start(disk.files), await start(disk.files)];
    await save(first.instance, disk.files, one, 5);
    const ofFirst = disk.contents(FILE);
    await save(second.instance, disk.files, two, 5);
    expect(disk.contents(CHANGED)).toEqual(ofFirst);
    await first.instance.close();
    await second.instance.close();
  });

  test("a file that was edited before the start, or taken away, leaves nothing aside", async () => {
    const disk = await diskWith(BY_HAND);
    const { instance } = await start(disk.files);
    await save(instance, disk.files, one);
    disk.drop(FILE);
    await save(instance, disk.files, two, 8);
    await instance.close();
    expect(disk.paths()).toEqual([FILE]);
  });

  test("a stop at every moment of the save leaves their version in its place or beside it", async () => {
    const disk = await emptyDisk();
    const moments: MemoryDisk[] = [];
    const beforeOperation = () => void moments.push(disk.copy());
    const { files } = createFaultyFiles(disk.files, undefined, { beforeOperation });
    const { instance } = await start(files);
    await save(instance, files, one);
    disk.put(FILE, Buffer.from(BY_HAND));
    moments.length = 0;
    await save(instance, files, two, 8);
    await instance.close();
    moments.push(disk.copy());
    expect(moments.length).toBeGreaterThan(20);
    for (const [at, moment] of moments.entries()) {
      for (let seed = 0; seed < 12; seed++) {
        const torn = seed === 0 ? undefined : seededRandom(at * 12 + seed);
        const crashed = moment.copy();
        crashed.crash(torn);
        const kept = crashed.paths().filter((path) => /\.json(\.changed.*)?$/.test(path));
        const contents = kept.map((path) => crashed.contents(path).toString());
        expect(contents).toContain(BY_HAND);
        const { entries } = await look(crashed.files);
        const [saved] = entries;
        expect(["Carol", "Bob"]).toContain(Buffer.from(saved?.value ?? "", "hex").toString());
      }
    }
  });
});

test("a save that failed behind the rename is known again: its file is nobody else's", async () => {
  for (const doing of ["syncing folder", "renaming", "syncing", "writing"] as const) {
    const disk = await emptyDisk();
    const faulty = createFaultyFiles(disk.files);
    const { instance } = await start(faulty.files);
    await save(instance, faulty.files, one, 5);
    for (let attempt = 0; attempt < 3; attempt++) {
      faulty.failNext({ operation: doing });
      const failed = await save(instance, faulty.files, two, 6 + attempt).catch(() => "failed");
      expect(failed).toBe("failed");
      expect(disk.paths()).toEqual([FILE]);
    }
    await save(instance, faulty.files, one, 9);
    await instance.close();
    expect(disk.paths()).toEqual([FILE]);
    expectRead((await look(disk.files)).entries, one);
  }
});

test("a start removes what a save that was cut off left behind", async () => {
  const disk = await diskWith(BY_HAND);
  disk.put(`${FILE}.new`, Buffer.from("half"));
  await look(disk.files);
  expect(disk.paths()).toEqual([FILE]);
  expect(disk.contents(FILE).toString()).toBe(BY_HAND);
});

test("a long save asks about once a MiB whether it is still wanted", async () => {
  const disk = await emptyDisk();
  const { instance } = await start(disk.files);
  let asked = 0;
  const subject = subjectOf({ plugin, options: {} });
  const value = "x".repeat(8 << 20);
  const state = {
    revision: 1,
    entries: [
      { key: "a", value },
      { key: "b", value: Buffer.alloc(8 << 20, 0xff) },
    ],
  };
  const proceed = () => void asked++;
  await takeCheckpoint(subject, { instance, files: disk.files, state, proceed });
  await instance.close();
  expect(asked).toBeGreaterThan(17);
});

describe("on a real disk", () => {
  const folder = mkdtempSync(join(tmpdir(), "kvdb-json-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  test("the file is made for its owner alone, in a folder that is made if need be", async () => {
    const file = join(folder, "deep/er/people.json");
    const options = { file };
    const subject = subjectOf({ plugin, options });
    const instance = subject.make(createTestContext({ files: systemFiles, folder }));
    await instance.open();
    const state = { revision: 1, entries: one };
    await takeCheckpoint(subject, { instance, files: systemFiles, state });
    await instance.close();
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(file, "utf8")).databases).toEqual({ "0": { name: "Alice" } });
    expect(readdirSync(join(folder, "deep/er"))).toEqual(["people.json"]);
  });

  test("a check makes no folder", async () => {
    const options = { file: join(folder, "elsewhere/people.json") };
    const context = createTestContext({ files: systemFiles, folder, purpose: { kind: "check" } });
    const instance = subjectOf({ plugin, options }).make(context);
    await instance.open();
    await instance.close();
    writeFileSync(join(folder, "marker"), "");
    expect(readdirSync(folder)).not.toContain("elsewhere");
  });
});

describe("what the operator sees", () => {
  test("INFO tells of the file and what is saved", async () => {
    const disk = await emptyDisk();
    const { instance, context } = await start(disk.files);
    const before = { json_file: FILE, json_file_bytes: 0, json_saved_revision: 0 };
    expect(context.info("persistence")).toMatchObject(before);
    const { bytes } = await save(instance, disk.files, one, 12);
    const after = { json_file: FILE, json_file_bytes: bytes, json_saved_revision: 12 };
    expect(context.info("persistence")).toMatchObject(after);
    await instance.close();
  });

  test("CONFIG GET finds the file from `dir`", async () => {
    const disk = await emptyDisk();
    const { context } = await look(disk.files);
    expect(context.parameters.get("dbfilename")?.get()).toBe("database.json");
    const made = createTestContext({ files: disk.files, folder: FOLDER });
    subjectOf({ plugin, options: { file: "/srv/people.json" } }).make(made);
    expect(made.parameters.get("dbfilename")?.get()).toBe("../srv/people.json");
  });
});
