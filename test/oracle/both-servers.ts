/**
 * Plays generated sequences on redis-server and on kvdb, each step on both, one after the other: what both have answered is
 * compared after each step, in a form in which it must be the same.
 */
import { expect } from "bun:test";
import { ListeningClient } from "./listening-client.ts";
import { KVDB, REDIS } from "./run-settings.ts";
import { startKvdb, startRedisServer } from "./servers.ts";

/** What one client sends, at once. */
export interface ClientStep {
  readonly client: number;
  readonly commands: readonly (readonly string[])[];
}

/** The clients of one server, for one sequence. */
export interface ClientGroup {
  /** What came of the step, as it is compared. */
  play(step: ClientStep): Promise<unknown>;
  close(): void;
}

export async function playOnBoth(
  count: number,
  stepsOf: (number: number) => readonly ClientStep[],
  open: (port: number, number: number) => Promise<ClientGroup>,
): Promise<void> {
  await using redis = await startRedisServer(REDIS ?? "");
  await using kvdb = await startKvdb(KVDB);
  for (let number = 0; number < count; number++) {
    const expected = await open(redis.port, number);
    const actual = await open(kvdb.port, number);
    for (const [index, step] of stepsOf(number).entries()) {
      const [theirs, ours] = [await expected.play(step), await actual.play(step)];
      expect([number, index, step, ours]).toEqual([number, index, step, theirs]);
    }
    expected.close();
    actual.close();
  }
}

export function openClients(port: number, count: number): Promise<ListeningClient[]> {
  return Promise.all(Array.from({ length: count }, () => ListeningClient.open(port)));
}
