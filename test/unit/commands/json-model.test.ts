// Random JSON commands against a naive model: parsed values, changed as JavaScript changes them. After each command the text
// means what the model says, what a command did not name has kept its bytes, and a replay gives the same.

import { expect, test } from "bun:test";
import { type Random, seededRandom } from "../../../src/platform/random.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";
import { seeds } from "../../suites/seeds.ts";
import type { Value } from "../../suites/value-reply.ts";

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type Container = Json[] | { [key: string]: Json };
type Steps = readonly (string | number)[];

const NAMES = ["a", "b", "c d", "é", 'q"'];
const SCALARS: readonly Json[] = [0, 1, -7, 2.5, true, false, null, "", "x", "é\n"];

/** Stays in each document untouched, written as JSON.stringify would never write it. */
const KEPT = '"kept":[1.00,-0.0,1E2,"\\u0061\\/",12345678901234567890]';

class Play {
  readonly random: Random;
  readonly db = new EngineHarness({ auditEvery: 7 });
  readonly model = new Map<string, { [key: string]: Json }>();

  constructor(seed: number) {
    this.random = seededRandom(seed);
  }

  pick<T>(from: readonly T[]): T {
    return from[this.random.below(from.length)];
  }

  value(depth: number): Json {
    const kind = depth === 0 ? 5 : this.random.below(6);
    const count = this.random.below(4);
    if (kind === 0) return Array.from({ length: count }, () => this.value(depth - 1));
    if (kind > 1) return this.pick(SCALARS);
    return Object.fromEntries(
      Array.from({ length: count }, () => [this.pick(NAMES), this.value(depth - 1)]),
    );
  }

  /** Steps to a place in the document, or now and then one that is not there; never into what is kept. */
  steps(root: { [key: string]: Json }): Steps {
    const steps: (string | number)[] = [];
    let value: Json = root;
    while (value !== null && typeof value === "object" && this.random.below(5) > 0) {
      const step: string | number = Array.isArray(value)
        ? this.random.below(value.length + 1)
        : this.pick(NAMES);
      steps.push(step);
      const next: Json | undefined = get(value, step);
      if (next === undefined) break;
      value = next;
    }
    return steps.length === 0 ? [this.pick(NAMES)] : steps;
  }

  text(steps: Steps): string {
    const parts = steps.map((step) => `[${JSON.stringify(step)}]`);
    return `$${parts.join("")}`;
  }
}

function get(container: Container, step: string | number): Json | undefined {
  return (container as Record<string | number, Json>)[step];
}

interface Place {
  readonly parent: Container;
  readonly step: string | number;
  /** Undefined: there is none. */
  readonly value: Json | undefined;
}

function placeOf(root: { [key: string]: Json }, steps: Steps): Place | null {
  let parent: Container = root;
  for (const step of steps.slice(0, -1)) {
    const next = get(parent, step);
    if (next === undefined || next === null || typeof next !== "object") return null;
    parent = next;
  }
  const step = steps[steps.length - 1];
  if (Array.isArray(parent) !== (typeof step === "number")) return null;
  return { parent, step, value: get(parent, step) };
}

function put({ parent, step }: Place, value: Json): undefined {
  (parent as Record<string | number, Json>)[step] = value;
}

function merged(target: Json | undefined, patch: Json): Json {
  if (patch === null || typeof patch !== "object" || Array.isArray(patch)) return patch;
  const isObject = target !== null && typeof target === "object" && !Array.isArray(target);
  const result = new Map(Object.entries(isObject ? (target as { [key: string]: Json }) : {}));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) result.delete(key);
    else result.set(key, merged(result.get(key), value));
  }
  return Object.fromEntries(result);
}

/** A command with its arguments behind the path, and what it does to a place of the model; false: nothing. */
type Move = (
  play: Play,
  place: Place,
) => { readonly args: Json[]; readonly apply: () => Json | undefined };

