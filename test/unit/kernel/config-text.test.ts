/** Texts of configurations: what is parsed, and the line of each place in JSON, TOML and YAML. */
import { describe, expect, test } from "bun:test";
import {
  type ConfigLanguage,
  ConfigTextFault,
  parseConfigText,
} from "../../../src/kernel/config-text.ts";
import { findJsoncLines } from "../../../src/kernel/jsonc-lines.ts";

function faultOf(text: string, language: ConfigLanguage): ConfigTextFault {
  try {
    parseConfigText(text, language);
  } catch (error) {
    if (error instanceof ConfigTextFault) return error;
    throw error;
  }
  throw new Error("the text has no fault");
}

const samples: Record<ConfigLanguage, string> = {
  json: `{
  // a comment, with a "key": inside
  "dir": "a \\" b", /* and
  another */ "memory": {
    "max": 1 },
  "frontends": [
    "resp",
    {
      "use": "resp",
      "bind": [
        "a"]
    }
  ],
}`,
  toml: `# a comment
dir = 'a " b'

[memory]
max = 1

[[frontends]]
use = "resp"

[[frontends]]
use = "resp"
bind = [
  "a",
]
`,
  yaml: `# a comment
dir: 'a " b'
memory:
  max: 1
frontends:
  - resp
  -
    use: resp
    bind:
      - a
`,
};

describe("the line of a place", () => {
  const expected: Record<ConfigLanguage, Record<string, number>> = {
    json: {
      "/dir": 3,
      "/memory": 4,
      "/memory/max": 5,
      "/frontends/0": 7,
      "/frontends/1": 8,
      "/frontends/1/use": 9,
      "/frontends/1/bind": 10,
      "/frontends/1/bind/0": 11,
      "/memory/none": 4,
      "/none": 1,
    },
    toml: {
      "/dir": 2,
      "/memory": 4,
      "/memory/max": 5,
      "/frontends/1/use": 11,
      "/frontends/1/bind": 12,
    },
    yaml: { "/dir": 2, "/memory": 3, "/memory/max": 4, "/frontends/0": 6, "/frontends/1/use": 8 },
  };
  for (const language of ["json", "toml", "yaml"] as const) {
    for (const [pointer, line] of Object.entries(expected[language])) {
      test(`${language} ${pointer}`, () => {
        expect(parseConfigText(samples[language], language).lineOf(pointer)).toBe(line);
      });
    }
  }
});

test("a byte order mark is no fault", () => {
  expect(parseConfigText('\uFEFF{"dir":"x"}', "json").value).toEqual({ dir: "x" });
  expect(parseConfigText("\uFEFFdir = 'x'", "toml").value).toEqual({ dir: "x" });
});

test("faults carry their line", () => {
  const faults: [ConfigLanguage, string, number | undefined][] = [
    ["json", '{\n"a": 1\n"b": 2}', 3],
    ["json", '{\n"a": }', 2],
    ["json", '{"a": 1', 1],
    ["json", "{\n'a': 1}", 2],
    ["json", '{"a": 01}', 1],
    ["json", '{"a": 1}\n\nx', 3],
    ["json", '{"a": "line\nbreak"}', 1],
    ["json", '{\n"a": 1,\n"a": 2}', 3],
    ["json", "", undefined],
    ["toml", "a = 1\nb =\n", 2],
    ["toml", "a = 1\na = 2", 2],
    ["yaml", "a: 1\nb: [1\nc: 2", 2],
    ["yaml", " \n", undefined],
  ];
  for (const [language, text, line] of faults) expect(faultOf(text, language).line).toBe(line);
});

test("texts nested without end are a fault, not an exhausted stack", () => {
  expect(faultOf("[".repeat(100_000), "json").line).toBe(1);
});

test("the finder of lines accepts what Bun.JSONC accepts of JSON with comments", () => {
  const texts = ["{}", "[]", "1", '"x"', "null", "[1,]", "{}//", "/**/{}", '{"a":[{"b":-1.5e+3}]}'];
  for (const text of texts) {
    expect(findJsoncLines(text).fault).toBeUndefined();
    expect(() => Bun.JSONC.parse(text)).not.toThrow();
  }
});
