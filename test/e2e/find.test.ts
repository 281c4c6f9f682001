/** Indexes and questions as a person types them, through the executable: at the shell, as a script, one command at a time. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { kvdb } from "./support/run.ts";
import { Workspace } from "./support/workspace.ts";

interface Person {
  name: string;
  age: number;
  city: string;
  tags: string[];
  user: { address: { city: string } };
  items: { sku: string; qty: number }[];
}

const CITIES = ["Oslo", "New York", "Rome", "Lima", "O'Fallon", 'Bad "X"', "Åre"];
const COUNT = 10_000;

const people = new Map<string, Person>();
for (let number = 0; number < COUNT; number++) {
  const city = CITIES[(number * 7919) % CITIES.length] as string;
  people.set(`user:${number}`, {
    name: `name${number % 50}`,
    age: number % 90,
    city,
    tags: [`t${number % 11}`, `t${number % 13}`],
    user: { address: { city: CITIES[number % 5] as string } },
    items: [
      { sku: number % 3 === 0 ? "a" : "b", qty: number % 20 },
      { sku: "c", qty: (number * 3) % 20 },
    ],
  });
}

let workspace: Workspace;

beforeAll(async () => {
  workspace = await Workspace.create();
  await answers([...people].map(([key, person]) => `set ${key} ${JSON.stringify(person)}`));
});
afterAll(() => workspace[Symbol.asyncDispose]());

/** What one command prints, which must succeed. */
async function printed(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await kvdb(workspace, args);
  expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: "" });
  return stdout;
}

/** Each line of a script with its answer as JSON; all of them must succeed. */
async function answers(lines: readonly string[], place = workspace): Promise<unknown[]> {
  const input = lines.map((line) => `${line}\n`).join("");
  const { code, stdout, stderr } = await kvdb(place, ["--json"], { input });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

type Rows = readonly { readonly key: string; readonly value: Partial<Person> }[];

const keysOf = (rows: unknown): string[] => (rows as Rows).map(({ key }) => key).sort();

function expectedKeys(passes: (person: Person) => boolean): string[] {
  return [...people].flatMap(([key, person]) => (passes(person) ? [key] : [])).sort();
}

test("R4: a hash index leads to exactly the right keys, and nothing else is looked at", async () => {
  expect(await printed("index", "city")).toBe(`${COUNT}\n`);
  const filters = CITIES.map((city) => `city = ${JSON.stringify(city)}`);
  const found = await answers(filters.map((filter) => `find ${filter}`));
  const explained = await answers(filters.map((filter) => `explain find ${filter}`));
  for (const [at, city] of CITIES.entries()) {
    const wanted = expectedKeys((person) => person.city === city);
    expect(keysOf(found[at])).toEqual(wanted);
    expect(explained[at]).toMatchObject({
      index: "city",
      "rows examined": wanted.length,
      "rows returned": wanted.length,
    });
  }
  const oneShot = await printed("--json", "find", "city", "=", "New York");
  expect(keysOf(JSON.parse(oneShot))).toEqual(keysOf(found[CITIES.indexOf("New York")]));
  const [none, nothing] = await answers(['find city = "oslo"', "find city = nowhere count"]);
  expect([none, nothing]).toEqual([[], 0]);
  await printed("index", "drop", "city");
});

test("R5: a hash index by SHA-256 gives the same answers and names its function", async () => {
  const lines = CITIES.map((city) => `find city = ${JSON.stringify(city)}`);
  const scanned = (await answers(lines)).map(keysOf);
  expect(await printed("index", "city", "hash", "sha256")).toBe(`${COUNT}\n`);
  const [info, plan, ...found] = await answers([
    ...["index info city", "explain find city = Oslo", ...lines],
  ]);
  expect(found.map(keysOf)).toEqual(scanned);
  expect(info).toMatchObject({ kind: "hash", function: "sha256", state: "ready" });
  expect(plan).toMatchObject({ index: "city" });
  const [, , other] = await answers(["index drop city", "index city", "index info city"]);
  expect((other as { function: string }).function).not.toBe("sha256");
  await printed("index", "drop", "city");
});

test("R6: an index on existing data stays right through 1000 random changes", async () => {
  await using place = await Workspace.create();
  const sets = [...people].map(([key, { name }]) => `set ${key} {"name":"${name}"}`);
  expect((await answers([...sets, "index name"], place)).at(-1)).toBe(COUNT);
  let seed = 6;
  const random = (below: number) => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % below;
  };
  const changed = new Map([...people].map(([key, { name }]) => [key, name]));
  const changes = Array.from({ length: 1000 }, () => {
    const key = `user:${random(COUNT + 500)}`;
    const name = `name${random(60)}`;
    if (random(3) === 0) changed.delete(key);
    else changed.set(key, name);
    return changed.has(key) ? `set ${key} {"name":"${name}"}` : `delete ${key}`;
  });
  const names = Array.from({ length: 61 }, (_, number) => `name${number}`);
  const questions = names.map((name) => `find name = ${name}`);
  const last = ["explain find name = name7", "index check name"];
  const found = await answers([...changes, ...questions, ...last], place);
  const [plan, check] = found.splice(-last.length);
  const byIndex = found.slice(changes.length).map(keysOf);
  const wanted = names.map((name) =>
    [...changed].flatMap(([key, one]) => (one === name ? [key] : [])).sort(),
  );
  expect(byIndex).toEqual(wanted);
  expect(plan).toMatchObject({ index: "name" });
  expect(check).toMatchObject({ status: "ok", entries: changed.size, problems: [] });
  const scanned = await answers(["index drop name", ...questions], place);
  expect(scanned.slice(1).map(keysOf)).toEqual(wanted);
});