const MOVES: Readonly<Record<string, Move>> = {
  "JSON.SET": (play, place) => {
    const value = play.value(2);
    return { args: [value], apply: () => put(place, structuredClone(value)) };
  },
  "JSON.MERGE": (play, place) => {
    const patch = play.value(3);
    return { args: [patch], apply: () => put(place, merged(place.value, structuredClone(patch))) };
  },
  "JSON.DEL": (_play, { parent, step, value }) => ({
    args: [],
    apply: () => {
      if (value === undefined) return 0;
      if (Array.isArray(parent)) parent.splice(step as number, 1);
      else delete parent[step as string];
      return 1;
    },
  }),
  "JSON.ARRAPPEND": (play, { value }) => {
    const added = [play.value(1), play.value(1)];
    const apply = () => [Array.isArray(value) ? value.push(...added) : null];
    return { args: added, apply };
  },
  "JSON.ARRINSERT": (play, { value }) => {
    const [index, added] = [play.random.below(4) - 1, play.value(1)];
    const apply = () => {
      if (!Array.isArray(value)) return [null];
      const at = index < 0 ? value.length + index : index;
      if (at < 0 || at > value.length) return "refused";
      value.splice(at, 0, added);
      return [value.length];
    };
    return { args: [index, added], apply };
  },
  "JSON.ARRPOP": (play, { value }) => {
    const index = play.random.below(7) - 3;
    const apply = () => {
      if (!Array.isArray(value) || value.length === 0) return [null];
      const at = index < 0 ? Math.max(0, value.length + index) : Math.min(index, value.length - 1);
      return value.splice(at, 1);
    };
    return { args: [index], apply };
  },
  "JSON.NUMINCRBY": (play, place) => {
    const by = play.pick([1, -3, 0.5]);
    const apply = () => {
      if (typeof place.value !== "number") return [null];
      put(place, place.value + by);
      return [place.value + by];
    };
    return { args: [by], apply };
  },
  "JSON.STRAPPEND": (_play, place) => ({
    args: ["é"],
    apply: () => {
      if (typeof place.value !== "string") return [null];
      put(place, `${place.value}é`);
      return [Buffer.byteLength(place.value) + 2];
    },
  }),
  "JSON.TOGGLE": (_play, place) => ({
    args: [],
    apply: () => {
      if (typeof place.value !== "boolean") return [null];
      put(place, !place.value);
      return [place.value ? 0 : 1];
    },
  }),
  "JSON.CLEAR": (_play, place) => ({
    args: [],
    apply: () => {
      const { value } = place;
      const isContainer = value !== null && typeof value === "object";
      if (isContainer && Object.keys(value).length === 0) return 0;
      if (isContainer) put(place, Array.isArray(value) ? [] : {});
      else if (typeof value === "number" && value !== 0) put(place, 0);
      else return 0;
      return 1;
    },
  }),
};

/** Commands that make a member whose object is there; SET and MERGE. */
const MAKERS = ["JSON.SET", "JSON.MERGE"];

function step(play: Play): void {
  const key = `doc${play.random.below(3)}`;
  const root = play.model.get(key);
  if (root === undefined) {
    const value = { [play.pick(NAMES)]: play.value(4) };
    const text = JSON.stringify(value);
    const withKept = `${text.slice(0, -1)}${text === "{}" ? "" : ","}${KEPT}}`;
    expect(play.db.run("JSON.SET", key, "$", withKept)).toBe("OK");
    play.model.set(key, value);
    return;
  }
  const steps = play.steps(root);
  const name = play.pick(Object.keys(MOVES));
  const place = placeOf(root, steps);
  const { args, apply } = (MOVES[name] as Move)(
    play,
    place ?? { parent: {}, step: "", value: undefined },
  );
  const before = play.db.run("GET", key) as string;
  const words = args.map((argument) => JSON.stringify(argument));
  const answer = play.db.run(name, key, play.text(steps), ...words);
  const told = `${before} ${name} ${play.text(steps)} ${words.join(" ")}`;
  const expected = expectedAnswer(name, place, steps, apply);
  expect([told, plain(answer)]).toEqual([told, expected]);
  const after = play.db.run("GET", key) as string;
  if (!after.includes(KEPT))
    throw new Error(`${told}: what was not addressed has changed: ${after}`);
  const { kept: _kept, ...rest } = JSON.parse(after);
  expect([told, rest]).toEqual([told, root]);
}

function expectedAnswer(
  name: string,
  place: Place | null,
  steps: Steps,
  apply: () => Json | undefined,
): unknown {
  const isThere = place !== null && place.value !== undefined;
  if (MAKERS.includes(name)) {
    if (!isThere && typeof steps.at(-1) === "number") return "refused";
    if (place === null) return null;
    apply();
    return "OK";
  }
  if (isThere) return apply();
  return name === "JSON.DEL" || name === "JSON.CLEAR" ? 0 : [];
}

/** An answer as the model has it: numbers of NUMINCRBY and elements of ARRPOP are JSON text. */
function plain(answer: Value): unknown {
  if (typeof answer === "string" && answer !== "OK") return JSON.parse(answer);
  if (Array.isArray(answer))
    return answer.map((one) => (typeof one === "string" ? JSON.parse(one) : one));
  return answer !== null && typeof answer === "object" ? "refused" : answer;
}

test.each(seeds(4))(
  "random commands, seed %d",
  (seed) => {
    const play = new Play(seed);
    for (let round = 0; round < 1500; round++) step(play);
    const replayed = play.db.replayed();
    expect(replayed.run("DEBUG", "DIGEST")).toBe(play.db.run("DEBUG", "DIGEST"));
    for (const key of play.model.keys())
      expect(replayed.run("GET", key)).toBe(play.db.run("GET", key));
  },
  60_000,
);
