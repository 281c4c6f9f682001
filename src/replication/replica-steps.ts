/** The steps of the gate that are asked while this server follows another one: who may write, and what may be read that is old. */
import { CommandError } from "../commands/command-error.ts";
import type { GateStep } from "../commands/dispatch.ts";

export const READ_ONLY = "readOnly";
export const STALE = "stale";
export const WRITABLE = "writable";

/**
 * It stands before whatever makes room: a write that is refused evicts nothing. An embedded program is refused as well: a
 * change of its own would be none of the primary's.
 */
export const readOnlyStep: GateStep = {
  name: READ_ONLY,
  origins: ["client", "internal"],
  appliesTo: (command) => command.flags.includes("write"),
  check: ({ server }) => {
    const { advice } = server.replication;
    const words = ["You can't write against a read only replica.", advice];
    throw new CommandError("READONLY", words.join(" ").trimEnd());
  },
};

/**
 * Clients may write here all the same (replica-read-only no). What a write finds whose time is over goes, as a key that is not
 * found must not be made a second time; what a read finds stays, for the primary may have given it more time. As in Redis.
 */
export const writableStep: GateStep = {
  name: WRITABLE,
  origins: ["client", "internal"],
  appliesTo: (command) => command.flags.includes("write") || command.name === "EXEC",
  check: ({ server, transaction }, command) => {
    // What is queued runs with EXEC.
    if (transaction === null || command.name === "EXEC") server.keyspace.keepsExpired = false;
  },
  follow: ({ server }) => {
    server.keyspace.keepsExpired = true;
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
