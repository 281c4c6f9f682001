/**
 * Connections while the disk refuses: each reply that waits for it becomes one error, all others leave as they are, in order,
 * whatever buffers they lie in; and what is asked meanwhile.
 */
import { describe, expect, test } from "bun:test";
import { seededRandom } from "../../../src/platform/random.ts";
import type { LaterReply } from "../../../src/session/later-reply.ts";
import type { HarnessOptions } from "../../suites/engine-harness.ts";
import { seeds } from "../../suites/seeds.ts";
import { arrayOf } from "../resp/protocol-cases.ts";
import { FrontendHarness } from "./frontend-harness.ts";

const APPLIED = "-MISCONF applied in memory, not durable: the disk refuses writes\r\n";
const HIDDEN = "-MISCONF not shown, for it is not durable: the disk refuses writes\r\n";
const REFUSED = /^-MISCONF kvdb is configured to make writes durable, [^\r]*\r\n$/;
const MIB = 1024 * 1024;

const bytes = (text: string): Buffer => Buffer.from(text, "latin1");
const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`;

/** A frontend in mode always whose disk answers when the test says so; `old` is durable. */
async function open(options: HarnessOptions = {}): Promise<FrontendHarness> {
  const harness = await FrontendHarness.open({ durability: "always", ...options });
  const { db } = harness;
  db.persistence.holdsSyncs = true;
  db.advance(1); // away from the moment 0
  db.run("SET", "old", "1");
  await harness.sync();
  db.advance(500); // everysec: the sync is due
  await harness.sync();
  return harness;
}

/** The sync that runs fails. */
async function refuse(harness: FrontendHarness): Promise<void> {
  harness.db.persistence.refuse(new Error("no space left"));
  await harness.sync(); // nothing else waits: only lets the failure take its way
}

/** The disk is asked again, and works. */
async function recover(harness: FrontendHarness): Promise<void> {
  harness.db.advance(1000);
  await harness.sync();
}

describe("replies that wait when the disk refuses", () => {
  test("each becomes one error; those that only waited for their turn leave as they are", async () => {
    const harness = await open();
    const [socket, reader] = [harness.connect(), harness.connect()];
    const input =
      "ECHO a\r\nSET k 1\r\nINCR n\r\nECHO b\r\nGET old\r\nGET k\r\nMGET n k\r\nDEL none\r\n";
    expect(harness.exchange(socket, input)).toBe("");
    expect(harness.exchange(socket, "ECHO c\r\nSET k 2\r\n")).toBe("");
    expect(harness.exchange(reader, "GET old\r\n")).toBe(bulk("1"));
    expect(harness.exchange(reader, "GET k\r\nECHO d\r\n")).toBe("");
    await refuse(harness);
    expect(socket.read()).toBe(
      `${bulk("a")}${APPLIED.repeat(2)}${bulk("b")}${bulk("1")}${HIDDEN.repeat(2)}:0\r\n` +
        `${bulk("c")}${APPLIED}`,
    );
    expect(reader.read()).toBe(`${HIDDEN}${bulk("d")}`);
    expect(harness.bufferedBytes()).toBe(0);
  });

  test("what was durable when it refused is told as it is", async () => {
    const harness = await open();
    const socket = harness.connect();
    harness.exchange(socket, "SET a 1\r\n");
    harness.exchange(socket, "SET b 1\r\n");
    await harness.sync(); // a is durable, the sync of b begins
    expect(socket.read()).toBe("+OK\r\n");
    await refuse(harness);
    expect(socket.read()).toBe(APPLIED);
  });

  test("what was not handed to the disk yet is refused with the rest, in the order of the turn", async () => {
    const harness = await open();
    const [socket, other] = [harness.connect(), harness.connect()];
    harness.exchange(other, "SET k 1\r\n"); // its sync runs
    socket.deliver(bytes("PING\r\n"));
    socket.deliver(bytes("SET k 2\r\nPING\r\n"));
    await refuse(harness); // within the turn
    expect(socket.read()).toBe("");
    harness.endTurn();
    expect(socket.read()).toBe(`+PONG\r\n${APPLIED}+PONG\r\n`);
  });

  test("a reply that goes on in further buffers is one error, and those beside it stay whole", async () => {
    const harness = await open();
    const socket = harness.connect();
    const large = "x".repeat(3 * MIB);
    harness.exchange(socket, `ECHO a\r\n${arrayOf("SET", "k", large)}`);
    await harness.sync();
    socket.read();
    // An array whose items lie in several buffers, and an echo that does.
    harness.exchange(socket, "SET n 1\r\n");
    socket.deliver(bytes(`${arrayOf("MGET", "old", "k", "n", "k", "old")}ECHO b\r\n`));
    harness.endTurn();
    await refuse(harness);
    expect(socket.read()).toBe(APPLIED + HIDDEN);
    harness.endTurn(); // the echo had to wait: too much was to leave before it
    expect(socket.read()).toBe(bulk("b"));
  });

  test("a stalled disk is no failure: its replies go on waiting", async () => {
    const harness = await open();
    const socket = harness.connect();
    harness.exchange(socket, "SET k 1\r\n");
    harness.db.advance(60_000);
    expect(socket.read()).toBe("");
    await harness.sync();
    expect(socket.read()).toBe("+OK\r\n");
  });

  test("a closing connection gets its errors, then ends", async () => {
    const harness = await open();
    const socket = harness.connect();
    harness.exchange(socket, "SET k 1\r\nQUIT\r\n");
    await refuse(harness);
    expect([socket.read(), socket.closed]).toEqual([`${APPLIED}+OK\r\n`, "end"]);
  });

  test("a client that was not read from, since too much waited, goes on", async () => {
    const harness = await open();
    const socket = harness.connect();
    const request = arrayOf("GETSET", "k", "x".repeat(300_000));
    socket.deliver(bytes(request.repeat(10)));
    harness.endTurn();
    expect(socket.paused).toBe(true);
    await refuse(harness);
    let text = socket.read();
    for (let more = text; more !== ""; text += more) {
      harness.endTurn();
      more = socket.read();
    }
    // Those that had run, and then those that the gate refused.
    const lines = text.split("\r\n").slice(0, -1);
    expect(lines).toHaveLength(10);
    expect(lines.filter((line) => `${line}\r\n` === APPLIED).length).toBeGreaterThan(2);
    expect(REFUSED.test(`${lines.at(-1)}\r\n`)).toBe(true);
    expect([socket.paused, harness.bufferedBytes()]).toEqual([false, 0]);
  });

  test("a client that is gone is no trouble", async () => {
    const harness = await open();
    const [dead, gone, other] = [harness.connect(), harness.connect(), harness.connect()];
    for (const socket of [dead, gone, other]) harness.exchange(socket, "SET k 1\r\nPING\r\n");
    dead.isDead = true;
    gone.break();
    await refuse(harness);
    expect(other.read()).toBe(`${APPLIED}+PONG\r\n`);
    expect(harness.server.clientCount).toBe(1);
  });
});

describe("while it refuses", () => {
  async function refusing() {
    const harness = await open();
    const socket = harness.connect();
    harness.exchange(socket, "SET k 1\r\n");
    await refuse(harness);
    expect(socket.read()).toBe(APPLIED);
    return { harness, socket };
  }

  test("what is not durable is an error at once, all else is read, writes are refused", async () => {
    const { harness, socket } = await refusing();
    expect(harness.exchange(socket, "GET k\r\nGET old\r\nGET none\r\nPING\r\n")).toBe(
      `${HIDDEN}${bulk("1")}$-1\r\n+PONG\r\n`,
    );
    expect(REFUSED.test(harness.exchange(socket, "SET k 2\r\n"))).toBe(true);
    expect(harness.exchange(socket, "INFO persistence\r\n")).toContain(
      "aof_last_write_status:err\r\n",
    );
    await recover(harness);
    expect(harness.exchange(socket, "GET k\r\n")).toBe(bulk("1"));
    expect(harness.exchange(socket, "INFO persistence\r\n")).toContain(
      "aof_last_write_status:ok\r\n",
    );
  });

  test("INFO tells why and since when, until it works again", async () => {
    const { harness, socket } = await refusing();
    const since = Math.floor(harness.db.now() / 1000);
    harness.db.clock.advance(500);
    const info = () => harness.exchange(socket, "INFO persistence\r\n");
    expect(info()).toContain(`persistence_last_error:no space left\r\n`);
    expect(info()).toContain(`persistence_failing_since:${since}\r\n`);
    await recover(harness);
    expect(info()).not.toContain("persistence_last_error");
  });

  test("attempts that fail again change nothing", async () => {
    const { harness, socket } = await refusing();
    for (let attempt = 0; attempt < 3; attempt++) {
      harness.db.advance(1000);
      await refuse(harness);
      expect(harness.exchange(socket, "GET k\r\nPING\r\n")).toBe(`${HIDDEN}+PONG\r\n`);
    }
    await recover(harness);
    expect(harness.exchange(socket, "GET k\r\nPING\r\n")).toBe(`${bulk("1")}+PONG\r\n`);
  });

  test("silence stays silence", async () => {
    const harness = await open();
    const socket = harness.connect();
    const input =
      "CLIENT REPLY SKIP\r\nSET k 1\r\nSET k 2\r\nCLIENT REPLY OFF\r\nSET k 3\r\nGET k\r\n";
    harness.exchange(socket, `${input}CLIENT REPLY ON\r\nECHO a\r\n`);
    await refuse(harness);
    expect(socket.read()).toBe(`${APPLIED}+OK\r\n${bulk("a")}`);
    expect(harness.exchange(socket, "CLIENT REPLY SKIP\r\nGET k\r\nGET k\r\n")).toBe(HIDDEN);
  });

  test("a reply that comes later is like any other", async () => {
    const { harness, socket } = await refusing();
    const waiting: LaterReply[] = [];
    harness.db.addCoreCommand("SLOW", (session) => waiting.push(session.answerLater()));
    harness.exchange(socket, "SLOW\r\nPING\r\n");
    const { database } = harness.db.session;
    const find = (key: string) => database.find(Buffer.from(key), 0, key.length) !== 0;
    waiting.shift()?.settle((reply) => reply.boolean(find("k")));
    harness.endTurn();
    expect(socket.read()).toBe(`${HIDDEN}+PONG\r\n`);
    harness.exchange(socket, "SLOW\r\n");
    waiting.shift()?.settle((reply) => reply.boolean(find("old")));
    harness.endTurn();
    expect(socket.read()).toBe(":1\r\n");
  });
});

describe("everysec", () => {
  test("only replies that wait, since the sync is over a second late, become errors", async () => {
    const harness = await open({ durability: "everysec" });
    const socket = harness.connect();
    expect(harness.exchange(socket, "SET k 1\r\n")).toBe("+OK\r\n");
    harness.db.advance(500); // a sync begins, and takes its time
    harness.db.advance(1000);
    expect(harness.exchange(socket, "SET k 2\r\nGET old\r\n")).toBe("");
    await refuse(harness);
    expect(socket.read()).toBe(`${APPLIED}${bulk("1")}`);
    // This mode does not promise that nothing is seen which may vanish: readers never wait in it.
    expect(harness.exchange(socket, "GET k\r\n")).toBe(bulk("2"));
    expect(REFUSED.test(harness.exchange(socket, "SET k 3\r\n"))).toBe(true);
    await recover(harness);
    expect(harness.exchange(socket, "SET k 3\r\nGET k\r\n")).toBe(`+OK\r\n${bulk("3")}`);
  });

  test("what was promised sooner is shown", async () => {
    const harness = await open({ durability: "everysec" });
    const socket = harness.connect();
    expect(harness.exchange(socket, "SET k 1\r\n")).toBe("+OK\r\n");
    await refuse(harness);
    expect(harness.exchange(socket, "GET k\r\n")).toBe(bulk("1"));
    expect(REFUSED.test(harness.exchange(socket, "SET k 2\r\n"))).toBe(true);
  });
});

/** Commands of one client, cut anywhere; its own keys, so that what each waits for is known. */
describe("random pipelines", () => {
  test.each(seeds(20))("seed %i: each command has one reply, the right one", async (seed) => {
    const random = seededRandom(seed);
    const harness = await open();
    const socket = harness.connect();
    const kinds = ["SET k v", "GET k", "GET old", "ECHO a", `ECHO ${"x".repeat(50)}`, "MGET old k"];
    let input = "";
    const commands: string[] = [];
    let isWritten = false;
    for (let count = 0; count < 100; count++) {
      const command = kinds[random.below(kinds.length)] as string;
      commands.push(command);
      input += `${command}\r\n`;
    }
    for (let at = 0; at < input.length; ) {
      const size = 1 + random.below(400);
      socket.deliver(bytes(input.slice(at, at + size)));
      at += size;
      if (random.below(3) === 0) harness.endTurn();
    }
    harness.endTurn();
    await refuse(harness);
    harness.endTurn();
    const expected = commands.map((command) => {
      const [name, ...words] = command.split(" ");
      if (name === "ECHO") return bulk(words.join(" "));
      if (command === "GET old") return bulk("1");
      if (name === "SET") isWritten = true;
      if (name === "SET") return APPLIED;
      if (isWritten) return HIDDEN;
      return name === "GET" ? "$-1\r\n" : `*2\r\n${bulk("1")}$-1\r\n`;
    });
    expect(socket.read()).toBe(expected.join(""));
  });
});
