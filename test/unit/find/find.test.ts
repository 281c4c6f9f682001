/** FIND and EXPLAIN as a client sees them: answers, ways to them, refusals. */
import { beforeAll, describe, expect, test } from "bun:test";
import { EngineHarness } from "../../suites/engine-harness.ts";

const PEOPLE = {
  "u:1": { name: "Ada", age: 36, city: "Oslo", tags: ["x", "y"] },
  "u:2": { name: "Bo", age: 20, city: "Bergen", tags: [] },
  "u:3": { name: "Cy", age: 52, city: "Oslo" },
  "u:4": { name: "Di", age: 36, city: "Rome", tags: ["y"] },
  "v:5": { name: "Ed", age: 1.5, city: "Oslo", address: { zip: "0150" } },
};

let db: EngineHarness;

beforeAll(() => {
  db = new EngineHarness();
  for (const [key, value] of Object.entries(PEOPLE)) {
    db.run("VALUE.SET", key, JSON.stringify(value));
  }
  db.run("SET", "text", "no document");
  db.run("RPUSH", "list", "1");
});

const find = (...words: (string | number)[]) => db.run("FIND", ...words);
const keys = (...words: (string | number)[]) =>
  (find(...words) as [string, string][]).map(([key]) => key).sort();
const error = (...words: (string | number)[]) => (find(...words) as { error: string }).error;

