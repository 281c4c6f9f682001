/**
 * BACKUP and its subcommands. Who makes, verifies and brings back is the kernel's (session.server.backups); what takes long
 * is answered when it is done, and holds up nobody else.
 */
import {
  BACKUP_LEVELS,
  type BackupControl,
  type BackupLevel,
  type BackupStatus,
  type BackupVerification,
  type ListedBackup,
  type MadeBackup,
  type RestoredBackup,
} from "../session/backup-control.ts";
import type { Session } from "../session/session.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { CommandError, syntaxError } from "./command-error.ts";
import { helpSubcommand } from "./container-help.ts";
import { forPeople } from "./for-people.ts";
import { oneLine } from "./one-line.ts";
import type { Reply } from "./reply.ts";

type Value = string | number | null;

/** BACKUP alone, and BACKUP START. */
function start(session: Session, args: Arguments, _reply: Reply): void {
  const level = args.count > 2 ? readLevel(args, 2) : undefined;
  answer(
    session,
    (backups) => backups.start(level),
    (reply, { path }: MadeBackup) => reply.status(path),
  );
}

/** `VERIFY restore`, from an index on. */
function readLevel(args: Arguments, index: number): BackupLevel {
  if (args.count !== index + 2 || !args.is(index, "VERIFY")) throw syntaxError();
  return levelAt(args, index + 1);
}

function levelAt(args: Arguments, index: number): BackupLevel {
  const level = BACKUP_LEVELS.find((known) => args.is(index, known.toUpperCase()));
  if (level !== undefined) return level;
  throw new CommandError("ERR", `a level of verification is one of ${BACKUP_LEVELS.join(", ")}`);
}

function status(session: Session, _args: Arguments, reply: Reply): void {
  const { backups } = session.server;
  if (backups.obstacle !== "") {
    replyMap(reply, statusLines(backups.status));
    return;
  }
  answer(
    session,
    // Who asks while the storage is away wants to know all the rest the more.
    async () => (await Promise.allSettled([backups.see()]))[0],
    (later, seen) => {
      const problem = seen.status === "rejected" && { problem: oneLine(seen.reason.message) };
      replyMap(later, { ...statusLines(backups.status), ...problem });
    },
  );
}

function statusLines(status: BackupStatus): Record<string, Value> {
  const { stage, share, startedMs, last, existing, nextMs, missed } = status;
  return {
    stage,
    ...(share !== undefined && { percent: Math.floor(share * 100) }),
    ...(stage !== "idle" && { started: moment(startedMs) }),
    last_attempt: last === undefined ? null : moment(last.timeMs),
    last_result: last === undefined ? null : last.problem === "" ? "ok" : last.problem,
    last_name: last === undefined || last.name === "" ? null : last.name,
    newest: moment(existing?.newestMs ?? 0),
    newest_verified: moment(existing?.newestVerifiedMs ?? 0),
    count: existing?.count ?? null,
    next: moment(nextMs),
    missed,
  };
}

function list(session: Session, _args: Arguments, _reply: Reply): void {
  answer(
    session,
    (backups) => backups.list(),
    (reply, backups: readonly ListedBackup[]) => {
      reply.array(backups.length);
      for (const backup of backups) replyMap(reply, listedLines(backup));
    },
  );
}

function listedLines({ name, timeMs, revision, keys, bytes, verification }: ListedBackup) {
  return {
    name,
    time: moment(timeMs),
    revision,
    keys: keys ?? null,
    bytes,
    verified: verification === undefined ? "no" : verification.result,
    level: verification?.level ?? null,
    verified_at: verification === undefined ? null : moment(verification.timeMs),
  };
}

function verify(session: Session, args: Arguments, _reply: Reply): void {
  const name = args.text(2);
  const level = args.count > 3 ? readVerifyLevel(args) : "restore";
  answer(
    session,
    (backups) => backups.verify(name, level),
    (reply, verification: BackupVerification) => {
      const { problem } = verification;
      // A script that looks at its backups each night must not go on.
      if (problem !== undefined) throw new CommandError("ERR", oneLine(problem));
      else replyMap(reply, verificationLines(verification));
    },
  );
}

function readVerifyLevel(args: Arguments): BackupLevel {
  if (args.count !== 5 || !args.is(3, "LEVEL")) throw syntaxError();
  const level = levelAt(args, 4);
  if (level !== "none") return level;
  throw new CommandError("ERR", "level none verifies nothing: use checksum or restore");
}

