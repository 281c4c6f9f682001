/**
 * The worker's half of CHECK: the folder, loaded anew into an engine of its own with nothing on disk changed, against an
 * image of the memory. Entries that were over when the image was taken count as gone on both sides.
 */

import { ValueFingerprint } from "../backup/value-fingerprint.ts";
import { keyspaceDigest } from "../commands/digest.ts";
import { asKvdbError } from "../errors.ts";
import type { Clock } from "../platform/clock.ts";
import type { Files } from "../platform/files.ts";
import { silentLog } from "../platform/log.ts";
import { systemRandom } from "../platform/random.ts";
import { readOnlyFiles } from "../platform/read-only-files.ts";
import type {
  Dropped,
  EntryReader,
  LoadReport,
  PersistenceContext,
  Revision,
  StoredEntry,
} from "../plugin.ts";
import type { StoreReport } from "../session/server.ts";
import { type Arena, CHUNK_SHIFT, sameBytes } from "../store/arena.ts";
import type { Database } from "../store/database.ts";
import { ElementPart } from "../store/element-part.ts";
import { deadlineOf, ENTRY_TYPES, isText, typeOf, valueAt, valueWord } from "../store/entry.ts";
import { EntryWalk } from "../store/entry-walk.ts";
import { shownKey } from "../store/shown-key.ts";
import type { ValueTypes } from "../store/value-types.ts";
import type { AnyPlugin } from "./builtins.ts";
import { Engine } from "./engine.ts";
import { Loading } from "./loading.ts";

export interface Comparison {
  readonly plugin: AnyPlugin;
  readonly options: unknown;
  readonly folder: string;
  readonly databases: number;
  /** What the disk has to have. */
  readonly revision: Revision;
  /** False: the memory is known to have more than the disk, so only what can be read is reported. */
  readonly compares: boolean;
  readonly files: Files;
  readonly clock: Clock;
  /** Throws when nobody wants the answer any more. */
  proceed(): void;
}

/** Keys that differ are named up to so many. */
const SHOWN_KEYS = 10;
/** Entries between two questions whether to go on. */
const SLICE_ENTRIES = 65_536;

export async function compareStore(
  memory: EntryReader,
  comparison: Comparison,
): Promise<Omit<StoreReport, "unsaved">> {
  const { report, problems, digest } = await compareFolder(memory, comparison);
  return {
    revision: comparison.revision,
    entries: memory.keyCount,
    records: report?.records ?? 0,
    bytes: report?.bytes ?? 0,
    digest,
    problems,
  };
}

export interface FolderComparison {
  /** Undefined: the load gave up, and the problem says why. */
  readonly report: LoadReport | undefined;
  /** A line each; empty: the disk has what the memory has. */
  readonly problems: readonly string[];
  /** Of what is on disk. */
  readonly digest: string;
}

export async function compareFolder(
  memory: EntryReader,
  comparison: Comparison,
): Promise<FolderComparison> {
  const engine = createEngine(comparison);
  const { report, problems } = await load(engine, comparison);
  const { keyspace } = engine;
  if (comparison.compares && report !== undefined) {
    keyspace.nowMs = memory.timeMs;
    keyspace.noteRevision();
    problems.push(...differences(memory, engine, comparison));
  }
  return { report, problems, digest: keyspaceDigest(keyspace) };
}

function createEngine({ clock, databases }: Comparison): Engine {
  const secrets = { password: "", maxMemoryBytes: 0 };
  return new Engine({ databases, ...secrets, clock, random: systemRandom, log: silentLog });
}

async function load(
  engine: Engine,
  comparison: Comparison,
): Promise<{ report: LoadReport | undefined; problems: string[] }> {
  const { plugin, options } = comparison;
  const persistence = plugin.persistence?.(options as never, contextOf(comparison));
  if (persistence === undefined) throw new TypeError("the plugin brings no persistence");
  const { folder, clock, proceed } = comparison;
  const purpose = { kind: "check" } as const;
  const view = { progress: () => {}, indexing: () => {}, end: () => {} };
  const loading = new Loading({ engine, purpose, folder, clock, heedStop: proceed, view });
  try {
    await persistence.open();
    const { report } = await loading.run(persistence, plugin.name);
    engine.finishReplay();
    return { report, problems: report.dropped.filter(isProblem).map(describe) };
  } catch (error) {
    proceed(); // that nobody wants the answer is no problem of the folder
    return { report: undefined, problems: [asKvdbError(error).message] };
  } finally {
    await persistence.close();
  }
}

/** What kvdb has not synced yet is no problem: it is asked for up to a revision that is there. */
function isProblem({ kind }: Dropped): boolean {
  return kind === "damage";
}

function describe({ file, offset, bytes, reason }: Dropped): string {
  return `${file}: ${bytes} bytes at offset ${offset}: ${reason}`;
}

