/** When a replica has what its primary has: the same place in the stream, and the same data. */
import { expect } from "bun:test";
import type { Client } from "./client.ts";
import { until } from "./poll.ts";
import { infoNumber } from "./server.ts";

/** A field of INFO replication; empty: there is none. */
export async function replicationField(client: Client, field: string): Promise<string> {
  const info = String(await client.call("INFO", "replication"));
  return new RegExp(`^${field}:(.*?)\r?$`, "m").exec(info)?.[1] ?? "";
}

/** The replica has what the primary has. */
export async function inStep(primary: Client, replica: Client): Promise<void> {
  await until("the replica has everything", async () => {
    if ((await replicationField(replica, "master_link_status")) !== "up") return false;
    const offsets = [primary, replica].map((one) => infoNumber(one, "master_repl_offset"));
    const [wanted, reached] = await Promise.all(offsets);
    return wanted === reached;
  });
  expect(await replica.call("DEBUG", "DIGEST")).toEqual(await primary.call("DEBUG", "DIGEST"));
}
