/**
 * Other data in the place of all there is, on a kernel that runs over a disk in memory: what was there is served until the
 * one moment, whatever is asked and written meanwhile, and afterwards the data behaves as if it had always been there. What
 * happens on disk when it fails or stops is in live-restore.test.ts.
 */
import { describe, expect, spyOn, test } from "bun:test";
import { Engine } from "../../../src/kernel/engine.ts";
import type { Kernel } from "../../../src/kernel/kernel.ts";
import { LocalLink } from "../../../src/kernel/local-link.ts";
import { seededRandom } from "../../../src/platform/random.ts";
import { atTurnEnd } from "../../../src/platform/turn.ts";
import { writeRdb } from "../../../src/rdb/index.ts";
import type { Answer } from "../../../src/resp/answer.ts";
import { until } from "../../e2e/support/poll.ts";
import { FakeClock, MemoryDisk } from "../../suites/index.ts";
import { PageAudit } from "../../suites/page-audit.ts";
import { seeds } from "../../suites/seeds.ts";
import { type Call, DIR, digestIn, inFolder } from "./conversion-harness.ts";

const FILE = `${DIR}/copy.rdb`;

/** So that the loop has its turn while it is read. */
const LONG = "x".repeat(1 << 19);
/** The share that is done when it is loaded: from then on writers wait. */
const LOADED = 0.8;

/** What the kernel has, as an RDB. */
async function saveRdb({ engine }: Kernel, disk: MemoryDisk): Promise<void> {
  const parts: Buffer[] = [];
  const write = (bytes: Buffer, start: number, end: number) =>
    void parts.push(Buffer.from(bytes.subarray(start, end)));
  await writeRdb(engine.readEntries(), { write }, { proceed: () => {} });
  disk.put(FILE, Buffer.concat(parts));
}

/** Runs with `old` of the database in memory and on disk, and an RDB of what `next` makes of an empty one. */
async function prepared(
  next: (call: Call) => Promise<unknown>,
  run: (call: Call, kernel: Kernel, disk: MemoryDisk, clock: FakeClock) => Promise<void>,
  persistence = "wal",
): Promise<MemoryDisk> {
  const source = new MemoryDisk();
  const disk = new MemoryDisk();
  await inFolder("wal", source, async (call, kernel) => {
    await next(call);
    await saveRdb(kernel, source);
  });
  const clock = new FakeClock();
  await inFolder(persistence, { files: disk.files, clock }, async (call, kernel) => {
    await disk.files.makeFolder(DIR);
    disk.put(FILE, source.contents(FILE));
    await call("SET", "old", "1");
    await run(call, kernel, disk, clock);
  });
  return disk;
}

function engineOf({ engine }: Kernel): Engine {
  if (engine instanceof Engine) return engine;
  throw new Error("the harness makes real engines");
}

interface Hooks {
  proceed?(share: number): void;
  beforeItCounts?(revision: number): Promise<void>;
}

function replace({ replacements }: Kernel, hooks: Hooks = {}) {
  return replacements.replace({
    ...{ reason: "a test", revision: 0, proceed: () => {} },
    source: { kind: "file", path: FILE },
    ...hooks,
  });
}

const numberOf = (answer: Answer) => (answer.kind === "integer" ? Number(answer.value) : answer);

test("the memory of what was there before is given back soon, once", async () => {
  using collecting = spyOn(Bun, "gc").mockImplementation(() => 0);
  await prepared(
    (call) => call("SET", "new", "1"),
    async (_call, kernel, _disk, clock) => {
      const whole = () => collecting.mock.calls.filter(([force]) => force === true).length;
      const before = whole();
      await replace(kernel);
      await replace(kernel);
      expect(whole()).toBe(before);
      clock.advance(10_000);
      expect(whole()).toBe(before + 1);
    },
  );
});

test("until the one moment what was there is served and changes; who writes at the end waits", async () => {
  const seen: unknown[] = [];
  let late: Promise<Answer> | undefined;
  const disk = await prepared(
    (call) => call("MSET", "new", "1", "counter", "10", "long", LONG),
    async (call, kernel) => {
      const other = new LocalLink(kernel.engine, { address: "b", trusted: true }, "internal");
      const loading: Promise<Answer>[] = [];
      const { keys, revision } = await replace(kernel, {
        proceed: (share) => {
          if (share < LOADED) loading.push(call("INCR", "counter"));
        },
        beforeItCounts: async () => {
          seen.push(numberOf(await other.call(["EXISTS", "old", "new"])));
          late = call("INCR", "counter");
          seen.push(await other.call(["GET", "counter"]));
          seen.push(engineOf(kernel).loading);
          expect(() => kernel.engine.transact(null as never, () => {})).toThrow("again");
        },
      });
      expect(loading.length).toBeGreaterThan(0);
      expect(await loading[0]).toMatchObject({ value: 1 });
      expect([keys, revision]).toEqual([3, kernel.engine.disk.lastRevision]);
      expect(await late).toMatchObject({ value: 11 });
      expect(numberOf(await call("EXISTS", "old", "new"))).toBe(1);
    },
  );
  const [exists, counter, isLoading] = seen;
  expect([exists, isLoading]).toEqual([1, false]);
  expect(counter).toMatchObject({ kind: "bulk" });
  disk.kill();
  await inFolder("wal", disk, async (call) => {
    expect(numberOf(await call("INCR", "counter"))).toBe(12);
  });
});

