/** enable-debug-command: who may use DEBUG, and that nothing else depends on it. */
import { describe, expect, test } from "bun:test";
import { EngineHarness } from "../../suites/engine-harness.ts";

const REFUSED = {
  error: expect.stringMatching(/^ERR DEBUG command not allowed\. .*enable-debug-command.*restart/),
};

const CLIENTS = [
  ["IPv4", { address: "10.0.0.7:50000" }, false],
  ["IPv6", { address: "[2001:db8::1]:50000" }, false],
  ["a name that only begins like loopback", { address: "127a.example:50000" }, false],
  ["a frontend that does not say where from", { address: "http-json" }, false],
  ["loopback", { address: "127.0.0.1:50000" }, true],
  ["loopback of IPv6", { address: "[::1]:50000" }, true],
  ["loopback of IPv4 in IPv6", { address: "[::ffff:127.0.0.1]:50000" }, true],
  ["a unix socket", { address: "/run/kvdb.sock:0" }, true],
  ["the shell", { address: "shell", trusted: true }, true],
] as const;

describe("local, the default", () => {
  test.each(CLIENTS)("%s", (_name, client, mayDebug) => {
    const db = new EngineHarness();
    const session = db.connect(client);
    const digest = db.runIn(session, "DEBUG", "DIGEST");
    expect(digest).toEqual(mayDebug ? "0".repeat(40) : REFUSED);
    expect(db.runIn(session, "PING")).toBe("PONG");
  });
});

test("no: nobody; yes: everybody", () => {
  for (const [, client] of CLIENTS) {
    const closed = new EngineHarness({ debugCommand: "no" });
    expect(closed.runIn(closed.connect(client), "DEBUG", "HELP")).toEqual(REFUSED);
    const open = new EngineHarness({ debugCommand: "yes" });
    expect(open.runIn(open.connect(client), "DEBUG", "SLEEP", "0")).toBe("OK");
  }
});

test("as Redis: a wrong number of arguments first, then this, then the password; a transaction is spoiled", () => {
  const db = new EngineHarness({ debugCommand: "no", password: "p" });
  expect(db.run("DEBUG")).toEqual({
    error: "ERR wrong number of arguments for 'debug' command",
  });
  expect(db.run("DEBUG", "SLEEP", "0")).toEqual(REFUSED);
  db.run("AUTH", "p");
  db.run("MULTI");
  expect(db.run("DEBUG", "SLEEP", "0")).toEqual(REFUSED);
  expect(db.run("EXEC")).toEqual({
    error: "EXECABORT Transaction discarded because of previous errors.",
  });
});
