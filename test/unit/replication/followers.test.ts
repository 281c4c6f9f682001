/**
 * What replicas are sent, in which order, and when they are let go: over a stream in memory and a copy that the test writes. The
 * replies to commands, and redis-server as a replica, are in test/e2e.
 */
import { beforeEach, describe, expect, test } from "bun:test";
import { silentLog } from "../../../src/platform/log.ts";
import type { Announced } from "../../../src/replication/follower.ts";
import { Followers } from "../../../src/replication/followers.ts";
import { FakeClock } from "../../suites/fake-clock.ts";
import { FakeCopies, FakeReplica, settle } from "./fake-replica.ts";
import { FakeStream, STREAM_ID } from "./fake-stream.ts";

const MARK = "f".repeat(40);
const PING = "*1\r\n$4\r\nPING\r\n";
const GETACK = "*3\r\n$8\r\nREPLCONF\r\n$6\r\nGETACK\r\n$1\r\n*\r\n";

let stream: FakeStream;
let copies: FakeCopies;
let clock: FakeClock;
let followers: Followers;
let isEnough: boolean;
let isFollowing: boolean;
let isJoining: boolean;
let isLate: boolean;
let isFed: boolean;
let hurried: number;
let warnings: string[];
let lastId: number;

beforeEach(() => {
  stream = new FakeStream();
  clock = new FakeClock();
  isEnough = true;
  isFollowing = false;
  isJoining = false;
  isLate = false;
  isFed = false;
  hurried = 0;
  warnings = [];
  lastId = 0;
  followers = new Followers({
    ...{ stream, clock, mark: () => MARK, replicaBit: 8, keptBytes: () => 0 },
    log: {
      ...silentLog,
      warn: (_message, fields) => void warnings.push(String(fields?.["reason"])),
    },
    onEnough: (now) => {
      isEnough = now;
    },
    hurry: () => {
      hurried++;
    },
    isFollowing: () => isFollowing,
    isJoining: () => isJoining,
    onLate: (now) => {
      isLate = now;
    },
    onFed: (now) => {
      isFed = now;
    },
  });
  copies = new FakeCopies(stream);
  followers.maker = copies;
  followers.settings.disklessDelaySeconds = 0;
});

type Asked = Parameters<Followers["begin"]>[1];

const ANYTHING = { id: "?", offset: -1 };

async function follow(asked: Asked, announced: Partial<Announced> = {}): Promise<FakeReplica> {
  const replica = new FakeReplica(++lastId, (session) => followers.forget(session));
  Object.assign(followers.announced(replica.session), announced);
  followers.begin(replica.session, asked);
  await settle();
  return replica;
}

/** One that has its copy and is fed. */
async function following(announced: Partial<Announced> = {}): Promise<FakeReplica> {
  const replica = await follow({ id: STREAM_ID, offset: stream.offset + 1 }, announced);
  replica.read();
  return replica;
}

/** Seconds go by, one after the other. */
async function pass(seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    clock.advance(1000);
    await settle();
  }
}

