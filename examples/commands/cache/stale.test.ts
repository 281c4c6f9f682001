/** Old values while new ones are loaded, over an engine whose clock the test moves. */
import { expect, test } from "bun:test";
import { createPluginEngine } from "kvdb/testing";
import plugin from "./cache.ts";
import { type Caller, readThrough } from "./read-through.ts";
import { SlowLoad } from "./slow-load.ts";

test("a stale value is answered at once, and loaded anew behind it; failures are told", async () => {
  const db = await createPluginEngine(plugin);
  const stored = Promise.withResolvers<void>();
  const failed = Promise.withResolvers<unknown>();
  const client: Caller = {
    async call(...words) {
      const value = db.run(...words);
      if (words[0] === "CACHE.SET" && words[3] === '"new"') stored.resolve();
      return value;
    },
  };
  const stale = { ms: 9000, onError: failed.resolve };
  const read = (load: () => unknown) => readThrough(client, { key: "a", ttlMs: 1000, stale, load });

  expect(await read(() => "old")).toBe("old");
  db.advance(1000);
  const [failing, working] = [new SlowLoad(), new SlowLoad()];
  expect(await read(failing.load)).toBe("old");
  expect(await read(() => "not asked")).toBe("old"); // the other one has the lease
  failing.fail(new Error("the service is away"));
  expect(await failed.promise).toEqual(new Error("the service is away"));

  expect(await read(working.load)).toBe("old");
  working.end("new");
  await stored.promise;
  expect(await read(() => "not asked")).toBe("new");
  expect([failing.count, working.count]).toEqual([1, 1]);

  db.advance(10_000);
  expect(await read(() => "later")).toBe("later");
});

test("who does not ask for stale values waits for the new one", async () => {
  const db = await createPluginEngine(plugin);
  const client: Caller = { call: async (...words) => db.run(...words) };
  const stale = { ms: 9000, onError: () => expect.unreachable() };
  await readThrough(client, { key: "a", ttlMs: 1000, stale, load: () => "old" });
  db.advance(1000);
  expect(await readThrough(client, { key: "a", ttlMs: 1000, load: () => "new" })).toBe("new");
});
