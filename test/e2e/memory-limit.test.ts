/**
 * U6: a bound on used memory under load, through the executable: each policy keeps it, says what it evicted, and refuses what it
 * must; the largest clients are closed when their buffers pass a bound of their own.
 */
import { describe, expect, test } from "bun:test";
import { seededRandom } from "../../src/platform/random.ts";
import { EVICTION_POLICIES } from "../../src/store/eviction.ts";
import { type Argument, type Client, ReplyError } from "./support/client.ts";
import { until, within } from "./support/poll.ts";
import { infoNumber, Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

const MAX = 50 * 1_048_576;
const OOM = "OOM command not allowed when used memory > 'maxmemory'.";
const WRITERS = 4;
const BATCHES = 250;
const BATCH = 100;

/** Small and big values, collections, documents with an index; three of four keys get a deadline. */
function commands(random: { below(bound: number): number }): Argument[][] {
  const batch: Argument[][] = [];
  while (batch.length < BATCH) {
    const key = `${random.below(30_000)}`;
    const size = random.below(40) === 0 ? random.below(200_000) : random.below(2000);
    switch (random.below(5)) {
      case 0:
        batch.push(["HSET", `hash:${random.below(200)}`, `field:${key}`, "h".repeat(size % 3000)]);
        batch.push(["EXPIRE", `hash:${random.below(200)}`, 1000]);
        break;
      case 1:
        batch.push(["RPUSH", `list:${random.below(100)}`, "l".repeat(size % 5000), "l".repeat(50)]);
        batch.push(["EXPIRE", `list:${random.below(100)}`, 1000]);
        break;
      case 2:
        batch.push([
          "VALUE.SET",
          `doc:${key}`,
          JSON.stringify({ n: random.below(1e6), text: "d".repeat(size % 1500) }),
          ...["PX", 1_000_000],
        ]);
        break;
      default:
        batch.push(["SET", `key:${key}`, "s".repeat(size), "EX", 1000 + random.below(1000)]);
    }
    if (random.below(4) === 0) batch.push(["GET", `key:${random.below(30_000)}`]);
  }
  return batch;
}

/** Runs the load; answers the highest used memory that INFO told meanwhile, and how many commands got an OOM error. */
async function load(server: Server): Promise<{ highest: number; refused: number }> {
  let refused = 0;
  let isOver = false;
  let highest = 0;
  const write = async (seed: number) => {
    const client = await server.connect();
    const random = seededRandom(seed);
    for (let i = 0; i < BATCHES; i++) {
      const replies = await client.pipeline(commands(random));
      for (const reply of replies) {
        if (!(reply instanceof ReplyError)) continue;
        expect(reply.message).toBe(OOM);
        refused++;
      }
    }
  };
  const watch = async () => {
    const client = await server.connect();
    while (!isOver) highest = Math.max(highest, await infoNumber(client, "used_memory"));
  };
  const watching = watch();
  try {
    await Promise.all(Array.from({ length: WRITERS }, (_, i) => write(i + 1)));
  } finally {
    isOver = true;
    await watching;
  }
  return { highest, refused };
}

describe.each(EVICTION_POLICIES.map(({ name }) => name))("maxmemory 50mb, %s", (policy) => {
  test("U6: used memory never passes it by more than 5 %, under load", async () => {
    await using workspace = await Workspace.create();
    const args = ["--maxmemory", "50mb", "--maxmemory-policy", policy, "--appendonly", "no"];
    await using server = await Server.start(workspace, { args });
    const client = await server.connect();
    await client.call("INDEX", "CREATE", "by_n", "USING", "ordered", "FIELD", "n");
    const { highest, refused } = await load(server);
    expect(highest).toBeGreaterThan(MAX * 0.9);
    expect(highest).toBeLessThanOrEqual(MAX * 1.05);
    const evicted = await infoNumber(client, "evicted_keys");
    if (policy === "noeviction") {
      expect(evicted).toBe(0);
      expect(refused).toBeGreaterThan(0);
    } else {
      expect(evicted).toBeGreaterThan(100);
      expect(refused).toBe(0);
    }
    await requireSoundIndex(client);
  }, 120_000);
});

async function requireSoundIndex(client: Client): Promise<void> {
  const found = await client.call("FIND", "n >= 0", "COUNT");
  const answer = (await client.call("INDEX", "CHECK", "by_n")) as unknown[];
  expect(answer[answer.indexOf("documents") + 1]).toBe(found as number);
  expect(answer.flat(3).filter((word) => word === "missing")).toEqual([]);
}

test("U6: a limit that is lowered while kvdb runs is reached soon, and what went stays gone", async () => {
  await using workspace = await Workspace.create();
  const options = { args: ["--maxmemory-policy", "allkeys-lru"] };
  let keys = 0;
  {
    await using server = await Server.start(workspace, options);
    const client = await server.connect();
    for (let i = 0; i < 40; i++) {
      const sets = Array.from({ length: 1000 }, (_, n) => [
        "SET",
        `key:${i}:${n}`,
        "x".repeat(500),
      ]);
      await client.pipeline(sets);
    }
    await client.call("CONFIG", "SET", "maxmemory", "5mb");
    const used = () => infoNumber(client, "used_memory");
    await until("used memory is within the limit", async () => (await used()) <= 5 * 1_048_576);
    expect(await client.call("SET", "one more", "1")).toBe("OK");
    keys = Number(await client.call("DBSIZE"));
    expect(keys).toBeLessThan(10_000);
    await server.kill();
  }
  await using server = await Server.start(workspace, options);
  expect(await (await server.connect()).call("DBSIZE")).toBe(keys);
}, 60_000);

test("maxmemory-clients: who has most that waits is closed, but not who said NO-EVICT", async () => {
  await using workspace = await Workspace.create();
  const args = ["--maxmemory-clients", "4mb", "--appendonly", "no"];
  await using server = await Server.start(workspace, { args });
  const [greedy, kept, modest] = [
    await server.connect(),
    await server.connect(),
    await server.connect(),
  ];
  await kept.call("CLIENT", "NO-EVICT", "ON");
  // The beginning of a long value, whose end never comes.
  const begin = (client: Client, bytes: number) => {
    client.socket.write(`*3\r\n$3\r\nSET\r\n$1\r\na\r\n$99000000\r\n${"x".repeat(bytes)}`);
  };
  begin(kept, 3_000_000);
  begin(greedy, 2_500_000);
  await within("the end of the greedy client", greedy.closed);
  expect(await modest.call("SET", "b", "1")).toBe("OK");
  expect(await infoNumber(modest, "evicted_clients")).toBe(1);
  const lines = String(await modest.call("CLIENT", "LIST"));
  expect(lines).toMatch(/flags=e .*tot-mem=30\d{5} /);
  expect(await infoNumber(modest, "mem_clients_normal")).toBeGreaterThan(3_000_000);
});
