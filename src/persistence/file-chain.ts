/**
 * The files that count while a log is written: the checkpoint, the sealed files behind it and the
 * active one, kept equal to the manifest. They change by beginning a file, by adopting a checkpoint
 * and by packing a file, one change at a time, in an order in which a stop between any two steps
 * leaves the old or the new state whole: new file, its name, the manifest, and only then its first
 * use and the end of what it replaces.
 *
 * What the files and the manifest look like is the plugin's: a `ChainForm`.
 */
import type { Files } from "../platform/files.ts";
import type { Log } from "../platform/log.ts";
import type { Revision } from "../plugin.ts";
import { closeAll } from "./folder-files.ts";
import type { LogKeeping } from "./log-keeping.ts";
import { type Kept, type LiveLog, LogManifest, type ManifestForm } from "./log-manifest.ts";
import type { LogChain, LogFile } from "./log-writer.ts";
import { UnneededFiles } from "./unneeded-files.ts";

/** What a plugin says of its files. `Entry`: one as its manifest has it. */
export interface ChainForm<Entry, Checkpoint, Active extends LogFile>
  extends ManifestForm<Entry, Checkpoint> {
  /** In the folder, as all names. */
  nameOf(entry: Entry): string;
  packedNameOf(number: number): string;
  /** Of what is on disk. */
  bytesOf(entry: Entry): number;
  /** Undefined: another program has written it, so its records have no revisions that stay. */
  firstRevisionOf(entry: Entry): Revision | undefined;
  /** While it is written. */
  entryOf(active: Active): Entry;
  /** When it is sealed, and so many bytes of it count. */
  sealedEntryOf(active: Active, bytes: number): Entry;
  /** A new file that is durable but for its name. */
  create(number: number, firstRevision: Revision): Promise<Active>;
  checkpointNameOf(checkpoint: Checkpoint): string;
  /** What the checkpoint covers, or its absence; undefined: nobody knows, so it covers no file. */
  coveredRevision(checkpoint: Checkpoint | undefined): Revision | undefined;
}

export interface ChainOptions<Entry, Checkpoint, Active extends LogFile> {
  readonly form: ChainForm<Entry, Checkpoint, Active>;
  readonly files: Files;
  readonly folder: string;
  readonly log: Log;
  /** How much of what a checkpoint covers stays. */
  readonly keeping: LogKeeping;
}

/** Where the log stands when writing begins. */
export interface ChainStart<Entry, Checkpoint, Active> {
  readonly checkpoint: Checkpoint | undefined;
  /** No file has a higher one. */
  readonly highestCheckpoint: number;
  /** All but the active one; how much of each counts is known, unless another program has written it. */
  readonly sealed: readonly Entry[];
  /** Before them, and covered by the checkpoint. */
  readonly kept: readonly Kept<Entry>[];
  /** The manifest says that somebody has followed the changes. */
  readonly followed: boolean;
  /** From which revision on no record is missing. */
  readonly firstWhole: Revision;
  readonly active: Active;
}

/** A file in the order of all. */
export interface FilePlace<Entry> {
  readonly entry: Entry;
  /** Where the next one begins; undefined: there is none yet. */
  readonly nextRevision: Revision | undefined;
}

export class FileChain<Entry, Checkpoint, Active extends LogFile> implements LogChain<Active> {
  readonly #options: ChainOptions<Entry, Checkpoint, Active>;
  readonly #form: ChainForm<Entry, Checkpoint, Active>;
  readonly #manifest: LogManifest<Entry, Checkpoint>;
  #checkpoint: Checkpoint | undefined;
  #highestCheckpoint: number;
  #kept: readonly Kept<Entry>[];
  #isFollowed: boolean;
  #firstWhole: Revision;
  #sealed: readonly Entry[] = [];
  #sealedBytes = 0;
  #active: Active;
  /** Settles with the change that is under way. */
  #changing: Promise<unknown> = Promise.resolve();
  /** Checkpoints that do not count and may have left a file, among others. */
  readonly #unneeded: UnneededFiles;

