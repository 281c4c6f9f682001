// What may be acknowledged: never more than is durable.
import { expect, test } from "bun:test";
import { AcknowledgedOffset } from "../../../src/replication/acknowledged-offset.ts";

test("is what the last durable revision has", () => {
  const acknowledged = new AcknowledgedOffset();
  acknowledged.begin(100);
  expect(acknowledged.at(50)).toBe(100);
  acknowledged.note(51, 130);
  acknowledged.note(51, 140);
  acknowledged.note(53, 200);
  expect(acknowledged.at(50)).toBe(100);
  expect(acknowledged.at(51)).toBe(140);
  expect(acknowledged.at(52)).toBe(140);
  expect(acknowledged.at(60)).toBe(200);
  acknowledged.begin(7);
  expect(acknowledged.at(60)).toBe(7);
});

test("however far the disk is behind, never too much", () => {
  const acknowledged = new AcknowledgedOffset();
  acknowledged.begin(0);
  for (let revision = 1; revision <= 10_000; revision++) acknowledged.note(revision, 10 * revision);
  for (const durable of [1, 77, 5000, 9999]) {
    const offset = acknowledged.at(durable);
    expect(offset).toBeLessThanOrEqual(10 * durable);
  }
  expect(acknowledged.at(10_000)).toBe(100_000);
});
