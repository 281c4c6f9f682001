/** What every persistence must do, with an RDB and with commands as the base, and as RDB alone. */
import aof from "../../../plugins/aof/index.ts";
import { persistenceSuite } from "../../suites/index.ts";

const smallFiles = { segmentBytes: 4096 };
persistenceSuite({ plugin: aof, options: {} });
persistenceSuite({ plugin: aof, options: smallFiles, name: "a file for nearly each group" });
persistenceSuite({ plugin: aof, options: { fsync: "everysec", ...smallFiles }, name: "everysec" });
persistenceSuite({ plugin: aof, options: { fsync: "no", ...smallFiles }, name: "no" });
persistenceSuite({
  plugin: aof,
  options: { "aof-timestamp-enabled": true },
  name: "with annotations of the time",
});
persistenceSuite({ plugin: aof, options: { appendonly: false }, name: "RDB alone" });
