/**
 * The persistence `wal` as its users see it: the conformance suite, with the segments of a server
 * and with tiny ones.
 */
import wal from "../../../plugins/wal/index.ts";
import type { WalOptions } from "../../../plugins/wal/wal.ts";
import type { Persistence, PersistenceContext } from "../../../src/plugin.ts";
import { persistenceSuite } from "../../suites/index.ts";

const make =
  (options: WalOptions) =>
  (context: PersistenceContext): Persistence => {
    if (wal.persistence === undefined) throw new Error("wal contributes no persistence");
    return wal.persistence(options, context);
  };

for (const fsync of ["always", "everysec", "no"] as const) {
  persistenceSuite({ name: `wal, ${fsync}`, make: make({ fsync }), supports: { records: true } });
  const name = `wal, ${fsync}, a segment for nearly each group`;
  persistenceSuite({ name, make: make({ fsync, segmentBytes: 200 }), supports: { records: true } });
}
