/**
 * A persistence of somebody else that wants its records in Redis's words: the executable writes them so, and has all back
 * from them after a restart. The one of the examples, with one word more.
 */
import { expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { kvdb } from "./support/run.ts";
import { Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

const EXAMPLE = join(import.meta.dir, "../../examples/persistence/json-lines/json-lines.ts");
const SUPPORTS = "supports: { records: true, checkpoints: false }";

async function write(workspace: Workspace, redisWords: string): Promise<void> {
  const source = await readFile(EXAMPLE, "utf8");
  expect(source).toContain(SUPPORTS);
  await workspace.write("kvdb.config.json", {
    ...{ plugins: ["./lines.ts"], persistence: { use: "json-lines" } },
  });
  await workspace.write(
    "lines.ts",
    source.replace(SUPPORTS, SUPPORTS.replace(" }", `, redisWords: ${redisWords} }`)),
  );
}

test("records are in Redis's words, and bring everything back", async () => {
  await using workspace = await Workspace.create();
  await write(workspace, "true");
  const first = await Server.start(workspace);
  const client = await first.connect();
  await client.pipeline([
    ["JSON.SET", "car", "$", '{"doors": 4}'],
    ["JSON.NUMINCRBY", "car", "$.doors", "1"],
    ["HSETEX", "session", "PXAT", "4102444800000", "FIELDS", "1", "the token", "x"],
    ["INDEX", "CREATE", "by_doors", "USING", "hash", "FIELD", "doors"],
  ]);
  await first.kill();

  const lines = await readFile(workspace.path(".kvdb", "changes.jsonl"), "utf8");
  const records = lines.split("\n").flatMap((line) => {
    return line === "" ? [] : [`${(JSON.parse(line) as { records?: string }).records}`];
  });
  const text = records.join("");
  expect(text).toContain('#kvdb-json\r\n*3\r\n$3\r\nSET\r\n$3\r\ncar\r\n$11\r\n{"doors":5}\r\n');
  expect(text).toContain(
    "$4\r\nHSET\r\n$7\r\nsession\r\n$9\r\nthe token\r\n$1\r\nx\r\n" +
      '#kvdb-do HPEXPIREAT session 4102444800000 FIELDS 1 "the token"\r\n',
  );
  expect(text).toContain("#kvdb-do INDEX CREATE by_doors USING hash FIELD doors\r\n");
  expect(text).not.toContain("JSON.");

  await using second = await Server.start(workspace);
  const again = await second.connect();
  expect(
    await again.pipeline([
      ["TYPE", "car"],
      ["GET", "car"],
      ["HPEXPIRETIME", "session", "FIELDS", "1", "the token"],
      ["INDEX", "LIST"],
    ]),
  ).toEqual(["ReJSON-RL", '{"doors":5}', [4_102_444_800_000], ["by_doors"]]);
});

test("neither yes nor no is told as a mistake of the plugin", async () => {
  await using workspace = await Workspace.create();
  await write(workspace, '"yes" as never');
  const { code, stderr } = await kvdb(workspace, ["get", "key"]);
  expect(code).toBe(70);
  expect(stderr).toContain("redisWords");
  expect(stderr).toContain("json-lines");
});
