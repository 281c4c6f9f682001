/** Data that is loaded beside what is served: what is over in it goes where it may be in the way, or stays until somebody says so. */
import { expect, test } from "bun:test";
import hashIndex from "../../../plugins/hash-index/index.ts";
import { StagedData } from "../../../src/kernel/staged-data.ts";
import { seededRandom } from "../../../src/platform/random.ts";
import { writeRdb } from "../../../src/rdb/index.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";
import { MemoryDisk } from "../../suites/index.ts";

const HARMLESS = () => {};
const kinds = hashIndex.indexes?.({}, undefined as never) ?? [];

test.each([true, false])("what is over goes: %p", async (expires) => {
  const db = new EngineHarness();
  db.run("VALUE.SET", "over", '{"mail":"a"}', "PX", 1000);
  db.run("VALUE.SET", "stays", '{"mail":"b"}');
  db.run("INDEX", "CREATE", "by_mail", "USING", "hash", "FIELD", "mail", "UNIQUE");
  const parts: Buffer[] = [];
  const write = (bytes: Buffer, start: number, end: number) =>
    void parts.push(Buffer.from(bytes.subarray(start, end)));
  await writeRdb(db.engine.readEntries(), { write }, { proceed: HARMLESS });
  const disk = new MemoryDisk();
  disk.put("/copy.rdb", Buffer.concat(parts));
  db.clock.advance(5000);
  const file = await disk.files.open("/copy.rdb", "read");
  const staged = await StagedData.load(file, db.engine.stagedForm, {
    ...{ clock: db.clock, random: seededRandom(1), kinds, proceed: HARMLESS },
    rules: { version: 7, expires },
  });
  const { keys, indexes } = staged.loaded;
  expect([keys, indexes.map(({ failure, contents }) => [failure, contents.documents])]).toEqual([
    expires ? 1 : 2,
    [["", expires ? 1 : 2]],
  ]);
  // And stays where it does not go, also in the checkpoint that is made of it.
  const sealed = staged.seal({ revision: 8, timeMs: db.clock.now(), restamps: false });
  let sealedKeys = 0;
  while (sealed.next()) if (sealed.entry.type !== "index") sealedKeys++;
  expect(sealedKeys).toBe(expires ? 1 : 2);
  await file.close();
});
