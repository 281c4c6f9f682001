/**
 * Reads an RDB into a sink: a base, the front of an old AOF, or a file that was saved. Damage is
 * refused, or told and the file put aside; what was read before it stays.
 */
import { KvdbError, type OpenFile } from "kvdb";
import { type OpenValue, openValue, type RecoveryAccount } from "kvdb/persistence";
import { type RdbReport, readRdb } from "kvdb/rdb";

export const RDB_MAGIC = Buffer.from("REDIS");

/** undefined: it is damaged, and that was told; of a value that is not whole the elements stay that were read. */
export async function readRdbInto(
  account: RecoveryAccount,
  file: OpenFile,
  onProgress: (done: number) => void,
): Promise<RdbReport | undefined> {
  const { sink } = account;
  let open: OpenValue | undefined;
  try {
    const report = await readRdb({
      file,
      entry: (entry) => {
        sink.entry(entry);
        if (entry.isContinued !== (open !== undefined)) {
          open = entry.isContinued ? openValue(entry) : undefined;
        }
      },
      progress: (done) => {
        onProgress(done);
        return account.breathe();
      },
    });
    for (const reason of report.notes) {
      account.dropped.push({ kind: "note", file: file.path, offset: 0, bytes: 0, reason });
    }
    account.bytes += report.end;
    return report;
  } catch (error) {
    if (!(error instanceof KvdbError) || error.code !== "DAMAGE") throw error;
    const stretch = [0, await file.size()] as const;
    await account.reportDamage({ source: file, stretch, reason: error.message });
    if (open !== undefined) sink.entry(open);
    return undefined;
  }
}
