/**
 * Writes the parts of README.md and docs/configuration.md that follow from the code, between
 * `<!-- generated: name -->` and `<!-- end -->`: the tables of settings, commands and errors, the
 * differences from Redis, the limits and the names of CONFIG. Run it after a change of any of them: `bun scripts/readme.ts`. A test compares the files
 * with what this makes.
 */
import { join } from "node:path";
import { builtins } from "../plugins/index.ts";
import { ownCommands } from "../src/cli/own-commands.ts";
import type { Command } from "../src/commands/command.ts";
import { groupsOf } from "../src/commands/group-titles.ts";
import { errorTable } from "../src/errors.ts";
import type { AnyPlugin } from "../src/kernel/builtins.ts";
import { kernelSchema } from "../src/kernel/schema.ts";
import {
  type Properties,
  type SchemaNode,
  settingOfKey,
  settingOfOption,
  typeText,
} from "../src/kernel/schema-text.ts";
import { type Setting, variableOf } from "../src/kernel/settings.ts";
import {
  MAX_BULK_BYTES,
  MAX_DATABASES,
  MAX_INLINE_BYTES,
  MAX_JSON_DEPTH,
  MAX_UNSYNCED_BYTES,
} from "../src/limits.ts";
import { KNOWN_DIFFERENCES, NOT_GENERATED } from "../test/oracle/known-differences.ts";
import { parametersTable } from "./parameters.ts";

export const README_PATH = join(import.meta.dir, "../README.md");
export const CONFIGURATION_PATH = join(import.meta.dir, "../docs/configuration.md");

const GENERATED = /^(<!-- generated: (\S+) -->)\n[\s\S]*?^(<!-- end -->)$/gm;

/** The text of README.md, or of another page, with every generated part made anew. */
export async function renderReadme(text: string): Promise<string> {
  const parts: Readonly<Record<string, string>> = {
    settings: settingsTable(await settingRows()),
    commands: commandsTable(ownCommands()),
    errors: errorsTable(),
    differences: differences(),
    limits: limits(),
    parameters: await parametersTable(),
  };
  return text.replace(GENERATED, (_, open: string, name: string, close: string) => {
    if (!Object.hasOwn(parts, name)) throw new Error(`README.md: nothing generates "${name}"`);
    return `${open}\n${parts[name]}\n${close}`;
  });
}

// ---- settings ----

export interface SettingRow {
  /** As people write it: `memory.max`, `frontends[].port`. */
  readonly key: string;
  /** The built-in plugin whose option it is. */
  readonly plugin?: string;
  readonly type: string;
  readonly default: string;
  readonly meaning: string;
  readonly setting: Setting | undefined;
}

/** Every key of the configuration, the options of built-in plugins below the key that uses them. */
export async function settingRows(): Promise<SettingRow[]> {
  const rows: SettingRow[] = [];
  const properties: Properties = kernelSchema.properties;
  for (const [key, node] of Object.entries(properties)) {
    rows.push(...rowsOf([key], node));
    if (key === "persistence") rows.push(...(await optionRows("persistence", "persistence.")));
    if (key === "frontends") rows.push(...(await optionRows("frontend", "frontends[].")));
  }
  return rows;
}

function rowsOf(path: readonly string[], node: SchemaNode): SettingRow[] {
  const isGroup = node.type === "object" && node.properties !== undefined;
  if (isGroup) {
    return Object.entries(node.properties).flatMap(([key, inner]) => rowsOf([...path, key], inner));
  }
  return [row(path.join("."), node, settingOfKey(path))];
}

async function optionRows(kind: "persistence" | "frontend", prefix: string): Promise<SettingRow[]> {
  const rows: SettingRow[] = [];
  for (const [name, { brings, load }] of Object.entries(builtins)) {
    if (!(brings as readonly string[]).includes(kind)) continue;
    const plugin: AnyPlugin = (await load()).default;
    const options = (plugin.schema as SchemaNode | undefined)?.properties ?? {};
    for (const [option, node] of Object.entries(options)) {
      const setting = settingOfOption({ plugin: name, kind, option });
      rows.push({ ...row(prefix + option, node, setting), plugin: name });
    }
  }
  return rows;
}

function row(key: string, node: SchemaNode, setting: Setting | undefined): SettingRow {
  return {
    key,
    type: typeText(node),
    default: node.default === undefined ? "" : code(JSON.stringify(node.default)),
    meaning: sentence(node.description ?? setting?.summary ?? ""),
    setting,
  };
}

function settingsTable(rows: readonly SettingRow[]): string {
  return table(
    ["key", "type", "default", "meaning", "variable", "option"],
    rows.map(({ key, plugin, type, default: preset, meaning, setting }) => [
      plugin === undefined ? code(key) : `${code(key)} (${plugin})`,
      type,
      preset,
      meaning,
      setting === undefined ? "" : code(variableOf(setting)),
      setting?.serve === true ? code(`--${setting.name}`) : "",
    ]),
  );
}

// ---- commands ----

function commandsTable(commands: readonly Command[]): string {
  const rows: string[][] = [];
  for (const { title, members } of groupsOf(commands)) {
    rows.push([`**${title}**`, "", ""]);
    for (const { name, syntax, summary } of members) {
      rows.push([code(name.replace("|", " ")), syntax === "" ? "" : code(syntax), summary]);
    }
  }
  return table(["command", "what follows", "what it does"], rows);
}

// ---- errors, differences, limits ----

function errorsTable(): string {
  return table(
    ["code", "exit code", "meaning", "what to do"],
    Object.entries(errorTable).map(([name, { exit, meaning, remedy }]) => [
      name,
      String(exit),
      meaning,
      remedy,
    ]),
  );
}

/** What the comparison with redis-server leaves out, in its own words. */
function differences(): string {
  return [...KNOWN_DIFFERENCES, ...NOT_GENERATED]
    .map(({ about, reason }) => `- ${about}: ${reason}`)
    .join("\n");
}

function limits(): string {
  return table(
    ["limit", "value"],
    [
      ["a string value, and one argument of a command", size(MAX_BULK_BYTES)],
      ["an inline command, and a header line of the protocol", size(MAX_INLINE_BYTES)],
      ["databases", String(MAX_DATABASES)],
      ["objects and arrays within one another in a JSON value", String(MAX_JSON_DEPTH)],
      [
        "writes that are not yet on disk, before reading from clients pauses",
        size(MAX_UNSYNCED_BYTES),
      ],
    ],
  );
}

function size(bytes: number): string {
  const kib = bytes / 1024;
  return kib >= 1024 ? `${kib / 1024} MiB` : `${kib} KiB`;
}

// ---- Markdown ----

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`.replace(/ +/g, " ");
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

function code(text: string): string {
  return `\`${text}\``;
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1).replace(/\.$/, "");
}

if (import.meta.main) {
  for (const path of [README_PATH, CONFIGURATION_PATH]) {
    await Bun.write(path, await renderReadme(await Bun.file(path).text()));
  }
}
