/** Both sides together: what one does that concerns the other. */
import { expect, test } from "bun:test";
import { ServerReplication } from "../../../src/replication/replication.ts";
import { NO_REPLICAS } from "../../../src/session/replication.ts";
import { FakeStream } from "./fake-stream.ts";

function replication(lead: (stream: FakeStream) => Promise<void>) {
  const stream = new FakeStream();
  const both = new ServerReplication(stream);
  const released: string[] = [];
  both.leading = {
    ...NO_REPLICAS,
    forget: () => {},
    release: (reason) => void released.push(reason),
  };
  both.following = { primary: null, failedCommands: 0, follow: () => {}, lead: () => lead(stream) };
  return { both, released };
}

test("replicas of a replica learn of the id that it has as a primary", async () => {
  const { both, released } = replication((stream) => stream.renew());
  const leading = both.lead();
  expect(released).toEqual([]);
  await leading;
  expect(released).toHaveLength(1);
});

test("replicas of a primary that is told to be one are left alone", async () => {
  const { both, released } = replication(async () => {});
  await both.lead();
  expect(released).toEqual([]);
});
