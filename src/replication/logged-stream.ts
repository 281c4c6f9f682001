/**
 * The replication stream over the records of the journal, the log and what is recent of it; and its life from one start to the next.
 * Which ids there were, and at which revision which offset was reached, is lineage.ts's; what a record is of it, stretches.ts's.
 *
 * Invariant: what a cursor has given for an offset of an id is what it gives for it ever after, or it refuses.
 */
import { randomBytes } from "node:crypto";
import { KvdbError } from "../errors.ts";
import type { ChangeFeed } from "../feed/change-feed.ts";
import { frameBytes } from "../feed/recent-records.ts";
import type { Journal } from "../journal/journal.ts";
import { RECORD_HEADER_BYTES } from "../journal/record.ts";
import type { FormPlace, StreamForm, StreamMark } from "../journal/stream-form.ts";
import type { Files } from "../platform/files.ts";
import type { Log } from "../platform/log.ts";
import type { LoadReport, LoadSink, Revision } from "../plugin.ts";
import { type Anchor, Lineage, type StreamEnd } from "./lineage.ts";
import { readLineage } from "./lineage-file.ts";
import { LineageKeeping } from "./lineage-keeping.ts";
import { payloadOf, RecordWay } from "./record-way.ts";
import type {
  AdoptedState,
  ReplicationStream,
  StreamCursor,
  StreamCut,
  StreamPlace,
} from "./stream.ts";
import { RecordCursor } from "./stream-cursor.ts";
import { LoadTrace, stretchStart } from "./stretches.ts";

/** So far apart are anchors at most: whoever looks for an offset in the log reads as much of it. */
const ANCHOR_BYTES = 16 * 1024 * 1024;

/** As Redis does: they are to learn of the other id, and ask by it from then on. */
const OTHER_ID = "the stream has another id";

export interface StreamParts {
  readonly journal: Journal;
  readonly feed: ChangeFeed;
  readonly log: Log;
}

export class LoggedStream implements ReplicationStream {
  /** Set before the data is loaded, by who will follow a primary: then the id stays what it was, to ask him by. */
  followsAtStart = false;
  onOther: (reason: string) => void = () => {};
  readonly #journal: Journal;
  readonly #feed: ChangeFeed;
  readonly #log: Log;
  readonly #keeping: LineageKeeping;
  #id = newId();
  #form: StreamForm | null = null;
  /** Where it goes on from as soon as changes are recorded. */
  #resumed: FormPlace | undefined;
  #trace: LoadTrace | undefined;
  #lineage = new Lineage();
  #end: StreamEnd | undefined;
  /** Among the recent records, oldest first. */
  #marks: StreamMark[] = [];
  /** Counts the times that all data was replaced: cursors of before lead nowhere. */
  #generation = 0;
  /** Where the checkpoints under way stand. */
  readonly #checkpoints = new Map<Revision, Anchor>();
  /** What a start needs of the records begins above it. */
  #checkpointed: Revision = 0;
  #waiting = new Set<() => void>();

  constructor({ journal, feed, log }: StreamParts) {
    this.#journal = journal;
    this.#feed = feed;
    this.#log = log;
    this.#keeping = new LineageKeeping();
  }

  /** 40 hex characters; master_replid. There is one from the start, in use or not. */
  get id(): string {
    return this.#id;
  }

  /** Of the last byte of the last record that was made; master_repl_offset. */
  get offset(): number {
    return this.#form?.offset ?? 0;
  }

  /** Selected in the stream behind the last record; -1: what comes selects one. */
  get database(): number {
    return this.#form?.database ?? -1;
  }

  /** The id before, whose stretches this one goes on with; 40 zeros: none. master_replid2. */
  get previousId(): string {
    return this.#lineage.previous.id;
  }

  /** The first offset that the previous id does not have any more, as second_repl_offset says; -1: none. */
  get previousEnd(): number {
    return this.#lineage.previous.end;
  }

