/** The persistence that keeps nothing passes the conformance suite as far as it applies. */
import plugin from "../../../plugins/none/index.ts";
import { persistenceSuite } from "../../suites/index.ts";

persistenceSuite({ plugin, options: {} });
