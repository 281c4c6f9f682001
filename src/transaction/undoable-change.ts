/**
 * A change of many commands that stands as a whole or never was: one record, its events and whoever watches its keys at the
 * end, or nothing of all that. The data is put back by store/undo.ts; here is what follows from it.
 */
import type { Journal } from "../journal/journal.ts";
import type { KeyEvents } from "../pubsub/key-events.ts";
import type { Tracking } from "../pubsub/tracking.ts";
import type { Session } from "../session/session.ts";
import type { Database } from "../store/database.ts";
import type { Keyspace } from "../store/keyspace.ts";
import { Undo } from "../store/undo.ts";
import type { WatchedKeys } from "./watched-keys.ts";

export interface UndoableParts {
  readonly journal: Journal;
  readonly keyspace: Keyspace;
  readonly events: KeyEvents;
  readonly tracking: Pick<Tracking, "undone">;
  readonly watched: WatchedKeys;
}

export class UndoableChange {
  readonly #parts: UndoableParts;
  readonly #session: Session;
  readonly #database: Database;
  readonly #undo: Undo;

  /** Begins. The session's commands run through `Gate.runQueued` until `keep` or `undo`. */
  constructor(parts: UndoableParts, session: Session) {
    const { journal, keyspace, watched } = parts;
    this.#parts = parts;
    this.#session = session;
    this.#database = session.database;
    this.#undo = Undo.begin(keyspace);
    keyspace.changes = 0;
    journal.beginJoining(session);
    watched.suspend();
  }

  /** More should not be changed. */
  get isFull(): boolean {
    return this.#undo.isFull;
  }

  /** It stands: `keyspace.changes` says whether there is something to record. */
  keep(): void {
    const { journal, keyspace, watched } = this.#parts;
    this.#undo.keep();
    watched.settle(true);
    keyspace.changes = journal.endJoining();
  }

  /** It never was. The session is in the database where it began. */
  undo(): void {
    const { journal, watched, events, tracking } = this.#parts;
    this.#undo.undo();
    watched.settle(false);
    journal.abandonJoining();
    events.forget();
    tracking.undone();
    this.#session.database = this.#database;
  }
}
