/**
 * All plugins that a configuration can use: the built-in ones and those it lists, with what each
 * brings and whether it is used. For people who look around: a plugin that cannot be loaded is an
 * entry like the others, with what is wrong with it. The way of a start is the loader's.
 */
import { asKvdbError } from "../errors.ts";
import type { Clock } from "../platform/clock.ts";
import type { Files } from "../platform/files.ts";
import { API_VERSION } from "../plugin.ts";
import type { AnyPlugin, Builtins, Contribution } from "./builtins.ts";
import type { CompiledSchemas, Config } from "./config.ts";
import { checkPlugin, contributions } from "./plugin-check.ts";
import { importPlugin } from "./plugin-import.ts";

export interface CatalogEntry {
  /** What the configuration calls it when it could not be loaded. */
  readonly name: string;
  readonly brings: readonly Contribution[];
  /** As what the configuration uses it; commands are used by being listed. */
  readonly usedAs: readonly Contribution[];
  /** The path or package in the configuration; undefined: built in. */
  readonly listedAs: string | undefined;
  readonly apiVersion: number | undefined;
  /** Of its options; undefined when it has none or could not be loaded. */
  readonly schema: object | undefined;
  /** What is wrong with it. */
  readonly faults: readonly string[];
}

export interface CatalogRequest {
  readonly config: Config;
  readonly builtins: Builtins;
  readonly schemas: CompiledSchemas;
  readonly files: Pick<Files, "exists" | "list">;
  readonly clock: Clock;
}

/** How long a module may take to be imported. */
const IMPORT_LIMIT_MS = 10_000;

export async function catalogPlugins(request: CatalogRequest): Promise<CatalogEntry[]> {
  const { config, builtins, schemas } = request;
  const entries = Object.entries(builtins).map(
    ([name, { brings }]): CatalogEntry => ({
      name,
      brings,
      usedAs: usedAs(name, brings, config),
      listedAs: undefined,
      apiVersion: API_VERSION,
      schema: schemas.plugins[name]?.schema,
      faults: [],
    }),
  );
  const taken = new Map<string, string>();
  for (const { use } of config.plugins) entries.push(await listedPlugin(use, taken, request));
  return entries;
}

async function listedPlugin(
  use: string,
  taken: Map<string, string>,
  request: CatalogRequest,
): Promise<CatalogEntry> {
  const { plugin, faults } = await load(use, taken, request);
  if (plugin === undefined) return { ...NOTHING, name: use, listedAs: use, faults };
  taken.set(plugin.name, use);
  const brings = contributions.filter((member) => plugin[member] !== undefined);
  return {
    name: plugin.name,
    brings,
    usedAs: usedAs(plugin.name, brings, request.config),
    listedAs: use,
    apiVersion: plugin.apiVersion,
    schema: plugin.schema,
    faults: [],
  };
}

const NOTHING = { brings: [], usedAs: [], apiVersion: undefined, schema: undefined } as const;

async function load(
  use: string,
  taken: ReadonlyMap<string, string>,
  { config, builtins, files, clock }: CatalogRequest,
): Promise<{ plugin?: AnyPlugin; faults: readonly string[] }> {
  if (Object.hasOwn(builtins, use)) {
    return { faults: ["is built in: it is used by its name, without being listed"] };
  }
  try {
    const { folder } = config;
    const exported = await importPlugin(use, { folder, files, clock, limitMs: IMPORT_LIMIT_MS });
    const check = checkPlugin(exported, Object.keys(builtins), taken);
    return check.plugin === undefined ? { faults: check.faults } : { ...check, faults: [] };
  } catch (error) {
    return { faults: [asKvdbError(error).message] };
  }
}

function usedAs(name: string, brings: readonly Contribution[], config: Config): Contribution[] {
  const isUsed: Readonly<Record<Contribution, boolean>> = {
    commands: true,
    indexes: true,
    persistence: config.persistence.use === name,
    frontend: config.frontends.some(({ use }) => use === name),
  };
  return brings.filter((contribution) => isUsed[contribution]);
}
