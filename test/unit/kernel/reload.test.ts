/** What a configuration that was read again does to parameters: all of it or nothing, told line by line. */
import { expect, test } from "bun:test";
import { CommandError } from "../../../src/commands/command-error.ts";
import type { LoadedConfig } from "../../../src/kernel/config.ts";
import { Reload } from "../../../src/kernel/reload.ts";
import type { Log } from "../../../src/platform/log.ts";
import type { ServerParameter } from "../../../src/session/server.ts";

/** Parameters that take numbers, and what is logged. */
function createReload(values: Record<string, unknown>) {
  const lines: string[] = [];
  const note =
    (level: string) =>
    (message: string, fields: object = {}) =>
      void lines.push(`${level} ${message} ${Object.values(fields).join(" ")}`.trim());
  const log: Log = {
    ...{ debug: note("debug"), info: note("info"), warn: note("warn"), error: note("error") },
    child: () => log,
  };
  const held: Record<string, string> = {
    maxmemory: "1",
    timeout: "0",
    "set-max-intset-entries": "5",
  };
  const numbers = Object.keys(held).map(
    (name): ServerParameter => ({
      name,
      get: () => held[name],
      set: (text) => {
        if (!/^\d+$/.test(text)) throw new CommandError("ERR", "no number");
        held[name] = text;
      },
    }),
  );
  const others: ServerParameter[] = [
    { name: "databases", get: () => "16" },
    { name: "daemonize", get: () => "no", isFixed: true, set: () => {} },
  ];
  const parameters = new Map([...numbers, ...others].map((one) => [one.name, one]));
  const config = { file: "/etc/kvdb.config.json" } as LoadedConfig["config"];
  const loaded = (given: Record<string, unknown>) => ({
    ...{ values: given, placeOf: (pointer: string) => `file:${pointer.length}`, warnings: [] },
    ...{ config, originOf: () => "" },
  });
  const reload = new Reload(loaded(values), { parameters, log });
  const apply = (next: Record<string, unknown>) => {
    lines.length = 0;
    return reload.apply(loaded(next));
  };
  return { held, lines, apply };
}

const resp = (timeout: number) => [
  { use: "other", timeout: 1 },
  { use: "resp", timeout },
];

test("what changed is applied, wherever it stands; what did not is left as CONFIG SET made it", () => {
  const { held, lines, apply } = createReload({ memory: { max: 1 }, frontends: resp(0) });
  held["timeout"] = "77";
  const next = {
    memory: { max: 2 },
    frontends: resp(0),
    parameters: { "set-max-intset-entries": 9 },
  };
  expect(apply(next)).toBe(true);
  expect(held).toEqual({ maxmemory: "2", timeout: "77", "set-max-intset-entries": "9" });
  expect(lines).toEqual([
    "info applied memory.max file:11",
    "info applied parameters.set-max-intset-entries file:34",
    "info the configuration was read again 2",
  ]);
  expect(apply({ ...next, frontends: resp(8) })).toBe(true);
  expect(held["timeout"]).toBe("8");
});

test("one value that is refused leaves all as it was, and counts again the next time", () => {
  const { held, lines, apply } = createReload({ memory: { max: 1 } });
  const wrong = { memory: { max: 2 }, parameters: { "set-max-intset-entries": "many" } };
  expect(apply(wrong)).toBe(false);
  expect(held["maxmemory"]).toBe("1");
  expect(lines).toEqual([
    "error reload refused, nothing was changed parameters.set-max-intset-entries file:34 no number",
  ]);
  expect(apply({ memory: { max: 2 } })).toBe(true);
  expect(held["maxmemory"]).toBe("2");
});

test("what needs a restart is told until it is as it was, and so is what went away", () => {
  const { held, lines, apply } = createReload({ databases: 16, memory: { max: 1 } });
  for (let round = 0; round < 2; round++) {
    expect(apply({ databases: 8 })).toBe(true);
    expect(lines).toEqual([
      "warn changed, but needs a restart databases file:10",
      "warn changed, but needs a restart memory.max file:11",
      "info the configuration was read again 2",
    ]);
  }
  expect(held["maxmemory"]).toBe("1");
  apply({ databases: 16, memory: { max: 1 }, parameters: { daemonize: "yes", hz: 5 } });
  expect(lines).toEqual([
    "warn changed, but has no effect parameters.daemonize file:21",
    "warn changed, but has no effect parameters.hz file:14",
    "info the configuration was read again 2",
  ]);
});
