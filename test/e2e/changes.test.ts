/**
 * The feed of changes over lives that end by kill -9: consumers that keep the revision they have come to are told every
 * acknowledged change, in order, and whoever applies the commands has the same data. And `kvdb changes`.
 */
import { expect, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { Random } from "../oracle/random.ts";
import { type Argument, type Client, ConnectionLost, type Reply } from "./support/client.ts";
import { Ledger } from "./support/ledger.ts";
import { until } from "./support/poll.ts";
import { kvdb } from "./support/run.ts";
import { infoNumber, Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";
import { compactUntilLost, writeUntilLost } from "./support/writers.ts";

const SEED = Number(process.env["KVDB_TEST_SEED"] ?? Date.now() % 2 ** 32);
const ROUNDS = 5;
const ROUND_MS = 300;
const WINDOWS = [1, 4, 16];
const SEGMENT_BYTES = 65_536;

type Change = [
  revision: number,
  timeMs: number,
  database: number,
  key: string,
  event: string,
  command: string[] | null,
];

/** Follows the feed over all lives; what it has dealt with it does not deal with again. */
class Consumer {
  readonly seen: Change[] = [];
  #next = 1;
  readonly #count: number;
  readonly #pauseMs: number;
  readonly #apply: (changes: Change[]) => Promise<void>;

  constructor(options: {
    count: number;
    pauseMs: number;
    apply?: (changes: Change[]) => Promise<void>;
  }) {
    this.#count = options.count;
    this.#pauseMs = options.pauseMs;
    this.#apply = options.apply ?? (async () => {});
  }

  /** Until the connection is lost, or `upTo` is reached. */
  async follow(server: Server, upTo = Number.POSITIVE_INFINITY): Promise<void> {
    using client = await server.connect();
    try {
      while (this.#next <= upTo) {
        const words = ["FROM", this.#next, "COUNT", this.#count, "BLOCK", 50];
        const reply = await client.call("CHANGES", ...words);
        const [next, changes] = reply as Reply[] as [number, Change[]];
        expect(next).toBeGreaterThanOrEqual(this.#next);
        for (const [revision] of changes) {
          expect(revision).toBeGreaterThanOrEqual(this.seen.at(-1)?.[0] ?? 0);
          expect(revision).toBeLessThan(next);
          expect(revision).toBeGreaterThanOrEqual(this.#next);
        }
        await this.#apply(changes);
        this.seen.push(...changes);
        this.#next = next;
        if (this.#pauseMs > 0) await Bun.sleep(this.#pauseMs); // it is slow: that is what it is for
      }
    } catch (error) {
      if (!(error instanceof ConnectionLost)) throw error;
    }
  }
}

/** Applies commands to another server. */
function replicaOn(client: Client): (changes: Change[]) => Promise<void> {
  let selected = 0;
  return async (changes) => {
    const commands: Argument[][] = [];
    for (const [, , database, , , command] of changes) {
      if (command === null) continue;
      if (database !== selected) commands.push(["SELECT", database]);
      selected = database;
      commands.push(command);
    }
    for (const reply of await client.pipeline(commands)) expect(reply).not.toBeInstanceOf(Error);
  };
}

test.each([
  ["wal", "always"],
  ["wal", "everysec"],
  ["aof", "always"],
])(
  `consumers are told every change, in order, over kill -9 and compactions: %s, %s, seed ${SEED}`,
  async (use, fsync) => {
    const random = new Random(SEED);
    await using workspace = await Workspace.create();
    await using replicaSpace = await Workspace.create();
    await workspace.write("kvdb.config.json", {
      persistence: {
        ...{ use, fsync, segmentBytes: SEGMENT_BYTES },
        compaction: { ratio: 1, minBytes: 2 * SEGMENT_BYTES },
      },
    });
    await using replica = await Server.start(replicaSpace, { args: ["--appendonly", "no"] });
    const replicaClient = await replica.connect();
    const fast = new Consumer({ count: 500, pauseMs: 0, apply: replicaOn(replicaClient) });
    const slow = new Consumer({ count: 40, pauseMs: 5 });
    const ledgers = WINDOWS.map((_, index) => new Ledger(`w${index}`, random));
    for (let round = 0; round < ROUNDS; round++) {
      await using server = await Server.start(workspace);
      const checker = await server.connect();
      for (const ledger of ledgers) {
        // That what was promised is there is another test's to say; here the ledgers learn what is.
        await ledger.check(checker, 0);
      }
      const work = ledgers.map((ledger, index) =>
        writeUntilLost(server, ledger, { window: WINDOWS[index] as number }),
      );
      work.push(fast.follow(server), slow.follow(server), compactUntilLost(server, random));
      await Bun.sleep(ROUND_MS + random.below(200)); // the random moment of the kill
      await server.kill();
      await Promise.all(work);
    }
    await using server = await Server.start(workspace);
    const client = await server.connect();
    const digests = async () => [
      await client.call("DEBUG", "DIGEST"),
      await replicaClient.call("DEBUG", "DIGEST"),
    ];
    await until("both have the same data", async () => {
      const last = await infoNumber(client, "changes_last_revision");
      await Promise.all([fast.follow(server, last), slow.follow(server, last)]);
      const [one, other] = await digests();
      // Keys expire meanwhile, and one may have been told more than the other.
      return one === other && slow.seen.length === fast.seen.length;
    });
    expect(slow.seen).toEqual(fast.seen);
    expect(fast.seen.length).toBeGreaterThan(100);
  },
  120_000,
);

test("what the log has no more is told with the oldest revision there is, and INFO tells it", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  const client = await server.connect();
  for (let i = 0; i < 10; i++) await client.call("SET", `k${i}`, i);
  expect(await infoNumber(client, "changes_oldest_revision")).toBe(1);
  await client.call("BGREWRITEAOF");
  // Nobody has asked for changes yet: nothing is kept.
  await until("the log is compacted", async () => {
    return (await infoNumber(client, "changes_oldest_revision")) === 11;
  });
  expect(await client.ask("CHANGES", "FROM", 5)).toMatchObject({
    message: expect.stringMatching(/^LOGGAP .* 11$/),
  });
  expect(await client.call("CHANGES", "FROM", 11)).toEqual([11, []]);
  await client.call("SET", "more", 1);
  await client.call("CONFIG", "SET", "log-keep", "10mb");
  await client.call("BGREWRITEAOF");
  await until("it is compacted again", async () => {
    return (await infoNumber(client, "wal_kept_segments")) === 1;
  });
  expect(await infoNumber(client, "changes_oldest_revision")).toBe(11);
  expect(await client.ask("CONFIG", "SET", "log-keep", "much")).toBeInstanceOf(Error);
});

test("many who are far behind read the log together, some at a time", async () => {
  await using workspace = await Workspace.create();
  const commands = Array.from({ length: 3000 }, (_, i) => ["SET", `k${i}`, "x".repeat(100)]);
  {
    await using before = await Server.start(workspace);
    await (await before.connect()).pipeline([["CHANGES", "FROM", "$"], ...commands]);
    await before.kill();
  }
  await using server = await Server.start(workspace);
  const clients = await Promise.all(Array.from({ length: 60 }, () => server.connect()));
  // Connected is not accepted yet.
  for (const client of clients) await client.call("PING");
  const openFiles = async () => (await readdir(`/proc/${server.pid}/fd`)).length;
  const idle = await openFiles();
  let most = 0;
  const read = async (client: Client, first: number) => {
    let next = first;
    let count = 0;
    while (next <= commands.length) {
      const words = ["FROM", next, "COUNT", 700];
      const [after, changes] = (await client.call("CHANGES", ...words)) as [number, Reply[]];
      most = Math.max(most, await openFiles());
      expect(after).toBeGreaterThan(next);
      count += changes.length;
      next = after;
    }
    return count;
  };
  const counts = await Promise.all(clients.map((client, i) => read(client, 1 + i * 10)));
  expect(counts).toEqual(clients.map((_, i) => commands.length - i * 10));
  // 32 readers, and the files that a compaction has open meanwhile.
  expect(most).toBeLessThanOrEqual(idle + 32 + 4);
  // Who asked and went away leaves nothing behind.
  const gone = Array.from({ length: 20 }, async () => {
    const client = await server.connect();
    const asked = client.ask("CHANGES", "FROM", 1, "PREFIX", "none");
    client[Symbol.dispose]();
    await Promise.allSettled([asked]);
  });
  await Promise.all(gone);
  await until("files are closed", async () => (await openFiles()) <= idle + 8);
});

test("kvdb changes: a line or an object each, and --follow until it is told to stop", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  const client = await server.connect();
  await client.call("SET", "user:1", "Ada L");
  await client.call("SET", "other", "x");
  await client.call("DEL", "user:1");
  const lines = await kvdb(workspace, ["changes"]);
  expect(lines.stdout.split("\n").map((line) => line.replace(/ {2}\S+Z {2}/, "  T  "))).toEqual([
    '1  T  0  user:1  set  SET user:1 "Ada L"',
    "2  T  0  other  set  SET other x",
    "3  T  0  user:1  del  DEL user:1",
    "",
  ]);
  const objects = await kvdb(workspace, ["--json", "changes", "--prefix", "user:", "--from", "2"]);
  expect(JSON.parse(objects.stdout)).toMatchObject({
    ...{ revision: 3, database: 0, key: "user:1", event: "del", command: ["DEL", "user:1"] },
  });
  const follower = Bun.spawn(
    [workspace.executable, "--json", "changes", "--follow", "--from", "3"],
    {
      ...{ cwd: workspace.folder, stdout: "pipe", stderr: "ignore", env: { PATH: "/usr/bin" } },
    },
  );
  const reader = follower.stdout.getReader();
  let text = "";
  while (!text.includes('"key":"new"')) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`it ended with ${text}`);
    text += Buffer.from(value).toString();
    if (!text.includes('"key":"new"')) await client.call("SET", "new", "1");
  }
  follower.kill("SIGINT");
  expect(await follower.exited).toBe(0);
  expect((await kvdb(workspace, ["changes", "--follow", "x"])).code).toBe(2);
});

test("kvdb changes --follow needs somebody who changes something, and ends when nobody reads", async () => {
  await using workspace = await Workspace.create();
  const alone = await kvdb(workspace, ["changes", "--follow"]);
  expect(alone.code).toBe(69);
  await using server = await Server.start(workspace);
  const client = await server.connect();
  for (let i = 0; i < 5; i++) await client.call("SET", `k${i}`, i);
  const piped = Bun.spawn(["sh", "-c", `"${workspace.executable}" changes --follow | head -n 2`], {
    ...{ cwd: workspace.folder, stdout: "pipe", stderr: "ignore", env: { PATH: "/usr/bin:/bin" } },
  });
  expect((await piped.stdout.text()).trim().split("\n").length).toBe(2);
  expect(await piped.exited).toBe(0);
});
