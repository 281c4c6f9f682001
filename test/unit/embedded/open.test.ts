/** Opening and closing in a program: options, the folder, what is durable when, what fails how. */
import { expect, test } from "bun:test";
import { mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openDatabase } from "../../../src/embedded/open.ts";
import type { OpenOptions } from "../../../src/embedded/options.ts";
import { KvdbError } from "../../../src/errors.ts";
import { type Files, type OpenFile, systemFiles } from "../../../src/platform/files.ts";
import { definePlugin, open } from "../../../src/plugin.ts";
import { createFaultyFiles } from "../../suites/index.ts";
import { Folder, failureOf, openInMemory } from "./opened.ts";

test("what was written is there when the folder is opened again", async () => {
  await using folder = await Folder.create();
  {
    await using db = await open<object>(join(folder.path, "data"));
    await db.set("doc", { a: [1, 2] });
    await db.select(3).setBytes("bytes", new Uint8Array([0xff]));
    await db.call("INCR", "n");
  }
  await using db = await folder.open();
  expect(db.get("doc")).toEqual({ a: [1, 2] });
  expect(db.select(3).getBytes("bytes")).toEqual(new Uint8Array([0xff]));
  expect(db.get("n")).toBe("1");
  expect((await stat(join(folder.path, "data"))).mode & 0o777).toBe(0o700);
});

test("writes without await in between share one sync", async () => {
  await using folder = await Folder.create();
  const faulty = createFaultyFiles(systemFiles);
  const options = { dir: join(folder.path, "data") };
  await using db = await openDatabase<number>(options, { files: faulty.files });
  await db.set("first", 1);
  const before = faulty.operationCount;
  await Promise.all(Array.from({ length: 1000 }, (_, i) => db.set(`k${i}`, i)));
  const together = faulty.operationCount - before;
  for (let i = 0; i < 50; i++) await db.set("k", i);
  const single = faulty.operationCount - before - together;
  expect(together).toBeLessThan(5);
  expect(single).toBeGreaterThanOrEqual(50);
});

test("a folder is held by one", async () => {
  await using folder = await Folder.create();
  await using db = await folder.open();
  const failure = await failureOf(() => folder.open());
  expect(failure.code).toBe("HELD");
  expect(failure.message).toContain(String(process.pid));
  await db.close();
  await using again = await folder.open();
  expect(again.size).toBe(0);
});

test("after close nothing works, and closing again is harmless", async () => {
  await using folder = await Folder.create();
  const db = await folder.open<number>();
  const store = db.prefix("p:");
  const other = db.select(1);
  const keys = db.list();
  const written = db.set("last", 1);
  const closing = db.close();
  const calls = [
    ...[() => db.get("last"), () => db.getBytes("last"), () => db.has("last"), () => db.size],
    ...[() => db.set("a", 1), () => db.delete("a"), () => db.call("PING"), () => db.select(1)],
    ...[() => store.get("a"), () => other.get("a"), () => other.call("PING")],
    ...[() => db.list().next(), () => db.setBytes("a", new Uint8Array())],
  ];
  for (const when of ["while it closes", "afterwards"]) {
    for (const call of calls) {
      expect([when, (await failureOf(call)).code]).toEqual([when, "UNAVAILABLE"]);
    }
    await closing;
  }
  expect((await failureOf(() => keys.next())).code).toBe("UNAVAILABLE");
  await written;
  await Promise.all([db.close(), db[Symbol.asyncDispose]()]);
  await using again = await folder.open();
  expect(again.list().toArray()).toEqual(["last"]);
});

test("when the last flush fails, close and the writes that waited reject, and the folder is free", async () => {
  await using folder = await Folder.create();
  let isBroken = false;
  const files = refusingFiles(() => isBroken);
  const db = await openDatabase<number>({ dir: join(folder.path, "data") }, { files });
  await db.set("kept", 1);
  isBroken = true;
  const lost = failureOf(() => db.set("lost", 2));
  expect(db.get("lost")).toBe(2);
  const closing = failureOf(() => db.close());
  expect((await closing).code).toBe("IO");
  expect((await lost).code).toBe("IO");
  expect((await failureOf(() => db.close())).code).toBe("IO");
  isBroken = false;
  await using again = await folder.open();
  expect(again.get("kept")).toBe(1);
});

