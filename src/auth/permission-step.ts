/** The steps of the gate that ask who speaks: whether he has logged in, and whether he may run the command. */
import { CommandError } from "../commands/command-error.ts";
import type { GateStep } from "../commands/dispatch.ts";

export const AUTHENTICATED = "authenticated";
export const PERMITTED = "permitted";

export const authenticatedStep: GateStep = {
  name: AUTHENTICATED,
  origins: ["client"],
  appliesTo: (command) => !command.flags.includes("noauth"),
  check: () => {
    throw new CommandError("NOAUTH", "Authentication required.");
  },
};

/** Active for the sessions of users who may not do everything. */
export const permittedStep: GateStep = {
  name: PERMITTED,
  origins: ["client"],
  appliesTo: (command) => !command.flags.includes("noauth"),
  check: (session, command, args) => {
    session.server.accounts.requirePermission(session, { command, args, start: 0 });
  },
};
