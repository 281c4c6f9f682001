/** How long a command that waits for keys waits, in Redis's words. */
import type { Session } from "../session/session.ts";
import type { Arguments } from "./arguments.ts";
import { CommandError } from "./command-error.ts";

const MAX_INT64 = 2 ** 63;

/** Argument `index`, seconds with a fraction, in milliseconds, rounded up; 0: for ever. */
export function readTimeoutSeconds(session: Session, args: Arguments, index: number): number {
  const seconds = args.float(index);
  if (Number.isNaN(seconds)) {
    throw new CommandError("ERR", "timeout is not a float or out of range");
  }
  const timeoutMs = Math.ceil(seconds * 1000);
  if (timeoutMs < 0) throw new CommandError("ERR", "timeout is negative");
  if (timeoutMs >= MAX_INT64 - session.server.clock.now()) {
    throw new CommandError("ERR", "timeout is out of range");
  }
  return timeoutMs;
}

/** How long to wait, argument `index`, in milliseconds; 0: for ever. */
export function readTimeoutMs(args: Arguments, index: number, nowMs: number): number {
  const timeoutMs = args.int64(index);
  if (timeoutMs === null) {
    throw new CommandError("ERR", "timeout is not an integer or out of range");
  }
  if (timeoutMs < 0n) throw new CommandError("ERR", "timeout is negative");
  if (timeoutMs > BigInt(MAX_INT64) - 1n - BigInt(nowMs)) {
    throw new CommandError("ERR", "timeout is out of range");
  }
  return Number(timeoutMs);
}
