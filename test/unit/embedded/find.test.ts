/** `db.find` and its kin: what is found, what filters may hold, what is refused. */
import { describe, expect, test } from "bun:test";
import { type Filter, KvdbError } from "../../../src/plugin.ts";
import { failureOf, openInMemory } from "./opened.ts";

interface Person {
  name: string;
  age: number;
  city?: string;
  tags?: string[];
  address?: { zip: string };
  items?: { sku: string; qty: number }[];
}

const PEOPLE: Record<string, Person> = {
  ada: { name: "Ada", age: 36, city: "Oslo", tags: ["x", "y"], items: [{ sku: "a", qty: 2 }] },
  bo: { name: "Bo", age: 20, city: "Bergen", tags: [], items: [{ sku: "b", qty: 5 }] },
  cy: { name: "$1", age: 52, city: "Oslo", address: { zip: "0150" } },
};

async function openPeople() {
  const db = await openInMemory();
  const people = db.prefix<Person>("p:");
  for (const [key, value] of Object.entries(PEOPLE)) await people.set(key, value);
  await db.set("q:stranger", { name: "Ed", age: 36, city: "Oslo" });
  await db.set("p:text", "no document");
  return { db, people, [Symbol.asyncDispose]: () => db.close() };
}

const keysOf = (rows: readonly { key: string }[]) => rows.map(({ key }) => key).sort();

