/** One end of a copy, where it does not answer as it should. */
import { expect, test } from "bun:test";
import { withServer } from "../../../src/cli/copy-place.ts";
import type { World } from "../../../src/cli/world.ts";
import { KvdbError } from "../../../src/errors.ts";
import { FakeClock } from "../../suites/fake-clock.ts";

test("a server that says nothing is given up", async () => {
  const clock = new FakeClock();
  const connected = Promise.withResolvers<void>();
  const listener = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    // What HELLO says has come: nothing is answered.
    socket: { data: () => connected.resolve() },
  });
  try {
    const world = { platform: { clock } } as unknown as World;
    const connecting = withServer(`redis://127.0.0.1:${listener.port}`, world, async () => {});
    await connected.promise;
    clock.advance(60_000);
    const failure = await connecting.catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(KvdbError);
    expect((failure as KvdbError).code).toBe("UNAVAILABLE");
    expect((failure as KvdbError).message).toContain("does not answer");
  } finally {
    listener.stop(true);
  }
});
