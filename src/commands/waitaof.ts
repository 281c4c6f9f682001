/**
 * WAITAOF: waits until what this connection has written is synced, whatever the mode promises. Redis waits for the timer of
 * everysec, and with appendfsync no for ever; here the wait brings the sync with it, so it takes as long as the disk does.
 * While the disk refuses, it waits for it to work again: who was told that a write is not durable learns so when it is.
 */
import type { DiskProgress } from "../session/server.ts";
import type { Session } from "../session/session.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { CommandError, notAnInteger } from "./command-error.ts";
import type { Reply } from "./reply.ts";

function waitaof(session: Session, args: Arguments, reply: Reply): void {
  const isLocalWanted = readLocalCount(args) > 0;
  const isReplicaWanted = readReplicaCount(args) > 0;
  const timeoutMs = readTimeoutMs(args, 3, session.server.clock.now());
  const { disk } = session.server;
  if (isLocalWanted && !disk.isRecording) {
    throw new CommandError(
      "ERR",
      "WAITAOF cannot be used when numlocal is set but appendonly is disabled.",
    );
  }
  const { written } = session;
  // Until there is replication, no replica ever answers.
  const isEnough = () => !isReplicaWanted && (!isLocalWanted || isSynced(disk, written));
  const write = (to: Reply) => {
    to.array(2);
    to.integer(isSynced(disk, written) ? 1 : 0);
    to.integer(0);
  };
  if (isEnough() || !session.mayWait) {
    write(reply);
    return;
  }
  waitUntil(isEnough, { session, timeoutMs, write });
  if (isLocalWanted) disk.requestSync(written);
}

function isSynced({ isRecording, syncedRevision }: DiskProgress, revision: number): boolean {
  return isRecording && revision <= syncedRevision;
}

interface Wait {
  readonly session: Session;
  /** 0: for ever. */
  readonly timeoutMs: number;
  write(reply: Reply): void;
}

function waitUntil(isEnough: () => boolean, { session, timeoutMs, write }: Wait): void {
  const { clock, disk } = session.server;
  // Without a time out it might never end: the disk may refuse for days.
  const later = session.answerLater({ outlivesInput: timeoutMs > 0 });
  const end = () => {
    unsubscribe();
    timer?.cancel();
  };
  const settle = () => {
    end();
    later.settle(write);
  };
  const timer = timeoutMs === 0 ? undefined : clock.after(timeoutMs, settle);
  const unsubscribe = disk.onSynced(() => {
    if (isEnough()) settle();
  });
  later.onAbandoned = end;
  later.onTimeout = write;
}

// ---- arguments, in Redis's words ----

function readLocalCount(args: Arguments): number {
  const count = args.integer(1);
  if (Number.isNaN(count)) throw notAnInteger();
  if (count === 0 || count === 1) return count;
  throw new CommandError("ERR", "value is out of range, value must between 0 and 1");
}

function readReplicaCount(args: Arguments): number {
  const count = args.integer(2);
  if (count >= 0) return count;
  throw new CommandError("ERR", "value is out of range, must be positive");
}

const MAX_INT64 = 2n ** 63n - 1n;

/** How long to wait, argument `index`, in milliseconds; 0: for ever. */
export function readTimeoutMs(args: Arguments, index: number, nowMs: number): number {
  const timeoutMs = args.int64(index);
  if (timeoutMs === null) {
    throw new CommandError("ERR", "timeout is not an integer or out of range");
  }
  if (timeoutMs < 0n) throw new CommandError("ERR", "timeout is negative");
  if (timeoutMs > MAX_INT64 - BigInt(nowMs)) {
    throw new CommandError("ERR", "timeout is out of range");
  }
  return Number(timeoutMs);
}

export const waitaofCommands: readonly Command[] = [
  {
    name: "WAITAOF",
    arity: 4,
    flags: ["blocking"],
    group: "generic",
    since: "7.2.0",
    summary: "Waits until what this connection has written is on disk.",
    syntax: "numlocal numreplicas timeout",
    run: waitaof,
  },
];
