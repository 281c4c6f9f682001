/** The persistence that is one file of JSON passes the conformance suite. */
import plugin from "../../../plugins/json-snapshot/index.ts";
import { persistenceSuite } from "../../suites/index.ts";

persistenceSuite({ plugin, options: {} });
persistenceSuite({
  plugin,
  options: { file: "/data/people.json" },
  name: "a file of another name",
});
