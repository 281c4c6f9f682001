/** Who is let in and for how long, what the options mean, and what CONFIG sees and sets of them. */
import { afterEach, describe, expect, test } from "bun:test";
import { addressOf } from "../../../plugins/resp/addresses.ts";
import { isLoopback, settingsOf } from "../../../plugins/resp/options.ts";
import { tlsSettingsOf } from "../../../plugins/resp/tls.ts";
import { FrontendHarness } from "./frontend-harness.ts";

const bytes = (text: string): Buffer => Buffer.from(text, "latin1");

const opened: FrontendHarness[] = [];
afterEach(async () => {
  for (const harness of opened.splice(0)) await harness.close();
});

describe("who is let in", () => {
  test("no more than maxclients, who may be more from one moment to the next", async () => {
    const harness = await FrontendHarness.open({ settings: { maxclients: 2 } });
    const first = harness.connect();
    harness.connect();
    const third = harness.connect();
    expect([third.read(), third.closed]).toEqual(["-ERR max number of clients reached\r\n", "end"]);
    expect(harness.exchange(first, "CONFIG SET maxclients 3\r\n")).toBe("+OK\r\n");
    const fourth = harness.connect();
    expect(harness.exchange(fourth, "PING\r\n")).toBe("+PONG\r\n");
    first.break();
    expect(harness.connect().closed).toBe("no");
    expect(harness.connect().closed).toBe("end");
    expect(harness.db.engine.statistics.connectionsRejected).toBe(2);
  });

  test.each([
    ["127.0.0.1", "", true],
    ["127.8.9.10", "", true],
    ["::1", "", true],
    ["::ffff:127.0.0.1", "", true],
    ["10.0.0.1", "", false],
    ["::ffff:10.0.0.1", "", false],
    ["fe80::1", "", false],
    ["10.0.0.1", "secret", true],
  ])("from %s with password %j: %p", async (address, password, isLetIn) => {
    const harness = await FrontendHarness.open({ password });
    const socket = harness.connect(address);
    expect(socket.closed).toBe(isLetIn ? "no" : "end");
    expect(socket.read().startsWith("-DENIED ")).toBe(!isLetIn);
    expect(isLoopback(address)).toBe(isLetIn && password === "");
  });

  test("a TLS handshake that nobody ends is over after ten seconds", async () => {
    const files = { "tls-cert-file": "a", "tls-key-file": "b", "tls-auth-clients": "no" } as const;
    const tls = tlsSettingsOf({ "tls-port": 1, ...files });
    const harness = await FrontendHarness.open({ settings: { port: 0, tls, maxclients: 1 } });
    const silent = harness.connect();
    expect(harness.connect().closed).toBe("terminate");
    expect(harness.db.engine.sessions.size).toBe(1);
    for (let second = 0; second < 10; second++) harness.db.advance(1000);
    expect(silent.closed).toBe("no");
    harness.db.advance(1000);
    expect(silent.closed).toBe("terminate");
  });

  test("who is idle for longer than the timeout is sent home, whenever that is set", async () => {
    const harness = await FrontendHarness.open();
    const [idle, busy] = [harness.connect(), harness.connect()];
    harness.exchange(idle, "PING\r\n");
    for (let second = 0; second < 30; second++) harness.db.advance(1000);
    expect(idle.closed).toBe("no");
    expect(harness.exchange(busy, "CONFIG SET timeout 10\r\n")).toBe("+OK\r\n");
    for (let second = 0; second < 8; second++) {
      harness.db.advance(1000);
      harness.exchange(busy, "PING\r\n");
    }
    expect([idle.closed, busy.closed]).toEqual(["terminate", "no"]);
  });
});