  constructor(
    options: ChainOptions<Entry, Checkpoint, Active>,
    start: ChainStart<Entry, Checkpoint, Active>,
  ) {
    this.#options = options;
    this.#form = options.form;
    this.#unneeded = new UnneededFiles(options);
    this.#checkpoint = start.checkpoint;
    this.#highestCheckpoint = start.highestCheckpoint;
    this.#active = start.active;
    this.#kept = start.kept;
    this.#isFollowed = start.followed;
    this.#firstWhole = start.firstWhole;
    this.#setSealed(start.sealed);
    const live = this.#live(this.#checkpoint, this.#current(), this.#kept);
    this.#manifest = new LogManifest(options.form, options.log, live);
  }

  get active(): Active {
    return this.#active;
  }

  get checkpoint(): Checkpoint | undefined {
    return this.#checkpoint;
  }

  get sealed(): readonly Entry[] {
    return this.#sealed;
  }

  /** Covered by the checkpoint, and still there. */
  get kept(): readonly Kept<Entry>[] {
    return this.#kept;
  }

  /** Those that count. */
  get fileCount(): number {
    return this.#sealed.length + 1;
  }

  /** Length of the log on disk, with what was prepared for it. Asked at each flush. */
  get fileBytes(): number {
    return this.#sealedBytes + Math.max(this.#active.end, this.#active.preparedEnd);
  }

  // ---- reading ----

  /** Every record from this revision on can be read. */
  get readableFrom(): Revision {
    const { firstRevisionOf } = this.#form;
    const first = this.#readable().find((entry) => firstRevisionOf(entry) !== undefined);
    const revision = first === undefined ? undefined : firstRevisionOf(first);
    return Math.max(revision ?? 0, this.#firstWhole, 1);
  }

  /** The file in which the records from `revision` on begin; undefined: it is gone. */
  fileWith(revision: Revision): FilePlace<Entry> | undefined {
    if (revision < this.readableFrom) return undefined;
    const all = this.#readable();
    return this.#place(
      all,
      all.findLastIndex((entry) => this.#beginsUpTo(entry, revision)),
    );
  }

  /** As it is now; undefined: it is gone. */
  file(number: number): FilePlace<Entry> | undefined {
    const all = this.#readable();
    return this.#place(all, all.findIndex(this.#hasNumber(number)));
  }

  #readable(): readonly Entry[] {
    return [...this.#kept, ...this.#current()];
  }

  #place(all: readonly Entry[], index: number): FilePlace<Entry> | undefined {
    const entry = all[index];
    if (entry === undefined) return undefined;
    const next = all[index + 1];
    return { entry, nextRevision: next && this.#form.firstRevisionOf(next) };
  }

  beginsUpTo(revision: Revision): boolean {
    return this.#beginsUpTo(this.#form.entryOf(this.#active), revision);
  }

  // ---- changes ----

  /** Records up to this one are in no file, and in a checkpoint alone: none before it leads on. */
  skipTo(revision: Revision): void {
    this.#firstWhole = Math.max(this.#firstWhole, revision + 1);
  }

  /**
   * Seals the active file at `sealedBytes` and begins the next; it repeats what came after
   * `keptRevision`.
   */
  begin(sealedBytes: number, keptRevision: Revision): Promise<void> {
    return this.#exclusively(() => this.#begin(sealedBytes, keptRevision));
  }

  /**
   * A checkpoint is durable: it counts from now on, and what it covers goes, files that have
   * nothing behind its revision and the checkpoint before; some of them stay for who reads the log.
   * `replacesAll`: no record before it leads to what is in it.
   */
  adopt(checkpoint: Checkpoint, replacesAll: boolean): Promise<void> {
    return this.#exclusively(() => this.#adopt(checkpoint, replacesAll));
  }

  /**
   * The bytes of a sealed file are in a packed one as well, and `repacked` is what the manifest is
   * to say of it: that counts from now on, and the other one goes. Unless a checkpoint has let the
   * file go meanwhile.
   */
  repack(number: number, repacked: (entry: Entry) => Entry): Promise<void> {
    return this.#exclusively(() => this.#repack(number, repacked));
  }

  /** The manifest says what counts now, also when that is what it said before. */
  restate(): Promise<void> {
    return this.#exclusively(() => this.#write(this.#checkpoint, this.#current()));
  }

  /** Somebody follows the changes: the next start shall know. Never rejects. */
  follow(): Promise<void> {
    if (this.#isFollowed) return Promise.resolve();
    this.#isFollowed = true;
    return this.restate().catch(
      // The next manifest says it as well.
      (error: unknown) =>
        this.#options.log.warn("that changes are followed is not on disk yet", {
          error: String(error),
        }),
    );
  }

