/**
 * Data that is loaded beside the data that is served, into a keyspace of its own, with the contents of its indexes: another
 * keyspace takes all of it over in one moment (Keyspace.exchange). It is made for that one: as many databases, the same key
 * of the hash, the same limits. Lives in a worker, or on the main thread where there is none.
 *
 *   load      → everything stands in the memory of the copy
 *   seal      → it has its revision and its time; a checkpoint of it can be written
 *   contents  → for whoever takes it over: plain data and shared memory
 */
import type { IndexKind } from "../index/contract.ts";
import { definitionText, type IndexDefinition } from "../index/definition.ts";
import { Indexes } from "../index/indexes.ts";
import type { IndexContents, LiveIndex } from "../index/live-index.ts";
import { openIndexes, type WantedIndex } from "../index/opening.ts";
import { databaseBeyond } from "../journal/replay.ts";
import { BigKeys } from "../metrics/big-keys.ts";
import type { Clock } from "../platform/clock.ts";
import type { OpenFile } from "../platform/files.ts";
import { silentLog } from "../platform/log.ts";
import type { Random } from "../platform/random.ts";
import { atTurnEnd } from "../platform/turn.ts";
import type { EntryReader, Revision, StoredEntry } from "../plugin.ts";
import { readRdb } from "../rdb/index.ts";
import type { BigKey } from "../session/server.ts";
import type { CollectionLimits } from "../store/collections.ts";
import type { Database } from "../store/database.ts";
import { stampVersion } from "../store/entry-block.ts";
import { EntryLoad } from "../store/entry-load.ts";
import { EntryWalk } from "../store/entry-walk.ts";
import { Keyspace, type KeyspaceContents } from "../store/keyspace.ts";

/** What the copy has in common with the keyspace that is to take it over; can be posted. */
export interface StagedForm {
  readonly databases: number;
  readonly hashKey: readonly [number, number];
  readonly limits: CollectionLimits;
  /** What the eviction clock of an entry counts. */
  readonly countsFrequency: boolean;
  /** Indexes that the configuration wants, whatever the data says. */
  readonly wanted: readonly WantedDefinition[];
}

export interface WantedDefinition {
  /** Number of the database. */
  readonly database: number;
  readonly definition: IndexDefinition;
}

/** What is in a copy; can be posted. */
export interface LoadedData {
  readonly contents: KeyspaceContents;
  readonly indexes: readonly LoadedIndex[];
  readonly bigKeys: readonly BigKey[];
  readonly keys: number;
  /** Of the data, as the file says; 0: it does not say. */
  readonly revision: Revision;
  /** What of the file was left out. */
  readonly notes: readonly string[];
  /** Notes in front of the file, by name. */
  readonly aux: ReadonlyMap<string, string>;
}

/** An index whose kind was at hand where the copy was loaded. */
export interface LoadedIndex {
  readonly database: number;
  readonly definition: IndexDefinition;
  readonly contents: IndexContents;
  /** Why it cannot be used; empty: it can. */
  readonly failure: string;
}

export interface StagedSurroundings {
  readonly clock: Clock;
  readonly random: Random;
  /** An index of another kind is for whoever has it. */
  readonly kinds: readonly IndexKind[];
  /** With how much is done, between 0 and 1; throws when nobody wants the copy. */
  proceed(share: number): void;
}

/** How the entries of the file are taken; can be posted. */
export interface EntryRules {
  /** What all of them get as their version; undefined: each has its own. */
  readonly version: Revision | undefined;
  /**
   * What is over goes where it is in the way of a value that is to be unique. Not for data of another server, which says itself
   * what is over.
   */
  readonly expires: boolean;
}

/** Of the time, about, when there are indexes: the rest makes those. */
const LOADING_SHARE = 0.9;

export class StagedData {
  readonly #keyspace: Keyspace;
  readonly #indexes: Indexes;
  readonly #bigKeys: BigKeys;
  #revision: Revision = 0;
  #notes: readonly string[] = [];
  #aux: ReadonlyMap<string, string> = new Map();

