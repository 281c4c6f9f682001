/** The same configuration with another persistence: that which a folder holds, or is to hold. */
import { type CompiledSchemas, type LoadedConfig, resolvePaths } from "./config.ts";
import { issuesError } from "./config-issues.ts";
import { validate } from "./validation.ts";

export interface NamedPersistence {
  readonly name: string;
  /** Who named it, for messages: `--to`. */
  readonly place: string;
  /** Those that are known; all others have their defaults. */
  readonly options: Readonly<Record<string, string>>;
}

/** With the options that are known, unless the configuration names it. Throws a KvdbError CONFIG when it needs more. */
export function withPersistence(
  loaded: LoadedConfig,
  { name, place, options: known }: NamedPersistence,
  schemas: CompiledSchemas,
): LoadedConfig {
  if (loaded.config.persistence.use === name) return loaded;
  const placeOf = (pointer: string) =>
    pointer.startsWith("/persistence") ? place : loaded.placeOf(pointer);
  const options = completed(known, name, { ...loaded, placeOf }, schemas);
  const config = { ...loaded.config, persistence: { use: name, options } };
  return { ...loaded, config, placeOf };
}

/** Those of a plugin from outside are filled in where it is loaded. */
function completed(
  known: Readonly<Record<string, string>>,
  name: string,
  { config, placeOf }: LoadedConfig,
  { plugins }: CompiledSchemas,
): Readonly<Record<string, unknown>> {
  if (!Object.hasOwn(plugins, name)) return known;
  const { schema, validator } = plugins[name];
  const options = { ...known };
  const issues = validate(options, { schema, validator, pointer: "/persistence", placeOf });
  if (issues.length > 0) throw issuesError(issues);
  return resolvePaths(options, schema, config.folder);
}
