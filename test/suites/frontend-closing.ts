/** Of `frontendSuite`: the orderly end, which is polite within its deadline. */
import { expect } from "bun:test";
import type { FrontendTest } from "./frontend-suite.ts";
import type { Running, Trial } from "./frontend-trial.ts";

/** What the kernel leaves a frontend that has nothing to wait for. */
const LONG_MS = 60_000;
/** The end of politeness where somebody makes it wait for ever. */
const SHORT_MS = 100;
/** The kernel gives up 1 s after the deadline; the rest is for a machine under heavy load. */
const MOST_BEYOND_MS = 3000;
const ROUND_TRIPS = 10;

export function closingTests(test: FrontendTest): void {
  test("clients that are connected and ask nothing do not delay it", async (trial) => {
    const running = await trial.start();
    const client = await trial.connect(running);
    await trial.within("writing", client.set("key", "1"));
    await trial.rawSocket(running.address); // one that never said a word
    await trial.close(running, LONG_MS);
    expect(running.host.held()).toEqual([]);
    if (client.closed !== undefined) await trial.within("the connection's end", client.closed);
  });

  test("lets in nobody afterwards", async (trial) => {
    const running = await trial.start();
    const client = await trial.connect(running);
    await trial.within("writing", client.set("key", "1"));
    await trial.close(running, LONG_MS);
    const before = running.host.commandCount;
    const asked = [client.get("key"), trial.connect(running).then((other) => other.get("key"))];
    const outcomes = await trial.within("being refused", Promise.allSettled(asked));
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(running.host.commandCount).toBe(before);
  });

  test("lets an answer leave that waits for the disk", async (trial) => {
    const running = await trial.start();
    const answer = await writeHeld(trial, running);
    const closing = trial.close(running, LONG_MS);
    running.host.persistence.sync();
    await closing;
    await trial.until("the answer arrives", () => answer.state() !== "pending");
    expect(answer.state()).not.toBe("lost");
    expect(running.host.held()).toEqual([]);
  });

  test("ends at its deadline though an answer still waits, which then never leaves", async (trial) => {
    const running = await trial.start();
    const answer = await writeHeld(trial, running);
    await closeInTime(trial, running);
    expect(running.host.held()).toEqual([]);
    running.host.persistence.sync();
    await trial.until("the connection ends", () => answer.state() !== "pending");
    expect(answer.state()).toBe("lost");
  });

  test("ends at its deadline though an answer is still to come, of which nobody is told then", async (trial) => {
    const running = await trial.start();
    const client = await trial.connect(running);
    const late = running.host.answerLater("slow");
    const answer = trial.watch(client.get("slow"));
    await trial.until("the command waits", () => late.waiting === 1);
    await closeInTime(trial, running);
    expect(running.host.held()).toEqual([]);
    expect(late.abandoned).toBe(1);
    await trial.until("the connection ends", () => answer.state() !== "pending");
    expect(answer.state()).toBe("lost");
  });

  test("ends at its deadline though a client does not read", async (trial) => {
    const running = await trial.start();
    const client = await trial.connect(running);
    const lazy = await trial.askLazily(running, client);
    for (let round = 0; round < ROUND_TRIPS; round++) {
      await trial.within("reading", client.get("nobody"));
    }
    await closeInTime(trial, running);
    expect(running.host.held()).toEqual([]);
    await trial.expectFree(running.address);
    lazy.socket.resume();
    await trial.within("the connection's end", lazy.closed);
    expect(lazy.receivedBytes()).toBeLessThan(lazy.allBytes);
  });
}

async function closeInTime(trial: Trial, running: Running): Promise<void> {
  const startMs = performance.now();
  await trial.close(running, SHORT_MS);
  expect(performance.now() - startMs).toBeLessThan(SHORT_MS + MOST_BEYOND_MS);
}

/** A write that was handed to the disk and waits for it. */
async function writeHeld(trial: Trial, running: Running) {
  const client = await trial.connect(running);
  const { persistence } = running.host;
  persistence.holdsSyncs = true;
  const answer = trial.watch(client.set("key", "1"));
  await trial.until("the write is handed to the disk", () => persistence.waiting > 0);
  return answer;
}
