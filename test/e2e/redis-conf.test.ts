/** A server from a redis.conf, Debian's own among them; and CONFIG REWRITE of it, which redis-server reads. */
import { expect, test } from "bun:test";
import { accessSync, constants } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { freePort } from "../suites/free-port.ts";
import { Client } from "./support/client.ts";
import { until } from "./support/poll.ts";
import { REDIS } from "./support/redis.ts";
import { Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

const DEBIAN = "/etc/redis/redis.conf";

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return false;
  }
}

test("the directives that have an effect have it; the others are named in one warning", async () => {
  await using workspace = await Workspace.create();
  await workspace.write(
    "redis.conf",
    [
      "bind 127.0.0.1 -::1 -2001:db8::1",
      "protected-mode yes",
      "hz 50",
      "activerehashing yes",
      "databases 3",
      "requirepass pa55",
      "hash-max-ziplist-entries 5",
      "dbfilename here.rdb",
      'save "1 1"',
      "no-appendfsync-on-rewrite yes",
    ].join("\n"),
  );
  await using server = await Server.start(workspace, {
    args: ["redis.conf", "--requirepass", "secret"],
    password: "secret",
  });
  const client = await server.connect();
  expect(String(await client.ask("SELECT", 3))).toContain("out of range");
  await client.call("HSET", "hash", ...Array.from({ length: 12 }, (_, i) => `f${i}`));
  expect(await client.call("OBJECT", "ENCODING", "hash")).toBe("hashtable");
  const warnings = server.log.split("\n").filter((line) => line.includes("no effect"));
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toContain('"hz activerehashing no-appendfsync-on-rewrite"');
  // As Redis: an RDB by the save points, no AOF.
  await until(
    "the save point has saved",
    async () => (await stat(workspace.path("here.rdb")).catch(() => undefined))?.isFile() === true,
  );
  expect(await client.call("CONFIG", "GET", "appendonly")).toEqual(["appendonly", "no"]);
});

/** What can be had of the section REPLICATION, and what only one value can be had of. */
const OF_REPLICATION: Readonly<Record<string, string>> = {
  ...{ masterauth: "secret", masteruser: "ada", "replica-serve-stale-data": "no" },
  ...{ "replica-read-only": "no", "replica-priority": "10", "replica-announced": "no" },
  ...{ "replica-announce-ip": "10.0.0.9", "replica-announce-port": "1234" },
  ...{ "repl-diskless-sync": "no", "repl-diskless-sync-delay": "3" },
  ...{ "repl-diskless-sync-max-replicas": "2", "repl-ping-replica-period": "5" },
  ...{ "repl-timeout": "30", "repl-backlog-size": "2097152" },
  ...{ "min-replicas-to-write": "0", "min-replicas-max-lag": "5", "tls-replication": "no" },
};
const FIXED_OF_REPLICATION: Readonly<Record<string, readonly [is: string, other: string]>> = {
  "repl-diskless-load": ["disabled", "swapdb"],
  "repl-disable-tcp-nodelay": ["no", "yes"],
  "repl-backlog-ttl": ["0", "3600"],
  "replica-lazy-flush": ["yes", "no"],
  "slave-lazy-flush": ["yes", "no"],
  "replica-ignore-disk-write-errors": ["no", "yes"],
  "propagation-error-behavior": ["ignore", "panic-on-replicas"],
  "rdb-del-sync-files": ["yes", "no"],
};

