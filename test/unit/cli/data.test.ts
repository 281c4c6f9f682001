/** The way to a folder that another process holds, when that process does not let anybody in. */
import { expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { reach } from "../../../src/cli/holder.ts";
import { FakeClock } from "../../suites/fake-clock.ts";

test.each([
  ["after ten seconds", 10_000, undefined],
  ["sooner by who has another way", 1000, 1000],
])(
  "a holder that accepts connections and says nothing is given up %s",
  async (_when, passedMs, limitMs) => {
    const folder = await mkdtemp(join(tmpdir(), "kvdb-reach-"));
    const socket = join(folder, "kvdb.sock");
    const { promise: asked, resolve } = Promise.withResolvers<void>();
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    const handlers = { data: () => resolve(), close: () => end() };
    const listener = Bun.listen({ unix: socket, socket: handlers });
    try {
      const clock = new FakeClock();
      const link = reach({ pid: process.pid, socket }, clock, {}, limitMs);
      await asked;
      clock.advance(passedMs);
      expect(await link).toBeUndefined();
      await ended; // and the connection is not left open
    } finally {
      listener.stop(true);
      await rm(folder, { recursive: true });
    }
  },
);

test("nobody there, and a holder without a socket: nobody is reached", async () => {
  const clock = new FakeClock();
  expect(await reach({ pid: process.pid, socket: "/nobody/there.sock" }, clock)).toBeUndefined();
  expect(await reach({ pid: process.pid }, clock)).toBeUndefined();
  expect(await reach(undefined, clock)).toBeUndefined();
});
