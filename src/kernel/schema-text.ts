/**
 * What the schemas of the configuration say, in words for people: the README's table and the file
 * that `kvdb init` writes are made of it. Judges nothing.
 */
import { type Setting, settings } from "./settings.ts";

export type Properties = Readonly<Record<string, SchemaNode>>;

/** The parts of JSON Schema that kvdb's own schemas use. */
export interface SchemaNode {
  readonly type?: string | readonly string[];
  readonly title?: string;
  readonly description?: string;
  readonly format?: string;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly SchemaNode[];
  readonly items?: SchemaNode;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  /** A secret. */
  readonly writeOnly?: boolean;
  readonly properties?: Properties;
  readonly additionalProperties?: boolean | SchemaNode;
}

/** `integer 1 to 1024`, `a path`, `"always", "everysec", "no"`. */
export function typeText(node: SchemaNode): string {
  if (node.type === "array") return node.items?.type === "string" ? "list of strings" : "list";
  if (node.title !== undefined) return node.title;
  if (node.format === "path") return "a path";
  if (node.enum !== undefined) return node.enum.map((value) => JSON.stringify(value)).join(", ");
  if (node.anyOf !== undefined) return node.anyOf.map(typeText).join(" or ");
  return `${node.type}${rangeText(node)}`;
}

function rangeText({ minimum, maximum }: SchemaNode): string {
  if (minimum === undefined) return maximum === undefined ? "" : ` up to ${maximum}`;
  return maximum === undefined ? ` from ${minimum}` : ` ${minimum} to ${maximum}`;
}

/** The variable and the option that set a key of the kernel. */
export function settingOfKey(path: readonly string[]): Setting | undefined {
  return settings.find(({ target }) =>
    target.of === "config"
      ? target.path.join() === path.join()
      : target.of === "appendonly" && path.join() === "persistence",
  );
}

export interface PluginOption {
  readonly plugin: string;
  readonly kind: string;
  readonly option: string;
}

/** The variable and the option that set an option of a built-in plugin as a whole. */
export function settingOfOption({ plugin, kind, option }: PluginOption): Setting | undefined {
  return settings.find(({ target }) => {
    if (!("option" in target) || target.option !== option || "member" in target) return false;
    return target.of === plugin || target.of === kind;
  });
}
