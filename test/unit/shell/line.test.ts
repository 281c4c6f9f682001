/** The line grammar: what words are, what is told of a line that is not right, and what holds of any text. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { splitWords } from "../../../src/resp/decoder.ts";
import { splitCommands } from "../../../src/shell/command-lines.ts";
import { parseLine, quoteWord } from "../../../src/shell/line.ts";

const bytes = (...values: number[]): Buffer => Buffer.from(values);

describe("words", () => {
  test.each<[line: string, words: (string | Buffer)[]]>([
    ["", []],
    ["   ", []],
    ["get user:1", ["get", "user:1"]],
    ["  get\t user:1 \r\n", ["get", "user:1"]],
    ["# get user:1", []],
    ["get # user", ["get", "#", "user"]],
    ['set k "a b"', ["set", "k", "a b"]],
    ['set k ""', ["set", "k", ""]],
    ["set k ''", ["set", "k", ""]],
    ['set k a"b c"', ["set", "k", "ab c"]],
    [String.raw`set k "\n\r\t\b\a\"\\\f\/\q"`, ["set", "k", '\n\r\t\b\x07"\\\f/q']],
    [String.raw`set k "\x41\xc3\xa9"`, ["set", "k", "Aé"]],
    [String.raw`set k "é\xff"`, ["set", "k", bytes(0xc3, 0xa9, 0xff)]],
    [String.raw`set k "\xg1"`, ["set", "k", "xg1"]],
    [String.raw`set k "\u00e9\ud83d\ude00"`, ["set", "k", "é😀"]],
    [String.raw`set k '\n\'"'`, ["set", "k", String.raw`\n'"`]],
    ["set k x --ttl 2s", ["set", "k", "x", "--ttl", "2s"]],
    ["set ключ 日本", ["set", "ключ", "日本"]],
    ["set k a\u00a0b", ["set", "k", "a\u00a0b"]],
  ])("%j", (line, words) => {
    const parsed = parseLine(line);
    expect(parsed.words).toEqual(words);
    expect(parsed.problems).toEqual([]);
    expect(parsed.isIncomplete).toBe(false);
  });

  test.each<[line: string, at: number]>([
    ['set k "a', 6],
    ["set k 'a", 6],
    [String.raw`set k "a\"`, 6],
    [String.raw`set k "a\x4`, 6],
    ['set k "a"b', 9],
    ["set k 'a'b", 9],
    [String.raw`set k "\ud83d"`, 7],
    [String.raw`set k "\ud83dx"`, 7],
  ])("%j has a problem at %d", (line, at) => {
    const { problems, isIncomplete } = parseLine(line);
    expect(problems.map(({ start }) => start)).toEqual([at]);
    expect(isIncomplete).toBe(false);
  });
});

describe("JSON", () => {
  test.each<[line: string, words: string[]]>([
    ['set u {"a":[1,2,{"b":null}],"x":true}', ["set", "u", '{"a":[1,2,{"b":null}],"x":true}']],
    ['set u {"a": 1} PX 5', ["set", "u", '{"a": 1}', "PX", "5"]],
    ['set u { "a b" : "} ] \\" {" }', ["set", "u", '{ "a b" : "} ] \\" {" }']],
    ['set u {"a":\n 1\n}', ["set", "u", '{"a":\n 1\n}']],
    ["set u []", ["set", "u", "[]"]],
    ["set u {}", ["set", "u", "{}"]],
    ["set u [ 1, 2 ]", ["set", "u", "[ 1, 2 ]"]],
    ["set u [null , 1]", ["set", "u", "[null , 1]"]],
    ["set u [[1], [2]]", ["set", "u", "[[1], [2]]"]],
    // Not JSON: names with a hash tag, patterns, borders of ranges.
    ["get {user:1}.name", ["get", "{user:1}.name"]],
    ["keys [ab]*", ["keys", "[ab]*"]],
    ["keys [12]*", ["keys", "[12]*"]],
    ["zrangebylex z [a [c", ["zrangebylex", "z", "[a", "[c"]],
    ["zrangebylex z [1 [5", ["zrangebylex", "z", "[1", "[5"]],
  ])("%j", (line, words) => {
    const parsed = parseLine(line);
    expect(parsed.words).toEqual(words);
    expect(parsed.problems).toEqual([]);
    expect(parsed.isIncomplete).toBe(false);
  });

  test.each(['set u {"a": 1', "set u {", "set u [1,", 'set u {"a": "b', 'set u {"a": "b\\'])(
    "%j goes on in the next line",
    (line) => expect(parseLine(line).isIncomplete).toBe(true),
  );

  test.each<[line: string, at: number]>([
    ['set u {"a": [1}', 14],
    ['set u {"a":1}x', 13],
    ['set u {"a":1}{"b":2}', 13],
  ])("%j has a problem at %d", (line, at) => {
    const { problems, isIncomplete } = parseLine(line);
    expect(problems.map(({ start }) => start)).toEqual([at]);
    expect(isIncomplete).toBe(false);
  });
});

describe("pipes", () => {
  test("the rest of the line is the program", () => {
    const { words, program } = parseLine('list user:* | grep -v "a|b" | wc -l ');
    expect(words).toEqual(["list", "user:*"]);
    expect(program).toBe('grep -v "a|b" | wc -l');
  });

  test.each(["set k a|b", 'set k "|"', "set k |b", 'set k {"a":" | "}', "set k ||"])(
    "%j has none",
    (line) => expect(parseLine(line).program).toBeUndefined(),
  );

  test.each(["get k |", "| wc", " |"])("%j lacks something", (line) => {
    expect(parseLine(line).problems.length).toBeGreaterThan(0);
  });
});

describe("any text", () => {
  const fragment = fc.constantFrom(
    ...['"', "'", "\\", "{", "}", "[", "]", "|", "#", " ", "\n", ":", ",", "\\x41", "\\u00e9", "1"],
    ...["null", "a", "é", "😀", "\ud800", "\\ud800", "\\x", "\\xff"],
  );
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.array(fragment).map((parts) => parts.join("")),
  );

  test("is covered by tokens in order", () => {
    fc.assert(
      fc.property(text, (line) => {
        const { tokens, words, wordTokens } = parseLine(line);
        let at = 0;
        for (const { start, end } of tokens) {
          expect(start).toBe(at);
          expect(end).toBeGreaterThan(start);
          at = end;
        }
        expect(at).toBe(line.length);
        expect(words).toHaveLength(wordTokens.length);
      }),
      { numRuns: 2000 },
    );
  });

  test("without JSON and pipes has the words that the server finds", () => {
    // \f, \/ and \u are JSON's; the server has never heard of them.
    const part = fragment.filter((one) => !/[{[|#\ud800é😀]|\\u|\\x/u.test(one));
    fc.assert(
      fc.property(fc.array(part), (parts) => {
        const line = parts.join("");
        const { words, problems } = parseLine(line);
        const found = splitWords(Buffer.from(line), 0, Buffer.byteLength(line));
        if (found === null) expect(problems).not.toEqual([]);
        else expect(words.map((word) => Buffer.from(word)) as Buffer[]).toEqual(found);
      }),
      { numRuns: 2000 },
    );
  });

  test("quoted is that text again", () => {
    const value = fc.oneof(
      fc.string({ unit: "binary" }).filter((one) => one.isWellFormed()),
      fc.uint8Array().map((array) => Buffer.from(array)),
    );
    fc.assert(
      fc.property(fc.array(value, { minLength: 1 }), (values) => {
        const shown = values.map(quoteWord).join(" ");
        // biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal must not be sent
        expect(shown).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u061c\u202a-\u202e\u2066-\u2069]/);
        const { words, problems } = parseLine(shown);
        expect(problems).toEqual([]);
        expect(words.map((word) => Buffer.from(word))).toEqual(
          values.map((one) => Buffer.from(one)),
        );
      }),
    );
  });

  test("quoted cannot command a terminal, nor turn the direction of writing", () => {
    expect(quoteWord("\u009b31mx\u202e\u061c")).toBe('"\\u009b31mx\\u202e\\u061c"');
  });

  test("as JSON is one word", () => {
    const value = fc.oneof(fc.array(fc.jsonValue()), fc.dictionary(fc.string(), fc.jsonValue()));
    fc.assert(
      fc.property(value, fc.boolean(), (json, isPretty) => {
        const written = JSON.stringify(json, null, isPretty ? 2 : 0);
        const { words, problems } = parseLine(`set k ${written} PX 5`);
        expect(problems).toEqual([]);
        expect(words).toEqual(["set", "k", written, "PX", "5"]);
      }),
    );
  });
});

describe("several lines", () => {
  test("end a command each, unless a bracket is open", () => {
    const commands = splitCommands(
      'set a 1\r\n\n# note\nset b {"x":\n [1,\n2]} PX 5\nget a | wc\n',
    );
    expect(commands.map(({ text, lineNumber }) => [lineNumber, text])).toEqual([
      [1, "set a 1"],
      [4, 'set b {"x":\n [1,\n2]} PX 5'],
      [7, "get a | wc"],
    ]);
  });

  test("what stays open is told", () => {
    const [first, second] = splitCommands('get a\nset b {"x":\n1');
    expect(first?.parsed.problems).toEqual([]);
    expect(second?.parsed.isIncomplete).toBe(true);
    expect(second?.lineNumber).toBe(2);
  });

  test("a wrong bracket does not swallow what follows", () => {
    const commands = splitCommands('set b {"x":\n[1}\nget a');
    expect(commands.map(({ text }) => text)).toEqual(['set b {"x":\n[1}', "get a"]);
  });

  test("a document of many lines is read fast", () => {
    const json = JSON.stringify(
      Array.from({ length: 100_000 }, (_, i) => ({ i })),
      null,
      1,
    );
    const [only, ...others] = splitCommands(`set big ${json}`);
    expect(others).toEqual([]);
    expect(only?.parsed.words[2]).toBe(json);
  });
});
