/**
 * The step of the gate of a session that tracks keys (CLIENT TRACKING): it lets every command pass, and remembers the keys of
 * those that only read once they are over.
 */
import type { Arguments } from "../commands/arguments.ts";
import type { Command } from "../commands/command.ts";
import { CommandError } from "../commands/command-error.ts";
import { keysUsed, takesKeys } from "../commands/command-keys.ts";
import type { GateStep } from "../commands/dispatch.ts";
import type { Session } from "../session/session.ts";

export const TRACKED = "tracked";

export const trackedStep: GateStep = {
  name: TRACKED,
  origins: ["client", "internal"],
  appliesTo: () => true,
  check: () => {},
  follow: (session, command, args) => {
    const { tracker } = session;
    if (tracker === null || !tracker.isOn) return;
    if (command.flags.includes("readonly") && tracker.remembers) remember(session, command, args);
    // What CLIENT CACHING says is for one command, or for all of a transaction.
    if (session.transaction === null && !command.name.startsWith("CLIENT|")) {
      tracker.isExcepted = false;
    }
  },
};

function remember(session: Session, command: Command, args: Arguments): void {
  const { tracking } = session.server;
  for (const index of keysOf(command, args)) {
    tracking.remember(session, args.buffer, args.start[index] as number, args.end[index] as number);
  }
}

function keysOf(command: Command, args: Arguments): number[] {
  if (!takesKeys(command)) return [];
  try {
    return keysUsed(command, args, 0).map(({ index }) => index);
  } catch (thrown) {
    // The command has refused such arguments itself.
    if (thrown instanceof CommandError) return [];
    throw thrown;
  }
}
