/**
 * The names a client gives itself: of the connection (CLIENT SETNAME, HELLO SETNAME) and of its library (CLIENT SETINFO).
 * They stand in the lines of CLIENT LIST, whose fields are parted by spaces, so no name may have one.
 */
import type { Session } from "../session/session.ts";
import type { Arguments } from "./arguments.ts";
import { CommandError, shownArgument } from "./command-error.ts";
import type { Reply } from "./reply.ts";

const FIRST_PRINTABLE = 33;
const LAST_PRINTABLE = 126;

/** Names the connection as the argument says; an empty one takes the name away. */
export function setClientName(session: Session, args: Arguments, index: number): void {
  if (!isName(args, index)) {
    throw new CommandError(
      "ERR",
      "Client names cannot contain spaces, newlines or special characters.",
    );
  }
  session.name = args.latin(index);
}

/** CLIENT SETINFO, as Redis 7.2 has it. */
export function setClientInfo(session: Session, args: Arguments, reply: Reply): void {
  const attribute = shownArgument(args, 2);
  const isLibraryName = args.is(2, "LIB-NAME");
  if (!isLibraryName && !args.is(2, "LIB-VER")) {
    throw new CommandError("ERR", `Unrecognized option '${attribute}'`);
  }
  if (!isName(args, 3)) {
    throw new CommandError(
      "ERR",
      `${attribute} cannot contain spaces, newlines or special characters.`,
    );
  }
  if (isLibraryName) session.libraryName = args.latin(3);
  else session.libraryVersion = args.latin(3);
  reply.ok();
}

function isName(args: Arguments, index: number): boolean {
  for (let i = args.start[index]; i < args.end[index]; i++) {
    const byte = args.buffer[i];
    if (byte < FIRST_PRINTABLE || byte > LAST_PRINTABLE) return false;
  }
  return true;
}
