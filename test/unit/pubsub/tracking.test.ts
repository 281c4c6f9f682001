/**
 * Client-side caching where redis-server cannot be asked, or not in steps: expiry and eviction, the bound of what is remembered,
 * what waits for the disk, and that nothing is paid for it while nobody tracks.
 */
import { describe, expect, test } from "bun:test";
import type { FakeSocket } from "../resp-plugin/fake-socket.ts";
import { FrontendHarness, type FrontendOptions } from "../resp-plugin/frontend-harness.ts";

const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`;
const invalid = (...keys: string[]): string =>
  `>2\r\n${bulk("invalidate")}*${keys.length}\r\n${keys.map(bulk).join("")}`;
const ALL_INVALID = `>2\r\n${bulk("invalidate")}_\r\n`;

/** A frontend, a client that tracks in RESP3, and one that writes. */
async function open(mode = "ON", options: FrontendOptions = {}) {
  const harness = await FrontendHarness.open(options);
  const reader = harness.connect();
  harness.exchange(reader, `HELLO 3\r\nCLIENT TRACKING ${mode}\r\n`);
  return { harness, reader, writer: harness.connect() };
}

function idOf(harness: FrontendHarness, socket: FakeSocket): string {
  return harness.exchange(socket, "CLIENT ID\r\n").slice(1, -2);
}

describe("a copy is void", () => {
  test("when its key expires on time, or is found expired", async () => {
    for (const background of [true, false]) {
      const { harness, reader, writer } = await open("ON", { background });
      harness.exchange(writer, "SET k v PX 50\r\n");
      harness.exchange(reader, "GET k\r\n");
      harness.db.advance(100);
      if (!background) harness.exchange(writer, "GET k\r\n");
      expect(reader.read()).toBe(invalid("k"));
    }
  });

  test("when its key is found expired by the one who reads it, who then has read anew", async () => {
    const { harness, reader, writer } = await open("ON", { background: false });
    harness.exchange(writer, "SET k v PX 50\r\n");
    harness.exchange(reader, "GET k\r\n");
    harness.db.advance(100);
    expect(harness.exchange(reader, "GET k\r\n")).toBe(`_\r\n${invalid("k")}`);
    harness.exchange(writer, "SET k w\r\n");
    expect(reader.read()).toBe(invalid("k"));
  });

  test("when its key is evicted", async () => {
    const { harness, reader, writer } = await open();
    harness.exchange(writer, "SET k v\r\n");
    harness.exchange(reader, "GET k\r\n");
    harness.exchange(writer, "CONFIG SET maxmemory-policy allkeys-random\r\n");
    harness.db.engine.memory.maxBytes = 1;
    harness.exchange(writer, "SET other v\r\n");
    expect(reader.read()).toBe(invalid("k"));
  });

  test("when databases are emptied or exchanged", async () => {
    for (const command of ["FLUSHALL", "FLUSHDB", "SWAPDB 0 1"]) {
      const { harness, reader, writer } = await open();
      harness.exchange(writer, "SET k v\r\n");
      harness.exchange(reader, "GET k\r\n");
      harness.exchange(writer, `${command}\r\n`);
      expect(reader.read()).toBe(ALL_INVALID);
      harness.exchange(writer, "SET k w\r\n");
      expect(reader.read()).toBe("");
    }
  });

  test("by one message for each prefix and turn in mode BCAST", async () => {
    const { harness, reader, writer } = await open("ON BCAST PREFIX a PREFIX b");
    harness.exchange(writer, "MSET a1 1 b1 1 c1 1\r\nSET a2 1\r\nSET a1 2\r\nDEL a2\r\n");
    expect(reader.read()).toBe(invalid("a1", "a2") + invalid("b1"));
  });

  test("whatever the connection has been told to be silent about", async () => {
    const { harness, reader, writer } = await open();
    harness.exchange(reader, "GET k\r\nCLIENT REPLY OFF\r\n");
    harness.exchange(writer, "SET k v\r\n");
    expect(reader.read()).toBe(invalid("k"));
  });
});

describe("what is told waits for the disk", () => {
  test("as the change does, behind the reply of the read that it concerns", async () => {
    const { harness, reader, writer } = await open("ON", { durability: "always" });
    harness.db.persistence.holdsSyncs = true;
    harness.exchange(writer, "SET k 1\r\n");
    expect(harness.exchange(reader, "GET k\r\n")).toBe("");
    harness.exchange(writer, "SET k 2\r\n");
    await harness.sync();
    expect(reader.read()).toBe(bulk("1"));
    await harness.sync();
    expect(reader.read()).toBe(invalid("k"));
  });

  test("in mode BCAST too", async () => {
    const { harness, reader, writer } = await open("ON BCAST", { durability: "always" });
    harness.db.persistence.holdsSyncs = true;
    harness.exchange(writer, "SET k 1\r\n");
    expect(reader.read()).toBe("");
    await harness.sync();
    expect(reader.read()).toBe(invalid("k"));
  });

  test("while the disk refuses, and until it does not", async () => {
    const { harness, reader, writer } = await open("ON", { durability: "always" });
    harness.db.persistence.holdsSyncs = true;
    harness.exchange(writer, "SET old 1\r\n");
    await harness.sync();
    harness.exchange(reader, "GET k\r\n");
    harness.exchange(writer, "SET k 1\r\n");
    harness.db.persistence.refuse(new Error("no space left"));
    await harness.sync();
    expect(reader.read()).toBe("");
    harness.db.advance(1000);
    await harness.sync();
    expect(reader.read()).toBe(invalid("k"));
  });
});

describe("what is remembered", () => {
  test("is bounded: what was read longest ago is told to be void", async () => {
    const { harness, reader, writer } = await open();
    harness.exchange(writer, "CONFIG SET tracking-table-max-keys 3\r\n");
    expect(harness.exchange(reader, "MGET a b c\r\n")).toBe("*3\r\n_\r\n_\r\n_\r\n");
    expect(harness.exchange(reader, "MGET d e\r\n")).toBe(
      `*2\r\n_\r\n_\r\n${invalid("a")}${invalid("b")}`,
    );
    expect(harness.db.engine.tracking.keyCount).toBe(3);
    harness.exchange(writer, "CONFIG SET tracking-table-max-keys 1\r\n");
    expect(reader.read()).toBe(invalid("c") + invalid("d"));
    harness.exchange(writer, "CONFIG SET tracking-table-max-keys 0\r\n");
    harness.exchange(reader, "MGET 1 2 3 4 5\r\n");
    expect(harness.db.engine.tracking.keyCount).toBe(6);
  });

  test("counts as used memory, with no more than an eighth of the limit", async () => {
    const { harness, reader, writer } = await open();
    const { memory } = harness.db.engine;
    const table = () =>
      Number(/mem_tracking_table:(\d+)/.exec(harness.exchange(writer, "INFO memory\r\n"))?.[1]);
    expect(table()).toBe(0);
    const before = memory.usedBytes;
    // Keys that are not there.
    const ask = (name: string) => harness.exchange(reader, `GET ${name}${"x".repeat(1000)}\r\n`);
    for (let i = 0; i < 100; i++) ask(`${i}`);
    expect(table()).toBeGreaterThan(100_000);
    expect(memory.usedBytes - before).toBeGreaterThan(100_000);
    harness.exchange(writer, `SET 0${"x".repeat(1000)} 1\r\n`);
    expect(table()).toBeLessThan(99 * 1300);

    harness.exchange(writer, "CONFIG SET maxmemory-policy allkeys-random\r\n");
    for (let i = 0; i < 100; i++) harness.exchange(writer, `SET key:${i} 1\r\n`);
    reader.read();
    memory.maxBytes = 400_000;
    expect(table()).toBeLessThanOrEqual(50_000);
    harness.exchange(writer, "PING\r\n");
    expect(reader.read()).toContain("invalidate");
    for (let i = 0; i < 1000; i++) ask(`other ${i}`.replace(" ", ":"));
    expect(table()).toBeLessThanOrEqual(50_000);
    expect(harness.exchange(writer, "DBSIZE\r\n")).toBe(":101\r\n");

    memory.maxBytes = 0;
    harness.exchange(reader, "CLIENT TRACKING OFF\r\n");
    expect(table()).toBe(0);
  });

  test("prefixes are memory of their client", async () => {
    const { harness, reader, writer } = await open("OFF");
    const kept = () => {
      const list = harness.exchange(writer, `CLIENT LIST ID ${idOf(harness, reader)}\r\n`);
      return Number(/tot-mem=(\d+)/.exec(list)?.[1]);
    };
    const before = kept();
    const prefixes = Array.from({ length: 40 }, (_, i) => `PREFIX ${i + 100}${"x".repeat(1000)}`);
    harness.exchange(reader, `CLIENT TRACKING ON BCAST ${prefixes.join(" ")}\r\n`);
    harness.exchange(reader, `CLIENT TRACKING ON BCAST ${prefixes[0]}\r\n`);
    expect(kept() - before).toBeGreaterThan(40_000);
    expect(kept() - before).toBeLessThan(80_000);
    harness.exchange(reader, "CLIENT TRACKING OFF\r\n");
    expect(kept()).toBe(before);
  });

  test("is shown by INFO and CLIENT LIST", async () => {
    const { harness, reader, writer } = await open();
    const other = harness.connect();
    harness.exchange(other, `CLIENT TRACKING ON REDIRECT ${idOf(harness, reader)}\r\nGET a\r\n`);
    harness.exchange(reader, "MGET a b\r\n");
    harness.exchange(harness.connect(), "CLIENT TRACKING ON BCAST PREFIX x PREFIX y\r\n");
    const info = harness.exchange(writer, "INFO\r\n");
    expect(info).toContain("\r\ntracking_clients:3\r\n");
    expect(info).toContain(
      "\r\ntracking_total_keys:2\r\ntracking_total_items:3\r\ntracking_total_prefixes:2\r\n",
    );
    const lines = harness.exchange(writer, "CLIENT LIST\r\n").split("\n").slice(1);
    const shown = lines.map((line) => [
      / flags=(\w+)/.exec(line)?.[1],
      / redir=(-?\d+)/.exec(line)?.[1],
    ]);
    const reading = idOf(harness, reader);
    expect(shown.slice(1, 5)).toEqual([
      ["t", "0"],
      ["N", "-1"],
      ["t", reading],
      ["tB", "0"],
    ]);
  });

  test("goes with the last client that tracks, and the keyspace has no listener then", async () => {
    const { harness, reader, writer } = await open();
    const { keyspace, tracking } = harness.db.engine;
    harness.exchange(reader, "MGET a b\r\n");
    expect(keyspace.changeListener).not.toBeNull();
    const other = harness.connect();
    harness.exchange(other, "CLIENT TRACKING ON BCAST\r\n");
    reader.break();
    expect(tracking.clientCount).toBe(1);
    harness.exchange(other, "RESET\r\n");
    expect([
      tracking.clientCount,
      tracking.keyCount,
      tracking.itemCount,
      tracking.prefixCount,
    ]).toEqual([0, 0, 0, 0]);
    expect(keyspace.changeListener).toBeNull();
    expect(harness.exchange(writer, "SET a 1\r\n")).toBe("+OK\r\n");
  });
});

describe("a client that has named another one to hear in its place", () => {
  test("is told itself when that one is gone, until it names another", async () => {
    const { harness, reader, writer } = await open("OFF");
    const listener = harness.connect();
    const id = idOf(harness, listener);
    harness.exchange(listener, "SUBSCRIBE __redis__:invalidate\r\n");
    harness.exchange(reader, `CLIENT TRACKING ON REDIRECT ${id}\r\nGET a\r\nGET b\r\n`);
    harness.exchange(writer, "SET a 1\r\n");
    expect(listener.read()).toBe(
      `*3\r\n${bulk("message")}${bulk("__redis__:invalidate")}*1\r\n${bulk("a")}`,
    );
    expect(reader.read()).toBe("");
    listener.break();
    harness.exchange(writer, "SET b 1\r\n");
    expect(reader.read()).toBe(`>2\r\n${bulk("tracking-redir-broken")}:${id}\r\n`);
    expect(harness.exchange(reader, "CLIENT TRACKINGINFO\r\n")).toContain(bulk("broken_redirect"));
    harness.exchange(reader, "CLIENT TRACKING ON\r\nGET b\r\n");
    harness.exchange(writer, "SET b 2\r\n");
    expect(reader.read()).toBe(invalid("b"));
  });
});

test("what CLIENT CACHING says is for the next command alone, also when that is refused", async () => {
  const { harness, reader, writer } = await open("ON OPTOUT");
  harness.exchange(writer, "ACL SETUSER default -append\r\n");
  for (const refused of ["NOPE", "GET", "CLIENT NOPE", "APPEND k v"]) {
    const answers = harness.exchange(reader, `CLIENT CACHING NO\r\n${refused}\r\nGET k\r\n`);
    expect(answers).toStartWith("+OK\r\n-");
    harness.exchange(writer, "SET k 1\r\n");
    expect(reader.read()).toBe(invalid("k"));
  }
});

describe("NOLOOP keeps a client from hearing of what it changes, and of nothing else", () => {
  const noLoop = (options: FrontendOptions = {}) => open("ON NOLOOP", options);

  test("what makes room for its write", async () => {
    const { harness, reader, writer } = await noLoop();
    const large = "x".repeat(25_000);
    harness.exchange(writer, `SET k ${large}${large}\r\n`);
    harness.exchange(writer, "CONFIG SET maxmemory-policy allkeys-random\r\n");
    harness.exchange(reader, "STRLEN k\r\n");
    const { memory } = harness.db.engine;
    memory.maxBytes = memory.usedBytes;
    expect(harness.exchange(reader, `SET other ${large}\r\n`)).toBe(`+OK\r\n${invalid("k")}`);
  });

  test("what it finds expired, keys and fields of a hash", async () => {
    const { harness, reader, writer } = await noLoop({ background: false });
    harness.exchange(writer, "SET k v PX 50\r\nHSET h f 1 g 2\r\n");
    harness.exchange(writer, "HPEXPIRE h 50 FIELDS 1 f\r\n");
    harness.exchange(reader, "GET k\r\nHGETALL h\r\n");
    harness.db.advance(100);
    expect(harness.exchange(reader, "EXISTS k\r\n")).toBe(`:0\r\n${invalid("k")}`);
    expect(harness.exchange(reader, "HSTRLEN h g\r\nHGET h f\r\n")).toContain(invalid("h"));
  });

  test("what is remembered no more, because it has read so much", async () => {
    const { harness, reader, writer } = await noLoop();
    harness.exchange(writer, "CONFIG SET tracking-table-max-keys 1\r\n");
    harness.exchange(reader, "GET a\r\nGET b\r\nPING\r\n");
    expect(harness.exchange(reader, "GET c\r\nPING\r\n")).toContain(invalid("b"));
  });

  test("what it has not changed after all, since it was undone", async () => {
    const { harness, reader } = await noLoop();
    harness.exchange(reader, "SET k x\r\nGET k\r\n");
    harness.exchange(reader, "MULTI ROLLBACK\r\nSET k y\r\nINCR k\r\n");
    expect(harness.exchange(reader, "EXEC\r\n")).toContain(invalid("k"));
  });

  test("what another one changes in the same turn, before or behind it, in mode BCAST", async () => {
    const { harness, reader, writer } = await open("ON BCAST NOLOOP");
    const [own, other] = [reader, writer];
    for (const turn of [
      [own, other],
      [other, own],
    ]) {
      for (const socket of turn) socket.deliver(Buffer.from("SET k v\r\n"));
      harness.endTurn();
      expect(reader.read()).toContain(invalid("k"));
    }
    expect(harness.exchange(own, "SET k v\r\nSET k w\r\n")).toBe("+OK\r\n+OK\r\n");
  });
});

test("a client that speaks RESP2 hears as a subscriber when it has named itself", async () => {
  const { harness, writer } = await open();
  const client = harness.connect();
  const id = idOf(harness, client);
  harness.exchange(client, `CLIENT TRACKING ON BCAST REDIRECT ${id}\r\n`);
  harness.exchange(client, "SUBSCRIBE __redis__:invalidate\r\n");
  harness.exchange(writer, "SET k v\r\n");
  expect(client.read()).toBe(
    `*3\r\n${bulk("message")}${bulk("__redis__:invalidate")}*1\r\n${bulk("k")}`,
  );
});

test("a transaction that is undone loses nobody who keeps a copy", async () => {
  const { harness, reader, writer } = await open();
  harness.exchange(writer, "SET k x\r\n");
  harness.exchange(reader, "GET k\r\n");
  harness.exchange(writer, "MULTI ROLLBACK\r\nSET k y\r\nINCR k\r\nEXEC\r\n");
  reader.read();
  harness.exchange(reader, "GET k\r\n");
  harness.exchange(writer, "SET k z\r\n");
  expect(reader.read()).toBe(invalid("k"));
});
