/** The editor: keys in, text and cursor out. Keys are written as terminals send them. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Editor } from "../../../plugins/repl/editor.ts";
import { History } from "../../../plugins/repl/history.ts";
import type { Key } from "../../../plugins/repl/keys.ts";

const named = (name: string): Key => ({ name });
const ctrl = (name: string): Key => ({ name, ctrl: true });
const alt = (name: string): Key => ({ name, meta: true });

function editing(text: string, cursor = text.length, history: readonly string[] = []): Editor {
  const editor = new Editor(new History(100, history));
  editor.reset(text, cursor);
  return editor;
}

function press(editor: Editor, ...pressed: readonly (Key | string)[]): Editor {
  for (const key of pressed) {
    if (typeof key !== "string") editor.press(undefined, key);
    else for (const character of key) editor.press(character, { name: character });
  }
  return editor;
}

/** The text with a bar where the cursor is. */
function shown({ text, cursor }: Editor): string {
  return `${text.slice(0, cursor)}|${text.slice(cursor)}`;
}

describe("moving and changing", () => {
  test.each<[before: string, keys: (Key | string)[], after: string]>([
    ["ab|", ["c"], "abc|"],
    ["a|b", ["x"], "ax|b"],
    ["ab|", [named("left"), named("left"), named("left")], "|ab"],
    ["|ab", [ctrl("e")], "ab|"],
    ["ab|", [ctrl("a")], "|ab"],
    ["a👨‍👩‍👧b|", [named("left"), named("left")], "a|👨‍👩‍👧b"],
    ["ae\u0301|", [named("backspace")], "a|"],
    ["a|👨‍👩‍👧b", [named("delete")], "a|b"],
    ["one two-three|", [alt("b")], "one two-|three"],
    ["one| two-three", [alt("f")], "one two|-three"],
    ["one two-three|", [ctrl("w")], "one |"],
    ["one two-three  |", [ctrl("w")], "one |"],
    ["one two-three|", [alt("backspace")], "one two-|"],
    ["one |two three", [alt("d")], "one | three"],
    ["one |two", [ctrl("k")], "one |"],
    ["one |two", [ctrl("u")], "|two"],
    ["one |two", [ctrl("k"), ctrl("a"), ctrl("y"), ctrl("y")], "twotwo|one "],
    ["ab|", [ctrl("t")], "ba|"],
    ["a|b", [ctrl("t")], "ba|"],
    ["ab|cd", [ctrl("d")], "ab|d"],
    ["x|", [alt("return"), "y"], "x\ny|"],
    ["ab\ncd|", [ctrl("a")], "ab\n|cd"],
    ["ab\ncd|", [named("up")], "ab|\ncd"],
    ["a|b\ncd", [named("down")], "ab\nc|d"],
    ["ab|\ncd", [ctrl("k")], "ab|cd"],
    ["|", ["one", " ", "two", { sequence: "\x1f" }], "one|"],
    ["one two|", [ctrl("w"), { sequence: "\x1f" }], "one two|"],
  ])("%j %j", (before, keys, after) => {
    const cursor = before.indexOf("|");
    const editor = editing(before.replace("|", ""), cursor);
    expect(shown(press(editor, ...keys))).toBe(after);
  });

  test("keys that ask something of the shell", () => {
    expect(editing("").press("\r", named("return"))).toBe("submit");
    expect(editing("a").press("\x03", ctrl("c"))).toBe("interrupt");
    expect(editing("").press("\x04", ctrl("d"))).toBe("end");
    expect(editing("a").press("\x04", ctrl("d"))).toBeUndefined();
    expect(editing("a").press("\t", named("tab"))).toBe("complete");
    expect(editing("a").press("\x0c", ctrl("l"))).toBe("clear-screen");
  });
});

test("what is pasted is text: a line break runs nothing, controls are left out", () => {
  const editor = editing("a");
  press(editor, named("paste-start"));
  for (const text of ["x", "\r", "\n", "\t", "\x03", "y"]) {
    const requested = editor.press(text, { name: text === "\x03" ? "c" : "return", ctrl: true });
    expect(requested).toBeUndefined();
  }
  press(editor, named("paste-end"));
  expect(shown(editor)).toBe("ax\n\ty|");
  expect(editor.press("\r", named("return"))).toBe("submit");
});

