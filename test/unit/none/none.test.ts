/** The persistence that keeps nothing passes the conformance suite as far as it applies. */
import none from "../../../plugins/none/index.ts";
import { persistenceSuite } from "../../suites/index.ts";

persistenceSuite({
  name: "none",
  make(context) {
    if (none.persistence === undefined) throw new Error("none contributes no persistence");
    return none.persistence({}, context);
  },
  supports: { records: false },
});