test("while the disk refuses: who waits is told so, writes are refused, reads go on", async () => {
  await using folder = await Folder.create();
  let isBroken = false;
  const files = refusingFiles(() => isBroken);
  const told = Promise.withResolvers<string>();
  const log = { level: "error", write: told.resolve } as const;
  const db = await openDatabase<number>({ dir: join(folder.path, "data"), log }, { files });
  isBroken = true;
  const waiting = [
    failureOf(() => db.set("key", 0)),
    failureOf(() => db.call("VALUE.SET", "key", 1)),
  ];
  expect(await told.promise).toContain("durable");
  const applied = { code: "IO", message: expect.stringMatching(/^applied in memory, not durable/) };
  expect(await Promise.all(waiting)).toMatchObject([applied, applied]);
  expect(await failureOf(() => db.set("key", 2))).toMatchObject({ reply: "MISCONF" });
  expect(db.get("key")).toBe(1);
  // A command's answer, other than `get`, tells nothing that may vanish.
  const shown = await failureOf(() => db.call("GET", "key"));
  expect(shown).toMatchObject({ code: "IO", message: expect.stringMatching(/^not shown/) });
  expect(await db.call("GET", "nobody")).toBeNull();
  isBroken = false;
  await db.call("WAITAOF", 1, 0, 0);
  await db.set("key", 3);
  await db.close();
  await using again = await folder.open();
  expect(again.get("key")).toBe(3);
});

test("wrong options are named, with what was expected, and nothing is opened", async () => {
  await using folder = await Folder.create();
  const dir = join(folder.path, "data");
  const cases: [options: unknown, named: string][] = [
    [{ dir, dirr: 1 }, 'dirr: unknown key, expected one of "dir"'],
    [{ dir, persistence: { use: "wal", fsnc: "no" } }, 'did you mean "fsync"'],
    [{ dir, persistence: "wall" }, 'did you mean "wal"'],
    [{ dir, persistence: "resp" }, 'plugin "resp" brings no persistence'],
    [{ dir, memory: { max: "1xb" } }, "memory.max: expected bytes"],
    [{ dir, databases: 0 }, "databases: expected"],
    [{ dir, plugins: ["./none.ts"] }, "there is no file"],
    [{ dir, frontends: [] }, "frontends: unknown key"],
    [{ dir, requirepass: "x" }, "requirepass: unknown key"],
    [{ dir, log: { write: "x" } }, "log.write: expected a function"],
    [{ dir, log: 5 }, "log: expected"],
    [{ dir, config: 5 }, "config: expected a string"],
    [{ dir, recover: "yes" }, "recover: expected true or false"],
    [{ dir: "" }, "dir: expected a path"],
    ["", "dir: expected a path"],
    [{ dir: 5 }, "dir: expected a path"],
    [null, "expected a folder or an object"],
    [5, "expected a folder or an object"],
  ];
  for (const [options, named] of cases) {
    const { code, message } = await failureOf(() => open(options as OpenOptions));
    expect({ code, message }).toEqual({ code: "CONFIG", message: expect.stringContaining(named) });
  }
  expect(await readdir(folder.path)).toEqual([]);
});

test("an option that is undefined is not given", async () => {
  await using db = await openInMemory({
    memory: undefined,
    log: undefined,
  } as unknown as OpenOptions);
  expect(db.size).toBe(0);
});

test("a configuration file is read when it is named, and options win over it", async () => {
  await using folder = await Folder.create();
  await mkdir(join(folder.path, "etc"));
  const config = join(folder.path, "etc/kvdb.config.json");
  const content = {
    dir: "from-file",
    databases: 2,
    requirepass: "secret",
    frontends: [{ use: "resp", port: 1 }],
    memory: { max: "1mb" },
  };
  await writeFile(config, JSON.stringify(content));
  {
    await using db = await open({ config });
    await db.set("key", 1);
    expect(await db.call("CONFIG", "GET", "maxmemory")).toEqual(
      new Map([["maxmemory", String(2 ** 20)]]),
    );
    expect((await failureOf(() => db.select(2))).code).toBe("COMMAND");
  }
  expect(await readdir(join(folder.path, "etc/from-file"))).toContain("kvdb.lock");
  await using db = await open({ config, dir: join(folder.path, "other"), databases: 3 });
  await db.select(2).set("key", 1);
  expect(await readdir(join(folder.path, "other"))).toContain("kvdb.lock");
});

