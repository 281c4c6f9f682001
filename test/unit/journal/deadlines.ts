/** Every key of an engine with its deadline, by database: what DEBUG DIGEST does not tell. */
import type { EngineHarness } from "../../suites/engine-harness.ts";

export function deadlines(db: EngineHarness): unknown[] {
  const session = db.connect();
  return db.engine.keyspace.databases.map((_, index) => {
    db.runIn(session, "SELECT", index);
    const keys = [...(db.runIn(session, "KEYS", "*") as string[])].sort();
    return keys.map((key) => [key, db.runIn(session, "PEXPIRETIME", key)]);
  });
}
