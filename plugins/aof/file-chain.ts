/**
 * The files that count while the log is written: the base, the sealed increments behind it and the
 * active one, kept equal to the manifest. They change by beginning an increment, by adopting a base
 * and by packing an increment, one change at a time, in an order in which a stop between any two
 * steps leaves the old or the new state whole: new file, its name, the manifest, and only then its
 * first use and the end of what it replaces.
 */
import type { Files, Log, Revision } from "kvdb";
import { closeAll, type LogChain, type LogKeeping } from "kvdb/persistence";
import { type ActiveIncrement, createHead, createIncrement, entryOf } from "./increment.ts";
import {
  type BaseEntry,
  type FileNames,
  type IncrementEntry,
  type KeptIncrement,
  type LiveFiles,
  manifestText,
  type OwnIncrement,
  readManifest,
  writeManifest,
} from "./manifest.ts";

export interface ChainOptions {
  readonly files: Files;
  readonly names: FileNames;
  readonly log: Log;
  /** How much of what a base covers stays. */
  readonly keeping: LogKeeping;
}

/** Where the log stands when writing begins. */
export interface ChainStart {
  readonly base: BaseEntry | undefined;
  /** No file has a higher one. */
  readonly highestBase: number;
  /** Nothing counts before a base was adopted: what the manifest says till then of all else. */
  readonly before?: LiveFiles;
  /** All but the active one; each of kvdb with its `bytes`. */
  readonly sealed: readonly IncrementEntry[];
  /** Before them, and covered by the base. */
  readonly kept: readonly KeptIncrement[];
  /** The manifest says that somebody has followed the changes. */
  readonly followed: boolean;
  /** From which revision on no record is missing. */
  readonly firstWhole: Revision;
  readonly active: ActiveIncrement;
}

export class FileChain implements LogChain<ActiveIncrement> {
  readonly #options: ChainOptions;
  #base: BaseEntry | undefined;
  #highestBase: number;
  #kept: readonly KeptIncrement[];
  #isFollowed: boolean;
  #firstWhole: Revision;
  #sealed: readonly IncrementEntry[] = [];
  #sealedBytes = 0;
  #active: ActiveIncrement;
  /** Settles with the change that is under way. */
  #changing: Promise<unknown> = Promise.resolve();
  /** Bases that do not count and may have left a file. */
  #unused: string[] = [];
  /** The manifest that was written last and is durable. */
  #written: string;
  /**
   * False when a manifest was put in its place and could not be made durable: either may be there
   * after a power loss. The same holds for each that follows and fails; the highest increment that any
   * of them names is kept, for its file must stay as it is.
   */
  #isCertain = true;
  #perhapsNamed = 0;
  #before: LiveFiles | undefined;

  constructor(options: ChainOptions, start: ChainStart) {
    this.#options = options;
    this.#base = start.base;
    this.#highestBase = start.highestBase;
    this.#active = start.active;
    this.#kept = start.kept;
    this.#isFollowed = start.followed;
    this.#firstWhole = start.firstWhole;
    this.#before = start.before;
    this.#setSealed(start.sealed);
    this.#written = manifestText(this.#live(this.#base, this.#current(), this.#kept));
  }

  get active(): ActiveIncrement {
    return this.#active;
  }

  get base(): BaseEntry | undefined {
    return this.#base;
  }

  get sealed(): readonly IncrementEntry[] {
    return this.#sealed;
  }

  /** Covered by the base, and still there. */
  get kept(): readonly KeptIncrement[] {
    return this.#kept;
  }

