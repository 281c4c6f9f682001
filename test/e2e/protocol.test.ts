/** U14: what clients may send, and what happens to those that send something else. */
import { describe, expect, test } from "bun:test";
import { connect } from "node:net";
import { Random } from "../oracle/random.ts";
import { encodeCommand, ReplyError } from "./support/client.ts";
import { within } from "./support/poll.ts";
import { Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

const IS_LONG = process.env["KVDB_TEST_LONG"] === "1";
const SEED = Number(process.env["KVDB_TEST_SEED"] ?? Date.now() % 2 ** 32);
const FUZZ_INPUTS = IS_LONG ? 1_000_000 : 100_000;
const LARGE_BYTES = 10 * 1024 * 1024;

test("U14: inline commands, with quotes, and RESP mixed on one connection", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  const client = await server.connect();
  const inline =
    'SET plain value\r\nset "with space" \'single "quotes"\'\nSET esc "\\x00\\n\\""\r\n\r\n';
  expect(await client.send(inline, 3)).toEqual(["OK", "OK", "OK"]);
  expect(await client.send(Buffer.concat([encodeCommand(["GET", "plain"]), PING]), 2)).toEqual([
    "value",
    "PONG",
  ]);
  expect(await client.call("GET", "with space")).toBe('single "quotes"');
  expect(await client.call("GET", "esc")).toBe('\0\n"');
});

const PING = Buffer.from("PING\r\n");

test("U14: arguments with spaces, of any bytes, and empty ones", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  const client = await server.connect();
  client.binary = true;
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  for (const value of [bytes, Buffer.from(" a b "), Buffer.from("\r\n$3\r\n"), Buffer.alloc(0)]) {
    const key = Buffer.concat([Buffer.from("key "), value]);
    expect(await client.call("SET", key, value)).toBe("OK");
    expect(await client.call("GET", key)).toEqual(value);
    expect(await client.call("STRLEN", key)).toBe(value.length);
  }
  expect(await client.call("SET", "", "under the empty key")).toBe("OK");
  expect(await client.call("GET", "")).toEqual(Buffer.from("under the empty key"));
});

test("U14: arguments of 10 MB, of every byte, are there after a restart", async () => {
  await using workspace = await Workspace.create();
  const value = Buffer.alloc(LARGE_BYTES, Buffer.from(Array.from({ length: 251 }, (_, i) => i)));
  {
    await using server = await Server.start(workspace);
    const client = await server.connect();
    client.binary = true;
    expect(await client.call("SET", "large", value)).toBe("OK");
    expect(await client.call("APPEND", "large", "end")).toBe(LARGE_BYTES + 3);
    expect(await client.call("GET", "large")).toEqual(Buffer.concat([value, Buffer.from("end")]));
    const many = await client.pipeline(Array.from({ length: 5 }, () => ["ECHO", value]));
    expect(many.every((reply) => value.equals(reply as Buffer))).toBe(true);
    await server.kill();
  }
  await using server = await Server.start(workspace);
  const client = await server.connect();
  expect(await client.call("STRLEN", "large")).toBe(LARGE_BYTES + 3);
});

test("U14: a command that comes byte by byte, and two that come in one piece and a half", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  const client = await server.connect();
  const command = encodeCommand(["SET", "slow", "letters"]);
  const reply = client.send(command.subarray(0, 1), 1);
  for (const byte of command.subarray(1)) {
    await new Promise<void>((resolve) => {
      client.socket.write(Buffer.of(byte), () => resolve());
    });
  }
  expect(await reply).toEqual(["OK"]);
  const both = Buffer.concat([encodeCommand(["GET", "slow"]), encodeCommand(["STRLEN", "slow"])]);
  const replies = client.send(both.subarray(0, both.length - 5), 2);
  client.socket.write(both.subarray(both.length - 5));
  expect(await replies).toEqual(["letters", 7]);
});

test("U14: replies of many megabytes at once reach a client that reads them", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  const client = await server.connect();
  const value = "v".repeat(1000);
  await client.call("SET", "key", value);
  const replies = await client.pipeline(Array.from({ length: 20_000 }, () => ["GET", "key"]));
  expect(replies.every((reply) => reply === value)).toBe(true);
});

