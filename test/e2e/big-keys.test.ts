/** KEYS.BIG after a restart: what a checkpoint brings is known without a walk over the data. */
import { expect, test } from "bun:test";
import { Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

test("the largest keys are known after a restart from a checkpoint", async () => {
  await using workspace = await Workspace.create();
  const folder = ["--dir", "data"];
  {
    await using server = await Server.start(workspace, { args: folder });
    const client = await server.connect();
    await client.call("SET", "huge", "x".repeat(200_000));
    await client.call(
      "SADD",
      "members",
      ...Array.from({ length: 30_000 }, (_, i) => `member ${i}`),
    );
    await client.pipeline(Array.from({ length: 500 }, (_, i) => ["SET", `small:${i}`, "x"]));
    await client.call("SAVE");
    expect(await server.stop()).toBe(0);
  }
  await using server = await Server.start(workspace, { args: folder });
  const client = await server.connect();
  expect(await client.call("KEYS.BIG")).toEqual([
    [
      "key",
      "members",
      "database",
      0,
      "type",
      "set",
      "bytes",
      expect.any(Number),
      "elements",
      30_000,
    ],
    ["key", "huge", "database", 0, "type", "string", "bytes", expect.any(Number), "elements", 0],
  ]);
});
