/**
 * Reads the file into a sink, a slice a turn, so that others are served meanwhile. What is wrong
 * ends it with file, line and column, unless the purpose is to go on behind damage: then each thing
 * that could not be kept is told.
 *
 * Behind damage, an entry that is JSON all the same is passed over alone. Where it is not, reading
 * goes on at the next line that begins an entry or a database; which database an entry there
 * belongs to is taken from what was read before, and told.
 */
import { type Dropped, KvdbError, type LoadSink, type OpenFile, type Revision } from "kvdb";
import { ByteBuilder } from "./byte-builder.ts";
import { DuplicateKeys } from "./duplicate-keys.ts";
import { decodeKeyName, isIndexName } from "./entry-names.ts";
import type { FileMeasure } from "./file-checksum.ts";
import { JsonLexer, KEEP_CONTENT, NEED_MORE } from "./json-lexer.ts";
import { JsonProblem } from "./json-problem.ts";
import { findResumption } from "./resumption.ts";
import { type EntryHandler, SnapshotParser } from "./snapshot-parser.ts";
import { TextPlaces } from "./text-place.ts";

/** Read and put into the sink in one turn: some milliseconds. */
const SLICE_BYTES = 1 << 17;
/** Things that are told one by one; of what is beyond, only how much it is. */
const MAX_TOLD = 1000;
/** As Windows' editors begin a text. It says nothing, so it is passed over. */
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

export interface ReaderOptions {
  readonly file: OpenFile;
  readonly measure: FileMeasure;
  readonly sink: LoadSink;
  /** Go on behind damage. */
  readonly isLenient: boolean;
  /** No run before has given out a higher one, or nobody knows (0). */
  readonly lastRevision: Revision;
  /** Bytes of a slice. Tests take it small. */
  readonly sliceBytes?: number;
}

export interface ReadSnapshot {
  /** Of the last change in the file. */
  readonly revision: Revision;
  /** Whether the head states one. */
  readonly hasRevision: boolean;
  /** Whether the head states a checksum. */
  readonly hasChecksum: boolean;
  readonly dropped: readonly Dropped[];
}

export async function readSnapshot(options: ReaderOptions): Promise<ReadSnapshot> {
  return new SnapshotReader(options).run();
}

/**
 * Of a file that is not as kvdb wrote it. By hand nobody numbers a change, but it is one: whoever has seen a key in the
 * revision that the head still states must not take it for what is there now. So it gets a revision that nothing else has:
 * the next one; or, when the file knows more revisions than the folder does, one so far above that none was given out.
 */
function revisionOfChanged(stated: Revision, last: Revision): Revision {
  return stated > last ? stated + REVISION_GAP : last + 1;
}

/** What a run that was not stopped in order may have given out since the last save. */
const REVISION_GAP = 2 ** 24;

/** Something that was not kept, or that somebody should know. */
interface Finding {
  readonly problem: JsonProblem;
  readonly start: number;
  readonly end: number;
  /** What else is to be said of it. */
  readonly more: string;
}

class SnapshotReader implements EntryHandler {
  readonly #file: OpenFile;
  readonly #total: number;
  readonly #sink: LoadSink;
  readonly #isLenient: boolean;
  readonly #isIntact: boolean;
  readonly #lastRevision: Revision;
  readonly #buffer: Buffer;
  readonly #parser = new SnapshotParser(this);
  /** Not for a file that is as kvdb wrote it. */
  readonly #duplicates: DuplicateKeys | undefined;
  readonly #findings: Finding[] = [];
  #toldCount = 0;
  #untoldCount = 0;
  #untoldBytes = 0;
  readonly #dropped: Dropped[] = [];
  #places: TextPlaces;
  #frontBytes = 0;
  /** A part of a value was refused: so are those behind it. */
  #isRefused = false;
  /** The entry that is being passed over. */
  #skipping: { readonly at: number; readonly problem: JsonProblem } | undefined;
  /** What lies before it was read: going on must get ahead. */
  #resumedAt = -1;

