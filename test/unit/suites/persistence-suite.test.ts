/** The suite of persistences holds for the simplest one that keeps checkpoints. */
import { persistenceSuite } from "../../suites/index.ts";
import { naiveCheckpoints } from "./naive-checkpoints.ts";

persistenceSuite({ plugin: naiveCheckpoints, options: {} });
