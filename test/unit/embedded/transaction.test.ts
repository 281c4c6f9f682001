/** Transactions of a program: all of what a function does, or nothing. */
import { describe, expect, test } from "bun:test";
import { definePlugin, KvdbError } from "../../../src/plugin.ts";
import { Folder, failureOf, openInMemory } from "./opened.ts";

describe("what the function writes", () => {
  test("stands as one change, survives, and is answered with what it returned", async () => {
    await using folder = await Folder.create();
    {
      await using db = await folder.open<number>();
      const before = Number(await db.call<string>("LASTSAVE"));
      expect(before).toBeGreaterThan(0);
      const sum = await db.transaction((tx) => {
        tx.set("a", 1);
        tx.set("b", 2, { ttlMs: 60_000 });
        tx.setBytes("bytes", new Uint8Array([255]));
        expect(tx.delete("a", "none")).toBe(1);
        tx.set("a", 3);
        tx.call("SELECT", 2);
        tx.set("in two", 1);
        tx.call("SELECT", 0);
        return (tx.get("a") ?? 0) + (tx.get("b") ?? 0);
      });
      expect(sum).toBe(5);
      expect(db.get("a")).toBe(3);
    }
    await using db = await folder.open<number>();
    expect([db.get("a"), db.get("b"), db.size]).toEqual([3, 2, 3]);
    expect(db.select(2).has("in two")).toBe(true);
    expect(db.has("in two")).toBe(false);
  });

  test("is undone when it throws, and what it threw is rethrown", async () => {
    await using db = await openInMemory<unknown>();
    await db.index.create("n", { use: "hash", field: "n", unique: true });
    await db.set("kept", { n: 1 });
    const mistake = new Error("enough");
    const failure = await db
      .transaction((tx) => {
        tx.set("kept", { n: 2 });
        tx.set("new", { n: 3 });
        tx.call("SELECT", 3);
        tx.set("elsewhere", 1);
        throw mistake;
      })
      .catch((error: unknown) => error);
    expect(failure).toBe(mistake);
    expect([db.get("kept"), db.size, db.select(3).size]).toEqual([{ n: 1 }, 1, 0]);
    await db.set("other", { n: 3 });
    expect(await db.count({ n: 3 })).toBe(1);
  });

  test("is undone when it returns a promise", async () => {
    await using db = await openInMemory();
    const failure = await failureOf(() =>
      db.transaction(async (tx) => {
        tx.set("a", 1);
      }),
    );
    expect([failure.code, db.size]).toEqual(["USAGE", 0]);
  });

  test("goes on behind an error that the function catches", async () => {
    await using db = await openInMemory();
    await db.set("text", "x");
    await db.transaction((tx) => {
      tx.set("a", 1);
      expect(() => tx.call("INCR", "text")).toThrow(KvdbError);
      tx.set("b", 2);
    });
    expect([...db.keys()].sort()).toEqual(["a", "b", "text"]);
  });

  test("is undone beyond what can be undone, also when the function takes no notice", async () => {
    await using db = await openInMemory();
    const value = new Uint8Array(8000);
    for (let i = 0; i < 10_000; i++) void db.setBytes(`k${i}`, value);
    const failure = await failureOf(() =>
      db.transaction((tx) => {
        for (let i = 0; i < 10_000; i++) {
          try {
            tx.setBytes(`k${i}`, new Uint8Array(8000).fill(1));
          } catch (error) {
            expect(error).toBeInstanceOf(KvdbError);
          }
        }
      }),
    );
    expect(failure.code).toBe("COMMAND");
    expect(db.getBytes("k0")).toEqual(value);
  }, 30_000);
});

