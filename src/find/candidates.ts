/**
 * Where the documents come from that a query looks at: all of the database in the order of hashes, or those that an index
 * leads to. Both go on from where they stood, whatever was changed meanwhile: a document that stays is seen, one that comes
 * or goes may be.
 */
import type { IndexCursor } from "../index/contract.ts";
import { documentAt, type IndexedDocument } from "../index/documents.ts";
import { ALL_HASHES } from "../index/live-index.ts";
import type { Database } from "../store/database.ts";

/** Entries that a step looks at, at least; a segment of the table has some hundred. */
const STEP = 64;

/** A document on its way: until `visit` returns. */
export interface Candidate {
  readonly document: IndexedDocument;
  /** Its number. */
  readonly number: number;
  /** It is the only one with its number, so what an index says of the number is said of it. */
  readonly isAlone: boolean;
}

export interface Candidates {
  /** Shows some more; false: there are no more. `visit` answers whether it wants more. */
  step(visit: (candidate: Candidate) => boolean): boolean;
}

export class ScanCandidates implements Candidates {
  readonly #database: Database;
  readonly #found: number[] = [];
  #cursor: number;

  /** Begins with the documents whose number is `from` or above. */
  constructor(database: Database, from = 0) {
    this.#database = database;
    this.#cursor = from;
  }

  step(visit: (candidate: Candidate) => boolean): boolean {
    if (this.#cursor === ALL_HASHES) return false;
    const database = this.#database;
    const next = database.scan(this.#cursor, STEP, this.#found);
    this.#cursor = next === 0 ? ALL_HASHES : next;
    for (const entry of this.#found) {
      const document = documentAt(database, entry);
      if (document !== undefined && !visit({ document, number: -1, isAlone: false })) return false;
    }
    return this.#cursor !== ALL_HASHES;
  }
}

export class IndexCandidates implements Candidates {
  readonly #database: Database;
  readonly #cursor: IndexCursor;
  /** Those that were shown; null: none comes twice. */
  readonly #seen: Set<number> | null;

  /** `mayRepeat`: the cursor may come by a document more than once. */
  constructor(database: Database, cursor: IndexCursor, mayRepeat: boolean) {
    this.#database = database;
    this.#cursor = cursor;
    this.#seen = mayRepeat ? new Set() : null;
  }

  step(visit: (candidate: Candidate) => boolean): boolean {
    for (let i = 0; i < STEP; i++) {
      if (!this.#cursor.next()) return false;
      const number = this.#cursor.document;
      if (this.#seen !== null) {
        if (this.#seen.has(number)) continue;
        this.#seen.add(number);
      }
      if (!this.#show(number, visit)) return false;
    }
    return true;
  }

  #show(number: number, visit: (candidate: Candidate) => boolean): boolean {
    const database = this.#database;
    const found: number[] = [];
    database.eachWithHash(number | 0, (entry) => found.push(entry));
    for (const entry of found) {
      const document = documentAt(database, entry);
      if (document === undefined) continue;
      if (!visit({ document, number, isAlone: found.length === 1 })) return false;
    }
    return true;
  }
}
