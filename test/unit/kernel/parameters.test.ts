/**
 * The kernel's names of CONFIG GET and SET: values in Redis's spelling, bad ones refused and
 * nothing changed.
 */
import { expect, test } from "bun:test";
import { CommandError } from "../../../src/commands/command-error.ts";
import type { ServerParameter } from "../../../src/session/server.ts";
import { Harness } from "./kernel-harness.ts";

async function parametersOf(harness: Harness): Promise<ReadonlyMap<string, ServerParameter>> {
  await harness.prepare();
  return harness.engine?.parameters ?? new Map();
}

test("CONFIG GET of the kernel's settings", async () => {
  const harness = new Harness({
    config: {
      requirepass: "secret",
      memoryMaxBytes: 1024,
      databases: 3,
      logLevel: "warn",
      keyEvents: "AKE",
      outputLimits: "pubsub 1mb 512kb 30",
    },
  });
  const parameters = await parametersOf(harness);
  const values = [...parameters].map(([name, parameter]) => [name, parameter.get()]);
  expect(Object.fromEntries(values)).toMatchObject({
    dir: "/data",
    logfile: "",
    "cluster-enabled": "no",
    rdbchecksum: "yes",
    databases: "3",
    "acl-pubsub-default": "resetchannels",
    aclfile: "",
    "acllog-max-len": "128",
    appendonly: "yes",
    requirepass: "secret",
    maxmemory: "1024",
    "notify-keyspace-events": "AKE",
    "client-output-buffer-limit":
      "normal 0 0 0 slave 268435456 67108864 60 pubsub 1048576 524288 30",
    save: "",
    loglevel: "warning",
  });
});

test("what is always so is taken from who says the same, and from nobody else", async () => {
  const parameters = await parametersOf(new Harness());
  const daemonize = parameters.get("daemonize");
  daemonize?.set?.("NO");
  expect(() => daemonize?.set?.("yes")).toThrow(CommandError);
  expect(daemonize?.get()).toBe("no");
});

test("appendonly says no when nothing is kept", async () => {
  const parameters = await parametersOf(new Harness({ durability: "none" }));
  expect(parameters.get("appendonly")?.get()).toBe("no");
});

test("requirepass, maxmemory and loglevel change while kvdb runs", async () => {
  const harness = new Harness();
  const parameters = await parametersOf(harness);
  parameters.get("requirepass")?.set?.("new");
  parameters.get("maxmemory")?.set?.("2mb");
  parameters.get("loglevel")?.set?.("verbose");
  expect(harness.engine?.accounts.password).toBe("new");
  expect(harness.engine?.maxMemoryBytes).toBe(2 * 1024 * 1024);
  expect(parameters.get("loglevel")?.get()).toBe("verbose");
});

test("loglevel decides what is written from then on", async () => {
  const harness = new Harness();
  const kernel = await harness.prepare();
  kernel.log.debug("one");
  harness.engine?.parameters.get("loglevel")?.set?.("debug");
  kernel.log.debug("two");
  expect(harness.lines).toHaveLength(1);
  expect(harness.lines[0]).toContain("two");
});

test("bad values are refused and change nothing", async () => {
  const harness = new Harness({ config: { memoryMaxBytes: 5 } });
  const parameters = await parametersOf(harness);
  for (const bad of ["", "-1", "1.5gb", "1tb", "many"]) {
    expect(() => parameters.get("maxmemory")?.set?.(bad)).toThrow(CommandError);
  }
  expect(() => parameters.get("loglevel")?.set?.("loud")).toThrow(CommandError);
  expect(() => parameters.get("requirepass")?.set?.("x".repeat(513))).toThrow(CommandError);
  expect(harness.engine?.maxMemoryBytes).toBe(5);
  expect(parameters.get("loglevel")?.get()).toBe("notice");
});

test("dir and databases cannot be changed, appendonly and save not with this persistence", async () => {
  const parameters = await parametersOf(new Harness());
  for (const name of ["dir", "databases"]) expect(parameters.get(name)?.set).toBeUndefined();
  for (const [name, other] of [
    ["appendonly", "maybe"],
    ["save", "60 1"],
  ] as const) {
    const parameter = parameters.get(name);
    parameter?.set?.(parameter?.get() ?? "");
    expect(() => parameter?.set?.(other)).toThrow(CommandError);
  }
});

test.each([
  ["loglevel", "debug, verbose, notice, warning"],
  ["acl-pubsub-default", "allchannels, resetchannels"],
])("another word than those of %s is refused in Redis's words", async (name, words) => {
  const parameters = await parametersOf(new Harness());
  const text = `argument(s) must be one of the following: ${words}`;
  expect(() => parameters.get(name)?.set?.("nonsense")).toThrow(text);
});