  private constructor(
    form: StagedForm,
    { clock, random, kinds, rules }: StagedSurroundings & { readonly rules: EntryRules },
  ) {
    const { databases, hashKey } = form;
    const keyspace = new Keyspace({ databases, hashKey, random, nowMs: clock.now() });
    Object.assign(keyspace.collections.limits, form.limits);
    keyspace.access.countsFrequency = form.countsFrequency;
    keyspace.expiring = false;
    keyspace.keepsExpired = !rules.expires;
    this.#keyspace = keyspace;
    this.#indexes = new Indexes(keyspace, () => {});
    for (const kind of kinds) this.#indexes.addKind(kind);
    this.#bigKeys = new BigKeys(keyspace);
  }

  static async load(
    file: OpenFile,
    form: StagedForm,
    options: StagedSurroundings & { readonly rules: EntryRules },
  ): Promise<StagedData> {
    const copy = new StagedData(form, options);
    await copy.#load(file, options.rules.version, options.proceed);
    await copy.#index(form.wanted, options);
    return copy;
  }

  async #load(
    file: OpenFile,
    version: Revision | undefined,
    proceed: (share: number) => void,
  ): Promise<void> {
    const load = new EntryLoad(this.#keyspace, version);
    const { revision, notes, aux } = await readRdb({
      file,
      entry: (entry) => this.#add(load, entry),
      progress: (done, total) => {
        proceed((LOADING_SHARE * done) / total);
        return new Promise<void>((resolve) => atTurnEnd(resolve));
      },
    });
    load.finish();
    this.#revision = revision;
    this.#notes = notes;
    this.#aux = aux;
  }

  #add(load: EntryLoad, entry: Readonly<StoredEntry>): void {
    const { databases } = this.#keyspace;
    const database = databases[entry.database];
    if (database === undefined) throw databaseBeyond(entry.database, databases.length);
    load.add(database, entry);
    this.#bigKeys.expect(database, entry);
  }

  /** Those that the configuration adds are part of the data from now on, as if it had always had them. */
  async #index(
    wanted: readonly WantedDefinition[],
    { clock, proceed, rules }: StagedSurroundings & { readonly rules: EntryRules },
  ): Promise<void> {
    const keyspace = this.#keyspace;
    const { kinds } = this.#indexes;
    const all = wanted.map(({ database, definition }) => {
      return { database: keyspace.databases[database] as Database, definition };
    });
    for (const one of all) if (!kinds.has(one.definition.use)) this.#define(one);
    keyspace.expiring = rules.expires;
    const fresh = await openIndexes({
      ...{ keyspace, clock, indexes: this.#indexes, defers: false },
      wanted: all.filter(({ definition }) => kinds.has(definition.use)),
      heedStop: () => proceed(LOADING_SHARE),
      view: {
        indexing: (share) => proceed(LOADING_SHARE + (1 - LOADING_SHARE) * share),
      },
      // Whoever takes the copy over tells which cannot be used.
      log: silentLog,
    });
    keyspace.expiring = false;
    for (const one of fresh) this.#define(one);
    keyspace.changes = 0;
  }

  #define({ database, definition }: WantedIndex): void {
    this.#keyspace.setDefinition(database, definition.name, definitionText(definition));
  }

  get loaded(): LoadedData {
    const { databases, contents } = this.#keyspace;
    return {
      contents,
      indexes: this.#indexes.all.map(copied),
      bigKeys: this.#bigKeys.all,
      keys: databases.reduce((sum, { size }) => sum + size, 0),
      revision: this.#revision,
      notes: this.#notes,
      aux: this.#aux,
    };
  }

  /**
   * It counts as of this moment. `restamps`: and each of its entries as changed by it. The entries are for a checkpoint; they
   * are read before somebody else takes the copy over.
   */
  seal({ revision, timeMs, restamps }: Seal): EntryReader {
    const keyspace = this.#keyspace;
    keyspace.setNextRevision(revision);
    if (restamps) {
      for (const { record } of keyspace.databases) {
        keyspace.entries.each(record, (entry) => stampVersion(keyspace, entry));
      }
    }
    keyspace.advanceRevision();
    keyspace.nowMs = timeMs;
    keyspace.noteRevision();
    return new EntryWalk(keyspace.arena, "stored");
  }
}

export interface Seal {
  readonly revision: Revision;
  readonly timeMs: number;
  readonly restamps: boolean;
}

function copied(index: LiveIndex): LoadedIndex {
  const { database, definition, contents, state, failure } = index;
  return {
    database: database.index,
    definition,
    contents,
    failure: state === "ready" ? "" : failure,
  };
}
