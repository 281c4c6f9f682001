/**
 * MULTI, EXEC and their kin. EXEC runs what is queued one after the other, within its own turn: nobody else's command comes
 * in between, who waits for a key is served when all is over, and what was changed is one record, so that a crash leaves
 * all of it or nothing. An error of a command does not stop the others, as in Redis; with MULTI ROLLBACK it undoes them.
 *
 *   MULTI     session.transaction ── the last step of the gate queues what comes (transaction-step.ts)
 *   EXEC      steps of the gate, for all of it ── watched keys ── gate.runQueued for each ── one record
 *
 * Invariant: while a queue is open `session.gates` has the bit of the step; while EXEC runs it has not.
 */
import type { Arguments } from "../commands/arguments.ts";
import { CommandError, shownArgument } from "../commands/command-error.ts";
import { ALONE, type Gate } from "../commands/dispatch.ts";
import { displayName } from "../commands/refusal-words.ts";
import type { Reply } from "../commands/reply.ts";
import { KvdbError } from "../errors.ts";
import type { Journal } from "../journal/journal.ts";
import { MAX_UNDO_BYTES } from "../limits.ts";
import type { KeyEvents } from "../pubsub/key-events.ts";
import type { Tracking } from "../pubsub/tracking.ts";
import type { Session } from "../session/session.ts";
import type { TransactionControl } from "../session/transaction.ts";
import type { Keyspace } from "../store/keyspace.ts";
import { NoticingReply } from "./noticing-reply.ts";
import { OpenTransaction } from "./open-transaction.ts";
import { TRANSACTION } from "./transaction-step.ts";
import { UndoableChange } from "./undoable-change.ts";
import { requireUndoable } from "./undoable-commands.ts";
import { WatchedKeys } from "./watched-keys.ts";

export interface TransactionParts {
  readonly gate: Gate;
  readonly journal: Journal;
  readonly keyspace: Keyspace;
  readonly events: KeyEvents;
  readonly tracking: Pick<Tracking, "undone">;
}

/** Runs one command of a program's transaction. */
export type RunCommand = (args: Arguments, reply: Reply) => void;

const TOO_MUCH = `ERR it changes more than can be undone, ${MAX_UNDO_BYTES / 2 ** 20} MiB of pages`;

export class Transactions implements TransactionControl {
  readonly #parts: TransactionParts;
  readonly #watched: WatchedKeys;
  readonly #bit: number;

  constructor(parts: TransactionParts) {
    this.#parts = parts;
    this.#watched = new WatchedKeys(parts.keyspace);
    this.#bit = parts.gate.bit(TRANSACTION);
  }

  begin(session: Session, isUndoable: boolean): void {
    if (session.transaction !== null)
      throw new CommandError("ERR", "MULTI calls can not be nested");
    session.transaction = new OpenTransaction(isUndoable);
    session.gates |= this.#bit;
  }

  discard(session: Session): void {
    if (session.transaction === null) throw new CommandError("ERR", "DISCARD without MULTI");
    this.forget(session);
  }

  watch(session: Session, args: Arguments): void {
    if (session.transaction !== null) {
      throw new CommandError("ERR", "WATCH inside MULTI is not allowed");
    }
    for (let i = 1; i < args.count; i++) {
      this.#watched.add(session, args.buffer, args.start[i] as number, args.end[i] as number);
    }
  }

  unwatch(session: Session): void {
    this.#watched.forget(session);
  }

  forget(session: Session): void {
    session.transaction = null;
    session.gates &= ~this.#bit;
    this.#watched.forget(session);
  }

  execute(session: Session, _args: Arguments, reply: Reply): void {
    const { transaction } = session;
    if (!(transaction instanceof OpenTransaction)) {
      throw new CommandError("ERR", "EXEC without MULTI");
    }
    session.gates &= ~this.#bit;
    try {
      // This may evict keys that are watched.
      this.#requireRunnable(transaction, session);
      const isTouched = this.#watched.isTouched(session);
      this.#watched.forget(session);
      if (isTouched) reply.nullArray();
      else if (transaction.isUndoable) this.#runUndoable(transaction, session, reply);
      else this.#run(transaction, session, reply);
    } finally {
      this.forget(session);
    }
  }

