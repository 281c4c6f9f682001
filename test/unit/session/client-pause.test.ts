import { describe, expect, test } from "bun:test";
import { EngineHarness } from "../../suites/engine-harness.ts";

/** An engine, and whether the answer to a question of another session has come. */
function asking(db: EngineHarness, ...words: string[]) {
  const state: { answer: unknown; done: boolean } = { answer: undefined, done: false };
  const asked = db.askIn(db.connect(), ...words).then((answer) => {
    state.answer = answer;
    state.done = true;
  });
  return { state, asked };
}

describe("CLIENT PAUSE", () => {
  test("lets writes wait, with their arguments, and run when it is over", async () => {
    const db = new EngineHarness();
    db.run("CLIENT", "PAUSE", 1000, "WRITE");
    const set = asking(db, "SET", "a", "1");
    const published = asking(db, "PFCOUNT", "nothing");
    expect(db.run("GET", "a")).toBe(null);
    expect(String(db.run("INFO", "clients"))).toContain("blocked_clients:2\r\n");
    expect(db.records()).toEqual([]);
    db.advance(999);
    expect(set.state.done).toBe(false);
    db.advance(1);
    await Promise.all([set.asked, published.asked]);
    expect(set.state.answer).toBe("OK");
    expect(db.run("GET", "a")).toBe("1");
    expect(db.records()).toEqual([{ database: 0, commands: ["SET a 1"] }]);
  });

  test("ALL, the default, holds everything, in the order it came", async () => {
    const db = new EngineHarness();
    db.run("CLIENT", "PAUSE", 500);
    const asked = [
      asking(db, "SET", "a", "1"),
      asking(db, "APPEND", "a", "2"),
      asking(db, "GET", "a"),
    ];
    expect(asked.some(({ state }) => state.done)).toBe(false);
    db.advance(500);
    await Promise.all(asked.map((one) => one.asked));
    expect(asked.map(({ state }) => state.answer)).toEqual(["OK", 2, "12"]);
  });

  test("UNPAUSE ends it at once", async () => {
    const db = new EngineHarness();
    db.run("CLIENT", "PAUSE", 1_000_000, "WRITE");
    const set = asking(db, "SET", "a", "1");
    expect(db.run("CLIENT", "UNPAUSE")).toBe("OK");
    await set.asked;
    expect(set.state.answer).toBe("OK");
    expect(db.run("SET", "b", "1")).toBe("OK");
    expect(db.run("CLIENT", "UNPAUSE")).toBe("OK");
  });

  test("a second one makes it longer or stricter only", async () => {
    const db = new EngineHarness();
    db.run("CLIENT", "PAUSE", 1000, "WRITE");
    db.run("CLIENT", "PAUSE", 10, "ALL");
    const get = asking(db, "GET", "a");
    db.advance(999);
    expect(get.state.done).toBe(false);
    db.advance(1);
    await get.asked;
  });

  test("of several purposes the strictest counts, and none ends another one's", async () => {
    const db = new EngineHarness();
    const { pause } = db.engine;
    db.run("CLIENT", "PAUSE", 100, "ALL");
    pause.begin(Number.POSITIVE_INFINITY, "write", "failover");
    pause.begin(500, "write", "shutdown");
    const get = asking(db, "GET", "a");
    const set = asking(db, "SET", "a", "1");
    db.advance(100);
    await get.asked;
    expect(get.state.answer).toBe(null);
    expect(db.run("CLIENT", "UNPAUSE")).toBe("OK");
    pause.end("failover");
    db.advance(399);
    expect(set.state.done).toBe(false);
    db.advance(1);
    await set.asked;
    expect(set.state.answer).toBe("OK");
    expect(pause.mode).toBe("none");
  });

  test("a command that waits by itself goes on waiting", async () => {
    const db = new EngineHarness();
    db.run("CLIENT", "PAUSE", 100, "WRITE");
    const popped = asking(db, "BLPOP", "list", "0");
    db.advance(100);
    expect(popped.state.done).toBe(false);
    db.run("RPUSH", "list", "x");
    await popped.asked;
    expect(popped.state.answer).toEqual(["list", "x"]);
  });

  test("nothing expires meanwhile, and what is over is not found", () => {
    const db = new EngineHarness();
    db.run("SET", "a", "1", "PX", 100);
    db.run("SET", "b", "1", "PX", 100);
    db.records();
    db.run("CLIENT", "PAUSE", 1000, "WRITE");
    db.advance(500);
    expect(db.run("GET", "a")).toBe(null);
    expect(db.run("DBSIZE")).toBe(2);
    expect(db.records()).toEqual([]);
    db.advance(600);
    expect(db.run("DBSIZE")).toBe(0);
  });

  test("when kvdb stops, whoever waits is told so, with its first command as well", async () => {
    const db = new EngineHarness();
    db.run("CLIENT", "PAUSE", 1000, "WRITE");
    const set = asking(db, "SET", "a", "1");
    await db.engine.beginStop();
    await set.asked;
    expect(set.state.answer).toMatchObject({ error: expect.stringContaining("UNBLOCKED") });
    expect(db.run("GET", "a")).toBe(null);
  });

  test("lets a transaction run that only reads, and what is wrong with EXEC be told", async () => {
    const db = new EngineHarness();
    const writer = db.connect();
    db.runIn(writer, "MULTI");
    db.runIn(writer, "SET", "a", "1");
    db.run("CLIENT", "PAUSE", 1000, "WRITE");
    expect(db.run("EXEC")).toEqual({ error: "ERR EXEC without MULTI" });
    db.run("MULTI");
    expect(db.run("EXEC")).toEqual([]);
    db.run("MULTI");
    db.run("GET", "a");
    expect(db.run("EXEC")).toEqual([null]);
    const written = db.askIn(writer, "EXEC");
    expect(db.run("GET", "a")).toBe(null);
    db.advance(1000);
    expect(await written).toEqual(["OK"]);
  });

  test("leaves a key that a program's transaction writes, which was over, there once", () => {
    const db = new EngineHarness({ background: false });
    const program = db.engine.connect(db.session.client, "internal");
    db.run("SET", "a", "1", "PX", 50);
    db.run("CLIENT", "PAUSE", 1000, "WRITE");
    db.advance(100);
    db.runIn(program, "MULTI");
    db.runIn(program, "SET", "a", "2");
    expect(db.runIn(program, "EXEC")).toEqual(["OK"]);
    expect([db.run("DBSIZE"), db.run("GET", "a")]).toEqual([1, "2"]);
    db.advance(1000);
    expect([db.run("DEL", "a"), db.run("DBSIZE")]).toEqual([1, 0]);
  });

  test("who leaves is forgotten", () => {
    const db = new EngineHarness();
    const session = db.connect();
    db.run("CLIENT", "PAUSE", 100, "WRITE");
    void db.askIn(session, "SET", "a", "1");
    db.engine.disconnect(session);
    db.advance(200);
    expect(db.run("GET", "a")).toBe(null);
  });

  test.each([
    [["x"], "ERR timeout is not an integer or out of range"],
    [["-1"], "ERR timeout is negative"],
    [["1", "NOPE"], "ERR CLIENT PAUSE mode must be WRITE or ALL"],
    [
      ["1", "ALL", "x"],
      "ERR unknown subcommand or wrong number of arguments for 'PAUSE'. Try CLIENT HELP.",
    ],
  ])("%p is refused", (words, error) => {
    expect(new EngineHarness().run("CLIENT", "PAUSE", ...words)).toEqual({ error });
  });
});
