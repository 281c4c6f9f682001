/** Reading and writing keys in a program: values of every kind, lifetimes, lists, prefixes. */
import { expect, test } from "bun:test";
import { failureOf, openInMemory } from "./opened.ts";

test("values come back as they went in", async () => {
  await using db = await openInMemory();
  const values = [
    ...["Ada", "", "héllo ✓ 🚀", '{"no": "JSON"}', "null", "12", "\0", "\ufffd", '"quoted"'],
    ...[0, -1.5, 1e300, 2 ** 53 - 1, true, false, null],
    ...[[], {}, [1, [2, [3]]], { a: { b: [{ c: null }] }, ключ: "значение", __proto__x: 1 }],
    "x".repeat(100_000),
    { text: "é".repeat(50_000), half: "\ud800" },
  ];
  for (const value of values) {
    await db.set("key", value);
    expect(db.get("key")).toEqual(value);
  }
  expect(db.size).toBe(1);
});

test("what JSON.stringify leaves out is left out, and what it converts is converted", async () => {
  await using db = await openInMemory();
  await db.set("user", { name: "Ada", nick: undefined, born: new Date(0) });
  expect(db.get<object>("user")).toEqual({ name: "Ada", born: "1970-01-01T00:00:00.000Z" });
  expect(Object.keys(db.get<object>("user") ?? {})).toEqual(["name", "born"]);
});

test("what JSON cannot say is refused by its place, and changes nothing", async () => {
  await using db = await openInMemory();
  await db.set("key", "before");
  const circle: Record<string, unknown> = {};
  circle["self"] = circle;
  const cases: [value: unknown, place: string][] = [
    [undefined, "value: JSON has no undefined"],
    [() => 1, "value: JSON has no function"],
    [Symbol("s"), "value: JSON has no symbol"],
    [10n, "value: JSON has no bigint"],
    [Number.NaN, "value: JSON has no NaN"],
    [{ a: [1, Number.NEGATIVE_INFINITY] }, "value.a[1]: JSON has no -Infinity"],
    [[1, undefined], "value[1]: JSON has no undefined"],
    [new Array(2), "value[0]: JSON has no undefined"],
    [{ when: Promise.resolve(1) }, "value.when: JSON has no Promise"],
    [new Map([[1, 2]]), "value: JSON has no Map"],
    [{ bytes: new Uint8Array(2) }, "value.bytes: JSON has no Uint8Array"],
    [{ toJSON: () => undefined }, "value.toJSON(): JSON has no undefined"],
    ["\ud800", "value: half of a surrogate pair has no UTF-8"],
    [{ wheel: circle }, "value.wheel.self: a circle"],
  ];
  for (const [value, place] of cases) {
    const { code, message } = await failureOf(() => db.set("key", value));
    expect({ code, message }).toEqual({ code: "USAGE", message: expect.stringContaining(place) });
  }
  expect(db.get("key")).toBe("before");
});

test("an object in two places is no circle, and one in a circle is looked at once", async () => {
  await using db = await openInMemory();
  const shared = { a: 1 };
  await db.set("key", [shared, { shared }, shared]);
  expect(db.get("key")).toEqual([shared, { shared }, shared]);
  let looks = 0;
  const circle: object[] = [
    {
      get part() {
        return ++looks;
      },
    },
  ];
  circle.push(circle);
  expect((await failureOf(() => db.set("key", circle))).message).toContain("value[1]: a circle");
  expect(looks).toBe(1);
});

test("an invalid Date is null, as JSON.stringify has it", async () => {
  await using db = await openInMemory();
  await db.set("key", { at: new Date(Number.NaN) });
  expect(db.get("key")).toEqual({ at: null });
});

test("a thousand levels are stored, one more is refused", async () => {
  await using db = await openInMemory();
  const nested = (levels: number) => {
    let value: unknown = 1;
    for (let level = 0; level < levels; level++) value = [value];
    return value;
  };
  await db.set("key", nested(1000));
  expect(JSON.stringify(db.get("key"))).toBe(JSON.stringify(nested(1000)));
  expect((await failureOf(() => db.set("key", nested(1001)))).code).toBe("USAGE");
});

