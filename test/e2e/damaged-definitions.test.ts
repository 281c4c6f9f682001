/**
 * V-T17 for indexes: a definition that was damaged on disk, in each of its formats. `kvdb check` says so and names the file,
 * and a repair keeps the rest.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { cp, readFile, writeFile } from "node:fs/promises";
import { flipped } from "./support/log-file.ts";
import { damagesOf, foundKeys } from "./support/people.ts";
import { kvdb } from "./support/run.ts";
import { Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

const DAMAGE = 65;
/** More than a segment has room for, so that each begins one of its own. */
const FILLER = "x".repeat(5000);

interface Format {
  readonly persistence: object;
  readonly file: string;
  /** A checkpoint is made behind the index. */
  readonly hasCheckpoint?: boolean;
  /** Which bytes of the file are turned over, each alone. */
  offsets(bytes: Buffer): number[];
  /** Keys that may be lost with it. */
  readonly lost: readonly string[];
}

const NAME = "by_city";
const SMALL_SEGMENTS = {
  ...{ use: "wal", fsync: "always", segmentBytes: 4096 },
  compaction: { ratio: 0 },
};

/** From the name on, as far as its text goes. */
function everyThirdByte(bytes: Buffer): number[] {
  const at = bytes.indexOf(NAME);
  expect(at).toBeGreaterThan(0);
  return Array.from({ length: 12 }, (_, step) => at + 3 * step);
}

const formats: readonly (readonly [string, Format])[] = [
  [
    "a record of the log",
    { persistence: SMALL_SEGMENTS, file: "wal-00000002.log", offsets: everyThirdByte, lost: [] },
  ],
  [
    "a checkpoint",
    {
      ...{ persistence: SMALL_SEGMENTS, file: "checkpoint-00000001.kvc", hasCheckpoint: true },
      // Compressed: what is where is not to be told.
      offsets: (bytes) => [0.5, 0.6, 0.7, 0.8].map((share) => Math.floor(bytes.length * share)),
      lost: ["a", "b"],
    },
  ],
  [
    "the readable file",
    {
      persistence: { use: "json-snapshot" },
      file: "database.json",
      offsets: (bytes) => {
        const at = bytes.indexOf(`"$index:${NAME}"`);
        const end = bytes.indexOf("}", at);
        const structure = ['"', ":", "{", "}"].map((sign) => sign.charCodeAt(0));
        const all = Array.from({ length: end - at }, (_, step) => at + step);
        return all.filter((offset) => structure.includes(bytes[offset] as number));
      },
      lost: [],
    },
  ],
];

describe.each(formats)("%s", (_, { persistence, file, hasCheckpoint, offsets, lost }) => {
  let workspace: Workspace;
  const left = ["a", "b", "c", "d"].filter((key) => !lost.includes(key));

  beforeAll(async () => {
    workspace = await Workspace.create();
    await workspace.write("kvdb.config.json", { dir: "data", persistence });
    await using server = await Server.start(workspace);
    const client = await server.connect();
    const set = (key: string) =>
      client.call("JSON.SET", key, "$", `{"city":"Oslo","filler":"${FILLER}"}`);
    await set("a");
    await client.call("INDEX", "CREATE", NAME, "USING", "hash", "FIELD", "city");
    await set("b");
    if (hasCheckpoint) await client.call("COMPACT");
    await set("c");
    await set("d");
    if (persistence !== SMALL_SEGMENTS) await client.call("SAVE");
    expect(await server.stop()).toBe(0);
  });
  afterAll(() => workspace[Symbol.asyncDispose]());

  test("V-T17: each byte that is turned over is found and named, and a repair keeps the rest", async () => {
    const bytes = await readFile(workspace.path("data", file));
    const at = offsets(bytes);
    expect(at.length).toBeGreaterThan(3);
    for (const offset of at) {
      const folder = `flipped-${offset}`;
      await cp(workspace.path("data"), workspace.path(folder), { recursive: true });
      await writeFile(workspace.path(folder, file), flipped(bytes, offset));
      const check = (...args: string[]) =>
        kvdb(workspace, ["--dir", folder, "check", "--json", ...args]);

      const found = await check();
      expect({ offset, code: found.code }).toEqual({ offset, code: DAMAGE });
      const report = JSON.parse(found.stdout) as { findings: { file: string; offset: number }[] };
      expect(report.findings.map((one) => one.file)).toContain(workspace.path(folder, file));

      const refused = await kvdb(workspace, ["--dir", folder, "dbsize"]);
      expect({ offset, code: refused.code }).toEqual({ offset, code: DAMAGE });
      expect(refused.stderr).toContain(file);

      expect(await check("--repair")).toMatchObject({ code: 0 });
      expect(await check()).toMatchObject({ code: 0 });
      await using server = await Server.start(workspace, { args: ["--dir", folder] });
      const client = await server.connect();
      const keys = ((await client.call("KEYS", "*")) as string[]).sort();
      expect(keys).toEqual(expect.arrayContaining(left));
      if (lost.length === 0) expect(keys).toEqual(left);
      // Nobody knows of the index any more, or, if it came through, all of it is right.
      const names = (await client.call("INDEX", "LIST")) as string[];
      for (const name of names) expect(await damagesOf(client, name)).toEqual([]);
      expect(await foundKeys(client, 'city = "Oslo"')).toEqual(keys);
      expect(await server.stop()).toBe(0);
    }
  }, 120_000);
});
