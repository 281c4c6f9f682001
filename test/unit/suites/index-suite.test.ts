/** The suite of indexes holds for the simplest kinds. */
import { indexSuite } from "../../suites/index-suite.ts";
import { naivePlugin } from "./naive-index.ts";

indexSuite({ plugin: naivePlugin, options: {} });
