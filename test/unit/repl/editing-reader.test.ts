/** The reader on a terminal made of memory: what is printed while a line is edited, and keys that come early. */
import { expect, test } from "bun:test";
import { PassThrough } from "node:stream";
import { Terminal as Emulator } from "@xterm/headless";
import { EditingReader } from "../../../plugins/repl/editing-reader.ts";
import { History } from "../../../plugins/repl/history.ts";
import { themeOf } from "../../../plugins/repl/theme.ts";
import type { Terminal } from "../../../src/plugin.ts";
import { until } from "../../e2e/support/poll.ts";

class Desk implements Disposable {
  readonly input = Object.assign(new PassThrough(), { setRawMode: () => {} });
  readonly reader: EditingReader;
  readonly #emulator = new Emulator({ cols: 40, rows: 8, allowProposedApi: true });

  constructor() {
    const output = Object.assign(new PassThrough(), { columns: 40, rows: 8 });
    output.on("data", (bytes) => this.#emulator.write(bytes));
    const terminal = {
      input: this.input,
      output,
      environment: {},
      homeFolder: "/",
      onLogLine: undefined,
      onInterrupt: undefined,
    } as unknown as Terminal;
    const assistance = {
      colour: (text: string) => [{ text, style: "" }],
      hint: () => undefined,
      complete: async () => ({ start: 0, end: 1, candidates: ["one", "other"] }),
    };
    const theme = themeOf({ colour: false, isDumb: false });
    const options = { terminal, theme, history: new History(10), assistance };
    this.reader = new EditingReader(options, new History(0));
    this.reader.open();
  }

  read() {
    return this.reader.read({ prompt: [{ text: "> ", style: "" }], isCommand: true });
  }

  async shows(...rows: readonly string[]): Promise<void> {
    const { active } = this.#emulator.buffer;
    const screen = () =>
      Array.from({ length: 8 }, (_, row) => active.getLine(row)?.translateToString(true) ?? "")
        .join("\n")
        .trimEnd();
    const isSo = () => screen() === rows.join("\n").trimEnd();
    await until(`the screen ${JSON.stringify(rows)}`, isSo, 2000).catch((cause) => {
      throw new Error(`the screen is ${JSON.stringify(screen())}`, { cause });
    });
  }

  [Symbol.dispose](): void {
    this.reader.close();
  }
}

test("a line of the log stands above the line that is being edited", async () => {
  using desk = new Desk();
  const reading = desk.read();
  desk.input.write("get a");
  await desk.shows("> get a");
  desk.reader.printAbove("a warning\n");
  await desk.shows("a warning", "> get a");
  desk.input.write("b\r");
  expect(await reading).toEqual({ kind: "line", text: "get ab" });
  await desk.shows("a warning", "> get ab");
});

test("keys that come before a line is wanted wait for it", async () => {
  using desk = new Desk();
  desk.input.write("one\rtwo");
  const interrupted = Promise.withResolvers<void>();
  desk.reader.onInterrupt = interrupted.resolve;
  expect(await desk.read()).toEqual({ kind: "line", text: "one" });
  const second = desk.read();
  await desk.shows("> one", "> two");
  desk.input.write("\r");
  expect(await second).toEqual({ kind: "line", text: "two" });
  desk.input.write("three\r\x03");
  await interrupted.promise;
  const third = desk.read();
  desk.input.write("four\r");
  expect(await third).toEqual({ kind: "line", text: "four" });
});

test("a status goes when it is over", async () => {
  using desk = new Desk();
  desk.reader.showStatus("loading");
  await desk.shows("loading");
  desk.reader.printAbove("a warning\n");
  await desk.shows("a warning", "loading");
  desk.reader.showStatus(undefined);
  await desk.shows("a warning");
});

test("candidates stand below until the next key", async () => {
  using desk = new Desk();
  void desk.read();
  desk.input.write("o\t");
  await desk.shows("> o", "one    other");
  desk.input.write("n");
  await desk.shows("> on");
});

test("closing ends the line that is being read", async () => {
  const desk = new Desk();
  const reading = desk.read();
  desk.reader.close();
  expect(await reading).toEqual({ kind: "end" });
  expect(await desk.read()).toEqual({ kind: "end" });
});