describe("filters", () => {
  test.each<[Filter<Person>, string[]]>([
    [{}, ["ada", "bo", "cy"]],
    [{ city: "Oslo" }, ["ada", "cy"]],
    [{ city: "Oslo", age: { $gt: 36 } }, ["cy"]],
    [{ age: { $gte: 36n } }, ["ada", "cy"]],
    [{ name: "$1" }, ["cy"]],
    [{ name: { $in: ["Bo", "$1", "$7"] } }, ["bo", "cy"]],
    [{ $nor: [{ name: "$1" }, { "address.zip": "$2" }] }, ["ada", "bo"]],
    [{ name: /^a/i }, ["ada"]],
    [{ name: { $regex: /^a/iu, $exists: true } }, ["ada"]],
    [{ name: { $regex: "^A" } }, ["ada"]],
    [{ name: { $not: /^A/ } }, ["bo", "cy"]],
    [{ tags: { $size: 0 } }, ["bo"]],
    [{ tags: "x" }, ["ada"]],
    [{ tags: { $all: ["x", "y"] } }, ["ada"]],
    [{ tags: { $elemMatch: { $regex: /X/i } } }, ["ada"]],
    [{ items: { $elemMatch: { sku: "b", qty: { $gt: 4 } } } }, ["bo"]],
    [{ items: { $all: [{ $elemMatch: { sku: /a/ } }] } }, ["ada"]],
    [{ "items.0.sku": "a" }, ["ada"]],
    [{ city: null }, []],
    [{ tags: null }, ["cy"]],
    [{ age: { $type: ["number", "string"] } }, ["ada", "bo", "cy"]],
    [{ $and: [{ $or: [{ age: 20 }, { age: 52 }] }, { city: { $exists: true } }] }, ["bo", "cy"]],
    [{ "@key": "ada" }, ["ada"]],
    [{ "@key": { $gte: "b" } }, ["bo", "cy"]],
    [{ "@key": { $in: ["cy", "p:ada"] } }, ["cy"]],
    [{ "@key": { $nin: ["cy"] } }, ["ada", "bo"]],
    [{ "@key": /^b/ }, ["bo"]],
    [{ "@key": /:/ }, []],
    [{ "@key": { $not: /^(a|b)/ } }, ["cy"]],
    [{ address: { zip: "0150" } }, ["cy"]],
  ])("%p", async (filter, expected) => {
    await using opened = await openPeople();
    const { db, people } = opened;
    expect(keysOf(await people.find(filter))).toEqual(expected);
    expect(await people.count(filter)).toBe(expected.length);
    await db.index.create("keys", { use: "ordered", field: "@key" });
    await db.index.create("city", { use: "ordered", field: "city" });
    expect(keysOf(await people.find(filter))).toEqual(expected);
    expect(keysOf(await people.find(filter, { using: undefined, sort: "@key" }))).toEqual(expected);
  });

  test("as text, with parameters", async () => {
    await using opened = await openPeople();
    const { db, people } = opened;
    expect(keysOf(await people.find("age >= $1 and city = $2", { params: [30, "Oslo"] }))).toEqual([
      "ada",
      "cy",
    ]);
    expect(keysOf(await people.find("name = $1", { params: ["$1"] }))).toEqual(["cy"]);
    expect(await people.count("name = $1", { params: ['x" or name != "'] })).toBe(0);
    expect(await people.count("age in $1", { params: [[20, 52]] })).toBe(2);
    expect(keysOf(await people.find('{"name":"$1"}', { params: ["Bo"] }))).toEqual(["bo"]);
    expect(keysOf(await people.find('@key starts with "b"'))).toEqual(["bo"]);
    expect(keysOf(await db.find('@key starts with "p:b"'))).toEqual(["p:bo"]);
  });

  test("integers of any size, and moments", async () => {
    await using db = await openInMemory<{ id: number; at: string }>();
    await db.call("VALUE.SET", "a", '{"id":9007199254740993}');
    await db.call("VALUE.SET", "b", '{"id":9007199254740992}');
    expect(keysOf(await db.find({ id: 9007199254740993n }))).toEqual(["a"]);
    expect(keysOf(await db.find("id = $1", { params: [9007199254740993n] }))).toEqual(["a"]);
    const at = new Date(Date.UTC(2026, 1, 3));
    await db.call("VALUE.SET", "c", JSON.stringify({ at }));
    expect(keysOf(await db.find({ at }))).toEqual(["c"]);
    expect(keysOf(await db.find({ at: { $gt: new Date(0) } }))).toEqual(["c"]);
  });

  const circle: Record<string, unknown> = {};
  circle["$and"] = [circle];
  const list: unknown[] = [];
  list.push(list);
  test.each<[unknown, string]>([
    [{ name: undefined }, "filter.name: JSON has no undefined"],
    [{ name: { $eq: undefined } }, "filter.name.$eq: JSON has no undefined"],
    [{ $or: [{ name: "a" }, { name: undefined }] }, "filter.$or[1].name: JSON has no undefined"],
    [{ address: { zip: undefined } }, "filter.address.zip: JSON has no undefined"],
    [{ age: Number.NaN }, "filter.age: JSON has no NaN"],
    [{ age: { $in: [1, /x/] } }, "filter.age.$in[1]: a RegExp stands as a condition"],
    [{ address: { zip: /x/ } }, "filter.address.zip: a RegExp stands as a condition"],
    [{ name: /x/g }, "filter.name: the flag g of a RegExp"],
    [{ name: () => 1 }, "filter.name: JSON has no function"],
    [{ name: new Map() }, "filter.name: JSON has no Map"],
    [{ name: new Date(Number.NaN) }, "filter.name: its toJSON answers null"],
    [{ name: "\ud800" }, "filter.name: half of a surrogate pair"],
    [{ "\ud800": 1 }, "half of a surrogate pair"],
    [{ $and: { name: "a" } }, "filter.$and: expected a list, found object"],
    [{ $and: ["a"] }, "filter.$and[0]: expected an object, found string"],
    [circle, "nested deeper than 100 levels"],
    [{ tags: list }, "nested deeper than 100 levels"],
    [["a"], "filter: expected an object, found a list"],
    [null, "filter: expected an object or a string, found null"],
    [5, "filter: expected an object or a string, found 5"],
    ["name = '\ud800'", "filter: expected a string that has a UTF-8"],
  ])("%p is refused", async (filter, message) => {
    await using opened = await openPeople();
    const failure = await failureOf(() => opened.people.find(filter as Filter<Person>));
    expect([failure.code, failure.message]).toEqual(["USAGE", expect.stringContaining(message)]);
  });

  test.each([
    ["age >> 5", 6],
    ["age = 5 and", 12],
    ["city ~ '(?=x)'", 8],
    [{ age: { $gtt: 5 } }, 9],
    [{ name: /(?=x)/ }, 19],
    [{ $foo: [] }, 2],
    ["age = $1", 7],
  ])("%p is refused with its column", async (filter, column) => {
    await using opened = await openPeople();
    const failure = await failureOf(() => opened.people.find(filter as Filter<Person>));
    expect([failure.code, failure.reply, failure.column]).toEqual(["COMMAND", "ERR", column]);
  });
});

