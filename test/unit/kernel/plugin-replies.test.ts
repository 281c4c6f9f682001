/**
 * What a plugin's command replies: exactly one whole reply leaves, whatever it writes, and what it writes after its end
 * reaches nobody. The engine's replies are taken by a recorder that fails when there are more or fewer.
 */
import { describe, expect, test } from "bun:test";
import { createLog } from "../../../src/platform/log.ts";
import type { Command, CommandReply } from "../../../src/plugin.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";
import { FakeClock } from "../../suites/fake-clock.ts";
import { settle } from "./kernel-harness.ts";

/** An engine with a command X that does this, and the lines it logs. */
function withCommand(run: Command["run"]): { db: EngineHarness; lines: string[] } {
  const lines: string[] = [];
  const log = createLog({
    clock: new FakeClock(),
    level: () => "debug",
    write: (line) => lines.push(line),
  });
  const db = new EngineHarness({ log });
  db.addCommand("X", run);
  return { db, lines };
}

const writing = (write: (reply: CommandReply) => void) =>
  withCommand((_session, _args, reply) => write(reply)).db;

describe("a reply that is none, or too much", () => {
  test.each<[string, (reply: CommandReply) => void, string]>([
    ["nothing", () => {}, "wrote no reply"],
    ["an array without its elements", (reply) => reply.array(2), "lacks 2 of its values"],
    [
      "a map without its last value",
      (reply) => {
        reply.map(2);
        for (const text of ["a", "b", "c"]) reply.text(text);
      },
      "lacks 1 of its values",
    ],
    [
      "two replies",
      (reply) => {
        reply.ok();
        reply.ok();
      },
      "wrote more than one reply",
    ],
    [
      "an element too many",
      (reply) => {
        reply.set(1);
        reply.integer(1);
        reply.integer(2);
      },
      "wrote more than one reply",
    ],
  ])("%s: one error that names plugin and command", (_, write, named) => {
    const db = writing(write);
    const { error } = db.run("X") as { error: string };
    expect(error).toStartWith('ERR plugin "test": command X wrote ');
    expect(error).toEndWith(named);
    expect(db.run("PING")).toBe("PONG");
  });

  test("what was too much is not written, when the plugin catches it", () => {
    const db = writing((reply) => {
      reply.text("one");
      expect(() => reply.text("two")).toThrow("more than one reply");
    });
    expect(db.run("X")).toBe("one");
  });

  test("containers within one another are counted through", () => {
    const db = writing((reply) => {
      reply.array(2);
      reply.map(1);
      reply.text("key");
      reply.array(0);
      reply.set(1);
      reply.boolean(true);
    });
    expect(db.run("X")).toEqual([new Map([["key", []]]), new Set([true])]);
  });

  test("a part may be taken back and written anew", () => {
    const db = writing((reply) => {
      reply.array(2);
      reply.integer(1);
      const mark = reply.mark();
      reply.array(5);
      reply.text("no");
      reply.rewind(mark);
      reply.text("yes");
    });
    expect(db.run("X")).toEqual([1, "yes"]);
    expect(writing((reply) => reply.rewind(0)).run("X")).toEqual({
      error: expect.stringContaining("reply.rewind"),
    });
  });

  test("a mark that was taken back itself is none any more", () => {
    const db = writing((reply) => {
      reply.array(2);
      const first = reply.mark();
      reply.text("no");
      const second = reply.mark();
      reply.rewind(first);
      reply.rewind(second);
      reply.text("yes");
    });
    expect(db.run("X")).toEqual({ error: expect.stringContaining("reply.rewind") });
  });
});

