/**
 * Who replicates from whom in the tests: both kinds of server on either side. redis-server on both is there to prove the tests
 * themselves: what fails there is asked wrongly.
 */

import type { Words } from "./changes.ts";
import type { Keeping, Kind } from "./member.ts";

export interface Pairing {
  readonly primary: Kind;
  readonly replica: Kind;
}

const ALL: readonly Pairing[] = [
  { primary: "redis", replica: "redis" },
  { primary: "kvdb", replica: "kvdb" },
  { primary: "redis", replica: "kvdb" },
  { primary: "kvdb", replica: "redis" },
];

export const IS_LONG = Bun.env["KVDB_TEST_LONG"] === "1";

/** KVDB_TEST_PAIRS=kvdb-redis,redis-redis plays some of them. */
const chosen =
  Bun.env["KVDB_TEST_PAIRS"]?.split(",") ??
  ["kvdb-kvdb", "redis-kvdb", "kvdb-redis"].concat(IS_LONG ? "redis-redis" : []);

export const PAIRINGS = ALL.filter(({ primary, replica }) =>
  chosen.includes(`${primary}-${replica}`),
);

export const SEED = Number(Bun.env["KVDB_TEST_SEED"] ?? Date.now() % 1_000_000);
export const TIMEOUT_MS = IS_LONG ? 900_000 : 60_000;

export function nameOf({ primary, replica }: Pairing): string {
  return `${primary} → ${replica}`;
}

/** Documents and deadlines of fields exist on both sides, or are not made. */
export function wordsOf({ primary, replica }: Pairing): Words {
  return primary === "kvdb" && replica === "kvdb" ? "kvdb" : "redis";
}

/** What survives kill -9 to the last command that was acknowledged. */
export function lasting(kind: Kind): Keeping {
  return kind === "kvdb" ? "wal" : "aof";
}
