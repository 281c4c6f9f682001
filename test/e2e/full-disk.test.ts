/**
 * Promise 5 of the specification: on a full disk reads go on, writes get an error, service resumes by itself. The disk is
 * a small file system of the server's own, where the system permits one (Linux, as a rule root).
 */
import { expect, test } from "bun:test";
import { cp, mkdir, rm, writeFile } from "node:fs/promises";
import type { ReplyError } from "./support/client.ts";
import { until } from "./support/poll.ts";
import { run } from "./support/run.ts";
import { Server } from "./support/server.ts";
import { mayMount, withDisk } from "./support/small-disk.ts";
import { Workspace } from "./support/workspace.ts";

const DISK_BYTES = 1_048_576;
const VALUE = "v".repeat(2000);

test.skipIf(!mayMount)("a script on a full disk ends, and what it printed is kept", async () => {
  await using workspace = await Workspace.create();
  await mkdir(workspace.path("disk"));
  const lines = Array.from({ length: 2000 }, (_, i) => `set key:${i} ${VALUE}\n`);
  await workspace.write("script.txt", lines.join(""));
  const script = `${workspace.executable} --force --dir disk/data < script.txt; code=$?
      ${workspace.executable} --dir disk/data dbsize; exit $code`;
  const command = [...withDisk(workspace.path("disk"), DISK_BYTES), "sh", "-c", script];
  const { code, stdout, stderr } = await run(workspace, command);
  expect(code).toBe(74);
  expect(stderr).toContain("ENOSPC");
  const printed = stdout.split("\n").filter((line) => line === "OK").length;
  expect(Number(stdout.split("\n").at(-2))).toBeGreaterThanOrEqual(printed);
});

test.skipIf(!mayMount)(
  "promise 5: a full disk: reads go on, writes are refused until there is room",
  async () => {
    await using workspace = await Workspace.create();
    await mkdir(workspace.path("disk"));
    // The folder is copied from under the server: no file may come or go meanwhile.
    await workspace.write("kvdb.config.json", {
      persistence: { use: "wal", compaction: { ratio: 0 } },
    });
    await using server = await Server.start(workspace, {
      ...{ through: withDisk(workspace.path("disk"), DISK_BYTES), args: ["--dir", "disk/data"] },
    });
    /** The disk as the server sees it. */
    const disk = `/proc/${server.pid}/root${workspace.path("disk")}`;
    await writeFile(`${disk}/filler`, "x".repeat(DISK_BYTES / 2));

    const writer = await server.connect();
    let acknowledged = 0;
    void (async () => {
      for (;;) {
        await writer.call("SET", `key:${acknowledged}`, VALUE);
        acknowledged++;
      }
    })().catch(() => undefined); // ends with the connection, at the latest
    const client = await server.connect();
    const refusal = await until("a write is refused", async () => {
      const reply = await client.ask("SET", "refused", "1");
      return typeof reply === "string" ? false : reply;
    });
    expect((refusal as ReplyError).code).toBe("MISCONF");
    expect(acknowledged).toBeGreaterThan(10);
    expect(await client.call("GET", "key:0")).toBe(VALUE);
    expect(server.log).toContain("ENOSPC");

    await rm(`${disk}/filler`);
    await until(
      "writes are taken again",
      async () => (await client.ask("SET", "after", "1")) === "OK",
    );
    writer.close();
    const known = acknowledged;
    const isFile = (path: string) => !path.endsWith("kvdb.sock"); // Bun's cp copies no sockets
    await cp(`${disk}/data`, workspace.path("copy"), { recursive: true, filter: isFile });
    await server.kill();

    const read = async (...command: string[]) => {
      const place = [workspace.executable, "--dir", "copy"];
      return (await run(workspace, [...place, ...command])).stdout;
    };
    for (const key of [0, known - 1]) expect(await read("strlen", `key:${key}`)).toBe("2000\n");
    expect(await read("get", "after")).toBe('"1"\n');
  },
);
