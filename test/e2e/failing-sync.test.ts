/** A disk that answers EIO, by strace where the system permits it: who is told what, and what is there in the end. */
import { expect, test } from "bun:test";
import { until } from "./support/poll.ts";
import { kvdb } from "./support/run.ts";
import { Server } from "./support/server.ts";
import { Injection, mayTrace } from "./support/strace.ts";
import { Workspace } from "./support/workspace.ts";

const canTrace = await mayTrace();

const WRITES = ["pwrite64", "pwritev", "pwritev2"];
const SYNCS = ["fsync", "fdatasync"];

test.skipIf(!canTrace).each([
  ["always", WRITES],
  ["everysec", SYNCS],
] as const)(
  "appendfsync %s, %j fail: errors at once, service resumes, nothing is lost",
  async (mode, calls) => {
    await using workspace = await Workspace.create();
    await using server = await Server.start(workspace, { args: ["--appendfsync", mode] });
    const client = await server.connect();
    const first = client.pipeline([
      ["SET", "before", "1"],
      ["WAITAOF", "1", "0", "0"],
    ]);
    expect(await first).toEqual(["OK", [1, 0]]);
    {
      await using _injection = await Injection.attach(server.pid, { calls, inject: "error=EIO" });
      const replies = await client.pipeline([
        ["SET", "n", "1"],
        ["ECHO", "a"],
        ["GET", "before"],
        ["GET", "n"],
      ]);
      if (mode === "always") {
        expect(replies).toMatchObject([
          { code: "MISCONF", message: expect.stringContaining("applied in memory, not durable") },
          ...["a", "1"],
          { code: "MISCONF", message: expect.stringContaining("not shown") },
        ]);
      } else {
        expect(replies).toEqual(["OK", "a", "1", "1"]); // the last second may be lost, as promised
        await until("the sync fails", () => server.log.includes("cannot be made durable"));
      }
      expect(await client.ask("SET", "n", "5")).toMatchObject({ code: "MISCONF" });
      expect(await client.call("INFO", "persistence")).toMatch(/^persistence_last_error:.*EIO/m);
    }
    // What was applied is written to a new segment, some time within a second.
    expect(await client.call("WAITAOF", "1", "0", "0")).toEqual([1, 0]);
    expect(await client.call("INCR", "n")).toBe(2);
    if (mode !== "always") await client.call("WAITAOF", "1", "0", "0");
    await server.kill();
    expect((await kvdb(workspace, ["mget", "before", "n"])).stdout).toBe('"1"\n"2"\n');
  },
);