function verificationLines(verification: BackupVerification): Record<string, Value> {
  const { level, result, durationMs, debugDigest } = verification;
  return {
    result,
    level,
    ms: durationMs,
    ...(debugDigest !== undefined && { digest: debugDigest }),
  };
}

function restore(session: Session, args: Arguments, _reply: Reply): void {
  const isForced = args.count === 4 && args.is(3, "FORCE");
  if (args.count > 3 && !isForced) throw syntaxError();
  refuseOnReplica(session);
  const name = args.text(2);
  answer(
    session,
    (backups) => backups.restore(name, { isForced }),
    (reply, restored: RestoredBackup) => replyMap(reply, { ...restored }),
  );
}

/** Also where clients may write: the stream would lead from data that is not there any more. */
function refuseOnReplica({ server }: Session): void {
  const { primary, advice } = server.replication;
  if (primary === null && advice === "") return;
  const what = "The data here is a replica's: restore the backup at its primary";
  throw new CommandError("READONLY", `${what}, or make this one a primary by REPLICAOF NO ONE.`);
}

function remove(session: Session, args: Arguments, _reply: Reply): void {
  const name = args.text(2);
  answer(
    session,
    (backups) => backups.remove(name),
    (reply) => reply.ok(),
  );
}

/** Who began it and went away gets no answer; the work is done all the same. */
function answer<Result>(
  session: Session,
  work: (backups: BackupControl) => Promise<Result>,
  write: (reply: Reply, result: Result) => void,
): void {
  const { backups } = session.server;
  if (backups.obstacle !== "") throw new CommandError("ERR", backups.obstacle);
  const later = session.answerLater({ outlivesInput: true });
  work(backups).then(
    (result) => later.settle((reply) => write(reply, result)),
    (error: Error) => later.settle((reply) => reply.error("ERR", oneLine(error.message))),
  );
}

function replyMap(reply: Reply, lines: Readonly<Record<string, Value>>): void {
  const entries = Object.entries(lines);
  reply.map(entries.length);
  for (const [name, value] of entries) {
    reply.text(name);
    if (value === null) reply.null();
    else if (typeof value === "string") reply.text(value);
    else reply.integer(value);
  }
}

function moment(timeMs: number): string | null {
  return timeMs === 0 ? null : new Date(timeMs).toISOString();
}

const LONG_WORK = ["admin", "noscript", "no_async_loading", "no_multi"] as const;
const SINCE = "kvdb 0.1.0";

export const backupCommands: readonly Command[] = [
  {
    name: "BACKUP",
    arity: -1,
    flags: LONG_WORK,
    group: "server",
    since: SINCE,
    summary: "Makes a backup, as BACKUP START does; a container for what is done with backups.",
    syntax: "",
    run: start,
  },
  {
    name: "BACKUP|START",
    arity: -2,
    flags: LONG_WORK,
    group: "server",
    since: SINCE,
    summary: "Makes a backup, verifies it and answers where it lies; other clients go on.",
    syntax: "[VERIFY restore | checksum | none]",
    run: start,
  },
  {
    name: "BACKUP|STATUS",
    arity: 2,
    flags: LONG_WORK,
    group: "server",
    since: SINCE,
    summary: "Returns what is being done with backups, and how the last one went.",
    syntax: "",
    run: status,
  },
  {
    name: "BACKUP|LIST",
    arity: 2,
    flags: LONG_WORK,
    group: "server",
    since: SINCE,
    summary: "Returns the backups that there are, and what is known of each.",
    syntax: "",
    run: list,
  },
  {
    name: "BACKUP|VERIFY",
    arity: -3,
    flags: LONG_WORK,
    group: "server",
    since: SINCE,
    summary: "Finds out whether a backup can be brought back.",
    syntax: "name [LEVEL restore | checksum]",
    run: verify,
  },
  {
    name: "BACKUP|RESTORE",
    arity: -3,
    flags: LONG_WORK,
    group: "server",
    since: SINCE,
    summary: "Replaces all data by that of a backup.",
    syntax: "name [FORCE]",
    ...forPeople["BACKUP|RESTORE"],
    run: restore,
  },
  {
    name: "BACKUP|DELETE",
    arity: 3,
    flags: LONG_WORK,
    group: "server",
    since: SINCE,
    summary: "Removes a backup.",
    syntax: "name",
    ...forPeople["BACKUP|DELETE"],
    run: remove,
  },
  helpSubcommand("BACKUP", "server", SINCE),
];
