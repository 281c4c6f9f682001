/** Of `frontendSuite`: what clients can do to a frontend, to its host and to each other. */
import { expect } from "bun:test";
import { seededRandom } from "../../src/platform/random.ts";
import { KvdbError } from "../../src/plugin.ts";
import type { FrontendAbilities } from "./frontend-case.ts";
import type { FrontendTest } from "./frontend-suite.ts";
import { MIB, type Running, type Trial } from "./frontend-trial.ts";

/** What may be under way to him: in buffers of the frontend (a few MiB) and of the system (some MiB each side). */
const MOST_UNREAD_BYTES = 64 * MIB;
/** Of another client: by then everything that was asked for would have been answered. */
const ROUND_TRIPS = 30;

export function clientTests(test: FrontendTest, supports: FrontendAbilities): void {
  test("clients that go leave no session behind, also while their answer waits", async (trial) => {
    const running = await trial.start();
    const { host } = running;
    const before = host.sessionCount;
    const stays = await trial.connect(running);
    await trial.within("writing", stays.set("key", "1"));
    host.persistence.holdsSyncs = true;
    for (let count = 0; count < 20; count++) {
      const client = await trial.connect(running);
      if (count % 2 === 0) await trial.within("reading", client.get("nobody"));
      else trial.watch(client.set(`key ${count}`, "2"));
      client.close();
    }
    host.persistence.holdsSyncs = false;
    host.persistence.sync();
    await trial.until("their sessions are gone", () => {
      host.persistence.sync(); // what was written meanwhile
      return host.sessionCount <= before + 1;
    });
  });

  test("bytes that are no request hurt nobody else", async (trial) => {
    const running = await trial.start();
    const client = await trial.connect(running);
    const random = seededRandom(1);
    for (let count = 0; count < 50; count++) {
      const raw = await trial.rawSocket(running.address);
      raw.socket.resume();
      raw.socket.write(Uint8Array.from({ length: 1 + count * 20 }, () => random.below(256)));
      await trial.within("writing", client.set("key", String(count)));
      expect(await trial.within("reading", client.get("key"))).toBe(String(count));
      raw.socket.destroy();
    }
  });

  test("a client that does not read is answered within bounds, and delays nobody", async (trial) => {
    const running = await trial.start();
    const { host } = running;
    const client = await trial.connect(running);
    const lazy = await trial.askLazily(running, client);
    for (let round = 1; round <= ROUND_TRIPS; round++) {
      await trial.within("reading", client.get("nobody"));
      const unread = (host.commandCount - lazy.countBefore - round) * lazy.valueBytes;
      if (supports.pipelining) expect(unread).toBeLessThan(MOST_UNREAD_BYTES);
    }
    if (supports.sessions) await expectTold(trial, running);
    await trial.readAll(lazy);
    expect(host.waitingBytes().output).toBe(0);
  });

  test("a host without room for a client: he is sent home, the next one is served", async (trial) => {
    let isFull = false;
    const running = await trial.start({
      onCall: (name) => {
        if (!isFull || (name !== "connect" && name !== "openLink")) return;
        throw new KvdbError("UNAVAILABLE", "no room, as the test wants");
      },
    });
    isFull = true;
    const refused = async () => (await trial.connect(running)).get("key");
    await trial.within("being refused", Promise.allSettled([refused()]));
    isFull = false;
    const client = await trial.connect(running);
    await trial.within("writing", client.set("key", "1"));
    expect(await trial.within("reading", client.get("key"))).toBe("1");
  });

  if (supports.sessions) sessionTests(test);
}

/** What the frontend keeps for clients, as it tells it: as much as it can be, and not nothing. */
async function expectTold(trial: Trial, { host }: Running): Promise<void> {
  await trial.until("the bytes that wait are told", () => host.waitingBytes().output > 0);
  expect(host.waitingBytes().output).toBeLessThan(MOST_UNREAD_BYTES);
}

function sessionTests(test: FrontendTest): void {
  test("a client that goes before its answer came: the command is told, the session is gone", async (trial) => {
    const running = await trial.start();
    const { host } = running;
    const client = await trial.connect(running);
    const late = host.answerLater("slow");
    trial.watch(client.get("slow"));
    await trial.until("the command waits", () => late.waiting === 1);
    client.close();
    await trial.until("the command is told", () => late.abandoned === 1);
    await trial.until("the session is gone", () => host.sessionCount === 0);
  });

  test("the input that waits for its end is told, and forgotten with the client", async (trial) => {
    const running = await trial.start();
    const { host } = running;
    const raw = await trial.askHalf(running, "k".repeat(2_000));
    await trial.until("the bytes that wait are told", () => host.waitingBytes().input >= 900);
    expect(host.waitingBytes().input).toBeLessThan(3_000);
    raw.socket.destroy();
    await trial.until("the session is gone", () => host.sessionCount === 0);
  });

  for (const when of ["now", "afterReplies"] as const) {
    test(`the host ends a connection: ${when}`, async (trial) => {
      const running = await trial.start();
      const { host } = running;
      const client = await trial.connect(running);
      await trial.within("writing", client.set("key", "1"));
      const [session] = host.engine.sessions.values();
      session?.client.close(when);
      await trial.within("the end of the connection", client.closed ?? Promise.resolve());
      await trial.until("the session is gone", () => host.sessionCount === 0);
    });
  }

  test("the host ends a connection after its replies: one that waits still leaves", async (trial) => {
    const running = await trial.start();
    const { host } = running;
    const client = await trial.connect(running);
    host.persistence.holdsSyncs = true;
    const answer = trial.watch(client.set("key", "1"));
    await trial.until("the write is handed to the disk", () => host.persistence.waiting > 0);
    const [session] = host.engine.sessions.values();
    session?.client.close("afterReplies");
    const other = await trial.connect(running);
    await trial.within("reading", other.get("nobody"));
    expect(answer.state()).toBe("pending");
    host.persistence.sync();
    await trial.until("the answer leaves", () => answer.state() !== "pending");
    expect(answer.state()).not.toBe("lost");
    await trial.within("the end of the connection", client.closed ?? Promise.resolve());
  });
}