  /** Every record from this revision on can be read. */
  get readableFrom(): Revision {
    const first = this.#readable().find(({ own }) => own !== undefined);
    return Math.max(first?.own?.firstRevision ?? 0, this.#firstWhole, 1);
  }

  /** The increment in which the records from `revision` on begin; undefined: it is gone. */
  incrementWith(revision: Revision): IncrementPlace | undefined {
    if (revision < this.readableFrom) return undefined;
    const all = this.#readable();
    return place(
      all,
      all.findLastIndex(({ own }) => own !== undefined && own.firstRevision <= revision),
    );
  }

  /** As it is now; undefined: it is gone. */
  increment(sequence: number): IncrementPlace | undefined {
    const all = this.#readable();
    return place(
      all,
      all.findIndex((entry) => entry.sequence === sequence),
    );
  }

  #readable(): readonly IncrementEntry[] {
    return [...this.#kept, ...this.#current()];
  }

  /** Records up to this one are in no increment, and in a base alone: none before it leads on. */
  skipTo(revision: Revision): void {
    this.#firstWhole = Math.max(this.#firstWhole, revision + 1);
  }

  get incrementCount(): number {
    return this.#sealed.length + 1;
  }

  get packedCount(): number {
    return this.#sealed.filter(({ own }) => own?.packedBytes !== undefined).length;
  }

  /** Length of the log on disk. Asked at each flush. */
  get fileBytes(): number {
    return this.#sealedBytes + this.#active.end;
  }

  /** Length of the base on disk. */
  get baseBytes(): number {
    return this.#base?.own?.bytes ?? this.#base?.size ?? 0;
  }

  /**
   * Seals the active increment at `sealedBytes` and begins the next; it repeats what came after
   * `keptRevision`.
   */
  begin(sealedBytes: number, keptRevision: Revision): Promise<void> {
    return this.#exclusively(() => this.#begin(sealedBytes, keptRevision));
  }

  /**
   * A base is durable: it counts from now on, and what it covers goes, increments that have
   * nothing behind its revision and the base before; some of them stay for who reads the log.
   * `replacesAll`: no record before it leads to what is in it.
   */
  adopt(base: BaseEntry, replacesAll: boolean): Promise<void> {
    return this.#exclusively(() => this.#adopt(base, replacesAll));
  }

  /**
   * The bytes of a sealed increment are in a packed file as well, which is so long: it counts from
   * now on, and the other one goes. Unless a base has let the increment go meanwhile.
   */
  repack(sequence: number, packedBytes: number): Promise<void> {
    return this.#exclusively(() => this.#repack(sequence, packedBytes));
  }

  /** Names the active increment, of which nothing counts yet. */
  announce(): Promise<void> {
    return this.#exclusively(() => this.#write(undefined, this.#current()));
  }

  /** A save has taken the place of what counted before; nothing does until a base is adopted. */
  retireBefore(): Promise<void> {
    return this.#exclusively(async () => {
      if (this.#before === undefined) return;
      this.#before = { ...this.#before, standing: "off" };
      await this.#write(this.#base, this.#current());
    });
  }

