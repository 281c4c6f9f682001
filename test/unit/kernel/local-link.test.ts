/** A link to the engine in process: answers at once, `settled` when they are durable. */
import { describe, expect, test } from "bun:test";
import { KvdbError } from "../../../src/errors.ts";
import { LocalLink } from "../../../src/kernel/local-link.ts";
import type { Answer } from "../../../src/resp/answer.ts";
import type { LaterReply } from "../../../src/session/later-reply.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";

const CLIENT = { address: "test" };

function holding(): EngineHarness {
  const db = new EngineHarness({ auditEvery: 0, background: false });
  db.persistence.holdsSyncs = true;
  return db;
}

/** What a promise has come to by now. */
async function stateOf(promise: Promise<unknown>): Promise<string> {
  const done = promise.then(
    () => "kept",
    () => "rejected",
  );
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  return Promise.race([done, Promise.resolve("waiting")]);
}

test("an answer is there at once, and settled when its record is durable", async () => {
  const db = holding();
  const link = new LocalLink(db.engine, CLIENT);
  expect(link.run(["SET", "k", "1"])).toEqual({ kind: "status", text: "OK" });
  const settled = link.settled();
  db.endTurn();
  expect(await stateOf(settled)).toBe("waiting");
  db.persistence.sync();
  expect(await stateOf(settled)).toBe("kept");
  expect(await stateOf(link.settled())).toBe("kept");
});

test("a call that shows what is not durable waits, another does not", async () => {
  const db = holding();
  const link = new LocalLink(db.engine, CLIENT);
  const other = new LocalLink(db.engine, CLIENT);
  await stateOf(link.call(["SET", "k", "1"]));
  db.endTurn();
  const shows = other.call(["GET", "k"]);
  expect(await stateOf(shows)).toBe("waiting");
  expect(await stateOf(new LocalLink(db.engine, CLIENT).call(["PING"]))).toBe("kept");
  db.persistence.sync();
  expect(await shows).toEqual({ kind: "bulk", bytes: Buffer.from("1") });
});

test("what writes no reply has done what it was told", () => {
  const link = new LocalLink(holding().engine, CLIENT);
  expect(link.run(["CLIENT", "REPLY", "SKIP"])).toEqual({ kind: "status", text: "OK" });
  expect(link.run(["PING"])).toEqual({ kind: "status", text: "PONG" });
});

test("an error is an answer", async () => {
  const link = new LocalLink(new EngineHarness().engine, CLIENT);
  expect(await link.call(["NOSUCH"])).toMatchObject({ kind: "error", code: "ERR" });
});

test("a password is asked of a client, not of one that the system let in", () => {
  const { engine } = new EngineHarness({ password: "secret" });
  const ask = (link: LocalLink) => link.run(["GET", "k"]).kind;
  expect(ask(new LocalLink(engine, CLIENT))).toBe("error");
  expect(ask(new LocalLink(engine, { ...CLIENT, trusted: true }))).toBe("null");
  expect(ask(new LocalLink(engine, CLIENT, "internal"))).toBe("null");
  const trusted = new LocalLink(engine, { ...CLIENT, trusted: true });
  trusted.run(["RESET"]);
  expect(ask(trusted)).toBe("null");
});

test("a closed link runs nothing, and its session is gone", async () => {
  const db = new EngineHarness();
  const before = db.engine.sessions.size;
  const link = new LocalLink(db.engine, CLIENT);
  expect(db.engine.sessions.size).toBe(before + 1);
  await link.close();
  await link.close();
  expect(db.engine.sessions.size).toBe(before);
  expect(() => link.run(["PING"])).toThrow(KvdbError);
});

test("when the last flush failed, whoever waits is told", async () => {
  const db = holding();
  const link = new LocalLink(db.engine, CLIENT);
  const call = link.call(["SET", "k", "1"]);
  db.endTurn();
  expect(await stateOf(call)).toBe("waiting");
  link.abandon(new KvdbError("IO", "the disk is gone"));
  expect(call).rejects.toThrow("the disk is gone");
});

