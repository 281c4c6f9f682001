/** CLIENT PAUSE and UNPAUSE, the commands. What a pause does is in session/client-pause.ts. */
import type { Session } from "../session/session.ts";
import type { Arguments } from "./arguments.ts";
import { CommandError, shownArgument } from "./command-error.ts";
import type { Reply } from "./reply.ts";

export function clientPause(session: Session, args: Arguments, reply: Reply): void {
  if (args.count > 4) {
    const text = `unknown subcommand or wrong number of arguments for '${shownArgument(args, 1)}'`;
    throw new CommandError("ERR", `${text}. Try CLIENT HELP.`);
  }
  const mode = args.count === 4 ? readMode(args) : "all";
  session.server.pause.begin(readTimeout(args), mode);
  reply.ok();
}

export function clientUnpause(session: Session, _args: Arguments, reply: Reply): void {
  session.server.pause.end();
  reply.ok();
}

function readMode(args: Arguments): "write" | "all" {
  if (args.is(3, "WRITE")) return "write";
  if (args.is(3, "ALL")) return "all";
  throw new CommandError("ERR", "CLIENT PAUSE mode must be WRITE or ALL");
}

function readTimeout(args: Arguments): number {
  const timeoutMs = args.integer(2);
  if (Number.isNaN(timeoutMs)) {
    throw new CommandError("ERR", "timeout is not an integer or out of range");
  }
  if (timeoutMs < 0) throw new CommandError("ERR", "timeout is negative");
  return timeoutMs;
}