  /** Somebody follows the changes: the next start shall know. Never rejects. */
  follow(): Promise<void> {
    if (this.#isFollowed) return Promise.resolve();
    this.#isFollowed = true;
    return this.#exclusively(() => this.#write(this.#base, this.#current())).catch(
      // The next manifest says it as well.
      (error: unknown) =>
        this.#options.log.warn("that changes are followed is not on disk yet", {
          error: String(error),
        }),
    );
  }

  /** A name that no base had; what attempts before have left is removed. */
  reserveBase(isRdb: boolean): Promise<{ name: string; sequence: number }> {
    return this.#exclusively(() => this.#reserveBase(isRdb));
  }

  /** What counts was synced before: a close that fails loses nothing. */
  close(): Promise<void> {
    return this.#exclusively(() => closeAll([this.#active.synced, this.#active.plain]));
  }

  async #begin(sealedBytes: number, keptRevision: Revision): Promise<void> {
    const { files, names } = this.#options;
    const old = this.#active;
    const head = createHead(this.#nextSequence(), keptRevision + 1);
    const fresh = await createIncrement(files, names, head);
    const all = [...this.#withSealed(sealedBytes), entryOf(fresh)];
    const { counting, covered } = divide(all, this.#base);
    const { stay, go } = this.#keep(covered);
    try {
      await files.syncFolder(names.folder);
      await this.#write(this.#base, counting, stay);
    } catch (error) {
      await closeAll([fresh.synced, fresh.plain]);
      throw error;
    }
    this.#kept = stay;
    this.#setSealed(counting.slice(0, -1));
    this.#active = fresh;
    await this.#retire(old, sealedBytes);
    for (const { name } of go) await this.#remove(name);
  }

  async #adopt(base: BaseEntry, replacesAll: boolean): Promise<void> {
    const { name } = base;
    if (replacesAll) this.skipTo(base.own?.revision ?? 0);
    const { counting, covered } = divide(this.#current(), base);
    const { stay, go } = this.#keep(covered);
    try {
      await this.#write(base, counting, stay);
    } catch (error) {
      // Else a disk that is full would fill up with bases that nobody can name.
      if ((await this.#readNamed())?.base?.name !== name) await this.#removeUnused();
      throw error;
    }
    const replaced = this.#base === undefined ? [] : [this.#base.name];
    this.#unused = [...this.#unused.filter((unused) => unused !== name), ...replaced];
    this.#base = base;
    this.#before = undefined;
    this.#kept = stay;
    this.#setSealed(counting.slice(0, -1));
    for (const { name } of go) await this.#remove(name);
    await this.#removeUnused();
  }

  /** Which increments that a base covers stay, those from before included, and which go. */
  #keep(covered: readonly IncrementEntry[]): Kept {
    const { keeping } = this.#options;
    const coveredMs = keeping.now();
    const isKept = (entry: IncrementEntry): entry is KeptIncrement => entry.own !== undefined;
    const all = [...this.#kept, ...covered.map((entry) => ({ ...entry, coveredMs }))];
    // What a Redis has written has no revisions that could be asked for: nothing before it leads on.
    const foreign = all.findLastIndex((entry) => !isKept(entry));
    const isWhole = ({ own }: IncrementEntry) => (own?.firstRevision ?? 0) >= this.#firstWhole;
    const firstWhole = all.findIndex(isWhole);
    const sizes = all.map(({ own, size = 0, coveredMs }) => ({
      bytes: own?.packedBytes ?? own?.bytes ?? size,
      coveredMs,
    }));
    const first = Math.max(
      foreign + 1,
      firstWhole < 0 ? all.length : firstWhole,
      keeping.firstToStay(sizes),
    );
    return { stay: all.slice(first).filter(isKept), go: all.slice(0, first) };
  }

  async #repack(sequence: number, packedBytes: number): Promise<void> {
    const { names } = this.#options;
    const isIt = (entry: IncrementEntry) => entry.sequence === sequence;
    const [plainName, packedName] = [names.increment(sequence), names.packed(sequence)];
    if (!this.#sealed.some(isIt)) {
      await this.#remove(packedName);
      return;
    }
    const repacked = (entry: IncrementEntry): IncrementEntry => {
      const own = { ...(entry.own as OwnIncrement), packedBytes };
      return { ...entry, name: packedName, own };
    };
    const sealed = this.#sealed.map((entry) => (isIt(entry) ? repacked(entry) : entry));
    try {
      await this.#write(this.#base, [...sealed, entryOf(this.#active)]);
    } catch (error) {
      const named = (await this.#readNamed())?.increments.find(isIt);
      if (named?.name === plainName) await this.#remove(packedName);
      throw error;
    }
    this.#setSealed(sealed);
    await this.#remove(plainName);
  }

  async #reserveBase(isRdb: boolean): Promise<{ name: string; sequence: number }> {
    // What is in doubt may name a file that is about to be removed.
    if (!this.#isCertain) {
      await this.#write(this.#base, this.#current());
    }
    await this.#removeUnused();
    const sequence = ++this.#highestBase;
    const name = this.#options.names.base(sequence, isRdb);
    this.#unused.push(name);
    return { name, sequence };
  }

  /** One change after the other: each begins with what the one before has left. */
  #exclusively<Result>(change: () => Promise<Result>): Promise<Result> {
    const changed = this.#changing.then(change);
    this.#changing = Promise.allSettled([changed]);
    return changed;
  }

  async #write(
    base: BaseEntry | undefined,
    increments: readonly IncrementEntry[],
    kept = this.#kept,
  ): Promise<void> {
    const { files, names } = this.#options;
    const pending = base === undefined ? this.#pending(increments) : undefined;
    const live = pending ?? this.#live(base, increments, kept);
    try {
      await writeManifest(files, names.manifestPath, live);
      this.#written = manifestText(live);
      this.#isCertain = true;
      this.#perhapsNamed = 0;
    } catch (error) {
      await this.#doubt(live);
      throw error;
    }
  }

  /** What the manifest says while nothing of the chain counts: its increments are there, and that is all. */
  #pending(increments: readonly IncrementEntry[]): LiveFiles | undefined {
    if (this.#before === undefined) return undefined;
    const names = increments.map(({ name }) => name);
    return { ...this.#before, history: [...this.#before.history, ...names] };
  }

  /** This manifest could not be written. It is in doubt unless the one before is still in place. */
  async #doubt(live: LiveFiles): Promise<void> {
    const seen = await this.#readNamed();
    const isInPlace = seen !== undefined && manifestText(seen) === this.#written;
    if (isInPlace && this.#isCertain) return;
    this.#isCertain = false;
    const { increments } = seen ?? live;
    this.#perhapsNamed = Math.max(this.#perhapsNamed, increments.at(-1)?.sequence ?? 0);
  }

  #live(
    base: BaseEntry | undefined,
    increments: readonly IncrementEntry[],
    kept: readonly KeptIncrement[],
  ): LiveFiles {
    const followed = this.#isFollowed;
    return { ...(base && { base }), increments, history: [], kept, followed };
  }

  #current(): readonly IncrementEntry[] {
    return [...this.#sealed, entryOf(this.#active)];
  }

  /** What the manifest says that is on disk now; undefined when it does not say. */
  async #readNamed(): Promise<LiveFiles | undefined> {
    const { files, names, log } = this.#options;
    try {
      const manifest = await readManifest(files, names.manifestPath);
      return manifest.kind === "intact" ? manifest.live : undefined;
    } catch (error) {
      log.warn("the manifest cannot be read", { error: String(error) });
      return undefined;
    }
  }

  /**
   * A number that no manifest on disk may name, for its file would be another one. A number that
   * none names is used again, else a full disk would fill up with empty increments.
   */
  #nextSequence(): number {
    return Math.max(this.#active.sequence, this.#perhapsNamed) + 1;
  }

  #setSealed(sealed: readonly IncrementEntry[]): void {
    this.#sealed = sealed;
    this.#sealedBytes = sealed.reduce(
      (sum, { own, size = 0 }) => sum + (own?.packedBytes ?? own?.bytes ?? size),
      0,
    );
  }

  /**
   * An increment without a group that counts is left out: a disk that stays full must not fill the
   * manifest.
   */
  #withSealed(bytes: number): readonly IncrementEntry[] {
    if (bytes <= this.#active.headBytes) return this.#sealed;
    const entry = entryOf(this.#active);
    return [...this.#sealed, { ...entry, own: { ...(entry.own as OwnIncrement), bytes } }];
  }

  /**
   * Gives back what lies behind the end. Of no consequence for the log: reading stops at `bytes`
   * anyway.
   */
  async #retire(old: ActiveIncrement, sealedBytes: number): Promise<void> {
    const { files, log } = this.#options;
    try {
      if (sealedBytes > old.headBytes) await old.plain.truncate(sealedBytes);
      else await files.remove(old.path);
    } catch (error) {
      const fields = { file: old.path, error: String(error) };
      log.warn("unused bytes of an increment stay on disk", fields);
    }
    await closeAll([old.synced, old.plain]);
  }

  async #removeUnused(): Promise<void> {
    const unused = this.#unused;
    this.#unused = [];
    for (const name of unused) {
      if (!(await this.#remove(name))) this.#unused.push(name);
    }
  }

  /** What the manifest does not name is removed at the next start when it stays now. */
  async #remove(name: string): Promise<boolean> {
    const { files, names, log } = this.#options;
    try {
      await files.remove(names.path(name));
      return true;
    } catch (error) {
      log.warn("a file that is not needed any more stays", { file: name, error: String(error) });
      return false;
    }
  }
}

