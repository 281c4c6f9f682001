/**
 * The parser against the checker of documents that the store uses, and against JSON.parse; each text
 * whole, cut at every byte, and byte by byte. What it answers must not depend on where slices end.
 */
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { MAX_JSON_DEPTH } from "../../../src/limits.ts";
import { seededRandom } from "../../../src/platform/random.ts";
import { JsonScanner, writeCompact } from "../../../src/store/json-text.ts";
import { seeds } from "../../suites/seeds.ts";
import { fileOf, json, type Parsed, parse } from "./support.ts";

const scanner = new JsonScanner();
// What is in a file was stored once, by the rules of its time.
scanner.allowsDuplicates = true;

/** The document as the store has it; undefined when it is none. */
function compact(text: Buffer): Buffer | undefined {
  if (!scanner.scan(text, 0, text.length)) return undefined;
  const target = Buffer.alloc(scanner.compactSize);
  writeCompact(text, scanner.start, scanner.end, target, 0);
  return target;
}

function fileAround(text: Buffer, front = '{"$json":', back = "}"): Buffer {
  const parts = [`{"databases":{"0":{"d":${front}`, text, `${back},"e":0}}}`];
  return Buffer.concat(parts.map((part) => Buffer.from(part as string)));
}

/** Whole, cut at each of these bytes, and byte by byte: always the same. */
function parseEverySplit(bytes: Buffer, cuts = [...bytes.keys()]): Parsed {
  const whole = parse(bytes);
  for (const cut of cuts) expect({ cut, ...parse(bytes, [cut]) }).toEqual({ cut, ...whole });
  expect(parse(bytes, cuts)).toEqual(whole);
  return whole;
}

/** Documents come out as the store would have them, what is none is refused. */
function expectAgrees(text: Buffer, cuts?: readonly number[]): boolean {
  const bytes = fileAround(text);
  const { entries, problem } = cuts === undefined ? parseEverySplit(bytes) : parse(bytes, cuts);
  const expected = compact(text);
  const shown = text.toString("latin1", 0, 200);
  const isDocument = problem === undefined && entries.length === 2;
  expect({ shown, isDocument }).toEqual({ shown, isDocument: expected !== undefined });
  if (expected === undefined) return false;
  expect(entries[0]?.value).toBe(expected.toString("hex"));
  return true;
}

const CORPUS = join(import.meta.dir, "../../../../shared/data/json-parsing.jsonl");

describe.skipIf(!existsSync(CORPUS))("JSONTestSuite (shared/data/json-parsing.jsonl)", () => {
  const texts = (existsSync(CORPUS) ? readFileSync(CORPUS, "utf8").trim().split("\n") : []).map(
    (line) => JSON.parse(line) as { name: string; expect: string; base64: string },
  );

  test("as documents: accepts and rejects what it should", () => {
    for (const { name, expect: expected, base64 } of texts) {
      const text = Buffer.from(base64, "base64");
      const accepted = expectAgrees(text, text.length > 1000 ? [50, 1000] : undefined);
      if (expected === "either") continue;
      expect({ name, accepted }).toEqual({ name, accepted: expected === "accept" });
    }
    expect(texts.length).toBeGreaterThan(300);
  });

  test("as strings: those with text say what JSON.parse reads, halves of a pair are refused", () => {
    let accepted = 0;
    for (const { base64 } of texts) {
      const text = Buffer.from(base64, "base64");
      const value = compact(text) && parsed(text.toString());
      if (!Array.isArray(value) || value.length !== 1 || typeof value[0] !== "string") continue;
      const string = text.subarray(text.indexOf("[") + 1, text.lastIndexOf("]"));
      const { entries, problem } = parseEverySplit(fileAround(string, "", ""));
      expect(problem === undefined).toBe(value[0].isWellFormed());
      if (problem !== undefined) continue;
      expect(entries[0]?.value).toBe(Buffer.from(value[0]).toString("hex"));
      accepted++;
    }
    expect(accepted).toBeGreaterThan(20);
  });
});

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const PIECES = [
  ...["{", "}", "[", "]", ",", ":", '"', "\\", '"a"', '"b c"', '"\\n"', " ", "\n", "1", "-", "0"],
  ...[".", "e", "E5", "true", "false", "null", "\\u00e9", "é", "u", "\t", "+", '"$a"', '"\\ud83d"'],
];

test.each(seeds(3))("documents of pieces put together, seed %d", (seed) => {
  const random = seededRandom(seed);
  let accepted = 0;
  for (let round = 0; round < 1000; round++) {
    const count = 1 + random.below(9);
    const pieces = Array.from({ length: count }, () => PIECES[random.below(PIECES.length)]);
    if (expectAgrees(Buffer.from(pieces.join("")))) accepted++;
  }
  expect(accepted).toBeGreaterThan(5);
});

