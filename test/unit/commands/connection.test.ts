import { describe, expect, test } from "bun:test";
import { EngineHarness } from "../../suites/engine-harness.ts";

const WRONG = { error: "WRONGPASS invalid username-password pair or user is disabled." };
const NOAUTH = { error: "NOAUTH Authentication required." };

test("PING, ECHO", () => {
  const db = new EngineHarness();
  expect(db.run("PING")).toBe("PONG");
  expect(db.run("PING", "hi")).toBe("hi");
  expect(db.run("ECHO", Buffer.from([0, 255]))).toEqual(Buffer.from([0, 255]));
  expect(db.run("PING", "a", "b")).toEqual({
    error: "ERR wrong number of arguments for 'ping' command",
  });
});

test("SELECT takes the numbers there are", () => {
  const db = new EngineHarness({ databases: 4 });
  expect(db.run("SELECT", 3)).toBe("OK");
  expect(db.run("SELECT", 4)).toEqual({ error: "ERR DB index is out of range" });
  expect(db.run("SELECT", -1)).toEqual({ error: "ERR DB index is out of range" });
  expect(db.session.database.index).toBe(3);
});

test("RESET brings everything back but what describes the client", () => {
  const db = new EngineHarness({ password: "secret" });
  db.run("HELLO", 3, "AUTH", "default", "secret", "SETNAME", "worker");
  db.run("SELECT", 5);
  db.run("CLIENT", "SETINFO", "LIB-NAME", "lib");
  expect(() => db.run("CLIENT", "REPLY", "OFF")).toThrow("no reply");
  expect(db.run("RESET")).toBe("RESET");
  const { session } = db;
  expect([session.protocol, session.name, session.database.index]).toEqual([2, "", 0]);
  expect([session.replyMode, session.libraryName]).toEqual(["on", "lib"]);
  expect(db.run("GET", "a")).toEqual(NOAUTH);
});

test("QUIT closes once its reply has left", () => {
  const db = new EngineHarness();
  const closed: string[] = [];
  const session = db.connect({ close: (when) => closed.push(when) });
  expect(db.runIn(session, "QUIT")).toBe("OK");
  expect(closed).toEqual(["afterReplies"]);
});

describe("with a password", () => {
  test("only the commands of the hand-shake run before it", () => {
    const db = new EngineHarness({ password: "secret" });
    for (const words of [["PING"], ["GET", "a"], ["CLIENT", "ID"], ["COMMAND"], ["INFO"]]) {
      expect(db.run(...words)).toEqual(NOAUTH);
    }
    expect(db.run("RESET")).toBe("RESET");
    expect(db.run("QUIT")).toBe("OK");
    expect(db.run("HELLO", 3)).toMatchObject({
      error: expect.stringContaining("NOAUTH HELLO must be called with the client already auth"),
    });
    expect(db.session.protocol).toBe(2);
  });

  test("AUTH in both forms", () => {
    const db = new EngineHarness({ password: "secret" });
    expect(db.run("AUTH", "wrong")).toEqual(WRONG);
    expect(db.run("AUTH", "")).toEqual(WRONG);
    expect(db.run("AUTH", "admin", "secret")).toEqual(WRONG);
    expect(db.run("AUTH", "DEFAULT", "secret")).toEqual(WRONG);
    expect(db.run("AUTH", "default", "wrong")).toEqual(WRONG);
    expect(db.run("PING")).toEqual(NOAUTH);
    expect(db.run("AUTH", "secret")).toBe("OK");
    expect(db.run("PING")).toBe("PONG");
    // Who is in stays in after a wrong attempt, as in Redis.
    expect(db.run("AUTH", "wrong")).toEqual(WRONG);
    expect(db.run("PING")).toBe("PONG");
    const other = db.connect();
    expect(db.runIn(other, "AUTH", "default", "secret")).toBe("OK");
    expect(db.runIn(other, "PING")).toBe("PONG");
  });

  test("HELLO with AUTH", () => {
    const db = new EngineHarness({ password: "secret" });
    expect(db.run("HELLO", 3, "AUTH", "default", "wrong", "SETNAME", "x")).toEqual(WRONG);
    expect([db.session.name, db.session.protocol]).toEqual(["", 2]);
    const reply = db.run("HELLO", 3, "SETNAME", "x", "AUTH", "default", "secret");
    expect(reply).toEqual(
      new Map<string, unknown>([
        ["server", "redis"],
        ["version", "7.0.15"],
        ["proto", 3],
        ["id", db.session.id],
        ["mode", "standalone"],
        ["role", "master"],
        ["modules", []],
      ]) as never,
    );
    expect([db.session.name, db.session.protocol]).toEqual(["x", 3]);
  });
});

describe("without a password", () => {
  test("AUTH says that there is none; the default user may give any", () => {
    const db = new EngineHarness();
    expect(db.run("AUTH", "x")).toMatchObject({
      error: expect.stringContaining("ERR AUTH <password> called without any password configured"),
    });
    expect(db.run("AUTH", "default", "anything")).toBe("OK");
    expect(db.run("AUTH", "admin", "anything")).toEqual(WRONG);
  });

  test("HELLO alone keeps the protocol", () => {
    const db = new EngineHarness();
    db.run("HELLO", 3);
    db.run("HELLO");
    expect(db.session.protocol).toBe(3);
    expect(db.run("HELLO", 4)).toEqual({ error: "NOPROTO unsupported protocol version" });
    expect(db.session.protocol).toBe(3);
  });
});