describe("malformed input", () => {
  // The words are Redis's: clients tell users by them what they did.
  test.each([
    ["an argument without its length", "*1\r\nPING\r\n", "expected '$', got 'P'"],
    ["too many arguments", "*2147483648\r\n", "invalid multibulk length"],
    ["a count that is no number", "*abc\r\n", "invalid multibulk length"],
    ["a negative length", "*1\r\n$-5\r\n", "invalid bulk length"],
    ["a length beyond the limit", "*1\r\n$4294967296\r\n", "invalid bulk length"],
    ["a length that is no number", "*1\r\n$x\r\n", "invalid bulk length"],
    ["an open quote", 'SET key "open\r\n', "unbalanced quotes in request"],
    ["a line without an end", "x".repeat(70_000), "too big inline request"],
  ])("U14: %s gives a protocol error and ends the connection", async (_, input, problem) => {
    await using workspace = await Workspace.create();
    await using server = await Server.start(workspace, { args: ["--appendonly", "no"] });
    const client = await server.connect();
    const other = await server.connect();
    // What came whole before it is answered first.
    const replies = await client.send(Buffer.concat([PING, Buffer.from(input)]), 2);
    expect(replies[0]).toBe("PONG");
    expect(replies[1]).toBeInstanceOf(ReplyError);
    expect((replies[1] as ReplyError).message).toBe(`ERR Protocol error: ${problem}`);
    await within("the connection ends", client.closed);
    expect(await other.call("PING")).toBe("PONG");
  });
});

test("U14: who sends no more is answered before the connection ends", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  const client = await server.connect();
  const replies = client.send("SET key value\r\nGET key\r\nPING\r\n", 3);
  client.socket.end();
  expect(await replies).toEqual(["OK", "value", "PONG"]);
  await within("the connection ends", client.closed);
});

test(
  `U14: ${FUZZ_INPUTS} mutated inputs do not end it, seed ${SEED}`,
  async () => {
    await using workspace = await Workspace.create();
    const args = ["--appendonly", "no", "--unixsocket", "fuzz.sock"];
    await using server = await Server.start(workspace, { args });
    const random = new Random(SEED);
    let left = FUZZ_INPUTS;
    const lane = async () => {
      while (left > 0) {
        left -= INPUTS_PER_CONNECTION;
        await feed(workspace, random);
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    const client = await server.connect();
    expect(await client.call("ECHO", "still here")).toBe("still here");
    expect(server.log).not.toContain("defect");
  },
  IS_LONG ? 900_000 : 60_000,
);

const LANES = 8;
/** Few: the first malformed one ends the connection. */
const INPUTS_PER_CONNECTION = 5;

const SEEDS = [
  ["SET", "key", "value", "PX", "1000"],
  ["GET", "key"],
  ["MSET", "a", "1", "b", "2"],
  ["INCRBY", "n", "5"],
  ["BITFIELD", "bits", "SET", "u8", "0", "255"],
  ["SCAN", "0", "MATCH", "k*", "COUNT", "10"],
  ["HELLO", "3"],
  ["CLIENT", "REPLY", "SKIP"],
  ["CONFIG", "GET", "*"],
  ["COMMAND", "DOCS", "get"],
  ["OBJECT", "ENCODING", "key"],
  ["VALUE.SET", "json", '{"a":[1,2]}'],
].map(encodeCommand);

/** Over the unix socket: so many TCP connections would use up the ports of the machine. */
async function feed(workspace: Workspace, random: Random): Promise<void> {
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  const inputs = Array.from({ length: INPUTS_PER_CONNECTION }, () => mutated(random));
  const socket = connect(workspace.path("fuzz.sock"));
  socket.on("error", () => resolve()); // ended by the server before we had sent all
  socket.on("close", () => resolve());
  socket.resume();
  socket.end(Buffer.concat(inputs));
  await within("the connection ends", ended);
}

/** Bytes changed, left out, doubled; headers with other numbers; now and then what is right. */
function mutated(random: Random): Buffer {
  const bytes = random.chance(0.1) ? Buffer.from('set "k\\x00" v\r\n') : random.pick(SEEDS);
  const at = random.below(bytes.length);
  switch (random.below(5)) {
    case 0:
      return Buffer.concat([
        bytes.subarray(0, at),
        Buffer.of(random.below(256)),
        bytes.subarray(at + 1),
      ]);
    case 1:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]);
    case 2:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(random.below(at + 1))]);
    case 3: {
      const number = String(random.pick([-1, 0, 3, 99, 2 ** 31]));
      return Buffer.from(bytes.toString("latin1").replace(/\d+/, number), "latin1");
    }
    default:
      return bytes;
  }
}
