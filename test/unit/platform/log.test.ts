/** Log lines: one line an event, whatever the message holds; levels; names. */
import { expect, test } from "bun:test";
import { createLog, type LogLevel, silentLog } from "../../../src/platform/log.ts";
import { FakeClock } from "../../suites/index.ts";

function capture(level: LogLevel = "debug") {
  const lines: string[] = [];
  const state = { level };
  const log = createLog({
    clock: new FakeClock(Date.UTC(2026, 2, 1, 12)),
    level: () => state.level,
    write: (line) => void lines.push(line),
  });
  return { log, lines, state };
}

test("time, level, name, message, fields", () => {
  const { log, lines } = capture();
  log
    .child("plugins")
    .child("wal")
    .warn("cut a tail", { bytes: 37, file: "a b.log", none: undefined });
  expect(lines).toEqual([
    '2026-03-01T12:00:00.000Z warn  plugins/wal: cut a tail bytes=37 file="a b.log"\n',
  ]);
});

test("the level may change at run time and holds for children", () => {
  const { log, lines, state } = capture("warn");
  const child = log.child("x");
  child.info("no");
  child.error("yes");
  state.level = "debug";
  child.debug("yes");
  expect(lines.map((line) => line.slice(25, 30))).toEqual(["error", "debug"]);
});

test("a brief log has the first line of a stack, as long as it is brief", () => {
  const lines: string[] = [];
  let isBrief = true;
  const log = createLog({
    clock: new FakeClock(0),
    level: () => "info",
    isBrief: () => isBrief,
    write: (line) => void lines.push(line.slice(31)),
  });
  const fields = { command: "THROW", error: "Error: no luck\n    at run (plugin.ts:3:5)" };
  log.error("threw", fields);
  isBrief = false;
  log.error("threw", fields);
  expect(lines).toEqual([
    'threw command=THROW error="Error: no luck"\n',
    'threw command=THROW error="Error: no luck\\n    at run (plugin.ts:3:5)"\n',
  ]);
});

test("bytes from outside cannot make a second line", () => {
  const { log, lines } = capture();
  log.info("a\nb\u001b[31m", { key: "c\nd" });
  expect(lines.length).toBe(1);
  expect(lines[0].indexOf("\n")).toBe(lines[0].length - 1);
  expect(lines[0]).not.toContain("\u001b");
});

test("the silent one says nothing, also its children", () => {
  expect(silentLog.child("x")).toBe(silentLog);
  silentLog.error("nobody reads this");
});
