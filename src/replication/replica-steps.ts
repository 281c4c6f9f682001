/** The steps of the gate that are asked while this server follows another one: clients may not write, and may be refused what is old. */
import { CommandError } from "../commands/command-error.ts";
import type { GateStep } from "../commands/dispatch.ts";

export const READ_ONLY = "readOnly";
export const STALE = "stale";

/**
 * It stands before whatever makes room: a write that is refused evicts nothing. An embedded program is refused as well: a
 * change of its own would be none of the primary's.
 */
export const readOnlyStep: GateStep = {
  name: READ_ONLY,
  origins: ["client", "internal"],
  appliesTo: (command) => command.flags.includes("write"),
  check: () => {
    throw new CommandError("READONLY", "You can't write against a read only replica.");
  },
};

/** The link to the primary is down, and what may be old is not to be served. */
export const staleStep: GateStep = {
  name: STALE,
  origins: ["client", "internal"],
  appliesTo: (command) => !command.flags.includes("stale"),
  check: () => {
    throw new CommandError(
      "MASTERDOWN",
      "Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    );
  },
};
