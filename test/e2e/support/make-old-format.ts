/**
 * Writes data folders as the version at hand leaves them, for test/fixtures/formats: run it before
 * a format changes, with the executable that is to become an old one.
 *
 *   KVDB_TEST_EXECUTABLE=path/to/kvdb bun test/e2e/support/make-old-format.ts <name>
 *
 * Makes test/fixtures/formats/<name>-stopped and its like (VARIANTS), each with what this same
 * executable finds in the folder. Linux, where strace is permitted.
 */
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Argument, type Client, type Reply, ReplyError } from "./client.ts";
import { readContent } from "./content.ts";
import { flipped, groupOffsets } from "./log-file.ts";
import { until } from "./poll.ts";
import { infoNumber, Server, type ServerOptions } from "./server.ts";
import { Injection } from "./strace.ts";
import { Workspace } from "./workspace.ts";

const FIXTURES = join(import.meta.dir, "../../fixtures/formats");
/** The least that there may be: a few KiB fill several. */
const SEGMENT_BYTES = 4096;
const YEAR_2100_MS = 4_102_444_800_000;
/** Relative ones end in 2089 and later. */
const DECADES_S = 2_000_000_000;
const ALL_BYTES = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));

/** Leaves a folder `data`; `recover`: to be loaded with --recover alone. */
interface Variant {
  readonly fsync: "always" | "no";
  readonly recover?: boolean;
  make(workspace: Workspace): Promise<void>;
}

const VARIANTS: Record<string, Variant> = {
  stopped: { fsync: "always", make: makeStopped },
  killed: { fsync: "always", make: makeKilled },
  compacted: { fsync: "always", make: makeCompacted },
  packed: { fsync: "always", make: makePacked },
  tail: { fsync: "no", make: makeTail },
  damaged: { fsync: "always", recover: true, make: makeDamaged },
  repaired: { fsync: "always", make: makeRepaired },
  "given-up": { fsync: "always", make: makeGivenUp },
};

type Step = (client: Client) => Promise<void>;

async function session(
  workspace: Workspace,
  steps: readonly Step[],
  end: "stop" | "kill",
  options: ServerOptions = {},
): Promise<void> {
  await using server = await Server.start(workspace, options);
  const client = await server.connect();
  for (const step of steps) await step(client);
  await (end === "stop" ? server.stop() : server.kill());
}

// ---- what is written ----

/** Each command in a group of its own. One that the version does not know is left out. */
async function run(client: Client, commands: readonly (readonly Argument[])[]): Promise<void> {
  for (const command of commands) {
    const reply: Reply = await client.ask(...command);
    const isError = reply instanceof ReplyError;
    if (isError && !/unknown command/.test(reply.message)) throw reply;
  }
}

async function fill(client: Client): Promise<void> {
  await run(client, [
    ["SET", "name", "Ada"],
    ["SET", "empty", ""],
    ["SET", "unicode", "žluťoučký 🐎"],
    ["SET", ALL_BYTES, ALL_BYTES],
    ["SET", Buffer.from([0, 13, 10, 255]), "a binary key"],
    ["SET", "large", "longer than a segment|".repeat(200)],
    ["INCRBY", "count", 7],
    ["INCRBYFLOAT", "float", "0.1"],
    ["SETBIT", "bits", 77, 1],
    ["APPEND", "name", " Lovelace"],
    ["SETRANGE", "padded", 5, "five zeros before"],
    ["MSET", "one", 1, "two", 2, "three", 3],
    ["VALUE.SET", "user", '{"name":"Ada","tags":["a",1.0,null],"big":12345678901234567890}'],
    ["VALUE.SET", "number", "1.50"],
    ["VALUE.SET", "session", '{"of":"Ada"}', "PX", DECADES_S * 1000],
    ["SET", "session-text", "of Ada", "EX", DECADES_S],
    ["SET", "in-2100", "a deadline", "PXAT", YEAR_2100_MS],
    ["PEXPIREAT", "two", YEAR_2100_MS + 1],
    ["EXPIRE", "three", DECADES_S],
    ["SET", "kept-for-ever", "x", "EX", 100],
    ["PERSIST", "kept-for-ever"],
  ]);
}

async function fillDatabases(client: Client): Promise<void> {
  await run(client, [
    ["SELECT", 9],
    ["SET", "name", "in another database"],
    ["SET", "moved", "from 9 to 15", "PXAT", YEAR_2100_MS],
    ["MOVE", "moved", 15],
    ["SELECT", 5],
    ["MSET", "flushed", 1, "and", 2],
    ["FLUSHDB"],
    ["SELECT", 6],
    ["SET", "swapped", "was in 6, is in 7"],
    ["SWAPDB", 6, 7],
    ["SELECT", 0],
  ]);
}

async function goOn(client: Client): Promise<void> {
  const numbered = Array.from({ length: 40 }, (_, index) => ["SET", `key:${index}`, `@${index}`]);
  await run(client, [
    ...numbered,
    ...[3, 5, 7, 9].map((index) => ["DEL", `key:${index}`]),
    ...[11, 13].map((index) => ["UNLINK", `key:${index}`]),
    ["GETDEL", "key:15"],
    ["RENAME", "key:0", "renamed"],
    ["COPY", "key:1", "copied"],
    ["SET", "key:2", "overwritten"],
    ["SET", "number", "was a document"],
    ["SET", "expired", "soon", "PX", 1],
  ]);
  const isGone = async () => (await client.call("EXISTS", "expired")) === 0;
  await until("a key has expired", isGone);
  await run(client, [["SET", "last", "of this session"]]);
}

// ---- how it ends ----

function makeStopped(workspace: Workspace): Promise<void> {
  return session(workspace, [fill, fillDatabases, goOn], "stop");
}