describe("when the disk refuses", () => {
  /** A change that was not durable when the disk refused, and a client that has seen it. */
  async function refused() {
    const db = holding();
    const links = [0, 1, 2].map(() => new LocalLink(db.engine, CLIENT));
    const [writer, reader, other] = links as [LocalLink, LocalLink, LocalLink];
    await writer.call(["GET", "none"]);
    const write = writer.call(["SET", "k", "1"]);
    const early = await writer.ask(["SET", "k", "2"]);
    const settled = writer.settled(early.wait).catch((error: KvdbError) => error);
    const read = reader.call(["GET", "k"]);
    db.endTurn();
    expect(await stateOf(read)).toBe("waiting");
    db.persistence.refuse(new Error("no space left"));
    return { db, writer, reader, other, write, read, settled };
  }

  test("who waits gets an error: one for a change, another for what was not to be shown", async () => {
    const { write, read, settled } = await refused();
    const error = { kind: "error", code: "MISCONF" };
    expect(await write).toMatchObject({ ...error, text: expect.stringContaining("applied") });
    expect(await read).toMatchObject({ ...error, text: expect.stringContaining("not shown") });
    expect(await settled).toMatchObject({
      code: "IO",
      message: "applied in memory, not durable: the disk refuses writes (no space left)",
    });
  });

  test("until it works again, what is not durable is an error at once, and all else is read", async () => {
    const { db, writer, reader, other } = await refused();
    await stateOf(reader.call(["GET", "k"]));
    expect(await reader.call(["GET", "k"])).toMatchObject({ kind: "error", code: "MISCONF" });
    expect(await other.call(["GET", "none"])).toEqual({ kind: "null" });
    expect(writer.run(["SET", "k", "3"])).toMatchObject({ kind: "error", code: "MISCONF" });
    // It was refused, and has nothing to wait for.
    expect(await stateOf(writer.settled())).toBe("kept");
    db.clock.advance(10_000);
    db.persistence.sync();
    expect(await stateOf(reader.call(["GET", "k"]))).toBe("kept");
    expect(await reader.call(["GET", "k"])).toEqual({ kind: "bulk", bytes: Buffer.from("2") });
  });
});

test("an argument that no client could send is refused, and nothing is recorded", () => {
  const db = new EngineHarness({ auditEvery: 0 });
  const link = new LocalLink(db.engine, CLIENT);
  const tooLong = Buffer.alloc(512 * 1024 * 1024 + 1);
  expect(() => link.run(["SET", "k", tooLong])).toThrow(KvdbError);
  expect(db.records()).toEqual([]);
  expect(link.run(["EXISTS", "k"])).toEqual({ kind: "integer", value: 0 });
});

describe("a command that answers later", () => {
  function waiting() {
    const db = new EngineHarness({ auditEvery: 0, background: false });
    const begun: LaterReply[] = [];
    let abandoned = 0;
    db.addCoreCommand("SLOW", (session) => {
      const later = session.answerLater();
      begun.push(later);
      later.onAbandoned = () => abandoned++;
    });
    const link = new LocalLink(db.engine, CLIENT);
    const answer = () => {
      begun.shift()?.settle((reply) => reply.integer(1));
      db.endTurn();
    };
    return { db, link, begun, answer, abandoned: () => abandoned };
  }

  test("is waited for, and what is asked meanwhile runs behind it, in order", async () => {
    const { db, link, answer } = waiting();
    const order: string[] = [];
    const asked = [["GET", "k"], ["SLOW"], ["SET", "k", "1"], ["SLOW"], ["GET", "k"]].map(
      async (parts, index) => {
        const { kind } = await link.call(parts);
        order.push(`${index} ${kind}`);
      },
    );
    expect(await stateOf(asked[2] as Promise<void>)).toBe("waiting");
    expect(db.run("EXISTS", "k")).toBe(0);
    answer();
    expect(await stateOf(asked[2] as Promise<void>)).toBe("kept");
    expect(order).toEqual(["0 null", "1 integer", "2 status"]);
    answer();
    await Promise.all(asked);
    expect(order.slice(3)).toEqual(["3 integer", "4 bulk"]);
  });

  test("where the answer is needed at once: an error, and nothing else runs before it is there", async () => {
    const { link, answer } = waiting();
    expect(link.run(["SLOW"])).toMatchObject({ kind: "error", code: "ERR" });
    const call = link.call(["SLOW"]);
    expect(() => link.run(["PING"])).toThrow("has not answered yet");
    answer();
    expect(await call).toEqual({ kind: "integer", value: 1 });
    expect(link.run(["PING"])).toEqual({ kind: "status", text: "PONG" });
  });

  test("is given up with the link, and what was behind it never runs", async () => {
    const { db, link, abandoned } = waiting();
    const calls = [link.call(["SLOW"]), link.call(["SET", "k", "1"])];
    await link.close();
    for (const { status } of await Promise.allSettled(calls)) expect(status).toBe("rejected");
    db.endTurn();
    expect([abandoned(), db.run("EXISTS", "k")]).toEqual([1, 0]);
  });

  test("gets an error when kvdb stops; what was asked before still runs, and is kept", async () => {
    const { db, link, abandoned } = waiting();
    const calls = [link.call(["SLOW"]), link.call(["SET", "k", "1"])];
    await db.engine.beginStop();
    expect(await calls[0]).toMatchObject({ kind: "error", code: "UNBLOCKED" });
    expect(await calls[1]).toEqual({ kind: "status", text: "OK" });
    expect(abandoned()).toBe(1);
    expect(db.records().flatMap(({ commands }) => commands)).toEqual(["SET k 1"]);
  });
});

