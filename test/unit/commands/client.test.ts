import { describe, expect, test } from "bun:test";
import type { Session } from "../../../src/session/session.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";

describe("CLIENT LIST", () => {
  test("has a line for each session, with Redis's fields in its order", () => {
    const db = new EngineHarness();
    const other = db.connect({
      address: "127.0.0.1:4000",
      localAddress: "127.0.0.1:6379",
      inputBytes: () => 7,
      outputBytes: () => 100,
    });
    db.runIn(other, "SELECT", 2);
    db.runIn(other, "HELLO", 3, "SETNAME", "worker");
    db.advance(5000);
    const lines = String(db.run("CLIENT", "LIST")).split("\n");
    expect(lines).toHaveLength(3);
    expect(lines[1]).toBe(
      `id=${other.id} addr=127.0.0.1:4000 laddr=127.0.0.1:6379 fd=-1 name=worker age=5 idle=5 flags=N db=2 sub=0 psub=0 ssub=0 multi=-1 qbuf=7 qbuf-free=0 argv-mem=0 multi-mem=0 rbs=0 rbp=0 obl=0 oll=0 omem=100 tot-mem=107 events=rw cmd=hello user=default redir=-1 resp=3`,
    );
    expect(lines[0]).toContain("cmd=client|list");
    expect(lines[2]).toBe("");
  });

  test("shows what the client said of itself", () => {
    const db = new EngineHarness();
    db.run("CLIENT", "SETINFO", "lib-name", "mylib");
    db.run("CLIENT", "SETINFO", "LIB-VER", "1.2");
    db.run("CLIENT", "NO-EVICT", "on");
    db.run("CLIENT", "NO-TOUCH", "ON");
    const line = db.run("CLIENT", "INFO");
    expect(line).toContain("resp=2 lib-name=mylib lib-ver=1.2\n");
    expect(line).toContain("flags=eT ");
    db.run("CLIENT", "SETINFO", "LIB-NAME", "");
    expect(db.run("CLIENT", "INFO")).not.toContain("lib-name");
  });

  test("tells who comes through a socket of the file system", () => {
    const db = new EngineHarness();
    const local = db.connect({ address: "/run/kvdb.sock:0" });
    expect(db.runIn(local, "CLIENT", "INFO")).toContain("addr=/run/kvdb.sock:0 ");
    expect(db.runIn(local, "CLIENT", "INFO")).toContain("flags=U ");
  });

  test("by id and by type", () => {
    const db = new EngineHarness();
    const other = db.connect();
    const ids = (reply: unknown) =>
      String(reply)
        .match(/(?<=^id=)\d+/gm)
        ?.map(Number) ?? [];
    const listed = db.run("CLIENT", "LIST", "ID", other.id, 999, db.session.id, other.id);
    expect(ids(listed)).toEqual([other.id, db.session.id, other.id]);
    expect(ids(db.run("CLIENT", "LIST", "TYPE", "normal"))).toEqual([db.session.id, other.id]);
    expect(ids(db.run("CLIENT", "LIST", "TYPE", "replica"))).toEqual([]);
  });
});

describe("CLIENT SETINFO", () => {
  test.each([
    [["LIB-NAME", "a b"], "ERR LIB-NAME cannot contain spaces, newlines or special characters."],
    [["lib-ver", "1\n2"], "ERR lib-ver cannot contain spaces, newlines or special characters."],
    [["LIB", "x"], "ERR Unrecognized option 'LIB'"],
  ])("%p is refused", (words, error) => {
    const db = new EngineHarness();
    expect(db.run("CLIENT", "SETINFO", ...words)).toEqual({ error });
  });
});

describe("CLIENT KILL", () => {
  interface Killed {
    readonly db: EngineHarness;
    readonly sessions: readonly Session[];
    /** Index of the session, and how it was closed. */
    readonly closed: string[];
  }

  function threeClients(): Killed {
    const db = new EngineHarness();
    const closed: string[] = [];
    const sessions = [0, 1, 2].map((index) =>
      db.connect({
        address: `10.0.0.${index}:1`,
        localAddress: index === 2 ? "other:1" : "here:1",
        close: (when) => closed.push(`${index} ${when}`),
      }),
    );
    return { db, sessions, closed };
  }

  test("the old form names one address, also the caller's own", () => {
    const { db, sessions, closed } = threeClients();
    expect(db.runIn(sessions[0], "CLIENT", "KILL", "10.0.0.1:1")).toBe("OK");
    expect(db.runIn(sessions[0], "CLIENT", "KILL", "10.0.0.0:1")).toBe("OK");
    expect(closed).toEqual(["1 now", "0 afterReplies"]);
    expect(db.run("CLIENT", "KILL", "nobody")).toEqual({ error: "ERR No such client" });
  });

  test("the new form counts those that every filter fits, without the caller", () => {
    const { db, sessions, closed } = threeClients();
    expect(db.runIn(sessions[0], "CLIENT", "KILL", "LADDR", "here:1", "USER", "default")).toBe(1);
    expect(closed).toEqual(["1 now"]);
    const id = sessions[2].id;
    expect(db.run("CLIENT", "KILL", "ID", id, "ADDR", "10.0.0.1:1")).toBe(0);
    expect(db.run("CLIENT", "KILL", "ID", id, "TYPE", "normal")).toBe(1);
    expect(closed).toEqual(["1 now", "2 now"]);
  });

  test("SKIPME NO means the caller too", () => {
    const { db, sessions, closed } = threeClients();
    expect(db.runIn(sessions[1], "CLIENT", "KILL", "ADDR", "10.0.0.1:1", "SKIPME", "no")).toBe(1);
    expect(closed).toEqual(["1 afterReplies"]);
  });

  test("a filter that is wrong closes nobody", () => {
    const { db, closed } = threeClients();
    expect(db.run("CLIENT", "KILL", "TYPE", "normal", "ID", 0)).toEqual({
      error: "ERR client-id should be greater than 0",
    });
    expect(closed).toEqual([]);
  });
});

test("CLIENT REPLY: OFF and SKIP say nothing, SKIP waits for the next command", () => {
  const db = new EngineHarness();
  expect(() => db.run("CLIENT", "REPLY", "SKIP")).toThrow("no reply");
  expect(db.session.replyMode).toBe("skipNext");
  expect(() => db.run("CLIENT", "REPLY", "OFF")).toThrow("no reply");
  expect(() => db.run("CLIENT", "REPLY", "SKIP")).toThrow("no reply");
  expect(db.session.replyMode).toBe("off");
  expect(db.run("CLIENT", "REPLY", "ON")).toBe("OK");
});

test("CLIENT HELP is made of the table", () => {
  const db = new EngineHarness();
  const lines = db.run("CLIENT", "HELP") as string[];
  expect(lines[0]).toBe("CLIENT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
  expect(lines).toContain("SETNAME connection-name");
  expect(lines.slice(-2)).toEqual(["HELP", "    Prints this help."]);
});
