/**
 * Commands of plugins as the table takes them. Around each run stands what kvdb's own commands do without: a session that
 * reaches the data only through other commands, a reply that is counted, faults that name the plugin, and one record of
 * all that was changed. The gate knows nothing of it, so no other command pays for it.
 *
 * Invariant: when the outermost command ends, however it ends, what it has changed is what the journal is told.
 */
import { AnswerRecorder } from "../client/answer-recorder.ts";
import type { Part } from "../client/link.ts";
import { Arguments } from "../commands/arguments.ts";
import type { Command, CommandInfo } from "../commands/command.ts";
import { CommandError } from "../commands/command-error.ts";
import { ALONE, type Gate } from "../commands/dispatch.ts";
import type { Reply } from "../commands/reply.ts";
import type { Journal } from "../journal/journal.ts";
import { MAX_BULK_BYTES, MAX_CALL_BYTES, MAX_CALL_DEPTH } from "../limits.ts";
import type { CommandPart, CommandSession, Command as PluginCommand } from "../plugin.ts";
import type { Answer } from "../resp/answer.ts";
import type { Session } from "../session/session.ts";
import type { Keyspace } from "../store/keyspace.ts";
import { CheckedArguments } from "./checked-arguments.ts";
import { CheckedReply, ReplyFault } from "./checked-reply.ts";
import { type FaultLog, messageOf } from "./fault-log.ts";

const NO_BYTES = Buffer.alloc(0);

/** What a run and its calls need, kept for the next one at the same depth. */
interface CallSpace {
  /** The run's own. */
  readonly given: CheckedArguments;
  /** Of the command that it calls. */
  readonly args: Arguments;
  readonly recorder: AnswerRecorder;
}

export class PluginCommands {
  readonly #gate: Gate;
  readonly #journal: Journal;
  readonly #keyspace: Keyspace;
  readonly #faults: FaultLog;
  readonly #spaces: CallSpace[] = [];
  /** The run that may call now: the innermost one; null while what it called runs. */
  #caller: Run | null = null;
  /** Runs that are under way, one within another. */
  #depth = 0;
  /** The outermost one is part of a program's transaction, which others are kept out of as well. */
  #wasAlone = false;

  constructor(options: { gate: Gate; journal: Journal; keyspace: Keyspace; faults: FaultLog }) {
    this.#gate = options.gate;
    this.#journal = options.journal;
    this.#keyspace = options.keyspace;
    this.#faults = options.faults;
  }

  /** The command as the table takes it. */
  adopt(plugin: string, command: PluginCommand): Command {
    const info = infoOf(command);
    if (command.run === undefined) return info;
    const owned: Owned = { title: `plugin "${plugin}": command ${info.name}`, info, command };
    return { ...info, run: (session, args, reply) => this.#run(owned, session, args, reply) };
  }

  #run(owned: Owned, session: Session, args: Arguments, reply: Reply): void {
    const { title, command } = owned;
    if (this.#depth === MAX_CALL_DEPTH) {
      throw new CommandError("ERR", `${title} is called over ${MAX_CALL_DEPTH} deep`);
    }
    const { database } = session;
    const { given } = this.#spaceAt(this.#depth);
    const run: Run = new Run(session, (parts) => this.#call(run, owned, session, parts));
    const checked = new CheckedReply(reply);
    this.#begin(session);
    this.#caller = run;
    try {
      const returned: unknown = command.run?.(run, given.show(args), checked);
      if (isThenable(returned)) throw this.#refusePromise(title, returned);
      checked.finish();
    } catch (thrown) {
      throw this.#asReply(title, thrown);
    } finally {
      checked.close();
      given.close();
      this.#caller = null;
      session.database = database;
      this.#end();
    }
  }

  #begin(session: Session): void {
    if (this.#depth++ > 0) return;
    this.#wasAlone = this.#gate.isActive(ALONE);
    this.#gate.setActive(ALONE, true);
    this.#journal.beginJoining(session);
  }

  #end(): void {
    if (--this.#depth > 0) return;
    this.#gate.setActive(ALONE, this.#wasAlone);
    this.#keyspace.changes = this.#journal.endJoining();
  }

  #call(run: Run, owned: Owned, session: Session, parts: readonly CommandPart[]): Answer {
    if (this.#caller !== run) {
      throw new Error(`${owned.title}: its session calls commands only until run returns`);
    }
    const words = wordsOf(parts);
    const { args, recorder } = this.#spaceAt(this.#depth);
    args.assign(words);
    this.#caller = null;
    try {
      this.#gate.call(owned.info, session, args, recorder);
    } finally {
      this.#caller = run;
      args.buffer = NO_BYTES; // a huge argument must not stay until the next call
    }
    return recorder.take();
  }