test.each(seeds(3))("documents that were damaged, seed %d", (seed) => {
  const random = seededRandom(seed);
  const text = Buffer.from('{"a":[1.5e-3,{"b":"\\u00e9\\n𝄞é"}],"":{"c":[null,true,-0],"d":{}}}');
  for (let round = 0; round < 2000; round++) {
    const damaged = Buffer.from(text);
    for (let i = random.below(2); i >= 0; i--)
      damaged[random.below(text.length)] = random.below(256);
    expectAgrees(damaged, [random.below(text.length), text.length]);
  }
});

test.each(seeds(3))("strings of any characters say what JSON.parse reads, seed %d", (seed) => {
  const random = seededRandom(seed);
  const characters = [
    "a",
    '"',
    "\\",
    "/",
    "\b",
    "\n",
    "\0",
    "é",
    "€",
    "𝄞",
    "\ud834",
    "\udd1e",
    "\x7f",
  ];
  for (let round = 0; round < 400; round++) {
    const text = Array.from({ length: random.below(8) }, () => {
      const character = characters[random.below(characters.length)] ?? "";
      if (random.below(2) === 0 && character.isWellFormed()) {
        return JSON.stringify(character).slice(1, -1);
      }
      const units = [...Array(character.length).keys()].map((at) => character.charCodeAt(at));
      return units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
    }).join("");
    const { entries, problem } = parseEverySplit(fileAround(Buffer.from(`"${text}"`), "", ""));
    const said: string = JSON.parse(`"${text}"`);
    expect({ text, isRight: problem === undefined }).toEqual({
      text,
      isRight: said.isWellFormed(),
    });
    if (problem === undefined) expect(entries[0]?.value).toBe(Buffer.from(said).toString("hex"));
  }
});

test("depth has a bound, the same as the store's", () => {
  const nested = (depth: number) => Buffer.from("[".repeat(depth) + "]".repeat(depth));
  for (const [front, back] of [
    ["", ""],
    ['{"$json":', "}"],
    ['{"$value":', "}"],
  ]) {
    expect(parse(fileAround(nested(MAX_JSON_DEPTH), front, back)).problem).toBeUndefined();
    const { problem } = parse(fileAround(nested(MAX_JSON_DEPTH + 1), front, back));
    const depth = `{"databases":{"0":{"d":${front}`.length + MAX_JSON_DEPTH;
    expect(problem).toMatchObject({ offset: depth });
  }
  const endless = fileAround(Buffer.from('{"a":'.repeat(1_000_000)));
  expect(parse(endless).problem?.message).toContain(String(MAX_JSON_DEPTH));
});

test("every form of a whole file, wherever a slice ends", async () => {
  const bytes = await fileOf([
    { key: "name", value: "Alice é" },
    { key: Buffer.from([255, 0]), value: Buffer.from([0, 1, 255]), deadlineMs: 1 },
    { key: "$price", value: '"\n', database: 1 },
    json("d", '{"a":[1,"\\u0041"],"b":1.0}', { database: 1, deadlineMs: Date.UTC(2030, 0, 1) }),
    json("e", '{"a":1,"$b":{}}', { database: 1, deadlineMs: Number.MAX_SAFE_INTEGER }),
    json("f", '"text"', { database: 15 }),
    json("g", "-1.5e3", { database: 15 }),
    json("h", "null", { database: 15, deadlineMs: 8.64e15 }),
  ]);
  const { entries, problem } = parseEverySplit(bytes);
  expect(problem).toBeUndefined();
  expect(entries).toHaveLength(8);
  const spread = Buffer.from(bytes.toString().replaceAll(/([,:{}])/g, "$1 \n"));
  expect(parseEverySplit(spread).problem?.offset).toBeGreaterThan(0); // also within strings
});

test.each(seeds(5))("base64 is read as strictly as it is written, seed %d", (seed) => {
  const random = seededRandom(seed);
  for (let round = 0; round < 300; round++) {
    const value = Buffer.from(Array.from({ length: random.below(9) }, () => random.below(256)));
    const text = value.toString("base64").split("");
    if (random.below(2) === 0) {
      const at = random.below(text.length + 1);
      text.splice(at, random.below(2), ..."A+/=b-_ \u00e9"[random.below(9)]);
    }
    const form = Buffer.from(`{"$base64":"${text.join("")}"}`);
    const { entries, problem } = parseEverySplit(fileAround(form, "", ""));
    const decoded = Buffer.from(text.join(""), "base64");
    const isRight = decoded.toString("base64") === text.join("");
    expect({ form: form.toString(), isRight: problem === undefined }).toEqual({
      form: form.toString(),
      isRight,
    });
    if (isRight) expect(entries[0]?.value).toBe(decoded.toString("hex"));
  }
});
