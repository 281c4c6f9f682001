/**
 * The commands and the kinds of indexes of a plugin in tests: an engine in memory that has them, made
 * as the kernel makes it. The plugin's schema judges the options and fills in their defaults.
 */
import { formatIssue } from "../../src/kernel/config-issues.ts";
import { pluginContext } from "../../src/kernel/context.ts";
import { compileValidator, validate } from "../../src/kernel/validation.ts";
import { KvdbError, type Plugin } from "../../src/plugin.ts";
import { EngineHarness, type HarnessOptions } from "./engine-harness.ts";
import { kindsOf } from "./index-case.ts";
import { createTestHost } from "./test-host.ts";

/** Rejects with a KvdbError CONFIG for options that the plugin's schema refuses. */
export async function createPluginEngine<Options>(
  plugin: Plugin<Options>,
  options: Partial<Options> = {},
  harnessOptions: HarnessOptions = {},
): Promise<EngineHarness> {
  if (plugin.commands === undefined && plugin.indexes === undefined) {
    throw new KvdbError("USAGE", `the plugin "${plugin.name}" brings no commands and no indexes`);
  }
  const judged = await judge(plugin, options);
  const indexKinds = [...(harnessOptions.indexKinds ?? []), ...kindsOf(plugin, judged)];
  const db = new EngineHarness({ ...harnessOptions, indexKinds });
  if (plugin.commands === undefined) return db;
  const { engine, clock } = db;
  const context = pluginContext(createTestHost({ engine, clock }), plugin.name);
  engine.registerCommands(plugin.name, plugin.commands(judged, context));
  return db;
}

async function judge<Options>({ name, schema }: Plugin<Options>, given: Partial<Options>) {
  const options = structuredClone(given);
  const validator = await compileValidator(schema ?? { properties: {} });
  const issues = validate(options, {
    ...{ validator, schema: schema ?? {}, pointer: "" },
    placeOf: () => `options of plugin "${name}"`,
  });
  if (issues.length > 0) throw new KvdbError("CONFIG", issues.map(formatIssue).join("; "));
  return options as Options;
}
