/** docs/events.md names each event, in the row of its class, and no other. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { CLASS_BITS, keyEvents } from "../../../src/pubsub/event-names.ts";

const PAGE = await Bun.file(join(import.meta.dir, "../../../docs/events.md")).text();

/** What stands in backticks in the last cell of the row of a flag. */
function namedInRow(flag: string): string[] {
  const row = PAGE.split("\n").find((line) => line.startsWith(`| \`${flag}\` |`)) ?? "";
  const lastCell = row.split(" | ").at(-1) ?? "";
  return [...lastCell.matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? "");
}

test.each(Object.entries(CLASS_BITS))("%s", (flag, bit) => {
  const events = Object.values(keyEvents).filter((event) => event.bit === bit);
  expect(namedInRow(flag).sort()).toEqual(events.map(({ name }) => name).sort());
});