  constructor(options: ReaderOptions) {
    const { file, measure, sink, isLenient, sliceBytes = SLICE_BYTES } = options;
    this.#file = file;
    this.#total = measure.bytes;
    this.#sink = sink;
    this.#isLenient = isLenient;
    this.#isIntact = measure.isIntact;
    this.#lastRevision = options.lastRevision;
    this.#buffer = Buffer.allocUnsafeSlow(Math.min(sliceBytes, Math.max(1, measure.bytes)));
    this.#duplicates = measure.isIntact ? undefined : new DuplicateKeys();
    this.#places = new TextPlaces(file, 0);
  }

  async run(): Promise<ReadSnapshot> {
    this.#frontBytes = await this.#front();
    this.#places = new TextPlaces(this.#file, this.#frontBytes);
    let offset: number | undefined = this.#frontBytes;
    while (offset !== undefined) {
      const problem = await this.#readFrom(offset);
      if (problem === undefined) break;
      if (!this.#isLenient) throw await this.#damage(problem);
      offset = await this.#goOnBehind(problem);
    }
    await this.#tellFindings();
    this.#tellUntold();
    const { head } = this.#parser;
    return {
      revision: this.#revision,
      hasRevision: head.revision !== undefined,
      hasChecksum: head.checksum !== undefined,
      dropped: this.#dropped,
    };
  }

  /** Of all entries: when each of them was changed last, the file does not say. */
  get #revision(): Revision {
    const revision = this.#parser.head.revision ?? 0;
    return this.#isIntact ? revision : revisionOfChanged(revision, this.#lastRevision);
  }

