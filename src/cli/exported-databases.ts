/** The keys of all databases, or of one, with the indexes of each: for the formats of Redis, which hold them all. */
import { type Asked, allDatabases, filledDatabases } from "./copy-place.ts";
import { type ExportedPage, exportedKeys, type WantedKeys } from "./exported-keys.ts";
import { type ToldIndex, toldIndexes } from "./told-indexes.ts";
import type { Call } from "./transfer-data.ts";

export interface DatabasePage extends ExportedPage {
  readonly database: number;
  /** With the last page of a database. */
  readonly indexes: readonly ToldIndex[];
}

/** `only`: undefined for all. */
export async function* exportedDatabases(
  call: Call,
  wanted: WantedKeys,
  only: number | undefined,
): AsyncGenerator<DatabasePage> {
  const place: Asked = {
    name: "the data",
    ask: (commands) => Promise.all(commands.map((parts) => call(parts))),
  };
  const filled = await filledDatabases(place);
  const databases = only === undefined ? await allDatabases(place) : [only];
  const total = databases.reduce((sum, database) => sum + (filled.get(database) ?? 0), 0);
  const isPart = wanted.prefix !== undefined || wanted.filter !== undefined;
  let before = 0;
  for (const database of databases) {
    await call(["SELECT", String(database)]);
    const keys = filled.get(database) ?? 0;
    // A database that is empty has no keys, but perhaps indexes.
    const pages = keys === 0 ? [] : exportedKeys(call, wanted);
    for await (const { entries, share } of pages) {
      const done = share === undefined ? undefined : (before + share * keys) / total;
      yield { database, entries, indexes: [], share: done };
    }
    before += keys;
    const indexes = isPart ? [] : toldIndexes(await call(["INDEX", "INFO"]));
    if (indexes.length > 0) yield { database, entries: [], indexes, share: before / total };
  }
}
