/** Which signals are a wish of their own. */
import { expect, test } from "bun:test";
import { StopEcho } from "../../../src/cli/stop-echo.ts";
import { FakeClock } from "../../suites/fake-clock.ts";

test("what comes within a moment of a wish is its echo", () => {
  const clock = new FakeClock();
  const echo = new StopEcho(clock);
  expect(echo.isAround).toBe(false);
  echo.note();
  expect(echo.isAround).toBe(true);
  clock.advance(249);
  expect(echo.isAround).toBe(true);
  clock.advance(1);
  expect(echo.isAround).toBe(false);
});
