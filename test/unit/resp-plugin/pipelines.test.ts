/**
 * Order and completeness of replies: random pipelines of several clients against a model, over sockets that take what
 * they like and a disk that syncs when it likes; and one pipeline cut at each byte.
 */
import { afterEach, describe, expect, test } from "bun:test";
import { type Random, seededRandom } from "../../../src/platform/random.ts";
import type { Durability } from "../../../src/plugin.ts";
import { seeds } from "../../suites/seeds.ts";
import { arrayOf } from "../resp/protocol-cases.ts";
import { ClientModel } from "./client-model.ts";
import type { FakeSocket } from "./fake-socket.ts";
import { FrontendHarness } from "./frontend-harness.ts";

const CLIENTS = 3;
const REQUESTS = 250;
/** An engine's arena lies where the collector does not see its size: it would wait until many hundreds are there. */
afterEach(() => Bun.gc(true));

/** Rounds without anything moving after which nothing will. */
const IDLE_ROUNDS = 5;

/** One client: its whole pipeline, how much of it was sent, what came back. */
class Talk {
  readonly socket: FakeSocket;
  readonly expected: string;
  readonly #input: Buffer;
  #sent = 0;
  received = "";

  constructor(socket: FakeSocket, random: Random, prefix: string) {
    const model = new ClientModel(random, prefix);
    let input = "";
    for (let count = 0; count < REQUESTS; count++) input += model.next();
    this.#input = Buffer.from(input + model.last(), "latin1");
    this.expected = model.expected;
    this.socket = socket;
  }

  get left(): number {
    return this.#input.length - this.#sent;
  }

  send(size: number): void {
    if (this.socket.paused || this.left === 0) return;
    const chunk = this.#input.subarray(this.#sent, this.#sent + size);
    this.#sent += chunk.length;
    this.socket.deliver(chunk);
  }

  receive(): void {
    this.received += this.socket.read();
  }
}

/** One thing that may happen to a server, by chance. */
async function happen(harness: FrontendHarness, talks: readonly Talk[], random: Random) {
  const talk = talks[random.below(talks.length)] as Talk;
  switch (random.below(9)) {
    case 0:
    case 1:
    case 2:
      talk.send(random.below([4, 60, 600, 70_000, 2_000_000][random.below(5)] as number));
      return;
    case 3:
    case 4:
      harness.endTurn();
      return;
    case 5:
      await harness.sync();
      return;
    case 6: {
      const most = [0, 1, 7, 1000, 500_000][random.below(5)] as number;
      talk.socket.takes = (offered) => Math.min(offered, random.below(most + 1));
      return;
    }
    case 7:
      talk.socket.takes = (offered) => offered;
      return;
    default:
      talk.socket.drain();
  }
}

/** From here on everybody behaves: what has not come in the end never comes. */
async function settle(harness: FrontendHarness, talks: readonly Talk[]): Promise<void> {
  for (let idle = 0; idle < IDLE_ROUNDS; idle++) {
    for (const talk of talks) {
      talk.socket.takes = (offered) => offered;
      const left = talk.left;
      talk.send(100_000);
      talk.socket.drain();
      const { length } = talk.received;
      talk.receive();
      if (talk.left < left || talk.received.length > length) idle = 0;
    }
    harness.endTurn();
    await harness.sync();
  }
  for (const talk of talks) talk.receive();
}

describe.each(["none", "always", "no"] as const)("durability %s", (durability: Durability) => {
  test.each(seeds(4))("random pipelines, seed %d", async (seed) => {
    const random = seededRandom(seed);
    const harness = await FrontendHarness.open({ durability });
    harness.db.persistence.holdsSyncs = true;
    const talks = Array.from(
      { length: CLIENTS },
      (_, index) => new Talk(harness.connect(), random, `client${index}`),
    );
    for (let steps = 0; steps < 1500; steps++) {
      await happen(harness, talks, random);
      for (const talk of talks) {
        talk.receive();
        if (!talk.expected.startsWith(talk.received)) expectSame(talk);
      }
    }
    await settle(harness, talks);
    for (const talk of talks) expectSame(talk);
    expect(harness.bufferedBytes()).toBe(0);
  });
});

/** Megabytes: what differs is shown around the first difference only. */
function expectSame({ received, expected }: Talk): void {
  let at = 0;
  while (at < expected.length && received[at] === expected[at]) at++;
  const around = (text: string) => ({
    length: text.length,
    at,
    there: text.slice(at - 40, at + 80),
  });
  expect(around(received)).toEqual(around(expected));
}

describe("one pipeline, cut anywhere", () => {
  const pipeline = [
    "PING\r\n",
    arrayOf("SET", "k", "a\r\nb\0"),
    "\r\n*0\r\n",
    'SET quoted "x y\\n"\n',
    arrayOf("APPEND", "k", "z".repeat(120)),
    arrayOf("MGET", "k", "quoted", "none"),
    "CLIENT REPLY SKIP\r\nPING\r\n",
    arrayOf("CLIENT", "REPLY", "OFF"),
    arrayOf("INCR", "n"),
    "CLIENT REPLY ON\r\n",
    arrayOf("INCR", "n"),
    "GET\r\n",
    arrayOf("ECHO", ""),
    "HELLO 3\r\nGET none\r\n",
    "*2\r\n$4\r\nECHO\r\n:1\r\nPING\r\n",
  ].join("");
  const bytes = Buffer.from(pipeline, "latin1");

  function run(harness: FrontendHarness, sizes: readonly number[], turnBetween: boolean): string {
    harness.db.run("FLUSHALL");
    const socket = harness.connect();
    let at = 0;
    for (const size of [...sizes, bytes.length]) {
      socket.deliver(bytes.subarray(at, at + size));
      at += size;
      if (turnBetween) harness.endTurn();
    }
    harness.endTurn();
    expect(socket.closed).toBe("end");
    // HELLO tells the number of the connection.
    return socket.read().replace(/(?<=\$2\r\nid\r\n):\d+/, ":1");
  }

  test.each([false, true])("in two, with a turn between: %p", async (turnBetween) => {
    const harness = await FrontendHarness.open();
    const whole = run(harness, [], turnBetween);
    expect(whole.startsWith("+PONG\r\n+OK\r\n+OK\r\n:125\r\n*3\r\n$125\r\na\r\nb\0zzz")).toBe(true);
    expect(whole).toContain(
      "+OK\r\n:2\r\n-ERR wrong number of arguments for 'get' command\r\n$0\r\n\r\n%7\r\n",
    );
    expect(whole.endsWith("_\r\n-ERR Protocol error: expected '$', got ':'\r\n")).toBe(true);
    for (let cut = 0; cut <= bytes.length; cut++) {
      expect(run(harness, [cut], turnBetween)).toBe(whole);
    }
  });

  test("byte by byte", async () => {
    const harness = await FrontendHarness.open();
    const ones = new Array<number>(bytes.length).fill(1);
    expect(run(harness, ones, false)).toBe(run(harness, [], false));
    expect(run(harness, ones, true)).toBe(run(harness, [], false));
  });
});
