/**
 * SAVE and its kin: checkpoints by hand. What a checkpoint is, and where it goes, is the persistence's; that they come
 * one at a time is the kernel's (session.server.checkpoints). SAVE answers when it is durable and holds up nobody else
 * meanwhile, unlike Redis's; BGSAVE and BGREWRITEAOF answer at once, in Redis's words.
 */
import type { CheckpointKind, CheckpointReport } from "../plugin.ts";
import type { CheckpointControl } from "../session/server.ts";
import type { Session } from "../session/session.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { CommandError, syntaxError } from "./command-error.ts";
import { oneLine } from "./one-line.ts";
import type { Reply } from "./reply.ts";

function save(session: Session, _args: Arguments, _reply: Reply): void {
  write(session, "SAVE", "save", (_report, reply) => reply.ok());
}

/** Answers what was written, so that a person sees what it was good for. */
function compact(session: Session, _args: Arguments, _reply: Reply): void {
  write(session, "COMPACT", "compact", ({ revision, entries, bytes, durationMs }, reply) => {
    reply.map(4);
    for (const [name, value] of Object.entries({ revision, entries, bytes, ms: durationMs })) {
      reply.text(name);
      reply.integer(value);
    }
  });
}

function write(
  session: Session,
  reason: string,
  kind: CheckpointKind,
  succeed: (report: CheckpointReport, reply: Reply) => void,
): void {
  const { checkpoints } = session.server;
  requireCheckpoints(checkpoints);
  const later = session.answerLater({ outlivesInput: true });
  checkpoints.request(reason, "now", kind).then(
    (report) => later.settle((reply) => succeed(report, reply)),
    (error: Error) => later.settle((reply) => reply.error("ERR", oneLine(error.message))),
  );
}

function backgroundSave(session: Session, args: Arguments, reply: Reply): void {
  const { checkpoints } = session.server;
  if (args.count === 2 && args.is(1, "CANCEL")) {
    cancel(checkpoints, reply);
    return;
  }
  if (args.count > 2 || (args.count === 2 && !args.is(1, "SCHEDULE"))) throw syntaxError();
  requireCheckpoints(checkpoints);
  const { inProgress } = checkpoints;
  if (checkpoints.of("save").inProgress && args.count === 1) {
    throw new CommandError("ERR", "Background save already in progress");
  }
  beginInBackground(checkpoints, "BGSAVE", "save");
  reply.status(inProgress ? "Background saving scheduled" : "Background saving started");
}

/** As Valkey 8.1 has it. */
function cancel(checkpoints: CheckpointControl, reply: Reply): void {
  if (!checkpoints.cancel("save")) {
    throw new CommandError("ERR", "Background saving is currently not in progress or scheduled");
  }
  reply.status("Background saving cancelled");
}

function backgroundRewrite(session: Session, _args: Arguments, reply: Reply): void {
  const { checkpoints } = session.server;
  requireCheckpoints(checkpoints);
  if (checkpoints.of("compact").inProgress) {
    throw new CommandError("ERR", "Background append only file rewriting already in progress");
  }
  const { inProgress } = checkpoints;
  beginInBackground(checkpoints, "BGREWRITEAOF", "compact");
  reply.status(`Background append only file rewriting ${inProgress ? "scheduled" : "started"}`);
}

/** A failure is logged, and shown by INFO and DURABILITY STATUS. */
function beginInBackground(
  checkpoints: CheckpointControl,
  reason: string,
  kind: CheckpointKind,
): void {
  void Promise.allSettled([checkpoints.request(reason, "now", kind)]);
}

function requireCheckpoints({ obstacle }: CheckpointControl): void {
  if (obstacle !== "") throw new CommandError("ERR", obstacle);
}

function lastSave(session: Session, _args: Arguments, reply: Reply): void {
  reply.integer(Math.floor(session.server.checkpoints.of("save").last.timeMs / 1000));
}

export const saveCommands: readonly Command[] = [
  {
    name: "SAVE",
    arity: 1,
    flags: ["admin", "noscript", "no_async_loading", "no_multi"],
    group: "server",
    since: "1.0.0",
    summary: "Writes a checkpoint of all data and answers when it is durable; other clients go on.",
    syntax: "",
    run: save,
  },
  {
    name: "BGSAVE",
    arity: -1,
    flags: ["admin", "noscript", "no_async_loading"],
    group: "server",
    since: "1.0.0",
    summary: "Begins to write a checkpoint of all data and answers at once.",
    syntax: "[SCHEDULE | CANCEL]",
    run: backgroundSave,
  },
  {
    name: "BGREWRITEAOF",
    arity: 1,
    flags: ["admin", "noscript", "no_async_loading"],
    group: "server",
    since: "1.0.0",
    summary: "Begins to replace the log by a checkpoint and answers at once.",
    syntax: "",
    run: backgroundRewrite,
  },
  {
    name: "LASTSAVE",
    arity: 1,
    flags: ["loading", "stale", "fast"],
    group: "server",
    since: "1.0.0",
    summary: "Returns when the last checkpoint was written, as a Unix time in seconds.",
    syntax: "",
    run: lastSave,
  },
  {
    name: "COMPACT",
    arity: 1,
    flags: ["admin", "noscript", "no_async_loading", "no_multi"],
    group: "server",
    since: "kvdb 0.1.0",
    summary: "Replaces the log by a checkpoint and answers what was written; other clients go on.",
    syntax: "",
    run: compact,
  },
];
