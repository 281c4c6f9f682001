/** Rows of a terminal made of text: what wraps where, how wide it is, and where the cursor stands. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Layout, layOut } from "../../../plugins/repl/layout.ts";
import { Screen } from "../../../plugins/repl/screen.ts";

const continuation = { text: ". ", style: "" };

function lay(text: string, columns: number, cursor = text.length): Layout {
  return layOut([{ text, style: "" }], { columns, cursor, continuation });
}

const texts = ({ rows }: Layout): string[] => rows.map(({ text }) => text);

describe("rows", () => {
  test.each<[text: string, rows: string[], cursor: [number, number]]>([
    ["", [""], [0, 0]],
    ["abc", ["abc"], [0, 3]],
    ["abcde", ["abcde", ""], [1, 0]],
    ["abcdefg", ["abcde", "fg"], [1, 2]],
    ["日本語", ["日本", "語"], [1, 2]],
    ["a日本語", ["a日本", "語"], [1, 2]],
    ["ab\ncd", ["ab", ". cd"], [1, 4]],
    ["ab\n", ["ab", ". "], [1, 2]],
    ["e\u0301e\u0301", ["e\u0301e\u0301"], [0, 2]],
    ["\x1b[2J", ["^[[2J", ""], [1, 0]],
    ["a\u202eb", ["a\ufffdb"], [0, 3]],
  ])("%j", (text, rows, [row, column]) => {
    const layout = lay(text, 5);
    expect(texts(layout)).toEqual(rows);
    expect([layout.cursorRow, layout.cursorColumn]).toEqual([row, column]);
  });

  test("colours end with their row and begin again in the next", () => {
    const pieces = [
      { text: "ab", style: "" },
      { text: "cdef", style: "31" },
    ];
    const { rows } = layOut(pieces, { columns: 4, cursor: 0, continuation });
    expect(rows.map(({ text }) => text)).toEqual(["ab\x1b[0;31mcd\x1b[0m", "\x1b[0;31mef\x1b[0m"]);
  });

  test("no row is wider than the terminal, and none holds a control", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary" }),
        fc.integer({ min: 4, max: 30 }),
        fc.nat(),
        (text, columns, at) => {
          const layout = lay(text, columns, at % (text.length + 1));
          for (const { text: row, width } of layout.rows) {
            expect(width).toBeLessThanOrEqual(columns);
            expect(row).not.toMatch(/\p{Cc}/u);
          }
          expect(layout.cursorRow).toBeWithin(0, layout.rows.length);
          expect(layout.cursorColumn).toBeWithin(0, columns);
        },
      ),
    );
  });
});

test("of more rows than the screen has, those around the cursor are drawn", () => {
  let written = "";
  const output = { columns: 10, rows: 3, write: (text: string | Uint8Array) => (written += text) };
  const screen = new Screen(output);
  screen.draw(lay("a\nb\nc\nd\ne", 10, 0), [{ text: "below", width: 5 }]);
  expect(written).toContain("a");
  expect(written).not.toContain(". d");
  expect(written).not.toContain("below");
  written = "";
  screen.draw(lay("a\nb\nc\nd\ne", 10), []);
  expect(written).toContain(". e");
  expect(written).not.toContain(". b");
});