/**
 * A stop in order in the middle of the log; after a kill, revisions that go on far above the last
 * one; zeros behind the end.
 */
async function makeKilled(workspace: Workspace): Promise<void> {
  await session(workspace, [fill], "stop");
  await session(workspace, [fillDatabases], "kill");
  await session(workspace, [goOn], "kill");
  const last = await lastSegment(workspace);
  if ((await readFile(last)).at(-1) !== 0) throw new Error(`${last} has no zeros ahead`);
}

/** Two checkpoints, and a log behind the second. */
async function makeCompacted(workspace: Workspace): Promise<void> {
  const compact: Step = (client) => run(client, [["COMPACT"]]);
  await session(workspace, [fill, compact, fillDatabases, compact, goOn], "kill");
}

/** One segment is long enough to be packed; that takes half a minute. */
async function makePacked(workspace: Workspace): Promise<void> {
  const fillLong: Step = (client) =>
    run(client, [["SET", "packed", "as long as a segment must be ".repeat(4000)]]);
  const awaitPacked: Step = async (client) => {
    const isPacked = async () => (await infoNumber(client, "wal_packed_segments")) === 1;
    await until("a segment is packed", isPacked, 60_000);
  };
  await session(workspace, [fill, fillLong, goOn, awaitPacked], "kill");
}

/** A sector that never reached the disk, in the part that nobody called durable. */
async function makeTail(workspace: Workspace): Promise<void> {
  await session(workspace, [fill, fillDatabases, goOn, fillSegment(workspace)], "kill");
  await damage(await lastSegment(workspace), -6, (bytes, start, end) =>
    Buffer.from(bytes).fill(0, start + 8, end),
  );
}

/** Until the last segment has groups enough to damage one of them. */
function fillSegment(workspace: Workspace): Step {
  return async (client) => {
    for (let index = 0; ; index++) {
      const offsets = groupOffsets(await readFile(await lastSegment(workspace)));
      if (offsets.length > 10) return;
      await client.call("SET", `tail:${index}`, index);
    }
  };
}

/** A bit turned over in a sealed segment and one in the last. */
async function makeDamaged(workspace: Workspace): Promise<void> {
  await session(workspace, [fill, fillDatabases, goOn, fillSegment(workspace)], "kill");
  const flip = (bytes: Buffer, start: number) => flipped(bytes, start + 60);
  const [first = ""] = await segments(workspace);
  await damage(first, 2, flip);
  await damage(await lastSegment(workspace), -4, flip);
}

async function makeRepaired(workspace: Workspace): Promise<void> {
  await makeDamaged(workspace);
  const more: Step = (client) => run(client, [["SET", "after", "the repair"]]);
  await session(workspace, [more], "kill", { flags: ["--recover"] });
}

/** The disk refuses a write: what waited goes into a new segment. */
async function makeGivenUp(workspace: Workspace): Promise<void> {
  await using server = await Server.start(workspace);
  const client = await server.connect();
  await fill(client);
  await fillDatabases(client);
  const injection = await Injection.attach(server.pid, {
    ...{ calls: ["pwrite64", "pwritev", "pwritev2"], inject: "error=EIO" },
  });
  const refused = client.ask("SET", "refused", "by the disk at first");
  await until("the disk has refused", () => server.log.includes("EIO"));
  await injection[Symbol.asyncDispose]();
  await refused;
  const other = await server.connect();
  await until("writes are taken", async () => (await other.ask("SET", "after", 1)) === "OK");
  await goOn(client);
  await server.kill();
}

async function segments(workspace: Workspace): Promise<string[]> {
  const names = (await readdir(workspace.path("data"))).filter((name) => name.endsWith(".log"));
  return names.sort().map((name) => workspace.path("data", name));
}

async function lastSegment(workspace: Workspace): Promise<string> {
  return (await segments(workspace)).at(-1) ?? "";
}

/** Changes the bytes of a group; of one counted from the end with a negative number. */
async function damage(
  path: string,
  group: number,
  change: (bytes: Buffer, start: number, end: number) => Buffer,
): Promise<void> {
  const bytes = await readFile(path);
  const offsets = groupOffsets(bytes);
  const index = group < 0 ? offsets.length + group : group;
  await writeFile(path, change(bytes, offsets[index] as number, offsets[index + 1] as number));
}

// ---- the fixture ----

async function makeFixture(name: string, { fsync, recover, make }: Variant): Promise<void> {
  await using workspace = await Workspace.create();
  const persistence = { use: "wal", fsync, segmentBytes: SEGMENT_BYTES };
  const config = `${JSON.stringify({ dir: "data", persistence }, null, 2)}\n`;
  await workspace.write("kvdb.config.json", config);
  await make(workspace);
  const target = join(FIXTURES, name);
  await rm(target, { recursive: true, force: true });
  await mkdir(target, { recursive: true });
  await writeFile(join(target, "kvdb.config.json"), config);
  const noSocket = (path: string) => !path.endsWith(".sock");
  await cp(workspace.path("data"), join(target, "data"), { recursive: true, filter: noSocket });
  await using server = await Server.start(workspace, recover ? { flags: ["--recover"] } : {});
  const content = await readContent(await server.connect());
  const expected = { ...(recover ? { recover } : {}), content };
  await writeFile(join(target, "expected.json"), `${JSON.stringify(expected, null, 2)}\n`);
}

const [version = ""] = process.argv.slice(2);
if (!/^[\w.-]+$/.test(version)) throw new Error("name the version: make-old-format.ts wal-0.1.0");
for (const [name, variant] of Object.entries(VARIANTS)) {
  await makeFixture(`${version}-${name}`, variant);
}