  #spaceAt(depth: number): CallSpace {
    this.#spaces[depth] ??= {
      given: new CheckedArguments(),
      args: new Arguments(),
      recorder: new AnswerRecorder(),
    };
    return this.#spaces[depth];
  }

  /** It goes on by itself; what becomes of it is logged, and reaches nobody. */
  #refusePromise(title: string, returned: PromiseLike<unknown>): Error {
    Promise.resolve(returned).then(undefined, (reason) =>
      this.#faults.report(`${title}: the promise that run returned was rejected`, reason),
    );
    return new ReplyFault("returned a promise: run must be synchronous");
  }

  /** Anything that a run throws, as the error that its client gets. */
  #asReply(title: string, thrown: unknown): CommandError {
    if (thrown instanceof CommandError) return thrown;
    const what = thrown instanceof ReplyFault ? `${title} ${thrown.message}` : `${title} threw`;
    this.#faults.report(what, thrown);
    return new CommandError(
      "ERR",
      thrown instanceof ReplyFault ? what : `${what}: ${messageOf(thrown)}`,
    );
  }
}

/** A command of a plugin. */
interface Owned {
  /** As messages name it. */
  readonly title: string;
  readonly info: CommandInfo;
  readonly command: PluginCommand;
}

/** One run of a command: its client as the plugin sees it, and nothing behind it. */
class Run implements CommandSession {
  readonly #session: Session;
  readonly #call: (parts: readonly CommandPart[]) => Answer;
  readonly nowMs: number;

  constructor(session: Session, call: (parts: readonly CommandPart[]) => Answer) {
    this.#session = session;
    this.#call = call;
    this.nowMs = session.server.keyspace.nowMs;
  }

  get id(): number {
    return this.#session.id;
  }

  get name(): string {
    return this.#session.name;
  }

  get user(): string {
    return this.#session.user;
  }

  get address(): string {
    return this.#session.client.address;
  }

  get protocol(): 2 | 3 {
    return this.#session.protocol;
  }

  get database(): number {
    return this.#session.database.index;
  }

  call(...parts: readonly CommandPart[]): Answer {
    const answer = this.#call(parts);
    if (answer.kind === "error") throw new CommandError(answer.code, answer.text);
    return answer;
  }

  tryCall(...parts: readonly CommandPart[]): Answer {
    return this.#call(parts);
  }
}

/** Throws when there is something that no client could send: what is recorded must be readable again. */
function wordsOf(parts: readonly CommandPart[]): Part[] {
  if (parts.length === 0) throw new TypeError("a call has at least the name of a command");
  let bytes = 0;
  const words = parts.map((part, index) => {
    const word = wordOf(part);
    if (typeof word === "object" && "fault" in word) {
      throw new TypeError(`argument ${index} of ${parts[0]} is ${word.fault}`);
    }
    bytes += typeof word === "string" ? Buffer.byteLength(word) : word.length;
    return word;
  });
  if (bytes > MAX_CALL_BYTES) {
    throw new TypeError(`the arguments of ${parts[0]} have over ${MAX_CALL_BYTES} bytes together`);
  }
  return words;
}

function wordOf(part: unknown): Part | { readonly fault: string } {
  if (typeof part === "bigint" || (typeof part === "number" && !Number.isNaN(part))) {
    return String(part);
  }
  if (typeof part === "string") {
    if (!part.isWellFormed()) return { fault: "text with half of a surrogate pair" };
    return Buffer.byteLength(part) > MAX_BULK_BYTES ? TOO_LONG : part;
  }
  if (part instanceof Uint8Array) return part.length > MAX_BULK_BYTES ? TOO_LONG : part;
  const found = part === null || typeof part === "number" ? String(part) : typeof part;
  return { fault: `${found}, expected text, bytes or a number` };
}

const TOO_LONG = { fault: `longer than ${MAX_BULK_BYTES} bytes` };

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === "object" &&
    value !== null &&
    typeof (value as { then?: unknown }).then === "function"
  );
}

/** Field by field: a command may be an object of a class, whose fields are not its own. */
function infoOf(command: PluginCommand): CommandInfo {
  const { name, arity, flags, group, keys, since, summary, syntax, options, asks } = command;
  return {
    ...{ name, arity, flags: [...flags], group, since, summary, syntax },
    ...(keys === undefined ? {} : { keys }),
    ...(options === undefined ? {} : { options }),
    ...(asks === undefined ? {} : { asks }),
  };
}