test("a pause that a client has asked for goes on behind it", async () => {
  await prepared(
    (call) => call("SET", "new", "1"),
    async (call, kernel) => {
      const client = new LocalLink(kernel.engine, { address: "c", trusted: true }, "client");
      let paused: Promise<Answer> | undefined;
      let held: Promise<Answer> | undefined;
      await replace(kernel, {
        beforeItCounts: async () => {
          await call("CLIENT", "PAUSE", "100000", "WRITE");
          paused = client.call(["SET", "paused", "1"]);
          held = call("SET", "held", "1");
        },
      });
      expect(await held).toMatchObject({ text: "OK" });
      expect(numberOf(await call("EXISTS", "held", "paused"))).toBe(1);
      await call("CLIENT", "UNPAUSE");
      expect(await paused).toMatchObject({ text: "OK" });
      expect(numberOf(await call("EXISTS", "new", "held", "paused"))).toBe(3);
    },
  );
});

test("what is over meanwhile is not found, and is not recorded behind the change", async () => {
  const each = async (call: Call, ...words: string[]) => {
    const answers: Answer[] = [];
    for (const database of ["1", "2", "3"]) {
      await call("SELECT", database);
      answers.push(await call(...words));
      // What is recorded is handed over by itself.
      await new Promise<void>((resolve) => atTurnEnd(resolve));
    }
    return answers.map(({ kind }) => kind);
  };
  const disk = await prepared(
    (call) => each(call, "SET", "key", "new"),
    async (call, kernel, _, clock) => {
      await each(call, "SET", "key", "old", "PX", "1000");
      await replace(kernel, {
        beforeItCounts: async () => {
          clock.advance(5000);
          expect(await each(call, "GET", "key")).toEqual(["null", "null", "null"]);
          await each(call, "RANDOMKEY");
        },
      });
      expect(engineOf(kernel).keyspace.statistics.expired).toBe(0);
    },
  );
  disk.kill();
  await inFolder("wal", disk, async (call) => {
    expect(await each(call, "GET", "key")).toEqual(["bulk", "bulk", "bulk"]);
  });
});

test("it fails before it counts: everything is as it was, and goes on", async () => {
  const disk = await prepared(
    (call) => call("SET", "new", "1"),
    async (call, kernel) => {
      let late: Promise<Answer> | undefined;
      const beforeItCounts = async () => {
        late = call("SET", "late", "1");
        throw new Error("not now");
      };
      await expect(replace(kernel, { beforeItCounts })).rejects.toThrow("not now");
      expect(await late).toMatchObject({ text: "OK" });
      expect(numberOf(await call("EXISTS", "old", "late", "new"))).toBe(2);
      const { revision } = await replace(kernel);
      expect(revision).toBeGreaterThan(3);
      expect(numberOf(await call("EXISTS", "old", "late", "new"))).toBe(1);
      await expect(replace(kernel, { beforeItCounts })).rejects.toThrow("not now");
    },
  );
  disk.kill();
  await inFolder("wal", disk, async (call) => {
    expect(numberOf(await call("EXISTS", "new", "late"))).toBe(2);
  });
});

test("every key has the version of the replacement, also when what was there changed meanwhile", async () => {
  await prepared(
    (call) => call("MSET", "old", "2", "new", "1", "long", LONG),
    async (call, kernel) => {
      for (const changes of [0, 5]) {
        const proceed = (share: number) => {
          for (let i = 0; i < changes && share < LOADED; i++) void call("SET", "old", "3");
        };
        const { revision } = await replace(kernel, { proceed });
        const versions = [await call("VERSION", "old"), await call("VERSION", "new")];
        expect(versions.map(numberOf)).toEqual([revision, revision]);
        await call("SET", "old", "4");
        expect(numberOf(await call("VERSION", "old"))).toBeGreaterThan(revision);
      }
    },
  );
});

