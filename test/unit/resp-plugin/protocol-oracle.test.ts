/**
 * The same bytes to kvdb and to redis-server over a raw socket: each case of the table, and random damage to good input.
 * What comes back must be the same byte for byte: the replies before an error, its line, and that the connection is
 * closed then.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Random, seededRandom } from "../../../src/platform/random.ts";
import { findRedisServer, type RunningServer, startRedisServer } from "../../oracle/servers.ts";
import { seeds } from "../../suites/seeds.ts";
import { arrayOf, type ProtocolCase, protocolCases } from "../resp/protocol-cases.ts";
import { FrontendHarness } from "./frontend-harness.ts";
import { type Conversation, converse } from "./raw-client.ts";

const redisExecutable = findRedisServer();
const PASSWORD = "secret";
/** Redis leaves what follows unread, and the reset that this causes may swallow its error. */
const MOST_READ_BYTES = 70_000;
const DAMAGED_INPUTS = 1000;
/** Conversations with Redis at a time. */
const AT_ONCE = 50;

const bytes = (text: string): Buffer => Buffer.from(text, "latin1");

let redis: RunningServer;
let redisWithPassword: RunningServer;
let kvdb: FrontendHarness;
let kvdbWithPassword: FrontendHarness;

beforeAll(async () => {
  if (redisExecutable === null) return;
  kvdb = await FrontendHarness.open();
  kvdbWithPassword = await FrontendHarness.open({ password: PASSWORD });
  redis = await startRedisServer(redisExecutable);
  redisWithPassword = await startRedisServer(redisExecutable);
  await converse(
    redisWithPassword.port,
    bytes(arrayOf("CONFIG", "SET", "requirepass", PASSWORD)),
    true,
  );
});

afterAll(async () => {
  await redis?.[Symbol.asyncDispose]();
  await redisWithPassword?.[Symbol.asyncDispose]();
});

/** What kvdb says to the input, and whether it closes the connection. */
function askKvdb(input: string, restricted: boolean): Conversation {
  const harness = restricted ? kvdbWithPassword : kvdb;
  const socket = harness.connect();
  const output = harness.exchange(socket, input);
  const closed = socket.closed === "end";
  socket.break();
  return { output, closed };
}

const cases = protocolCases.filter(
  ({ input, error }) => error === undefined || input.length < MOST_READ_BYTES,
);

async function compareCase({ input, error, restricted }: ProtocolCase): Promise<void> {
  const ours = askKvdb(input, restricted === true);
  // A server that is content waits for more: it is told that none comes. One that is not closes by itself.
  const isContent = error === undefined;
  expect(ours.closed).toBe(!isContent);
  const { port } = restricted === true ? redisWithPassword : redis;
  const theirs = await converse(port, bytes(input), isContent);
  expect(theirs.closed).toBe(true);
  expect(ours.output).toBe(theirs.output);
  if (!isContent) expect(ours.output).toMatch(/-ERR Protocol error: [^\r\n]*\r\n$/);
}

describe.skipIf(redisExecutable === null)("as redis-server answers (needs redis-server)", () => {
  test.each(
    cases
      .filter((entry) => entry.unlikeRedis === undefined)
      .map((entry) => [entry.name, entry] as const),
  )("%s", (_name, entry) => compareCase(entry));

  test.each(
    cases
      .filter((entry) => entry.unlikeRedis !== undefined)
      .map((entry) => [entry.name, entry.unlikeRedis, entry] as const),
  )("but not: %s (%s)", async (_name, _reason, entry) => {
    const theirs = await converse(redis.port, bytes(entry.input), true);
    expect(theirs.output).toBe("");
  });

  test.each(seeds(2))(`damaged pipelines, seed %d`, async (seed) => {
    const random = seededRandom(seed);
    const inputs = Array.from({ length: DAMAGED_INPUTS }, () => damagedInput(random));
    const theirs: string[] = [];
    for (let at = 0; at < inputs.length; at += AT_ONCE) {
      const batch = inputs.slice(at, at + AT_ONCE);
      const talks = batch.map((input) => converse(redis.port, bytes(input), true));
      for (const { output } of await Promise.all(talks)) theirs.push(output);
    }
    for (let index = 0; index < inputs.length; index++) {
      const input = inputs[index] as string;
      const { output } = askKvdb(input, false);
      expect({ input, output }).toEqual({ input, output: theirs[index] as string });
    }
  });
});

/** Bytes that mean something to the protocol; no NUL, for which see `unlikeRedis`. */
const PIECES = [
  "\r\n",
  "\r",
  "\n",
  "*",
  "$",
  "0",
  "1",
  "9",
  "-",
  "+",
  " ",
  "\t",
  '"',
  "'",
  "\\",
  "x",
  "\xff",
  "\x0b",
];

/** Some good commands with some bytes of them lost, doubled, changed or put in. */
function damagedInput(random: Random): string {
  const pick = (from: readonly string[]): string => from[random.below(from.length)] as string;
  const good = [
    "PING\r\n",
    arrayOf("PING"),
    "ECHO abc\n",
    `ECHO "a\\x41b c"\r\n`,
    "ECHO 'd e'\r\n",
    "*0\r\n",
  ];
  let text = "";
  for (let count = 1 + random.below(4); count > 0; count--) {
    text += random.below(2) === 0 ? pick(good) : arrayOf("ECHO", "z".repeat(random.below(120)));
  }
  for (let damages = 1 + random.below(4); damages > 0; damages--) {
    const at = random.below(text.length);
    const lost = random.below(3) === 0 ? 1 + random.below(4) : random.below(2);
    const put = random.below(3) === 0 ? "" : pick(PIECES);
    text = text.slice(0, at) + put + text.slice(at + lost);
  }
  return text;
}