describe("values that the protocol cannot carry are refused before they are written", () => {
  test.each<[string, (reply: CommandReply) => void]>([
    ["reply.status", (reply) => reply.status("a\r\n+b")],
    ["reply.status", (reply) => reply.status(undefined as never)],
    ["reply.integer", (reply) => reply.integer(1.5)],
    ["reply.integer", (reply) => reply.integer(Number.NaN)],
    ["reply.integer", (reply) => reply.integer("1" as never)],
    ["reply.double", (reply) => reply.double("1" as never)],
    ["reply.text", (reply) => reply.text(undefined as never)],
    ["reply.verbatim", (reply) => reply.verbatim("text", "text")],
    ["reply.bulk", (reply) => reply.bulk(Buffer.from("abc"), 0, 4)],
    ["reply.bulk", (reply) => reply.bulk(Buffer.from("abc"), 2, 1)],
    ["reply.bulk", (reply) => reply.bulk(Buffer.from("abc"), 0.5)],
    ["reply.bulk", (reply) => reply.bulk(undefined as never)],
    ["reply.bulk", (reply) => reply.bulk("abc" as never, 0, 3)],
    ["reply.json", (reply) => reply.json(Buffer.from("{}"), 0, 3)],
    ["reply.array", (reply) => reply.array(-1)],
    ["reply.array", (reply) => reply.map(0.5)],
    ["reply.array", (reply) => reply.set(undefined as never)],
  ])("%s", (named, write) => {
    const db = writing(write);
    expect(db.run("X")).toEqual({ error: expect.stringContaining(named) });
    expect(db.run("PING")).toBe("PONG");
  });

  test("bytes of any kind are taken", () => {
    const db = writing((reply) => {
      const bytes = new Uint8Array(1000).fill(120);
      reply.array(4);
      reply.bulk(bytes.subarray(1), 1, 900);
      reply.bulk(new Uint8Array([97, 98]));
      reply.bulk(Buffer.from("abc"), 1);
      reply.json(new TextEncoder().encode("[{}]"), 1, 3);
    });
    expect(db.run("X")).toEqual(["x".repeat(899), "ab", "bc", "{}"]);
  });
});

describe("run that returns a promise", () => {
  test("is an error that says what to do; what it changed before stays", () => {
    const { db, lines } = withCommand(async (session, _args, reply) => {
      session.call("SET", "a", "1");
      reply.ok();
    });
    expect(db.run("X")).toEqual({
      error: 'ERR plugin "test": command X returned a promise: run must be synchronous',
    });
    expect(db.run("GET", "a")).toBe("1");
    expect(db.records().map(({ commands }) => commands)).toEqual([["SET a 1"]]);
    expect(lines.join("")).toContain('plugin "test": command X returned a promise');
  });

  test("what it does afterwards reaches no reply and no key, and its rejection is logged", async () => {
    const gate = Promise.withResolvers<void>();
    const thrown: unknown[] = [];
    const { db, lines } = withCommand(async (session, _args, reply) => {
      await gate.promise;
      for (const act of [() => reply.ok(), () => session.call("SET", "a", "1")]) {
        try {
          act();
        } catch (error) {
          thrown.push(error);
        }
      }
      throw new Error("much later");
    });
    db.run("X");
    gate.resolve();
    await settle();
    expect(db.run("GET", "a")).toBe(null);
    expect(thrown.map(String)).toEqual([
      expect.stringContaining("the command has ended"),
      expect.stringContaining("until run returns"),
    ]);
    expect(lines.filter((line) => line.includes("much later"))).toHaveLength(1);
  });

  test("of any kind with a then", () => {
    // biome-ignore lint/suspicious/noThenProperty: what only looks like a promise is what is tested
    const thenable = Object.defineProperty({}, "then", { value: () => {} });
    const { db } = withCommand(() => thenable as never);
    expect(db.run("X")).toEqual({ error: expect.stringContaining("returned a promise") });
  });
});

test("of the same fault a few lines a second are logged, and then how often it came", () => {
  const { db, lines } = withCommand(() => {
    throw new Error("again");
  });
  for (let i = 0; i < 100; i++) db.run("X");
  expect(lines).toHaveLength(5);
  for (const line of lines) expect(line).toContain("again");
  db.advance(1001);
  for (let i = 0; i < 2; i++) db.run("X");
  expect(lines).toHaveLength(7);
  expect(lines.map((line) => /untold=(\d+)/.exec(line)?.[1])).toEqual([
    ...Array(5).fill(undefined),
    "95",
    undefined,
  ]);
});
