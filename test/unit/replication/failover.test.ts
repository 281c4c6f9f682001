/** FAILOVER as the primary that gives its place away: what it waits for, whom it asks, and how it comes to an end. */
import { beforeEach, describe, expect, test } from "bun:test";
import { silentLog } from "../../../src/platform/log.ts";
import { Failover, type FailoverOptions } from "../../../src/replication/failover.ts";
import { Followers } from "../../../src/replication/followers.ts";
import { ServerReplication } from "../../../src/replication/replication.ts";
import type { FollowOptions } from "../../../src/session/replication.ts";
import { FakeClock } from "../../suites/fake-clock.ts";
import { FakeCopies, FakeReplica, settle } from "./fake-replica.ts";
import { FakeStream, STREAM_ID } from "./fake-stream.ts";

let stream: FakeStream;
let clock: FakeClock;
let followers: Followers;
let failover: Failover;
let isPaused: boolean;
/** What the other side of this server was told to do. */
let told: string[];
let answer: NonNullable<FollowOptions["failover"]>;

beforeEach(() => {
  stream = new FakeStream();
  clock = new FakeClock();
  isPaused = false;
  told = [];
  const ignore = () => {};
  followers = new Followers({
    ...{ stream, clock, log: silentLog, mark: () => "", replicaBit: 0, keptBytes: () => 0 },
    ...{
      onEnough: ignore,
      onLate: ignore,
      onFed: ignore,
      hurry: ignore,
      isFollowing: () => false,
      isJoining: () => false,
    },
  });
  followers.maker = new FakeCopies(stream);
  const replication = new ServerReplication(stream);
  replication.leading = followers;
  replication.following = {
    ...{ primary: null, advice: "" },
    ...{ failedCommands: 0, receivedBytes: 0, resetStatistics: ignore },
    follow: (host, port, options) => {
      told.push(`follow ${host} ${port}`);
      if (options?.failover) answer = options.failover;
      return true;
    },
    lead: async () => {
      told.push("lead");
      // Whoever was followed is so no more.
      answer(false, "somebody else is followed");
    },
  };
  const pause = {
    begin: () => {
      isPaused = true;
    },
    end: () => {
      isPaused = false;
    },
  };
  failover = new Failover({ followers, replication, pause, clock, log: silentLog, hurry: ignore });
});

/** A replica that is fed, and listens on 6379 + id. */
async function replica(id: number, acknowledged = stream.offset): Promise<FakeReplica> {
  const one = new FakeReplica(id, (session) => followers.forget(session));
  Object.assign(followers.announced(one.session), { port: 6379 + id });
  followers.begin(one.session, { id: STREAM_ID, offset: acknowledged + 1 });
  await settle();
  return one;
}

function begin(options: Partial<FailoverOptions> = {}): void {
  failover.begin({ target: null, timeoutMs: 0, isForced: false, ...options });
}

const TARGET = { host: "10.0.0.1", port: 6380 };

describe("a failover", () => {
  test("holds writes until a replica has everything, and has it take over", async () => {
    stream.append("12345");
    const behind = await replica(1, 2);
    begin();
    expect(isPaused).toBe(true);
    expect(followers.failoverState).toBe("waiting-for-sync");
    expect(told).toEqual([]);
    followers.acknowledge(behind.session, 5);
    expect(told).toEqual(["follow 10.0.0.1 6380"]);
    expect(followers.failoverState).toBe("failover-in-progress");
    expect(isPaused).toBe(true);
    answer(true, "");
    expect(isPaused).toBe(false);
    expect(followers.failoverState).toBe("no-failover");
  });

  test("waits for the one that it is to go to", async () => {
    stream.append("12345");
    const target = await replica(1, 2);
    await replica(2);
    begin({ target: TARGET });
    expect(told).toEqual([]);
    followers.acknowledge(target.session, 5);
    expect(told).toEqual(["follow 10.0.0.1 6380"]);
  });

  test("adds nothing to the stream meanwhile", async () => {
    stream.append("12345");
    await replica(1, 2);
    begin();
    followers.askForAcknowledgements();
    for (let second = 0; second < 20; second++) {
      clock.advance(1000);
      await settle();
    }
    expect(stream.text).toBe("12345");
  });

  test("is given up when nobody has everything in time", async () => {
    stream.append("12345");
    await replica(1, 2);
    begin({ timeoutMs: 500 });
    clock.advance(499);
    expect(isPaused).toBe(true);
    clock.advance(1);
    expect(isPaused).toBe(false);
    expect(told).toEqual([]);
    expect(followers.failoverState).toBe("no-failover");
  });

  test("by force goes to the target with what that has", async () => {
    stream.append("12345");
    await replica(1, 2);
    begin({ target: TARGET, timeoutMs: 500, isForced: true });
    clock.advance(500);
    expect(told).toEqual(["follow 10.0.0.1 6380"]);
  });

  test("that the target refuses leaves this server the primary", async () => {
    await replica(1);
    begin();
    answer(false, "it refuses");
    expect(told).toEqual(["follow 10.0.0.1 6380", "lead"]);
    expect(isPaused).toBe(true);
    await settle();
    expect(isPaused).toBe(false);
  });

  test("can be aborted, at both of its steps, and hears nothing of it afterwards", async () => {
    stream.append("12345");
    const one = await replica(1, 2);
    begin();
    failover.abort();
    expect(isPaused).toBe(false);
    followers.acknowledge(one.session, 5);
    expect(told).toEqual([]);
    begin();
    expect(told).toEqual(["follow 10.0.0.1 6380"]);
    failover.abort();
    expect(told.at(-1)).toBe("lead");
    await settle();
    answer(false, "late");
    expect(told).toHaveLength(2);
    expect(() => failover.abort()).toThrow("No failover in progress.");
  });
});

describe("no failover begins", () => {
  test("without replicas, or beside another one", async () => {
    expect(() => begin()).toThrow("FAILOVER requires connected replicas.");
    stream.append("12345");
    await replica(1, 2);
    begin();
    expect(() => begin()).toThrow("FAILOVER already in progress.");
  });

  test("to who is no replica, or has not all data yet", async () => {
    await replica(2);
    expect(() => begin({ target: TARGET })).toThrow(
      "FAILOVER target HOST and PORT is not a replica.",
    );
    const copying = new FakeReplica(1, (session) => followers.forget(session));
    Object.assign(followers.announced(copying.session), { port: 6380 });
    followers.begin(copying.session, { id: "?", offset: -1 });
    await settle();
    expect(() => begin({ target: TARGET })).toThrow("FAILOVER target replica is not online.");
    expect(isPaused).toBe(false);
  });

  test("by force without a target and a time", async () => {
    await replica(1);
    const text = "FAILOVER with force option requires both a timeout and target HOST and IP.";
    expect(() => begin({ isForced: true })).toThrow(text);
    expect(() => begin({ isForced: true, target: TARGET })).toThrow(text);
    expect(() => begin({ isForced: true, timeoutMs: 1 })).toThrow(text);
  });
});
