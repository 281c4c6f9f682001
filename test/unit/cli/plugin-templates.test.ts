/** What `kvdb plugin new` copies is what stands in the folder examples. */
import { expect, test } from "bun:test";
import { generatedTemplates, generateTemplates } from "../../../scripts/plugin-templates.ts";

test("the templates are fresh (else: bun scripts/plugin-templates.ts)", async () => {
  expect(await Bun.file(generatedTemplates).text()).toBe(await generateTemplates());
});
