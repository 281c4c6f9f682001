/** The server as a whole: its clock, and its end. What it tells about itself is in info.ts. */
import type { LaterReply } from "../session/later-reply.ts";
import type { Session } from "../session/session.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { CommandError, syntaxError } from "./command-error.ts";
import type { Reply } from "./reply.ts";

/** Seconds and microseconds; kvdb's clock counts milliseconds. */
function time(session: Session, _args: Arguments, reply: Reply): void {
  const nowMs = session.server.clock.now();
  reply.array(2);
  reply.text(String(Math.floor(nowMs / 1000)));
  reply.text(String((nowMs % 1000) * 1000));
}

/**
 * An orderly stop, without a reply: the connection ends instead. Replicas that are behind are waited for first, for
 * shutdown-timeout at most and not with NOW; meanwhile ABORT calls it off, which is an error for who asked for it. A persistence
 * that keeps records has them all; for one that keeps checkpoints alone the last one is written then, unless NOSAVE says that
 * what was changed since may go, and when that fails the server goes on, unless FORCE says otherwise. SAVE asks every
 * persistence for one.
 */
function shutdown(session: Session, args: Arguments, reply: Reply): void {
  const words = new Set<string>();
  for (let i = 1; i < args.count; i++) words.add(shutdownWord(args, i));
  if (words.has("SAVE") && words.has("NOSAVE")) throw syntaxError();
  const control = session.server.shutdown;
  if (words.has("ABORT")) {
    if (words.size > 1) throw syntaxError();
    if (!control.abort()) throw new CommandError("ERR", "No shutdown in progress.");
    reply.ok();
    return;
  }
  // As in Redis NOW does not hasten what has begun to wait.
  const isBehind = control.remainingMs !== null || (!words.has("NOW") && control.areReplicasBehind);
  if (!isBehind || !session.mayWait) {
    stop(session, words);
    return;
  }
  const later = session.answerLater({ outlivesInput: true });
  void control.awaitReplicas().then((mayStop) => {
    if (mayStop) stop(session, words, later);
    else later.settle(refuse);
  });
}

/** `later`: of the command, if it has waited. */
function stop(session: Session, words: ReadonlySet<string>, later?: LaterReply): void {
  const { checkpoints } = session.server;
  const saves = !words.has("NOSAVE") && (words.has("SAVE") || checkpoints.isWantedAtStop);
  const mayRefuse = !words.has("FORCE") && session.mayWait && checkpoints.obstacle === "";
  if (saves && mayRefuse) {
    saveAndStop(session, later ?? session.answerLater({ outlivesInput: true }));
    return;
  }
  if (words.has("SAVE")) checkpoints.atStop = "always";
  if (words.has("NOSAVE")) checkpoints.atStop = "never";
  later?.settle(() => {});
  session.server.requestStop();
}

/** What others change meanwhile is saved once more when nobody is let in any more. */
function saveAndStop({ server }: Session, later: LaterReply): void {
  server.checkpoints.request("SHUTDOWN", "now", "save").then(
    () => {
      later.settle(() => {});
      server.requestStop();
    },
    () => {
      server.shutdown.giveUp();
      later.settle(refuse);
    },
  );
}

const refuse = (): never => {
  throw new CommandError("ERR", "Errors trying to SHUTDOWN. Check logs.");
};

const SHUTDOWN_WORDS = ["SAVE", "NOSAVE", "NOW", "FORCE", "ABORT"] as const;

function shutdownWord(args: Arguments, index: number): string {
  const word = SHUTDOWN_WORDS.find((one) => args.is(index, one));
  if (word === undefined) throw syntaxError();
  return word;
}

export const serverCommands: readonly Command[] = [
  {
    name: "SHUTDOWN",
    arity: -1,
    flags: ["admin", "noscript", "loading", "stale", "no_multi", "allow_busy"],
    group: "server",
    since: "1.0.0",
    summary: "Makes everything durable and stops the server.",
    syntax: "[NOSAVE | SAVE] [NOW] [FORCE] [ABORT]",
    run: shutdown,
  },
  {
    name: "TIME",
    arity: 1,
    flags: ["loading", "stale", "fast"],
    group: "server",
    since: "2.6.0",
    summary: "Returns the server's time.",
    syntax: "",
    run: time,
  },
];
