/**
 * The one replication stream of a server: an id and an offset, as in Redis, over the records of the journal. Nothing is kept
 * for it that is not kept anyway: the payload of a record is its stretch of the stream (journal/stream-form.ts), so the stream
 * can be given again as far back as the log can be read, also after a restart and after kill -9.
 *
 * Offsets count bytes, from 1, as master_repl_offset does: a state "at offset o" has seen bytes 1 to o, and the next record
 * begins with byte o + 1. Which ids there were, and at which revision which offset was reached, is lineage.ts's.
 */
import type { Revision } from "../plugin.ts";

/** A point between two bytes of the stream, within the record `revision` or before it. */
export interface StreamPlace {
  readonly revision: Revision;
  /** Offset of the first byte of that record. */
  readonly offset: number;
  /** Bytes of it that are not wanted. */
  readonly skip: number;
}

/** Consecutive bytes of the stream: bytes[start, end). They stay as they are, for as long as somebody holds them. */
export interface StreamPiece {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  /** Of the last byte. */
  readonly lastOffset: number;
}

/** A way through the stream, for one replica. */
export interface StreamCursor {
  /** Of the last byte that `read` has given; at first the one before the place. */
  readonly offset: number;
  /**
   * The next piece, of about 64 KiB at most (a longer record comes in several); null: no more for now, ask again after
   * `onMore`. Only what a kill -9 of this server cannot take back is given. One `read` at a time. Rejects with a KvdbError: DAMAGE
   * when the log cannot be read, LOGGAP when it does not reach back any more (the reader was too slow), or when all data was
   * replaced: then the replica needs a full copy.
   */
  read(): Promise<StreamPiece | null>;
  /** Calls back once, when there may be more. Returns the function that ends it. */
  onMore(listener: () => void): () => void;
  close(): void;
}

/** What an image that is taken at this moment stands for. */
export interface StreamCut {
  /** Of the last change that is in it. */
  readonly revision: Revision;
  readonly id: string;
  /** Of the last byte whose changes are in it; the stream goes on with the one behind it. */
  readonly offset: number;
  /** Selected in the stream there: `repl-stream-db`. */
  readonly database: number;
}

/** A state that was taken from a primary. */
export interface AdoptedState {
  readonly id: string;
  readonly offset: number;
  /** Selected in the stream at that point. */
  readonly database: number;
  /** The state has this revision; the record behind it has the first stretch behind `offset`. */
  readonly revision: Revision;
  /** It does not count yet: `confirm` says that it does. */
  readonly isPending?: true;
}

export interface ReplicationStream {
  /** 40 hex characters; master_replid. There is one from the start, in use or not. */
  readonly id: string;
  /** Of the last record that was made; master_repl_offset. */
  readonly offset: number;
  /** The id before, whose stretches this one goes on with; 40 zeros: none. master_replid2. */
  readonly previousId: string;
  /** The previous id holds up to this offset, exclusive, as second_repl_offset says; -1: none. */
  readonly previousEnd: number;
  /** The oldest byte that can still be given; offset + 1 when none can. */
  readonly firstOffset: number;
  /** Records are made in stream form, and are counted. */
  readonly isInUse: boolean;
  /** The id is another server's: what is recorded is what that one has sent. */
  readonly isFollowing: boolean;
  /**
   * It has another id, or other data is at its place: whoever was told where he is in it must ask anew. Called before anything
   * is recorded under the new id, since what was sent behind the old one's end could not be gone on from.
   */
  onOther: (reason: string) => void;

  /**
   * The stream is in use from now on, in later lives too: the first replica has come. Not within a transaction. Resolves when
   * the place where it begins is durable; harmless when it is in use.
   */
  use(): Promise<void>;
  /**
   * A new id from the next record on; what was is the previous id's. For a replica that becomes a primary. To be awaited before
   * anybody may write: only then a later life knows of it.
   */
  renew(): Promise<void>;
  /**
   * All data is another server's, at this place of its stream: to be awaited after the last change of that state and before
   * its checkpoint counts. Nothing of the old stream leads there. While it is pending, a later life that cannot tell the
   * new data from the old one, for its log goes on from the same revision, begins the stream anew.
   */
  adopt(state: AdoptedState): Promise<void>;
  /** The state that was adopted counts. */
  confirm(): void;
  /** The same stream goes on under another id: +CONTINUE with another one. Resolves when that is durable. */
  rename(id: string): Promise<void>;

  /**
   * Records bytes that change nothing: PING, REPLCONF GETACK * of a primary. One command. Ignored while the stream is not in
   * use or somebody is followed.
   */
  note(bytes: Buffer): void;
  /**
   * Where byte `offset` of the stream `id` is (what `PSYNC id offset` asks for); null: it is no part of what leads here, or the
   * log does not reach back to it. One behind the last byte is a place, too. May read up to 64 MiB of the log.
   */
  locate(id: string, offset: number): Promise<StreamPlace | null>;
  openCursor(place: StreamPlace): StreamCursor;
  /** What an image that is taken in this very moment stands for. Begins to use the stream, if nobody has. */
  cut(): StreamCut;
  /** Of the last byte of a record; for recent ones only (WAIT): of what is older, that of an older or of a later record. */
  offsetOf(revision: Revision): number;
}
