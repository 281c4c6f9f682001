/**
 * The shape of the list of built-in plugins (plugins/index.ts), and the names that no third-party
 * plugin may take. Each built-in is imported when it is used: a `kvdb get` must not pay for a
 * server.
 */
import type { Plugin } from "../plugin.ts";

/** A plugin whose options are judged by its schema and by nothing else. */
export type AnyPlugin = Plugin<never>;

export type Contribution = "commands" | "indexes" | "persistence" | "frontend";

export interface Builtin {
  readonly brings: readonly Contribution[];
  load(): Promise<{ readonly default: AnyPlugin }>;
}

export type Builtins = Readonly<Record<string, Builtin>>;

/**
 * Built-ins to come, and words by which the kernel speaks of itself in messages and in the
 * configuration.
 */
export const reservedNames: readonly string[] = [
  "aof",
  "commands",
  "config",
  "frontend",
  "frontends",
  "hash",
  "http",
  "index",
  "indexes",
  "json-snapshot",
  "kernel",
  "kvdb",
  "none",
  "ordered",
  "persistence",
  "plugin",
  "plugins",
  "repl",
  "resp",
  "serve",
  "text",
  "wal",
];
