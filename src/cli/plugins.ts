/**
 * `kvdb plugins`: all plugins that are built in or listed by the configuration, in a table. What is
 * wrong with one stands in its row. The way of a start is taken as by `config check`, whose failure is
 * the exit code; it says which kinds of indexes a plugin brings.
 */
import type { Contribution } from "../kernel/builtins.ts";
import type { Config, LoadedConfig } from "../kernel/config.ts";
import { type CatalogEntry, catalogPlugins } from "../kernel/plugin-catalog.ts";
import type { Answer } from "../resp/answer.ts";
import { prepareServer } from "./config-check.ts";
import type { OwnFlags } from "./invocation.ts";
import { printTable } from "./output.ts";
import type { World } from "./world.ts";

export async function listPlugins(
  loaded: LoadedConfig,
  flags: OwnFlags,
  world: World,
): Promise<number> {
  const { config } = loaded;
  const { builtins, schemas, platform } = world;
  const { files, clock } = platform;
  const entries = await catalogPlugins({ config, builtins, schemas, files, clock });
  let failure: unknown;
  let kinds: ReadonlyMap<string, string> = new Map();
  try {
    kinds = (await prepareServer(loaded, world)).engine.indexKinds;
  } catch (error) {
    failure = error;
  }
  const rows = entries.map((entry) => rowOf(entry, indexesOf(entry, kinds, config)));
  await printTable(rows, flags, world);
  if (failure !== undefined) throw failure;
  return 0;
}

interface PluginIndexes {
  readonly kinds: readonly string[];
  /** Those of the configuration that are of these kinds. */
  readonly indexes: readonly string[];
}

function indexesOf(
  { name }: CatalogEntry,
  owners: ReadonlyMap<string, string>,
  { indexes }: Config,
): PluginIndexes {
  const kinds = [...owners].filter(([, owner]) => owner === name).map(([kind]) => kind);
  const ofKinds = Object.entries(indexes).filter(([, { use }]) => kinds.includes(use));
  return { kinds, indexes: ofKinds.map(([index]) => index) };
}

function rowOf(entry: CatalogEntry, { kinds, indexes }: PluginIndexes): Answer {
  const { name, listedAs, apiVersion, faults } = entry;
  const text = (value: string): Answer => ({ kind: "status", text: value });
  const listed = (parts: readonly Contribution[], names: readonly string[]) =>
    parts.map((part) =>
      part === "indexes" && names.length > 0 ? `${part}: ${names.join(" ")}` : part,
    );
  const brings = listed(entry.brings, kinds);
  const usedAs = listed(entry.usedAs, indexes);
  const used = usedAs.length > 0 ? usedAs.join(", ") : "no";
  return {
    kind: "map",
    entries: [
      [text("name"), text(name)],
      [text("brings"), text(brings.join(", "))],
      [text("from"), text(listedAs ?? "built in")],
      [
        text("apiVersion"),
        apiVersion === undefined ? { kind: "null" } : { kind: "integer", value: apiVersion },
      ],
      [text("used"), text(faults.length > 0 ? `no: ${faults.join("; ")}` : used)],
    ],
  };
}
