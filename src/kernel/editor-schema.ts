/**
 * The schema that editors read, kvdb.schema.json: the kernel's, with the options of the built-in
 * plugins, so that an editor completes and explains them. kvdb itself judges by the compiled
 * validators.
 */
import { DEFINITION_WORDS } from "../index/definition.ts";
import type { ServerParameter } from "../session/server.ts";
import type { Builtins } from "./builtins.ts";
import type { CompiledSchemas, IndexKindInfo } from "./config.ts";
import { settingOf } from "./parameter-place.ts";
import { kernelSchema } from "./schema.ts";

export interface BuiltinSchema {
  readonly name: string;
  readonly brings: readonly string[];
  readonly schema: object;
  readonly indexKinds?: readonly IndexKindInfo[];
}

export function builtinSchemasOf(builtins: Builtins, compiled: CompiledSchemas): BuiltinSchema[] {
  return Object.entries(builtins).map(([name, { brings }]) => ({
    name,
    brings,
    schema: compiled.plugins[name]?.schema ?? {},
    indexKinds: compiled.plugins[name]?.indexKinds ?? [],
  }));
}

/** `parameters`: those that every kvdb has. */
export function editorSchemaText(
  schemas: readonly BuiltinSchema[],
  parameters: Iterable<ServerParameter>,
): string {
  return `${JSON.stringify(editorSchema(schemas, parameters), undefined, 2)}\n`;
}

function editorSchema(
  schemas: readonly BuiltinSchema[],
  parameters: Iterable<ServerParameter>,
): object {
  const { properties } = kernelSchema;
  return {
    ...kernelSchema,
    // Editors otherwise underline what kvdb accepts in a file that ends in .json.
    allowComments: true,
    allowTrailingCommas: true,
    properties: {
      ...properties,
      persistence: useSchema(properties.persistence, schemas, "persistence"),
      frontends: {
        ...properties.frontends,
        items: useSchema(properties.frontends.items, schemas, "frontend"),
      },
      indexes: {
        ...properties.indexes,
        additionalProperties: indexSchema(schemas.flatMap(({ indexKinds = [] }) => indexKinds)),
      },
      parameters: { ...properties.parameters, properties: parameterSchema(parameters) },
    },
  };
}

function useSchema(base: object, schemas: readonly BuiltinSchema[], kind: string): object {
  const fitting = schemas.filter(({ brings }) => brings.includes(kind));
  const names = fitting.map(({ name }) => name);
  return {
    ...base,
    examples: names,
    allOf: fitting.map(({ name, schema }) => ({
      if: { type: "object", properties: { use: { const: name } }, required: ["use"] },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: {
        ...schema,
        properties: { use: { const: name }, ...(schema as { properties?: object }).properties },
      },
    })),
  };
}

/** Names to complete: those that no other key stands for. A plugin may bring others. */
function parameterSchema(parameters: Iterable<ServerParameter>): object {
  const names = [...parameters]
    .filter(({ set, aliasOf, isFixed }) => set && aliasOf === undefined && !isFixed)
    .map(({ name }) => name)
    .filter((name) => settingOf(name) === undefined);
  const value = kernelSchema.properties.parameters.additionalProperties;
  return Object.fromEntries(names.sort().map((name) => [name, value]));
}

/** The kinds that are built in, with their options; of those that a plugin brings nothing is known. */
function indexSchema(kinds: readonly IndexKindInfo[]): object {
  const base = kernelSchema.properties.indexes.additionalProperties;
  const description = kinds.map(({ name, summary }) => `${name}: ${summary}`).join("\n");
  const use = { ...base.properties.use, examples: kinds.map(({ name }) => name), description };
  return {
    ...base,
    properties: { ...base.properties, use },
    oneOf: [{ required: ["field"] }, { required: ["fields"] }],
    allOf: kinds.map(({ name, options = {} }) => ({
      if: { properties: { use: { const: name } }, required: ["use"] },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: {
        properties: Object.fromEntries(
          Object.entries(options).map(([option, { summary, values }]) => [
            option,
            { type: "string", description: summary, ...(values && { enum: values }) },
          ]),
        ),
        propertyNames: { enum: [...DEFINITION_WORDS, ...Object.keys(options)] },
      },
    })),
  };
}
