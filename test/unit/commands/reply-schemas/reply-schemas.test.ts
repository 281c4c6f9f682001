/**
 * RESP3 replies have the shapes that the schemas of test/fixtures/reply-schemas tell of: every reply of every scene is
 * valid, each command has a call, and each way a schema offers is taken. Exceptions stand in known-exceptions.ts.
 */

import { describe, expect, test } from "bun:test";
import { Ajv, type ValidateFunction } from "ajv";
import allSchemas from "../../../fixtures/reply-schemas/reply-schemas.json";
import { EngineHarness } from "../../../suites/engine-harness.ts";
import { DIFFERENT_REPLIES, UNREACHED_WAYS } from "./known-exceptions.ts";
import type { Json } from "./reply-json.ts";
import { SceneRunner } from "./scene-runner.ts";
import { SCENES } from "./scenes.ts";

type Schema = {
  readonly anyOf?: object[];
  readonly oneOf?: object[];
  readonly [member: string]: unknown;
};

/** One of several ways that a schema offers; of a schema without a choice, the whole. */
type Way = { readonly text: string; readonly accepts: ValidateFunction; taken: boolean };

const SCHEMAS: Readonly<Record<string, Schema>> = allSchemas;
const ajv = new Ajv({ strict: false, allErrors: false });
const validators = new Map(Object.entries(SCHEMAS).map(([name, s]) => [name, ajv.compile(s)]));
const ways = new Map(Object.entries(SCHEMAS).map(([name, s]) => [name, waysOf(s)]));

function waysOf(schema: Schema): Way[] {
  const choices = schema.anyOf ?? schema.oneOf ?? [schema];
  const texts = new Set(choices.map((choice) => JSON.stringify(choice)));
  return [...texts].map((text) => ({ text, accepts: ajv.compile(JSON.parse(text)), taken: false }));
}

function commandOf(call: string): string {
  const [name = "", sub = ""] = call.toUpperCase().split(" ");
  return `${name} ${sub}` in SCHEMAS ? `${name} ${sub}` : name;
}

/** An empty array fits several ways and shows none of them, unless only one takes it. */
function markTaken(command: string, reply: Json): void {
  const accepting = (ways.get(command) ?? []).filter((way) => way.accepts(reply));
  if (isEmpty(reply) && accepting.length > 1) return;
  for (const way of accepting) way.taken = true;
}

function isEmpty(reply: Json): boolean {
  return typeof reply === "object" && reply !== null && Object.keys(reply).length === 0;
}

/** What is wrong with the reply, as text; "" when nothing is. */
function fault(command: string, reply: Json): string {
  const validate = validators.get(command);
  if (validate === undefined || validate(reply)) return "";
  return `${JSON.stringify(reply)}: ${ajv.errorsText(validate.errors)}`;
}

describe.each(Object.keys(SCENES))("%s", (name) => {
  const scene = new SceneRunner();
  const calls = (SCENES[name] ?? "").split("\n").map((line) => line.trim());
  test.each(calls.filter((call) => call !== ""))("%s", async (call) => {
    if (call.startsWith("other: ")) {
      scene.sendFromOther(call.slice("other: ".length));
      return;
    }
    const command = commandOf(call);
    const reply = await scene.run(call);
    if (call in DIFFERENT_REPLIES) {
      expect(reply).toEqual(DIFFERENT_REPLIES[call]?.reply as never);
      expect(fault(command, reply)).not.toBe("");
    } else {
      expect(fault(command, reply)).toBe("");
    }
    markTaken(command, reply);
  });
});

describe("the scenes", () => {
  test("take each way of each schema, but for the known ones", () => {
    const unreached = [...ways].flatMap(([command, of]) =>
      of.filter(({ taken }) => !taken).map(({ text }) => `${command} ${text}`),
    );
    expect(unreached.sort()).toEqual(Object.keys(UNREACHED_WAYS).sort());
  });

  test("know all schemas: each is of a command that there is", () => {
    const { commands } = new EngineHarness().engine;
    const names = [...commands.entries()].map(({ name }) => name.toUpperCase().replace("|", " "));
    expect(Object.keys(SCHEMAS).filter((name) => !names.includes(name))).toEqual([]);
  });

  test("contain each call that the list of different replies names", () => {
    const calls = Object.values(SCENES).flatMap((scene) => scene.split("\n"));
    const trimmed = new Set(calls.map((call) => call.trim()));
    expect(Object.keys(DIFFERENT_REPLIES).filter((call) => !trimmed.has(call))).toEqual([]);
  });
});