test("a change is seen at once, before its promise resolves", async () => {
  await using db = await openInMemory<number>();
  const written = db.set("n", 1);
  expect(db.get("n")).toBe(1);
  const deleted = db.delete("n", "none");
  expect(db.has("n")).toBe(false);
  await written;
  expect(await deleted).toBe(1);
  expect(await db.delete()).toBe(0);
});

test("bytes are kept as they are; as text they are refused, not mended", async () => {
  await using db = await openInMemory();
  const all = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  await db.setBytes("bytes", all);
  expect(db.getBytes("bytes")).toEqual(all);
  expect(await failureOf(() => db.get("bytes"))).toMatchObject({ code: "COMMAND" });
  expect(db.getBytes("none")).toBeUndefined();
  await db.setBytes("bytes", Buffer.from("text"));
  expect(db.get("bytes")).toBe("text");
  await db.set("doc", { a: 1 });
  expect(Buffer.from(db.getBytes("doc") ?? []).toString()).toBe('{"a":1}');
  const notBytes = "text" as unknown as Uint8Array;
  expect((await failureOf(() => db.setBytes("bytes", notBytes))).code).toBe("USAGE");
});

test("what getBytes gives is a copy", async () => {
  await using db = await openInMemory();
  await db.set("key", "abc");
  db.getBytes("key")?.fill(0);
  expect(db.get("key")).toBe("abc");
});

test("integers beyond 2^53 are rounded by get and exact in getBytes", async () => {
  await using db = await openInMemory();
  await db.call("VALUE.SET", "big", "9007199254740993");
  expect(db.get("big")).toBe(9007199254740992);
  expect(Buffer.from(db.getBytes("big") ?? []).toString()).toBe("9007199254740993");
});

test("keys are text or bytes, the empty one too", async () => {
  await using db = await openInMemory();
  for (const key of ["", "ключ", "a b\n", new Uint8Array([0xff, 0]), "long".repeat(5000)]) {
    await db.set(key, 1);
    expect(db.has(key)).toBe(true);
    expect(await db.delete(key)).toBe(1);
    expect(db.get(key)).toBeUndefined();
  }
  for (const key of [undefined, 5, null, "\udfff"]) {
    expect((await failureOf(() => db.get(key as string))).code).toBe("USAGE");
    expect((await failureOf(() => db.set(key as string, 1))).code).toBe("USAGE");
  }
  expect(db.size).toBe(0);
});

test("lifetimes", async () => {
  await using db = await openInMemory<number>();
  const ttl = async (key: string) => (await db.call<number>("PTTL", key)) as number;
  await db.set("a", 1, { ttlMs: 60_000 });
  expect(await ttl("a")).toBeWithin(50_000, 60_001);
  await db.set("a", 2, { keepTtl: true });
  expect(await ttl("a")).toBeWithin(50_000, 60_001);
  await db.set("a", 3);
  expect(await ttl("a")).toBe(-1);
  await db.set("a", 4, { expiresAtMs: Date.now() + 90_000 });
  expect(await ttl("a")).toBeWithin(80_000, 90_001);
  await db.set("a", 5, { expiresAtMs: 1 });
  expect(db.has("a")).toBe(false);
});

test("wrong options are refused and change nothing", async () => {
  await using db = await openInMemory<number>();
  const wrong: object[] = [
    ...[{ ttlMs: 0 }, { ttlMs: -5 }, { ttlMs: 1.5 }, { ttlMs: "5" }, { ttlMs: Number.NaN }],
    ...[{ expiresAtMs: 0 }, { ttlMs: 5, keepTtl: true }, { ttl: 5 }, { keepTtl: "no" }],
  ];
  for (const options of wrong) {
    expect((await failureOf(() => db.set("a", 1, options))).code).toBe("USAGE");
  }
  expect((await failureOf(() => db.set("a", 1, { ttl: 5 } as object))).message).toContain("ttlMs");
  expect(db.size).toBe(0);
});

test("a key is gone on time also within one long turn of the program", async () => {
  await using db = await openInMemory<number>();
  await db.set("a", 1, { ttlMs: 5 });
  const end = performance.now() + 10;
  while (performance.now() < end); // the turn is what this is about: nothing may be awaited
  expect(db.get("a")).toBeUndefined();
  expect([...db.list()]).toEqual([]);
});

