/**
 * Which keys are watched by whom (WATCH), told of every change of a key. A session whose key changes is touched: its EXEC
 * will do nothing, and nothing more is watched for it. While nobody watches, it does not listen, and changes cost nothing.
 *
 * A key whose time is over when it is watched is removed first, so it is watched as one that is not there; whatever removes
 * it later is a change. So an expiry in between aborts, as in Redis, and one before does not. Where nothing may go by itself
 * (a replica, CLIENT PAUSE) it stays, and is remembered as over: that it goes is no change then.
 */
import type { Session } from "../session/session.ts";
import type { Watch } from "../session/transaction.ts";
import type { ReadonlyBytes } from "../store/arena.ts";
import type { ChangeListener } from "../store/change-listener.ts";
import type { Database } from "../store/database.ts";
import { deadlineOf } from "../store/entry.ts";
import { hashBytes } from "../store/hash.ts";
import { KeyRegister, type RegisteredKey } from "../store/key-register.ts";
import type { Keyspace } from "../store/keyspace.ts";

/** What a watched key takes on the heap besides its bytes, more or less. */
const KEY_OVERHEAD_BYTES = 200;

interface WatchedKey extends RegisteredKey {
  readonly watches: Set<SessionWatch>;
}

class SessionWatch implements Watch {
  readonly keys: WatchedKey[] = [];
  /** Of these, whose time was over when they were watched, and which were still there. */
  readonly over = new Set<WatchedKey>();
  /** Those of them that were touched since: they have gone, which is no change, unless they are there now. */
  readonly overTouched = new Set<WatchedKey>();
  isTouched = false;
  bytes = 0;
}

export class WatchedKeys implements ChangeListener {
  readonly #keyspace: Keyspace;
  readonly #keys = new KeyRegister<WatchedKey>();
  readonly #watches = new WeakMap<Session, SessionWatch>();
  #stopListening: (() => void) | null = null;
  /** Touched by changes that may still be undone; null: there are none such. */
  #pending: Set<SessionWatch> | null = null;

  constructor(keyspace: Keyspace) {
    this.#keyspace = keyspace;
  }

  // ---- watching ----

  /** The session watches the key bytes[start, end) of its database from now on. */
  add(session: Session, bytes: Buffer, start: number, end: number): void {
    const { database } = session;
    const watch = this.#watchOf(session);
    if (watch.isTouched) return;
    database.find(bytes, start, end);
    const { hashKey0, hashKey1 } = this.#keyspace;
    const hash = hashBytes(hashKey0, hashKey1, bytes, start, end);
    const watched = this.#keys.find(database, hash, bytes, start, end) ?? {
      ...{ database, hash, watches: new Set<SessionWatch>() },
      key: Buffer.from(bytes.subarray(start, end)),
    };
    if (watched.watches.size === 0) this.#insert(watched);
    if (watched.watches.has(watch)) return;
    watched.watches.add(watch);
    watch.keys.push(watched);
    if (this.#isKeptOver(watched)) watch.over.add(watched);
    watch.bytes += watched.key.length + KEY_OVERHEAD_BYTES;
  }

  #watchOf(session: Session): SessionWatch {
    const watch = this.#watches.get(session) ?? new SessionWatch();
    this.#watches.set(session, watch);
    session.watch = watch;
    return watch;
  }

  #insert(watched: WatchedKey): void {
    this.#keys.add(watched);
    this.#stopListening ??= this.#keyspace.listenToChanges(this);
  }

  /** Whether a key of the session has changed. What has expired since is removed, which is a change, or kept, which is one too. */
  isTouched(session: Session): boolean {
    const watch = this.#watches.get(session);
    if (watch === undefined) return false;
    for (const watched of [...watch.keys]) {
      if (watch.isTouched) return true;
      const { database, key } = watched;
      database.find(key, 0, key.length);
      if (this.#isKeptOver(watched) && !watch.over.has(watched)) return true;
      if (watch.overTouched.has(watched) && this.#entryIn(database, watched) !== 0) return true;
    }
    return watch.isTouched;
  }

  /** The session watches nothing any more. */
  forget(session: Session): void {
    const watch = this.#watches.get(session);
    if (watch === undefined) return;
    this.#watches.delete(session);
    session.watch = null;
    this.#pending?.delete(watch);
    this.#release(watch);
  }

  #release(watch: SessionWatch): void {
    for (const watched of watch.keys.splice(0)) {
      watched.watches.delete(watch);
      if (watched.watches.size === 0) this.#keys.delete(watched);
    }
    watch.over.clear();
    watch.overTouched.clear();
    watch.bytes = 0;
    if (!this.#keys.isEmpty) return;
    this.#stopListening?.();
    this.#stopListening = null;
  }

  // ---- changes ----

  keyTouched(
    database: Database,
    hash: number,
    bytes: ReadonlyBytes,
    start: number,
    end: number,
  ): void {
    const watched = this.#keys.find(database, hash, bytes, start, end);
    if (watched !== undefined) this.#touch(watched);
  }

  /** Who watches a key that is not there is not concerned. */
  databaseFlushed(database: Database): void {
    for (const watched of this.#keys.of(database)) {
      if (this.#entryIn(database, watched) !== 0) this.#touch(watched);
    }
  }

  databasesSwapped(a: Database, b: Database): void {
    for (const watched of [...this.#keys.of(a), ...this.#keys.of(b)]) {
      const other = watched.database === a ? b : a;
      const isThere = this.#entryIn(watched.database, watched) !== 0;
      if (isThere || this.#isAlive(other, watched)) this.#touch(watched);
    }
  }

  /** Of the key in a database, whether its time is over or not. */
  #entryIn({ record }: Database, { key, hash }: WatchedKey): number {
    return this.#keyspace.entries.find(record, hash, key, 0, key.length);
  }

  /** Its time is over, and it may not go by itself. */
  #isKeptOver(watched: WatchedKey): boolean {
    return (
      this.#entryIn(watched.database, watched) !== 0 && !this.#isAlive(watched.database, watched)
    );
  }

  #isAlive(database: Database, watched: WatchedKey): boolean {
    const entry = this.#entryIn(database, watched);
    if (entry === 0) return false;
    const deadline = deadlineOf(database.arena, entry);
    return deadline === 0 || deadline > this.#keyspace.nowMs;
  }

  #touch(watched: WatchedKey): void {
    for (const watch of [...watched.watches]) {
      if (watch.over.delete(watched)) watch.overTouched.add(watched);
      else if (this.#pending !== null) this.#pending.add(watch);
      else this.#mark(watch);
    }
  }

  #mark(watch: SessionWatch): void {
    watch.isTouched = true;
    this.#release(watch);
  }

  // ---- changes that may be undone ----

  /** What is told from now on may be undone: `settle` follows. */
  suspend(): void {
    this.#pending = new Set();
  }

  /** The changes since `suspend` stand, or they never were. */
  settle(isKept: boolean): void {
    const pending = this.#pending ?? [];
    this.#pending = null;
    if (isKept) for (const watch of pending) this.#mark(watch);
  }
}
