/**
 * Documents for tests of indexes, and what each index must answer of them: told by the documents themselves, which are read
 * by their keys and judged here, without a filter of kvdb.
 */
import type { Random } from "../../oracle/random.ts";
import { type Client, ReplyError } from "./client.ts";

export interface Person {
  readonly email?: string;
  readonly city: string;
  readonly age: number;
  readonly tags?: readonly string[];
}

export const CITIES = ["Oslo", "New York", "Rome", "Lima", "Åre"];
const TAGS = ["a", "b", "c", "d"];
const OLDEST = 90;
const AT_ONCE = 5000;

/** One of each kind, and one with several entries of a document. */
export const INDEXES: readonly (readonly string[])[] = [
  ["city", "USING", "hash", "FIELD", "city"],
  ["age", "USING", "ordered", "FIELD", "age"],
  ["tags", "USING", "hash", "FIELD", "tags[*]"],
];

export function randomPerson(random: Random): Person {
  return {
    city: random.pick(CITIES),
    age: random.below(OLDEST),
    tags: TAGS.filter(() => random.chance(0.4)),
  };
}

export function personNumbered(number: number): Person {
  return {
    email: `${number}@example.org`,
    city: CITIES[number % CITIES.length] as string,
    age: (number * 7919) % OLDEST,
    tags: TAGS.filter((_, at) => number % (at + 2) === 0),
  };
}

/** Keys person:0 to person:<count - 1>. */
export async function fillWithPeople(client: Client, count: number): Promise<void> {
  for (let first = 0; first < count; first += AT_ONCE) {
    const numbers = Array.from({ length: Math.min(AT_ONCE, count - first) }, (_, at) => first + at);
    const replies = await client.pipeline(
      numbers.map((number) => [
        "JSON.SET",
        `person:${number}`,
        "$",
        JSON.stringify(personNumbered(number)),
      ]),
    );
    const refused = replies.find((reply) => reply instanceof ReplyError);
    if (refused !== undefined) throw refused;
  }
}

export async function readPeople(client: Client): Promise<Map<string, Person>> {
  const keys = (await client.call("KEYS", "*")) as string[];
  const texts = (await client.pipeline(keys.map((key) => ["GET", key]))) as string[];
  return new Map(keys.map((key, at) => [key, JSON.parse(texts[at] as string) as Person]));
}

/** Those of INDEXES that do not lead to exactly what is there, or are damaged. */
export async function problemsOfIndexes(client: Client): Promise<string[]> {
  const people = await readPeople(client);
  const problems: string[] = [];
  for (const [name = ""] of INDEXES) problems.push(...(await damagesOf(client, name)));
  const questions: readonly (readonly [string, string, (person: Person) => boolean])[] = [
    ...CITIES.map((city) => ["city", `city = "${city}"`, (p: Person) => p.city === city] as const),
    ...[3, 50, 89].map(
      (age) => ["age", `age >= ${age} and age < ${age + 7}`, isAgedFrom(age)] as const,
    ),
    ...TAGS.map((tag) => ["tags", `tags has ${tag}`, isTagged(tag)] as const),
  ];
  for (const [index, filter, passes] of questions) {
    const expected = [...people].flatMap(([key, person]) => (passes(person) ? [key] : [])).sort();
    const found = await foundKeys(client, filter, index);
    if (found.join() === expected.join()) continue;
    problems.push(
      `${filter}: ${found.length} found through ${index}, ${expected.length} are there`,
    );
  }
  return problems;
}

const isTagged = (tag: string) => (person: Person) => person.tags?.includes(tag) === true;
const isAgedFrom = (age: number) => (person: Person) => person.age >= age && person.age < age + 7;

export async function damagesOf(client: Client, index: string): Promise<string[]> {
  const report = (await client.call("INDEX", "CHECK", index)) as [string, string, ...unknown[]];
  return report[1] === "ok" ? [] : [`INDEX CHECK ${index}: ${JSON.stringify(report)}`];
}

export async function foundKeys(client: Client, filter: string, index?: string): Promise<string[]> {
  const using = index === undefined ? [] : ["USING", index];
  const rows = (await client.call("FIND", filter, ...using)) as [string, string][];
  return rows.map(([key]) => key).sort();
}

/** A line of INDEX INFO. */
export async function indexInfo(client: Client, index: string, line: string): Promise<string> {
  const lines = (await client.call("INDEX", "INFO", index)) as string[];
  return String(lines[lines.indexOf(line) + 1]);
}
