/**
 * What the comparisons with redis-server run on: the executable of this tree, the redis-server of this machine, and the seed
 * of what is generated: new in each run, KVDB_TEST_SEED=N sets it. KVDB_TEST_LONG=1 plays more.
 */
import { join } from "node:path";
import { findRedisServer } from "./servers.ts";

export const KVDB = join(import.meta.dir, "../../dist/kvdb");
/** Null: it is not installed, and there is nothing to compare with. */
export const REDIS = findRedisServer();
export const SEED = Number(Bun.env["KVDB_TEST_SEED"] ?? Date.now() % 2 ** 32);
export const IS_LONG = Bun.env["KVDB_TEST_LONG"] === "1";