describe("a replica that asks for what the log has", () => {
  test("goes on where it was, and is fed with what comes", async () => {
    stream.append("0123456789");
    const replica = await follow({ id: STREAM_ID, offset: 5 });
    expect(replica.read()).toBe("+CONTINUE\r\n456789");
    stream.append("ab");
    await settle();
    expect(replica.read()).toBe("ab");
    expect(followers.copies).toEqual({ full: 0, partialGranted: 1, partialRefused: 0 });
    expect(followers.sentBytes).toBe("+CONTINUE\r\n456789ab".length);
    followers.resetStatistics();
    expect(followers.copies).toEqual({ full: 0, partialGranted: 0, partialRefused: 0 });
    expect(followers.sentBytes).toBe(0);
    expect(replica.session.isReplica).toBe(true);
    expect(replica.session.gates).toBe(8);
  });

  test("counts as one that has synced only as far as it has said so", async () => {
    stream.append("0123456789");
    const [one, other] = [await following(), await following()];
    followers.acknowledge(one.session, 10);
    expect([followers.acknowledged(10), followers.synced(0)]).toEqual([1, 0]);
    followers.acknowledge(one.session, 10, 4);
    followers.acknowledge(other.session, 10, 10);
    // What was on disk stays there.
    followers.acknowledge(one.session, 10, 3);
    expect([0, 4, 5, 10, 11].map((offset) => followers.synced(offset))).toEqual([2, 2, 1, 1, 0]);
  });

  test("has acknowledged nothing by that, nor by taking its copy", async () => {
    stream.append("0123456789");
    const [going, copied] = [await following(), await follow(ANYTHING)];
    copies.begin();
    copies.write("REDIS");
    await copies.end();
    expect(followers.replicas.map(({ state, offset }) => [state, offset])).toEqual([
      ["online", 0],
      ["online", 0],
    ]);
    expect(followers.acknowledged(0)).toBe(0);
    followers.acknowledge(going.session, 3);
    followers.acknowledge(copied.session, 10);
    expect([0, 3, 4, 10].map((offset) => followers.acknowledged(offset))).toEqual([2, 2, 1, 1]);
  });

  test("is told the id, if it takes one", async () => {
    const replica = await follow({ id: STREAM_ID, offset: 1 }, { takesId: true });
    expect(replica.read()).toBe(`+CONTINUE ${STREAM_ID}\r\n`);
  });

  test("is fed at its own pace: nothing more is read than it takes", async () => {
    stream.pieceBytes = 100 * 1024;
    stream.append("x".repeat(1_000_000));
    const replica = await follow({ id: STREAM_ID, offset: 1 });
    replica.read();
    replica.isStuck = true;
    stream.append("y".repeat(1_000_000));
    await settle();
    const waiting = replica.session.client.outputBytes();
    expect(waiting).toBeGreaterThanOrEqual(256 * 1024);
    expect(waiting).toBeLessThan(400 * 1024);
    replica.isStuck = false;
    replica.take();
    await settle();
    expect(replica.read().length).toBe(1_000_000);
  });

  test("is let go when the log reaches back to it no more", async () => {
    const replica = await following();
    replica.isStuck = true;
    stream.append("z".repeat(300_000));
    await settle();
    stream.append("z".repeat(300_000));
    stream.firstOffset = stream.offset;
    replica.isStuck = false;
    replica.take();
    await settle();
    expect(replica.closed).toBe("now");
    expect(warnings).toEqual(["the log begins later"]);
  });
});

describe("a replica that needs a copy", () => {
  test("is sent it as it grows, between two marks, and the stream behind its acknowledgement", async () => {
    stream.append("12345");
    const replica = await follow(ANYTHING, { takesGrowing: true });
    copies.begin();
    await settle();
    expect(replica.read()).toBe(`+FULLRESYNC ${STREAM_ID} 5\r\n$EOF:${MARK}\r\n`);
    copies.write("REDIS");
    await settle();
    expect(replica.read()).toBe("REDIS");
    stream.append("678");
    copies.write("0010");
    await copies.end();
    expect(replica.read()).toBe(`0010${MARK}`);
    expect(copies.closedFiles).toBe(1);
    followers.acknowledge(replica.session, 5);
    await settle();
    expect(replica.read()).toBe("678");
    expect(followers.copies).toEqual({ full: 1, partialGranted: 0, partialRefused: 0 });
  });

  test("is sent it with its length, whole, when it takes nothing else", async () => {
    const replica = await follow(ANYTHING);
    copies.begin();
    copies.write("REDIS");
    await settle();
    expect(replica.read()).toBe(`+FULLRESYNC ${STREAM_ID} 0\r\n`);
    await pass(1);
    expect(replica.read()).toBe("\n");
    stream.append("1");
    await copies.end();
    expect(replica.read()).toBe("$5\r\nREDIS1");
  });

  test("is sent it with its length when repl-diskless-sync is off", async () => {
    followers.settings.isDiskless = false;
    const replica = await follow(ANYTHING, { takesGrowing: true });
    copies.begin();
    copies.write("R");
    await copies.end();
    expect(replica.read()).toBe(`+FULLRESYNC ${STREAM_ID} 0\r\n$1\r\nR`);
  });

  test("of old is told no id, and is never too silent", async () => {
    const replica = await follow(null);
    copies.begin();
    copies.write("R");
    await copies.end();
    expect(replica.read()).toBe("$1\r\nR");
    await pass(70);
    expect(replica.closed).toBe("no");
  });

  test("counts as refused when it had wanted to go on", async () => {
    await follow({ id: "c".repeat(40), offset: 1 });
    await follow({ id: STREAM_ID, offset: 2 });
    expect(followers.copies).toEqual({ full: 2, partialGranted: 0, partialRefused: 2 });
  });

  test("alone is let go behind it", async () => {
    const replica = await follow(ANYTHING, { isCopyOnly: true, takesGrowing: true });
    copies.begin();
    copies.write("R");
    await copies.end();
    expect(replica.read()).toEndWith(`R${MARK}`);
    expect(replica.closed).toBe("afterReplies");
    expect(warnings).toEqual([]);
  });

  test("without data is sent an RDB that has none", async () => {
    const replica = await follow(ANYTHING, { isWithoutData: true });
    const [, copy] = replica.read().split("\r\n$");
    expect(copy).toMatch(/^\d+\r\nREDIS\d{4}/);
    expect(copy).toContain("repl-stream-db");
    expect(copies.orders).toEqual([]);
  });
});

