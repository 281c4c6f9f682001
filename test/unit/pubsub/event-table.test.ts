/** Every command that writes: the events it tells of, in their order, and nothing besides. */
import { describe, expect, test } from "bun:test";
import { type Argument, EngineHarness } from "../../suites/engine-harness.ts";
import { OTHER_EXAMPLES, parseExample, REDIS_EXAMPLES, WITHOUT_EVENTS } from "./event-examples.ts";
import { RecordedEvents } from "./recorded-events.ts";

const examples = [REDIS_EXAMPLES, OTHER_EXAMPLES].flatMap((table) =>
  Object.entries(table).flatMap(([name, texts]) => texts.map((text) => ({ name, text }))),
);

/** A value as DUMP answers it. */
function dumped(): Buffer {
  const db = new EngineHarness();
  db.run("RPUSH", "l", "1");
  return db.run("DUMP", "l") as unknown as Buffer;
}

describe("events of", () => {
  test.each(examples)("$name: $text", ({ name, text }) => {
    const db = new EngineHarness();
    const { before, command, events } = parseExample(text);
    expect(command.join("|").toUpperCase().startsWith(name)).toBe(true);
    const recorded = new RecordedEvents(db.engine.events);
    const run = (words: readonly string[]) =>
      db.run(...words.map((word): Argument => (word === "$DUMP" ? dumped() : word)));
    for (const words of before) run(words);
    recorded.take();
    run(command);
    expect(recorded.take()).toEqual([...events]);
  });
});

test("each command that writes has an example, or a reason to have none", () => {
  const db = new EngineHarness();
  const writing = [...db.engine.commands.all()]
    .filter(({ flags }) => flags.includes("write"))
    .map(({ name }) => name);
  const told = [REDIS_EXAMPLES, OTHER_EXAMPLES, WITHOUT_EVENTS].flatMap(Object.keys);
  expect([...new Set(told)].sort()).toEqual(writing.toSorted());
});

test("what tells nothing tells nothing", () => {
  const db = new EngineHarness();
  const recorded = new RecordedEvents(db.engine.events);
  db.run("MSET", "a", "1", "b", "2");
  db.run("XADD", "x", "1", "f", "v");
  db.run("XGROUP", "CREATE", "x", "g", "0");
  db.run("XREADGROUP", "GROUP", "g", "c", "STREAMS", "x", ">");
  db.run("PFADD", "p", "1");
  db.run("JSON.SET", "j", "$", '{"f":1}');
  recorded.take();
  for (const command of [
    ["XACK", "x", "g", "1"],
    ["PFDEBUG", "TODENSE", "p"],
    ["INDEX", "CREATE", "i", "USING", "hash", "FIELD", "f"],
    ["INDEX", "DROP", "i"],
    ["SWAPDB", "0", "1"],
    ["FLUSHDB"],
    ["FLUSHALL"],
  ]) {
    expect(db.run(...command)).not.toEqual({ error: expect.any(String) });
  }
  expect(recorded.take()).toEqual([]);
});