  #requireRunnable({ gates, hasFailed, whole }: OpenTransaction, session: Session): void {
    const refusal = this.#parts.gate.refusal(gates, session, whole);
    if (refusal !== null) {
      const reason = `${refusal.code} ${refusal.message}`;
      throw new CommandError("EXECABORT", `Transaction discarded because of: ${reason}`);
    }
    if (hasFailed) {
      throw new CommandError("EXECABORT", "Transaction discarded because of previous errors.");
    }
  }

  #run(transaction: OpenTransaction, session: Session, reply: Reply): void {
    const { gate, journal, keyspace } = this.#parts;
    journal.beginJoining(session);
    try {
      this.#runEach(transaction, session, reply, (args) => {
        gate.runQueued(session, args, reply);
        return true;
      });
    } finally {
      // Whatever ended it, what has changed is recorded.
      keyspace.changes = journal.endJoining();
    }
  }

  #runEach(
    transaction: OpenTransaction,
    session: Session,
    reply: Reply,
    run: (args: Arguments) => boolean,
  ): void {
    const { mayWait } = session;
    // What blocks answers at once, as if its time were over.
    session.mayWait = false;
    try {
      reply.array(transaction.count);
      transaction.each(run);
    } finally {
      session.mayWait = mayWait;
    }
  }

  // ---- all of it or nothing ----

  /** Throws an EXECABORT that says which command has failed and how, when all has been undone. */
  #runUndoable(transaction: OpenTransaction, session: Session, reply: Reply): void {
    const { gate, keyspace } = this.#parts;
    const change = this.#beginUndoable(session);
    const noticing = new NoticingReply(reply);
    let [number, name, stands] = [0, "", false];
    try {
      this.#runEach(transaction, session, noticing, (args) => {
        number++;
        name = displayName(shownArgument(args, 0, 64));
        gate.runQueued(session, args, noticing);
        if (noticing.failure === "" && change.isFull) noticing.failure = TOO_MUCH;
        return noticing.failure === "";
      });
      stands = noticing.failure === "";
    } finally {
      if (stands) change.keep();
      else change.undo();
    }
    if (stands) return;
    keyspace.changes = 0;
    const reason = `command ${number} ('${name}') answered: ${noticing.failure}`;
    throw new CommandError("EXECABORT", `Transaction undone, because ${reason}`);
  }

  #beginUndoable(session: Session): UndoableChange {
    return new UndoableChange({ ...this.#parts, watched: this.#watched }, session);
  }

  // ---- of a program ----

  /**
   * Runs `act` within this call; the commands that it runs are one change. When it throws, or has changed too much, they never
   * were. The session is in the database where it began.
   */
  transact<Result>(session: Session, act: (run: RunCommand) => Result): Result {
    const { gate, keyspace } = this.#parts;
    if (gate.isActive(ALONE)) throw new KvdbError("COMMAND", "other commands are running as one");
    const { database, mayWait } = session;
    session.mayWait = false;
    gate.setActive(ALONE, true);
    const open: { change: UndoableChange | null } = { change: null };
    let result: Result | undefined;
    try {
      gate.perform(session, () => {
        const change = this.#beginUndoable(session);
        open.change = change;
        result = this.#act(change, session, act);
        session.database = database;
        open.change = null;
        change.keep();
      });
    } catch (thrown) {
      open.change?.undo();
      keyspace.changes = 0;
      throw thrown;
    } finally {
      gate.setActive(ALONE, false);
      session.mayWait = mayWait;
    }
    return result as Result;
  }

  #act<Result>(change: UndoableChange, session: Session, act: (run: RunCommand) => Result): Result {
    const requireRoom = () => {
      if (change.isFull) throw new KvdbError("COMMAND", `the transaction is undone: ${TOO_MUCH}`);
    };
    const result = act((args, reply) => {
      requireRoom();
      this.#parts.gate.runUndoable(session, args, reply, requireUndoable);
    });
    requireRoom();
    return result;
  }
}
