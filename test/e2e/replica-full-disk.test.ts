/**
 * A replica whose disk has no room for the copy that comes: it serves what it has, says what is wrong, and goes on by itself when
 * there is room. The disk is a small file system of its own, where the system permits one (Linux, as a rule root).
 */
import { expect, test } from "bun:test";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { inStep, replicationField } from "./support/in-step.ts";
import { until } from "./support/poll.ts";
import { Server } from "./support/server.ts";
import { mayMount, withDisk } from "./support/small-disk.ts";
import { Workspace } from "./support/workspace.ts";

const MIB = 2 ** 20;
const DISK_BYTES = 48 * MIB;
const FILLER_BYTES = 40 * MIB;
const VALUES = 12;

test.skipIf(!mayMount).each([
  ["whose length is known", "no", "MiB free"],
  ["that comes while it is made", "yes", "ENOSPC"],
])(
  "no room for a copy %s: the old data is served until there is",
  async (_what, isDiskless, problem) => {
    await using there = await Workspace.create();
    await using workspace = await Workspace.create();
    await using source = await Server.start(there);
    const primary = await source.connect();
    await primary.call("CONFIG", "SET", "repl-diskless-sync", isDiskless);
    await primary.call("CONFIG", "SET", "repl-diskless-sync-delay", 0);
    for (let i = 0; i < VALUES; i++) {
      const noise = crypto.getRandomValues(Buffer.alloc(MIB / 16)).toString("hex");
      await primary.call("SET", `key:${i}`, noise.repeat(8));
    }
    await mkdir(workspace.path("disk"));
    await using server = await Server.start(workspace, {
      ...{ through: withDisk(workspace.path("disk"), DISK_BYTES), args: ["--dir", "disk/data"] },
    });
    /** The disk as the server sees it. */
    const disk = `/proc/${server.pid}/root${workspace.path("disk")}`;
    const replica = await server.connect();
    await replica.call("SET", "old", "1");
    await writeFile(`${disk}/filler`, Buffer.alloc(FILLER_BYTES, 1));
    await replica.call("REPLICAOF", "127.0.0.1", source.port);
    await until("it says what is wrong", async () =>
      (await replicationField(replica, "master_link_problem")).includes(problem),
    );
    expect(server.log).toContain(problem);
    expect(await replicationField(replica, "master_link_status")).toBe("down");
    expect(await replica.call("GET", "old")).toBe("1");
    expect(await replica.ask("SET", "old", "2")).toMatchObject({ code: "READONLY" });
    await rm(`${disk}/filler`);
    await inStep(primary, replica);
    expect(await replica.call("EXISTS", "old")).toBe(0);
    expect(await replicationField(replica, "master_link_problem")).toBe("");
  },
  60_000,
);
