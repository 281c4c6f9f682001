/**
 * What is known of the replication stream from one start to the next: its lineage, which is kept beside the data, and what the
 * records tell of it that a start replays. The file is lineage-file.ts's, and when it is written lineage-keeping.ts's.
 *
 * Invariant: whatever a crash leaves, a start finds the place where the data stands, or begins the stream anew.
 */
import { KvdbError } from "../errors.ts";
import type { ChangeFeed } from "../feed/change-feed.ts";
import type { FormPlace } from "../journal/stream-form.ts";
import type { Files } from "../platform/files.ts";
import type { Log } from "../platform/log.ts";
import type { LoadReport, LoadSink, Revision } from "../plugin.ts";
import { type Anchor, Lineage, type StreamEnd } from "./lineage.ts";
import { readLineage } from "./lineage-file.ts";
import { LineageKeeping } from "./lineage-keeping.ts";
import { LoadTrace } from "./stretches.ts";

/** Where the stream goes on from. */
export interface ResumedStream {
  readonly id: string;
  readonly place: FormPlace;
}

export interface Resumption {
  /** The next change will have it. */
  readonly nextRevision: Revision;
  /** Somebody will be followed. */
  readonly follows: boolean;
  /** For what goes on under a new one. */
  readonly newId: string;
}

export interface StreamLivesParts {
  readonly feed: Pick<ChangeFeed, "oldest">;
  readonly log: Log;
}

export class StreamLives {
  readonly #feed: StreamLivesParts["feed"];
  readonly #log: Log;
  readonly #keeping = new LineageKeeping();
  #lineage = new Lineage();
  #end: StreamEnd | undefined;
  #trace: LoadTrace | undefined;
  /** It was in use, and nobody knows where it stood. */
  #isLost = false;
  /** Where the checkpoints under way stand. */
  readonly #checkpoints = new Map<Revision, Anchor>();
  /** What a start needs of the records begins above it. */
  #checkpointed: Revision = 0;

  constructor({ feed, log }: StreamLivesParts) {
    this.#feed = feed;
    this.#log = log;
  }

  get lineage(): Lineage {
    return this.#lineage;
  }

  /** Before the data is loaded: what earlier lives have left. `folder`: of the data; without it nothing is kept. */
  async prepare(files: Files, folder: string): Promise<void> {
    this.#keeping.keepIn(files, folder);
    try {
      const read = await readLineage(files, folder);
      if (read === undefined) return;
      this.#lineage = read.lineage;
      this.#end = read.end;
      this.#trace = new LoadTrace(read.lineage);
    } catch (error) {
      if (!(error instanceof KvdbError) || error.code !== "DAMAGE") throw error;
      this.#log.warn("the stream of replication begins anew", { error: error.message });
      // Whoever asks for the old one is told at once that it is gone.
      this.#isLost = true;
    }
  }

  /** Sees what is replayed. */
  watch(sink: LoadSink): LoadSink {
    const trace = this.#trace;
    if (trace === undefined) return sink;
    return {
      entry: (entry) => sink.entry(entry),
      records: (batch) => {
        trace.note(batch);
        sink.records(batch);
      },
      progress: (done, total) => sink.progress(done, total),
    };
  }

  /**
   * The data is there: the stream goes on, if it was in use. A primary that may have lost its end goes on under a new id, for a
   * replica may have had more. Undefined: it was not in use.
   */
  resume(report: LoadReport, resumption: Resumption): ResumedStream | undefined {
    const isDamaged = report.dropped.some(({ kind }) => kind === "damage");
    const place = isDamaged ? undefined : this.#trace?.end(report.lastRevision);
    const wasInUse = this.#trace !== undefined || this.#isLost;
    this.#trace = undefined;
    if (!wasInUse) return undefined;
    this.#checkpointed = report.lastRevision;
    const resumed =
      place === undefined
        ? this.#beginAnew(resumption)
        : this.#goOn(place, report.lastRevision, resumption);
    this.#end = undefined;
    return resumed;
  }

  #beginAnew({ nextRevision, follows, newId: id }: Resumption): ResumedStream {
    if (this.#lineage.last !== undefined) {
      const reason = "the records do not tell where it stood";
      this.#log.warn("the stream of replication begins anew", { reason });
    }
    const place = { offset: 0, database: -1, isFollowing: follows };
    this.#lineage = new Lineage();
    this.#lineage.add({ ...place, offset: 1, revision: nextRevision, id, continues: false });
    return { id, place };
  }

  #goOn(
    { offset, database }: Pick<FormPlace, "offset" | "database">,
    lastRevision: Revision,
    { nextRevision, follows, newId }: Resumption,
  ): ResumedStream {
    const lineage = this.#lineage;
    lineage.forgetAbove(lastRevision + 1);
    const last = lineage.last as Anchor;
    const isClean = this.#end?.revision === lastRevision && this.#end.offset === offset;
    const isFollowing = follows || last.isFollowing;
    const id = isFollowing || isClean ? last.id : newId;
    // Records that a later start finds behind no anchor tell it nothing.
    const isBehind = nextRevision === lastRevision + 1;
    if (!isClean || !isBehind || isFollowing !== last.isFollowing) {
      const place = { revision: nextRevision, offset: offset + 1, database };
      lineage.add({ ...place, id, continues: true, isFollowing });
    }
    return { id, place: { offset, database, isFollowing } };
  }

  // ---- checkpoints ----

  /** One of everything up to `revision` begins; `next` is the place of the record behind it. */
  beginCheckpoint(revision: Revision, next: Anchor): void {
    this.#checkpoints.set(revision, { ...next, revision: revision + 1 });
  }

  /** It is durable, and is about to count: from then on a start has only the records behind it. To be awaited before. */
  async checkpointCounts(revision: Revision): Promise<void> {
    const anchor = this.#checkpoints.get(revision);
    this.#checkpoints.clear();
    if (anchor === undefined) return;
    this.#lineage.addPlace(anchor);
    await this.save();
    this.#lineage.prune(Math.min(this.#feed.oldest, this.#checkpointed + 1));
    this.#checkpointed = revision;
  }

  // ---- keeping it ----

  /** Resolves when nothing is being written. */
  idle(): Promise<void> {
    return this.#keeping.idle();
  }

  /** Everything recorded is durable, and nothing comes any more. */
  async close(end: StreamEnd): Promise<void> {
    this.#end = end;
    await this.save();
  }

  /** Resolves when the lineage as it is, or a later one, is durable. */
  save(): Promise<void> {
    return this.#keeping.save({ lineage: this.#lineage, end: this.#end });
  }

  /** What it has of more only saves time. */
  saveSoon(): void {
    this.save().catch((error: unknown) => {
      this.#log.warn("where the stream of replication stands could not be kept", {
        error: String(error),
      });
    });
  }
}