describe("FIND", () => {
  test("answers keys with their documents as they are stored", () => {
    expect(find('city = "Rome"')).toEqual([["u:4", JSON.stringify(PEOPLE["u:4"])]]);
  });

  test.each([
    ['city = "Oslo" and age >= 30', ["u:1", "u:3"]],
    ['{"city":"Oslo","age":{"$gte":30}}', ["u:1", "u:3"]],
    ['tags has "y"', ["u:1", "u:4"]],
    ['{"tags":"x"}', ["u:1"]],
    ["address.zip exists", ["v:5"]],
    ['{"$or":[{"age":{"$lt":2}},{"name":{"$regex":"^C"}}]}', ["u:3", "v:5"]],
    ["age in (20, 52)", ["u:2", "u:3"]],
    ["*", ["u:1", "u:2", "u:3", "u:4", "v:5"]],
    ["", ["u:1", "u:2", "u:3", "u:4", "v:5"]],
    ['@key starts with "v:"', ["v:5"]],
  ])("%s", (filter, expected) => {
    expect(keys(filter)).toEqual(expected);
  });

  test("IN takes a prefix of keys", () => {
    expect(keys('city = "Oslo"', "IN", "u:*")).toEqual(["u:1", "u:3"]);
    expect(keys("*", "IN", "v:")).toEqual(["v:5"]);
    expect(keys("*", "IN", "*")).toHaveLength(5);
  });

  test("PARAMS are values, JSON or text, whatever they look like", () => {
    expect(keys("city = $1 and age = $2", "PARAMS", "Oslo", "36")).toEqual(["u:1"]);
    expect(keys('{"city":"$1"}', "PARAMS", '"Rome"')).toEqual(["u:4"]);
    expect(keys("name = $1", "PARAMS", 'x" or name != "')).toEqual([]);
    expect(keys("name = $1", "PARAMS", '{"$ne":null}')).toEqual([]);
  });

  test("SORT, SKIP and LIMIT", () => {
    const names = (...words: (string | number)[]) =>
      (find(...words, "FIELDS", "name") as [string, string][]).map(
        ([, text]) => JSON.parse(text).name,
      );
    expect(names("*", "SORT", "-age,name")).toEqual(["Cy", "Ada", "Di", "Bo", "Ed"]);
    expect(names("*", "SORT", "age", "LIMIT", 2)).toEqual(["Ed", "Bo"]);
    expect(names("*", "SORT", "age,name", "SKIP", 2, "LIMIT", 2)).toEqual(["Ada", "Di"]);
    expect(names("*", "SORT", "-name", "SKIP", 4)).toEqual(["Ada"]);
    expect(names("*", "LIMIT", 0)).toEqual([]);
  });

  test("FIELDS leaves the rest out", () => {
    expect(find('name = "Ed"', "FIELDS", "age,address.zip,nothing")).toEqual([
      ["v:5", '{"age":1.5,"address":{"zip":"0150"}}'],
    ]);
  });

  test("a field may be called as a word is", () => {
    db.run("VALUE.SET", "w", '{"params":1,"limit":2,"by":"GROUP"}');
    const last = (...words: string[]) => find('@key = "w"', ...words);
    expect(last("FIELDS", "params")).toEqual([["w", '{"params":1}']]);
    expect(last("FIELDS", "PARAMS")).toEqual([["w", "{}"]]);
    expect(last("SORT", "params", "FIELDS", "limit")).toEqual([["w", '{"limit":2}']]);
    expect(last("GROUP", "BY", "params", "SUM", "params")).toEqual([
      '{"params":1,"sum(params)":1}',
    ]);
    expect(keys("by = $1", "SORT", "params", "PARAMS", "GROUP")).toEqual(["w"]);
    db.run("DEL", "w");
  });

  test("WITHIN a prefix keys go without it", () => {
    expect(find('@key = "5"', "WITHIN", "v:", "FIELDS", "age")).toEqual([["5", '{"age":1.5}']]);
    expect(keys("*", "WITHIN", "u:", "IN", "1*")).toEqual(["1"]);
    expect(keys("@key > 1", "WITHIN", "u:")).toEqual([]);
    expect(keys('@key > "1" and @key in ("2", "4", "u:3")', "WITHIN", "u:")).toEqual(["2", "4"]);
    expect(keys("@key ~ /^[13]$/", "WITHIN", "u:")).toEqual(["1", "3"]);
    expect(keys('@key not in ("1") and not @key starts with "2"', "WITHIN", "u:")).toEqual([
      ...["3", "4"],
    ]);
    expect(find("*", "WITHIN", "u:", "GROUP", "BY", "city", "MAX", "@key")).toEqual([
      '{"city":"Bergen","max(@key)":"2"}',
      '{"city":"Oslo","max(@key)":"3"}',
      '{"city":"Rome","max(@key)":"4"}',
    ]);
    const [cursor, page] = find("*", "WITHIN", "u:", "CURSOR", "0", "LIMIT", 3) as [
      string,
      unknown[],
    ];
    const [end, rest] = find("*", "WITHIN", "u:", "CURSOR", cursor) as [string, [string][]];
    expect([page.length, rest.length, end]).toEqual([3, 1, "0"]);
    expect(rest[0]?.[0]).toMatch(/^[1-4]$/);
  });

  test("COUNT", () => {
    expect(find('city = "Oslo"', "COUNT")).toBe(3);
    expect(find("*", "COUNT")).toBe(5);
    expect(find("*", "COUNT", "SKIP", 1, "LIMIT", 2)).toBe(2);
    expect(find('city = "Paris"', "COUNT")).toBe(0);
  });

  test("GROUP BY", () => {
    expect(find("*", "GROUP", "BY", "city", "COUNT", "SUM", "age", "MAX", "name")).toEqual([
      '{"city":"Bergen","count":1,"sum(age)":20,"max(name)":"Bo"}',
      '{"city":"Oslo","count":3,"sum(age)":89.5,"max(name)":"Ed"}',
      '{"city":"Rome","count":1,"sum(age)":36,"max(name)":"Di"}',
    ]);
    expect(find("*", "GROUP", "BY", "tags")).toEqual([
      '{"tags":null,"count":2}',
      '{"tags":"x","count":1}',
      '{"tags":"y","count":2}',
      '{"tags":[],"count":1}',
    ]);
    expect(find("*", "AVG", "age", "COUNT")).toEqual(['{"avg(age)":29.1,"count":5}']);
  });

  test("groups in an order of their columns", () => {
    const cities = (...order: string[]) =>
      (find("*", "GROUP", "BY", "city", "COUNT", "AVG", "age", "SORT", ...order) as string[]).map(
        (text) => JSON.parse(text).city,
      );
    expect(cities("-count,city")).toEqual(["Oslo", "Bergen", "Rome"]);
    expect(cities("-avg(age)")).toEqual(["Rome", "Oslo", "Bergen"]);
    expect(cities("-city", "SKIP", "1", "LIMIT", "1")).toEqual(["Oslo"]);
  });

  test.each([
    [["age >"], "column 6"],
    [['{"age":{"$gtt":3}}'], "$gt"],
    [["*", "LIMMIT", "3"], 'did you mean "LIMIT"?'],
    [["*", "LIMIT", "-1"], "expected a number"],
    [["*", "LIMIT"], "a value is missing behind LIMIT"],
    [["*", "LIMIT", "1", "LIMIT", "2"], "LIMIT is given twice"],
    [["*", "SORT", "a,,b"], "column 3"],
    [["*", "CURSOR", "0", "COUNT"], "CURSOR and COUNT do not go together"],
    [
      ["*", "SORT", "age", "GROUP", "BY", "city"],
      'SORT: groups have no "age", they have city, count',
    ],
    [["*", "CURSOR", "x"], "invalid cursor"],
    [["*", "USING", "nope"], 'no index "nope"'],
    [["a = $2", "PARAMS", "1"], "$2"],
    [["name matches /(/"], "column"],
  ])("%p is refused", (words, reason) => {
    expect(error(...words)).toContain(reason);
  });

  test("wrong arity and non-UTF-8 are errors", () => {
    expect(db.run("FIND")).toEqual({ error: "ERR wrong number of arguments for 'find' command" });
    expect(db.run("FIND", Uint8Array.of(0x7b, 0xff))).toEqual({
      error: "ERR argument 1 is no UTF-8 text",
    });
  });
});

