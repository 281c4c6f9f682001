/**
 * The one gate: every command, wherever it comes from, runs only through `dispatch`. The way: look-up, arity, the steps
 * that are active now, run, journal. The steps are one written list that the kernel hands in; each is a bit, so that a
 * command that no active step concerns passes by one comparison.
 */
import { assert } from "../assert.ts";
import type { Revision } from "../plugin.ts";
import type { KeyEvents } from "../pubsub/key-events.ts";
import type { PubSub } from "../pubsub/pubsub.ts";
import type { Tracking } from "../pubsub/tracking.ts";
import type { BlockedClients } from "../session/blocked-clients.ts";
import type { WriteReply } from "../session/later-reply.ts";
import type { Origin, Session } from "../session/session.ts";
import type { Keyspace } from "../store/keyspace.ts";
import { Arguments } from "./arguments.ts";
import type { Command, CommandInfo } from "./command.ts";
import { CommandError } from "./command-error.ts";
import { type CommandTimes, LONG_BYTES } from "./command-times.ts";
import type { ErrorCounts } from "./error-counts.ts";
import { oneLine } from "./one-line.ts";
import { displayName, unknownCommand, unknownSubcommand, wrongArity } from "./refusal-words.ts";
import type { Reply } from "./reply.ts";
import type { CommandTable, TableEntry } from "./table.ts";

/** A check between look-up and run. It is asked only while it is active, for commands and origins it applies to. */
export interface GateStep {
  readonly name: string;
  readonly origins: readonly Origin[];
  appliesTo(command: Command): boolean;
  /** Throws a CommandError to refuse. */
  check(session: Session, command: Command, args: Arguments): void;
  /** After `check`: takes the command instead of having it run. True: it has, and has answered. May throw as well. */
  takes?(session: Session, entry: TableEntry, args: Arguments, reply: Reply): boolean;
  /** When the command is over, whatever it has answered. */
  follow?(session: Session, command: Command, args: Arguments): void;
}

/** Where changes go; the journal. */
export interface Recorder {
  /**
   * Makes the record of the command that just changed something; the session's hold says what its reply waits for.
   * `inRedisWords`: it is known to be one for Redis too (TableEntry).
   */
  commit(session: Session, args: Arguments, inRedisWords: boolean): void;
  /** The command changed nothing: forget what it wrote for its record. */
  discard(): void;
  /** A command that another one called has changed something: that goes into the record of the caller. */
  join(session: Session, args: Arguments, inRedisWords: boolean): void;
  /** What somebody who is told of the last record waits for; 0: nothing. */
  readonly lastHold: Revision;
  /** No more should join: the record of the caller is as long as one may be. */
  readonly isFull: boolean;
}

/**
 * The step that is active while a command runs that calls others: whoever has its code run in between (a listener, a
 * frontend of the same plugin) may not slip in a command of its own, whose record would come before its turn.
 */
export const ALONE = "alone";

const NO_ARGUMENTS = new Arguments();

const ANY_COMMAND = (): void => {};

/** Commands between two readings of the clock within one long turn. */
const COMMANDS_PER_CLOCK = 64;

export class Gate {
  readonly #table: CommandTable;
  readonly #keyspace: Keyspace;
  readonly #recorder: Recorder;
  readonly #blockedClients: BlockedClients;
  readonly #events: KeyEvents;
  readonly #pubsub: PubSub;
  readonly #tracking: Tracking;
  readonly #steps: readonly GateStep[];
  readonly #now: () => number;
  readonly #times: CommandTimes;
  readonly #errors: ErrorCounts;
  readonly #onFault: (command: string, thrown: unknown) => void;
  /** The step that keeps everything out but what the running command calls. */
  readonly #alone: number;
  /** Steps that are active for the whole server. */
  #active = 0;
  #sinceClock = COMMANDS_PER_CLOCK;
  /** Told of each command that has run; null: nobody monitors. */
  monitor: {
    commandRan(session: Session, command: CommandInfo, args: Arguments): void;
  } | null = null;
  /** Those that ran; as all counts, without the one in hand. */
  commandsProcessed = 0;

  constructor(options: {
    table: CommandTable;
    keyspace: Keyspace;
    recorder: Recorder;
    blockedClients: BlockedClients;
    events: KeyEvents;
    pubsub: PubSub;
    tracking: Tracking;
    steps: readonly GateStep[];
    times: CommandTimes;
    errors: ErrorCounts;
    now: () => number;
    /** Told of an exception that is no error reply: a defect of kvdb or of a plugin. */
    onFault: (command: string, thrown: unknown) => void;
  }) {
    this.#table = options.table;
    this.#keyspace = options.keyspace;
    this.#recorder = options.recorder;
    this.#blockedClients = options.blockedClients;
    this.#events = options.events;
    this.#pubsub = options.pubsub;
    this.#tracking = options.tracking;
    this.#steps = options.steps;
    this.#times = options.times;
    this.#errors = options.errors;
    this.#now = options.now;
    this.#onFault = options.onFault;
    this.#alone = this.bit(ALONE);
    this.tableChanged();
  }