  /** A number that no checkpoint had, for a file of this name; what attempts before have left is removed. */
  reserveCheckpoint(nameOf: (number: number) => string): Promise<number> {
    return this.#exclusively(() => this.#reserveCheckpoint(nameOf));
  }

  /** What counts was synced before: a close that fails loses nothing. */
  close(): Promise<void> {
    return this.#exclusively(() => closeAll([this.#active.synced, this.#active.plain]));
  }

  async #begin(sealedBytes: number, keptRevision: Revision): Promise<void> {
    const { form, files, folder } = this.#options;
    const old = this.#active;
    const fresh = await form.create(this.#nextNumber(), keptRevision + 1);
    const all = [...this.#withSealed(sealedBytes), form.entryOf(fresh)];
    const { counting, covered } = this.#divide(all, this.#checkpoint);
    const { stay, go } = this.#keep(covered);
    try {
      await files.syncFolder(folder);
      await this.#write(this.#checkpoint, counting, stay);
    } catch (error) {
      await closeAll([fresh.synced, fresh.plain]);
      throw error;
    }
    this.#kept = stay;
    this.#setSealed(counting.slice(0, -1));
    this.#active = fresh;
    await this.#unneeded.retire(old, sealedBytes);
    for (const entry of go) await this.#unneeded.remove(form.nameOf(entry));
  }

  async #adopt(checkpoint: Checkpoint, replacesAll: boolean): Promise<void> {
    const { coveredRevision, checkpointNameOf, nameOf } = this.#form;
    const name = checkpointNameOf(checkpoint);
    if (replacesAll) this.skipTo(coveredRevision(checkpoint) ?? 0);
    const { counting, covered } = this.#divide(this.#current(), checkpoint);
    const { stay, go } = this.#keep(covered);
    try {
      await this.#write(checkpoint, counting, stay);
    } catch (error) {
      // Else a disk that is full would fill up with checkpoints that nobody can name.
      const named = (await this.#manifest.read())?.live.checkpoint;
      if (named === undefined || checkpointNameOf(named) !== name)
        await this.#unneeded.removeNoted();
      throw error;
    }
    this.#unneeded.release(name);
    if (this.#checkpoint !== undefined) this.#unneeded.note(checkpointNameOf(this.#checkpoint));
    this.#checkpoint = checkpoint;
    this.#kept = stay;
    this.#setSealed(counting.slice(0, -1));
    for (const entry of go) await this.#unneeded.remove(nameOf(entry));
    await this.#unneeded.removeNoted();
  }

  async #repack(number: number, repacked: (entry: Entry) => Entry): Promise<void> {
    const { nameOf, packedNameOf } = this.#form;
    const isIt = this.#hasNumber(number);
    const plain = this.#sealed.find(isIt);
    if (plain === undefined) {
      await this.#unneeded.remove(packedNameOf(number));
      return;
    }
    const sealed = this.#sealed.map((entry) => (isIt(entry) ? repacked(entry) : entry));
    try {
      await this.#write(this.#checkpoint, [...sealed, this.#form.entryOf(this.#active)]);
    } catch (error) {
      const named = (await this.#manifest.read())?.live.files.find(isIt);
      const isPlain = named !== undefined && nameOf(named) === nameOf(plain);
      if (isPlain) await this.#unneeded.remove(packedNameOf(number));
      throw error;
    }
    this.#setSealed(sealed);
    await this.#unneeded.remove(nameOf(plain));
  }

  async #reserveCheckpoint(nameOf: (number: number) => string): Promise<number> {
    // What is in doubt may name a file that is about to be removed.
    if (!this.#manifest.isCertain) await this.#write(this.#checkpoint, this.#current());
    await this.#unneeded.removeNoted();
    const number = ++this.#highestCheckpoint;
    this.#unneeded.note(nameOf(number));
    return number;
  }

  /** One change after the other: each begins with what the one before has left. */
  #exclusively<Result>(change: () => Promise<Result>): Promise<Result> {
    const changed = this.#changing.then(change);
    this.#changing = Promise.allSettled([changed]);
    return changed;
  }

  // ---- what counts ----

  #write(
    checkpoint: Checkpoint | undefined,
    files: readonly Entry[],
    kept = this.#kept,
  ): Promise<void> {
    return this.#manifest.write(this.#live(checkpoint, files, kept));
  }

