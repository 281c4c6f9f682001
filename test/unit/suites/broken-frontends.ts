/**
 * The suite, over the naive frontend with each of its defects. Not a test file of its own: what is
 * right here fails. frontend-suite.test.ts runs it and looks which tests failed.
 */
import { frontendSuite } from "../../suites/index.ts";
import { naiveCase } from "./naive-client.ts";
import { type Defect, defects } from "./naive-frontend.ts";

for (const defect of Object.keys(defects) as Defect[]) frontendSuite(naiveCase("tcp", defect));
