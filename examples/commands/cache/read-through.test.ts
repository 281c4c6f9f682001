/** The loader function over a database of this process; a server and several clients are in test/e2e. */
import { expect, test } from "bun:test";
import { open } from "kvdb";
import plugin from "./cache.ts";
import { readThrough } from "./read-through.ts";
import { SlowLoad } from "./slow-load.ts";

const openCache = () => open({ persistence: "none", plugins: [plugin] });

const of = (load: () => unknown) => ({ key: "user:17", ttlMs: 60_000, tags: ["users"], load });

test("a hundred callers at once: one loads, each gets a value of its own", async () => {
  await using db = await openCache();
  const slow = new SlowLoad();
  const answers = Array.from({ length: 100 }, () => readThrough(db, of(slow.load)));
  await slow.begun;
  slow.end({ name: "Ada" });
  const values = await Promise.all(answers);
  expect(values).toEqual(Array.from({ length: 100 }, () => ({ name: "Ada" })));
  expect(slow.count).toBe(1);
  expect(new Set(values).size).toBe(100);
});

test("null is a value; what is no JSON is refused, and the lease given back", async () => {
  await using db = await openCache();
  await expect(
    readThrough(
      db,
      of(() => undefined),
    ),
  ).rejects.toThrow(TypeError);
  expect(
    await readThrough(
      db,
      of(() => null),
    ),
  ).toBe(null);
  expect(
    await readThrough(
      db,
      of(() => "not asked"),
    ),
  ).toBe(null);
});

test("a loader that throws: its caller gets that, and one of the others loads", async () => {
  await using db = await openCache();
  const [failing, working] = [new SlowLoad(), new SlowLoad()];
  const first = readThrough(db, of(failing.load));
  await failing.begun;
  const others = [1, 2, 3].map(() => readThrough(db, of(working.load)));
  failing.fail(new Error("the service is away"));
  await expect(first).rejects.toThrow("the service is away");
  working.end("value");
  expect(await Promise.all(others)).toEqual(["value", "value", "value"]);
  expect(working.count).toBe(1);
});

test("a loader that outlives its lease answers its caller, and leaves the newer value alone", async () => {
  await using db = await openCache();
  const slow = new SlowLoad();
  const first = readThrough(db, { ...of(slow.load), leaseMs: 1 });
  await slow.begun;
  expect(
    await readThrough(
      db,
      of(() => "new"),
    ),
  ).toBe("new");
  slow.end("old");
  expect(await first).toBe("old");
  expect(
    await readThrough(
      db,
      of(() => "not asked"),
    ),
  ).toBe("new");
});

const drops = [["CACHE.DROP", "user:17"] as const, ["CACHE.DROPTAG", "users"] as const];
test.each(drops)("after %s nobody gets what was being loaded before it", async (command, name) => {
  await using db = await openCache();
  const slow = new SlowLoad();
  const first = readThrough(db, of(slow.load));
  await slow.begun;
  await db.call(command, name);
  const second = readThrough(
    db,
    of(() => "after"),
  );
  slow.end("before");
  expect([await first, await second]).toEqual(["before", "after"]);
  expect(
    await readThrough(
      db,
      of(() => "not asked"),
    ),
  ).toBe("after");
});
