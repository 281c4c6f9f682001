/**
 * Files of which nothing is changed, whoever is handed them: to look at a folder that must stay as it is. Reading works;
 * `update` opens a file, for its reader may not know yet whether there is anything to write; what would change a byte or
 * a name throws.
 */
import { KvdbError } from "../errors.ts";
import type { Files, OpenFile } from "./files.ts";

export function readOnlyFiles(files: Files): Files {
  return {
    async open(path, mode) {
      if (mode !== "read" && mode !== "update") throw refusal("open for writing", path);
      return readOnlyFile(await files.open(path, "read"));
    },
    makeFolder: async (path) => {
      if (!(await files.exists(path))) throw refusal("make", path);
    },
    list: (path) => files.list(path),
    exists: (path) => files.exists(path),
    remove: async (path) => {
      if (await files.exists(path)) throw refusal("remove", path);
    },
    rename: async (from) => {
      throw refusal("rename", from);
    },
    // What is there already may be made durable: it changes nothing.
    syncFolder: (path) => files.syncFolder(path),
    replace: async (path) => {
      throw refusal("replace", path);
    },
    map: (path, start, length) => files.map(path, start, length),
    freeBytes: (folder) => files.freeBytes(folder),
  };
}

function readOnlyFile(file: OpenFile): OpenFile {
  const { path } = file;
  return {
    path,
    size: () => file.size(),
    read: (target, offset, length, position) => file.read(target, offset, length, position),
    readNow: (target, offset, length, position) => file.readNow(target, offset, length, position),
    write: async () => {
      throw refusal("write", path);
    },
    writeNow: () => {
      throw refusal("write", path);
    },
    sync: async () => {},
    truncate: async () => {
      throw refusal("cut", path);
    },
    lock: () => file.lock(),
    close: () => file.close(),
  };
}

/** Of who asked: nothing that a user does leads here. */
function refusal(doing: string, path: string): KvdbError {
  return new KvdbError(
    "INTERNAL",
    `was about to ${doing} ${path}, of which nothing may be changed`,
  );
}
