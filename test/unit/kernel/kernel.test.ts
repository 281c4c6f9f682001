/**
 * The life of a kernel: order of opening and closing, roll-back at each step, limits, stopping
 * while starting.
 */
import { describe, expect, test } from "bun:test";
import { KvdbError } from "../../../src/errors.ts";
import type { Builtins } from "../../../src/kernel/builtins.ts";
import { OPEN_LIMIT_MS, STOP_LIMIT_MS } from "../../../src/kernel/kernel.ts";
import { emptyReport, Harness, settle } from "./kernel-harness.ts";

const opening = [
  "lock",
  "store open",
  "front1 open",
  "front2 open",
  "store load",
  "engine finishLoading",
  "engine startBackground",
];

const closing = ["front2 close", "front1 close", "engine stop", "store close", "unlock"];

async function failureOf(promise: Promise<unknown>): Promise<KvdbError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof KvdbError) return error;
    throw error;
  }
  throw new Error("it did not fail");
}

test("opens in order, frontends before the load, and closes in reverse", async () => {
  const harness = new Harness();
  const kernel = await harness.prepare();
  expect(harness.steps).toEqual([]);
  expect(await kernel.start()).toBe("ready");
  expect(harness.steps).toEqual(opening);
  await kernel.stop();
  expect(harness.steps).toEqual([...opening, ...closing]);
});

test("closes once however often it is asked to", async () => {
  const harness = new Harness();
  const kernel = await harness.prepare();
  await kernel.start();
  await Promise.all([kernel.stop(), kernel.stop()]);
  await kernel.stop();
  expect(harness.steps.filter((step) => step === "store close")).toHaveLength(1);
});

describe("a step that fails rolls back what is open, itself included", () => {
  const cases: [failing: string, closes: string[]][] = [
    ["lock", []],
    ["store open", ["store close", "unlock"]],
    ["front1 open", ["front1 close", "engine stop", "store close", "unlock"]],
    ["front2 open", closing],
    ["store load", closing],
    ["engine finishLoading", closing],
    ["engine startBackground", closing],
  ];
  test("every step of a start is among the cases", () => {
    expect(cases.map(([failing]) => failing)).toEqual(opening);
  });
  for (const [failing, closes] of cases) {
    test(failing, async () => {
      const harness = new Harness({ failing: [failing] });
      const kernel = await harness.prepare();
      const error = await failureOf(kernel.start());
      expect(error.message).toContain(`${failing} failed`);
      const opened = opening.slice(0, opening.indexOf(failing) + 1);
      expect(harness.steps).toEqual([...opened, ...closes]);
      await kernel.stop();
      expect(harness.steps).toEqual([...opened, ...closes]);
    });
  }
});

test("a failure of a start and all failures of its roll-back are told", async () => {
  const harness = new Harness({ failing: ["front2 open", "front1 close", "unlock"] });
  const kernel = await harness.prepare();
  const { message } = await failureOf(kernel.start());
  const lines = message.split("\n");
  expect(lines).toHaveLength(3);
  expect(lines[0]).toContain("front2 open failed");
  expect(lines[1]).toContain("front1 close failed");
  expect(lines[2]).toContain("unlock failed");
});

test("closing goes on after failures and tells each", async () => {
  const harness = new Harness({ failing: closing });
  const kernel = await harness.prepare();
  await kernel.start();
  const { message } = await failureOf(kernel.stop());
  expect(harness.steps.slice(opening.length)).toEqual(closing);
  expect(message.split("\n")).toHaveLength(closing.length);
});

test("a plugin is named by its failure, and the code of the failure stays", async () => {
  const held = new KvdbError("DAMAGE", "segment 3: checksum mismatch");
  const harness = new Harness({
    onStep: (step) => {
      if (step === "store open") throw held;
    },
  });
  const error = await failureOf((await harness.prepare()).start());
  expect(error.code).toBe("DAMAGE");
  expect(error.message).toStartWith('plugin "store": ');
  expect(error.message).toEndWith("segment 3: checksum mismatch");
});

test("without persistence no folder is made and none is locked", async () => {
  const harness = new Harness({ durability: "none" });
  const kernel = await harness.prepare();
  await kernel.start();
  await kernel.stop();
  expect(harness.steps).not.toContain("lock");
  expect(harness.steps).not.toContain("unlock");
});