describe("EXPLAIN", () => {
  const explain = (...words: string[]) =>
    db.run("EXPLAIN", "FIND", ...words) as Map<string, unknown>;

  test("names the index, and what was examined and returned", () => {
    expect(explain('city = "Oslo"').get("plan")).toBe("scan of all documents");
    db.run("INDEX", "CREATE", "by_city", "USING", "hash", "FIELD", "city");
    const told = explain('city = "Oslo"');
    expect(told.get("index")).toBe("by_city");
    expect([told.get("rows examined"), told.get("rows returned")]).toEqual([3, 3]);
    expect(told.get("exact")).toBe("yes");
    db.run("INDEX", "DROP", "by_city");
  });

  test("takes the index of the fewest documents, or of the order", () => {
    db.run("INDEX", "CREATE", "by_city", "USING", "hash", "FIELD", "city");
    db.run("INDEX", "CREATE", "by_age", "USING", "ordered", "FIELD", "age");
    expect(explain('city = "Oslo" and age = 52').get("index")).toBe("by_age");
    expect(explain('city = "Rome" and age > 1').get("index")).toBe("by_city");
    const sorted = explain("*", "SORT", "-age", "LIMIT", "2");
    expect([sorted.get("index"), sorted.get("rows examined")]).toEqual(["by_age", 2]);
    expect(explain('city = "Rome"', "USING", "by_city").get("index")).toBe("by_city");
    expect(error('city = "Rome"', "USING", "by_age")).toContain("of no use");
    db.run("INDEX", "DROP", "by_city");
    db.run("INDEX", "DROP", "by_age");
  });

  test("expects FIND", () => {
    expect(db.run("EXPLAIN", "GET", "a")).toEqual({ error: "ERR expected FIND behind EXPLAIN" });
  });
});

test.each([
  [["FIND", "city = 'Oslo'", "USING", "by_city", "COUNT"]],
  [["FIND", "city = 'Bergen'", "USING", "by_city"]],
  [["FIND", "city = 'Oslo'"]],
  [["EXPLAIN", "FIND", "city = 'Oslo'", "USING", "by_city", "COUNT"]],
  [["INDEX", "INFO", "by_city"]],
])("%p does not show what may vanish: it waits for the latest record", (words) => {
  const held = new EngineHarness({ durability: "always" });
  held.run("JSON.SET", "a", "$", '{"city":"Oslo"}');
  held.run("JSON.SET", "b", "$", '{"city":"Bergen"}');
  held.run("INDEX", "CREATE", "by_city", "USING", "hash", "FIELD", "city");
  held.persistence.holdsSyncs = true;
  held.run("DEL", "b");
  const reader = held.connect();
  held.runIn(reader, ...words);
  expect(reader.hold).toBe(held.session.hold);
});

describe("what happens between two slices", () => {
  const many = () => {
    const harness = new EngineHarness({ auditEvery: 0 });
    for (let n = 0; n < 4000; n++) harness.run("JSON.SET", `d:${n}`, "$", `{"n":${n},"m":1}`);
    harness.run("INDEX", "CREATE", "n", "USING", "ordered", "FIELD", "n");
    return harness;
  };

  const QUERY = ["FIND", "n >= 0 and m = 1", "COUNT"] as const;

  test.each([
    ["INDEX DROP", ["INDEX", "DROP", "n"], 4000],
    ["INDEX REBUILD", ["INDEX", "REBUILD", "n"], 4000],
    ["FLUSHALL", ["FLUSHALL"], expect.any(Number)],
    ["SWAPDB", ["SWAPDB", "0", "1"], 1],
  ])("%s: the answer is a whole one", async (_, words, expected) => {
    for (const using of [[], ["SORT", "n", "LIMIT", "100000"]]) {
      const harness = many();
      const other = harness.connect();
      harness.runIn(other, "SELECT", "1");
      harness.runIn(other, "JSON.SET", "alone", "$", '{"n":7,"m":1}');
      const reader = harness.connect();
      const answer = harness.askIn(reader, ...QUERY, ...using);
      expect(reader.later).not.toBeNull();
      harness.run(...words);
      expect(await answer).toEqual(expected);
    }
  });

  test("a document that comes with several values is answered once", async () => {
    const harness = many();
    const answer = harness.askIn(
      harness.connect(),
      "FIND",
      "n >= 0 and m = 1",
      "USING",
      "n",
      "SORT",
      "n",
      "LIMIT",
      9999,
    );
    harness.run("JSON.SET", "late", "$", '{"n":[3000,3001,3002],"m":1}');
    const rows = (await answer) as [string, string][];
    expect(rows).toHaveLength(4001);
    expect(rows.filter(([key]) => key === "late")).toHaveLength(1);
  });

  test("the index that was to be used is dropped: an error, and no part of an answer", async () => {
    const harness = many();
    const answer = harness.askIn(harness.connect(), ...QUERY, "USING", "n");
    harness.run("INDEX", "DROP", "n");
    expect(await answer).toEqual({ error: expect.stringContaining('no index "n"') });
  });
});
