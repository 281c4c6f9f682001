/**
 * All data of an engine that serves, replaced by other data: clients are told LOADING meanwhile, blocked ones wait on and
 * look at their keys again when it is over. Whether the other data counts is its checkpoint's matter (live-restore.ts).
 *
 *   settle   → nothing is under way, and everything that was recorded is on disk
 *   clear    → nothing is left; from here on there is no way back in memory
 *   (the entries are handed to `engine.loadSink`)
 *   fill     → indexes are made; revisions go on above both states
 *   finish   → clients are served again;  `giveUp` does that before `clear`
 */
import type { Gate } from "../commands/dispatch.ts";
import type { Journal } from "../journal/journal.ts";
import type { Clock } from "../platform/clock.ts";
import { atTurnEnd } from "../platform/turn.ts";
import type { Revision } from "../plugin.ts";
import type { BlockedClients } from "../session/blocked-clients.ts";
import type { Keyspace } from "../store/keyspace.ts";
import type { BackgroundWork } from "./background-work.ts";
import type { EngineIndexes } from "./engine-indexes.ts";
import { LOADING } from "./gate-steps.ts";
import type { WorkSlices } from "./slices.ts";

export interface DataReplacementParts {
  readonly keyspace: Keyspace;
  readonly journal: Journal;
  readonly gate: Gate;
  readonly indexes: EngineIndexes;
  readonly slices: WorkSlices;
  readonly blockedClients: BlockedClients;
  readonly background: BackgroundWork;
  readonly clock: Clock;
  /** What was handed to the sink stands in the keyspace. */
  finishReplay(): void;
  /** Definitions that the configuration adds are changes of their own. */
  recordFresh(): void;
  /** The next change has this revision, and nothing that was recorded leads there. */
  restartFeed(revision: Revision): void;
}

export class DataReplacement {
  readonly #parts: DataReplacementParts;
  readonly #resumers: (() => void)[];

  /** From here on clients are told LOADING. */
  constructor(parts: DataReplacementParts) {
    const { gate, background, blockedClients } = parts;
    this.#parts = parts;
    gate.setActive(LOADING, true);
    this.#resumers = [background.rest(), blockedClients.rest()];
  }

  /** Rejects when the disk refuses: then nothing should be replaced. */
  async settle(): Promise<void> {
    const { slices, journal } = this.#parts;
    await slices.idle();
    // What the turn has recorded is handed over at its end.
    await new Promise<void>((resolve) => atTurnEnd(resolve));
    const { disk } = journal;
    if (disk.isRecording) await synced(disk, disk.lastRevision);
  }

  clear(): void {
    const { keyspace, indexes } = this.#parts;
    for (const database of keyspace.databases) {
      for (const name of keyspace.definitionsOf(database).keys()) {
        keyspace.deleteDefinition(database, name);
      }
    }
    keyspace.flushAll();
    indexes.all.reset();
    keyspace.changes = 0;
  }

  /** `heedStop` throws when it is to end. */
  async fill(revision: Revision, heedStop: () => void): Promise<void> {
    const { keyspace, indexes, clock, finishReplay } = this.#parts;
    finishReplay();
    keyspace.setNextRevision(revision + 1);
    keyspace.nowMs = clock.now();
    const { onExpired, onFieldExpired, onFieldsExpired } = keyspace;
    const mute = { onExpired: () => {}, onFieldExpired: () => {}, onFieldsExpired: null };
    // What is over must not be in the way of a value that is to be unique. The disk has another state yet: no record.
    Object.assign(keyspace, { expiring: true, ...mute });
    try {
      await indexes.open({ clock, heedStop, view: { indexing: () => {} }, defers: false });
    } finally {
      Object.assign(keyspace, { expiring: false, onExpired, onFieldExpired, onFieldsExpired });
    }
    keyspace.changes = 0;
    keyspace.noteRevision();
  }

  /** The checkpoint of it is durable. */
  finish(revision: Revision): void {
    const { keyspace, journal, recordFresh, restartFeed } = this.#parts;
    restartFeed(revision + 1);
    journal.disk.replaced(revision);
    keyspace.expiring = true;
    this.giveUp();
    recordFresh();
  }

  giveUp(): void {
    const { gate, keyspace } = this.#parts;
    keyspace.expiring = true;
    gate.setActive(LOADING, false);
    for (const resume of this.#resumers) resume();
  }
}

/** Everything up to `revision` was synced, whatever the mode promises. */
async function synced(disk: Journal["disk"], revision: Revision): Promise<void> {
  if (disk.failure !== null) throw disk.failure;
  if (disk.syncedRevision >= revision) return;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const ends = [
    disk.onSynced(() => {
      if (disk.syncedRevision >= revision) resolve();
    }),
    disk.onFailure(reject),
  ];
  try {
    disk.requestSync(revision);
    await promise;
  } finally {
    for (const end of ends) end();
  }
}