  /** Where the text begins. */
  async #front(): Promise<number> {
    const front = Buffer.alloc(BYTE_ORDER_MARK.length);
    await this.#file.read(front, 0, front.length, 0);
    return front.equals(BYTE_ORDER_MARK) ? front.length : 0;
  }

  /** Reads to the end; resolves to the first thing that is wrong. */
  async #readFrom(start: number): Promise<JsonProblem | undefined> {
    const buffer = this.#buffer;
    for (let offset = start; ; ) {
      const length = Math.min(buffer.length, this.#total - offset);
      const count = length === 0 ? 0 : await this.#file.read(buffer, 0, length, offset);
      const problem = await this.#parse(count, offset);
      await this.#compareKeys();
      await this.#tellFindings();
      if (problem !== undefined || count === 0) return problem;
      offset += count;
      this.#sink.progress(offset, this.#total);
    }
  }

  /** Of no bytes, the end. */
  async #parse(count: number, offset: number): Promise<JsonProblem | undefined> {
    try {
      if (count > 0) this.#parser.feed(this.#buffer, 0, count, offset);
      else this.#parser.finish(offset);
      return undefined;
    } catch (error) {
      if (error instanceof JsonProblem) return error;
      if (!(error instanceof KvdbError)) throw error;
      throw error.prefix(await this.#placed(this.#parser.entryAt));
    }
  }

  // ---- what the parser tells ----

  entry(): void {
    const { entry, entryAt } = this.#parser;
    entry.version = entry.type === "index" ? 0 : this.#revision;
    const isRefused = this.#isRefused;
    this.#isRefused = isRefused && entry.isContinued;
    if (isRefused) return;
    try {
      this.#sink.entry(entry);
    } catch (error) {
      const isKnown = error instanceof KvdbError && error.code === "DAMAGE";
      if (!isKnown || !this.#isLenient) throw error;
      const problem = new JsonProblem(entryAt, `an entry that can be kept: ${error.message}`);
      this.#find(problem, entryAt, this.#parser.offset);
      this.#isRefused = entry.isContinued;
    }
  }

  key(): void {
    if (this.#duplicates === undefined) return;
    const { entry, entryAt } = this.#parser;
    this.#duplicates.note(
      (entry.keyBytes as Buffer).subarray(entry.keyStart, entry.keyEnd),
      entryAt,
    );
  }

  database(): void {
    this.#duplicates?.clear();
  }

  complain(problem: JsonProblem): void {
    if (!this.#isLenient) throw problem;
    this.#find(problem, problem.offset, problem.offset);
  }

  skipped(): void {
    const { at, problem } = this.#skipping as { at: number; problem: JsonProblem };
    this.#skipping = undefined;
    this.#find(problem, at, this.#parser.offset);
  }

  // ---- keys that come twice ----

  async #compareKeys(): Promise<void> {
    if (this.#duplicates?.hasSuspected !== true) return;
    const found = await this.#duplicates.compare((offset) => this.#keyAt(offset));
    for (const { firstAt, againAt } of found) {
      if (!this.#isLenient) throw await this.#duplicate(firstAt, againAt);
      const problem = new JsonProblem(againAt, "each key only once");
      this.#find(problem, firstAt, firstAt, "; the later value is kept");
    }
  }

  async #duplicate(firstAt: number, againAt: number): Promise<KvdbError> {
    const first = await new TextPlaces(this.#file, this.#frontBytes).placeOf(firstAt);
    const expected = `each key only once: this one comes at ${first} already`;
    return await this.#damage(new JsonProblem(againAt, expected));
  }

  /** The key or index whose name begins at the offset, as a string that compares. */
  async #keyAt(start: number): Promise<string> {
    const name = new ByteBuilder(this.#total);
    const lexer = new JsonLexer(name);
    lexer.keep = KEEP_CONTENT;
    const buffer = Buffer.allocUnsafe(KEY_SLICE_BYTES);
    for (let offset = start; ; ) {
      const count = await this.#file.read(buffer, 0, buffer.length, offset);
      lexer.feed(buffer, 0, count, offset);
      if (lexer.next() !== NEED_MORE || count === 0) break;
      offset += count;
    }
    const keyStart = decodeKeyName(name);
    const text = name.bytes.toString("latin1", Number(keyStart), name.length);
    // No key has the character.
    return isIndexName(name) ? `\u{100}${text}` : text;
  }

  // ---- behind damage ----

  /** Where reading goes on; undefined: nowhere. */
  async #goOnBehind(problem: JsonProblem): Promise<number | undefined> {
    const parser = this.#parser;
    parser.endBrokenValue();
    if (this.#skipping === undefined && parser.isInEntry) {
      this.#skipping = { at: parser.entryAt, problem };
      parser.skipEntry();
      return parser.entryAt;
    }
    // Not even JSON: on to the next line.
    const broken = this.#skipping ?? { at: parser.brokenAt ?? problem.offset, problem };
    this.#skipping = undefined;
    const place = { at: broken.at, from: this.#resumedAt + 1, total: this.#total };
    const resumption = await findResumption(this.#file, parser, place);
    const end = resumption?.offset ?? this.#total;
    const database = resumption?.kind === "entry" ? resumption.database : undefined;
    const more = database === undefined ? "" : `; what follows is taken for database ${database}`;
    this.#find(broken.problem, broken.at, end, more);
    if (resumption === undefined) return undefined;
    if (resumption.kind === "entry") parser.resumeAtEntry(resumption.database);
    else if (resumption.kind === "database") parser.resumeAtDatabase();
    else parser.resumeAtMember();
    this.#resumedAt = end;
    return end;
  }

  // ---- telling ----

  #find(problem: JsonProblem, start: number, end: number, more = ""): void {
    if (this.#toldCount < MAX_TOLD) {
      this.#toldCount++;
      this.#findings.push({ problem, start, end, more });
      return;
    }
    this.#untoldCount++;
    this.#untoldBytes += end - start;
  }

  async #tellFindings(): Promise<void> {
    for (const { problem, start, end, more } of this.#findings.splice(0)) {
      const place = await this.#places.placeOf(problem.offset);
      const reason = `${place}: ${problem.message}${more}`;
      const file = this.#file.path;
      this.#dropped.push({ kind: "damage", file, offset: start, bytes: end - start, reason });
    }
  }

  #tellUntold(): void {
    if (this.#untoldCount === 0) return;
    const reason = `${this.#untoldCount} more of the kind`;
    const file = this.#file.path;
    this.#dropped.push({ kind: "damage", file, offset: 0, bytes: this.#untoldBytes, reason });
  }

  async #damage(problem: JsonProblem): Promise<KvdbError> {
    const place = await this.#placed(problem.offset);
    const remedy = "correct it, or start with --recover, which keeps every entry that can be read";
    return new KvdbError("DAMAGE", `${place}: ${problem.message}; ${remedy}`);
  }

  async #placed(offset: number): Promise<string> {
    return `${this.#file.path}:${await this.#places.placeOf(offset)}`;
  }
}

const KEY_SLICE_BYTES = 4096;
