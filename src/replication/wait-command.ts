/**
 * WAIT: until enough replicas have acknowledged what this connection has written, or its time is over. The replicas are asked
 * (REPLCONF GETACK), else they would tell once a second; and what was written is synced at once, since it leaves no sooner.
 */
import type { Arguments } from "../commands/arguments.ts";
import { readTimeoutMs } from "../commands/blocking-timeout.ts";
import type { Command } from "../commands/command.ts";
import { CommandError, notAnInteger } from "../commands/command-error.ts";
import type { Reply } from "../commands/reply.ts";
import type { WriteReply } from "../session/later-reply.ts";
import type { Session } from "../session/session.ts";
import type { Followers } from "./followers.ts";
import type { ReplicationStream } from "./stream.ts";
import { unblocked } from "./unblocked.ts";

const OF_A_REPLICA =
  "WAIT cannot be used with replica instances. Please also note that since Redis 4.0 if a replica is configured to be writable (which is not the default) writes to replicas are just local and are not propagated.";

type Offsets = Pick<ReplicationStream, "offsetOf" | "isInUse">;

function wait(followers: Followers, stream: Offsets) {
  return (session: Session, args: Arguments, reply: Reply): void => {
    const { server, written } = session;
    if (server.replication.role !== "master") throw new CommandError("ERR", OF_A_REPLICA);
    const wanted = args.integer(1);
    if (Number.isNaN(wanted)) throw notAnInteger();
    const timeoutMs = readTimeoutMs(args, 2, server.clock.now());
    const offset = stream.isInUse && written > 0 ? stream.offsetOf(written) : 0;
    const count = () => followers.acknowledged(offset);
    const write = (to: Reply) => to.integer(count());
    if (count() >= wanted || !session.mayWait) {
      write(reply);
      return;
    }
    const later = session.answerLater({ outlivesInput: timeoutMs > 0 });
    const end = () => {
      unsubscribe();
      timer?.cancel();
    };
    const settle = (answer: WriteReply) => {
      end();
      later.settle(answer);
    };
    const timer = timeoutMs === 0 ? undefined : server.clock.after(timeoutMs, () => settle(write));
    const unsubscribe = followers.onAcknowledged(() => {
      // An offset of another server's stream says nothing of what was written here.
      if (followers.isFollowing) settle(unblocked);
      else if (count() >= wanted) settle(write);
    });
    later.onAbandoned = end;
    later.onTimeout = write;
    followers.askForAcknowledgements();
  };
}

export function waitCommand(followers: Followers, stream: Offsets): Command {
  return {
    name: "WAIT",
    arity: 3,
    flags: ["noscript"],
    group: "generic",
    since: "3.0.0",
    summary: "Waits until replicas have acknowledged what this connection has written.",
    syntax: "numreplicas timeout",
    mayAnswerLater: true,
    run: wait(followers, stream),
  };
}
