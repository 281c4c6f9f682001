// The checks over imports: who may import whom, no cycles, no dead files. Each takes source files
// and answers what is wrong, one line per finding; nothing is read from disk here.

import { posix } from "node:path";
import type { Import, SourceFile } from "./sources.ts";

/** The layers of src/, lowest first: a folder may import lower layers, not its neighbours in a layer. */
const LAYERS: readonly (readonly string[])[] = [
  ["platform"],
  ["store"],
  // The codecs write from and into the arena, so they stand above the store.
  ["resp", "rdb"],
  // A session holds what its client subscribes to; who subscribes knows no session.
  ["pubsub"],
  ["session", "query"],
  ["commands"],
  ["journal", "index", "auth", "backup", "metrics", "memory", "client", "persistence"],
  ["shell", "find", "transfer", "feed", "transaction"],
  // What is sent is what the feed reads and the journal has recorded.
  ["replication"],
  ["kernel"],
  ["embedded", "cli"],
];

const ENTRY = "src/main.ts";
const CONTRACT = "src/plugin.ts";
const BUILT_IN_LIST = "plugins/index.ts";
/** May be imported by every file of src, and import only each other. */
const SHARED = ["src/errors.ts", "src/limits.ts", "src/assert.ts", "src/suggest.ts"];
/** Above the arrows: they tie the house together and may import anything in it. */
const ROOTS = [ENTRY, CONTRACT];
/** Who may import the contract and the list of built-ins, to register and to start them. */
const ABOVE_PLUGINS = ["kernel", "embedded", "cli"];
/** What a session offers to a command is described where the session is: types of the layers above and beside, erased at run time. */
const TYPE_ONLY_UPWARD: readonly (readonly [from: string, to: string])[] = [
  ["src/session/server.ts", "src/commands/command.ts"],
  ["src/session/server.ts", "src/pubsub/key-events.ts"],
  ["src/session/accounts.ts", "src/commands/arguments.ts"],
  ["src/session/accounts.ts", "src/commands/command.ts"],
];

/** What plugins may import besides node:, bun and their own folder, and where each lies. */
export const PUBLIC_MODULES: Readonly<Record<string, string>> = {
  kvdb: CONTRACT,
  "kvdb/persistence": "src/persistence/index.ts",
  "kvdb/resp": "src/resp/index.ts",
  "kvdb/rdb": "src/rdb/index.ts",
  "kvdb/shell": "src/shell/index.ts",
  "kvdb/testing": "test/suites/index.ts",
};

/** What a built-in plugin may import besides, for what is not kvdb's own to write. */
const PLUGIN_PACKAGES: Readonly<Record<string, readonly string[]>> = {
  "plugins/http/": ["prom-client"],
};

export function wrongArrows(files: SourceFile[]): string[] {
  const findings: string[] = [];
  for (const file of files) {
    const check = file.path.startsWith("src/")
      ? wrongArrowInSource
      : file.path.startsWith("plugins/")
        ? wrongArrowInPlugin
        : file.path.startsWith("examples/")
          ? wrongArrowInExample
          : undefined;
    for (const one of file.imports) {
      const problem = check?.(file.path, one);
      if (problem !== undefined) findings.push(`${file.path}:${one.line}: ${problem}`);
    }
  }
  return [...findings, ...unknownPlaces(files)];
}

function wrongArrowInSource(from: string, { specifier, kind }: Import): string | undefined {
  const target = resolveImport(from, specifier);
  if (target === undefined) {
    if (!isFileModule(specifier) || layerFolder(from) === "platform") return undefined;
    return `imports ${specifier}; only src/platform touches files, take its Files interface`;
  }
  if (specifier in PUBLIC_MODULES) return `imports ${specifier}; inside src import ${target}`;
  if (!target.endsWith(".ts") || ROOTS.includes(from) || SHARED.includes(target)) return undefined;

  // The contract is one file of types: whoever implements a part of it names it.
  if (kind === "type" && target === CONTRACT) return undefined;
  if (kind === "type" && TYPE_ONLY_UPWARD.some(([a, b]) => a === from && b === target))
    return undefined;

  const fromFolder = layerFolder(from);
  const toFolder = layerFolder(target);
  if (fromFolder !== undefined && fromFolder === toFolder) return undefined;
  if (target === CONTRACT || target === BUILT_IN_LIST) {
    return ABOVE_PLUGINS.includes(fromFolder ?? "")
      ? undefined
      : `imports ${target}; only src/${ABOVE_PLUGINS.join(", src/")} and src/main.ts may`;
  }
  if (toFolder !== undefined && layerOf(toFolder) < layerOf(fromFolder)) return undefined;
  return `imports ${target}; ${fromFolder ?? "this file"} may import lower layers only`;
}