describe("options", () => {
  test("sort, skip, limit, fields", async () => {
    await using opened = await openPeople();
    const { people } = opened;
    const names = async (options: object) =>
      (await people.find({}, options)).map(({ value }) => value.name);
    expect(await names({ sort: { city: 1, age: -1 } })).toEqual(["Bo", "$1", "Ada"]);
    expect(await names({ sort: "-age", limit: 2 })).toEqual(["$1", "Ada"]);
    expect(await names({ sort: { age: 1 }, skip: 1, limit: 1 })).toEqual(["Ada"]);
    expect(await names({ sort: { "@key": -1 } })).toEqual(["$1", "Bo", "Ada"]);
    expect(await names({ limit: 0 })).toEqual([]);
    const [bo] = await people.find({ name: "Bo" }, { fields: ["age", "items.sku"] });
    expect(bo).toEqual({ key: "bo", value: { age: 20, items: [{ sku: "b" }] } });
    const [same] = await people.find({ name: "Bo" }, { fields: "age,items.sku" });
    expect(same).toEqual(bo as never);
  });

  test("a prefix within the prefix of the store, whose characters mean nothing", async () => {
    await using db = await openInMemory<{ n: number }>();
    for (const key of ["a*b:1", "a*b:2", "axb:1", "é:1"]) await db.set(key, { n: 1 });
    expect(keysOf(await db.find({}, { prefix: "a*b" }))).toEqual(["a*b:1", "a*b:2"]);
    expect(keysOf(await db.find({}, { prefix: "a*" }))).toEqual(["a*b:1", "a*b:2"]);
    expect(keysOf(await db.prefix("a*").find({}, { prefix: "b:" }))).toEqual(["b:1", "b:2"]);
    expect(keysOf(await db.prefix("é").find({ "@key": /^:1$/ }))).toEqual([":1"]);
    expect(keysOf(await db.find({}, { prefix: "" }))).toHaveLength(4);
  });

  test("fields that are called as the words of FIND are", async () => {
    await using db = await openInMemory();
    await db.set("a", { params: 1, limit: "2", "a,b": 3, "-x": 4, where: "IN" });
    const fields = ["params", "limit"];
    expect(await db.find({ where: "IN" }, { fields })).toEqual([
      { key: "a", value: { params: 1, limit: "2" } },
    ]);
    expect(await db.find({ params: "$1" }, { fields: "params", sort: "params" })).toEqual([]);
    expect(await db.find({}, { fields: ["a,b"], sort: { "-x": 1, "a,b": -1 } })).toEqual([
      { key: "a", value: { "a,b": 3 } },
    ]);
    expect(await db.aggregate("*", { groupBy: "params", sum: ["params", "limit"] })).toEqual([
      { params: 1, "sum(params)": 1, "sum(limit)": 0, count: undefined },
    ] as never);
  });

  test.each<[object, string]>([
    [{ limt: 1 }, "options.limt: unknown key, expected one of"],
    [{ limit: -1 }, "options.limit: expected an integer above 0"],
    [{ limit: 1.5 }, "options.limit"],
    [{ skip: "1" }, "options.skip"],
    [{ sort: { age: 2 } }, "options.sort.age: expected 1 or -1"],
    [{ sort: ["age"] }, "options.sort: expected an object or a string"],
    [{ sort: { 1: 1, age: 1 } }, "beside a name of digits"],
    [{ fields: [] }, "options.fields: expected a list"],
    [{ fields: [1] }, "a path: expected a string"],
    [{ using: 5 }, "options.using"],
    [{ prefix: 5 }, "options.prefix"],
    [{ params: [1] }, "options.params: they go with a filter as text"],
    [{ groupBy: "age" }, "options.groupBy: unknown key"],
  ])("%p is refused", async (options, message) => {
    await using opened = await openPeople();
    const failure = await failureOf(() => opened.people.find({}, options));
    expect([failure.code, failure.message]).toEqual(["USAGE", expect.stringContaining(message)]);
  });

  test("an index that there is not, and parameters that are none", async () => {
    await using opened = await openPeople();
    const { people } = opened;
    const failure = await failureOf(() => people.find({}, { using: "params" }));
    expect([failure.code, failure.message]).toEqual([
      "COMMAND",
      expect.stringContaining('no index "params"'),
    ]);
    const params = [undefined] as unknown as string[];
    expect(await failureOf(() => people.find("age = $1", { params }))).toMatchObject({
      code: "USAGE",
      message: "options.params[0]: JSON has no undefined",
    });
    expect(await failureOf(() => people.find("age = 1", { sort: "a..b" }))).toMatchObject({
      code: "COMMAND",
      column: 3,
    });
  });
});

