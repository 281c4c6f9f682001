/**
 * The last step of the gate: between MULTI and EXEC a command that has passed all others is queued instead of run. It is
 * asked of sessions that are in a transaction alone (`session.gates`).
 */
import type { Arguments } from "../commands/arguments.ts";
import { CommandError } from "../commands/command-error.ts";
import type { GateStep } from "../commands/dispatch.ts";
import type { Reply } from "../commands/reply.ts";
import type { TableEntry } from "../commands/table.ts";
import { isSeenByOthers } from "../session/client-pause.ts";
import type { Session } from "../session/session.ts";
import { OpenTransaction } from "./open-transaction.ts";
import { requireUndoable } from "./undoable-commands.ts";

export const TRANSACTION = "transaction";

/** These run at once. The first ones say themselves what they may do where; two end whatever is open. */
const NOT_QUEUED = ["MULTI", "WATCH", "EXEC", "DISCARD", "QUIT", "RESET"];

export const transactionStep: GateStep = {
  name: TRANSACTION,
  origins: ["client", "internal"],
  appliesTo: ({ name }) => !NOT_QUEUED.includes(name),
  check: ({ transaction }, command) => {
    if (command.flags.includes("no_multi")) {
      throw new CommandError("ERR", "Command not allowed inside a transaction");
    }
    if (transaction instanceof OpenTransaction && transaction.isUndoable) requireUndoable(command);
  },
  takes: queue,
};

function queue(session: Session, entry: TableEntry, args: Arguments, reply: Reply): boolean {
  const { transaction, server } = session;
  if (!(transaction instanceof OpenTransaction)) return false;
  // Whatever the command, its bytes are kept: a queue must not be the way around the limit.
  server.memory.admit(session, bytesOf(args), args.count);
  transaction.add(args, entry.gates);
  transaction.isSeenByOthers ||= isSeenByOthers(entry.command);
  reply.status("QUEUED");
  return true;
}

function bytesOf(args: Arguments): number {
  return (args.end[args.count - 1] as number) - (args.start[0] as number);
}
