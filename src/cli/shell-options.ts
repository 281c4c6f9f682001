/** What the flags before the command say about the shell: they stand above its options in the configuration. */
import type { LoadedConfig } from "../kernel/config.ts";
import { SHELL_FRONTEND, type Use } from "../kernel/schema.ts";
import type { OwnFlags } from "./invocation.ts";

/** Options of the frontend `repl` that flags give. */
export function shellOptions({ output, colour }: OwnFlags): Use["options"] {
  return {
    ...(output === "plain" ? {} : { mode: output }),
    ...(colour === undefined ? {} : { colour }),
  };
}

/** The configuration with the flags laid over the options of its shell, if it has one. */
export function withShellFlags(loaded: LoadedConfig, flags: OwnFlags): LoadedConfig {
  const given = shellOptions(flags);
  const frontends = loaded.config.frontends.map(({ use, options }) => ({
    use,
    options: use === SHELL_FRONTEND ? { ...options, ...given } : options,
  }));
  return { ...loaded, config: { ...loaded.config, frontends } };
}
