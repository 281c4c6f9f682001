/**
 * The replication stream of a server: under which id it is made, from which offset on, and what changes that. Its bytes are the
 * records of the journal (stream-reading.ts); what is left of it for the next start, stream-lives.ts; which ids there were, and at
 * which revision which offset was reached, lineage.ts; what a record is of it, stretches.ts.
 *
 * Invariant: what a cursor has given for an offset of an id is what it gives for it ever after, or it refuses.
 */
import type { ChangeFeed } from "../feed/change-feed.ts";
import type { Journal } from "../journal/journal.ts";
import type { FormPlace, StreamForm, StreamMark } from "../journal/stream-form.ts";
import type { Files } from "../platform/files.ts";
import type { Log } from "../platform/log.ts";
import type { LoadReport, LoadSink, Revision } from "../plugin.ts";
import type { Anchor, Lineage } from "./lineage.ts";
import type {
  AdoptedState,
  ReplicationStream,
  StreamCursor,
  StreamCut,
  StreamPlace,
} from "./stream.ts";
import { StreamLives } from "./stream-lives.ts";
import { StreamReading } from "./stream-reading.ts";

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
  readonly #lives: StreamLives;
  readonly #reading: StreamReading;
  #id = newId();
  #form: StreamForm | null = null;
  /** Where it goes on from as soon as changes are recorded. */
  #resumed: FormPlace | undefined;

  constructor({ journal, feed, log }: StreamParts) {
    this.#journal = journal;
    this.#lives = new StreamLives({ feed, log });
    const lineage = () => this.#lineage;
    this.#reading = new StreamReading({ feed, disk: journal.disk, lineage });
  }

  get #lineage(): Lineage {
    return this.#lives.lineage;
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
    return Math.min(this.offset + 1, this.#reading.firstOffset);
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
    await this.#lives.save();
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
    await this.#lives.save();
  }

  /**
   * Somebody is followed from now on, under the id that there is until he says another one: what is recorded of one's own is no
   * part of the stream. Resolves when it is durable.
   */
  async follow(): Promise<void> {
    if (this.#form === null || this.#form.isFollowing) return;
    this.#form.isFollowing = true;
    this.#lineage.add(this.#anchor({ continues: true }));
    await this.#lives.save();
  }

  /**
   * All data is another server's, at this place of its stream: to be awaited after the last change of that state and before
   * its checkpoint counts. Nothing of the old stream leads there, and its cursors end. While it is pending, a later life that
   * cannot tell the new data from the old one, for its log goes on from the same revision, begins the stream anew.
   */
  async adopt({ id, offset, database, revision, isPending }: AdoptedState): Promise<void> {
    const begun = { revision: revision + 1, ...(isPending && { isPending }) };
    this.#replace(id, { offset, database, isFollowing: true }, begun);
    await this.#lives.save();
  }

  /** The state that was adopted counts. */
  confirm(): void {
    this.#lineage.confirm();
    this.#lives.saveSoon();
  }

  #replace(id: string, place: FormPlace, begun: Pick<Anchor, "revision" | "isPending">): void {
    this.#id = id;
    this.#reading.restart();
    this.#moveTo(place);
    this.#lineage.add({ ...this.#anchor({ continues: false }), ...begun });
    this.onOther("all data was replaced");
    this.#reading.wake();
  }

  /** The same stream goes on under another id: +CONTINUE with another one. Resolves when that is durable. */
  async rename(id: string): Promise<void> {
    if (this.#form === null || (id === this.#id && this.#form.isFollowing)) return;
    const isOther = id !== this.#id;
    this.#id = id;
    this.#form.isFollowing = true;
    this.#lineage.add(this.#anchor({ continues: true }));
    if (isOther) this.onOther(OTHER_ID);
    await this.#lives.save();
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
    this.#reading.begin();
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
    this.#reading.noteMark(mark);
    const last = this.#lineage.last;
    if (last === undefined || mark.offset - last.offset < ANCHOR_BYTES) return;
    this.#lineage.addPlace({ ...this.#anchor({ continues: true }), ...mark });
    this.#lives.saveSoon();
  }

  // ---- reading it: stream-reading.ts ----

  /**
   * Where byte `offset` of the stream `id` is (what `PSYNC id offset` asks for); null: it is no part of what leads here, or the
   * log does not reach back to it. One behind the last byte is a place, too. May read ANCHOR_BYTES of the log.
   */
  async locate(id: string, offset: number): Promise<StreamPlace | null> {
    if (this.#form === null || !this.#lineage.covers(id, offset, this.offset)) return null;
    if (offset === this.offset + 1) return { revision: this.#nextRevision, offset, skip: 0 };
    return await this.#reading.locate(offset);
  }

  openCursor(place: StreamPlace): StreamCursor {
    return this.#reading.openCursor(place);
  }

  /**
   * What an image that is taken in this very moment stands for. Begins to use the stream, if nobody has; that is durable soon,
   * and whoever was told of an id that a kill takes back gets a full copy.
   */
  cut(): StreamCut {
    if (this.#form === null) {
      this.#begin();
      this.#lives.saveSoon();
    }
    const { id, offset, database } = this;
    return { revision: this.#nextRevision - 1, id, offset, database: Math.max(0, database) };
  }

  /**
   * Of the last byte of a record; for recent ones (WAIT): of what is older, a later offset. What is not recorded
   * yet has the last one.
   */
  offsetOf(revision: Revision): number {
    return this.#reading.offsetOf(revision) ?? this.offset;
  }

  // ---- from start to start: stream-lives.ts ----

  /** Before the data is loaded: what earlier lives have left. `folder`: of the data; without it nothing is kept. */
  prepare(files: Files, folder: string): Promise<void> {
    return this.#lives.prepare(files, folder);
  }

  /** Sees what is replayed. */
  watch(sink: LoadSink): LoadSink {
    return this.#lives.watch(sink);
  }

  /**
   * The data is there, and the next change will have `nextRevision`: the stream goes on, if it was in use. Whoever followed
   * another server still does, until `renew`. Resolves when that is durable.
   */
  async resume(report: LoadReport, nextRevision: Revision): Promise<void> {
    const resumption = { nextRevision, follows: this.followsAtStart, newId: this.#id };
    const resumed = this.#lives.resume(report, resumption);
    if (resumed === undefined) return;
    this.#id = resumed.id;
    this.#resumed = resumed.place;
    await this.#lives.save();
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
      const place = { offset, database: -1, isFollowing: false };
      this.#replace(newId(), place, { revision: revision + 1 });
    }
    this.#lives.beginCheckpoint(revision, this.#anchor({ continues: true }));
  }

  /** It is durable, and is about to count: from then on a start has only the records behind it. To be awaited before. */
  checkpointCounts(revision: Revision): Promise<void> {
    return this.#lives.checkpointCounts(revision);
  }

  /** Everything recorded is durable, and nothing comes any more. */
  async close(): Promise<void> {
    await this.#lives.idle();
    if (this.#form === null) return;
    await this.#lives.close({ revision: this.#nextRevision - 1, offset: this.offset });
  }
}

function newId(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(20))).toString("hex");
}
