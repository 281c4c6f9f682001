// One connection to a primary, with every answer that it may give, whole and byte by byte.
import { describe, expect, test } from "bun:test";
import type { Introduction } from "../../../src/replication/handshake.ts";
import { PrimaryLink } from "../../../src/replication/primary-link.ts";
import { FakeClock } from "../../suites/fake-clock.ts";
import { ScriptedPrimary, settled } from "./scripted-primary.ts";

const ID = "a".repeat(40);
const OTHER_ID = "b".repeat(40);
const MARK = "m".repeat(40);

function follow(introduction: Partial<Introduction> = {}, refusal?: Error) {
  const primary = new ScriptedPrimary();
  primary.refusal = refusal;
  const clock = new FakeClock();
  const told: string[] = [];
  const copy: Buffer[] = [];
  const stream: Buffer[] = [];
  const loading = Promise.withResolvers<void>();
  const state = { isFull: false, takesStream: true, hasRoom: true };
  const link = new PrimaryLink({
    address: { host: "primary", port: 6379 },
    tls: undefined,
    introduction: { listeningPort: 6380, announcedIp: "", from: null, ...introduction },
    connect: primary.connect,
    clock,
    timeoutMs: () => 60_000,
    events: {
      async beginCopy(id, offset) {
        told.push(`copy of ${id} at ${offset}`);
        return {
          append: (bytes) => copy.push(bytes),
          get isFull() {
            return state.isFull;
          },
        };
      },
      async copyLength(bytes) {
        told.push(`${bytes} bytes`);
        if (!state.hasRoom) throw new Error("no room");
      },
      takeCopy() {
        told.push("whole");
        return loading.promise;
      },
      async goOn(id) {
        told.push(`goes on as ${id}`);
      },
      stream(chunk) {
        stream.push(chunk);
        return state.takesStream;
      },
      connected: () => told.push("connected"),
      ended: (reason, isLater) => told.push(`${isLater ? "later" : "ended"}: ${reason}`),
      note: (what) => told.push(`note: ${what}`),
    },
  });
  link.open();
  const streamed = () => Buffer.concat(stream).toString("latin1");
  const copied = () => Buffer.concat(copy).toString("latin1");
  return { primary, clock, told, link, state, loaded: loading.resolve, streamed, copied };
}

const FULL = `+FULLRESYNC ${ID} 1000\r\n`;
const OKS = "+PONG\r\n+OK\r\n+OK\r\n";

describe("the handshake", () => {
  test("says what Redis says", async () => {
    const { primary } = follow({
      ...{ user: "replica", password: "secret", announcedIp: "192.0.2.7" },
      from: { id: ID, offset: 1001 },
    });
    await settled();
    expect(primary.take()).toEqual(["PING"]);
    primary.say("+PONG\r\n");
    expect(primary.take()).toEqual([
      "AUTH replica secret",
      "REPLCONF listening-port 6380",
      "REPLCONF ip-address 192.0.2.7",
      "REPLCONF capa eof capa psync2",
    ]);
    primary.say("+OK\r\n+OK\r\n-ERR what?\r\n");
    expect(primary.take()).toEqual([]);
    primary.say("+OK\r\n");
    expect(primary.take()).toEqual([`PSYNC ${ID} 1001`]);
  });

  test("asks for everything, and to take over", async () => {
    const { primary } = follow({ listeningPort: 0, isFailover: true });
    await settled();
    primary.say("-NOPERM this user has no permissions\r\n");
    expect(primary.take().slice(1)).toEqual(["REPLCONF capa eof capa psync2"]);
    primary.say("+OK\r\n");
    expect(primary.take()).toEqual(["PSYNC ? -1 FAILOVER"]);
  });

  test("gives the password that PING was refused for, or ends without a word more", async () => {
    const refused = "-NOAUTH Authentication required.\r\n";
    const knowing = follow({ password: "secret" });
    await settled();
    knowing.primary.say(refused);
    expect(knowing.primary.take()[1]).toBe("AUTH secret");
    const ignorant = follow();
    await settled();
    ignorant.primary.say(refused);
    expect(ignorant.primary.take()).toEqual(["PING"]);
    expect(ignorant.told).toHaveLength(1);
    expect(ignorant.told[0]).toStartWith("ended: ");
  });

  test("goes on without a REPLCONF that is not understood", async () => {
    const { primary, told } = follow();
    await settled();
    primary.say("+PONG\r\n-ERR what?\r\n+OK\r\n");
    expect(told).toHaveLength(1);
    expect(told[0]).toStartWith("note: ");
    primary.say("\n\n\r\n");
    expect(told).toHaveLength(1);
  });

  const ENDS: readonly (readonly [string, string, Partial<Introduction>?])[] = [
    ["-ERR max number of clients reached\r\n", "ended"],
    ["hello\r\n", "ended"],
    ["+PONG\r\n-WRONGPASS no\r\n", "ended", { password: "wrong" }],
    [`${OKS}-LOADING Redis is loading\r\n`, "later"],
    [`${OKS}-NOMASTERLINK Can't SYNC\r\n`, "later"],
    [`${OKS}-ERR unknown command 'PSYNC'\r\n`, "ended"],
    [`${OKS}-NOPERM no\r\n`, "ended"],
    [`${OKS}+FULLRESYNC short 1\r\n`, "ended"],
    [`${OKS}+FULLRESYNC ${ID} -5\r\n`, "ended"],
    [`${OKS}+FULLRESYNC ${ID} 99999999999999999999\r\n`, "ended"],
    [`${OKS}+CONTINUE\r\n`, "ended"],
    [`${OKS}+CONTINUE nonsense\r\n`, "ended", { from: { id: ID, offset: 1 } }],
    [`+PONG${"x".repeat(70_000)}`, "ended"],
    [`${OKS}${FULL}-ERR the disk is full\r\n`, "ended"],
    [`${OKS}${FULL}$nonsense\r\n`, "ended"],
  ];

  test.each(ENDS)("%p ends it", async (text, how, introduction = {}) => {
    for (const pieceBytes of text.length > 1000 ? [4096] : [1, 7, 10_000]) {
      const { primary, told } = follow(introduction);
      await settled();
      primary.say(text, pieceBytes);
      await settled();
      expect(primary.isClosed).toBe(true);
      const ends = told.filter((line) => line.startsWith(how));
      expect(ends).toHaveLength(1);
      expect(told.at(-1)).toBe(ends[0] as string);
    }
  });
});

