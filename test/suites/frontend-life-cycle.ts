/** Of `frontendSuite`: what a frontend takes and gives back, from the factory to `close`. */
import { expect } from "bun:test";
import { KvdbError } from "../../src/plugin.ts";
import { FrontendHost } from "./frontend-host.ts";
import type { FrontendTest } from "./frontend-suite.ts";
import type { Running, Trial } from "./frontend-trial.ts";

/** More calls to its host than any frontend makes while it opens. */
const MOST_CALLS = 1000;

export function lifeCycleTests(test: FrontendTest): void {
  test("the factory acquires nothing", async (trial) => {
    const host = new FrontendHost();
    const address = await trial.newAddress();
    trial.make(host, address);
    expect(host.held()).toEqual([]);
    await trial.expectFree(address);
  });

  test("close works without open", async (trial) => {
    const host = new FrontendHost();
    const frontend = trial.make(host, await trial.newAddress());
    await trial.close({ frontend }, 100);
    expect(host.held()).toEqual([]);
  });

  test("close gives back all that open and clients took, and the address can be used again", async (trial) => {
    const first = await trial.start();
    await expectService(trial, first, "1");
    await trial.close(first, 1000);
    expect(first.host.held()).toEqual([]);
    await trial.expectFree(first.address);
    const second = await trial.open(first.host, first.address);
    await expectService(trial, second, "2");
  });

  test("an address that is taken: open rejects with UNAVAILABLE, and close gives back the rest", async (trial) => {
    const host = new FrontendHost();
    const address = await trial.newAddress();
    const free = trial.occupy(address);
    const frontend = trial.make(host, address);
    const failure = await trial.within("opening", failureOf(frontend.open()));
    expect(failure).toBeInstanceOf(KvdbError);
    expect((failure as KvdbError).code).toBe("UNAVAILABLE");
    await trial.close({ frontend }, 100);
    expect(host.held()).toEqual([]);
    free();
    await expectService(trial, await trial.open(host, address), "1");
  });

  test("whichever call to the host fails in open, close gives back the rest", async (trial) => {
    for (let at = 1, struck = true; struck && at < MOST_CALLS; at++) {
      struck = await failingOpen(trial, at);
    }
  });

  test("a second instance stands beside the first, and outlives it", async (trial) => {
    const first = await trial.start();
    const second = await trial.open(first.host, await trial.newAddress());
    const client = await trial.connect(second);
    await trial.within("writing", client.set("key", "of the second"));
    const other = await trial.connect(first);
    expect(await trial.within("reading", other.get("key"))).toBe("of the second");
    await trial.close(first, 1000);
    expect(await trial.within("reading", client.get("key"))).toBe("of the second");
  });
}

async function expectService(trial: Trial, running: Running, value: string): Promise<void> {
  const client = await trial.connect(running);
  await trial.within("writing", client.set("key", value));
  expect(await trial.within("reading", client.get("key"))).toBe(value);
}

/** An `open` in which call `at` to the host throws; false when it makes fewer calls. */
async function failingOpen(trial: Trial, at: number): Promise<boolean> {
  let calls = 0;
  let struck = false;
  // What the factory does (it may add parameters) acquires nothing, so nothing is to be given back.
  let isOpening = false;
  const host = new FrontendHost({
    onCall: (name) => {
      if (!isOpening || ++calls !== at) return;
      struck = true;
      throw new KvdbError("INTERNAL", `${name} fails, as the test wants`);
    },
  });
  const address = await trial.newAddress();
  const frontend = trial.make(host, address);
  isOpening = true;
  await trial.within("opening", failureOf(frontend.open()));
  isOpening = false;
  await trial.close({ frontend }, 100);
  expect({ at, held: host.held() }).toEqual({ at, held: [] });
  await trial.expectFree(address);
  return struck;
}

/** What it rejects with; undefined when it resolves. */
async function failureOf(promise: Promise<void>): Promise<unknown> {
  try {
    await promise;
    return undefined;
  } catch (error) {
    return error;
  }
}
