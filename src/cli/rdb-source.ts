/** A file of RDB as what `kvdb import` takes in. */
import { KvdbError } from "../errors.ts";
import type { OpenFile } from "../platform/files.ts";
import { readRdb } from "../rdb/file-reader.ts";
import type { StoredSource } from "./import-stored.ts";

export function rdbSource(file: OpenFile, name: string): StoredSource {
  return {
    name,
    async read(entry, progress) {
      const { end, notes, hasChecksum } = await readRdb({ file, entry, progress });
      if (end < (await file.size())) {
        const message = `${name}: behind the RDB, from offset ${end} on, stands something else; an append-only file is named .aof`;
        throw new KvdbError("DAMAGE", message);
      }
      const unsure = "it has no checksum, so damage may go unnoticed";
      return hasChecksum ? notes : [...notes, unsure];
    },
  };
}
