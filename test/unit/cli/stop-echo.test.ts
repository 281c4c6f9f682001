/** Which signals are a wish of their own. */
import { expect, test } from "bun:test";
import { withoutEchoes } from "../../../src/cli/stop-echo.ts";
import { FakeClock } from "../../suites/fake-clock.ts";

test("a signal is passed on, and not what follows it within a moment", () => {
  const clock = new FakeClock();
  const passed: string[] = [];
  const take = withoutEchoes(clock, (signal) => passed.push(signal));
  take("SIGINT");
  take("SIGTERM");
  clock.advance(100);
  take("SIGINT");
  expect(passed).toEqual(["SIGINT"]);
  clock.advance(200);
  take("SIGTERM");
  expect(passed).toEqual(["SIGINT", "SIGTERM"]);
});
