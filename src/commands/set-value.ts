/** How commands reach the set under a key. The commands are in set-members.ts, set-random.ts, set-combination.ts. */
import type { Session } from "../session/session.ts";
import { SET, typeOf } from "../store/entry.ts";
import type { Member } from "../store/set-member.ts";
import type { Arguments } from "./arguments.ts";
import { wrongType } from "./command-error.ts";
import type { Reply } from "./reply.ts";

/** The entry of the set under argument `key`, to change it; 0: none. */
export function findSet(session: Session, args: Arguments, key: number): number {
  const entry = session.database.find(args.buffer, args.start[key], args.end[key]);
  return requireSet(session, entry);
}

/** The same for commands that only read: counts a hit or a miss. */
export function readSet(session: Session, args: Arguments, key: number): number {
  const entry = session.database.read(args.buffer, args.start[key], args.end[key]);
  return requireSet(session, entry);
}

function requireSet(session: Session, entry: number): number {
  if (entry !== 0 && typeOf(session.database.arena, entry) !== SET) throw wrongType();
  return entry;
}

export function replyMember(member: Member, reply: Reply): void {
  reply.bulk(member.bytes, member.start, member.end);
}