describe("the copy and the stream", () => {
  const COPIES = [`$5\r\nhello`, `$EOF:${MARK}\r\nhello${MARK}`];

  test.each(COPIES)("%p, then the stream", async (text) => {
    for (const pieceBytes of [1, 3, 10_000]) {
      const { primary, told, loaded, link, streamed, copied } = follow();
      await settled();
      primary.say(`${OKS}${FULL}\n\n${text}the stream`, pieceBytes);
      for (let i = 0; i < 10; i++) await settled();
      expect(copied()).toBe("hello");
      expect(link.state).toBe("sync");
      expect(streamed()).toBe("");
      expect(told.at(-1)).toBe("whole");
      loaded();
      await settled();
      expect(told.at(-1)).toBe("connected");
      expect(link.state).toBe("connected");
      expect(streamed()).toBe("the stream");
      primary.say(" goes on");
      expect(streamed()).toBe("the stream goes on");
    }
  });

  test.each([ID, OTHER_ID])("goes on as %p", async (id) => {
    const named = id === ID ? "" : ` ${id}`;
    for (const pieceBytes of [1, 10_000]) {
      const { primary, told, streamed } = follow({ from: { id: ID, offset: 7 } });
      await settled();
      primary.say(`${OKS}+CONTINUE${named}\r\nthe stream`, pieceBytes);
      for (let i = 0; i < 10; i++) await settled();
      expect(told).toEqual([`goes on as ${id}`, "connected"]);
      expect(streamed()).toBe("the stream");
    }
  });

  test("wait for a slow disk and for slow work", async () => {
    const { primary, link, state, streamed, loaded, copied } = follow();
    state.isFull = true;
    await settled();
    primary.say(`${OKS}${FULL}$10\r\n`);
    await settled();
    primary.say("12345");
    expect(primary.isPaused).toBe(true);
    expect(copied()).toBe("");
    state.isFull = false;
    link.resume();
    primary.say("67890", 1);
    await settled();
    expect(copied()).toBe("1234567890");
    state.takesStream = false;
    loaded();
    await settled();
    primary.say("abc");
    primary.say("def");
    expect(primary.isPaused).toBe(true);
    expect(streamed()).toBe("abc");
    state.takesStream = true;
    link.resume();
    expect(streamed()).toBe("abcdef");
  });

  test("no room ends it before anything is taken", async () => {
    const { primary, told, state, copied } = follow();
    state.hasRoom = false;
    await settled();
    primary.say(`${OKS}${FULL}$10\r\n1234567890`);
    await settled();
    expect(copied()).toBe("");
    expect(told.at(-1)).toContain("no room");
    expect(primary.isClosed).toBe(true);
  });
});

describe("time", () => {
  test.each([
    ["", "PING"],
    ["+PONG\r\n", "REPLCONF listening-port"],
    [OKS, "PSYNC"],
    [`${OKS}${FULL}`, "the copy"],
    [`${OKS}+CONTINUE\r\n`, "the stream"],
  ])("%p, and then nothing", async (text, awaited) => {
    const { primary, clock, told } = follow({ from: { id: ID, offset: 7 } });
    await settled();
    primary.say(text);
    await settled();
    clock.advance(59_000);
    expect(primary.isClosed).toBe(false);
    clock.advance(3_000);
    expect(primary.isClosed).toBe(true);
    expect(told.at(-1)).toContain(awaited);
    expect(clock.pendingCount).toBe(0);
  });

  test("an empty line is a sign of life", async () => {
    const { primary, clock } = follow();
    await settled();
    for (let i = 0; i < 10; i++) {
      clock.advance(30_000);
      primary.say("\n");
    }
    expect(primary.isClosed).toBe(false);
  });

  test("while it loads, it shows that it lives, and waits for itself", async () => {
    const { primary, clock, loaded, link } = follow();
    await settled();
    primary.say(`${OKS}${FULL}$1\r\nx`);
    await settled();
    primary.take();
    clock.advance(600_000);
    expect(primary.isClosed).toBe(false);
    expect(primary.take().length).toBeGreaterThan(0);
    loaded();
    await settled();
    expect(link.state).toBe("connected");
  });

  test("the connection ends once", async () => {
    const { primary, told, link, clock } = follow();
    await settled();
    primary.cut();
    primary.events?.closed("again");
    link.close();
    expect(told).toHaveLength(1);
    expect(clock.pendingCount).toBe(0);
  });

  test("nobody is there", async () => {
    const { told, clock } = follow({}, new Error("ECONNREFUSED"));
    await settled();
    expect(told).toEqual(["ended: primary 6379: cannot connect: ECONNREFUSED"]);
    expect(clock.pendingCount).toBe(0);
  });
});
