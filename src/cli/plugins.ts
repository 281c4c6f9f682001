/**
 * `kvdb plugins`: all plugins that are built in or listed by the configuration, in a table. What is
 * wrong with one stands in its row; then the way of a start is taken, as by `config check`, whose
 * failure is the exit code.
 */
import type { LoadedConfig } from "../kernel/config.ts";
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
  await printTable(entries.map(rowOf), flags, world);
  await prepareServer(loaded, world);
  return 0;
}

function rowOf(entry: CatalogEntry): Answer {
  const { name, brings, usedAs, listedAs, apiVersion, faults } = entry;
  const text = (value: string): Answer => ({ kind: "status", text: value });
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
