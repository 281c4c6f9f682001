// The side that follows, over the times that go wrong: with a scripted primary, a clock that moves by hand and no data.
import { describe, expect, test } from "bun:test";
import type { KvdbError } from "../../../src/errors.ts";
import { silentLog } from "../../../src/platform/log.ts";
import { seededRandom } from "../../../src/platform/random.ts";
import type { CopyFile } from "../../../src/replication/copy-file.ts";
import { FollowingSide } from "../../../src/replication/following.ts";
import { ReplicaSettings } from "../../../src/replication/replica-settings.ts";
import type {
  ApplicationEvents,
  StreamApplication,
} from "../../../src/replication/stream-application.ts";
import { FakeClock } from "../../suites/fake-clock.ts";
import { ScriptedPrimary, settled } from "./scripted-primary.ts";

const ID = "a".repeat(40);
const OTHER_ID = "b".repeat(40);
const OKS = "+PONG\r\n+OK\r\n+OK\r\n";

/** A copy that is in memory, if there is a disk. */
function copyFile() {
  return {
    isFull: false,
    size: 0,
    onRoom: () => {},
    onFailure: (_error: KvdbError) => {},
    append(bytes: Buffer) {
      this.size += bytes.length;
    },
    requireRoom: async () => {},
    whole: async () => "path",
    close: async () => {},
  };
}

async function begin(isInUse = true) {
  const primary = new ScriptedPrimary();
  const clock = new FakeClock();
  const told: string[] = [];
  let onDurable = () => {};
  let applied: ApplicationEvents | undefined;
  const waiting = { bytes: 0 };
  const disk = {
    synced: null as number | null,
    durable: 0,
    last: 0,
    copy: copyFile(),
    opening: Promise.resolve(),
    fails: "",
    wants: false,
    obstacle: "",
  };
  const stream = {
    ...{ id: ID, offset: 100, isInUse, isFollowing: false, database: 0 },
    async follow() {
      stream.isFollowing = true;
    },
    async rename(id: string) {
      stream.id = id;
    },
    async renew() {
      stream.id = OTHER_ID;
      stream.isFollowing = false;
    },
    adopt: async () => {},
    confirm: () => {},
  };
  const side = new FollowingSide({
    ...{ clock, random: seededRandom(1), log: silentLog, settings: new ReplicaSettings(), stream },
    connect: primary.connect,
    host: {
      get obstacle() {
        return disk.obstacle;
      },
      beginFollowing: () => told.push("replica"),
      endFollowing: () => told.push("primary"),
      linkChanged: (isUp) => told.push(isUp ? "up" : "down"),
      openCopy: async () => {
        if (disk.fails !== "") throw new Error(disk.fails);
        const copy = copyFile();
        disk.copy = copy;
        await disk.opening;
        return copy as unknown as CopyFile;
      },
      async takeCopy(_path, { id, offset }) {
        Object.assign(stream, { id, offset, isInUse: true });
        told.push(`${disk.copy.size} bytes taken`);
      },
      createApplication(events, client) {
        applied = events;
        return {
          ...{ waitingBytes: 7, restart: () => {}, close: () => {}, session: { client } },
          takeWish: () => disk.wants,
          push: ({ length }: Buffer) => {
            waiting.bytes += length;
            return true;
          },
          forgetWaiting: () => {
            waiting.bytes = 0;
          },
        } as unknown as StreamApplication;
      },
      listeningPort: 6380,
      timeoutSeconds: 60,
      get syncedRevision() {
        return disk.synced;
      },
      get durableRevision() {
        return disk.durable;
      },
      get lastRevision() {
        return disk.last;
      },
      onDurable: (listener) => {
        onDurable = listener;
        return () => {};
      },
    },
  });
  side.follow("primary", 6379);
  await settled();
  return {
    ...{ primary, clock, told, side, stream, disk },
    durable: (revision: number) => {
      disk.durable = revision;
      onDurable();
    },
    applied: () => applied as ApplicationEvents,
    /** Up to so many bytes of what has come, and is not applied. */
    apply: (bytes: number) => {
      const count = Math.min(bytes, waiting.bytes);
      waiting.bytes -= count;
      stream.offset += count;
      applied?.onApplied();
    },
  };
}

type World = Awaited<ReturnType<typeof begin>>;

async function goOn({ primary }: World, id = ""): Promise<void> {
  primary.say(`${OKS}+CONTINUE${id}\r\n`);
  for (let i = 0; i < 5; i++) await settled();
}