describe("a copy", () => {
  test("is shared by those who gather for it, and by who comes while it is written", async () => {
    followers.settings.disklessDelaySeconds = 5;
    const first = await follow(ANYTHING, { takesGrowing: true });
    await pass(4);
    const second = await follow(ANYTHING, { takesGrowing: true });
    expect(copies.orders).toHaveLength(0);
    await pass(1);
    expect(copies.orders).toHaveLength(1);
    copies.begin();
    copies.write("REDIS");
    const third = await follow(ANYTHING, { takesGrowing: true });
    await copies.end();
    for (const replica of [first, second, third]) {
      expect(replica.read()).toEndWith(`$EOF:${MARK}\r\nREDIS${MARK}`);
    }
    expect(copies.orders).toHaveLength(1);
    expect(copies.closedFiles).toBe(1);
  });

  test("begins early when enough replicas wait", async () => {
    followers.settings.disklessDelaySeconds = 5;
    followers.settings.disklessMaxReplicas = 2;
    await follow(ANYTHING, { takesGrowing: true });
    expect(copies.orders).toHaveLength(0);
    await follow(ANYTHING, { takesGrowing: true });
    expect(copies.orders).toHaveLength(1);
  });

  test("that fails ends those who wait for it, and the next one is made anew", async () => {
    const waiting = await follow(ANYTHING);
    await copies.fail(new Error("the disk is full"));
    expect(waiting.closed).toBe("now");
    const reading = await follow(ANYTHING, { takesGrowing: true });
    copies.begin();
    copies.write("RE");
    await settle();
    await copies.fail(new Error("the disk is full"));
    expect(reading.closed).toBe("now");
    expect(warnings).toEqual([expect.stringContaining("full"), expect.stringContaining("full")]);
    expect(copies.closedFiles).toBe(1);
    await follow(ANYTHING);
    expect(copies.orders).toHaveLength(3);
  });

  test("is given up when the last one who reads it is gone, and not before", async () => {
    const one = await follow(ANYTHING, { takesGrowing: true });
    const other = await follow(ANYTHING, { takesGrowing: true });
    copies.begin();
    await settle();
    one.session.client.close("now");
    copies.write("R");
    await settle();
    expect(copies.cancelled).toBe(0);
    other.session.client.close("now");
    copies.write("E");
    await settle();
    expect(copies.cancelled).toBe(1);
    await copies.fail(new Error("nobody wants it"));
    expect(copies.closedFiles).toBe(1);
  });

  test("is not begun for who is gone before", async () => {
    followers.settings.disklessDelaySeconds = 5;
    const replica = await follow(ANYTHING, { takesGrowing: true });
    replica.session.client.close("now");
    await pass(6);
    expect(copies.orders).toHaveLength(0);
  });

  test("of another stream is not given to who comes behind its change of id", async () => {
    await follow(ANYTHING);
    copies.begin();
    await stream.renew();
    const late = await follow(ANYTHING);
    await copies.end();
    expect(late.read()).toBe("");
    expect(copies.orders).toHaveLength(2);
    copies.begin();
    await settle();
    expect(late.read()).toBe(`+FULLRESYNC ${"b".repeat(40)} 0\r\n`);
  });
});

