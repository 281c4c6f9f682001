/**
 * The AOF while it is on: read at the start, appended to, rewritten. What is on disk is read by
 * recovery.ts; kvdb/persistence keeps its files, and makes durable what is written.
 */
import {
  type CheckpointReport,
  KvdbError,
  type LoadReport,
  type LoadSink,
  type PersistenceContext,
  type RecordBatch,
  type Revision,
} from "kvdb";
import {
  type ChainOptions,
  Compaction,
  type CompactionLimits,
  checkFolder,
  damageError,
  FileChain,
  type LogKeeping,
  LogPacker,
  LogWriter,
  randomSalt,
  readRecords,
  type SealedFile,
} from "kvdb/persistence";
import { type AofChain, baseBytes, chainForm, packedEntry } from "./chain-form.ts";
import type { AofTask } from "./checkpoint-writer.ts";
import { checkForm } from "./folder-check.ts";
import { type ActiveIncrement, createHead, createIncrement } from "./increment.ts";
import { highestIn, type Inventory, type InventoryOptions, takeInventory } from "./inventory.ts";
import { AofForm } from "./log-form.ts";
import {
  type BaseEntry,
  type IncrementEntry,
  type LiveFiles,
  readManifest,
  writeManifest,
} from "./manifest.ts";
import type { Settings } from "./options.ts";
import { packIncrement } from "./packed-writer.ts";
import { READING_FORM } from "./record-reading.ts";
import { recoverLog } from "./recovery.ts";

export interface AppendLogOptions {
  readonly context: PersistenceContext;
  readonly settings: Settings;
  readonly limits: CompactionLimits;
  readonly keeping: LogKeeping;
  /** Whether written batches are kept until they are durable. */
  readonly keepsUntilDurable: () => boolean;
  readonly hasStamps: () => boolean;
}

/**
 * An increment is compressed while the log is at most half as long as it may become: then the next
 * rewrite is as far away as the last one.
 */
const LONG_LIVED = 2;

export class AppendLog {
  readonly #options: AppendLogOptions;
  readonly #compaction: Compaction;
  #inventory: Inventory | undefined;
  #chain: AofChain | undefined;
  #writer: LogWriter<ActiveIncrement> | undefined;
  #packer: LogPacker<IncrementEntry> | undefined;
  /** It is being switched on: what the manifest says of all else until there is a base. */
  #before: LiveFiles | undefined;
  /** Behind the base that was loaded, if that is the last one. */
  #recordsLoaded = 0;
  #isStarted = false;

  constructor(options: AppendLogOptions) {
    this.#options = options;
    this.#compaction = this.#createCompaction();
  }

  get chain(): AofChain | undefined {
    return this.#chain;
  }

  get writer(): LogWriter<ActiveIncrement> | undefined {
    return this.#writer;
  }

  get isPacking(): boolean {
    return this.#packer?.isWorking === true;
  }

  get compactions(): Compaction["counters"] {
    return this.#compaction.counters;
  }