test("who watches a key that goes or comes is told, and no other", async () => {
  await prepared(
    (call) => call("SET", "new", "1"),
    async (_, kernel) => {
      const outcome = async (key: string) => {
        const link = new LocalLink(kernel.engine, { address: key, trusted: true }, "internal");
        for (const words of [["WATCH", key], ["MULTI"], ["PING"]]) await link.call(words);
        return () => link.call(["EXEC"]);
      };
      const watchers = await Promise.all(["old", "new", "neither"].map(outcome));
      await replace(kernel);
      const answers = await Promise.all(watchers.map((exec) => exec()));
      expect(answers.map(({ kind }) => kind)).toEqual(["null", "null", "array"]);
    },
  );
});

test.each(["wal", "json-snapshot"])(
  "%s: a stop in the midst of it gives it up, and keeps what was there",
  async (persistence) => {
    const disk = await prepared(
      (call) => call("SET", "new", "1"),
      async (_, kernel) => {
        let stopping: Promise<void> | undefined;
        const beforeItCounts = async () => {
          stopping = kernel.stop();
          await until("it is given up", () => kernel.replacements.obstacle.includes("stopping"));
        };
        await expect(replace(kernel, { beforeItCounts })).rejects.toMatchObject({
          code: "UNAVAILABLE",
        });
        await stopping;
      },
      persistence,
    );
    disk.kill();
    await inFolder(persistence, disk, async (call) => {
      expect(numberOf(await call("EXISTS", "old"))).toBe(1);
      expect(numberOf(await call("EXISTS", "new"))).toBe(0);
    });
  },
);

test("where nothing is kept, memory follows at once", async () => {
  await prepared(
    (call) => call("SET", "new", "1"),
    async (call, kernel) => {
      await replace(kernel);
      expect(numberOf(await call("EXISTS", "old", "new"))).toBe(1);
    },
    "none",
  );
});

test("a file that is damaged leaves everything as it was", async () => {
  await prepared(
    (call) => call("SET", "new", "1"),
    async (call, kernel, disk) => {
      disk.put(FILE, disk.contents(FILE).subarray(0, -12));
      await expect(replace(kernel)).rejects.toMatchObject({ code: "DAMAGE" });
      expect(numberOf(await call("EXISTS", "old", "new"))).toBe(1);
      expect(await call("SET", "late", "1")).toMatchObject({ text: "OK" });
    },
  );
});

/** Commands on few keys of all types, with deadlines and deletions. */
function generated(seed: number, count: number): string[][] {
  const random = seededRandom(seed);
  const key = () => `k${random.below(30)}`;
  const value = () => "v".repeat(random.below(random.below(10) === 0 ? 3000 : 20));
  const makers = [
    () => ["SET", key(), value()],
    () => ["SET", key(), value(), "PXAT", "4000000000000"],
    () => ["RPUSH", `l${key()}`, ...Array.from({ length: 1 + random.below(200) }, value)],
    () => ["LPOP", `l${key()}`, "30"],
    () => ["SADD", `s${key()}`, ...Array.from({ length: 1 + random.below(300) }, (_, i) => `${i}`)],
    () => ["HSET", `h${key()}`, `f${random.below(900)}`, value()],
    () => ["ZADD", `z${key()}`, `${random.below(1000)}`, value()],
    () => ["XADD", `x${key()}`, "*", "f", value()],
    () => ["VALUE.SET", `d${key()}`, JSON.stringify({ a: random.below(9), b: value() })],
    () => ["DEL", key(), `l${key()}`, `s${key()}`, `h${key()}`, `z${key()}`],
    () => ["EXPIRE", `l${key()}`, "100000"],
    () => ["RENAME", key(), key()],
  ];
  return Array.from({ length: count }, () => makers[random.below(makers.length)]?.() ?? []);
}

describe("generated data, changed on after the moment, is the same as where it came from", () => {
  test.each(seeds(3))(
    "seed %d",
    async (seed) => {
      const run = async (call: Call, commands: readonly string[][]) => {
        for (const words of commands) await call(...words);
      };
      const digest = async (call: Call) =>
        JSON.stringify([await call("DEBUG", "DIGEST"), await call("PEXPIRETIME", "until")]);
      const [before, between] = [generated(seed, 600), generated(seed + 1, 300)];
      let expected = "";
      const disk = await prepared(
        (call) => run(call, before),
        async (call, kernel) => {
          await run(call, generated(seed + 2, 300));
          const audit = new PageAudit(engineOf(kernel).keyspace.arena);
          await replace(kernel);
          audit.check();
          const loaded = await digest(call);
          for (const words of between) {
            await call(...words);
            audit.check();
          }
          expected = await digest(call);
          expect(expected).not.toBe(loaded);
          await call("MEMORY", "PURGE");
          audit.check();
          expect(await digest(call)).toBe(expected);
        },
      );
      const copy = disk.copy();
      copy.kill();
      expect(await digestIn("wal", copy)).toBe(expected);
    },
    30_000,
  );
});
