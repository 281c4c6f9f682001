/** REPLICAOF and its older name: whom this server follows. What that means is following.ts's. */
import type { Arguments } from "../commands/arguments.ts";
import type { Command } from "../commands/command.ts";
import { CommandError } from "../commands/command-error.ts";
import { wrongArity } from "../commands/refusal-words.ts";
import type { Reply } from "../commands/reply.ts";
import { asKvdbError } from "../errors.ts";
import type { Session } from "../session/session.ts";
import { isNobody, parsePrimary } from "./primary-address.ts";

function replicaof(session: Session, args: Arguments, reply: Reply): void {
  const { replication } = session.server;
  if (replication.failoverState !== "no-failover") {
    throw new CommandError("ERR", "REPLICAOF not allowed while failing over.");
  }
  if (args.count > 3) throw new CommandError("ERR", wrongArity(args.latin(0)));
  const words = args.count === 2 ? [args.text(1)] : [args.text(1), args.text(2)];
  if (isNobody(words)) {
    lead(session, reply);
    return;
  }
  const { host, port } = readAddress(words);
  if (replication.follow(host, port)) reply.ok();
  else reply.status("OK Already connected to specified master");
}

/** Answered when this server takes writes: what the client sends next may be one. */
function lead(session: Session, reply: Reply): void {
  const { replication } = session.server;
  const isReplica = replication.primary !== null || replication.advice !== "";
  const leading = replication.lead();
  if (!isReplica || !session.mayWait) {
    reply.ok();
    return;
  }
  const later = session.answerLater({ outlivesInput: true });
  leading.then(
    () => later.settle((to) => to.ok()),
    (error) => {
      later.settle(() => {
        throw new CommandError("ERR", asKvdbError(error).message);
      });
    },
  );
}

function readAddress(words: readonly string[]): { host: string; port: number } {
  const address = parsePrimary(words.join(" "));
  if (address !== null && typeof address !== "string") return address;
  if (words.length === 2) throw new CommandError("ERR", "Invalid master port");
  throw new CommandError("ERR", address ?? "a host and a port are missing");
}

function replicaofCommand(name: string, since: string, summary: string): Command {
  return {
    name,
    arity: -2,
    flags: ["admin", "noscript", "no_async_loading", "stale"],
    mayAnswerLater: true,
    group: "server",
    since,
    summary,
    syntax: "host port",
    run: replicaof,
  };
}

export const replicaofCommands: readonly Command[] = [
  replicaofCommand(
    "REPLICAOF",
    "5.0.0",
    "Make the server a replica of another instance, or promote it as master.",
  ),
  replicaofCommand(
    "SLAVEOF",
    "1.0.0",
    "Make the server a replica of another instance, or promote it as master.",
  ),
];