/** An increment in the order of all. */
export interface IncrementPlace {
  /** Without `own.bytes`: it is the one that is written. */
  readonly entry: IncrementEntry;
  /** Where the next one begins. */
  readonly nextRevision: Revision | undefined;
}

function place(all: readonly IncrementEntry[], index: number): IncrementPlace | undefined {
  const entry = all[index];
  return entry && { entry, nextRevision: all[index + 1]?.own?.firstRevision };
}

interface Kept {
  readonly stay: readonly KeptIncrement[];
  readonly go: readonly IncrementEntry[];
}

/**
 * What a base covers are the increments before the last one that begins at or below its
 * revision: groups of theirs that the next one repeats do not count.
 */
function divide(
  increments: readonly IncrementEntry[],
  base: BaseEntry | undefined,
): { counting: readonly IncrementEntry[]; covered: readonly IncrementEntry[] } {
  const revision = base?.own?.revision ?? 0;
  const isCovered = ({ own }: IncrementEntry) => (own?.firstRevision ?? 0) <= revision + 1;
  // Of files that are not of kvdb nobody knows: they go with the first of kvdb's behind them.
  const first = increments.findLastIndex((entry) => entry.own !== undefined && isCovered(entry));
  const at = base?.own === undefined ? 0 : Math.max(0, first);
  return { counting: increments.slice(at), covered: increments.slice(0, at) };
}