describe("a transaction", () => {
  test("sees its own writes, behind its prefix, through every way to read", async () => {
    await using db = await openInMemory<number>();
    const users = db.prefix<number>("user:");
    await users.set("b", 2);
    await users.transaction((tx) => {
      tx.set("a", 1);
      expect([tx.has("a"), tx.get("b")]).toEqual([true, 2]);
      expect([...tx.iterate()]).toEqual([
        ["a", 1],
        ["b", 2],
      ]);
      expect([...tx.list()].sort()).toEqual(["a", "b"]);
      tx.prefix<number>("x:").set("y", 9);
    });
    expect([...db.keys()]).toEqual(["user:a", "user:b", "user:x:y"]);
  });

  test("is over when its function is", async () => {
    await using db = await openInMemory();
    const tx = await db.transaction((view) => view);
    expect((await failureOf(() => tx.get("a"))).code).toBe("USAGE");
    expect((await failureOf(() => tx.call("PING"))).code).toBe("USAGE");
  });

  test("lets nothing else come in between: the store itself, another one, or a command", async () => {
    await using db = await openInMemory();
    await db.transaction((tx) => {
      for (const use of [() => db.get("a"), () => db.select(1).get("a")]) {
        expect(use).toThrow("other commands are running as one");
      }
      const inner = db.transaction(() => {});
      const outer = db.set("a", 1);
      tx.set("b", 1);
      return Promise.allSettled([inner, outer]).then(() => {}) === undefined;
    });
    expect([db.has("a"), db.has("b")]).toEqual([false, true]);
    await db.transaction((tx) => tx.set("c", 1));
    expect(db.size).toBe(2);
  });

  test("lets nothing come in between behind a command of a plugin either", async () => {
    const plugin = definePlugin({
      name: "plus",
      apiVersion: 1,
      commands: () => [
        {
          ...{ name: "PLUS.SET", arity: 2, flags: ["write"], group: "plugin", since: "1" },
          ...{ summary: "Sets a key.", syntax: "key" },
          run(session, args, reply) {
            session.call("SET", args.bytes(1), "1");
            reply.ok();
          },
        },
      ],
    });
    await using db = await openInMemory({ plugins: [plugin] });
    const refused: Promise<KvdbError>[] = [];
    await failureOf(() =>
      db.transaction((tx) => {
        tx.call("PLUS.SET", "a");
        refused.push(failureOf(() => db.set("b", 1)));
        throw new KvdbError("USAGE", "undone");
      }),
    );
    expect((await refused[0])?.code).toBe("COMMAND");
    expect(db.size).toBe(0);
    expect(await db.call("PLUS.SET", "a")).toBe("OK");
    await db.set("b", 1);
  });

  test("takes no command whose effect is not in the data", async () => {
    await using db = await openInMemory();
    for (const [name, ...parts] of [
      ["CONFIG", "SET", "maxmemory", "0"],
      ["MULTI"],
      ["CLIENT", "SETNAME", "x"],
    ] as [string, ...string[]][]) {
      const failure = await failureOf(() => db.transaction((tx) => tx.call(name, ...parts)));
      expect(failure.code).toBe("COMMAND");
    }
    await db.transaction((tx) => expect(tx.call("BLPOP", "none", 0)).toBeNull());
  });

  test("has an argument that is a function, of an open database", async () => {
    const db = await openInMemory();
    expect((await failureOf(() => db.transaction(undefined as never))).code).toBe("USAGE");
    await db.close();
    expect((await failureOf(() => db.transaction(() => 1))).code).toBe("UNAVAILABLE");
  });

  test("is heard of by who watches and who waits, when it stands", async () => {
    await using db = await openInMemory();
    const popped = db.call("BLPOP", "list", 0);
    await db.transaction((tx) => tx.call("RPUSH", "list", "x"));
    expect(await popped).toEqual(["list", "x"]);
  });
});

test("MULTI and its kin are commands like others, on the connection of call", async () => {
  await using db = await openInMemory();
  expect(await db.call("MULTI")).toBe("OK");
  expect(await db.call("INCR", "n")).toBe("QUEUED");
  expect(await db.call("BLPOP", "none", 0)).toBe("QUEUED");
  expect(db.has("n")).toBe(false);
  expect(await db.call<unknown>("EXEC")).toEqual([1, null]);
  await db.call("WATCH", "n");
  await db.set("n", "9");
  await db.call("MULTI");
  expect(await db.call("EXEC")).toBeNull();
});

describe("writing by version", () => {
  test("exactly one of two with one version succeeds", async () => {
    await using db = await openInMemory<{ n: number } | string>();
    expect(db.version("k")).toBeUndefined();
    const first = { ifVersion: 0 };
    expect(await Promise.all([db.set("k", { n: 1 }, first), db.set("k", { n: 2 }, first)])).toEqual(
      [true, false],
    );
    const version = db.version("k") as number;
    expect(await db.set("k", "text", { ifVersion: version, ttlMs: 60_000 })).toBe(true);
    expect(await db.set("k", "other", { ifVersion: version })).toBe(false);
    expect([db.get("k"), (db.version("k") ?? 0) > version]).toEqual(["text", true]);
    expect(await db.set("k", "free")).toBeUndefined();
    expect(db.prefix("k").version("")).toBe(db.version("k") as number);
  });

  test("a version that is none is refused, and changes nothing", async () => {
    await using db = await openInMemory();
    for (const ifVersion of [-1, 1.5, "1" as never, null as never]) {
      expect((await failureOf(() => db.set("k", 1, { ifVersion }))).code).toBe("USAGE");
    }
    const bytes = new Uint8Array(1);
    const options = { ifVersion: 0 } as never;
    expect((await failureOf(() => db.setBytes("k", bytes, options))).code).toBe("USAGE");
    const inside = () => db.transaction((tx) => tx.set("k", 1, options));
    expect((await failureOf(inside)).code).toBe("USAGE");
    expect(db.size).toBe(0);
  });
});