test("R16: an index on a nested path, and on the elements of an array", async () => {
  expect(await printed("index", "user.address.city")).toBe(`${COUNT}\n`);
  const entries = [...people.values()].reduce((sum, { tags }) => sum + new Set(tags).size, 0);
  expect(await printed("index", "tags[*]")).toBe(`${entries}\n`);
  const [rows, tagged, both, nested, ofTags] = await answers([
    'find user.address.city = "Lima"',
    "find tags has t3",
    'find tags has all ("t3", "t4")',
    'explain find user.address.city = "Lima"',
    "explain find tags has t3",
  ]);
  expect(keysOf(rows)).toEqual(expectedKeys(({ user }) => user.address.city === "Lima"));
  expect(keysOf(tagged)).toEqual(expectedKeys(({ tags }) => tags.includes("t3")));
  expect(keysOf(both)).toEqual(
    expectedKeys(({ tags }) => tags.includes("t3") && tags.includes("t4")),
  );
  expect(nested).toMatchObject({ index: "user.address.city" });
  expect(ofTags).toMatchObject({ index: "tags" });
  await answers(["index drop user.address.city", "index drop tags"]);
});

describe("R17, V-T10: questions", () => {
  test("a filter with an order, a limit and fields", async () => {
    const [rows] = await answers([
      'find {"age":{"$gte":30},"city":"Oslo"} sort -age limit 5 fields name,age',
    ]);
    const wanted = [...people.values()]
      .filter(({ age, city }) => age >= 30 && city === "Oslo")
      .map(({ age }) => age)
      .sort((one, other) => other - one)
      .slice(0, 5);
    expect((rows as Rows).map(({ value }) => value.age)).toEqual(wanted);
    for (const { key, value } of rows as Rows) {
      const person = people.get(key) as Person;
      expect(value).toEqual({ name: person.name, age: person.age });
      expect(person.city).toBe("Oslo");
    }
  });

  const questions: readonly (readonly [filter: string, passes: (person: Person) => boolean])[] = [
    ['{"$or":[{"city":"Rome"},{"age":{"$lt":3}}]}', (p) => p.city === "Rome" || p.age < 3],
    ['{"city":{"$in":["Rome","Lima"]}}', (p) => p.city === "Rome" || p.city === "Lima"],
    ['{"name":{"$regex":"^name4[0-3]$"}}', (p) => /^name4[0-3]$/.test(p.name)],
    [
      '{"items":{"$elemMatch":{"sku":"a","qty":{"$gt":17}}}}',
      (p) => p.items.some(({ sku, qty }) => sku === "a" && qty > 17),
    ],
    [
      'items has (sku = "a" and qty > 17)',
      (p) => p.items.some(({ sku, qty }) => sku === "a" && qty > 17),
    ],
    [
      `city = "O'Fallon" and not (age < 50 or tags has "t1")`,
      (p) => p.city === "O'Fallon" && !(p.age < 50 || p.tags.includes("t1")),
    ],
    [
      `city = 'Bad "X"' and age between 10 and 20`,
      (p) => p.city === 'Bad "X"' && p.age >= 10 && p.age <= 20,
    ],
    ["name matches /^NAME1$/i", (p) => p.name === "name1"],
  ];

  test("in both ways of writing, alike in a script and as arguments", async () => {
    const inScript = await answers(questions.map(([filter]) => `find ${filter}`));
    const counts = await answers(questions.map(([filter]) => `find ${filter} count`));
    for (const at of [0, questions.length - 1]) {
      const rows = JSON.parse(await printed("--json", "find", String(questions[at]?.[0])));
      expect(keysOf(rows)).toEqual(keysOf(inScript[at]));
    }
    for (const [at, [, passes]] of questions.entries()) {
      const wanted = expectedKeys(passes);
      expect(wanted.length).toBeGreaterThan(0);
      expect(keysOf(inScript[at])).toEqual(wanted);
      expect(counts[at]).toBe(wanted.length);
    }
  });

  test("arguments without the quotes that a shell takes away", async () => {
    const wanted = expectedKeys(({ city, age }) => city === "New York" && age >= 80);
    const words = ["find", "city", "=", "New York", "and", "age", ">=", "80"];
    expect(keysOf(JSON.parse(await printed("--json", ...words)))).toEqual(wanted);
    expect(await printed(...words, "count")).toBe(`${wanted.length}\n`);
  });

  test("parameters are values, whatever they look like", async () => {
    const [rows, quoted] = await answers([
      `find city = $1 and age > $2 params "O'Fallon" 60`,
      "find city = $1 params 'Bad \"X\"'",
    ]);
    expect(keysOf(rows)).toEqual(expectedKeys(({ city, age }) => city === "O'Fallon" && age > 60));
    expect(keysOf(quoted)).toEqual(expectedKeys(({ city }) => city === 'Bad "X"'));
  });

  test("groups", async () => {
    const [groups] = await answers(["find age < 10 group by city count avg age"]);
    const rows = groups as { city: string; count: number; "avg(age)": number }[];
    const young = [...people.values()].filter(({ age }) => age < 10);
    const byCity = Map.groupBy(young, ({ city }) => city);
    expect(rows.length).toBe(byCity.size);
    for (const { city, count, "avg(age)": average } of rows) {
      const members = byCity.get(city) ?? [];
      expect(count).toBe(members.length);
      expect(average).toBeCloseTo(members.reduce((sum, { age }) => sum + age, 0) / count, 9);
    }
  });
});
