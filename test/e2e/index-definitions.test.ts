/**
 * Definitions of indexes on their way to disk and back, through the executable: written by hand in the readable file, in
 * checkpoints of the log, in conversions, under FLUSHALL and SWAPDB; what CHECK says when the disk has others.
 */
import { describe, expect, test } from "bun:test";
import type { Client } from "./support/client.ts";
import { kvdb } from "./support/run.ts";
import { Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

const CITY = '"$index:by_city": {"use":"hash","field":"address.city"}';
const AGE = '"$index:by_age": {"use":"ordered","field":"Größe"}';
const ADA = '"user:1": {"name":"Ada"}';

/** A folder of `json-snapshot`, whose file somebody has written: the members of databases 0 and 3. */
async function folderWith(first: readonly string[], third: readonly string[]): Promise<Workspace> {
  const workspace = await Workspace.create();
  await configure(workspace, "json-snapshot");
  const [zero, three] = [first, third].map((members) => members.join(",\n"));
  const text = `{"databases":{"0":{\n${zero}},"3":{\n${three}}}}`;
  await workspace.write("data/database.json", text);
  return workspace;
}

async function configure(workspace: Workspace, persistence: string): Promise<void> {
  await workspace.write("kvdb.config.json", JSON.stringify({ dir: "data", persistence }, null, 2));
}

async function withServer(workspace: Workspace, run: (client: Client) => Promise<void>) {
  await using server = await Server.start(workspace);
  await run(await server.connect());
  expect(await server.stop()).toBe(0);
}

/** The lines of the file's databases, without their indent and commas. */
async function savedIn(workspace: Workspace): Promise<string[]> {
  const text = await Bun.file(workspace.path("data", "database.json")).text();
  const lines = text.split("\n").map((line) => line.trim().replace(/,$/, ""));
  return lines.filter((line) => /^"(?!kvdb"|databases")/.test(line));
}

async function convert(workspace: Workspace, from: string, to: string): Promise<void> {
  await configure(workspace, from);
  const { code, stderr } = await kvdb(workspace, ["convert", "--to", to]);
  expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
  await configure(workspace, to);
}

describe("definitions", () => {
  test("written by hand are saved; FLUSHALL keeps them, SWAPDB takes them along", async () => {
    await using workspace = await folderWith([CITY, ADA], [AGE]);
    await withServer(workspace, async (client) => {
      expect(await client.call("DBSIZE")).toBe(1);
      await client.call("SET", "by_city", "a key");
      expect(await client.call("SAVE")).toBe("OK");
      const keys = ['"by_city": "a key"', ADA];
      expect(await savedIn(workspace)).toEqual(['"0": {', CITY, ...keys, '"3": {', AGE]);
      expect(await client.call("CHECK")).toMatchObject({ 1: "ok" });
      await client.call("FLUSHALL");
      expect(await client.call("DEBUG", "DIGEST")).toBe("0".repeat(40)); // as redis-server's
      await client.call("SAVE");
      expect(await savedIn(workspace)).toEqual(['"0": {', CITY, '"3": {', AGE]);
      expect(await client.call("CHECK")).toMatchObject({ 1: "ok" });
      expect(await client.call("SWAPDB", 0, 3)).toBe("OK");
    });
    const swapped = ['"0": {', AGE, '"3": {', CITY];
    expect(await savedIn(workspace)).toEqual(swapped);
    await withServer(workspace, async (client) => {
      await client.call("SAVE");
      expect(await savedIn(workspace)).toEqual(swapped);
      await client.call("SET", "k", "v");
      await client.call("FLUSHDB");
    });
    expect(await savedIn(workspace)).toEqual(swapped);
  }, 30_000);

  test("outlive a conversion to the log, records that empty and exchange, and one back", async () => {
    await using workspace = await folderWith([CITY, ADA], [AGE]);
    await kvdb(workspace, ["dbsize"]); // the folder is its persistence's from the first start on
    await convert(workspace, "json-snapshot", "wal");
    await withServer(workspace, async (client) => {
      expect(await client.call("DBSIZE")).toBe(1);
      await client.call("SWAPDB", 0, 3);
      await client.call("FLUSHALL");
      await client.call("SET", "k", "v");
      expect(await client.call("CHECK")).toMatchObject({ 1: "ok" });
    });
    await withServer(workspace, async (client) => {
      expect(await client.call("CHECK")).toMatchObject({ 1: "ok" });
      expect(await client.call("SAVE")).toBe("OK");
      await client.call("SET", "l", "w");
    });
    const check = await kvdb(workspace, ["check", "--json"]);
    expect(check.code).toBe(0);
    expect(JSON.parse(check.stdout)).toMatchObject({ keys: 2, entries: 3 });
    await convert(workspace, "wal", "json-snapshot");
    const expected = ['"0": {', AGE, '"k": "v"', '"l": "w"', '"3": {', CITY];
    expect(await savedIn(workspace)).toEqual(expected);
  }, 30_000);

  test("that the disk has otherwise, or not at all, CHECK names", async () => {
    await using workspace = await folderWith([CITY, ADA], [AGE]);
    await withServer(workspace, async (client) => {
      await client.call("SAVE");
      const path = workspace.path("data", "database.json");
      const text = await Bun.file(path).text();
      await Bun.write(path, text.replace("address.city", "city").replace("by_age", "by_size"));
      const report = (await client.call("CHECK")) as string[];
      expect(report[1]).toBe("damaged");
      const problems = report.at(-1) as unknown as string[];
      expect(problems.slice(1)).toEqual([
        'database 0, index "by_city": another definition on disk',
        'database 3, index "by_age": not on disk',
      ]);
      await Bun.write(path, text.replace(/,?\n +"\$index:by_city".*\n/, "\n"));
      const less = ((await client.call("CHECK")) as string[]).at(-1);
      expect(String(less)).toContain("1 indexes are defined on disk, 2 in memory");
      await client.call("SET", "k", "v"); // so that it is saved anew
    });
  }, 30_000);

  test.each<[string, string, string]>([
    ['"$index:by city": {}', "4:1: database 3", 'index "by city"'],
    ['"$index:a": "hash"', "4:13: expected an object", "definition of an index"],
    ['"$indexes": {}', "4:1: expected a key", '"$index:"'],
  ])(
    "%s is refused with its place, and --recover keeps the others",
    async (member, place, what) => {
      await using workspace = await folderWith([CITY], [`${AGE},\n${member}`]);
      const refused = await kvdb(workspace, ["dbsize"]);
      expect(refused.code).toBe(65);
      for (const part of [place, what]) expect(refused.stderr).toContain(part);
      const recovered = await kvdb(workspace, ["--recover", "save"]);
      expect(recovered.code).toBe(0);
      expect(await savedIn(workspace)).toEqual(['"0": {', CITY, '"3": {', AGE]);
    },
    30_000,
  );
});
