/**
 * Where the documents come from that a query looks at: all of the database in the order of their numbers, or those that an
 * index leads to. Both go on from where they stood, whatever was changed meanwhile: a document that stays is seen, one that
 * comes or goes may be.
 */
import type { IndexCursor } from "../index/contract.ts";
import { documentAt, type IndexedDocument, numberOf } from "../index/documents.ts";
import { ALL_HASHES, type LiveIndex } from "../index/live-index.ts";
import type { Database } from "../store/database.ts";
import { scanEntries } from "../store/database-walk.ts";
import type { PagePlace } from "./pages.ts";
import { copied } from "./row.ts";

/** Entries that a step looks at, at least; a segment of the table has some hundred. */
const STEP = 64;

export interface Candidates {
  /** Shows some more; false: there are no more. `visit` answers whether it wants more: if not, it is over. */
  step(visit: Visit): boolean;
  /** Of the document that is shown. */
  readonly number: number;
  /** Its place in the index; empty where there is none. */
  readonly place: Uint8Array;
}

/**
 * A document on its way, until it returns. `isAlone`: it is the only one with its number, so what an index says of the
 * number is said of it.
 */
export type Visit = (document: IndexedDocument, isAlone: boolean) => boolean;

const NO_PLACE = Buffer.alloc(0);

export class ScanCandidates implements Candidates {
  readonly place = NO_PLACE;
  number = 0;
  readonly #database: Database;
  readonly #found: number[] = [];
  readonly #isPaged: boolean;
  /** Of pages: what came last. */
  readonly #behind: PagePlace | undefined;
  #cursor: number;

  /** Of pages documents come in the order of number and key, from behind the last one on. */
  constructor(database: Database, pages?: { readonly behind: PagePlace | undefined }) {
    this.#database = database;
    this.#isPaged = pages !== undefined;
    this.#behind = pages?.behind;
    this.#cursor = this.#behind?.number ?? 0;
  }

  step(visit: Visit): boolean {
    if (this.#cursor === ALL_HASHES) return false;
    const database = this.#database;
    const next = scanEntries(database, this.#cursor, STEP, this.#found);
    this.#cursor = next === 0 ? ALL_HASHES : next;
    if (this.#isPaged) return this.#stepInOrder(visit);
    for (const entry of this.#found) {
      const document = documentAt(database, entry);
      if (document !== undefined && !visit(document, false)) return false;
    }
    return this.#cursor !== ALL_HASHES;
  }

  #stepInOrder(visit: Visit): boolean {
    const database = this.#database;
    const documents: { document: IndexedDocument; number: number; key: Buffer }[] = [];
    for (const entry of this.#found) {
      const document = documentAt(database, entry);
      if (document === undefined) continue;
      const key = keyOf(document);
      const number = numberOf(database, key, 0, key.length);
      if (this.#isBehind(number, key)) documents.push({ document, number, key });
    }
    documents.sort((a, b) => a.number - b.number || Buffer.compare(a.key, b.key));
    for (const { document, number } of documents) {
      this.number = number;
      if (!visit(document, false)) return false;
    }
    return this.#cursor !== ALL_HASHES;
  }

  #isBehind(number: number, key: Buffer): boolean {
    const last = this.#behind;
    if (last === undefined || number !== last.number)
      return last === undefined || number > last.number;
    return Buffer.compare(key, last.key) > 0;
  }
}

/**
 * Of documents that share a number each is shown at its own place of the index, so that an order holds and none comes twice;
 * where it may have several places, or they cannot be told, all of the number are shown when it comes first.
 */
export class IndexCandidates implements Candidates {
  number = 0;
  readonly #database: Database;
  readonly #index: LiveIndex;
  readonly #cursor: IndexCursor;
  /** Those that were shown; null: none comes twice. */
  #seen: Set<number> | null;
  /** Each document has one place, which tells it from others of its number. */
  readonly #hasOnePlace: boolean;
  /** Of pages: what came last; others of the same number may be left. */
  #behind: PagePlace | undefined;

  /** `mayRepeat`: the cursor may come by a document more than once. */
  constructor(
    index: LiveIndex,
    cursor: IndexCursor,
    { mayRepeat, behind }: { mayRepeat: boolean; behind?: PagePlace | undefined },
  ) {
    this.#database = index.database;
    this.#index = index;
    this.#cursor = cursor;
    this.#hasOnePlace = index.hasPlaces && !mayRepeat;
    this.#seen = this.#hasOnePlace ? null : new Set();
    this.#behind = behind;
    if (behind !== undefined) cursor.seek(behind.place, behind.number);
  }

  get place(): Uint8Array {
    return this.#cursor.key;
  }

  step(visit: Visit): boolean {
    const behind = this.#behind;
    if (behind !== undefined) {
      this.#behind = undefined;
      return this.#show(behind.number, behind.place, visit, behind.key);
    }
    // The first that has several places may have come since the last step.
    if (this.#index.multiKeyDocuments > 0) this.#seen ??= new Set();
    for (let i = 0; i < STEP; i++) {
      if (!this.#cursor.next()) return false;
      const number = this.#cursor.document;
      if (this.#seen?.has(number) === true) continue;
      this.#seen?.add(number);
      if (!this.#show(number, this.#cursor.key, visit)) return false;
    }
    return true;
  }

  /** The documents of a number, as a rule one, in the order of their keys; only those behind a key. */
  #show(number: number, place: Uint8Array, visit: Visit, behind?: Buffer): boolean {
    const database = this.#database;
    this.number = number;
    const found: IndexedDocument[] = [];
    let count = 0;
    database.eachWithHash(number | 0, (entry) => {
      const document = documentAt(database, entry);
      count++;
      if (document === undefined) return;
      if (behind === undefined || Buffer.compare(keyOf(document), behind) > 0) found.push(document);
    });
    if (count === 1) return found.every((document) => visit(document, true));
    found.sort((a, b) => Buffer.compare(keyOf(a), keyOf(b)));
    const isHere = (document: IndexedDocument) =>
      !this.#hasOnePlace || this.#index.isAt(place, document);
    return found.filter(isHere).every((document) => visit(document, false));
  }
}

/** A copy. */
export function keyOf({ keyBytes, keyStart, keyEnd }: IndexedDocument): Buffer {
  return copied(keyBytes, keyStart, keyEnd);
}
