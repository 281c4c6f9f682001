/** What every persistence must do, then what this one does. */
import { expect, test } from "bun:test";
import { KvdbError, type PersistenceContext } from "kvdb";
import {
  createBatch,
  createRecordingSink,
  createTestContext,
  MemoryDisk,
  persistenceSuite,
} from "kvdb/testing";
import plugin from "./json-lines.ts";

persistenceSuite({ plugin, options: {} });

test("a damaged line is refused; --recover keeps the others and says which is lost", async () => {
  const { files } = new MemoryDisk();
  await files.makeFolder("/data");
  const writer = create(createTestContext({ files, folder: "/data" }));
  await writer.load(createRecordingSink());
  for (const firstRevision of [1, 2, 3]) {
    writer.append(createBatch({ firstRevision, sizes: [10] }));
  }
  await writer.flush(true);
  await writer.close();

  const file = await files.open("/data/changes.jsonl", "update");
  await file.write(Buffer.from("X"), 0, 1, 200);
  await file.close();

  const refusing = create(createTestContext({ files, folder: "/data" }));
  const failure = await refusing.load(createRecordingSink()).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(KvdbError);
  expect((failure as KvdbError).code).toBe("DAMAGE");

  const sink = createRecordingSink();
  const recovering = create(
    createTestContext({ files, folder: "/data", purpose: { kind: "recover" } }),
  );
  const { dropped } = await recovering.load(sink);
  expect(sink.read.map(({ revision }) => revision)).toEqual([1, 3]);
  expect(dropped).toHaveLength(1);
  expect(await files.exists(dropped[0]?.keptIn ?? "")).toBe(true);
});

function create(context: PersistenceContext) {
  if (plugin.persistence === undefined) throw new Error("the plugin brings no persistence");
  return plugin.persistence({} as never, context);
}
