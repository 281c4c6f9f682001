/** An engine with a plugin's commands, as tests of plugins use it. */
import { expect, test } from "bun:test";
import { definePlugin, type PluginContext } from "../../../src/plugin.ts";
import { createPluginEngine } from "../../suites/index.ts";

const asked: PluginContext[] = [];

const plugin = definePlugin<{ readonly word: string }>({
  name: "say",
  apiVersion: 1,
  schema: { properties: { word: { type: "string", default: "hello" } } },
  commands: ({ word }, context) => {
    asked.push(context);
    context.addParameter({ name: "say-word", get: () => word });
    return [
      {
        name: "SAY.WORD",
        arity: 1,
        flags: ["readonly"],
        group: "plugin",
        since: "say 1.0.0",
        summary: "Returns the word.",
        syntax: "",
        run: (_session, _args, reply) => reply.text(word),
      },
    ];
  },
});

test("options are judged and filled in as the kernel does it", async () => {
  expect((await createPluginEngine(plugin)).run("SAY.WORD")).toBe("hello");
  expect((await createPluginEngine(plugin, { word: "ahoj" })).run("SAY.WORD")).toBe("ahoj");
  const wrong = createPluginEngine(plugin, { wrod: "ahoj" } as never);
  await expect(wrong).rejects.toMatchObject({
    code: "CONFIG",
    message: expect.stringContaining('"word"'),
  });
});

test("the context is the engine's: its clock, its parameters", async () => {
  const db = await createPluginEngine(plugin);
  expect(db.run("CONFIG", "GET", "say-word")).toEqual(new Map([["say-word", "hello"]]));
  const before = asked.at(-1)?.clock.now() ?? 0;
  db.advance(1000);
  expect(asked.at(-1)?.clock.now()).toBe(before + 1000);
});

test("a plugin without commands is refused", async () => {
  const none = definePlugin({ name: "none-at-all", apiVersion: 1 });
  await expect(createPluginEngine(none)).rejects.toMatchObject({ code: "USAGE" });
});