  /** The oldest byte that is sure to be there still; offset + 1 when none is. */
  get firstOffset(): number {
    const { oldest } = this.#feed;
    const begin = this.#lineage.chainBegin?.offset ?? 1;
    const places = [...this.#lineage.anchors, ...this.#marks];
    const offsets = places.flatMap(({ revision, offset }) =>
      revision >= oldest && offset >= begin ? [offset] : [],
    );
    return Math.min(this.offset + 1, ...offsets);
  }

  /** Records are made in stream form, and are counted. */
  get isInUse(): boolean {
    return this.#form !== null;
  }

  /** The stream is another server's: what is recorded is what that one has sent, and what it was not sent is no part of it. */
  get isFollowing(): boolean {
    return this.#form?.isFollowing ?? false;
  }

  // ---- what happens to it ----

  /**
   * The stream is in use from now on, in later lives too: the first replica has come. Not within a transaction. Resolves when
   * the place where it begins is durable; harmless when it is in use.
   */
  async use(): Promise<void> {
    if (this.#form !== null) return;
    this.#begin();
    await this.#save();
  }

  #begin(): void {
    this.#moveTo({ offset: 0, database: -1, isFollowing: false });
    this.#lineage.add(this.#anchor({ continues: false }));
  }

  /**
   * A new id from the next record on; what was is the previous id's. For a replica that becomes a primary. To be awaited before
   * anybody may write: only then a later life knows of it. A database is selected anew: the former primary has told others which
   * one it was in, and may follow now without having been told itself.
   */
  async renew(): Promise<void> {
    this.#id = newId();
    if (this.#form === null) return;
    this.#form.isFollowing = false;
    this.#form.database = -1;
    this.#lineage.add(this.#anchor({ continues: true }));
    this.onOther(OTHER_ID);
    await this.#save();
  }

  /**
   * Somebody is followed from now on, under the id that there is until he says another one: what is recorded of one's own is no
   * part of the stream. Resolves when it is durable.
   */
  async follow(): Promise<void> {
    if (this.#form === null || this.#form.isFollowing) return;
    this.#form.isFollowing = true;
    this.#lineage.add(this.#anchor({ continues: true }));
    await this.#save();
  }

  /**
   * All data is another server's, at this place of its stream: to be awaited after the last change of that state and before
   * its checkpoint counts. Nothing of the old stream leads there, and its cursors end. A later life that finds the old data,
   * because the checkpoint did not come about, knows its old place again.
   */
  async adopt({ id, offset, database, revision }: AdoptedState): Promise<void> {
    this.#replace(id, { offset, database, isFollowing: true }, revision);
    await this.#save();
  }

  #replace(id: string, place: FormPlace, revision: Revision): void {
    this.#id = id;
    this.#marks = [];
    this.#generation++;
    this.#moveTo(place);
    this.#lineage.add({ ...this.#anchor({ continues: false }), revision: revision + 1 });
    this.onOther("all data was replaced");
    this.#wake();
  }

  /** The same stream goes on under another id: +CONTINUE with another one. Resolves when that is durable. */
  async rename(id: string): Promise<void> {
    if (this.#form === null || (id === this.#id && this.#form.isFollowing)) return;
    const isOther = id !== this.#id;
    this.#id = id;
    this.#form.isFollowing = true;
    this.#lineage.add(this.#anchor({ continues: true }));
    if (isOther) this.onOther(OTHER_ID);
    await this.#save();
  }

  /**
   * Records one command that changes nothing: PING, REPLCONF GETACK * of a primary. Ignored while the stream is not in use or
   * somebody is followed.
   */
  note(bytes: Buffer): void {
    if (this.#form?.isFollowing === false) this.#journal.commitNote(bytes);
  }

  #moveTo(place: FormPlace): void {
    const isFirst = this.#form === null;
    this.#form = this.#journal.useStream(place);
    if (!isFirst) return;
    this.#form.onMark = (mark) => this.#noteMark(mark);
    this.#feed.use();
    this.#feed.onReadable = () => this.#wake();
    this.#journal.disk.onWritten(() => this.#wake());
  }

  #anchor({ continues }: Pick<Anchor, "continues">): Anchor {
    const { database, isFollowing } = this;
    const place = { revision: this.#nextRevision, offset: this.offset + 1, database };
    return { ...place, id: this.#id, continues, isFollowing };
  }

  get #nextRevision(): Revision {
    return this.#journal.disk.lastRevision + 1;
  }

  #noteMark(mark: StreamMark): void {
    const marks = this.#marks;
    const { firstRevision } = this.#feed.use();
    // The last one before them stays: records behind it are among them.
    const gone = marks.findIndex(({ revision }) => revision > firstRevision) - 1;
    if (gone > 64 || gone > marks.length / 2) marks.splice(0, gone);
    marks.push(mark);
    const last = this.#lineage.last;
    if (last === undefined || mark.offset - last.offset < ANCHOR_BYTES) return;
    this.#lineage.addPlace({ ...this.#anchor({ continues: true }), ...mark });
    this.#saveSoon();
  }

  // ---- reading it ----

  /**
   * Where byte `offset` of the stream `id` is (what `PSYNC id offset` asks for); null: it is no part of what leads here, or the
   * log does not reach back to it. One behind the last byte is a place, too. May read ANCHOR_BYTES of the log.
   */
  async locate(id: string, offset: number): Promise<StreamPlace | null> {
    if (this.#form === null || !this.#lineage.covers(id, offset, this.offset)) return null;
    if (offset === this.offset + 1) return { revision: this.#nextRevision, offset, skip: 0 };
    const begin = this.#before(offset);
    if (begin === undefined || begin.revision < this.#feed.oldest) return null;
    const generation = this.#generation;
    const way = new RecordWay(this.#feed, begin.revision);
    try {
      const place = await findByte(way, begin.offset, offset, this.#survivingRevision);
      return generation === this.#generation ? place : null;
    } catch (error) {
      // Meanwhile the log may have lost it.
      if (error instanceof KvdbError && error.reply === "LOGGAP") return null;
      throw error;
    } finally {
      way.close();
    }
  }

  /** The last known place from which on a byte is to be looked for. */
  #before(offset: number): Pick<Anchor, "revision" | "offset"> | undefined {
    const anchor = this.#lineage.before(offset);
    const mark = this.#marks.findLast((one) => one.offset <= offset);
    if (mark === undefined || anchor === undefined) return mark ?? anchor;
    return mark.revision > anchor.revision ? mark : anchor;
  }

  get #survivingRevision(): Revision {
    return Math.min(this.#journal.disk.survivingRevision, this.#feed.use().lastRevision);
  }

  openCursor(place: StreamPlace): StreamCursor {
    const generation = this.#generation;
    return new RecordCursor({
      feed: this.#feed,
      place,
      last: () => this.#survivingRevision,
      requireSame: () => {
        if (generation !== this.#generation) throw replaced();
      },
      onMore: (listener) => this.#onMore(listener),
    });
  }

  #onMore(listener: () => void): () => void {
    this.#waiting.add(listener);
    return () => this.#waiting.delete(listener);
  }

  #wake(): void {
    if (this.#waiting.size === 0) return;
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const listener of waiting) listener();
  }

  /**
   * What an image that is taken in this very moment stands for. Begins to use the stream, if nobody has: then await `use`
   * before anybody is told of it.
   */
  cut(): StreamCut {
    if (this.#form === null) {
      this.#begin();
      this.#saveSoon();
    }
    const { id, offset, database } = this;
    return { revision: this.#nextRevision - 1, id, offset, database: Math.max(0, database) };
  }

  /**
   * Of the last byte of a record; for recent ones (WAIT): of what is older, a later offset. What is not recorded
   * yet has the last one.
   */
  offsetOf(revision: Revision): number {
    const recent = this.#feed.use();
    if (revision > recent.lastRevision) return this.offset;
    const mark = this.#marks.findLast((one) => one.revision <= revision);
    if (mark === undefined || mark.revision < recent.firstRevision) return this.offset;
    let offset = mark.offset - 1;
    for (let next = mark.revision; next <= revision; ) {
      const batch = recent.find(next);
      if (batch === undefined) return this.offset;
      next = Math.max(next, batch.firstRevision);
      let at = batch.start;
      for (let own = batch.firstRevision; own <= revision && at < batch.end; own++) {
        const end = at + frameBytes(batch.bytes, at);
        const from = stretchStart(batch.bytes, at + RECORD_HEADER_BYTES, end);
        if (own >= next && from >= 0) offset += end - from;
        at = end;
      }
      next = batch.firstRevision + batch.count;
    }
    return offset;
  }

  // ---- lives ----

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
      // It was in use: whoever asks for the old one is told at once that it is gone.
      this.#resumed = { offset: 0, database: -1, isFollowing: false };
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
   * The data is there, and the next change will have `nextRevision`: the stream goes on, if it was in use. A primary that may have
   * lost its end goes on under a new id, for a replica may have had more. Whoever followed another server still does, until
   * `renew`. Resolves when that is durable.
   */
  async resume(report: LoadReport, nextRevision: Revision): Promise<void> {
    const isDamaged = report.dropped.some(({ kind }) => kind === "damage");
    const place = isDamaged ? undefined : this.#trace?.end(report.lastRevision);
    const wasInUse = this.#trace !== undefined || this.#resumed !== undefined;
    this.#trace = undefined;
    if (!wasInUse) return;
    this.#checkpointed = report.lastRevision;
    const follows = this.followsAtStart;
    if (place === undefined) this.#beginAnew(nextRevision, follows);
    else this.#goOn(place, { lastRevision: report.lastRevision, nextRevision, follows });
    this.#end = undefined;
    await this.#save();
  }

  #beginAnew(revision: Revision, isFollowing: boolean): void {
    if (this.#lineage.last !== undefined) {
      const reason = "the records do not tell where it stood";
      this.#log.warn("the stream of replication begins anew", { reason });
    }
    const place = { offset: 0, database: -1, isFollowing };
    this.#lineage = new Lineage();
    this.#lineage.add({ ...place, offset: 1, revision, id: this.#id, continues: false });
    this.#resumed = place;
  }

  #goOn(
    { offset, database }: Pick<FormPlace, "offset" | "database">,
    { lastRevision, nextRevision, follows }: Resumption,
  ): void {
    const lineage = this.#lineage;
    lineage.forgetAbove(lastRevision + 1);
    const last = lineage.last as Anchor;
    const isClean = this.#end?.revision === lastRevision && this.#end.offset === offset;
    const isFollowing = follows || last.isFollowing;
    if (isFollowing || isClean) this.#id = last.id;
    // Records that a later start finds behind no anchor tell it nothing.
    const isBehind = nextRevision === lastRevision + 1;
    if (!isClean || !isBehind || isFollowing !== last.isFollowing) {
      const place = { revision: nextRevision, offset: offset + 1, database };
      lineage.add({ ...place, id: this.#id, continues: true, isFollowing });
    }
    this.#resumed = { offset, database, isFollowing };
  }

  /** Changes are recorded from now on. */
  start(): void {
    if (this.#resumed !== undefined) this.#moveTo(this.#resumed);
  }

  /**
   * A checkpoint of everything up to `revision` begins, which was handed over, and nothing later. `replacesAll`: of data that
   * nothing leads to; unless it was adopted, the stream begins anew with it.
   */
  beginCheckpoint(revision: Revision, replacesAll: boolean): void {
    if (this.#form === null) return;
    const { last } = this.#lineage;
    const isAdopted = last?.continues === false && last.revision === revision + 1;
    if (replacesAll && !isAdopted) {
      const { offset } = this;
      this.#replace(newId(), { offset, database: -1, isFollowing: false }, revision);
    }
    const anchor = this.#anchor({ continues: true });
    this.#checkpoints.set(revision, { ...anchor, revision: revision + 1 });
  }

  /** It is durable, and is about to count: from then on a start has only the records behind it. To be awaited before. */
  async checkpointCounts(revision: Revision): Promise<void> {
    const anchor = this.#checkpoints.get(revision);
    this.#checkpoints.clear();
    if (anchor === undefined) return;
    this.#lineage.addPlace(anchor);
    await this.#save();
    this.#lineage.prune(Math.min(this.#feed.oldest, this.#checkpointed + 1));
    this.#checkpointed = revision;
  }

  /** Everything recorded is durable, and nothing comes any more. */
  async close(): Promise<void> {
    await this.#keeping.idle();
    if (this.#form === null) return;
    this.#end = { revision: this.#nextRevision - 1, offset: this.offset };
    await this.#save();
  }

  #save(): Promise<void> {
    return this.#keeping.save({ lineage: this.#lineage, end: this.#end });
  }

  /** What it has of more only saves time. */
  #saveSoon(): void {
    this.#save().catch((error: unknown) => {
      this.#log.warn("where the stream of replication stands could not be kept", {
        error: String(error),
      });
    });
  }
}

interface Resumption {
  readonly lastRevision: Revision;
  readonly nextRevision: Revision;
  readonly follows: boolean;
}

/** Goes on from a place before a record, `at` being its first byte's offset, to the record that has the byte `offset`. */
async function findByte(
  way: RecordWay,
  at: number,
  offset: number,
  last: Revision,
): Promise<StreamPlace | null> {
  let begin = at;
  for (let place = await way.find(last); place !== null; place = await way.find(last)) {
    for (; !place.isOver && place.revision <= last; place.pass()) {
      const { bytes, start, end } = payloadOf(place);
      const from = stretchStart(bytes, start, end);
      if (from < 0) return null;
      const { revision } = place;
      if (begin + end - from > offset) return { revision, offset: begin, skip: offset - begin };
      begin += end - from;
      way.next = revision + 1;
    }
  }
  // What comes next may not leave yet.
  return begin === offset ? { revision: way.next, offset, skip: 0 } : null;
}

function newId(): string {
  return randomBytes(20).toString("hex");
}

function replaced(): KvdbError {
  const message = "all data was replaced: what was sent before does not lead there";
  return new KvdbError("COMMAND", message, { reply: "LOGGAP" });
}
