/** What a log promises of each change, and CONFIG's `appendfsync`, which says it in Redis's words. */
import { CommandError } from "../commands/command-error.ts";
import type { Durability, Parameter } from "../plugin.ts";

export type Fsync = Exclude<Durability, "none">;

/** In the order in which Redis names them in its error. */
const FSYNC_MODES: readonly Fsync[] = ["everysec", "always", "no"];

export function appendfsyncParameter(get: () => Fsync, set: (mode: Fsync) => void): Parameter {
  return {
    name: "appendfsync",
    get,
    set: (value) => {
      const mode = FSYNC_MODES.find((known) => known === value.toLowerCase());
      if (mode === undefined) {
        const names = FSYNC_MODES.join(", ");
        throw new CommandError("ERR", `argument(s) must be one of the following: ${names}`);
      }
      set(mode);
    },
  };
}
