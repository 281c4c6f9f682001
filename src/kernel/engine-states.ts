/**
 * All data of an engine as a whole, at one instant: for who writes a checkpoint or reads an image, and for data that is loaded
 * beside it and is to take its place.
 */
import type { Gate } from "../commands/dispatch.ts";
import type { ChangeFeed } from "../feed/change-feed.ts";
import { keyIndexImages } from "../index/index-images.ts";
import type { Journal } from "../journal/journal.ts";
import type { BigKeys } from "../metrics/big-keys.ts";
import type { Clock } from "../platform/clock.ts";
import type { EntryReader, IndexKind } from "../plugin.ts";
import type { BlockedClients } from "../session/blocked-clients.ts";
import type { ClientPause } from "../session/client-pause.ts";
import { type EntriesTaken, EntryWalk } from "../store/entry-walk.ts";
import type { Keyspace } from "../store/keyspace.ts";
import type { CaptureRing } from "../store/page-capture.ts";
import { ChangeOver } from "./change-over.ts";
import type { CurrentSnapshot } from "./current-snapshot.ts";
import type { EngineIndexes } from "./engine-indexes.ts";
import type { ViewSource } from "./read-views.ts";
import type { WorkSlices } from "./slices.ts";
import type { Capture } from "./snapshots.ts";
import type { StagedForm } from "./staged-data.ts";
import type { Turns } from "./turns.ts";

export interface EngineStatesParts {
  readonly keyspace: Keyspace;
  readonly journal: Journal;
  readonly gate: Gate;
  readonly turns: Turns;
  readonly snapshot: CurrentSnapshot;
  readonly slices: WorkSlices;
  readonly indexes: EngineIndexes;
  readonly changes: ChangeFeed;
  readonly stream: { readonly isInUse: boolean };
  readonly blockedClients: BlockedClients;
  readonly pause: ClientPause;
  readonly bigKeys: BigKeys;
  readonly clock: Clock;
}

export class EngineStates {
  readonly #parts: EngineStatesParts;

  constructor(parts: EngineStatesParts) {
    this.#parts = parts;
  }

  /** All entries as they are now, with everything recorded handed over. Nothing may change while they are read. */
  readEntries(taken: EntriesTaken): EntryReader {
    const { turns, keyspace } = this.#parts;
    turns.end();
    this.takeTime();
    return new EntryWalk(keyspace.arena, taken);
  }

  beginCapture(ring: CaptureRing): Capture {
    this.takeTime();
    return this.#parts.snapshot.begin(ring);
  }

  /** A state tells when it was taken; the last turn of a server that nobody uses may be of yesterday. */
  takeTime(): number {
    const { keyspace, turns, stream } = this.#parts;
    keyspace.nowMs = turns.now();
    keyspace.isFollowed = stream.isInUse;
    keyspace.noteRevision();
    turns.keepTime(keyspace.nowMs);
    return keyspace.nowMs;
  }

  /** What is beside the arena of what a reader of an image needs, at this instant. */
  get readView(): ViewSource {
    const { keyspace, indexes, clock } = this.#parts;
    const { nowMs, databases } = keyspace;
    const { all } = indexes;
    // The turn may have begun long before.
    return {
      nowMs: Math.max(nowMs, clock.now()),
      keyIndexes: databases.flatMap((database) => keyIndexImages(all.of(database))),
    };
  }

  /** What data that is loaded beside this one has in common with it. */
  get stagedForm(): StagedForm {
    const { keyspace, indexes } = this.#parts;
    const { databases, hashKey0, hashKey1, collections, access } = keyspace;
    return {
      databases: databases.length,
      hashKey: [hashKey0, hashKey1],
      limits: { ...collections.limits },
      countsFrequency: access.countsFrequency,
      wanted: indexes.wanted,
    };
  }

  get stagedKinds(): readonly IndexKind[] {
    return [...this.#parts.indexes.all.kinds.values()];
  }

  beginChangeOver(): ChangeOver {
    return new ChangeOver(this.#parts);
  }
}
