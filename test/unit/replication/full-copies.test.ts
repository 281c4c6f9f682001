// Who shares which full copy, over replicas that come and go while one is made; nothing is written.
import { describe, expect, test } from "bun:test";
import { silentLog } from "../../../src/platform/log.ts";
import {
  type CopyOrder,
  type CopyReceiver,
  FullCopies,
} from "../../../src/replication/full-copies.ts";
import type { FullCopy } from "../../../src/replication/full-copy.ts";
import { newLeadingSettings } from "../../../src/replication/leading-settings.ts";
import { FakeClock } from "../../suites/fake-clock.ts";
import { settled } from "./scripted-primary.ts";

const CUT = { id: "a".repeat(40), revision: 1, offset: 0, database: 0 };
const FILE = { read: async () => 0, close: async () => {} };

function begin() {
  const orders: { order: CopyOrder; outcome: PromiseWithResolvers<number> }[] = [];
  let cancelled = 0;
  const settings = { ...newLeadingSettings(), disklessDelaySeconds: 0 };
  const copies = new FullCopies({
    ...{ settings, clock: new FakeClock(), log: silentLog, streamId: () => CUT.id },
    maker: {
      make(order) {
        const outcome = Promise.withResolvers<number>();
        orders.push({ order, outcome });
        return outcome.promise;
      },
      cancel: () => cancelled++,
    },
  });
  return { copies, orders, cancelled: () => cancelled };
}

class Receiver implements CopyReceiver {
  readonly takesGrowing = true;
  copy: FullCopy | null = null;
  failure = "";

  begin(copy: FullCopy): void {
    this.copy = copy;
  }

  fail(failure: Error): void {
    this.failure = failure.message;
  }
}

describe("full copies", () => {
  test("who comes while one is written shares it", async () => {
    const { copies, orders } = begin();
    const [first, second] = [new Receiver(), new Receiver()];
    copies.want(first);
    orders[0]?.order.begun(CUT, FILE);
    copies.want(second);
    expect(second.copy).toBe(first.copy as FullCopy);
    copies.withdraw(first, first.copy);
    orders[0]?.outcome.resolve(0);
    await settled();
    expect(second.copy?.totalBytes).toBe(0);
    expect(orders).toHaveLength(1);
  });

  test("who comes while one is given up, since nobody wants it, gets the next one", async () => {
    const { copies, orders, cancelled } = begin();
    const [gone, late] = [new Receiver(), new Receiver()];
    copies.want(gone);
    orders[0]?.order.begun(CUT, FILE);
    copies.withdraw(gone, gone.copy);
    expect(cancelled()).toBe(1);
    copies.want(late);
    expect(late.copy).toBeNull();
    orders[0]?.outcome.reject(new Error("it is no longer wanted"));
    await settled();
    expect(late.failure).toBe("");
    expect(orders).toHaveLength(2);
    orders[1]?.order.begun(CUT, FILE);
    expect(late.copy).not.toBeNull();
  });

  test("also when it was given up before it had begun", async () => {
    const { copies, orders } = begin();
    const [gone, late] = [new Receiver(), new Receiver()];
    copies.want(gone);
    copies.withdraw(gone, null);
    expect(orders[0]?.order.isWanted).toBe(false);
    copies.want(late);
    orders[0]?.outcome.reject(new Error("it is no longer wanted"));
    await settled();
    expect(late.failure).toBe("");
    expect(orders).toHaveLength(2);
  });

  test("one that fails is told to all who wait for it, and is not made again for them", async () => {
    const { copies, orders } = begin();
    const waiting = new Receiver();
    copies.want(waiting);
    expect(orders[0]?.order.isWanted).toBe(true);
    orders[0]?.outcome.reject(new Error("the disk is full"));
    await settled();
    expect(waiting.failure).toContain("the disk is full");
    expect(orders).toHaveLength(1);
  });
});