  /** Works out which steps concern the commands that have come. */
  tableChanged(): void {
    for (const entry of this.#table.takeNew()) {
      for (let bit = 0; bit < this.#steps.length; bit++) {
        if ((this.#steps[bit] as GateStep).appliesTo(entry.command)) entry.gates |= 1 << bit;
      }
    }
  }

  /** The bit of a step, for `session.gates`; 0 when there is no such step. */
  bit(stepName: string): number {
    const index = this.#steps.findIndex((step) => step.name === stepName);
    return index < 0 ? 0 : 1 << index;
  }

  /** The steps that sessions of an origin are asked, for `session.askedSteps`: replay passes all without a question. */
  stepsFor(origin: Origin): number {
    return this.#steps.reduce(
      (mask, step, bit) => (step.origins.includes(origin) ? mask | (1 << bit) : mask),
      0,
    );
  }

  /** Lets a step be asked for every session, or no longer. */
  setActive(stepName: string, active: boolean): void {
    if (active) this.#active |= this.bit(stepName);
    else this.#active &= ~this.bit(stepName);
  }

  isActive(stepName: string): boolean {
    return (this.#active & this.bit(stepName)) !== 0;
  }

  /** The next command reads the clock: the turn is over, or a long time of it. */
  refreshClock(): void {
    this.#sinceClock = COMMANDS_PER_CLOCK;
  }

  /**
   * The commands batch[0, count) of a session will be dispatched next: loads what they will look at, taking argument 1
   * for the key. Changes no result. At most PREFETCH_KEYS commands.
   */
  lookAhead(session: Session, batch: readonly Arguments[], count: number): void {
    const { prefetch } = this.#keyspace;
    for (let i = 0; i < count; i++) {
      const args = batch[i] as Arguments;
      if (args.count < 2) continue;
      prefetch.add(args.buffer, args.start[1] as number, args.end[1] as number, args.hint);
    }
    prefetch.load(session.database.record);
  }

  /**
   * Runs the command in `args`. Exactly one reply is written, whatever happens, unless the command answers later: then
   * `session.later` is not null, and nothing is written.
   */
  dispatch(session: Session, args: Arguments, reply: Reply): void {
    if (++this.#sinceClock > COMMANDS_PER_CLOCK) this.#readClock();
    const entry = this.#lookUp(session, args, reply);
    if (entry === null) {
      session.transaction?.fail();
      forgetCaching(session);
      return;
    }
    const steps = entry.gates & session.askedSteps & (this.#active | session.gates);
    if (steps !== 0 && !this.#pass(steps, session, entry, args, reply)) {
      forgetCaching(session);
      return;
    }
    this.#run(entry, session, args, reply);
    if (steps !== 0) this.#follow(steps, session, entry.command, args);
  }

  /** The same for a command of a record that is replayed, which does not count as one. */
  replay(session: Session, args: Arguments, reply: Reply): void {
    if (++this.#sinceClock > COMMANDS_PER_CLOCK) this.#readClock();
    const entry = this.#lookUp(session, args, reply);
    if (entry === null) return;
    const { calls } = entry;
    const { commandsProcessed } = this;
    this.#run(entry, session, args, reply);
    entry.calls = calls;
    this.commandsProcessed = commandsProcessed;
  }

  /**
   * Runs the command in `args` for `caller`, a command that is running: the same way, but for the clock, which stands
   * still, and the journal: what it changes joins the record of the caller. Exactly one reply is written.
   */
  call(caller: CommandInfo, session: Session, args: Arguments, reply: Reply): void {
    const entry = this.#lookUp(session, args, reply);
    if (entry === null) return;
    const refusal = refusalOf(caller, entry.command, this.#recorder);
    if (refusal !== "") {
      this.#reject(entry, "ERR", refusal, reply);
      return;
    }
    const active = (this.#active & ~this.#alone) | session.gates;
    const steps = entry.gates & session.askedSteps & active;
    if (steps !== 0 && !this.#pass(steps, session, entry, args, reply)) return;
    this.#runWithin(entry, session, args, reply);
    if (steps !== 0) this.#follow(steps, session, entry.command, args);
  }

  #runWithin(entry: TableEntry, session: Session, args: Arguments, reply: Reply): void {
    const keyspace = this.#keyspace;
    const mark = reply.mark();
    keyspace.changes = 0;
    keyspace.hint = args.hint;
    try {
      if (this.#isTimed(entry, args)) this.#times.run(entry, session, args, reply);
      else this.#runUntimed(entry, session, args, reply, mark);
    } catch (thrown) {
      reply.rewind(mark);
      this.#failed(entry, session, thrown, reply);
    }
    entry.calls++;
    this.commandsProcessed++;
    if (keyspace.changes !== 0) this.#recorder.join(session, args, entry.inRedisWords);
    else this.#recorder.discard();
    keyspace.changes = 0;
  }

  /**
   * Runs the command in `args`, which was queued, in its transaction: like `call`, but nothing that a client may do is
   * out of place. Of the steps only those of the session are asked again: a command before may have changed who it is.
   */
  runQueued(session: Session, args: Arguments, reply: Reply): void {
    const mark = reply.mark();
    this.#runJoining(session, args, reply, session.gates, ANY_COMMAND);
    // CLIENT REPLY OFF writes nothing: then the replies of the transaction would be one too few.
    if (reply.mark() === mark) reply.ok();
  }

  /**
   * The same for one that a program calls in its transaction: nobody has asked the steps of the server for it yet. `require`
   * throws a CommandError for what may not be called there.
   */
  runUndoable(
    session: Session,
    args: Arguments,
    reply: Reply,
    require: (command: Command) => void,
  ): void {
    const active = (this.#active & ~this.#alone) | session.gates;
    this.#runJoining(session, args, reply, active, require);
  }

  #runJoining(
    session: Session,
    args: Arguments,
    reply: Reply,
    active: number,
    require: (command: Command) => void,
  ): void {
    const entry = this.#lookUp(session, args, reply);
    if (entry === null) return;
    if (this.#recorder.isFull && entry.command.flags.includes("write")) {
      const text = "the transaction has changed too much at once to change more";
      this.#reject(entry, "ERR", text, reply);
      return;
    }
    const steps = entry.gates & session.askedSteps & active;
    if (steps !== 0 && !this.#pass(steps, session, entry, args, reply)) return;
    try {
      require(entry.command);
    } catch (thrown) {
      this.#failed(entry, session, thrown, reply);
      return;
    }
    this.#runWithin(entry, session, args, reply);
    if (steps !== 0) this.#follow(steps, session, entry.command, args);
    if (this.monitor !== null) this.monitor.commandRan(session, entry.command, args);
  }

  /** Why the steps `gates` of the whole server would refuse commands of the session now; null: they let them in. */
  refusal(gates: number, session: Session, args: Arguments): CommandError | null {
    const steps = gates & session.askedSteps & this.#active & ~this.#alone;
    const command = this.#table.get("EXEC") as Command;
    for (let bit = 0; bit < this.#steps.length; bit++) {
      if ((steps & (1 << bit)) === 0) continue;
      try {
        (this.#steps[bit] as GateStep).check(session, command, args);
      } catch (thrown) {
        if (!(thrown instanceof CommandError)) throw thrown;
        return thrown;
      }
    }
    return null;
  }

  /** The command that `args` names, with as many arguments as it takes; null: an error was replied. */
  #lookUp(session: Session, args: Arguments, reply: Reply): TableEntry | null {
    let entry = this.#table.find(args);
    if (entry === null) {
      this.#reject(null, "ERR", unknownCommand(args), reply);
      return null;
    }
    if (entry.subcommands !== null) {
      const container: TableEntry = entry;
      entry = findSubcommand(container, args);
      if (entry === null) {
        const isThere = args.count > 1;
        this.#reject(
          null,
          "ERR",
          isThere ? unknownSubcommand(container.name, args) : wrongArity(container.name),
          reply,
        );
        return null;
      }
    }
    const arity = entry.arity;
    if (arity >= 0 ? args.count !== arity : args.count < -arity) {
      this.#turnAway(session, entry, new CommandError("ERR", wrongArity(entry.name)), reply);
      return null;
    }
    return entry;
  }

  /** As in Redis an EXEC that is not let in ends the transaction: its client thinks that it is over. */
  #turnAway(session: Session, entry: TableEntry, why: CommandError, reply: Reply): void {
    if (entry.name !== "EXEC") {
      this.#reject(entry, why.code, why.message, reply);
      return;
    }
    session.server.transactions.forget(session);
    const reason = why.code === "ERR" ? why.message : `${why.code} ${why.message}`;
    this.#reject(entry, "EXECABORT", `Transaction discarded because of: ${reason}`, reply);
  }

  /** Answers an error in the place of a command, null when there is no such one. */
  #reject(entry: TableEntry | null, code: string, text: string, reply: Reply): void {
    if (entry !== null) entry.rejections++;
    this.#errors.note(code);
    reply.error(code, text);
  }

  #readClock(): void {
    this.#keyspace.nowMs = this.#now();
    this.#sinceClock = 0;
  }

  #follow(steps: number, session: Session, command: Command, args: Arguments): void {
    for (let bit = 0; bit < this.#steps.length; bit++) {
      if ((steps & (1 << bit)) !== 0) this.#steps[bit]?.follow?.(session, command, args);
    }
  }

  /** False: it has been answered, by an error or by whoever took it. */
  #pass(
    steps: number,
    session: Session,
    entry: TableEntry,
    args: Arguments,
    reply: Reply,
  ): boolean {
    for (let bit = 0; bit < this.#steps.length; bit++) {
      const step = this.#steps[bit] as GateStep;
      if ((steps & (1 << bit)) === 0) continue;
      try {
        step.check(session, entry.command, args);
        if (step.takes?.(session, entry, args, reply)) {
          // Whose later answer it may be.
          session.lastCommand = entry.name;
          return false;
        }
      } catch (thrown) {
        if (!(thrown instanceof CommandError)) throw thrown;
        session.transaction?.fail();
        this.#turnAway(session, entry, thrown, reply);
        return false;
      }
    }
    return true;
  }

  #run(entry: TableEntry, session: Session, args: Arguments, reply: Reply): void {
    const keyspace = this.#keyspace;
    const mark = reply.mark();
    keyspace.changes = 0;
    keyspace.hint = args.hint;
    session.lastCommand = entry.name;
    session.lastCommandMs = keyspace.nowMs;
    try {
      if (this.#isTimed(entry, args)) this.#times.run(entry, session, args, reply);
      else this.#runUntimed(entry, session, args, reply, mark);
    } catch (thrown) {
      reply.rewind(mark);
      session.later?.abandon();
      this.#failed(entry, session, thrown, reply);
    }
    entry.calls++;
    this.commandsProcessed++;
    if (session.later !== null) requireSilence(entry, reply, mark);
    if (keyspace.changes !== 0) this.#recorder.commit(session, args, entry.inRedisWords);
    else this.#recorder.discard();
    if (keyspace.tracking) this.#noteReads(session);
    if (this.#pubsub.isDue) this.#deliver(session);
    if (this.#events.hasGathered) this.#tellEvents(session);
    if (this.monitor !== null) this.monitor.commandRan(session, entry.command, args);
    // What a primary has sent has no record yet, and what clients are given comes behind it: who applies it has them served.
    if (this.#blockedClients.hasReady && session.origin !== "replica") this.serveReady();
  }

  /** See command-times.ts. */
  #isTimed(entry: TableEntry, args: Arguments): boolean {
    const bytes = (args.end[args.count - 1] as number) - (args.start[0] as number);
    return --entry.untimed < 0 || bytes > LONG_BYTES;
  }

  #runUntimed(
    entry: TableEntry,
    session: Session,
    args: Arguments,
    reply: Reply,
    mark: number,
  ): void {
    (entry.run as NonNullable<typeof entry.run>)(session, args, reply);
    if (reply.mark() - mark > LONG_BYTES) entry.untimed = 0;
  }

  /** Serves who waits for keys that are ready now. After each command, and as the turn ends for what no command did. */
  serveReady(): void {
    this.#blockedClients.serveReady(this.#serve);
  }

  /**
   * Also on a replica that may be written: there what is over stays, and makes way for a write alone, as at the gate. What is not
   * found must not be made a second time.
   */
  readonly #serve = (session: Session, act: () => void): void => {
    const keyspace = this.#keyspace;
    const { keepsExpired } = keyspace;
    const isWrite = this.#table.get(session.lastCommand)?.flags.includes("write") === true;
    if (isWrite) keyspace.keepsExpired = false;
    this.perform(session, act);
    keyspace.keepsExpired = keepsExpired;
  };

  /**
   * What a waiting client is given, or its long work ends with, is like a command of its own: it has said of its effects
   * what it changed.
   */
  readonly perform = (session: Session, act: () => void): void => {
    const keyspace = this.#keyspace;
    keyspace.changes = 0;
    act();
    if (keyspace.changes !== 0) this.#recorder.commit(session, NO_ARGUMENTS, false);
    else this.#recorder.discard();
    if (keyspace.tracking) this.#noteReads(session);
    if (this.#pubsub.isDue) this.#deliver(session);
    if (this.#events.hasGathered) this.#tellEvents(session);
    keyspace.changes = 0;
  };

  /** What was published leaves, and what copies are void: not before what its session has written and read may be seen. */
  #deliver(session: Session): void {
    const written = this.#keyspace.tracking ? session.written : 0;
    const changed = this.#keyspace.changes === 0 ? 0 : this.#recorder.lastHold;
    const hold = Math.max(written, changed, session.hold);
    this.#pubsub.deliver(hold);
    this.#tracking.deliver(hold, session);
  }

  /** What happened to keys is told with the record of it, and no sooner than the client may know. */
  #tellEvents(session: Session): void {
    const hold = this.#keyspace.changes === 0 ? 0 : this.#recorder.lastHold;
    if (session.origin === "replay") this.#events.forget();
    else this.#events.leave(Math.max(hold, session.hold));
  }

  /** Its reply waits for what it has read. */
  #noteReads(session: Session): void {
    const keyspace = this.#keyspace;
    if (keyspace.readVersion > session.hold) session.hold = keyspace.readVersion;
    keyspace.readVersion = 0;
  }

  /**
   * The reply of a command that answers later. Exactly one is written, whatever happens; it changes no data. SHUTDOWN alone
   * may stay silent: its connection ends instead.
   */
  answer(session: Session, write: WriteReply, reply: Reply): void {
    const keyspace = this.#keyspace;
    const mark = reply.mark();
    keyspace.changes = 0;
    try {
      write(reply);
    } catch (thrown) {
      reply.rewind(mark);
      const entry = this.#table.entry(session.lastCommand);
      assert(entry !== undefined, "what answers later is in the table");
      this.#failed(entry, session, thrown, reply);
    }
    const isSilent = reply.mark() === mark;
    assert(
      !isSilent || session.lastCommand === "SHUTDOWN",
      `${session.lastCommand} settled without a reply`,
    );
    assert(keyspace.changes === 0, `${session.lastCommand} changed data with its later reply`);
    if (keyspace.tracking) this.#noteReads(session);
  }

  #failed(entry: TableEntry, session: Session, thrown: unknown, reply: Reply): void {
    const { name } = entry;
    const isOwn = thrown instanceof CommandError;
    if (session.origin !== "replay") {
      entry.failures++;
      this.#errors.note(isOwn ? thrown.code : "ERR");
    }
    if (isOwn) {
      reply.error(thrown.code, thrown.message);
      return;
    }
    this.#onFault(name, thrown);
    const text = thrown instanceof Error ? thrown.message : String(thrown);
    reply.error("ERR", `internal error in '${displayName(name)}': ${oneLine(text)}`);
  }
}

/**
 * Why a command may not be called by another one; empty: it may. What is about the connection makes no sense inside a
 * command (`noscript`, Redis's flag), what waits or must be alone cannot be kept. A caller that does not say `write` does
 * not write, so that replicas and permissions may rely on it.
 */
function refusalOf(caller: CommandInfo, callee: CommandInfo, recorder: Recorder): string {
  const { flags } = callee;
  if (flags.includes("noscript") || flags.includes("no_multi") || flags.includes("blocking")) {
    return `${callee.name} cannot be called from within a command`;
  }
  if (!flags.includes("write")) return "";
  if (!caller.flags.includes("write")) {
    return `${caller.name} is not flagged "write", so it cannot call ${callee.name}`;
  }
  if (recorder.isFull) return `${caller.name} has changed too much at once to change more`;
  return "";
}

/** What answers later is kept out of where nobody can wait, by one of the flags that say so, or heeds it itself. */
function requireSilence(entry: TableEntry, reply: Reply, mark: number): void {
  const { flags, mayAnswerLater } = entry.command;
  const isKeptOut = flags.includes("blocking") || flags.includes("no_multi");
  assert(
    isKeptOut || mayAnswerLater === true,
    `${entry.name} waits, so it is "blocking", "no_multi" or mayAnswerLater`,
  );
  assert(reply.mark() === mark, `${entry.name} answers later and has answered already`);
}

/** CLIENT CACHING was about a command that is not run; one that was queued, or is kept waiting, will be. */
function forgetCaching({ tracker, transaction, later }: Session): void {
  if (tracker !== null && transaction === null && later === null) tracker.isExcepted = false;
}

/** A container may be a command by itself; null: there is no such one. */
function findSubcommand(container: TableEntry, args: Arguments): TableEntry | null {
  if (args.count < 2) return container.run === null ? null : container;
  return container.subcommands?.get(args.latin(1).toUpperCase()) ?? null;
}