describe("while there are replicas", () => {
  test("the stream shows that the primary lives", async () => {
    const replica = await following();
    await pass(9);
    expect(replica.read()).toBe("");
    await pass(1);
    expect(replica.read()).toBe(PING);
  });

  test("a replica's own replicas are shown it by its primary alone", async () => {
    isFollowing = true;
    const replica = await following();
    await pass(11);
    expect(replica.read()).toBe("");
  });

  test("nothing is noted, and no timer runs, when the last one is gone", async () => {
    const replica = await following();
    replica.session.client.close("now");
    await pass(30);
    expect(stream.text).toBe("");
  });

  test("one that was not heard of for repl-timeout is let go", async () => {
    followers.settings.timeoutSeconds = 20;
    const silent = await following();
    const busy = await following();
    const speaking = await following();
    for (let second = 0; second < 22; second++) {
      // It loads a copy, and sends empty lines meanwhile.
      busy.inputCount++;
      followers.acknowledge(speaking.session, 0);
      await pass(1);
    }
    expect([silent.closed, busy.closed, speaking.closed]).toEqual(["now", "no", "no"]);
  });

  test("one that takes nothing of its copy for repl-timeout is let go, and one that waits is not", async () => {
    const stuck = await follow(ANYTHING, { takesGrowing: true });
    const patient = await follow(ANYTHING);
    copies.begin();
    await settle();
    stuck.isStuck = true;
    copies.write("REDIS");
    await pass(62);
    expect([stuck.closed, patient.closed]).toEqual(["now", "no"]);
  });

  test("what they have acknowledged is known", async () => {
    stream.append("x".repeat(100));
    const replica = await follow({ id: STREAM_ID, offset: 41 });
    followers.acknowledge(replica.session, 70);
    followers.acknowledge(replica.session, 60);
    Object.assign(followers.announced(replica.session), { port: 6380 });
    await pass(3);
    expect(followers.replicas).toEqual([
      {
        ...{ sessionId: 1, ip: "10.0.0.1", port: 6380, state: "online", offset: 70 },
        ...{ lagSeconds: 3, lagBytes: 30 },
      },
    ]);
    expect(followers.acknowledged(70)).toBe(1);
    expect(followers.acknowledged(71)).toBe(0);
  });

  test("they are asked for acknowledgements once for all that ask in a turn", async () => {
    await following();
    followers.askForAcknowledgements();
    followers.askForAcknowledgements();
    await settle();
    expect(stream.text).toBe(GETACK);
    expect(hurried).toBe(1);
  });

  test("too few that keep up refuse writes, until they do again", async () => {
    Object.assign(followers.settings, { minReplicas: 1, maxLagSeconds: 3 });
    followers.refresh();
    expect(isEnough).toBe(false);
    const replica = await following();
    expect(isEnough).toBe(true);
    await pass(4);
    expect(isEnough).toBe(false);
    followers.acknowledge(replica.session, 0);
    expect(isEnough).toBe(true);
    replica.session.client.close("now");
    expect(isEnough).toBe(false);
    followers.settings.minReplicas = 0;
    followers.refresh();
    expect(isEnough).toBe(true);
  });

  test("a server that follows does not ask for enough of its own", () => {
    isFollowing = true;
    Object.assign(followers.settings, { minReplicas: 1 });
    followers.refresh();
    expect(isEnough).toBe(true);
  });

  test("they are told what is published, outside of a transaction's record", async () => {
    const publish = () => followers.published("PUBLISH", Buffer.from("c"), Buffer.from("hi"));
    publish();
    expect(stream.text).toBe("");
    const replica = await following();
    const sent = "*3\r\n$7\r\nPUBLISH\r\n$1\r\nc\r\n$2\r\nhi\r\n";
    publish();
    expect(stream.text).toBe(sent);
    isJoining = true;
    publish();
    expect(stream.text).toBe(sent);
    await settle();
    expect(replica.read()).toBe(sent + sent);
  });

  test("what one that is late needs is kept, until it is no longer late or gone", async () => {
    const copying = await follow(ANYTHING, { takesGrowing: true });
    expect(isLate).toBe(true);
    copies.begin();
    copies.write("R");
    await copies.end();
    await pass(1);
    expect(isLate).toBe(true);
    followers.acknowledge(copying.session, 0);
    await settle();
    await pass(1);
    expect(isLate).toBe(false);
    copying.isStuck = true;
    stream.append("x".repeat(2_000_000));
    await pass(1);
    expect(isLate).toBe(true);
    copying.session.client.close("now");
    expect(isLate).toBe(false);
  });

  test("what comes is kept for those that are sent it, and not for one that takes its copy", async () => {
    const copying = await follow(ANYTHING, { takesGrowing: true });
    copies.begin();
    copies.write("R");
    await copies.end();
    await pass(1);
    expect(isFed).toBe(false);
    followers.acknowledge(copying.session, 0);
    await settle();
    expect(isFed).toBe(true);
    copying.session.client.close("now");
    expect(isFed).toBe(false);
  });

  test("those that were told a place are let go when it is another one", async () => {
    const waiting = await follow(ANYTHING);
    copies.begin();
    const told = [await following(), waiting];
    await stream.renew();
    const asking = await follow(ANYTHING);
    followers.release("the stream is another one");
    expect(told.map(({ closed }) => closed)).toEqual(["now", "now"]);
    expect(asking.closed).toBe("no");
    expect(followers.count).toBe(1);
  });
});
