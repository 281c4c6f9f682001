/**
 * The indexes of an engine from its start to its end: kinds that plugins bring, definitions that the configuration wants,
 * contents that are made before anybody is let in, and an index that has failed, which is made anew beside the work.
 */

import type { Command } from "../commands/command.ts";
import { asKvdbError, KvdbError } from "../errors.ts";
import { findCommands } from "../find/find-commands.ts";
import {
  DefinitionError,
  definitionText,
  type IndexDefinition,
  readDefinition,
} from "../index/definition.ts";
import { indexCommands, recordCreation } from "../index/index-commands.ts";
import { Indexes } from "../index/indexes.ts";
import type { LiveIndex } from "../index/live-index.ts";
import {
  type OpenIndexes,
  openIndexes,
  openMissing,
  type WantedIndex,
  warnOfIndex,
} from "../index/opening.ts";
import { IndexRebuild } from "../index/rebuilding.ts";
import type { Log } from "../platform/log.ts";
import type { IndexKind } from "../plugin.ts";
import { parseFieldPaths } from "../query/field-path.ts";
import { requireIndexShape } from "../query/index-keys.ts";
import { parseFilter } from "../query/parse-filter.ts";
import type { Session } from "../session/session.ts";
import type { Slices } from "../session/sliced-work.ts";
import type { Database } from "../store/database.ts";
import type { Keyspace } from "../store/keyspace.ts";
import type { LoadedIndex, WantedDefinition } from "./staged-data.ts";

export interface EngineIndexesParts {
  readonly keyspace: Keyspace;
  readonly slices: Slices;
  readonly log: Log;
}

export class EngineIndexes {
  readonly all: Indexes;
  readonly commands: readonly Command[];
  readonly #parts: EngineIndexesParts;
  readonly #owners = new Map<string, string>();
  readonly #wanted: WantedIndex[] = [];
  /** Of the configuration, not recorded yet. */
  #fresh: readonly WantedIndex[] = [];
  /** Of indexes that failed once already: they wait for somebody to look. Whoever makes one anew by name has looked. */
  readonly #failedBefore = new WeakSet<IndexDefinition>();

  constructor(parts: EngineIndexesParts) {
    this.#parts = parts;
    this.all = new Indexes(parts.keyspace, (index, thrown) => this.#failed(index, thrown));
    this.commands = [...indexCommands(this.all), ...findCommands(this.all)];
  }

  /** By name, with the plugin that brings it. */
  get kinds(): ReadonlyMap<string, string> {
    return this.#owners;
  }

  addKinds(plugin: string, kinds: readonly IndexKind[]): void {
    for (const kind of kinds) {
      this.#owners.set(kind.name, plugin);
      this.all.addKind(kind);
    }
  }

  /** Throws a DefinitionError, or what the kind's factory throws. */
  want(number: number, name: string, given: unknown): void {
    const { databases } = this.#parts.keyspace;
    const database = databases[number];
    if (database === undefined) {
      const reason = `there is no database ${number}, the last one is ${databases.length - 1}`;
      throw new DefinitionError(reason, "database");
    }
    const definition = readDefinition(name, given);
    const { fields, isSparse, where } = definition;
    readPart(fields.length > 1 ? "fields" : "field", () =>
      requireIndexShape({ paths: parseFieldPaths(fields.join(",")), isSparse }),
    );
    if (where !== "") readPart("where", () => parseFilter(where));
    this.all.make(database, definition).drop();
    this.#wanted.push({ database, definition });
  }

  /** All data is there, and nobody is served yet. */
  async open(options: OpenIndexes): Promise<void> {
    const { keyspace, log } = this.#parts;
    const wanted = this.#wanted;
    this.#fresh = await openIndexes({ ...options, keyspace, indexes: this.all, wanted, log });
  }

  /** Changes are recorded from now on: what the configuration has added is one. */
  recordFresh(perform: (act: (session: Session) => void) => void): void {
    const { keyspace } = this.#parts;
    for (const { database, definition } of this.#fresh) {
      perform((session) => {
        const index = this.all.named(database, definition.name);
        if (index === undefined) return;
        keyspace.setDefinition(database, definition.name, definitionText(definition));
        recordCreation(session, index);
      });
    }
    this.#fresh = [];
  }

  /** What the configuration wants, whatever the data says. */
  get wanted(): readonly WantedDefinition[] {
    return this.#wanted.map(({ database, definition }) => {
      return { database: database.index, definition };
    });
  }

  /**
   * The data is another one, and none of its indexes is here yet: takes those that came along with it, and has the others made,
   * of whose kind nobody knew where it was loaded.
   */
  takeLoaded(copied: readonly LoadedIndex[]): void {
    const { keyspace, slices, log } = this.#parts;
    this.#fresh = [];
    for (const one of copied) this.#takeOne(one);
    for (const database of keyspace.databases) {
      const build = openMissing(database, { keyspace, indexes: this.all, log });
      if (build.progress < 1) slices.begin(build);
    }
  }

  #takeOne({ database: number, definition, contents, failure }: LoadedIndex): void {
    const { keyspace, log } = this.#parts;
    const database = keyspace.databases[number] as Database;
    try {
      const index = this.all.make(database, definition);
      this.all.add(index);
      if (failure === "") index.adopt(contents);
      else {
        index.fail(failure);
        throw new KvdbError("CONFIG", failure);
      }
    } catch (error) {
      // The data stands, whatever an index makes of it.
      warnOfIndex(log, database, definition.name, error);
    }
  }

  /** Its plugin has thrown: it answers nothing, and is made anew. If it fails again, INDEX REBUILD is for a person. */
  #failed(index: LiveIndex, thrown: unknown): void {
    const { log, slices } = this.#parts;
    const plugin = this.#owners.get(index.kind.name) ?? "";
    const text = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    log.error("an index has failed", { index: index.name, plugin, error: text });
    if (this.#failedBefore.has(index.definition) || index.isReplacement) return;
    this.#failedBefore.add(index.definition);
    const ended = (failure: Error | undefined) => {
      const fields = { index: index.name };
      if (failure === undefined) log.info("an index was made anew", fields);
      else log.error("an index cannot be made anew", { ...fields, error: failure.message });
    };
    try {
      slices.begin(new IndexRebuild(this.all, index, { requireMemory: () => {}, onEnd: ended }));
    } catch (error) {
      // Its plugin throws as soon as it is asked for an instance.
      ended(asKvdbError(error));
    }
  }
}

/** What is wrong with a path or a filter is wrong with that word of the definition. */
function readPart(word: string, read: () => unknown): void {
  try {
    read();
  } catch (error) {
    throw error instanceof KvdbError ? new DefinitionError(error.message, word) : error;
  }
}
