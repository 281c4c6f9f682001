/**
 * The forms of answers for programs (JSON, bare bytes, CSV) and what holds for all forms: any
 * answer has valid JSON, and nothing of it is obeyed by a terminal.
 */
import { expect, test } from "bun:test";
import fc from "fast-check";
import type { Answer } from "../../../src/resp/answer.ts";
import { renderAnswer, renderError } from "../../../src/shell/answer-text.ts";
import {
  anyAnswer,
  array,
  bulk,
  double,
  failure,
  integer,
  map,
  nil,
  record,
  rendered,
  status,
  withoutPaint,
  yes,
} from "./answers.ts";

// ---- any answer ----

test("any answer is one line of valid JSON for a program, and the same JSON for a person", () => {
  fc.assert(
    fc.property(
      anyAnswer,
      fc.boolean(),
      fc.integer({ min: 1, max: 100 }),
      (answer, colour, columns) => {
        const line = rendered(answer, { mode: "json" });
        expect(line).toEndWith("\n");
        expect(line.trimEnd()).not.toContain("\n");
        const shown = withoutPaint(rendered(answer, { mode: "json", colour, columns }));
        expect(JSON.parse(shown)).toEqual(JSON.parse(line));
      },
    ),
  );
});

test("no character of any answer is obeyed by a terminal", () => {
  fc.assert(
    fc.property(
      anyAnswer,
      fc.constantFrom("plain", "json", "csv"),
      fc.boolean(),
      fc.constantFrom(0, 1, 20, 80),
      fc.boolean(),
      (answer, mode, colour, columns, isValue) => {
        // For a program documents, JSON and CSV are what they are: bytes.
        fc.pre(columns > 0 || (mode === "plain" && !isValue));
        const shown = withoutPaint(rendered(answer, { mode, colour, columns, isValue }));
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
        expect(shown).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e\u2066]/);
      },
    ),
  );
});

test("colours change nothing but colours", () => {
  fc.assert(
    fc.property(anyAnswer, fc.integer({ min: 1, max: 100 }), (answer, columns) => {
      const coloured = rendered(answer, { colour: true, columns });
      expect(withoutPaint(coloured)).toBe(rendered(answer, { columns }));
    }),
  );
});

// ---- JSON ----

test("each kind of answer as JSON", () => {
  const cases: [Answer, string][] = [
    [status("OK"), '"OK"'],
    [bulk("Ada"), '"Ada"'],
    [bulk(Uint8Array.of(0xff, 0x00)), '{"$base64":"/wA="}'],
    [integer(2n ** 63n - 1n), "9223372036854775807"],
    [integer(-7), "-7"],
    [double(1.5), "1.5"],
    [double(Number.POSITIVE_INFINITY), '"inf"'],
    [double(Number.NEGATIVE_INFINITY), '"-inf"'],
    [double(Number.NaN), '"nan"'],
    [yes, "true"],
    [nil, "null"],
    [{ kind: "verbatim", text: "a\nb", format: "txt" }, '"a\\nb"'],
    [array(bulk("a"), array(), nil), '["a",[],null]'],
    [{ kind: "set", items: [integer(1)] }, "[1]"],
    [map([bulk("a"), integer(1)], [integer(2), nil]), '{"a":1,"2":null}'],
    [failure, '{"error":{"code":"ERR","message":"no \\"x\\""}}'],
  ];
  for (const [answer, text] of cases) expect(rendered(answer, { mode: "json" })).toBe(`${text}\n`);
});

test("a map that is no object is an array of pairs", () => {
  const cases: [Answer, string][] = [
    [map([array(), integer(1)]), "[[[],1]]"],
    [map([bulk(Uint8Array.of(0xff)), integer(1)]), '[[{"$base64":"/w=="},1]]'],
    [map([bulk("1"), yes], [integer(1), nil]), '[["1",true],[1,null]]'],
    [map([bulk("__proto__"), integer(1)]), '{"__proto__":1}'],
  ];
  for (const [answer, text] of cases) expect(rendered(answer, { mode: "json" })).toBe(`${text}\n`);
});

test("a document stands in the JSON as it is stored", () => {
  const document = '{"b":1.0,"a":12345678901234567890,"a":"\\u0041"}';
  expect(rendered(bulk(document), { mode: "json", isValue: true })).toBe(`${document}\n`);
  expect(rendered(bulk(document), { mode: "json" })).toBe(`${JSON.stringify(document)}\n`);
});

test("an error is a line, in JSON an object", () => {
  const error = { code: "ERR", text: "no\u001b[2J" };
  expect(renderError(error, { mode: "plain", colour: false })).toBe("ERR no\\u001b[2J\n");
  expect(withoutPaint(renderError(error, { mode: "csv", colour: true }))).toBe(
    "ERR no\\u001b[2J\n",
  );
  expect(JSON.parse(renderError(error, { mode: "json", colour: true }))).toEqual({
    error: { code: "ERR", message: "no\u001b[2J" },
  });
});

// ---- bare bytes ----

test("one string alone is its bytes and nothing else", () => {
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  const style = { mode: "raw", colour: false, isValue: false } as const;
  expect(renderAnswer(bulk(bytes), { ...style, columns: 0 })).toEqual(bytes);
  expect(renderAnswer(bulk("a"), { ...style, columns: 80 }).toString()).toBe("a\n");
  expect(renderAnswer(bulk("a\n"), { ...style, columns: 80 }).toString()).toBe("a\n");
  const document = bulk(`{"$base64":"${bytes.toString("base64")}"}`);
  expect(renderAnswer(document, { ...style, columns: 0, isValue: true })).toEqual(bytes);
});