describe("options", () => {
  test("what is not said has Redis's defaults, but for the address", () => {
    expect(settingsOf({})).toEqual({
      port: 6379,
      bind: ["127.0.0.1"],
      unixsocket: "",
      maxclients: 10_000,
      timeoutSeconds: 0,
      keepaliveSeconds: 300,
      isProtected: true,
      tls: tlsSettingsOf({}),
      ownerOnly: false,
    });
  });

  test.each([
    ["127.0.0.1 ::1", ["127.0.0.1", "::1"]],
    [
      ["10.0.0.1", "::1"],
      ["10.0.0.1", "::1"],
    ],
    ["* -::*", ["*", "-::*"]],
    ["  localhost ", ["localhost"]],
  ])("bind %j", (bind, expected) => {
    expect(settingsOf({ bind }).bind).toEqual(expected);
  });
});

test.each([
  ["*", { hostname: "0.0.0.0", isOptional: false }],
  ["-::*", { hostname: "::", isOptional: true }],
  ["-::1", { hostname: "::1", isOptional: true }],
  ["10.0.0.1", { hostname: "10.0.0.1", isOptional: false }],
])("address %j", (word, expected) => {
  expect(addressOf(word)).toEqual(expected);
});

describe("CONFIG", () => {
  test("shows the options and changes those that can change", async () => {
    const harness = await FrontendHarness.open({
      settings: { port: 6390, bind: ["::1", "127.0.0.1"] },
    });
    const get = (name: string) => harness.db.run("CONFIG", "GET", name);
    expect(get("port")).toEqual(new Map([["port", "6390"]]));
    expect(get("bind")).toEqual(new Map([["bind", "::1 127.0.0.1"]]));
    expect(harness.db.run("CONFIG", "SET", "tcp-keepalive", "17")).toBe("OK");
    expect(get("tcp-keepalive")).toEqual(new Map([["tcp-keepalive", "17"]]));
    expect(harness.server.settings.keepaliveSeconds).toBe(17);
  });

  test.each([
    ["maxclients", "0", "argument must be between 1 and"],
    ["maxclients", "x", "argument couldn't be parsed into an integer"],
    ["timeout", "-1", "argument must be between 0 and"],
    ["timeout", "1.5", "argument couldn't be parsed into an integer"],
    ["tcp-keepalive", "", "argument couldn't be parsed into an integer"],
  ])("refuses %s %j", async (name, value, reason) => {
    const harness = await FrontendHarness.open();
    const { error } = harness.db.run("CONFIG", "SET", name, value) as { error: string };
    expect(error).toContain(`(possibly related to argument '${name}') - ${reason}`);
  });
});

describe("opening", () => {
  test("with nothing to listen on is an error", async () => {
    const listening = FrontendHarness.open({ settings: { port: 0 } });
    await expect(listening).rejects.toMatchObject({ code: "CONFIG" });
  });

  test("a port that is taken is an error that names it, and nothing stays open", async () => {
    const first = await FrontendHarness.listen();
    opened.push(first);
    const address = `127.0.0.1:${first.port}`;
    const second = FrontendHarness.listen({
      settings: { port: first.port, bind: ["127.0.0.2", "127.0.0.1"] },
      onFailure: (harness) => opened.push(harness),
    });
    await expect(second).rejects.toMatchObject({
      code: "UNAVAILABLE",
      message: expect.stringContaining(address),
    });
    await opened.pop()?.close();
    const third = await FrontendHarness.listen({
      settings: { port: first.port, bind: ["127.0.0.2"] },
    });
    opened.push(third);
    expect(third.port).toBe(first.port);
  });
});

test("the statistics count what goes in and out", async () => {
  const harness = await FrontendHarness.open();
  const socket = harness.connect();
  const { statistics } = harness.db.engine;
  const before = { ...statistics };
  harness.exchange(socket, "PING\r\nPI");
  socket.deliver(bytes("NG\r\n"));
  harness.endTurn();
  expect(statistics.inputBytes - before.inputBytes).toBe(12);
  expect(statistics.outputBytes - before.outputBytes).toBe(14);
});