test("all of the section REPLICATION is taken, or told; CONFIG SET says what cannot be had", async () => {
  await using workspace = await Workspace.create();
  const lines = Object.entries(OF_REPLICATION).map((words) => words.join(" "));
  const fixed = Object.entries(FIXED_OF_REPLICATION);
  const same = fixed.map(([name, [is]]) => `${name} ${is}`);
  const other = fixed.map(([name, [, otherwise]]) => `${name} ${otherwise}`);
  for (const extra of [same, other]) {
    await workspace.write("redis.conf", [...lines, ...extra].join("\n"));
    await using server = await Server.start(workspace, { args: ["redis.conf"] });
    const client = await server.connect();
    for (const [name, value] of Object.entries(OF_REPLICATION)) {
      expect(await client.call("CONFIG", "GET", name)).toEqual([name, value]);
      expect(await client.call("CONFIG", "SET", name, value)).toBe("OK");
    }
    for (const [name, [is, otherwise]] of fixed) {
      expect(await client.call("CONFIG", "GET", name)).toEqual([name, is]);
      expect(await client.call("CONFIG", "SET", name, is)).toBe("OK");
      const refused = await client.ask("CONFIG", "SET", name, otherwise);
      expect(String(refused)).toContain(`always "${is}"`);
    }
    const told = server.log.split("\n").filter((line) => line.includes("no effect"));
    expect(told).toHaveLength(extra === same ? 0 : 1);
    for (const [name] of fixed) expect(told.join().includes(name)).toBe(extra === other);
    expect(await server.stop()).toBe(0);
  }
}, 30_000);

test.skipIf(!isReadable(DEBIAN))("Debian's /etc/redis/redis.conf starts", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace, {
    args: [DEBIAN, "--dir", ".", "--logfile", "log"],
  });
  const client = await server.connect();
  expect(await client.call("SET", "a", "1")).toBe("OK");
  expect(await client.call("CONFIG", "GET", "maxclients")).toEqual(["maxclients", "10000"]);
  expect(await server.stop()).toBe(0);
  const log = await readFile(workspace.path("log"), "utf8");
  expect(log.split("\n").filter((line) => line.includes("no effect"))).toHaveLength(1);
  expect((await stat(workspace.path("dump.rdb"))).isFile()).toBe(true);
});

test.skipIf(REDIS === null)(
  "CONFIG REWRITE holds over a restart, and redis-server reads what it wrote",
  async () => {
    await using workspace = await Workspace.create();
    const file = await workspace.write(
      "redis.conf",
      "# ours\nappendonly yes\nappendfsync everysec\nsave 3600 1\nsave 300 100 # no comment\n".replace(
        " # no comment",
        "",
      ),
    );
    {
      await using server = await Server.start(workspace, { args: ["redis.conf"] });
      const client = await server.connect();
      await client.call(
        "CONFIG",
        "SET",
        "save",
        "1 1",
        "appendfsync",
        "always",
        "maxmemory",
        "64mb",
      );
      await client.call("CONFIG", "SET", "requirepass", 'a "b', "hash-max-listpack-value", "32");
      expect(await client.call("CONFIG", "REWRITE")).toBe("OK");
      expect(await server.stop()).toBe(0);
    }
    expect(await readFile(file, "utf8")).toBe(
      [
        ...["# ours", "appendonly yes", "appendfsync always", "save 1 1", ""],
        ...["# Generated by CONFIG REWRITE", "maxmemory 67108864", 'requirepass "a \\"b"'],
        ...["hash-max-listpack-value 32", ""],
      ].join("\n"),
    );
    const port = freePort();
    const redis = Bun.spawn([String(REDIS), file, "--port", String(port), "--bind", "127.0.0.1"], {
      cwd: workspace.folder,
      stdout: "ignore",
    });
    try {
      const settings = async (at: number) => {
        using client = await Client.connect({ host: "127.0.0.1", port: at });
        await client.call("AUTH", 'a "b');
        return await client.call(
          "CONFIG",
          "GET",
          "save",
          "appendfsync",
          "maxmemory",
          "hash-max-listpack-value",
        );
      };
      await until("redis-server answers", async () => {
        const [found] = await Promise.allSettled([settings(port)]);
        return found.status === "fulfilled";
      });
      await using server = await Server.start(workspace, {
        args: [file, "--dir", "other"],
        password: 'a "b',
      });
      const both = [await settings(port), await settings(server.port)] as string[][];
      const [theirs, ours] = both.map((words) => words.map(String).sort());
      expect(ours).toEqual(theirs as string[]);
      expect(ours).toContain("1 1");
    } finally {
      redis.kill();
      await redis.exited;
    }
  },
);
