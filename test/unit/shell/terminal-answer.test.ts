/** Answers as a person sees them: documents laid out by width, numbered lists, tables. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { layOutJson } from "../../../src/shell/json-layout.ts";
import { paintFor } from "../../../src/shell/paint.ts";
import {
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
} from "./answers.ts";

const layOut = (text: string, columns: number) => layOutJson(text, { columns, colour: false });

describe("a JSON document", () => {
  test("stands on one line when it fits", () => {
    const text = '{"name":"Ada","langs":["en","fr"],"none":{},"no":[]}';
    const line = '{"name": "Ada", "langs": ["en", "fr"], "none": {}, "no": []}';
    expect(layOut(text, 60)).toBe(line);
    expect(layOut(text, 59)).toBe(
      '{\n  "name": "Ada",\n  "langs": ["en", "fr"],\n  "none": {},\n  "no": []\n}',
    );
  });

  test("fills lines with numbers", () => {
    expect(layOut("[1.0,22,333,4444,null]", 12)).toBe("[\n  1.0, 22,\n  333, 4444,\n  null\n]");
  });

  test("counts wide characters as the terminal does", () => {
    expect(layOut('["日本"]', 8)).toBe('["日本"]');
    expect(layOut('["日本"]', 7)).toBe('[\n  "日本"\n]');
  });

  test("keeps every lexeme, escape, key and order, whatever the width", () => {
    const lexeme = fc.constantFrom(
      "1.0",
      "-0",
      "1e5",
      "12345678901234567890",
      '"\\u0041"',
      '"\\""',
    );
    const property = fc.property(
      fc.json({ maxDepth: 5 }),
      lexeme,
      fc.integer({ min: 1, max: 80 }),
      (json, odd, columns) => {
        const text = `[${odd},${JSON.stringify(JSON.parse(json))}]`;
        const laidOut = layOut(text, columns);
        expect(withoutBlanks(laidOut)).toBe(withoutBlanks(text));
        expect(JSON.parse(laidOut)).toEqual(JSON.parse(text));
        // A line that is too long holds one word, with its key.
        for (const line of laidOut.split("\n")) {
          if (Bun.stringWidth(line) > columns) expect(line).toMatch(/^ *("(\\.|[^"\\])*": )?\S/u);
        }
      },
    );
    fc.assert(property);
  });

  test("has a thousand levels", () => {
    const deep = "[".repeat(1000) + "]".repeat(1000);
    expect(withoutBlanks(layOut(deep, 80))).toBe(deep);
  });

  test("shows in colours what is what", () => {
    const paint = paintFor(true);
    expect(
      rendered(bulk('{"a":[1.0,"x",null]}'), { isValue: true, colour: true, columns: 80 }),
    ).toBe(
      `{${paint.key('"a"')}: [${paint.number("1.0")}, ${paint.string('"x"')}, ${paint.literal("null")}]}\n`,
    );
  });
});

/** Without the whitespace between tokens. */
function withoutBlanks(text: string): string {
  return text.replace(/("(?:\\.|[^"\\])*")|\s+/gu, (_, string?: string) => string ?? "");
}

describe("an answer", () => {
  const shown = (answer: Parameters<typeof rendered>[0], columns = 80) =>
    rendered(answer, { columns });

  test("that is a list is numbered", () => {
    expect(shown(array(bulk("a"), nil, array(integer(1), status("OK"))))).toBe(
      '1) "a"\n2) null\n3) 1) 1\n   2) OK\n',
    );
    expect(shown(array(...Array.from({ length: 10 }, () => integer(0))))).toStartWith(" 1) 0\n");
    expect(shown(array())).toBe("(empty)\n");
  });

  test("that is a map has two columns", () => {
    expect(shown(record({ port: integer(6379), 日本: bulk("x"), "a b": nil }))).toBe(
      'port   6379\n日本   "x"\n"a b"  null\n',
    );
    expect(shown(record({ a: array(integer(1)), b: nil }))).toBe("a:\n  1) 1\nb: null\n");
    expect(shown(map())).toBe("(empty)\n");
  });

  test("of maps is a table", () => {
    const people = array(
      record({ name: bulk("Ada"), age: integer(36) }),
      record({ name: bulk("日本"), age: integer(7), city: bulk("Oslo") }),
    );
    expect(shown(people)).toBe(
      'name    age  city\n──────  ───  ──────\n"Ada"    36  \n"日本"    7  "Oslo"\n',
    );
  });

  test("of lists of one length is a table without names", () => {
    expect(shown(array(array(bulk("a"), double(1.5)), array(bulk("bcd"), double(10))))).toBe(
      '"a"    1.5\n"bcd"   10\n',
    );
  });

  test("that is too wide leaves the name of each row whole, while the rest can be read", () => {
    const rows = array(
      record({ name: bulk("b".repeat(20)), a: bulk("x".repeat(30)), n: integer(1) }),
    );
    const [, , row] = shown(rows, 50).split("\n");
    expect(row).toBe(`"${"b".repeat(20)}"  "${"x".repeat(21)}…  1`);
    expect(shown(rows, 30).split("\n")[2]).not.toContain("b".repeat(20));
  });

  test("that is too wide for its table is cut where the most is, and listed when nothing would be left", () => {
    const row = array(record({ id: integer(1), text: bulk("x".repeat(50)) }));
    expect(shown(row, 20)).toBe(`id  text\n──  ────────────────\n 1  "${"x".repeat(14)}…\n`);
    const wide = array(
      record(Object.fromEntries(["a", "b", "c"].map((name) => [name, bulk("long enough")]))),
    );
    expect(shown(wide, 20)).toBe('1) a  "long enough"\n   b  "long enough"\n   c  "long enough"\n');
  });

  test("that is an error is red, also within a list", () => {
    const { error } = paintFor(true);
    const list = rendered(array(failure), { colour: true, columns: 80 });
    expect(list).toContain(error('(error) ERR no "x"'));
  });
});