test("a document is its text, a document that is a string is the string", () => {
  const raw = (text: string) => rendered(bulk(text), { mode: "raw", isValue: true });
  expect(raw('{"a":1.0}')).toBe('{"a":1.0}');
  expect(raw('"Ada \\u00e9\\n"')).toBe("Ada é\n");
  expect(raw('{"$base64":"YQ==","b":1}')).toBe('{"$base64":"YQ==","b":1}');
});

test("other answers are lines", () => {
  const cases: [Answer, string][] = [
    [status("OK"), "OK\n"],
    [integer(7), "7\n"],
    [nil, ""],
    [array(), ""],
    [array(bulk("a b"), nil, array(integer(1), bulk(""))), "a b\n\n1\n\n"],
    [map([bulk("k"), bulk("v")]), "k\nv\n"],
    [{ kind: "verbatim", text: "# A\r\nb:1\r\n", format: "txt" }, "# A\nb:1\n"],
  ];
  for (const [answer, text] of cases) expect(rendered(answer, { mode: "raw" })).toBe(text);
});

// ---- CSV ----

test("the elements of an answer are the rows", () => {
  const cases: [Answer, string][] = [
    [bulk("Ada"), "Ada\n"],
    [array(bulk("a"), integer(1), bulk("")), 'a\n1\n""\n'],
    [array(array(bulk("a"), integer(1)), array(bulk("b"), nil)), "a,1\nb,\n"],
    [map([bulk("a"), integer(1)], [bulk("b"), array(integer(1), nil)]), 'a,1\nb,"[1,null]"\n'],
    [array(), ""],
  ];
  for (const [answer, text] of cases) expect(rendered(answer, { mode: "csv" })).toBe(text);
});

test("maps are rows under the names of all fields", () => {
  const rows = array(
    record({ name: bulk("Ada"), age: integer(36) }),
    record({ age: integer(7), city: bulk("Oslo") }),
  );
  expect(rendered(rows, { mode: "csv" })).toBe("name,age,city\nAda,36,\n,7,Oslo\n");
});

test("fields are quoted where they must be", () => {
  const fields = ['a"b', "a,b", "a\nb", "a\rb", " a", "a b", "é"].map(bulk);
  expect(rendered(array(array(...fields)), { mode: "csv" })).toBe(
    '"a""b","a,b","a\nb","a\rb"," a",a b,é\n',
  );
  const binary = renderAnswer(bulk(Uint8Array.of(0xff, 0x2c)), {
    mode: "csv",
    colour: false,
    columns: 0,
    isValue: false,
  });
  expect(binary).toEqual(Buffer.from([0x22, 0xff, 0x2c, 0x22, 0x0a]));
});

test("a document is a table of what it holds, numbers as they were written", () => {
  const csv = (text: string) => rendered(bulk(text), { mode: "csv", isValue: true });
  expect(csv('[{"a":1.0,"b":"x, \\"y\\""},{"b":null,"c":{"d":[1,2]}}]')).toBe(
    'a,b,c\n1.0,"x, ""y""",\n,,"{""d"":[1,2]}"\n',
  );
  expect(csv('{"a":12345678901234567890,"b":true}')).toBe("a,12345678901234567890\nb,true\n");
  expect(csv('[[1,"]"],[2,"\\\\"]]')).toBe("1,]\n2,\\\n");
  expect(csv('"Ada"')).toBe("Ada\n");
  expect(csv("[]")).toBe("");
});

test("a nested cell is the JSON text that was stored", () => {
  const csv = (text: string) => rendered(bulk(text), { mode: "csv", isValue: true });
  expect(csv('{"x":{"y":1.0,"big":12345678901234567890},"z":[1,true,null]}')).toBe(
    'x,"{""y"":1.0,""big"":12345678901234567890}"\nz,"[1,true,null]"\n',
  );
  expect(csv('[{"a":1},{"b":2},3]')).toBe('"{""a"":1}"\n"{""b"":2}"\n3\n');
  expect(csv("[[],[{}],{}]")).toBe("[]\n{}\n{}\n");
});

test("every cell of any document says what was stored, a nested one as JSON", () => {
  const values = fc.array(fc.jsonValue(), { minLength: 1, maxLength: 6 });
  const nested = (value: unknown) => typeof value === "object" && value !== null;
  const bare = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));
  fc.assert(
    fc.property(values, fc.nat(2), (cells, space) => {
      const names = cells.map((_, at) => `k${at}`);
      const entries = Object.fromEntries(cells.map((value, at) => [names[at], value]));
      const rowsOf = (document: unknown) => {
        const answer = bulk(JSON.stringify(document, null, space));
        return fieldsOf(rendered(answer, { mode: "csv", isValue: true }));
      };
      const expectCells = (fields: readonly (string | undefined)[] | undefined) => {
        const said = fields?.map((field, at) =>
          nested(cells[at]) ? JSON.parse(field ?? "") : field,
        );
        const stored = JSON.parse(JSON.stringify(cells)) as unknown[];
        const wanted = stored.map((value) =>
          value === null ? "" : nested(value) ? value : bare(value),
        );
        expect(said).toEqual(wanted);
      };
      expectCells(rowsOf(entries).map(([, value]) => value));
      expectCells(rowsOf([cells, 1])[0]);
      const [header, first] = rowsOf([entries, {}]);
      expect(header).toEqual(names);
      expectCells(first);
    }),
  );
});

/** CSV read back, by RFC 4180. */
function fieldsOf(csv: string): string[][] {
  const rows: string[][] = [[]];
  for (const [, quoted, bare = "", end] of csv.matchAll(
    /(?:"((?:[^"]|"")*)"|([^",\n]*))([,\n])/g,
  )) {
    rows.at(-1)?.push(quoted?.replaceAll('""', '"') ?? bare);
    if (end === "\n") rows.push([]);
  }
  return rows.slice(0, -1);
}
