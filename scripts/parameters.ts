/**
 * The names of CONFIG GET that a server answers, for the table of docs/configuration.md and the test that compares them with
 * redis-server: a kernel is prepared for each persistence, and nothing is opened.
 */
import { builtins } from "../plugins/index.ts";
import { loadConfig } from "../src/kernel/config.ts";
import { Engine } from "../src/kernel/engine.ts";
import { pathOf, pointerOf } from "../src/kernel/json-pointer.ts";
import type { Platform } from "../src/kernel/kernel.ts";
import { settingOf } from "../src/kernel/parameter-place.ts";
import { prepare } from "../src/kernel/prepare.ts";
import { compiledSchemas } from "../src/kernel/validators.generated.ts";
import { systemClock } from "../src/platform/clock.ts";
import { systemFiles } from "../src/platform/files.ts";
import { seededRandom } from "../src/platform/random.ts";
import type { ServerParameter } from "../src/session/server.ts";

const notOpened = () => {
  throw new Error("nothing is opened");
};

const platform: Platform = {
  ...{ clock: systemClock, random: seededRandom(1), files: systemFiles },
  ...{ lockFolder: notOpened, startSnapshotWorker: notOpened, writeLog: () => {} },
};

/** Of a server with this persistence. */
export async function parametersWith(
  persistence: string,
): Promise<ReadonlyMap<string, ServerParameter>> {
  const loaded = await loadConfig({
    surroundings: {
      ...{
        currentFolder: "/",
        homeFolder: "/",
        files: { exists: async () => false, list: async () => [] },
      },
      ...{ ownerOf: async () => undefined, user: undefined },
    },
    environment: {},
    configFile: undefined,
    options: [],
    serve: true,
    schemas: compiledSchemas,
  });
  const config = { ...loaded.config, persistence: { use: persistence, options: {} } };
  const kernel = await prepare({
    ...{ loaded: { ...loaded, config }, builtins, platform },
    createEngine: (settings) => new Engine(settings),
    ...{ purpose: { kind: "use" }, role: "server", onStopRequest: () => {} },
  });
  return kernel.engine.parameters;
}

/** Markdown. */
export async function parametersTable(): Promise<string> {
  const all = new Map([...(await parametersWith("wal")), ...(await parametersWith("aof"))]);
  const rows = [...all.values()].sort((one, other) => (one.name < other.name ? -1 : 1)).map(rowOf);
  return ["| name | `CONFIG SET` | key |", "| --- | --- | --- |", ...rows].join("\n");
}

function rowOf({ name, aliasOf, isFixed, set, get }: ServerParameter): string {
  const change =
    set === undefined ? "no" : isFixed === true ? `always \`${get() || '""'}\`` : "yes";
  const key = isFixed || set === undefined ? keyOf(name, "") : keyOf(name, `parameters.${name}`);
  const told = aliasOf === undefined ? key : `older name of \`${aliasOf}\``;
  return `| \`${name}\` | ${change} | ${told} |`;
}

function keyOf(name: string, otherwise: string): string {
  const code = (path: readonly string[]) => `\`${pathOf(pointerOf(path))}\``;
  const target = settingOf(name)?.target;
  if (target === undefined) return otherwise === "" ? "" : `\`${otherwise}\``;
  if (target.of === "config") return code(target.path);
  if (target.of === "resp") return `\`frontends[].${target.option}\` (resp)`;
  if (target.of === "appendonly") return code(["persistence", "appendonly"]);
  return code(["persistence", target.option, ...("member" in target ? [target.member] : [])]);
}
