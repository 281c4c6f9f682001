/**
 * Who may use DEBUG, as Redis 7.0 has it: nobody, everybody, or who is on this machine (enable-debug-command). It stops the
 * whole server for as long as one says (SLEEP), so a client that came from elsewhere is not let near it, whatever it may do
 * otherwise; a change of the setting needs a restart, so that CONFIG SET is no way around it.
 *
 * On this machine are connections over loopback and unix sockets, the shell, the command line and the program that opened kvdb.
 */
import { CommandError } from "../commands/command-error.ts";
import type { GateStep } from "../commands/dispatch.ts";
import type { Client } from "../plugin.ts";

export const DEBUGGING = "debugging";

export const debugStep: GateStep = {
  name: DEBUGGING,
  origins: ["client"],
  appliesTo: (command) => command.name === "DEBUG",
  check: ({ client, server }) => {
    if (server.debugCommand === "local" && isLocal(client)) return;
    throw new CommandError(
      "ERR",
      'DEBUG command not allowed. If the enable-debug-command option is set to "local", you can run it from a local connection, otherwise you need to set this option in the configuration file, and then restart the server.',
    );
  },
};

/** The address is one of loopback or, of a unix socket, a path. */
function isLocal({ address, trusted }: Client): boolean {
  return trusted === true || /^(127\.|\[::1\]:|\[::ffff:127\.|\/)/.test(address);
}
