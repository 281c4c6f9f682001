/**
 * All data is replaced while clients read and write, through the executable, whose worker loads it beside what is served:
 * nobody is turned away, nobody sees a mixture, and kill -9 at any moment leaves the one or the other, with every write that
 * was acknowledged behind the moment of the change.
 */
import { describe, expect, test } from "bun:test";
import { basename } from "node:path";
import { Random } from "../oracle/random.ts";
import { type Client, ReplyError } from "./support/client.ts";
import { Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

const SEED = Number(process.env["KVDB_TEST_SEED"] ?? Date.now() % 2 ** 32);

/** Of the backup: the mark, and as many others. */
const KEYS = 20_000;

/** Fills a server, makes a backup, and leaves other data in its place; resolves to the name of the backup. */
async function prepare(client: Client): Promise<string> {
  const fill = Array.from({ length: KEYS }, (_, i) => ["SET", `new:${i}`, "x".repeat(100)]);
  await client.pipeline([...fill, ["SET", "state", "new"]]);
  const name = basename(String(await client.call("BACKUP")));
  await client.pipeline([["FLUSHALL"], ["SET", "state", "old"]]);
  return name;
}

/** Writes w:1, w:2, … until it is told to stop or the server is gone; answers how many were acknowledged. */
async function writeOn(client: Client, isOver: () => boolean): Promise<number> {
  for (let count = 1; ; count++) {
    if (isOver()) return count - 1;
    const [outcome] = await Promise.allSettled([client.ask("SET", `w:${count}`, "1")]);
    if (outcome.status === "rejected") return count - 1;
    if (outcome.value instanceof ReplyError) throw outcome.value;
  }
}

interface Found {
  readonly state: string;
  readonly newKeys: number;
  /** Which of w:1 … w:n are there. */
  readonly written: readonly boolean[];
}

async function look(client: Client, acknowledged: number): Promise<Found> {
  const state = String(await client.call("GET", "state"));
  const newKeys = Number(
    await client.call("EXISTS", ...Array.from({ length: KEYS }, (_, i) => `new:${i}`)),
  );
  const asked = Array.from({ length: acknowledged }, (_, i) => ["EXISTS", `w:${i + 1}`]);
  const written = (await client.pipeline(asked)).map((reply) => reply === 1);
  return { state, newKeys, written };
}

/** What is there is one of the two states whole, and what was acknowledged since it is what is served. */
function requireOne({ state, newKeys, written }: Found, where: unknown): void {
  expect([where, state, newKeys]).toEqual([where, state, state === "new" ? KEYS : 0]);
  const first = state === "old" ? 0 : written.indexOf(true);
  const since = first < 0 ? [] : written.slice(first);
  expect([where, since.every((isThere) => isThere)]).toEqual([where, true]);
}

describe.each(["wal", "aof"])("%s", (persistence) => {
  const config = { persistence };

  test("readers and writers are served all the while, and nobody sees a mixture", async () => {
    await using workspace = await Workspace.create();
    await workspace.write("kvdb.config.json", JSON.stringify(config));
    await using server = await Server.start(workspace);
    const [client, reader, writer] = [
      await server.connect(),
      await server.connect(),
      await server.connect(),
    ];
    const name = await prepare(client);
    let isOver = false;
    const states: string[] = [];
    const read = async () => {
      while (!isOver) {
        const [state, first, last] = (await reader.call(
          ...["MGET", "state", "new:0", `new:${KEYS - 1}`],
        )) as (string | null)[];
        const isNew = state === "new";
        expect([state, first !== null, last !== null]).toEqual([state ?? "", isNew, isNew]);
        if (states.at(-1) !== state) states.push(state ?? "");
      }
    };
    const reading = read();
    const writing = writeOn(writer, () => isOver);
    await client.call("BACKUP", "RESTORE", name, "FORCE");
    await client.call("PING");
    isOver = true;
    const [acknowledged] = await Promise.all([writing, reading]);
    expect(states.slice(0, 2)).toEqual(states.length > 1 ? ["old", "new"] : ["old"]);
    expect(acknowledged).toBeGreaterThan(0);
    requireOne(await look(client, acknowledged), "served");
    // A snapshot of the chunks that came from elsewhere.
    const again = basename(String(await client.call("BACKUP")));
    expect(JSON.stringify(await client.call("BACKUP", "VERIFY", again))).toContain("ok");
    expect(JSON.stringify(await client.call("CHECK"))).toContain("ok");
    await server.kill();
    await using restarted = await Server.start(workspace);
    requireOne(await look(await restarted.connect(), acknowledged), "restarted");
  }, 120_000);

  test(`kill -9 at any moment (seed ${SEED})`, async () => {
    const random = new Random(SEED);
    await using workspace = await Workspace.create();
    await workspace.write("kvdb.config.json", JSON.stringify(config));
    let name = "";
    {
      await using server = await Server.start(workspace);
      name = await prepare(await server.connect());
    }
    const ends = new Set<string>();
    for (let round = 0; round < 6; round++) {
      await using server = await Server.start(workspace);
      const client = await server.connect();
      const writer = await server.connect();
      await client.pipeline([["FLUSHALL"], ["SET", "state", "old"]]);
      const writing = writeOn(writer, () => false);
      const begun = performance.now();
      const restoring = Promise.allSettled([client.ask("BACKUP", "RESTORE", name, "FORCE")]);
      // Some of them behind the end, whatever the machine does meanwhile.
      if (round % 3 === 2) await restoring;
      else await Bun.sleep(random.below(400));
      await server.kill();
      const [[restored], acknowledged] = await Promise.all([restoring, writing]);
      const where = [round, Math.round(performance.now() - begun), restored?.status];
      await using again = await Server.start(workspace);
      const found = await look(await again.connect(), acknowledged);
      requireOne(found, where);
      if (restored?.status === "fulfilled") expect([where, found.state]).toEqual([where, "new"]);
      ends.add(found.state);
    }
    expect(ends).toContain("new");
  }, 120_000);
});
