/**
 * Fills indexes of one database from what is there, in slices. Writes go on meanwhile: those to documents that were passed
 * are told to the indexes, those to others the walk comes by (`LiveIndex.builtUpTo`). All of them walk once, together.
 */
import { CommandError } from "../commands/command-error.ts";
import type { SlicedWork } from "../session/sliced-work.ts";
import type { Database } from "../store/database.ts";
import { scanStoredEntries } from "../store/database-walk.ts";
import { shownKey } from "../store/shown-key.ts";
import { keyDifference } from "./document-change.ts";
import { documentAt, type IndexedDocument, keyAsDocument, numberOf } from "./documents.ts";
import { ALL_HASHES, type LiveIndex } from "./live-index.ts";

/** Entries between two looks at the clock, at least: a segment of the table has about as many. */
const STEP = 256;

export interface BuildOptions {
  /** Of one database, new, and added to it. */
  readonly indexes: readonly LiveIndex[];
  /** Throws when there is no memory left. */
  requireMemory(): void;
  /** An index is ready, or has failed with what was thrown; one that was dropped meanwhile has failed. */
  onEnd(index: LiveIndex, failure: Error | undefined): void;
}

export class IndexBuild implements SlicedWork {
  readonly changesMemory = true;
  readonly #options: BuildOptions;
  #left: LiveIndex[];
  readonly #found: number[] = [];
  #cursor = 0;

  constructor(options: BuildOptions) {
    this.#options = options;
    this.#left = [...options.indexes];
  }

  /** Between 0 and 1. */
  get progress(): number {
    return this.#left.length === 0 ? 1 : this.#cursor / ALL_HASHES;
  }

  step(exhausted: () => boolean): boolean {
    do {
      this.#dismissDropped();
      const [first] = this.#left;
      if (first === undefined) return true;
      this.#pass(first.database);
      if (this.#cursor === ALL_HASHES) {
        this.#dismissDropped();
        this.#finish();
        return true;
      }
    } while (!exhausted());
    return false;
  }

  #pass(database: Database): void {
    const found = this.#found;
    if (database.expires > 0) this.#expire(database);
    // While data is loaded those that are over stay: when they are removed, they are taken out of the index.
    const next = scanStoredEntries(database, this.#cursor, STEP, found);
    for (const entry of found) this.#add(database, entry);
    this.#cursor = next === 0 ? ALL_HASHES : next;
    for (const index of this.#left) index.builtUpTo = this.#cursor;
    this.#attempt(() => this.#options.requireMemory(), this.#left);
  }

  /** So that none that is over is in the way of another one, and nothing has to go in the midst of a step. */
  #expire(database: Database): void {
    const found = this.#found;
    scanStoredEntries(database, this.#cursor, STEP, found);
    const numbers = found.map((entry) => {
      const { keyBytes, keyStart, keyEnd } = keyAsDocument(database, entry);
      return numberOf(database, keyBytes, keyStart, keyEnd);
    });
    for (const number of numbers) database.deadlines.expireWithHash(number | 0);
  }

  #add(database: Database, entry: number): void {
    const key = keyAsDocument(database, entry);
    const document = documentAt(database, entry);
    const number = numberOf(database, key.keyBytes, key.keyStart, key.keyEnd);
    for (const index of this.#left) {
      const source = index.isKeyIndex ? key : document;
      if (source !== undefined) this.#attempt(() => addNaming(index, number, source), [index]);
    }
  }

  /** Those for which it throws have failed. */
  #attempt(act: () => void, indexes: readonly LiveIndex[]): void {
    try {
      act();
    } catch (thrown) {
      const failure = thrown instanceof Error ? thrown : new Error(String(thrown));
      for (const index of indexes) this.#end(index, failure);
    }
  }

  #dismissDropped(): void {
    for (const index of this.#left) {
      if (index.isDropped) this.#end(index, new CommandError("ERR", "the index was dropped"));
      else if (index.state === "failed") this.#end(index, new Error(index.failure));
    }
  }

  #finish(): void {
    for (const index of this.#left) {
      index.state = "ready";
      this.#end(index, undefined);
    }
  }

  #end(index: LiveIndex, failure: Error | undefined): void {
    this.#left = this.#left.filter((one) => one !== index);
    this.#options.onEnd(index, failure);
  }
}

/** Nobody wrote this document just now, so a refusal says which one it is. */
function addNaming(index: LiveIndex, number: number, document: IndexedDocument): void {
  try {
    addTo(index, number, document);
  } catch (thrown) {
    if (!(thrown instanceof CommandError)) throw thrown;
    const { keyBytes, keyStart, keyEnd } = document;
    const key = shownKey(keyBytes, keyStart, keyEnd);
    throw new CommandError(thrown.code, `${thrown.message} (found at key ${key})`);
  }
}

function addTo(index: LiveIndex, number: number, document: IndexedDocument): void {
  const difference = keyDifference([], index.keysOf(document));
  if (difference.after === 0) return;
  index.check(difference);
  index.apply(number, difference, { valuesBefore: [], valuesAfter: index.valuesOf(document) });
}