test("what is wrong in a configuration file is told with its place", async () => {
  await using folder = await Folder.create();
  const config = join(folder.path, "kvdb.config.json");
  await writeFile(config, '{\n  "dirr": "x"\n}');
  const failure = await failureOf(() => open({ config, dir: folder.path }));
  expect(failure.code).toBe("CONFIG");
  expect(failure.message).toContain("kvdb.config.json:2: dirr: unknown key");
  const missing = await failureOf(() => open({ config: join(folder.path, "none.json") }));
  expect(missing.code).toBe("CONFIG");
});

test("nothing is printed, and what there is to tell goes to log.write, from its level on", async () => {
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  await (await openInMemory({ log: { write } })).close();
  expect(lines.filter((line) => line.includes("is ready"))).toHaveLength(1);
  expect(lines.every((line) => line.endsWith("\n"))).toBe(true);
  lines.length = 0;
  await (await openInMemory({ log: { level: "warn", write } })).close();
  expect(lines).toEqual([]);
});

test("a plugin brings a persistence that options name", async () => {
  await using folder = await Folder.create();
  const file = join(folder.path, "keep-nothing.ts");
  const text = `
    import { definePlugin } from "kvdb";
    const instance = {
      supports: { records: false, checkpoints: false },
      durability: "none",
      open: async () => {},
      load: async () => ({ records: 0, bytes: 0, lastRevision: 0, clean: true, dropped: [] }),
      append() {},
      flush: async () => {},
      close: async () => {},
    };
    export default definePlugin({ name: "keep-nothing", apiVersion: 1, persistence: () => instance });
  `;
  await writeFile(file, text);
  await using db = await folder.open({ plugins: [file], persistence: "keep-nothing" });
  await db.set("key", 1);
  expect(db.get("key")).toBe(1);
  expect(await readdir(folder.path)).toEqual(["keep-nothing.ts"]);
});

test("everysec: a write resolves without waiting for the disk, and close makes it durable", async () => {
  await using folder = await Folder.create();
  const persistence = { use: "wal", fsync: "everysec" } as const;
  const db = await folder.open<number>({ persistence });
  await db.set("key", 1);
  await db.close();
  await using again = await folder.open();
  expect(again.get("key")).toBe(1);
});

/** The disk, whose logs cannot be written while it is broken. */
function refusingFiles(isBroken: () => boolean): Files {
  const check = (path: string) => {
    if (isBroken() && path.endsWith(".log")) throw new KvdbError("IO", "the disk is gone");
  };
  return {
    ...systemFiles,
    async open(path, mode, options) {
      check(path);
      return refusingFile(await systemFiles.open(path, mode, options), check);
    },
  };
}

function refusingFile(file: OpenFile, check: (path: string) => void): OpenFile {
  const { path } = file;
  return {
    path,
    size: () => file.size(),
    read: (...args) => file.read(...args),
    readNow: (...args) => file.readNow(...args),
    async write(...args) {
      check(path);
      await file.write(...args);
    },
    writeNow(...args) {
      check(path);
      file.writeNow(...args);
    },
    async sync() {
      check(path);
      await file.sync();
    },
    truncate: (size) => file.truncate(size),
    lock: () => file.lock(),
    close: () => file.close(),
  };
}

test("nobody is followed whose copy could not take the place of the data", async () => {
  await using folder = await Folder.create();
  const plugin = definePlugin({
    ...{ name: "records-alone", apiVersion: 1 },
    persistence: () => ({
      supports: { records: true, checkpoints: false },
      durability: "always",
      open: async () => {},
      load: async () => ({ records: 0, bytes: 0, lastRevision: 0, clean: true, dropped: [] }),
      append() {},
      flush: async () => {},
      close: async () => {},
    }),
  });
  const options = { plugins: [plugin], persistence: "records-alone" };
  await using db = await folder.open(options);
  expect(await failureOf(() => db.call("REPLICAOF", "127.0.0.1", "6379"))).toMatchObject({
    message: expect.stringContaining("keeps no checkpoints"),
  });
  await db.set("key", 1);
  await db.close();
  const config = join(folder.path, "kvdb.config.json");
  await writeFile(config, JSON.stringify({ replication: { of: "127.0.0.1:6379" } }));
  const failure = await failureOf(() => folder.open({ ...options, config }));
  expect(failure.code).toBe("CONFIG");
  expect(failure.message).toContain("replication.of");
});