describe("resting", () => {
  test("is being a replica of nobody, with advice, until it leads or follows", async () => {
    const world = await begin();
    const { side, told, stream } = world;
    await side.lead();
    told.length = 0;
    side.rest();
    expect(side.advice).toContain("replicaof no one");
    expect(side.primary).toBeNull();
    side.follow("primary", 6379);
    expect(side.advice).toBe("");
    await side.lead();
    expect(told).toEqual(["replica", "down", "primary"]);
    side.rest();
    stream.id = ID;
    await side.lead();
    expect([side.advice, stream.id]).toEqual(["", OTHER_ID]);
    expect(told).toEqual(["replica", "down", "primary", "replica", "primary"]);
  });

  test("nobody is followed where nobody can be", async () => {
    const { side, disk } = await begin();
    await side.lead();
    disk.obstacle = "not from here";
    expect(() => side.follow("primary", 6379)).toThrow("not from here");
    expect(side.primary).toBeNull();
  });
});

describe("following", () => {
  test("what follows the data is asked for, and acknowledged each second", async () => {
    const world = await begin();
    const { primary, clock, told } = world;
    await goOn(world);
    expect(primary.take().at(-1)).toBe("REPLCONF ACK 100");
    expect(told).toEqual(["replica", "up"]);
    clock.advance(3000);
    expect(primary.take()).toEqual(Array(3).fill("REPLCONF ACK 100"));
    expect(world.side.primary).toMatchObject({ link: "connected", downSinceSeconds: -1 });
  });

  test("what is on disk is told beside it, where there is a log", async () => {
    const world = await begin();
    const { primary, clock, stream, disk } = world;
    Object.assign(disk, { last: 3, durable: 3, synced: 2 });
    world.side.follow("other", 6379);
    await settled();
    await goOn(world);
    // Whether the last change before is on disk is not known.
    expect(primary.take().at(-1)).toBe("REPLCONF ACK 100");
    disk.synced = 3;
    clock.advance(1000);
    expect(primary.take()).toEqual(["REPLCONF ACK 100 FACK 100"]);
    Object.assign(stream, { offset: 150 });
    Object.assign(disk, { last: 5, durable: 5 });
    world.applied().onApplied();
    clock.advance(1000);
    expect(primary.take()).toEqual(["REPLCONF ACK 150 FACK 100"]);
    disk.synced = 5;
    clock.advance(1000);
    expect(primary.take()).toEqual(["REPLCONF ACK 150 FACK 150"]);
  });

  test("how far it is behind is how long nothing of the stream came, whatever the link does", async () => {
    const world = await begin();
    const { primary, clock, side } = world;
    const told = () => {
      const { lagSeconds = -1, downSinceSeconds, lastIoSeconds } = side.primary ?? {};
      return [lagSeconds, downSinceSeconds, lastIoSeconds];
    };
    clock.advance(2000);
    // It was never up.
    primary.cut();
    clock.advance(2000);
    expect(told()).toEqual([4, -1, -1]);
    await settled();
    await goOn(world);
    expect(told()).toEqual([0, -1, 0]);
    clock.advance(3000);
    expect(told()).toEqual([3, -1, 3]);
    primary.cut();
    clock.advance(2000);
    expect(told()).toEqual([5, 2, -1]);
    await settled();
    // It is there again, and has not said anything of the stream yet.
    expect(side.primary?.link).toBe("handshake");
    clock.advance(1000);
    expect(told()).toEqual([6, 3, -1]);
    // To another one: as Redis, since there was a link to anybody.
    side.follow("other", 6379);
    await settled();
    clock.advance(1000);
    expect(told()).toEqual([1, 4, -1]);
    await side.lead();
    side.follow("primary", 6379);
    expect(told()).toEqual([0, -1, -1]);
  });

  test("its connection is one among those of clients while the stream comes, and can be ended", async () => {
    const world = await begin();
    const { primary, clock, side } = world;
    expect(side.primary?.session).toBe(null);
    await goOn(world);
    const client = side.primary?.session?.client;
    expect(client).toMatchObject({ address: "10.0.0.1:6379", localAddress: "10.0.0.2:5000" });
    expect(client?.inputBytes()).toBe(7);
    client?.close("now");
    expect(primary.isClosed).toBe(true);
    expect(side.primary).toMatchObject({ session: null, link: "connect" });
    clock.advance(1000);
    await settled();
    expect(primary.connections).toBe(2);
  });

  test("what has come is counted over links, and anew by CONFIG RESETSTAT", async () => {
    const world = await begin();
    const { primary, clock, side } = world;
    await goOn(world);
    const first = side.receivedBytes;
    expect(first).toBeGreaterThan(20);
    primary.cut();
    clock.advance(1000);
    await settled();
    primary.say(OKS);
    expect(side.receivedBytes).toBe(first + OKS.length);
    side.resetStatistics();
    expect(side.receivedBytes).toBe(0);
    primary.say("+CONT");
    expect(side.receivedBytes).toBe(5);
    await side.lead();
    expect(side.receivedBytes).toBe(5);
  });

  test("nothing is acknowledged before it is durable", async () => {
    const world = await begin();
    const { primary, clock, stream, disk } = world;
    await goOn(world);
    primary.take();
    Object.assign(stream, { offset: 150 });
    Object.assign(disk, { last: 5, wants: true });
    world.applied().onApplied();
    clock.advance(1000);
    expect(primary.take()).toEqual(["REPLCONF ACK 100"]);
    world.durable(4);
    expect(primary.take()).toEqual([]);
    world.durable(5);
    expect(primary.take()).toEqual(["REPLCONF ACK 150"]);
  });

  test("nor by who follows another one by then", async () => {
    const world = await begin();
    const { primary, side, stream, disk } = world;
    Object.assign(stream, { offset: 150 });
    Object.assign(disk, { last: 5, durable: 3 });
    side.follow("other", 6379);
    await settled();
    await goOn(world);
    expect(primary.take().at(-1)).toBe("REPLCONF ACK 0");
    world.durable(5);
    world.clock.advance(1000);
    expect(primary.take()).toEqual(["REPLCONF ACK 150"]);
  });

  test("another id is taken from the primary", async () => {
    const world = await begin();
    await goOn(world, ` ${OTHER_ID}`);
    expect(world.told).toEqual(["replica", "up"]);
    expect(world.stream.id).toBe(OTHER_ID);
  });

  test("what is asked for behind a break is not applied meanwhile from what had come before", async () => {
    const world = await begin();
    const { primary, clock, stream } = world;
    await goOn(world);
    primary.say("x".repeat(30));
    world.apply(10);
    primary.cut();
    world.apply(10);
    clock.advance(300);
    await settled();
    primary.say(OKS);
    expect(primary.take().at(-1)).toBe(`PSYNC ${ID} 121`);
    world.apply(10);
    expect(stream.offset).toBe(120);
    primary.say(`+CONTINUE\r\n${"y".repeat(10)}`);
    for (let i = 0; i < 5; i++) await settled();
    world.apply(10);
    expect(stream.offset).toBe(130);
  });

  test("what cannot be read is asked for once more, and then gone round with a copy", async () => {
    const world = await begin();
    const { primary, clock, told } = world;
    const asked = async () => {
      clock.advance(5000);
      await settled();
      primary.say(OKS);
      return primary.take().at(-1);
    };
    await goOn(world);
    world.applied().onProblem("no stream");
    expect(await asked()).toBe(`PSYNC ${ID} 101`);
    primary.say("+CONTINUE\r\n");
    for (let i = 0; i < 5; i++) await settled();
    world.applied().onProblem("no stream");
    expect(await asked()).toBe("PSYNC ? -1");
    primary.cut();
    expect(await asked()).toBe("PSYNC ? -1");
    primary.say(`+FULLRESYNC ${OTHER_ID} 900\r\n`);
    for (let i = 0; i < 5; i++) await settled();
    primary.say("$4\r\ncopy");
    for (let i = 0; i < 20; i++) await settled();
    expect(told).toContain("4 bytes taken");
    primary.cut();
    expect(await asked()).toBe(`PSYNC ${OTHER_ID} 901`);
  });

  test("a break is followed by attempts, each later than the one before, up to a bound", async () => {
    const world = await begin();
    const { primary, clock, told } = world;
    await goOn(world);
    const waits: number[] = [];
    for (let i = 0; i < 8; i++) {
      const before = primary.connections;
      primary.cut();
      let waited = 0;
      while (primary.connections === before && waited < 10_000) {
        clock.advance(25);
        waited += 25;
        await settled();
      }
      waits.push(waited);
    }
    expect(told.slice(0, 3)).toEqual(["replica", "up", "down"]);
    expect(waits[0]).toBeLessThanOrEqual(275);
    expect(waits[2]).toBeGreaterThan(waits[0] as number);
    expect(Math.max(...waits)).toBeLessThanOrEqual(5025);
    expect(Math.min(...waits.slice(-2))).toBeGreaterThan(3500);
    await goOn(world);
    expect(told.at(-1)).toBe("up");
  });

  test("a copy is taken, and asked for again when the disk refuses", async () => {
    const world = await begin(false);
    const { primary, clock, told, disk } = world;
    disk.fails = "no room";
    primary.say(`${OKS}+FULLRESYNC ${OTHER_ID} 7\r\n$5\r\nhello`);
    for (let i = 0; i < 5; i++) await settled();
    expect(primary.isClosed).toBe(true);
    expect(told).toEqual(["replica", "down"]);
    disk.fails = "";
    clock.advance(300);
    await settled();
    primary.say(`${OKS}+FULLRESYNC ${OTHER_ID} 7\r\n$5\r\nhello`);
    for (let i = 0; i < 5; i++) await settled();
    expect(told.slice(2)).toEqual(["5 bytes taken", "up"]);
    expect(primary.take().at(-1)).toBe("REPLCONF ACK 7");
  });

  test("no copy is opened before the file of the one before is gone: it has the same name", async () => {
    const world = await begin(false);
    const { primary, clock, told, disk } = world;
    const begins = async () => {
      primary.say(`${OKS}+FULLRESYNC ${OTHER_ID} 7\r\n$5\r\nhello`);
      for (let i = 0; i < 5; i++) await settled();
    };
    const again = async () => {
      primary.cut();
      clock.advance(5000);
      await settled();
      await begins();
    };
    const opening = Promise.withResolvers<void>();
    const closing = Promise.withResolvers<void>();
    disk.opening = opening.promise;
    await begins();
    const first = disk.copy;
    first.close = () => closing.promise;
    await again();
    expect(disk.copy).toBe(first);
    opening.resolve();
    for (let i = 0; i < 5; i++) await settled();
    expect(disk.copy).toBe(first);
    expect(told).not.toContain("5 bytes taken");
    closing.resolve();
    for (let i = 0; i < 5; i++) await settled();
    expect(disk.copy).not.toBe(first);
    expect(told).toContain("5 bytes taken");
  });

  test("who leads has a new id before he takes writes, and nothing goes on", async () => {
    const world = await begin();
    const { primary, clock, told, side, stream } = world;
    await goOn(world);
    await side.lead();
    expect(told).toEqual(["replica", "up", "down", "primary"]);
    expect(stream).toMatchObject({ id: OTHER_ID, isFollowing: false });
    expect(primary.isClosed).toBe(true);
    expect(side.primary).toBeNull();
    expect(clock.pendingCount).toBe(0);
  });

  test("who is not a primary yet is a replica for all who ask, and may be told otherwise", async () => {
    const world = await begin();
    const { told, side, stream } = world;
    await goOn(world);
    const renewal = Promise.withResolvers<void>();
    stream.renew = () => renewal.promise;
    const leading = side.lead();
    await settled();
    // It takes no writes yet.
    expect(told.at(-1)).toBe("down");
    expect(side.primary).toMatchObject({ host: "primary", port: 6379, link: "connect" });
    let isLeading = false;
    const again = side.lead().then(() => (isLeading = true));
    await settled();
    expect(isLeading).toBe(false);
    // The one that was left is another one now.
    expect(side.follow("primary", 6379)).toBe(true);
    expect(side.follow("primary", 6379)).toBe(false);
    renewal.resolve();
    await Promise.all([leading, again]);
    expect(told.filter((what) => what === "primary" || what === "replica")).toEqual(["replica"]);
    await side.lead();
    expect(told.at(-1)).toBe("primary");
    expect(side.primary).toBeNull();
  });

  test("whoever takes over in our place says so once", async () => {
    const world = await begin();
    const { side, primary } = world;
    const answers: boolean[] = [];
    await side.lead();
    side.follow("other", 6380, { failover: (has) => answers.push(has) });
    await settled();
    primary.say(OKS);
    expect(primary.take().at(-1)).toBe(`PSYNC ${OTHER_ID} 101 FAILOVER`);
    primary.say(`+CONTINUE ${ID}\r\n`);
    for (let i = 0; i < 5; i++) await settled();
    primary.cut();
    expect(answers).toEqual([true]);
    side.follow("third", 6380, { failover: (has) => answers.push(has) });
    await settled();
    primary.say(`${OKS}-ERR no\r\n`);
    await settled();
    expect(answers).toEqual([true, false]);
  });

  test("what fails here is counted", async () => {
    const { side, applied } = await begin();
    applied().onFailure("FUNCTION", "ERR unknown command");
    expect(side.failedCommands).toBe(1);
  });
});