  async open(): Promise<void> {
    if (this.#isCheck) return;
    this.#inventory = await takeInventory(this.#folder);
  }

  async load(sink: LoadSink): Promise<LoadReport> {
    if (this.#isCheck) return checkFolder(this.#folder, checkForm(this.#folder), sink);
    const { keeping } = this.#options;
    const recovered = await recoverLog(this.#folder, this.#openInventory(), sink);
    const { report } = recovered;
    this.#recordsLoaded = report.records;
    const chain = new FileChain(this.#chainOptions(), recovered);
    this.#chain = chain;
    keeping.isFollowed ||= recovered.followed;
    this.#packer = this.#createPacker(chain);
    this.#writer = this.#createWriter(chain, report.lastRevision);
    this.#begin();
    this.#packer.consider();
    this.#replaceDamaged(report);
    return report;
  }

  /** Whether kvdb has left an append-only file here that counts; another's is left alone, as Redis does. */
  async isThere(): Promise<boolean> {
    const { context, settings } = this.#options;
    const manifest = await readManifest(context.files, settings.names.manifestPath);
    if (manifest.kind !== "intact") return manifest.kind === "damaged";
    return manifest.isOwn && manifest.live.standing === undefined;
  }

  /** Reads what is there, and changes nothing of it. */
  read(sink: LoadSink): Promise<LoadReport> {
    return checkFolder(this.#folder, checkForm(this.#folder), sink);
  }

  /** A save has taken its place: from now on nothing of it counts. */
  async retire(): Promise<void> {
    if (this.#chain !== undefined) return this.#retireBefore(this.#chain);
    const { context, settings } = this.#options;
    const { manifestPath } = settings.names;
    const manifest = await readManifest(context.files, manifestPath);
    if (manifest.kind !== "intact") return;
    await writeManifest(context.files, manifestPath, { ...manifest.live, standing: "off" });
  }

  async #retireBefore(chain: AofChain): Promise<void> {
    if (this.#before === undefined || chain.checkpoint !== undefined) return;
    this.#before = { ...this.#before, standing: "off" };
    await chain.restate();
  }

  /**
   * It is to be switched on: makes ready what the records will go into. Nothing of it counts before the
   * first rewrite is there; what is in the folder till then stays as it is.
   */
  async prepare(): Promise<void> {
    const { context, settings, keeping } = this.#options;
    const { files, lastRevision } = context;
    const { names } = settings;
    this.#before = await this.#whatCounts();
    const { highest } = await highestIn(files, names);
    const head = createHead(highest.increment + 1, lastRevision + 1);
    const active = await createIncrement(files, names, head);
    await files.syncFolder(names.folder);
    const none = { sealed: [], kept: [], firstWhole: head.firstRevision, active };
    const followed = keeping.isFollowed;
    const start = { checkpoint: undefined, highestCheckpoint: highest.base, ...none, followed };
    this.#chain = new FileChain(this.#chainOptions(), start);
    this.#packer = this.#createPacker(this.#chain);
    await this.#chain.restate();
  }

  /** While it is off: what a manifest is to say until the first rewrite is there. */
  async #whatCounts(): Promise<LiveFiles> {
    const { context, settings } = this.#options;
    const { manifestPath } = settings.names;
    const manifest = await readManifest(context.files, manifestPath);
    if (manifest.kind === "damaged") throw damageError(`${manifestPath}: ${manifest.reason}`);
    if (manifest.kind === "missing") return { increments: [], history: [], standing: "new" };
    if (manifest.isOwn) return manifest.live;
    // Of Redis, which would not read it either.
    const hasRdb = await context.files.exists(settings.rdbPath);
    return { ...manifest.live, standing: hasRdb ? "off" : "new" };
  }

  append(batch: RecordBatch): void {
    (this.#writer as LogWriter<ActiveIncrement>).append(batch);
  }

  flush(durable: boolean): Promise<void> {
    return (this.#writer as LogWriter<ActiveIncrement>).flush(durable);
  }

  /** A rewrite begins: from here on records go into an increment of their own. */
  async beginRewrite(revision: Revision, isRdb: boolean): Promise<AofTask> {
    const chain = this.#chain as AofChain;
    // Switched on just now: records begin here, and this is still the moment of the boundary.
    if (this.#writer === undefined) {
      chain.skipTo(revision);
      this.#writer = this.#createWriter(chain, revision);
    } else await this.#writer.splitBehind(revision);
    await this.#packer?.passOver(chain.active.sequence);
    const { names } = this.#options.settings;
    const sequence = await chain.reserveCheckpoint((number) => names.base(number, isRdb));
    const name = names.base(sequence, isRdb);
    const path = names.path(name);
    return { kind: "base", name, path, sequence, isRdb, salt: randomSalt(), revision };
  }

  async rewritten(report: CheckpointReport): Promise<void> {
    const { bytes, detail, durationMs, replacesAll = false } = report;
    const { name, sequence, revision, isRdb, salt } = detail as AofTask & { kind: "base" };
    const own = { revision, bytes, ...(isRdb ? {} : { salt }) };
    await (this.#chain as AofChain).adopt({ name, sequence, own }, replacesAll);
    await (this.#writer as LogWriter<ActiveIncrement>).cover(revision);
    this.#recordsLoaded = 0;
    if (!this.#isStarted) this.#begin();
    this.#compaction.checkpointed(durationMs);
    this.#packer?.consider();
  }

  /** The records from `from` on, as far as they are as durable as promised. */
  readRecords(from: Revision): AsyncIterable<RecordBatch> {
    const { context, settings } = this.#options;
    const { files, clock } = context;
    const chain = this.#chain as AofChain;
    const promisedEnd = () => this.#writer?.promisedEnd ?? 0;
    const { folder } = settings.names;
    return readRecords({ files, folder, clock, chain, form: READING_FORM, promisedEnd }, from);
  }

  async close(): Promise<void> {
    this.#compaction.stop();
    await this.#packer?.stop();
    const writer = this.#writer;
    this.#writer = undefined;
    if (writer === undefined) await this.#chain?.close();
    await writer?.close();
  }

  #begin(): void {
    this.#isStarted = true;
    this.#compaction.start();
  }

  #createWriter(chain: AofChain, lastRevision: Revision): LogWriter<ActiveIncrement> {
    const { context, settings, keepsUntilDurable, hasStamps } = this.#options;
    return new LogWriter({
      chain,
      form: new AofForm({ segmentBytes: settings.segmentBytes, hasStamps }),
      log: context.log,
      lastRevision,
      keepsUntilDurable,
      onGrown: () => this.#compaction.grown(),
      onSealed: () => this.#packer?.consider(),
    });
  }

  /** Damage that was put aside is still in the files: without a rewrite the next start would refuse it. */
  #replaceDamaged({ dropped }: LoadReport): void {
    const { context } = this.#options;
    if (!dropped.some(({ kind }) => kind === "damage")) return;
    context.requestCheckpoint("a repair", "compact").catch((error: unknown) => {
      const told = "what was damaged is still on disk: the next start needs --recover too";
      context.log.warn(told, { error: String(error) });
    });
  }

  #createPacker(chain: AofChain): LogPacker<IncrementEntry> {
    const { context, settings, limits } = this.#options;
    const { files, clock, log } = context;
    const { names, level } = settings;
    return new LogPacker({
      ...{ clock, log, level },
      sealed: () => chain.sealed,
      describe: sealedFileOf,
      isLongLived: () =>
        chain.fileBytes * LONG_LIVED < limits.longestLog(baseBytes(chain.checkpoint)),
      pack: async (entry, proceed) => {
        const packedBytes = await packIncrement({ files, names, entry, level, proceed });
        const name = names.packed(entry.sequence);
        await chain.repack(entry.sequence, (plain) => packedEntry(plain, name, packedBytes));
      },
    });
  }

  #createCompaction(): Compaction {
    const { context, limits } = this.#options;
    const { clock, log } = context;
    const state = {
      logBytes: () => this.#chain?.fileBytes ?? 0,
      checkpointBytes: () => baseBytes(this.#chain?.checkpoint),
      hasChanged: () => this.#recordsLoaded > 0 || this.#hasAppended(),
    };
    const requestCheckpoint = (reason: string) => context.requestCheckpoint(reason, "compact");
    return new Compaction({ limits, clock, log, state, requestCheckpoint });
  }

  #hasAppended(): boolean {
    return (this.#writer?.lastRevision ?? 0) > (this.#chain?.checkpoint?.own?.revision ?? 0);
  }

  #chainOptions(): ChainOptions<IncrementEntry, BaseEntry, ActiveIncrement> {
    const { context, settings, keeping } = this.#options;
    const { files, log } = context;
    const { names } = settings;
    const form = chainForm(files, names, () => this.#before);
    return { form, files, folder: names.folder, log, keeping };
  }

  get #folder(): InventoryOptions {
    const { context, settings } = this.#options;
    const { files, folder, purpose, isNewFolder, clock, log } = context;
    const { names, oldPath, rdbPath } = settings;
    return { files, folder, purpose, isNewFolder, clock, log, names, oldPath, rdbPath };
  }

  get #isCheck(): boolean {
    return this.#options.context.purpose.kind === "check";
  }

  #openInventory(): Inventory {
    if (this.#inventory === undefined) throw new KvdbError("INTERNAL", "aof: load before open");
    return this.#inventory;
  }
}

/** What Redis has written stays as it is. */
function sealedFileOf({ sequence, name, own }: IncrementEntry): SealedFile {
  const isPackable = own !== undefined && own.packedBytes === undefined;
  return { number: sequence, name, bytes: own?.bytes ?? 0, isPackable };
}