  #live(
    checkpoint: Checkpoint | undefined,
    files: readonly Entry[],
    kept: readonly Kept<Entry>[],
  ): LiveLog<Entry, Checkpoint> {
    return { checkpoint, files, kept, isFollowed: this.#isFollowed };
  }

  #current(): readonly Entry[] {
    return [...this.#sealed, this.#form.entryOf(this.#active)];
  }

  /**
   * What a checkpoint covers are the files before the last one that begins at or below its
   * revision: groups of theirs that the next one repeats do not count. Of files that are another's
   * nobody knows: they go with the first behind them that is not.
   */
  #divide(
    all: readonly Entry[],
    checkpoint: Checkpoint | undefined,
  ): { counting: readonly Entry[]; covered: readonly Entry[] } {
    const revision = this.#form.coveredRevision(checkpoint);
    if (revision === undefined) return { counting: all, covered: [] };
    const at = Math.max(
      0,
      all.findLastIndex((entry) => this.#beginsUpTo(entry, revision + 1)),
    );
    return { counting: all.slice(at), covered: all.slice(0, at) };
  }

  /** Which files that a checkpoint covers stay, those from before included, and which go. */
  #keep(covered: readonly Entry[]): { stay: readonly Kept<Entry>[]; go: readonly Entry[] } {
    const { keeping } = this.#options;
    const { firstRevisionOf, bytesOf } = this.#form;
    const coveredMs = keeping.now();
    const all = [...this.#kept, ...covered.map((entry) => ({ ...entry, coveredMs }))];
    // Another's records have no revisions that could be asked for: nothing before them leads on.
    const foreign = all.findLastIndex((entry) => firstRevisionOf(entry) === undefined);
    const isWhole = (entry: Entry) => (firstRevisionOf(entry) ?? 0) >= this.#firstWhole;
    const firstWhole = all.findIndex(isWhole);
    const sizes = all.map((entry) => ({ bytes: bytesOf(entry), coveredMs: entry.coveredMs }));
    const first = Math.max(
      foreign + 1,
      firstWhole < 0 ? all.length : firstWhole,
      keeping.firstToStay(sizes),
    );
    return { stay: all.slice(first), go: all.slice(0, first) };
  }

  #beginsUpTo(entry: Entry, revision: Revision): boolean {
    const first = this.#form.firstRevisionOf(entry);
    return first !== undefined && first <= revision;
  }

  #hasNumber(number: number): (entry: Entry) => boolean {
    return (entry) => this.#form.numberOf(entry) === number;
  }

  /**
   * A number that no manifest on disk may name, for its file would be another one. A number that
   * none names is used again, else a full disk would fill up with empty files.
   */
  #nextNumber(): number {
    const { numberOf, entryOf } = this.#form;
    return Math.max(numberOf(entryOf(this.#active)), this.#manifest.perhapsNamed) + 1;
  }

  #setSealed(sealed: readonly Entry[]): void {
    this.#sealed = sealed;
    this.#sealedBytes = sealed.reduce((sum, entry) => sum + this.#form.bytesOf(entry), 0);
  }

  /**
   * A file without a group that counts is left out: a disk that stays full must not fill the
   * manifest.
   */
  #withSealed(bytes: number): readonly Entry[] {
    if (bytes <= this.#active.headBytes) return this.#sealed;
    return [...this.#sealed, this.#form.sealedEntryOf(this.#active, bytes)];
  }
}
