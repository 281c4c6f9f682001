/** What every kind of index must do; then what this one does. */
import { expect, test } from "bun:test";
import plugin from "../../../plugins/ordered-index/index.ts";
import { describeKey } from "../../../src/query/index-key-text.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";
import { indexSuite } from "../../suites/index-suite.ts";

indexSuite({ plugin, options: {} });

test("has all documents in order for a question without ranges", () => {
  const db = new EngineHarness();
  db.run("INDEX", "CREATE", "x", "USING", "ordered", "FIELD", "a");
  for (const [at, a] of ["plum", 10, null, 9, "fig", true].entries()) {
    db.run("VALUE.SET", `k${at}`, JSON.stringify({ a }));
  }
  const index = db.engine.indexes.all.named(db.session.database, "x");
  const answer = index?.answer({ conditions: [], ranges: undefined, wantsOrder: true });
  expect(answer).toMatchObject({ count: 6, isExact: false, isOrdered: true });
  const keys = (reverse: boolean) => {
    const cursor = answer?.open(reverse);
    const found: string[] = [];
    while (cursor?.next()) found.push(describeKey(Buffer.from(cursor.key)));
    return found;
  };
  expect(keys(false)).toEqual(["null", "9", "10", '"fig"', '"plum"', "true"]);
  expect(keys(true)).toEqual(keys(false).reverse());
});