describe("while the engine wants less", () => {
  /** The engine's own answers, as the test wants them. */
  function wanting(turnIsFull: boolean, acceptsWrites: boolean) {
    const db = new EngineHarness({ auditEvery: 0, background: false, durability: "none" });
    const wish = { turnIsFull, acceptsWrites };
    for (const name of ["turnIsFull", "acceptsWrites"] as const) {
      Object.defineProperty(db.engine, name, { get: () => wish[name] });
    }
    return { db, link: new LocalLink(db.engine, CLIENT), wish };
  }

  test("after a change: its answer and the next command wait; a reader does not notice", async () => {
    const { db, link, wish } = wanting(false, false);
    const reader = new LocalLink(db.engine, CLIENT);
    const waits = [link.call(["SET", "k", "1"]), link.settled(), link.ready()];
    expect(await reader.call(["GET", "k"])).toEqual({ kind: "bulk", bytes: Buffer.from("1") });
    expect(await stateOf(reader.ready())).toBe("kept");
    for (let turn = 0; turn < 3; turn++) {
      db.endTurn();
      for (const one of waits) expect(await stateOf(one)).toBe("waiting");
    }
    wish.acceptsWrites = true;
    db.endTurn();
    for (const one of waits) expect(await stateOf(one)).toBe("kept");
    wish.acceptsWrites = false;
    expect(await stateOf(link.ready())).toBe("kept"); // nothing was changed since
  });

  test("in a turn that is full: the next command waits for the next one", async () => {
    const { db, link, wish } = wanting(true, true);
    const ready = link.ready();
    db.endTurn();
    expect(await stateOf(ready)).toBe("waiting");
    wish.turnIsFull = false;
    db.endTurn();
    expect(await stateOf(ready)).toBe("kept");
  });

  test("a link that is closed waits for nothing", async () => {
    const { link } = wanting(true, false);
    const waits = [link.call(["SET", "k", "1"]), link.ready()];
    await link.close();
    for (const one of waits) expect(await stateOf(one)).toBe("kept");
  });
});

describe("messages", () => {
  test("come once they may be shown, in their order; a subscription is confirmed by one", async () => {
    const db = holding();
    const heard: unknown[] = [];
    const listener = new LocalLink(db.engine, {
      ...CLIENT,
      onMessage: (message) => {
        if (message.kind === "push") heard.push(message.items.map(textIn));
      },
    });
    const confirmed = listener.run(["SUBSCRIBE", "a", "b"]);
    expect(confirmed.kind === "push" && confirmed.items.map(textIn)).toEqual(["subscribe", "b", 2]);
    const writer = new LocalLink(db.engine, CLIENT);
    writer.run(["SET", "k", "1"]);
    writer.run(["PUBLISH", "a", "behind the write"]);
    new LocalLink(db.engine, CLIENT).run(["PUBLISH", "b", "x"]);
    db.endTurn();
    await stateOf(Promise.resolve());
    expect(heard.splice(0)).toEqual([
      ["subscribe", "a", 1],
      ["subscribe", "b", 2],
    ]);
    db.persistence.sync();
    await stateOf(Promise.resolve());
    expect(heard.splice(0)).toEqual([
      ["message", "a", "behind the write"],
      ["message", "b", "x"],
    ]);
    await listener.close();
    expect(writer.run(["PUBLISH", "a", "later"])).toEqual({ kind: "integer", value: 0 });
  });

  test("nobody listens: nothing can be subscribed to", () => {
    const link = new LocalLink(new EngineHarness().engine, CLIENT);
    expect(link.run(["SUBSCRIBE", "a"])).toMatchObject({ kind: "error", code: "ERR" });
  });
});

function textIn(answer: Answer): unknown {
  return answer.kind === "bulk" ? answer.bytes.toString() : (answer as { value: unknown }).value;
}