function wrongArrowInPlugin(from: string, { specifier }: Import): string | undefined {
  if (isFileModule(specifier)) return `imports ${specifier}; use the files of the plugin's context`;
  if (specifier in PUBLIC_MODULES || /^(node:|bun$|bun:)/.test(specifier)) return undefined;
  const target = resolveImport(from, specifier);
  const inside =
    from === BUILT_IN_LIST ? "plugins/" : `${posix.dirname(from).split("/", 2).join("/")}/`;
  if (target === undefined) {
    if (PLUGIN_PACKAGES[inside]?.includes(specifier)) return undefined;
    return `imports ${specifier}; plugins import public modules only`;
  }
  if (target.startsWith(inside)) return undefined;
  return `imports ${target}; plugins import public modules and files of their own folder only`;
}

/** What a reader copies must run anywhere: it knows the public modules, Bun, and its own folder. */
function wrongArrowInExample(_from: string, { specifier }: Import): string | undefined {
  if (isFileModule(specifier)) return `imports ${specifier}; use the files of the plugin's context`;
  if (specifier in PUBLIC_MODULES || /^(node:|bun$|bun:|\.\/)/.test(specifier)) return undefined;
  return `imports ${specifier}; an example imports public modules and its own folder only`;
}

/** A new folder, or a new file beside main.ts, changes the architecture: it enters LAYERS first. */
function unknownPlaces(files: SourceFile[]): string[] {
  const singles = [...ROOTS, ...SHARED, BUILT_IN_LIST];
  const isKnown = (path: string): boolean =>
    singles.includes(path) ||
    (path.startsWith("src/") ? layerOf(layerFolder(path)) >= 0 : path.split("/").length > 2);
  return files
    .filter(({ path }) => /^(src|plugins)\//.test(path) && !isKnown(path))
    .map(({ path }) => `${path}: no file is expected here, see LAYERS in import-rules.ts`);
}

/** Cycles of static imports that are there at run time; each is told once, from its first file. */
export function importCycles(files: SourceFile[]): string[] {
  const graph = importGraph(files, ["static"]);
  const done = new Set<string>();
  const trail: string[] = [];
  const cycles: string[] = [];
  const visit = (path: string): void => {
    const start = trail.indexOf(path);
    if (start >= 0) cycles.push([...trail.slice(start), path].join(" -> "));
    if (start >= 0 || done.has(path)) return;
    trail.push(path);
    for (const target of graph.get(path) ?? []) visit(target);
    trail.pop();
    done.add(path);
  };
  for (const { path } of files) visit(path);
  return cycles;
}

/** Files of src and plugins that nobody reaches from `entries`; declaration files need no import. */
export function deadFiles(files: SourceFile[], entries: string[]): string[] {
  const reached = reachedFrom(entries, files, ["static", "type", "dynamic", "worker"]);
  return files
    .filter(({ path }) => /^(src|plugins)\/.*(?<!\.d)\.ts$/.test(path) && !reached.has(path))
    .map(({ path }) => `${path}: nobody imports it`);
}

/** Files that are loaded with these, before anything is asked of them. */
export function loadedWith(entries: string[], files: SourceFile[]): ReadonlySet<string> {
  return reachedFrom(entries, files, ["static"]);
}

function reachedFrom(entries: string[], files: SourceFile[], kinds: Import["kind"][]): Set<string> {
  const graph = importGraph(files, kinds);
  const reached = new Set<string>();
  const open = [...entries];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (reached.has(path)) continue;
    reached.add(path);
    open.push(...(graph.get(path) ?? []));
  }
  return reached;
}

function importGraph(files: SourceFile[], kinds: Import["kind"][]): Map<string, string[]> {
  return new Map(
    files.map(({ path, imports }) => [
      path,
      imports
        .filter(({ kind }) => kinds.includes(kind))
        .map(({ specifier }) => resolveImport(path, specifier))
        .filter((target) => target !== undefined),
    ]),
  );
}

/** The project's file that an import names; undefined for packages and built-in modules. */
function resolveImport(from: string, specifier: string): string | undefined {
  if (specifier.startsWith(".")) return posix.join(posix.dirname(from), specifier);
  return Object.hasOwn(PUBLIC_MODULES, specifier) ? PUBLIC_MODULES[specifier] : undefined;
}

function isFileModule(specifier: string): boolean {
  return /^(node:)?fs(\/|$)/.test(specifier);
}

/** "store" of src/store/arena.ts; undefined outside src and for the files directly in it. */
function layerFolder(path: string): string | undefined {
  const [root, folder, ...rest] = path.split("/");
  return root === "src" && rest.length > 0 ? folder : undefined;
}

/** -1 where it is not in the layers. */
function layerOf(folder: string | undefined): number {
  return LAYERS.findIndex((layer) => layer.includes(folder ?? ""));
}
