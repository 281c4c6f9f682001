/** What every kind of index must do, with each function of the digest; then what this one does. */
import { expect, test } from "bun:test";
import plugin from "../../../plugins/hash-index/index.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";
import { indexSuite } from "../../suites/index-suite.ts";

indexSuite({ plugin, options: {} });
indexSuite({ plugin, options: {}, definition: { hash: "sha256" }, name: "sha256" });

test("takes as much memory for long values as for short ones", () => {
  const bytesOf = (length: number) => {
    const db = new EngineHarness({ auditEvery: 0 });
    for (let at = 0; at < 500; at++) {
      db.run("VALUE.SET", `k${at}`, JSON.stringify({ a: `${at}`.padStart(length, "x") }));
    }
    db.run("INDEX", "CREATE", "x", "USING", "hash", "FIELD", "a");
    return Number((db.run("INDEX", "INFO", "x") as Map<string, unknown>).get("bytes"));
  };
  expect(bytesOf(500)).toBeLessThan(bytesOf(10) * 1.5);
});

test("answers equality alone", () => {
  const db = new EngineHarness();
  db.run("INDEX", "CREATE", "x", "USING", "hash", "FIELD", "a");
  const index = db.engine.indexes.all.named(db.session.database, "x");
  const low = Buffer.of(0x20);
  const ranges = [{ low, high: Buffer.of(0x21), isPoint: false }];
  const question = { conditions: [], wantsOrder: false };
  expect(index?.answer({ ...question, ranges })).toBeUndefined();
  expect(index?.answer({ ...question, ranges: undefined })).toBeUndefined();
  const points = [{ low, high: Buffer.of(0x20, 0xff), isPoint: true }];
  expect(index?.answer({ ...question, ranges: points })).toMatchObject({
    count: 0,
    isExact: true,
  });
});
