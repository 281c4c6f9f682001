/**
 * The configuration file that `kvdb init` writes, made of the schemas: each key with what it means
 * and its default, commented out, so that the file says what holds anyway. Every line that is
 * commented out and begins with a quote or a bracket may be uncommented alone.
 *
 * Only what needs a name to hang its options on stands uncommented: the persistence that is the
 * default, and the server for Redis clients.
 */
import type { BuiltinSchema } from "./editor-schema.ts";
import { SERVER_FRONTEND } from "./overlay.ts";
import { DEFAULT_PERSISTENCE, kernelSchema } from "./schema.ts";
import {
  type Properties,
  type SchemaNode,
  settingOfKey,
  settingOfOption,
  typeText,
} from "./schema-text.ts";
import { type Setting, variableOf } from "./settings.ts";

/** `schemaPath`: where an editor finds the schema, as seen from the file. */
export function configTemplate(plugins: readonly BuiltinSchema[], schemaPath: string): string {
  return `${[
    "// Configuration of kvdb. A key that is commented out shows its default, or where there is",
    "// none an example: uncomment it to change it.",
    "{",
    `  "$schema": ${JSON.stringify(schemaPath)},`,
    ...Object.entries(kernelSchema.properties as Properties)
      .filter(([key]) => key !== "$schema")
      .flatMap(([key, node]) => ["", ...sectionOf([key], node, plugins)]),
    "}",
  ].join("\n")}\n`;
}

function sectionOf(
  path: readonly string[],
  node: SchemaNode,
  plugins: readonly BuiltinSchema[],
): string[] {
  const [key] = path;
  const fitting = (kind: string) => plugins.filter(({ brings }) => brings.includes(kind));
  if (key === "persistence") return persistenceSection(node, fitting(key));
  if (key === "frontends") return frontendsSection(node, fitting("frontend"));
  if (node.properties === undefined) return settingLines(path[path.length - 1], node, 1, path);
  return [
    `  ${JSON.stringify(key)}: {`,
    ...Object.entries(node.properties).flatMap(([inner, child]) =>
      settingLines(inner, child, 2, [...path, inner]),
    ),
    "  },",
  ];
}

function persistenceSection(node: SchemaNode, plugins: readonly BuiltinSchema[]): string[] {
  const chosen = plugins.filter(({ name }) => name === DEFAULT_PERSISTENCE);
  return [
    ...comment(1, `${sentence(node.description)} One of ${namesOf(plugins)}.`),
    '  "persistence": {',
    `    "use": ${JSON.stringify(DEFAULT_PERSISTENCE)},`,
    ...chosen.flatMap((plugin) => optionLines(plugin, "persistence", 2)),
    "  },",
  ];
}

function frontendsSection(node: SchemaNode, plugins: readonly BuiltinSchema[]): string[] {
  const others = plugins.filter(({ name }) => name !== SERVER_FRONTEND);
  const server = plugins.filter(({ name }) => name === SERVER_FRONTEND);
  return [
    ...comment(1, `${sentence(node.description)} Plain \`kvdb\` starts these.`),
    '  "frontends": [',
    ...server.flatMap((plugin) => [
      "    {",
      `      "use": ${JSON.stringify(plugin.name)},`,
      ...optionLines(plugin, "frontend", 3),
      "    },",
    ]),
    ...others.map(({ name }) => `    // { "use": ${JSON.stringify(name)} },`),
    "  ],",
  ];
}

function optionLines({ name, schema }: BuiltinSchema, kind: string, level: number): string[] {
  const properties = (schema as SchemaNode).properties ?? {};
  return Object.entries(properties).flatMap(([option, node]) =>
    settingText(option, node, {
      level,
      setting: settingOfOption({ plugin: name, kind, option }),
    }),
  );
}

function settingLines(
  key: string,
  node: SchemaNode,
  level: number,
  path: readonly string[],
): string[] {
  return settingText(key, node, { level, setting: settingOfKey(path) });
}

function settingText(
  key: string,
  node: SchemaNode,
  { level, setting }: { level: number; setting: Setting | undefined },
): string[] {
  const meaning = sentence(node.description ?? setting?.summary);
  const expected = node.type === "array" ? "" : ` Takes: ${typeText(node)}.`;
  const outside = setting === undefined ? "" : ` Variable: ${variableOf(setting)}.`;
  return [
    ...comment(level, `${meaning}${expected}${outside}`),
    `${"  ".repeat(level)}// ${JSON.stringify(key)}: ${JSON.stringify(valueFor(node))},`,
  ];
}

/** The default; where there is none, an example, at least one that is valid. */
function valueFor(node: SchemaNode): unknown {
  if (node.default !== undefined) return node.default;
  const [example] = node.examples ?? node.enum ?? [];
  if (example !== undefined) return example;
  if (node.format === "path") return "path/to/it";
  const [type] = typeof node.type === "string" ? [node.type] : (node.type ?? []);
  if (type === "integer" || type === "number") return node.minimum ?? 0;
  if (type === "array") return [];
  if (type === "object") return {};
  return type === "boolean" ? false : "text";
}

function namesOf(plugins: readonly BuiltinSchema[]): string {
  return plugins.map(({ name }) => JSON.stringify(name)).join(", ");
}

/** With a capital and a full stop. A word of the file (`no: …`) keeps its small letter. */
function sentence(text = ""): string {
  const begun = /^\w+:/.test(text) ? text : text.charAt(0).toUpperCase() + text.slice(1);
  return begun === "" || /[.!?]$/.test(begun) ? begun : `${begun}.`;
}

const LINE_WIDTH = 96;

/** Broken between words; no line begins as a setting does. */
function comment(level: number, text: string): string[] {
  const prefix = `${"  ".repeat(level)}// `;
  const lines: string[][] = [[]];
  for (const word of text.trim().split(/\s+/)) {
    const line = lines[lines.length - 1];
    if ([prefix, ...line, word].join(" ").length > LINE_WIDTH) {
      lines.push(beginLine(line, word));
    } else line.push(word);
  }
  return lines.map((line) => prefix + line.join(" "));
}

/** Takes words from the line before until one may stand at the beginning; behind many that may not, `or` does. */
function beginLine(before: string[], word: string): string[] {
  const mayBegin = before.findLastIndex((one) => !BEGINS_SETTING.test(one));
  if (BEGINS_SETTING.test(word) && before.length - mayBegin > MOST_CARRIED) return ["or", word];
  const line = [word];
  while (BEGINS_SETTING.test(line[0] as string) && before.length > 1) {
    line.unshift(before.pop() as string);
  }
  return line;
}

/** A list that is longer than a line is broken within. */
const MOST_CARRIED = 3;

const BEGINS_SETTING = /^["{[]/;
