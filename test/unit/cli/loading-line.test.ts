/** The line of a long load: when it is drawn, and that nothing of it is left. */
import { expect, test } from "bun:test";
import { LoadingLine } from "../../../src/cli/loading-line.ts";
import { loadingProgress, loadingText } from "../../../src/shell/loading-text.ts";
import { FakeClock } from "../../suites/fake-clock.ts";

const CLEAR = "\r\x1b[K";

function given(columns = 80) {
  const clock = new FakeClock();
  const written: string[] = [];
  const line = new LoadingLine({ clock, columns, write: (text) => void written.push(text) });
  return { clock, written, line };
}

test("a load that is over within a second is not shown", () => {
  const { clock, written, line } = given();
  line.progress(0, 1000);
  clock.advance(999);
  line.progress(900, 1000);
  line.end();
  expect(written).toEqual([]);
});

test("a longer one is, again and again in its place, and gone at the end", () => {
  const { clock, written, line } = given();
  line.progress(0, 1000);
  for (let step = 1; step <= 20; step++) {
    clock.advance(60);
    line.progress(step * 40, 1000);
  }
  line.end();
  line.end();
  expect(written.at(-1)).toBe(CLEAR);
  const drawn = written.slice(0, -1);
  // From 1020 ms on, at most one in 100 ms.
  expect(drawn).toHaveLength(2);
  for (const one of drawn) expect(one).toStartWith(`${CLEAR}loading [`);
  expect(drawn[0]).toContain("68 %, 680 bytes of 1000 bytes, 480 ms left");
});

test("lines of the log stand above it", () => {
  const { clock, written, line } = given();
  line.progress(0, 1000);
  clock.advance(2000);
  line.progress(500, 1000);
  line.writeLog("12:00 warn  something\n");
  line.progress(501, 1000);
  expect(written.slice(1, 3)).toEqual([CLEAR, "12:00 warn  something\n"]);
  expect(written[3]).toStartWith(`${CLEAR}loading [`);
});

test("it never fills the last column", () => {
  const { clock, written, line } = given(20);
  line.progress(0, 1000);
  clock.advance(2000);
  line.progress(500, 1000);
  expect(written[0]?.slice(CLEAR.length)).toHaveLength(19);
});

test.each([
  [[0, 0, 500], "loading [                    ] 0 %"],
  [[0, 2048, 500], "loading [                    ] 0 %, 0 bytes of 2.0 KiB"],
  [[512, 2048, 500], "loading [#####               ] 25 %, 512 bytes of 2.0 KiB, 1.5 s left"],
  [[2048, 2048, 500], "loading [####################] 100 %, 2.0 KiB of 2.0 KiB, 0 ms left"],
  [[4096, 2048, 500], "loading [####################] 100 %, 4.0 KiB of 2.0 KiB, 0 ms left"],
] as const)("%j", ([done, total, elapsedMs], text) => {
  expect(loadingText(loadingProgress(done, total, elapsedMs))).toBe(text);
});
