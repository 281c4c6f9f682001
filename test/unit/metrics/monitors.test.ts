import { describe, expect, test } from "bun:test";
import type { Session } from "../../../src/session/session.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";
import { ValueReply } from "../../suites/value-reply.ts";

/** A session that monitors, and the lines that it is told. */
function monitoring(db: EngineHarness): { session: Session; lines: string[] } {
  const lines: string[] = [];
  const session = db.connect({
    push: (write) => {
      const reply = new ValueReply();
      write(reply);
      lines.push(String(reply.take()));
    },
  });
  expect(db.runIn(session, "MONITOR")).toBe("OK");
  return { session, lines };
}

describe("MONITOR", () => {
  test("shows commands in Redis's format, with the time, the database and the client", () => {
    const db = new EngineHarness();
    const { lines } = monitoring(db);
    db.advance(1007);
    db.run("SET", 'a"\\\n\r\t\u0007\b', Buffer.from([0, 0x7f, 0xff, 0x20]));
    db.run("SELECT", 3);
    db.runIn(db.connect({ address: "/tmp/kvdb.sock:0" }), "ping");
    expect(lines).toEqual([
      '1767225601.007000 [0 127.0.0.1:50000] "SET" "a\\"\\\\\\n\\r\\t\\a\\b" "\\x00\\x7f\\xff "',
      // As Redis: the database behind SELECT.
      '1767225601.007000 [3 127.0.0.1:50000] "SELECT" "3"',
      '1767225601.007000 [0 unix:/tmp/kvdb.sock] "ping"',
    ]);
  });

  test("shows no secrets, nothing of administrators, and nothing that was refused", () => {
    const db = new EngineHarness();
    const { lines } = monitoring(db);
    db.run("AUTH", "secret");
    db.run("HELLO", 2, "AUTH", "default", "secret");
    db.run("HELLO", 2, "SETNAME", "AUTH", "AUTH", "default", "secret");
    db.run("COMMAND", "GETKEYS", "auth", "secret");
    db.run("CONFIG", "GET", "port");
    db.run("GET");
    db.run("INCR", "a");
    expect(lines.map((line) => line.slice(line.indexOf("]") + 2))).toEqual([
      '"AUTH" "(redacted)"',
      '"HELLO" "2" "AUTH" "(redacted)" "(redacted)"',
      '"HELLO" "2" "SETNAME" "AUTH" "AUTH" "(redacted)" "(redacted)"',
      '"COMMAND" "GETKEYS" "auth" "(redacted)"',
      '"INCR" "a"',
    ]);
  });

  test("ends with RESET and with the connection", () => {
    const db = new EngineHarness();
    const first = monitoring(db);
    const second = monitoring(db);
    expect(String(db.run("CLIENT", "LIST"))).toMatch(/flags=O .*cmd=monitor/);
    db.runIn(first.session, "RESET");
    db.engine.disconnect(second.session);
    first.lines.length = 0;
    second.lines.length = 0;
    db.run("SET", "a", "1");
    expect([first.lines, second.lines]).toEqual([[], []]);
  });

  test("is refused where nothing can be pushed, and does not show what is replayed", () => {
    const db = new EngineHarness();
    expect(db.run("MONITOR")).toEqual({
      error: "ERR MONITOR needs a connection that takes messages",
    });
  });
});
