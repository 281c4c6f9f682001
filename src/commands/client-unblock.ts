/**
 * CLIENT UNBLOCK: ends the wait of a connection whose command answers later, if that command knows an answer for when its time
 * is over. One that waits for something that must not be left half way (SAVE) does not, and counts as not waiting.
 */
import type { Session } from "../session/session.ts";
import type { Arguments } from "./arguments.ts";
import { CommandError, notAnInteger, shownArgument } from "./command-error.ts";
import type { Reply } from "./reply.ts";

export function clientUnblock(session: Session, args: Arguments, reply: Reply): void {
  const isError = readsError(args);
  const id = args.integer(2);
  if (Number.isNaN(id)) throw notAnInteger();
  const later = session.server.sessions.get(id)?.later ?? null;
  if (later === null || later.onTimeout === null) {
    reply.integer(0);
    return;
  }
  reply.integer(later.interrupt(isError ? unblocked : later.onTimeout) ? 1 : 0);
}

function readsError(args: Arguments): boolean {
  if (args.count > 4) {
    const text = `unknown subcommand or wrong number of arguments for '${shownArgument(args, 1)}'`;
    throw new CommandError("ERR", `${text}. Try CLIENT HELP.`);
  }
  if (args.count === 3 || args.is(3, "TIMEOUT")) return false;
  if (args.is(3, "ERROR")) return true;
  throw new CommandError("ERR", "CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
}

function unblocked(): void {
  throw new CommandError("UNBLOCKED", "client unblocked via CLIENT UNBLOCK");
}