describe("history", () => {
  const history = ["get a", "set b 1", "get c"];

  test("up and down, and back to what was being written", () => {
    const editor = editing("new", 0, history);
    expect(shown(press(editor, named("up")))).toBe("get c|");
    expect(shown(press(editor, named("up")))).toBe("set b 1|");
    expect(shown(press(editor, named("up"), named("up")))).toBe("get a|");
    expect(shown(press(editor, named("down"), named("down"), named("down")))).toBe("new|");
  });

  test("only lines that begin as the one that is being written", () => {
    const editor = editing("get", 3, history);
    expect(shown(press(editor, named("up"), named("up")))).toBe("get a|");
    expect(shown(press(editor, named("up")))).toBe("get a|");
    expect(shown(press(editor, named("down"), named("down")))).toBe("get|");
  });

  test("a change makes it a line of its own", () => {
    const editor = press(editing("", 0, history), named("up"), named("up"), "!");
    expect(shown(editor)).toBe("set b 1!|");
    expect(shown(press(editor, named("up")))).toBe("set b 1!|");
  });

  test("the rest of the newest line that begins so is suggested, and taken", () => {
    const editor = editing("g", 1, history);
    expect(editor.suggestion).toBe("et c");
    expect(shown(press(editor, alt("f")))).toBe("get| c".replace("| c", "|"));
    expect(editor.suggestion).toBe(" c");
    expect(shown(press(editor, named("right")))).toBe("get c|");
    expect(press(editor, named("left")).suggestion).toBe("");
    expect(editing("", 0, history).suggestion).toBe("");
  });

  test("the search finds backward, and again", () => {
    const editor = press(editing("draft", 5, history), ctrl("r"), "get");
    expect(editor.text).toBe("get c");
    press(editor, ctrl("r"));
    expect(editor.text).toBe("get a");
    press(editor, ctrl("r"));
    expect(editor.text).toBe("get a");
    press(editor, named("backspace"), named("backspace"), named("backspace"), "b 1");
    expect(editor.text).toBe("set b 1");
    expect(editor.press(undefined, named("return"))).toBe("submit");
    expect(editor.search).toBeUndefined();
  });

  test("the search fails visibly, and Escape brings the draft back", () => {
    const editor = press(editing("draft", 2, history), ctrl("r"), "zzz");
    expect(editor.search).toMatchObject({ query: "zzz", found: undefined });
    expect(shown(press(editor, named("escape")))).toBe("dr|aft");
    press(editor, ctrl("r"), "set", named("left"));
    expect(editor.search).toBeUndefined();
    expect(editor.text).toBe("set b 1");
  });
});

test("up and down keep the column in characters, not in their parts", () => {
  const editor = press(editing("", 0, []), "👨‍👩‍👧b", alt("return"), "xy", named("up"));
  expect(shown(editor)).toBe("👨‍👩‍👧b|\nxy");
  press(editor, named("left"), named("down"));
  expect(shown(editor)).toBe("👨‍👩‍👧b\nx|y");
});

test("whatever the keys, the cursor stands between two characters of the text", () => {
  const key = fc.oneof(
    fc.constantFrom(...["a", "é", "e\u0301", "👨‍👩‍👧", " ", "日"]),
    fc.constantFrom(
      ...["left", "right", "up", "down", "home", "end", "backspace", "delete"].map(named),
      ...["a", "b", "d", "e", "f", "g", "k", "n", "p", "r", "t", "u", "w", "y"].map(ctrl),
      ...["b", "f", "d", "return", "<", ">"].map(alt),
    ),
  );
  fc.assert(
    fc.property(fc.array(key, { maxLength: 60 }), (pressed) => {
      const editor = editing("", 0, ["get 👨‍👩‍👧", "set\nb"]);
      for (const one of pressed) {
        if (typeof one === "string") editor.press(one, {});
        else editor.press(undefined, one);
        expect(editor.cursor).toBeWithin(0, editor.text.length + 1);
        const head = editor.text.slice(0, editor.cursor);
        expect(head.isWellFormed()).toBe(editor.text.isWellFormed());
      }
    }),
    { numRuns: 500 },
  );
});
