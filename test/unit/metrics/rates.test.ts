import { expect, test } from "bun:test";
import { newStatistics } from "../../../src/metrics/new-statistics.ts";
import { Rates } from "../../../src/metrics/rates.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";
import { FakeClock } from "../../suites/fake-clock.ts";

test("the mean of the last 16 stretches, each as long as it was", () => {
  const clock = new FakeClock();
  const replication = { sentBytes: 0, receivedBytes: 0 };
  const server = { commandsProcessed: 0, statistics: newStatistics(0), replication };
  const rates = new Rates(clock, server);
  expect(rates.commands).toBe(0);
  const step = (ms: number, commands: number) => {
    server.commandsProcessed += commands;
    clock.advance(ms);
    rates.sample();
  };
  step(50, 10);
  expect(rates.commands).toBe(0);
  step(50, 10);
  expect(rates.commands).toBe(200);
  step(200, 0);
  expect(rates.commands).toBe(100);
  for (let i = 0; i < 16; i++) step(100, 5);
  expect(rates.commands).toBe(50);
  server.commandsProcessed = 0;
  for (let i = 0; i < 16; i++) step(100, 0);
  expect(rates.commands).toBe(0);
});

test("of replication, in both directions", () => {
  const clock = new FakeClock();
  const replication = { sentBytes: 0, receivedBytes: 0 };
  const rates = new Rates(clock, {
    ...{ commandsProcessed: 0, statistics: newStatistics(0), replication },
  });
  for (let i = 0; i < 16; i++) {
    replication.sentBytes += 1024;
    replication.receivedBytes += 512;
    clock.advance(100);
    rates.sample();
  }
  expect([rates.sentBytes, rates.receivedBytes]).toEqual([10_240, 5120]);
});

test("INFO shows how many commands run in a second", () => {
  const db = new EngineHarness();
  for (let i = 0; i < 30; i++) {
    for (let j = 0; j < 10; j++) db.run("SET", "a", "1");
    db.advance(100);
  }
  expect(String(db.run("INFO", "stats"))).toContain("instantaneous_ops_per_sec:100\r\n");
});
