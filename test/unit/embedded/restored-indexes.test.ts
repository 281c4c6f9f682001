/**
 * BACKUP RESTORE in a program, whose worker loads the data beside what is served: indexes of the kinds that kvdb has come along
 * with it, one of a kind that only the program has is made of the documents behind it.
 */
import { expect, test } from "bun:test";
import hashIndex from "../../../plugins/hash-index/index.ts";
import { type Database, definePlugin, type IndexKind } from "../../../src/plugin.ts";
import { until } from "../../e2e/support/poll.ts";
import { Folder } from "./opened.ts";

const [hashKind] = (hashIndex.indexes?.({}, undefined as never) ?? []) as [IndexKind];

const ownKind = definePlugin({
  name: "own-kind",
  apiVersion: 1,
  indexes: () => [{ ...hashKind, name: "own", create: (host) => hashKind.create(host) }],
});

test("indexes are there again, whoever brings their kind", async () => {
  await using folder = await Folder.create();
  await using db = await folder.open({ plugins: [ownKind as never] });
  const cities = ["Oslo", "Rome", "Bergen"];
  for (let i = 0; i < 300; i++) await db.set(`p:${i}`, { city: cities[i % 3], number: i });
  await db.call("INDEX", "CREATE", "by_city", "USING", "hash", "FIELD", "city");
  await db.call("INDEX", "CREATE", "by_number", "USING", "own", "FIELD", "number");
  const name = String(await db.call("BACKUP"))
    .split("/")
    .at(-1) as string;
  await db.call("FLUSHALL");
  await db.call("INDEX", "DROP", "by_city");
  await db.set("p:0", { city: "Paris", number: -1 });
  await db.call("BACKUP", "RESTORE", name, "FORCE");
  expect(await db.call("INDEX", "LIST")).toEqual(["by_city", "by_number"]);
  expect(await db.call("FIND", '{"city":"Oslo"}', "COUNT")).toBe(100);
  await until(
    "the other one is ready",
    async () => (await told(db, "INFO", "by_number")).get("state") === "ready",
  );
  expect(await db.call("FIND", '{"number":7}', "COUNT")).toBe(1);
  await db.set("p:7", { city: "Oslo", number: 70_000 });
  expect(await db.call("FIND", '{"city":"Oslo"}', "COUNT")).toBe(101);
  for (const index of ["by_city", "by_number"]) {
    const checked = Object.fromEntries(await told(db, "CHECK", index));
    expect([index, checked]).toMatchObject([index, { status: "ok", documents: 300, problems: [] }]);
  }
}, 30_000);

async function told(
  db: Pick<Database, "call">,
  word: string,
  index: string,
): Promise<Map<string, unknown>> {
  return (await db.call("INDEX", word, index)) as Map<string, unknown>;
}
