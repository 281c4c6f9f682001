/** What `import … from "kvdb/rdb"` gives: Redis's files, read and written, for persistences and for those who move data. */
export { type RdbReading, type RdbReport, readRdb } from "./file-reader.ts";
export { type RdbTarget, type RdbWriting, type WrittenRdb, writeRdb } from "./file-writer.ts";
