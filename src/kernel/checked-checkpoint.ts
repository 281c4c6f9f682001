/** What a persistence says of the checkpoint that it has written, judged. */
import { KvdbError } from "../errors.ts";
import type { WrittenCheckpoint } from "../plugin.ts";

/** A third party may answer anything. */
export function checkedCheckpoint(written: WrittenCheckpoint | undefined): WrittenCheckpoint {
  if (typeof written?.bytes === "number") return written;
  throw new KvdbError("INTERNAL", "writeCheckpoint answered no report with bytes");
}
