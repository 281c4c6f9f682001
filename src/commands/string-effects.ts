/**
 * What commands on strings write into their record instead of their own arguments, in Redis's words: times as moments,
 * deletions as DEL. Nothing is changed here.
 */
import type { Session } from "../session/session.ts";
import { KEEP_DEADLINE } from "../store/database.ts";
import type { Arguments } from "./arguments.ts";

const DEL = Buffer.from("DEL");
const KEEPTTL = Buffer.from("KEEPTTL");
const PERSIST = Buffer.from("PERSIST");
const PEXPIREAT = Buffer.from("PEXPIREAT");
const PXAT = Buffer.from("PXAT");
export const SET = Buffer.from("SET");
export const VALUE_SET = Buffer.from("VALUE.SET");

/** `SET key value [PXAT ms | KEEPTTL]`, or VALUE.SET, with argument `value`. `deadlineMs` as for `put`. */
export function recordSet(
  session: Session,
  args: Arguments,
  command: Buffer,
  value: number,
  deadlineMs: number,
): void {
  const { start, end } = args;
  recordValue(session, args, command, deadlineMs, args.buffer, start[value], end[value]);
}

/** The same with a value that the command made: bytes[from, to). */
export function recordValue(
  session: Session,
  args: Arguments,
  command: Buffer,
  deadlineMs: number,
  bytes: Buffer,
  from: number,
  to: number,
): void {
  const effects = session.server.effects;
  effects.command(deadlineMs === 0 ? 3 : deadlineMs === KEEP_DEADLINE ? 4 : 5);
  effects.bytes(command, 0, command.length);
  effects.bytes(args.buffer, args.start[1], args.end[1]);
  effects.bytes(bytes, from, to);
  if (deadlineMs === KEEP_DEADLINE) effects.bytes(KEEPTTL, 0, KEEPTTL.length);
  else if (deadlineMs !== 0) {
    effects.bytes(PXAT, 0, PXAT.length);
    effects.integer(deadlineMs);
  }
}

export function recordRemoval(session: Session, args: Arguments): void {
  begin(session, args, DEL, 2);
}

export function recordPersist(session: Session, args: Arguments): void {
  begin(session, args, PERSIST, 2);
}

export function recordDeadline(session: Session, args: Arguments, deadlineMs: number): void {
  begin(session, args, PEXPIREAT, 3);
  session.server.effects.integer(deadlineMs);
}

function begin(session: Session, args: Arguments, command: Buffer, count: number): void {
  const effects = session.server.effects;
  effects.command(count);
  effects.bytes(command, 0, command.length);
  effects.bytes(args.buffer, args.start[1], args.end[1]);
}
