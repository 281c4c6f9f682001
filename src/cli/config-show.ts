/**
 * `kvdb config show`: each setting that holds now, with what set it: a line of the file, a
 * variable, an option, or nobody. Paths are shown as kvdb uses them. Secrets are not shown: those
 * that a schema marks, and every option of a plugin whose schema cannot be read.
 */
import { KvdbError } from "../errors.ts";
import type { LoadedConfig, WrittenConfig } from "../kernel/config.ts";
import { leavesOf, pathOf } from "../kernel/json-pointer.ts";
import { catalogPlugins } from "../kernel/plugin-catalog.ts";
import { kernelSchema, type Use } from "../kernel/schema.ts";
import type { SchemaNode } from "../kernel/schema-text.ts";
import type { Answer } from "../resp/answer.ts";
import type { OwnFlags } from "./invocation.ts";
import { printTable } from "./output.ts";
import type { World } from "./world.ts";

export async function showConfig(
  loaded: LoadedConfig & WrittenConfig,
  flags: OwnFlags,
  world: World,
): Promise<number> {
  const isSecret = await secrets(loaded, world);
  const rows = leavesOf(effective(loaded)).map(([pointer, value]) =>
    rowOf(pathOf(pointer), hide(value, isSecret(pointer)), loaded.originOf(pointer)),
  );
  await printTable(rows, flags, world);
  return 0;
}

/** Names and paths are those that kvdb found, all else is as it was written. */
function effective({ config, values }: LoadedConfig & WrittenConfig): Record<string, unknown> {
  const { dir, aclfile, persistence, frontends, plugins, backup, logFile } = config;
  const expanded = ({ use, options }: Use) => ({ use, ...options });
  const found: Readonly<Record<string, unknown>> = {
    dir,
    persistence: expanded(persistence),
    frontends: frontends.map(expanded),
    plugins: plugins.map(expanded),
    backup: { ...(values["backup"] as object), to: backup.to },
    aclfile,
    log: { ...(values["log"] as object), ...(logFile !== undefined && { file: logFile }) },
  };
  // In the order of the schema: the file's own order follows what somebody happened to write.
  const keys = Object.keys(kernelSchema.properties).filter((key) => Object.hasOwn(values, key));
  return Object.fromEntries(keys.map((key) => [key, found[key] ?? values[key]]));
}

type IsSecret = (pointer: string) => boolean;

async function secrets({ config }: LoadedConfig, world: World): Promise<IsSecret> {
  const { builtins, schemas, platform } = world;
  const { files, clock } = platform;
  const catalog = await catalogPlugins({ config, builtins, schemas, files, clock });
  const optionSecret = (use: string, option: string): boolean => {
    const entry = catalog.find(({ name, listedAs }) => name === use || listedAs === use);
    if (entry === undefined || entry.faults.length > 0) return true;
    return (entry.schema as SchemaNode | undefined)?.properties?.[option]?.writeOnly === true;
  };
  return (pointer) => {
    const [, first, second, third] = pointer.split("/");
    if (first === "persistence") {
      return isOption(second) && optionSecret(config.persistence.use, second);
    }
    if (first === "frontends" || first === "plugins") {
      const use = config[first][Number(second)]?.use;
      return use !== undefined && isOption(third) && optionSecret(use, third);
    }
    return isKernelSecret(pointer);
  };
}

function isKernelSecret(pointer: string): boolean {
  let node: SchemaNode | undefined = kernelSchema as SchemaNode;
  for (const key of pointer.split("/").slice(1)) {
    const others: SchemaNode["additionalProperties"] = node?.additionalProperties;
    node = node?.properties?.[key] ?? (typeof others === "object" ? others : undefined);
  }
  return node?.writeOnly === true;
}

function isOption(key: string | undefined): key is string {
  return key !== undefined && key !== "use";
}

/** An empty secret is none, which is worth knowing. */
function hide(value: unknown, isSecret: boolean): unknown {
  return isSecret && value !== "" ? "***" : value;
}

function rowOf(key: string, value: unknown, origin: string): Answer {
  const text = (content: string): Answer => ({ kind: "status", text: content });
  const json = JSON.stringify(value);
  if (json === undefined) throw new KvdbError("INTERNAL", `${key} is no JSON value`);
  return {
    kind: "map",
    entries: [
      [text("key"), text(key)],
      [text("value"), { kind: "bulk", bytes: Buffer.from(json) }],
      [text("origin"), text(origin)],
    ],
  };
}
