/**
 * `kvdb config check`: the real way of a start, up to but not including the first thing that is
 * opened.
 */
import type { LoadedConfig } from "../kernel/config.ts";
import { displayPath } from "../kernel/display-path.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { prepare } from "../kernel/prepare.ts";
import type { World } from "./world.ts";

export async function checkConfig(loaded: LoadedConfig, world: World): Promise<number> {
  await prepareServer(loaded, world);
  const { file } = loaded.config;
  const name =
    file === undefined
      ? "no configuration file, the defaults"
      : displayPath(file, world.surroundings.currentFolder);
  await world.print(Buffer.from(`${name}: ok\n`));
  return 0;
}

/** Rejects with everything that is wrong. */
export function prepareServer(loaded: LoadedConfig, world: World): Promise<Kernel> {
  return prepare({
    loaded,
    builtins: world.builtins,
    createEngine: world.createEngine,
    platform: world.platform,
    purpose: { kind: "use" },
    role: "server",
    onStopRequest: () => {}, // nothing runs that could be stopped
  });
}

/** While a server runs: a configuration that would not start is to be refused. Its warnings were told, or will be. */
export async function checkAgain(loaded: LoadedConfig, world: World): Promise<void> {
  const platform = { ...world.platform, writeLog: () => {} };
  await prepareServer(loaded, { ...world, platform });
}
