/**
 * Transactions as a session and its commands see them: what was queued since MULTI, and which keys are watched. How a
 * queue is kept, runs and becomes one record is in src/transaction.
 */
import type { Arguments, Reply } from "../plugin.ts";
import type { Session } from "./session.ts";

/** Between MULTI and the end of EXEC or DISCARD. */
export interface Transaction {
  /** Commands that are queued. */
  readonly count: number;
  /** What they take in memory. */
  readonly bytes: number;
  /** One of them writes, or a replica or a log would see an effect of it: see ClientPause. */
  readonly isSeenByOthers: boolean;
  /** A command could not be queued: EXEC will refuse all. */
  fail(): void;
}

/** The keys that a session watches. */
export interface Watch {
  /** One of them has changed since: EXEC will do nothing. */
  readonly isTouched: boolean;
  readonly bytes: number;
}

/** What MULTI, EXEC and their kin do. The errors they throw are Redis's. */
export interface TransactionControl {
  /** `isUndoable`: an error of one command undoes all. */
  begin(session: Session, isUndoable: boolean): void;
  /** Runs what is queued, and writes one reply. */
  execute(session: Session, args: Arguments, reply: Reply): void;
  discard(session: Session): void;
  /** The keys are the arguments from 1 on. */
  watch(session: Session, args: Arguments): void;
  unwatch(session: Session): void;
  /** Nothing is queued or watched any more: the session begins anew, or is gone. */
  forget(session: Session): void;
}
