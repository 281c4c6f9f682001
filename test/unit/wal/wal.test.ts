/**
 * The persistence `wal` as its users see it: the conformance suite, with the segments of a server
 * and with tiny ones.
 */
import plugin from "../../../plugins/wal/index.ts";
import { persistenceSuite } from "../../suites/index.ts";

for (const fsync of ["always", "everysec", "no"] as const) {
  persistenceSuite({ plugin, options: { fsync }, name: fsync });
  const name = `${fsync}, a segment for nearly each group`;
  persistenceSuite({ plugin, options: { fsync, segmentBytes: 200 }, name });
}
