/**
 * WAITAOF: waits until what this connection has written is synced, whatever the mode promises: here, and at replicas that say so
 * (`REPLCONF ACK offset FACK offset`, as Redis has it since 7.2). Redis waits for the timer of everysec, and with appendfsync no for
 * ever; here the wait brings the sync with it, so it takes as long as the disk does. While the disk refuses, it waits for it to
 * work again: who was told that a write is not durable learns so when it is.
 */
import type { Arguments } from "../commands/arguments.ts";
import { readTimeoutMs } from "../commands/blocking-timeout.ts";
import type { Command } from "../commands/command.ts";
import { CommandError, notAnInteger } from "../commands/command-error.ts";
import type { Reply } from "../commands/reply.ts";
import type { WriteReply } from "../session/later-reply.ts";
import type { DiskProgress } from "../session/server.ts";
import type { Session } from "../session/session.ts";
import type { Followers } from "./followers.ts";
import type { ReplicationStream } from "./stream.ts";
import { unblocked } from "./unblocked.ts";

const OF_A_REPLICA =
  "WAITAOF cannot be used with replica instances. Please also note that writes to replicas are just local and are not propagated.";

type Offsets = Pick<ReplicationStream, "offsetOf" | "isInUse">;

function waitaof(followers: Followers, stream: Offsets) {
  return (session: Session, args: Arguments, reply: Reply): void => {
    const isLocalWanted = readLocalCount(args) > 0;
    const replicas = readReplicaCount(args);
    const { server, written } = session;
    const timeoutMs = readTimeoutMs(args, 3, server.clock.now());
    if (server.replication.role !== "master") throw new CommandError("ERR", OF_A_REPLICA);
    const { disk } = server;
    if (isLocalWanted && !disk.isRecording) {
      throw new CommandError(
        "ERR",
        "WAITAOF cannot be used when numlocal is set but appendonly is disabled.",
      );
    }
    const offset = stream.isInUse && written > 0 ? stream.offsetOf(written) : 0;
    const isEnough = () =>
      (!isLocalWanted || isSynced(disk, written)) && followers.synced(offset) >= replicas;
    const write = (to: Reply) => {
      to.array(2);
      to.integer(isSynced(disk, written) ? 1 : 0);
      to.integer(followers.synced(offset));
    };
    if (isEnough() || !session.mayWait) {
      write(reply);
      return;
    }
    waitUntil(isEnough, followers, { session, timeoutMs, write });
    if (isLocalWanted) disk.requestSync(written);
    if (replicas > 0) followers.askForAcknowledgements();
  };
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

function waitUntil(
  isEnough: () => boolean,
  followers: Followers,
  { session, timeoutMs, write }: Wait,
): void {
  const { clock, disk } = session.server;
  // Without a time out it might never end: the disk may refuse for days.
  const later = session.answerLater({ outlivesInput: timeoutMs > 0 });
  const end = () => {
    for (const unsubscribe of subscriptions) unsubscribe();
    timer?.cancel();
  };
  const settle = (answer: WriteReply) => {
    end();
    later.settle(answer);
  };
  const timer = timeoutMs === 0 ? undefined : clock.after(timeoutMs, () => settle(write));
  const look = () => {
    // An offset of another server's stream says nothing of what was written here.
    if (followers.isFollowing) settle(unblocked);
    else if (isEnough()) settle(write);
  };
  const subscriptions = [disk.onSynced(look), followers.onAcknowledged(look)];
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

export function waitaofCommand(followers: Followers, stream: Offsets): Command {
  return {
    name: "WAITAOF",
    arity: 4,
    flags: ["blocking"],
    group: "generic",
    since: "7.2.0",
    summary: "Waits until what this connection has written is on disk, here and at replicas.",
    syntax: "numlocal numreplicas timeout",
    run: waitaof(followers, stream),
  };
}
