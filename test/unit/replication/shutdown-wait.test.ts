/** How long replicas are waited for before a stop, over a stream in memory; the commands and signals are in test/e2e. */
import { beforeEach, describe, expect, test } from "bun:test";
import { silentLog } from "../../../src/platform/log.ts";
import { Followers } from "../../../src/replication/followers.ts";
import { ShutdownWait } from "../../../src/replication/shutdown-wait.ts";
import { FakeClock } from "../../suites/fake-clock.ts";
import { FakeCopies, FakeReplica, settle } from "./fake-replica.ts";
import { FakeStream, STREAM_ID } from "./fake-stream.ts";

let stream: FakeStream;
let clock: FakeClock;
let followers: Followers;
let wait: ShutdownWait;
let isPaused: boolean;
let hurried: number;

beforeEach(() => {
  stream = new FakeStream();
  clock = new FakeClock();
  isPaused = false;
  hurried = 0;
  const hurry = () => {
    hurried++;
  };
  const nothing = () => {};
  followers = new Followers({
    ...{ stream, clock, log: silentLog, hurry, mark: () => "", replicaBit: 8 },
    ...{ onEnough: nothing, onLate: nothing, onFed: nothing, keptBytes: () => 0 },
    ...{ isFollowing: () => false, isJoining: () => false },
  });
  const pause = {
    begin: (_durationMs: number, mode: string, purpose?: string) => {
      isPaused = mode === "write" && purpose === "shutdown";
    },
    end: (purpose?: string) => {
      if (purpose === "shutdown") isPaused = false;
    },
  };
  wait = new ShutdownWait({ followers, stream, pause, clock, log: silentLog, hurry });
  stream.append("12345");
});

async function replica(id: number, acknowledged: number): Promise<FakeReplica> {
  const one = new FakeReplica(id, (session) => followers.forget(session));
  followers.begin(one.session, { id: STREAM_ID, offset: acknowledged + 1 });
  await settle();
  followers.acknowledge(one.session, acknowledged);
  return one;
}

/** What has come of the wish so far; undefined: nothing yet. */
async function outcome(wish: Promise<boolean>): Promise<boolean | undefined> {
  let result: boolean | undefined;
  void wish.then((mayStop) => {
    result = mayStop;
  });
  await settle();
  return result;
}

describe("a server that is to stop", () => {
  test("waits for nobody who has everything", async () => {
    await replica(1, 5);
    expect(wait.areReplicasBehind).toBe(false);
    expect(await outcome(wait.awaitReplicas())).toBe(true);
    expect(isPaused).toBe(false);
  });

  test("holds up writes, and asks, until all have what there was", async () => {
    const [first, second] = [await replica(1, 2), await replica(2, 4)];
    const wish = wait.awaitReplicas();
    expect([isPaused, wait.remainingMs]).toEqual([true, 10_000]);
    await settle();
    expect(stream.text).toContain("GETACK");
    expect(hurried).toBeGreaterThan(0);
    followers.acknowledge(first.session, 5);
    expect(await outcome(wish)).toBe(undefined);
    // The question itself need not be acknowledged.
    followers.acknowledge(second.session, 5);
    expect(await outcome(wish)).toBe(true);
    expect([isPaused, wait.remainingMs]).toEqual([true, null]);
    wait.giveUp();
    expect(isPaused).toBe(false);
  });

  test("waits for no longer than it is told", async () => {
    wait.timeoutSeconds = 3;
    await replica(1, 2);
    const wish = wait.awaitReplicas();
    clock.advance(2999);
    expect(await outcome(wish)).toBe(undefined);
    expect(wait.remainingMs).toBe(1);
    clock.advance(1);
    expect(await outcome(wish)).toBe(true);
    wait.timeoutSeconds = 0;
    expect(wait.areReplicasBehind).toBe(false);
    expect(await outcome(wait.awaitReplicas())).toBe(true);
  });

  test("waits for one that has no copy yet, and not for one that goes", async () => {
    followers.maker = new FakeCopies(stream);
    const one = new FakeReplica(1, (session) => followers.forget(session));
    followers.begin(one.session, { id: "?", offset: -1 });
    await settle();
    const wish = wait.awaitReplicas();
    expect(await outcome(wish)).toBe(undefined);
    one.session.client.close("now");
    expect(await outcome(wish)).toBe(true);
  });

  test("goes on when it is called off, for all that asked", async () => {
    expect(wait.abort()).toBe(false);
    await replica(1, 2);
    const wishes = [wait.awaitReplicas(), wait.awaitReplicas()];
    expect(wait.abort()).toBe(true);
    expect(await Promise.all(wishes.map(outcome))).toEqual([false, false]);
    expect([isPaused, wait.remainingMs, wait.abort()]).toEqual([false, null, false]);
  });
});