describe("findEach", () => {
  async function openMany(count: number) {
    const db = await openInMemory<{ n: number; even: boolean }>();
    const many = Array.from({ length: count }, (_, n) => ({ n, even: n % 2 === 0 }));
    await Promise.all(many.map((value) => db.set(`k${value.n}`, value)));
    return db;
  }

  test("comes by each document once, over many pages", async () => {
    await using db = await openMany(5000);
    const found: number[] = [];
    for await (const { value } of db.findEach({ even: true })) found.push(value.n);
    expect(found.sort((a, b) => a - b)).toEqual(Array.from({ length: 2500 }, (_, i) => 2 * i));
    await db.index.create("n", { use: "ordered", field: "n" });
    let count = 0;
    for await (const { value } of db.findEach("n < 2500", { fields: ["n"] })) {
      expect(Object.keys(value)).toEqual(["n"]);
      count++;
    }
    expect(count).toBe(2500);
  });

  test("in order, over several pages, up to a limit", async () => {
    await using db = await openMany(12_000);
    const found: number[] = [];
    for await (const { value } of db.findEach({}, { sort: { n: -1 } })) found.push(value.n);
    expect(found).toEqual(Array.from({ length: 12_000 }, (_, i) => 11_999 - i));
    const few: string[] = [];
    for await (const { key } of db.findEach({}, { sort: "n", limit: 3 })) few.push(key);
    expect(few).toEqual(["k0", "k1", "k2"]);
    let count = 0;
    for await (const _ of db.findEach({}, { limit: 1234 })) count++;
    expect(count).toBe(1234);
    for await (const _ of db.findEach({}, { limit: 0 })) throw new Error("nothing was asked for");
  });

  test("changes and questions within the loop, and leaving it", async () => {
    await using db = await openMany(3000);
    let count = 0;
    for await (const { key } of db.findEach({ even: true })) {
      await db.delete(key);
      if (count++ === 500) expect(await db.count({ even: false })).toBe(1500);
    }
    expect([count, db.size]).toEqual([1500, 1500]);
    for await (const _ of db.findEach({})) break;
    expect(await db.count({})).toBe(1500);
  });

  test("what is wrong rejects at the first step", async () => {
    await using db = await openMany(1);
    const rows = db.findEach("n >");
    expect(await failureOf(() => rows.next())).toMatchObject({ code: "COMMAND", column: 4 });
    const none = null as unknown as object;
    expect(await failureOf(() => db.findEach({}, none).next())).toMatchObject({ code: "USAGE" });
    const options = { skip: 1 } as object;
    expect(await failureOf(() => db.findEach({}, options).next())).toMatchObject({ code: "USAGE" });
  });
});

