/** The command table of a server, as it comes back from its own answers: kvdb's in both protocols. */
import { describe, expect, test } from "bun:test";
import { AnswerRecorder } from "../../../src/client/answer-recorder.ts";
import type { Link } from "../../../src/client/link.ts";
import { remoteCommand, remoteCommands } from "../../../src/client/remote-commands.ts";
import { Arguments } from "../../../src/commands/arguments.ts";
import type { Answer } from "../../../src/resp/answer.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";

const byName = (one: { name: string }, other: { name: string }) => (one.name < other.name ? -1 : 1);

async function answersOf(parts: readonly string[]): Promise<Answer> {
  const harness = new EngineHarness();
  const args = new Arguments();
  args.assign(parts);
  const recorder = new AnswerRecorder();
  harness.engine.dispatch(harness.session, args, recorder);
  return recorder.take();
}

/** RESP2 knows no maps and no sets. */
function flat(answer: Answer): Answer {
  if ("entries" in answer) {
    return { kind: "array", items: answer.entries.flatMap((pair) => pair.map(flat)) };
  }
  return "items" in answer ? { kind: "array", items: answer.items.map(flat) } : answer;
}

const linkOf = (call: (parts: readonly string[]) => Promise<Answer>): Link => ({
  call: (parts) => call(parts.map(String)),
  async close() {},
});

describe.each([
  ["RESP3", (answer: Answer) => answer],
  ["RESP2", flat],
])("%s", (_, form) => {
  test("every command comes back as it is in the table, but for what runs it and finds keys", async () => {
    const link = linkOf(async (parts) => form(await answersOf(parts)));
    const expected = new EngineHarness().engine.commands
      .all()
      .map((command) => {
        const {
          run: _,
          mayAnswerLater: _1,
          keysCountedAt: _2,
          keysBehind: _3,
          keyAfter: _4,
          keysByContent: _5,
          readsUnder: _6,
          ...told
        } = command;
        return told;
      })
      .sort(byName);
    const found = [...(await remoteCommands(link))].sort(byName);
    expect(found.map(comparable)).toEqual(expected.map(comparable));
  });

  test("one command comes as it comes among all, with its subcommands", async () => {
    const link = linkOf(async (parts) => form(await answersOf(parts)));
    const all = await remoteCommands(link);
    for (const name of ["VALUE.SET", "FLUSHALL", "COMMAND", "BACKUP", "INDEX"]) {
      const expected = all.filter((one) => one.name === name || one.name.startsWith(`${name}|`));
      const found = await remoteCommand(link, name);
      expect(found.map(comparable)).toEqual(expected.map(comparable));
    }
    expect(await remoteCommand(link, "NO.SUCH")).toEqual([]);
  });

  test("of a server without COMMAND DOCS, names and counts", async () => {
    const unknown: Answer = { kind: "error", code: "ERR", text: "unknown subcommand" };
    const link = linkOf(async (parts) => {
      return parts.length > 1 ? unknown : form(await answersOf(parts));
    });
    const commands = await remoteCommands(link);
    const append = commands.find(({ name }) => name === "APPEND");
    expect(append).toMatchObject({ arity: 3, keys: [1, 1, 1], syntax: "", summary: "" });
  });
});

test("of a server that forbids COMMAND, nothing", async () => {
  const link = linkOf(async () => ({ kind: "error", code: "NOPERM", text: "" }));
  expect(await remoteCommands(link)).toEqual([]);
});

/** The order of flags has no meaning. */
function comparable<Value extends { flags: readonly string[] }>(command: Value): Value {
  return { ...command, flags: [...command.flags].sort() };
}