test("keys are listed once each, by prefix, pattern and limit", async () => {
  await using db = await openInMemory<number>();
  const names = Array.from({ length: 20_000 }, (_, i) => (i % 2 === 0 ? `even:${i}` : `odd:${i}`));
  await Promise.all([...names, "*[a]"].map((name) => db.set(name, 1)));
  expect(db.list().toArray().sort()).toEqual([...names, "*[a]"].sort());
  expect(db.list({ prefix: "odd:" }).toArray()).toHaveLength(10_000);
  expect(db.list({ prefix: "*" }).toArray()).toEqual(["*[a]"]);
  expect(db.list({ pattern: "even:?" }).toArray().sort()).toEqual(
    [0, 2, 4, 6, 8].map((i) => `even:${i}`),
  );
  expect(db.list({ prefix: "odd:", pattern: "*99" }).toArray()).toHaveLength(200);
  for (const limit of [0, 1, 5, 300, 20_000]) {
    expect(db.list({ prefix: "even:", limit }).toArray()).toHaveLength(Math.min(limit, 10_000));
  }
  for (const options of [{ limit: -1 }, { limit: 1.5 }, { count: 3 }, { pattern: 5 }]) {
    expect((await failureOf(() => db.list(options as object))).code).toBe("USAGE");
  }
});

test("deleting what is listed goes through all of it", async () => {
  await using db = await openInMemory<number>();
  await Promise.all(Array.from({ length: 10_000 }, (_, i) => db.set(`k${i}`, i)));
  for (const key of db.list()) await db.delete(key);
  expect(db.size).toBe(0);
});

test("keys that are no text are listed as bytes", async () => {
  await using db = await openInMemory<number>();
  await db.set(new Uint8Array([0xff]), 1);
  expect(db.listBytes().toArray()).toEqual([new Uint8Array([0xff])]);
  expect((await failureOf(() => db.list().toArray())).code).toBe("COMMAND");
});

test("a store with a prefix shows its keys without it, and touches no others", async () => {
  await using db = await openInMemory<number>();
  await db.set("other", 0);
  const users = db.prefix<{ name: string }>("[u]*:");
  await users.set("ada", { name: "Ada" });
  await users.set(new Uint8Array([0x62]), { name: "Bob" });
  expect(users.get("ada")).toEqual({ name: "Ada" });
  expect(db.list({ prefix: "[u]" }).toArray().sort()).toEqual(["[u]*:ada", "[u]*:b"]);
  expect(users.list().toArray().sort()).toEqual(["ada", "b"]);
  expect(users.list({ pattern: "a*" }).toArray()).toEqual(["ada"]);
  expect(users.list({ prefix: "b" }).toArray()).toEqual(["b"]);
  expect(users.has("other")).toBe(false);
  expect(await users.delete("other", "ada")).toBe(1);
  const inner = users.prefix("x:");
  await inner.set("y", { name: "Y" });
  expect(db.has("[u]*:x:y")).toBe(true);
  expect((await failureOf(() => db.prefix(5 as unknown as string))).code).toBe("USAGE");
});

test("numbered databases share nothing", async () => {
  await using db = await openInMemory<number>({ databases: 3 });
  await db.select(2).set("key", 2);
  expect(db.get("key")).toBeUndefined();
  expect(db.select(2).get("key")).toBe(2);
  expect([db.size, db.select(2).size]).toEqual([0, 1]);
  await db.select(0).set("key", 0);
  expect(db.get("key")).toBe(0);
  expect(await db.select(2).call("GET", "key")).toBe("2");
  for (const index of [3, -1, 1.5, "1"]) {
    expect(["USAGE", "COMMAND"]).toContain(
      (await failureOf(() => db.select(index as number))).code,
    );
  }
});

test("a write that does not fit into memory.max is refused", async () => {
  await using db = await openInMemory<string>({ memory: { max: "2mb" } });
  const failure = await failureOf(() => db.set("key", "x".repeat(4_000_000)));
  expect(failure).toMatchObject({ code: "COMMAND", reply: "OOM" });
  expect(db.has("key")).toBe(false);
  await db.set("key", "small");
  expect(db.get("key")).toBe("small");
});
