/**
 * A unique index under fifty writers that want the same values, alone and across kill -9: no value is ever held by two keys,
 * what was acknowledged is there, and what was refused is not. KVDB_TEST_LONG=1 runs more rounds; KVDB_TEST_SEED=N repeats
 * the choices of a run (not its timing, which is the machine's).
 */
import { expect, test } from "bun:test";
import { Random } from "../oracle/random.ts";
import { type Client, ConnectionLost, type Reply, ReplyError } from "./support/client.ts";
import { damagesOf, foundKeys, indexInfo } from "./support/people.ts";
import { Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

const IS_LONG = process.env["KVDB_TEST_LONG"] === "1";
const SEED = Number(process.env["KVDB_TEST_SEED"] ?? Date.now() % 2 ** 32);
const ROUNDS = IS_LONG ? 60 : 5;
const LONGEST_ROUND_MS = 300;
const WRITERS = 50;
const VALUES = 200;

const values = Array.from({ length: VALUES }, (_, number) => `${number}@example.org`);

async function createIndex(client: Client): Promise<Reply> {
  return client.call("INDEX", "CREATE", "email", "USING", "hash", "FIELD", "email", "UNIQUE");
}

/** In an order of its own. */
function shuffled<Item>(items: readonly Item[], random: Random): Item[] {
  return items
    .map((item) => ({ item, place: random.below(2 ** 30) }))
    .sort((one, other) => one.place - other.place)
    .map(({ item }) => item);
}

/** Of each value the keys that have it, as the documents say it. */
async function holders(client: Client): Promise<Map<string, string[]>> {
  const keys = (await client.call("KEYS", "*")) as string[];
  const texts = keys.length === 0 ? [] : ((await client.call("MGET", ...keys)) as string[]);
  const found = new Map<string, string[]>();
  for (const [at, key] of keys.entries()) {
    const { email } = JSON.parse(texts[at] as string) as { email: string };
    found.set(email, [...(found.get(email) ?? []), key]);
  }
  return found;
}

const isDuplicate = (reply: Reply) => reply instanceof ReplyError && reply.code === "DUPLICATE";

test(`fifty writers want the same values, and one has each, seed ${SEED}`, async () => {
  await using workspace = await Workspace.create();
  await workspace.write("kvdb.config.json", { persistence: { use: "wal", fsync: "always" } });
  await using server = await Server.start(workspace);
  const client = await server.connect();
  await createIndex(client);
  const won = new Map<string, string>();
  const writers = Array.from({ length: WRITERS }, async (_, number) => {
    const random = new Random(SEED + number);
    const connection = await server.connect();
    for (const value of shuffled(values, random)) {
      const key = `${number}:${value}`;
      const reply = await connection.ask("JSON.SET", key, "$", JSON.stringify({ email: value }));
      if (reply !== "OK") expect(reply).toSatisfy(isDuplicate);
      else {
        expect(won.get(value)).toBeUndefined();
        won.set(value, key);
      }
    }
  });
  await Promise.all(writers);
  expect(won.size).toBe(VALUES);
  expect(await client.call("DBSIZE")).toBe(VALUES);
  expect(await damagesOf(client, "email")).toEqual([]);
  expect(await indexInfo(client, "email", "entries")).toBe(String(VALUES));
  await server.kill();

  await using again = await Server.start(workspace);
  const reader = await again.connect();
  expect(await holders(reader)).toEqual(new Map([...won].map(([value, key]) => [value, [key]])));
  for (const [value, key] of won) {
    expect(await foundKeys(reader, `email = "${value}"`, "email")).toEqual([key]);
  }
  const refused = await reader.ask("JSON.SET", "late", "$", JSON.stringify({ email: values[0] }));
  expect(refused).toSatisfy(isDuplicate);
}, 60_000);

// ---- across kill -9 ----

/** One connection, which claims values for keys of its own, moves them and lets them go. */
class Claimant {
  readonly #name: string;
  readonly #random: Random;
  /** What each key has by the last answer. */
  readonly #held = new Map<string, string | null>();
  /** Sent, and not answered. */
  #pending: { key: string; value: string | null } | undefined;
  acknowledged = 0;
  refused = 0;

  constructor(name: string, random: Random) {
    this.#name = name;
    this.#random = random;
  }

  async writeUntilLost(server: Server): Promise<void> {
    try {
      using client = await server.connect();
      for (;;) await this.#write(client);
    } catch (error) {
      if (!(error instanceof ConnectionLost) && !isRefusedConnection(error)) throw error;
    }
  }

  async #write(client: Client): Promise<void> {
    const key = `${this.#name}:${this.#random.below(8)}`;
    const value = this.#random.chance(0.3) ? null : this.#random.pick(values);
    this.#pending = { key, value };
    const reply =
      value === null
        ? await client.ask("DEL", key)
        : await client.ask("JSON.SET", key, "$", JSON.stringify({ email: value }));
    if (isDuplicate(reply)) {
      this.#pending = undefined;
      this.refused++;
      return;
    }
    if (reply instanceof ReplyError) throw reply;
    if (value !== null && reply !== "OK") throw new Error(`unexpected ${String(reply)}`);
    this.#held.set(key, value);
    this.#pending = undefined;
    this.acknowledged++;
  }

  /** Compared with what is there; that is what is right from now on. */
  check(found: ReadonlyMap<string, string>): string[] {
    const problems: string[] = [];
    const pending = this.#pending;
    this.#pending = undefined;
    for (let number = 0; number < 8; number++) {
      const key = `${this.#name}:${number}`;
      const expected = this.#held.get(key) ?? null;
      const there = found.get(key) ?? null;
      const mayBe = pending?.key === key ? [expected, pending.value] : [expected];
      if (!mayBe.includes(there)) problems.push(`${key}: ${there}, expected ${mayBe.join(" or ")}`);
      this.#held.set(key, there);
    }
    return problems;
  }
}