describe("count, aggregate, explain", () => {
  test("count takes limit and skip", async () => {
    await using opened = await openPeople();
    const { db, people } = opened;
    expect(await people.count({})).toBe(3);
    expect(await people.count({ city: "Oslo" }, { limit: 1 })).toBe(1);
    expect(await people.count({}, { skip: 1 })).toBe(2);
    expect(await db.count({ city: "Oslo" })).toBe(3);
  });

  test("groups with figures", async () => {
    await using opened = await openPeople();
    const { people } = opened;
    const groups = await people.aggregate({}, { groupBy: "city", count: true, avg: "age" });
    expect(groups).toEqual([
      { city: "Bergen", count: 1, "avg(age)": 20 },
      { city: "Oslo", count: 2, "avg(age)": 44 },
    ]);
    expect(
      await people.aggregate(
        {},
        { sum: ["age", "items.qty"], min: "@key", max: ["name", "items.sku"] },
      ),
    ).toEqual([
      {
        ...{ "sum(age)": 108, "sum(items.qty)": 7, "min(@key)": "ada" },
        ...{ "max(name)": "Bo", "max(items.sku)": "b" },
      },
    ] as never);
    expect(await people.aggregate({}, { groupBy: ["city", "tags"], limit: 2, skip: 1 })).toEqual([
      { city: "Oslo", tags: null, count: 1 },
      { city: "Oslo", tags: "x", count: 1 },
    ]);
    expect(await people.aggregate({ age: 0 }, { count: true })).toEqual([{ count: 0 }]);
    expect(await people.aggregate({}, { count: true, limit: 1 })).toEqual([{ count: 3 }]);
    expect(await people.aggregate({}, { groupBy: "@key", limit: 1 })).toEqual([
      { "@key": "ada", count: 1 },
    ]);
    expect(
      await people.aggregate({}, { groupBy: "city", avg: "age", sort: { "avg(age)": -1 } }),
    ).toEqual([
      { city: "Oslo", "avg(age)": 44 },
      { city: "Bergen", "avg(age)": 20 },
    ] as never);
    expect(
      await people.aggregate({}, { groupBy: "city", count: true, sort: "-count,city", limit: 1 }),
    ).toEqual([{ city: "Oslo", count: 2 }]);
    expect(await people.aggregate({}, { count: true, sort: { count: 1 } })).toEqual([{ count: 3 }]);
    expect(await failureOf(() => people.aggregate({}, {}))).toMatchObject({ code: "USAGE" });
  });

  test("columns of groups are called as they were asked for", async () => {
    await using db = await openInMemory();
    await db.set("a", { "first name": "Ada", items: [{ n: 1 }, { n: 2 }] });
    expect(
      await db.aggregate(
        {},
        {
          ...{ groupBy: "first name", sum: ["items[*].n", "items.0.n"], max: "first name" },
          sort: { "sum(items[*].n)": -1, "first name": 1 },
        },
      ),
    ).toEqual([
      {
        ...{ "first name": "Ada", "sum(items[*].n)": 3, "sum(items.0.n)": 1 },
        "max(first name)": "Ada",
      },
    ] as never);
  });

  test("explain tells the index, and what was looked at", async () => {
    await using opened = await openPeople();
    const { db, people } = opened;
    expect(await people.explain({ age: 36 })).toMatchObject({
      index: null,
      fields: [],
      returned: 1,
    });
    await db.index.create("by-age", { use: "ordered", fields: ["age", "city"] });
    await db.index.create("keys", { use: "ordered", field: "@key" });
    expect(await people.explain({ age: { $gt: 50 } }, { using: "by-age" })).toMatchObject({
      ...{ index: "by-age", fields: ["age", "city"], ranges: 1, examined: 1, returned: 1 },
    });
    expect(await people.explain({ "@key": "ada" })).toMatchObject({ index: "keys", examined: 1 });
  });
});

test("several questions at once are answered, also while it closes", async () => {
  const db = await openInMemory<{ n: number }>();
  await Promise.all(Array.from({ length: 5000 }, (_, n) => db.set(`${n}`, { n })));
  const counts = await Promise.all([1, 2, 3, 4].map((n) => db.count({ n: { $lt: n } })));
  expect(counts).toEqual([1, 2, 3, 4]);
  const late = db.find({ n: { $lt: 3 } }, { sort: "-n" }).catch((error: unknown) => error);
  await db.close();
  const outcome = await late;
  if (outcome instanceof KvdbError) expect(outcome.code).toBe("UNAVAILABLE");
  else expect(outcome).toHaveLength(3);
  expect(await failureOf(() => db.find({}))).toMatchObject({ code: "UNAVAILABLE" });
});
