/**
 * CONFIG: reads and changes settings by the names of redis.conf. The settings are those that the kernel and plugins offer
 * as parameters; one that cannot change while kvdb runs has no `set`. Not the config file: that is the kernel's.
 */
import type { ServerParameter } from "../session/server.ts";
import type { Session } from "../session/session.ts";
import type { Arguments } from "./arguments.ts";
import type { Command, CommandFlag } from "./command.ts";
import { CommandError, shownArgument, syntaxError } from "./command-error.ts";
import { helpSubcommand } from "./container-help.ts";
import { matchGlob } from "./glob.ts";
import { oneLine } from "./one-line.ts";
import { changeParameters, type ParameterChange, RefusedChange } from "./parameter-changes.ts";
import type { Reply } from "./reply.ts";

/** Unknown names are left out, and what cannot be told; one that several patterns match is answered once. */
function configGet(session: Session, args: Arguments, reply: Reply): void {
  const found = [...session.server.parameters.values()]
    .filter(({ name }) => matchesAny(args, Buffer.from(name)))
    .flatMap((parameter) => {
      const value = parameter.get();
      return value === undefined ? [] : [[parameter.name, value] as const];
    });
  reply.map(found.length);
  for (const [name, value] of found) {
    reply.text(name);
    reply.text(value);
  }
}

function matchesAny(args: Arguments, name: Buffer): boolean {
  for (let i = 2; i < args.count; i++) {
    if (matchGlob(args.buffer, args.start[i], args.end[i], name, 0, name.length, true)) return true;
  }
  return false;
}

/** All pairs or none. */
function configSet(session: Session, args: Arguments, reply: Reply): void {
  if (args.count % 2 !== 0) throw syntaxError();
  const changes = readChanges(session, args);
  try {
    changeParameters(changes);
  } catch (thrown) {
    if (!(thrown instanceof RefusedChange)) throw thrown;
    throw failure(thrown.change.parameter.name, thrown.message);
  }
  session.server.configuration.changed(changes.map(({ parameter }) => parameter));
  reply.ok();
}

/** Refuses unknown names first, wherever they stand, as Redis does. */
function readChanges(session: Session, args: Arguments): ParameterChange[] {
  const { parameters } = session.server;
  const known = new Map([...parameters.values()].map((one) => [one.name.toLowerCase(), one]));
  for (let i = 2; i < args.count; i += 2) {
    if (known.has(args.latin(i).toLowerCase())) continue;
    throw new CommandError(
      "ERR",
      `Unknown option or number of arguments for CONFIG SET - '${shownArgument(args, i)}'`,
    );
  }
  const changes: ParameterChange[] = [];
  for (let i = 2; i < args.count; i += 2) {
    const shownName = shownArgument(args, i);
    const parameter = known.get(args.latin(i).toLowerCase()) as ServerParameter;
    if (parameter.set === undefined) throw failure(shownName, "can't set immutable config");
    if (changes.some((change) => change.parameter === parameter)) {
      throw failure(shownName, "duplicate parameter");
    }
    changes.push({ parameter, value: args.text(i + 1) });
  }
  return changes;
}

function failure(name: string, reason: string): CommandError {
  return new CommandError(
    "ERR",
    `CONFIG SET failed (possibly related to argument '${name}') - ${reason}`,
  );
}

/** Answers when the file is durable. */
function configRewrite(session: Session, _args: Arguments, _reply: Reply): void {
  const later = session.answerLater({ outlivesInput: true });
  session.server.configuration.rewrite().then(
    () => later.settle((reply) => reply.ok()),
    (error: Error) => later.settle((reply) => reply.error("ERR", oneLine(error.message))),
  );
}

const ADMIN: readonly CommandFlag[] = ["admin", "noscript", "loading", "stale"];

export const configCommands: readonly Command[] = [
  {
    name: "CONFIG",
    arity: -2,
    flags: [],
    group: "server",
    since: "2.0.0",
    summary: "A container for commands about settings.",
    syntax: "",
  },
  {
    name: "CONFIG|GET",
    arity: -3,
    flags: ADMIN,
    group: "server",
    since: "2.0.0",
    summary: "Returns the settings whose names match.",
    syntax: "parameter [parameter ...]",
    run: configGet,
  },
  helpSubcommand("CONFIG", "server", "5.0.0"),
  {
    name: "CONFIG|RESETSTAT",
    arity: 2,
    flags: ADMIN,
    group: "server",
    since: "2.0.0",
    summary: "Lets the counters of INFO begin anew.",
    syntax: "",
    run: (session, _args, reply) => {
      session.server.resetStatistics();
      reply.ok();
    },
  },
  {
    name: "CONFIG|REWRITE",
    arity: 2,
    flags: ADMIN,
    group: "server",
    since: "2.8.0",
    summary: "Writes what CONFIG SET changed into the configuration file.",
    syntax: "",
    mayAnswerLater: true,
    run: configRewrite,
  },
  {
    name: "CONFIG|SET",
    arity: -4,
    flags: ADMIN,
    group: "server",
    since: "2.0.0",
    summary: "Changes settings, all of them or none.",
    syntax: "parameter value [parameter value ...]",
    run: configSet,
  },
];