test("an open that hangs is given up, named, and rolled back", async () => {
  const harness = new Harness({ hanging: ["front1 open"] });
  const kernel = await harness.prepare();
  const failure = failureOf(kernel.start());
  await settle();
  harness.clock.advance(OPEN_LIMIT_MS - 1);
  await settle();
  expect(harness.steps).not.toContain("front1 close");
  harness.clock.advance(1);
  const error = await failure;
  expect(error.code).toBe("INTERNAL");
  expect(error.message).toContain('plugin "front1"');
  expect(harness.steps.slice(-4)).toEqual(["front1 close", "engine stop", "store close", "unlock"]);
});

test("a frontend that does not close leaves the others their time", async () => {
  const harness = new Harness({ hanging: ["front2 close"] });
  const kernel = await harness.prepare();
  await kernel.start();
  const failure = failureOf(kernel.stop());
  await settle();
  expect(harness.steps.at(-1)).toBe("front2 close");
  harness.clock.advance(STOP_LIMIT_MS);
  const error = await failure;
  expect(harness.steps.slice(-5)).toEqual(closing);
  expect(error.message).toContain('plugin "front2"');
});

test("the whole of a stop is bounded, whatever hangs", async () => {
  const harness = new Harness({ hanging: closing });
  const kernel = await harness.prepare();
  await kernel.start();
  const failure = failureOf(kernel.stop());
  for (let spentMs = 0; spentMs < STOP_LIMIT_MS; spentMs += 100) {
    await settle();
    harness.clock.advance(100);
  }
  // What comes last is given no time at all, but its chance.
  await settle();
  harness.clock.advance(0);
  const error = await failure;
  expect(error.message.split("\n").length).toBeGreaterThanOrEqual(4);
  expect(harness.steps.slice(-5)).toEqual(closing);
  expect(harness.clock.monotonicMs()).toBeLessThanOrEqual(STOP_LIMIT_MS);
});

test("a stop while the data is loaded ends the start in order", async () => {
  let stopped: Promise<void> | undefined;
  const harness = new Harness({
    onStep: (step) => {
      if (step === "store load") stopped = kernel.stop();
    },
  });
  const kernel = await harness.prepare();
  expect(await kernel.start()).toBe("stopped");
  await stopped;
  expect(harness.engine?.loaded).toBeUndefined();
  expect(harness.steps.slice(-5)).toEqual(closing);
});

test("a stop between two steps of a start opens nothing more", async () => {
  const harness = new Harness({
    onStep: (step) => {
      if (step === "store open") void kernel.stop();
    },
  });
  const kernel = await harness.prepare();
  expect(await kernel.start()).toBe("stopped");
  expect(harness.steps).toEqual(["lock", "store open", "engine stop", "store close", "unlock"]);
});

test("what was not kept is told, with file, offset and size", async () => {
  const tail = { kind: "tail", offset: 4096, bytes: 77, reason: "torn" } as const;
  const dropped = [{ ...tail, file: "wal-00000007.log" }];
  const harness = new Harness({ report: { ...emptyReport, records: 5, dropped } });
  await (await harness.prepare()).start();
  const line = harness.lines.find((one) => one.includes("wal-00000007.log"));
  expect(line).toContain("warn");
  expect(line).toContain("4096");
  expect(line).toContain("77");
});

test("the one-shot kernel opens no frontend and is silent", async () => {
  const harness = new Harness({ role: "one-shot" });
  const kernel = await harness.prepare();
  await kernel.start();
  await kernel.stop();
  expect(harness.steps.filter((step) => step.startsWith("front"))).toEqual([]);
  expect(harness.lines).toEqual([]);
});

