/**
 * An engine from its start until commands run: what a persistence reads goes into the keyspace, indexes are made of it, and
 * from some moment on changes are recorded. In this order:
 *
 *   sink             what is read goes here; nothing expires meanwhile
 *   beginRecording   all was read: what changes from here on goes to the persistence
 *   openIndexes      of what was read, and of what the configuration wants
 *   finish           the data is complete: commands run
 */
import type { Users } from "../auth/users.ts";
import type { Gate } from "../commands/dispatch.ts";
import type { ChangeFeed } from "../feed/change-feed.ts";
import type { OpenIndexes } from "../index/opening.ts";
import type { Journal } from "../journal/journal.ts";
import { Replay, type Skipped } from "../journal/replay.ts";
import type { BigKeys } from "../metrics/big-keys.ts";
import type { Log } from "../platform/log.ts";
import type { LoadReport, LoadSink, Persistence } from "../plugin.ts";
import type { LoggedStream } from "../replication/logged-stream.ts";
import type { Server } from "../session/server.ts";
import type { Origin, Session } from "../session/session.ts";
import type { Keyspace } from "../store/keyspace.ts";
import type { EngineIndexes } from "./engine-indexes.ts";
import { LOADING } from "./gate-steps.ts";
import type { Turns } from "./turns.ts";

export interface EngineLoadingParts {
  readonly keyspace: Keyspace;
  readonly gate: Gate;
  readonly journal: Journal;
  readonly turns: Turns;
  readonly indexes: EngineIndexes;
  readonly accounts: Users;
  readonly changes: ChangeFeed;
  readonly stream: LoggedStream;
  readonly bigKeys: BigKeys;
  readonly log: Log;
  /** Nobody's. */
  newSession(origin: Origin): Session;
}

export class EngineLoading {
  progress: Server["loadingProgress"] = { bytesDone: 0, bytesTotal: 0, startedMs: 0 };
  readonly #parts: EngineLoadingParts;
  #replay: Replay | null = null;

  constructor(parts: EngineLoadingParts) {
    this.#parts = parts;
    parts.gate.setActive(LOADING, true);
  }

  /** `onSkipped`: told of what is left out, as it does not fit; undefined: that is fatal. */
  sink(onSkipped: ((skipped: Skipped) => void) | undefined): LoadSink {
    const { keyspace, gate, newSession, bigKeys, log, stream } = this.#parts;
    keyspace.expiring = false;
    const replay = new Replay(
      gate,
      newSession("replay"),
      onSkipped,
      (database, entry) => bigKeys.expect(database, entry),
      (failure) =>
        log.warn("a command of a primary fails here, as it did when it came", { failure }),
    );
    this.progress = replay;
    this.#replay = replay;
    return stream.watch(replay);
  }

  /** What was read stands in the keyspace. */
  finishReplay(): void {
    this.#replay?.finish();
    this.#replay = null;
  }

  /** All has been read: revisions go on, and what changes from now on is recorded. */
  beginRecording(persistence: Persistence, report: LoadReport): void {
    const { keyspace, turns, journal, changes, stream } = this.#parts;
    this.finishReplay();
    keyspace.nowMs = turns.now();
    journal.start(persistence, report);
    changes.start(persistence);
    stream.start();
  }

  async openIndexes(options: OpenIndexes): Promise<void> {
    const { keyspace, turns, stream, indexes } = this.#parts;
    // What is over must not be in the way of a value that is to be unique. Of another server's data that one says what is.
    keyspace.expiring = !(stream.followsAtStart || stream.isFollowing);
    keyspace.nowMs = turns.now();
    const { bytesDone, bytesTotal, startedMs } = this.progress;
    const indexing = (indexShare: number) => {
      this.progress = { bytesDone, bytesTotal, startedMs, indexShare };
      this.#recordExpired();
      options.view.indexing(indexShare);
    };
    await indexes.open({ ...options, view: { indexing } });
    this.#recordExpired();
  }

  /** A replica and a reader of changes are to know of it, as of every deletion. */
  #recordExpired(): void {
    const { journal, keyspace } = this.#parts;
    journal.commitExpired();
    keyspace.changes = 0;
  }

  /** The data is complete: commands run. */
  finish(): void {
    const { keyspace, gate, turns, accounts } = this.#parts;
    accounts.takeNewCommands();
    keyspace.expiring = true;
    keyspace.nowMs = turns.now();
    this.#recordFresh();
    keyspace.noteRevision();
    gate.setActive(LOADING, false);
  }

  #recordFresh(): void {
    const { gate, indexes, newSession } = this.#parts;
    indexes.recordFresh((act) => {
      const session = newSession("internal");
      gate.perform(session, () => act(session));
    });
  }
}
