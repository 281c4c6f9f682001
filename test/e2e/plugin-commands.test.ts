/**
 * A plugin from outside whose command reads and writes keys: through the executable, over a crash, and without the plugin
 * afterwards, for its records hold nothing but kvdb's own commands.
 */
import { expect, test } from "bun:test";
import { GROUPS, sequence } from "../oracle/generate/sequence.ts";
import { Random } from "../oracle/random.ts";
import { commandsOf } from "../oracle/step.ts";
import { seeds } from "../suites/seeds.ts";
import { type Client, ReplyError } from "./support/client.ts";
import { type Content, readContent } from "./support/content.ts";
import { kvdb } from "./support/run.ts";
import { Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

const LIMIT = `
import { CommandError, definePlugin, integerOf } from "kvdb";

export default definePlugin({
  name: "limit",
  apiVersion: 1,
  commands: () => [
    {
      name: "LIMIT",
      arity: 4,
      flags: ["write", "denyoom", "fast"],
      group: "plugin",
      keys: [1, 1, 1],
      since: "1.0.0",
      summary: "Counts a request; answers 0 when it may pass, else the milliseconds until one may.",
      syntax: "key requests milliseconds",
      run(session, args, reply) {
        const windowMs = args.integer(3);
        if (!(windowMs > 0)) throw new CommandError("ERR", "milliseconds must be positive");
        const count = integerOf(session.call("INCR", args.bytes(1)));
        if (count === 1) session.call("PEXPIRE", args.bytes(1), windowMs);
        reply.integer(count <= args.integer(2) ? 0 : integerOf(session.call("PTTL", args.bytes(1))));
      },
    },
    {
      name: "SPREAD",
      arity: -2,
      flags: ["write", "denyoom"],
      group: "plugin",
      since: "1.0.0",
      summary: "Writes a value into every database, then fails if it is told to.",
      syntax: "value [FAIL]",
      run(session, args, reply) {
        for (let database = 0; database < 16; database++) {
          session.call("SELECT", database);
          session.call("APPEND", "spread", args.bytes(1));
          session.call("SET", "fleeting:" + args.text(1), "x", "PX", 1 + database % 2);
          session.tryCall("INCR", "spread:" + args.text(1));
        }
        if (args.count > 2) throw new Error("told to fail");
        reply.ok();
      },
    },
  ],
});
`;

test("R14: a command that reads and writes keys; after kill -9 and without its plugin the data is the same", async () => {
  await using workspace = await Workspace.create();
  await workspace.write("limit.ts", LIMIT);
  await workspace.write("kvdb.config.json", { plugins: ["./limit.ts"] });
  let content: Content;
  {
    await using server = await Server.start(workspace);
    const client = await server.connect();
    const answers = await client.pipeline(Array(5).fill(["LIMIT", "user:1", 3, 600_000]));
    expect(answers.slice(0, 3)).toEqual([0, 0, 0]);
    for (const answer of answers.slice(3)) {
      expect(answer).toBeGreaterThan(590_000);
      expect(answer).toBeLessThanOrEqual(600_000);
    }
    expect(await client.ask("LIMIT", "user:1", 3, 0)).toMatchObject({
      message: "ERR milliseconds must be positive",
    });
    const spread = await client.pipeline(
      Array.from({ length: 40 }, (_, i) => [
        "SPREAD",
        `v${i % 7}`,
        ...(i % 3 === 0 ? ["FAIL"] : []),
      ]),
    );
    expect(spread.filter((reply) => reply === "OK")).toHaveLength(26);
    for (const reply of spread.filter((one) => one !== "OK")) {
      expect((reply as ReplyError).message).toBe(
        'ERR plugin "limit": command SPREAD threw: told to fail',
      );
    }
    content = await lastingContent(client);
    await server.kill();
  }
  await workspace.write("kvdb.config.json", {});
  await using server = await Server.start(workspace);
  const client = await server.connect();
  expect(await lastingContent(client)).toEqual(content);
  expect(await client.call("GET", "user:1")).toBe("5");
  expect(Number(await client.call("PTTL", "user:1"))).toBeGreaterThan(500_000);
  expect(await client.ask("LIMIT", "user:1", 3, 1000)).toBeInstanceOf(ReplyError);
});

/** Beyond the end of the test. */
const SOON_MS = 60_000;

/** What there is without what is over soon: between two looks it may go, or be over and still stored. */
async function lastingContent(client: Client): Promise<Content> {
  const content = await readContent(client);
  const lasting = ({ expiresAtMs = Number.POSITIVE_INFINITY }) =>
    expiresAtMs > Date.now() + SOON_MS;
  for (const entries of Object.values(content)) {
    for (const [key, entry] of Object.entries(entries)) if (!lasting(entry)) delete entries[key];
  }
  return content;
}

const BATCH = `
import { definePlugin } from "kvdb";

export default definePlugin({
  name: "batch",
  apiVersion: 1,
  commands: () => [
    {
      name: "BATCH",
      arity: 3,
      flags: ["write", "denyoom"],
      group: "plugin",
      since: "1.0.0",
      summary: "Calls commands, given as JSON; the first error ends it when it is STRICT.",
      syntax: "<STRICT | LAX> commands",
      run(session, args, reply) {
        const calls = JSON.parse(args.text(2));
        for (const words of calls) {
          const [name, ...rest] = words.map((word) => Buffer.from(word, "latin1"));
          if (args.is(1, "STRICT")) session.call(name.toString(), ...rest);
          else session.tryCall(name.toString(), ...rest);
        }
        reply.integer(calls.length);
      },
    },
  ],
});
`;

test.each(seeds(3))(
  "R14: generated commands, called by a plugin's, replay from the log without it: seed %d",
  async (seed) => {
    await using workspace = await Workspace.create();
    await workspace.write("batch.ts", BATCH);
    await workspace.write("kvdb.config.json", {
      plugins: ["./batch.ts"],
      persistence: { use: "wal", segmentBytes: 65_536 },
    });
    const batches = generatedBatches(seed);
    let content: Content;
    {
      await using server = await Server.start(workspace);
      const client = await server.connect();
      const replies = await client.pipeline(batches);
      const counted = replies.filter((reply) => typeof reply === "number");
      expect(counted.length).toBeGreaterThan(batches.length / 2);
      expect(counted.length).toBeLessThan(batches.length);
      content = await lastingContent(client);
      expect(Object.keys(content).length).toBeGreaterThan(1);
      await server.kill();
    }
    await workspace.write("kvdb.config.json", {});
    await using server = await Server.start(workspace);
    expect(await lastingContent(await server.connect())).toEqual(content);
  },
);

/** Commands of the differential test in groups, with changes of database and keys that expire in between. */
function generatedBatches(seed: number): string[][] {
  const random = new Random(seed);
  const groups = GROUPS.filter(({ name }) => /^(strings|bits|keys|expiry)$/.test(name));
  const commands = sequence(seed, 2000, groups)
    .flatMap(commandsOf)
    .filter(({ words, wire }) => wire === undefined && words.length > 0)
    .map(({ words }) => words);
  const batches: string[][] = [];
  while (commands.length > 0) {
    const calls = commands.splice(0, random.integer(1, 8));
    if (random.chance(0.3)) calls.unshift(["SELECT", String(random.below(4))]);
    if (random.chance(0.3)) {
      const name = `fleeting:${random.below(5)}`;
      calls.push(["APPEND", name, "x"], ["PEXPIRE", name, String(random.integer(1, 3))]);
    }
    batches.push(["BATCH", random.chance(0.5) ? "STRICT" : "LAX", JSON.stringify(calls)]);
  }
  // Whatever was flushed last, two databases have something.
  const kept = [1, 2].map((database) => [
    ["SELECT", String(database)],
    ["SET", "kept", "1"],
  ]);
  batches.push(["BATCH", "LAX", JSON.stringify(kept.flat())]);
  return batches;
}

test("R14: is a word of the command line, whose changes are on disk when it answers", async () => {
  await using workspace = await Workspace.create();
  await workspace.write("limit.ts", LIMIT);
  await workspace.write("kvdb.config.json", { plugins: ["./limit.ts"] });
  expect(await kvdb(workspace, ["limit", "user", "1", "600000"])).toMatchObject({ code: 0 });
  expect(await kvdb(workspace, ["spread", "v", "FAIL"])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('plugin "limit": command SPREAD threw: told to fail'),
  });
  await workspace.write("kvdb.config.json", {});
  expect(await kvdb(workspace, ["strlen", "spread"])).toMatchObject({ code: 0, stdout: "1\n" });
  expect(await kvdb(workspace, ["exists", "user"])).toMatchObject({ code: 0, stdout: "1\n" });
});
