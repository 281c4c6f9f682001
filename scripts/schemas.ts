/**
 * Writes what follows from the schemas of the kernel and of the built-in plugins: the validators,
 * compiled ahead by ajv (src/kernel/validators.generated.ts), and the schema that editors read
 * (kvdb.schema.json). Run it after a change of any schema: `bun scripts/schemas.ts`. A test
 * compares both files with what this makes.
 */
import { join } from "node:path";
import { Ajv } from "ajv";
import standaloneCode from "ajv/dist/standalone";
import { builtins } from "../plugins/index.ts";
import type { AnyPlugin, Builtins } from "../src/kernel/builtins.ts";
import { type BuiltinSchema, editorSchemaText } from "../src/kernel/editor-schema.ts";
import { Engine } from "../src/kernel/engine.ts";
import { kernelSchema } from "../src/kernel/schema.ts";
import { ajvOptions, closed } from "../src/kernel/validation.ts";
import { systemClock } from "../src/platform/clock.ts";
import { silentLog } from "../src/platform/log.ts";
import { seededRandom } from "../src/platform/random.ts";
import type { PluginContext } from "../src/plugin.ts";
import type { ServerParameter } from "../src/session/server.ts";

const root = join(import.meta.dir, "..");

export const generatedFiles = {
  validators: join(root, "src/kernel/validators.generated.ts"),
  editorSchema: join(root, "kvdb.schema.json"),
} as const;

export async function generateSchemas(
  table: Builtins = builtins,
): Promise<{ validators: string; editorSchema: string }> {
  const schemas = await builtinSchemas(table);
  return {
    validators: validatorsSource(schemas),
    editorSchema: editorSchemaText(schemas, engineParameters()),
  };
}

function engineParameters(): Iterable<ServerParameter> {
  const engine = new Engine({
    ...{ databases: 1, password: "", maxMemoryBytes: 0 },
    ...{ clock: systemClock, random: seededRandom(1), log: silentLog },
  });
  return engine.parameters.values();
}

/** The built-in kinds of indexes ask for nothing. */
const NO_CONTEXT = undefined as unknown as PluginContext;

/**
 * A plugin without a schema takes no options: for the compiled validators that is a schema like
 * another.
 */
async function builtinSchemas(table: Builtins): Promise<BuiltinSchema[]> {
  return Promise.all(
    Object.entries(table).map(async ([name, { brings, load }]) => {
      const plugin: AnyPlugin = (await load()).default;
      const kinds = plugin.indexes?.({} as never, NO_CONTEXT) ?? [];
      const indexKinds = kinds.map(({ name, summary, options = {} }) => ({
        name,
        summary,
        options,
      }));
      return { name, brings, schema: closed(plugin.schema ?? { properties: {} }), indexKinds };
    }),
  );
}

function validatorsSource(schemas: readonly BuiltinSchema[]): string {
  const ajv = new Ajv({ ...ajvOptions, code: { source: true, esm: true, lines: true } });
  ajv.addSchema(kernelSchema, "kernel");
  const exported: Record<string, string> = { validateKernel: "kernel" };
  for (const { name, schema } of schemas) {
    ajv.addSchema(schema, name);
    exported[validatorName(name)] = name;
  }
  // The word is needed by ES modules alone in scripts; in a module it is the default.
  const code = standaloneCode(ajv, exported).replace('"use strict";', "");
  if (/\brequire\(|\bimport\b/.test(code)) {
    throw new Error("a schema uses a keyword whose compiled form imports ajv at run time");
  }
  const rows = schemas.map(
    ({ name, schema, indexKinds = [] }) =>
      `  ${JSON.stringify(name)}: { validator: ${validatorName(name)}, schema: ${JSON.stringify(schema)}, indexKinds: ${JSON.stringify(indexKinds)} },`,
  );
  return [
    "// @ts-nocheck: code that ajv wrote. Made by scripts/schemas.ts; a change by hand is lost.",
    code.trim(),
    `export const compiledSchemas = {\nkernel: validateKernel,\nplugins: {\n${rows.join("\n")}\n},\n};`,
    "",
  ].join("\n");
}

function validatorName(plugin: string): string {
  const words = plugin.split("-").map((word) => word[0].toUpperCase() + word.slice(1));
  return `validate${words.join("")}`;
}

if (import.meta.main) {
  const { validators, editorSchema } = await generateSchemas();
  await Bun.write(generatedFiles.validators, validators);
  await Bun.write(generatedFiles.editorSchema, editorSchema);
}
