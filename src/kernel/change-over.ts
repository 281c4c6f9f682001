/**
 * All data of an engine that serves, replaced by a copy that was loaded beside it. Until the moment of the change everybody
 * reads what was there before, and from then on the copy: in between nothing that writes runs, and nothing changes by itself,
 * so that no record gets lost between the two states or is added to the wrong one. Whether the copy counts is its
 * checkpoint's matter (data-replacement.ts).
 *
 *   (begin)    → who would write waits
 *   settle     → everything that was recorded is on disk, and nothing is recorded any more
 *   complete   → the copy is what is served; who has waited goes on, with the copy
 *   giveUp     → what was there goes on;  `close`: nothing does, for nobody knows which of the two counts
 */
import type { Gate } from "../commands/dispatch.ts";
import type { ChangeFeed } from "../feed/change-feed.ts";
import type { Journal } from "../journal/journal.ts";
import type { BigKeys } from "../metrics/big-keys.ts";
import type { Revision } from "../plugin.ts";
import type { BlockedClients } from "../session/blocked-clients.ts";
import type { ClientPause } from "../session/client-pause.ts";
import type { Keyspace } from "../store/keyspace.ts";
import type { EngineIndexes } from "./engine-indexes.ts";
import { LOADING } from "./gate-steps.ts";
import type { WorkSlices } from "./slices.ts";
import type { LoadedData } from "./staged-data.ts";
import type { Turns } from "./turns.ts";

export interface ChangeOverParts {
  readonly keyspace: Keyspace;
  readonly journal: Journal;
  readonly gate: Gate;
  readonly indexes: EngineIndexes;
  readonly slices: WorkSlices;
  readonly blockedClients: BlockedClients;
  readonly pause: ClientPause;
  readonly changes: ChangeFeed;
  readonly bigKeys: BigKeys;
  readonly turns: Turns;
}

export class ChangeOver {
  readonly #parts: ChangeOverParts;
  readonly #resumers: (() => void)[];
  readonly #letWritersGo: () => void;
  /** Given to the copy: no change of what was there may have it. */
  #revision: Revision = 0;

  constructor(parts: ChangeOverParts) {
    const { slices, blockedClients, pause } = parts;
    this.#parts = parts;
    this.#letWritersGo = pause.hold();
    this.#resumers = [slices.rest(), blockedClients.rest()];
  }

  /** Answers the revision of the copy: above all there were, and at least `least`. Rejects when the disk refuses. */
  async settle(least: Revision): Promise<Revision> {
    const { journal, turns } = this.#parts;
    const { disk } = journal;
    // What the turn has recorded is handed over at its end.
    await new Promise<void>((resolve) => turns.atEnd(resolve));
    if (disk.isRecording) await synced(disk, disk.lastRevision);
    this.#resumers.unshift(journal.rest());
    this.#revision = Math.max(disk.lastRevision + 1, least);
    return this.#revision;
  }

  /** In one moment. */
  complete(copy: LoadedData): void {
    const { keyspace, indexes, bigKeys, turns } = this.#parts;
    keyspace.setNextRevision(this.#revision);
    indexes.all.forgetAll();
    keyspace.exchange(copy.contents);
    bigKeys.replaceAll(copy.bigKeys);
    this.#skip();
    indexes.takeLoaded(copy.indexes);
    this.#resume();
    turns.endSoon();
  }

  giveUp(): void {
    if (this.#revision > 0) this.#skip();
    this.#resume();
  }

  /** Whoever waits is told LOADING, and so is everybody else, until kvdb stops. Nothing is recorded any more. */
  close(): void {
    this.#parts.gate.setActive(LOADING, true);
    this.#skip();
    this.#letWritersGo();
  }

  /** The next change comes behind the revision of the copy; nothing that was recorded leads to it. */
  #skip(): void {
    const { keyspace, journal, changes } = this.#parts;
    const next = Math.max(this.#revision + 1, keyspace.nextRevision);
    keyspace.setNextRevision(next);
    keyspace.changes = 0;
    keyspace.noteRevision();
    changes.restart(next);
    journal.disk.skipTo(next - 1);
  }

  #resume(): void {
    for (const resume of this.#resumers) resume();
    this.#letWritersGo();
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