/** A persistence that only reads needs no more than this. */
function contextOf({ folder, files, clock, revision }: Comparison): PersistenceContext {
  return {
    folder,
    // The one that serves writes to them; a plugin that does not know this purpose must not.
    files: readOnlyFiles(files),
    clock,
    log: silentLog,
    purpose: { kind: "check", upTo: revision },
    isNewFolder: true,
    lastRevision: 0,
    unsavedChanges: 0,
    addParameter: () => {},
    addInfo: () => {},
    onReload: () => () => {},
    requestCheckpoint: () => Promise.reject(new Error("nothing is written during a check")),
  };
}

function differences(memory: EntryReader, engine: Engine, { proceed }: Comparison): string[] {
  const { databases, arena } = engine.keyspace;
  const values = new ValueComparison(arena, engine.keyspace.collections.types);
  const definitions = databases.map((database) => engine.keyspace.definitionsOf(database));
  const found: string[] = [];
  let count = 0;
  let keys = 0;
  let indexes = 0;
  let different = 0;
  while (memory.next()) {
    if (++count % SLICE_ENTRIES === 0) proceed();
    const { entry } = memory;
    if (entry.type === "index") {
      indexes++;
      found.push(...definitionDifference(entry, definitions[entry.database]));
      continue;
    }
    values.take(entry);
    if (entry.isContinued) continue;
    keys++;
    const reason = difference(entry, databases[entry.database], values);
    if (reason !== "" && different++ < SHOWN_KEYS) found.push(reason);
  }
  if (different > SHOWN_KEYS) found.push(`${different - SHOWN_KEYS} more keys differ`);
  const onDisk = new EntryWalk(arena);
  let stored = 0;
  while (onDisk.next()) {
    if (onDisk.entry.type !== "index" && !onDisk.entry.isContinued) stored++;
  }
  if (stored !== keys) found.push(`${stored} keys are on disk, ${keys} in memory`);
  const defined = definitions.reduce((sum, { size }) => sum + size, 0);
  if (defined !== indexes) {
    found.push(`${defined} indexes are defined on disk, ${indexes} in memory`);
  }
  return found;
}

/** None: the disk has the same. There are few of them, so all that differ are named. */
function definitionDifference(
  { database, keyBytes, keyStart, keyEnd, valueBytes, valueStart, valueEnd }: StoredEntry,
  onDisk: ReadonlyMap<string, string>,
): string[] {
  const stored = onDisk.get(keyBytes.toString("latin1", keyStart, keyEnd));
  if (stored === valueBytes.toString("utf8", valueStart, valueEnd)) return [];
  const what = stored === undefined ? "not on disk" : "another definition on disk";
  return [`database ${database}, index ${shownKey(keyBytes, keyStart, keyEnd)}: ${what}`];
}

/** Empty: the disk has the same. `values` has taken all of the value. */
function difference(entry: StoredEntry, database: Database, values: ValueComparison): string {
  const { keyBytes, keyStart, keyEnd } = entry;
  const { arena } = database;
  const stored = database.find(keyBytes, keyStart, keyEnd);
  const where = () => `database ${entry.database}, key ${shownKey(keyBytes, keyStart, keyEnd)}`;
  if (stored === 0) return `${where()}: not on disk`;
  if (!values.isSame(entry, stored)) return `${where()}: another value on disk`;
  if (deadlineOf(arena, stored) !== entry.deadlineMs) return `${where()}: another deadline on disk`;
  return "";
}

/** One value of an image, however many entries it comes in, against the one that was loaded from disk. */
class ValueComparison {
  readonly #arena: Arena;
  readonly #types: ValueTypes;
  readonly #part = new ElementPart();
  readonly #taken = new ValueFingerprint();
  readonly #loaded = new ValueFingerprint();
  #isContinued = false;

  constructor(arena: Arena, types: ValueTypes) {
    this.#arena = arena;
    this.#types = types;
  }

  take(entry: StoredEntry): void {
    const type = ENTRY_TYPES.indexOf(entry.type);
    if (isText(type)) return;
    if (!this.#isContinued) this.#taken.begin(type);
    this.#taken.add(entry.isTimed, entry.valueBytes, entry.valueStart, entry.valueEnd);
    this.#isContinued = entry.isContinued;
  }

  isSame(entry: StoredEntry, stored: number): boolean {
    const arena = this.#arena;
    const type = typeOf(arena, stored);
    if (ENTRY_TYPES[type] !== entry.type) return false;
    if (!isText(type)) return this.#taken.take() === this.#fingerprint(stored, type);
    const size = entry.valueEnd - entry.valueStart;
    if (valueWord(arena, stored) !== size) return false;
    const bytes = arena.bytes[stored >>> CHUNK_SHIFT];
    return sameBytes(entry.valueBytes, entry.valueStart, bytes, valueAt(arena, stored), size);
  }

  #fingerprint(stored: number, type: number): string {
    const part = this.#part;
    this.#loaded.begin(type);
    part.beginValue();
    for (let isLast = false; !isLast; ) {
      part.beginPart();
      isLast = this.#types.of(type).writePart(stored, part);
      this.#loaded.add(part.isTimed, part.run, part.start, part.end);
    }
    return this.#loaded.take();
  }
}