describe("the folder's own socket", () => {
  const options: unknown[] = [];

  /** The frontend behind it, as the built-in `resp` would be. */
  function withSocket(behaviour: ConstructorParameters<typeof Harness>[0] = {}): Harness {
    options.length = 0;
    const harness: Harness = new Harness({
      ...behaviour,
      builtins: {
        resp: {
          brings: ["frontend"],
          load: async () => ({
            default: {
              name: "resp",
              apiVersion: 1,
              frontend: (given) => {
                options.push(given);
                return {
                  open: () => harness.step("socket open"),
                  close: () => harness.step("socket close"),
                };
              },
            },
          }),
        },
      },
    });
    return harness;
  }

  test("opens behind the frontends, is announced, and closes before them", async () => {
    const harness = withSocket();
    const kernel = await harness.prepare();
    await kernel.start();
    await kernel.stop();
    const around = opening.indexOf("store load");
    expect(harness.steps).toEqual([
      ...opening.slice(0, around),
      ...["socket open", "announce /data/kvdb.sock"],
      ...opening.slice(around),
      ...["socket close", ...closing],
    ]);
    expect(options).toEqual([{ port: 0, unixsocket: "/data/kvdb.sock", ownerOnly: true }]);
  });

  test.each(["server", "shell", "embedded", "script"] as const)("of a %s", async (role) => {
    const harness = withSocket({ role });
    await (await harness.prepare()).start();
    expect(harness.steps).toContain("socket open");
    expect(harness.steps.includes("front1 open")).toBe(role === "server" || role === "shell");
  });

  test("not of a one-shot command, and not where nothing is kept", async () => {
    for (const behaviour of [{ role: "one-shot" }, { durability: "none" }] as const) {
      const harness = withSocket(behaviour);
      await (await harness.prepare()).start();
      expect(harness.steps).not.toContain("socket open");
    }
  });

  test("that the system refuses is told, and not announced; the start goes on", async () => {
    const harness = withSocket({ failing: ["socket open"] });
    expect(await (await harness.prepare()).start()).toBe("ready");
    expect(harness.steps.some((step) => step.startsWith("announce"))).toBe(false);
    expect(harness.lines.some((line) => line.includes("warn"))).toBe(true);
  });
});

test("a wish to stop of the engine reaches whoever runs the kernel", async () => {
  const harness = new Harness();
  await harness.prepare();
  harness.engine?.onStopRequest();
  expect(harness.stopRequests).toBe(1);
});

describe("factories", () => {
  test("that throw are named, and all of them are told", async () => {
    const throwing = (name: string) => ({
      brings: ["frontend"] as const,
      load: async () => ({
        default: {
          name,
          apiVersion: 1 as const,
          frontend: () => {
            throw new Error(`${name} has a bad day`);
          },
        },
      }),
    });
    const harness = new Harness({
      builtins: { front1: throwing("front1"), front2: throwing("front2") },
    });
    const { message } = await failureOf(harness.prepare());
    const lines = message.split("\n");
    expect(lines).toHaveLength(2);
    expect(lines[0]).toContain('plugin "front1"');
    expect(lines[0]).toContain("front1 has a bad day");
    expect(lines[1]).toContain('plugin "front2"');
  });

  test("that return an instance without its methods are named", async () => {
    const load = async () => ({
      default: { name: "front1", apiVersion: 1 as const, frontend: () => ({}) as never },
    });
    const harness = new Harness({ builtins: { front1: { brings: ["frontend"], load } } });
    const { message } = await failureOf(harness.prepare());
    expect(message).toContain('plugin "front1"');
    expect(message).toContain("open, close");
  });

  test("that are async are told where to wait", async () => {
    const load = async () => ({
      default: { name: "front1", apiVersion: 1 as const, frontend: async () => ({}) as never },
    });
    const harness = new Harness({
      builtins: { front1: { brings: ["frontend"], load } } as unknown as Builtins,
    });
    const { message } = await failureOf(harness.prepare());
    expect(message).toContain('plugin "front1"');
    expect(message).toContain("returned a promise");
  });

  test("of a persistence that promises something unknown are named", async () => {
    const harness = new Harness({ durability: "often" as never });
    const { message } = await failureOf(harness.prepare());
    expect(message).toContain('plugin "store"');
    expect(message).toContain("always, everysec, no, none");
  });

  test("may not take a parameter of the kernel", async () => {
    const load = async () => ({
      default: {
        name: "front1",
        apiVersion: 1 as const,
        frontend: (_options: never, context: import("../../../src/plugin.ts").FrontendContext) => {
          context.addParameter({ name: "dir", get: () => "/" });
          return { async open() {}, async close() {} };
        },
      },
    });
    const harness = new Harness({ builtins: { front1: { brings: ["frontend"], load } } });
    const error = await failureOf(harness.prepare());
    expect(error.code).toBe("CONFIG");
    expect(error.message).toContain('"dir"');
  });
});

test("an import of a built-in that fails is named", async () => {
  const load = () => Promise.reject(new Error("not in the executable"));
  const harness = new Harness({ builtins: { front1: { brings: ["frontend"], load } } });
  const { message } = await failureOf(harness.prepare());
  expect(message).toContain('plugin "front1"');
  expect(message).toContain("not in the executable");
});
