/** What the bar of an export or import says. */
import { expect, test } from "bun:test";
import { groupedCount } from "../../../src/cli/grouped-count.ts";
import { barText } from "../../../src/cli/transfer-bar.ts";

test("share, amounts and rate; without the whole no share", () => {
  const progress = { keys: 1200, bytes: 3 << 20, share: 0.251 };
  expect(barText("importing", progress, 1500)).toBe(
    "importing [#####               ] 25 %, 1200 keys, 3.0 MiB, 2.0 MiB a second",
  );
  expect(barText("exporting", { ...progress, keys: 1, share: undefined }, 500)).toBe(
    "exporting 1 key, 3.0 MiB, 6.0 MiB a second",
  );
  expect(barText("importing", { ...progress, share: 1.2 }, 1000)).toContain("] 100 %");
});

test("digits of counts stand in groups", () => {
  const shown = [0, 1, 999, 1000, 1234567].map((count) => groupedCount(count, "key"));
  expect(shown).toEqual(["0 keys", "1 key", "999 keys", "1 000 keys", "1 234 567 keys"]);
});
