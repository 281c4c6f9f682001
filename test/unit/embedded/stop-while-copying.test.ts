// A stop while the checkpoint of a full copy is written: nobody waits for it.
import { expect, test } from "bun:test";
import { join } from "node:path";
import { openDatabase } from "../../../src/embedded/open.ts";
import type { StartSnapshotWorker } from "../../../src/kernel/snapshot-messages.ts";
import { startSnapshotThread } from "../../../src/kernel/snapshot-thread.ts";
import { writeRdb } from "../../../src/rdb/index.ts";
import { MemoryDisk } from "../../suites/index.ts";
import { inFolder } from "../kernel/conversion-harness.ts";
import { Folder } from "./opened.ts";

test("it is given up", async () => {
  await using folder = await Folder.create();
  const rdb = await rdbOfNew();
  const primary = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      data(socket, bytes) {
        const text = bytes.toString().toUpperCase();
        const oks = text.split("REPLCONF\r\n").length - 1;
        if (text.includes("PING")) socket.write("+PONG\r\n");
        socket.write("+OK\r\n".repeat(oks));
        if (!text.includes("PSYNC")) return;
        socket.write(`+FULLRESYNC ${"a".repeat(40)} 7\r\n$${rdb.length}\r\n`);
        socket.write(rdb);
      },
    },
  });
  const writing = Promise.withResolvers<void>();
  const startSnapshotWorker: StartSnapshotWorker = (tell) => {
    const worker = startSnapshotThread(tell);
    return {
      post: (order) => {
        if (order.kind === "task" && order.task.kind === "seal") writing.resolve();
        else worker.post(order);
      },
      stop: () => worker.stop(),
    };
  };
  const db = await openDatabase<string>(join(folder.path, "data"), { startSnapshotWorker });
  try {
    await db.set("data", "old");
    await db.call("REPLICAOF", "127.0.0.1", primary.port);
    await writing.promise;
    const begunMs = performance.now();
    await db.close();
    expect(performance.now() - begunMs).toBeLessThan(4000);
  } finally {
    primary.stop(true);
  }
  await using next = await openDatabase<string>(join(folder.path, "data"));
  expect(next.get("data")).toBe("old");
});

async function rdbOfNew(): Promise<Buffer> {
  const parts: Buffer[] = [];
  await inFolder("none", new MemoryDisk(), async (call, { engine }) => {
    await call("SET", "data", "new");
    const write = (bytes: Buffer, start: number, end: number) =>
      void parts.push(Buffer.from(bytes.subarray(start, end)));
    await writeRdb(engine.readEntries(), { write }, { proceed: () => {} });
  });
  return Buffer.concat(parts);
}