function isRefusedConnection(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ECONNREFUSED" || code === "ECONNRESET";
}

async function problemsIn(workspace: Workspace, claimants: readonly Claimant[]): Promise<string[]> {
  await using server = await Server.start(workspace);
  const client = await server.connect();
  const byValue = await holders(client);
  const problems = [...byValue].flatMap(([value, keys]) =>
    keys.length > 1 ? [`${value} is held by ${keys.join(" and ")}`] : [],
  );
  const byKey = new Map([...byValue].map(([value, keys]) => [keys[0] as string, value]));
  for (const claimant of claimants) problems.push(...claimant.check(byKey));
  problems.push(...(await damagesOf(client, "email")));
  for (const value of values) {
    const found = await foundKeys(client, `email = "${value}"`, "email");
    const expected = byValue.get(value) ?? [];
    if (found.join() !== expected.join()) problems.push(`${value}: found ${found}, is ${expected}`);
  }
  await server.kill();
  return problems;
}

test(
  `and across kill -9, ${ROUNDS} rounds, seed ${SEED}`,
  async () => {
    await using workspace = await Workspace.create();
    await workspace.write("kvdb.config.json", {
      persistence: { use: "wal", fsync: "always", segmentBytes: 65_536 },
    });
    const random = new Random(SEED);
    const claimants = Array.from(
      { length: WRITERS },
      (_, number) => new Claimant(`w${number}`, new Random(SEED + number)),
    );
    for (let round = 0; round < ROUNDS; round++) {
      await using server = await Server.start(workspace);
      // Who creates what is there already is told so, also after a crash.
      await createIndex(await server.connect());
      const writing = claimants.map((claimant) => claimant.writeUntilLost(server));
      await Bun.sleep(random.integer(50, LONGEST_ROUND_MS)); // the random moment that this is about
      await server.kill();
      await Promise.all(writing);
      expect({ round, problems: await problemsIn(workspace, claimants) }).toEqual({
        ...{ round, problems: [] },
      });
    }
    const sum = (count: (claimant: Claimant) => number) =>
      claimants.reduce((total, claimant) => total + count(claimant), 0);
    expect(sum(({ acknowledged }) => acknowledged)).toBeGreaterThan(WRITERS);
    expect(sum(({ refused }) => refused)).toBeGreaterThan(WRITERS);
  },
  IS_LONG ? 600_000 : 120_000,
);
