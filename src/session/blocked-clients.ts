/**
 * Clients that wait for keys: BLPOP and its kin, for values of every type. Who waits is in one queue for each of its keys,
 * first come first served. A key that a command gives a value is ready from then on; once the command is over, and its
 * record made, the gate has those who wait for it served, one after the other, and whoever that makes ready in turn.
 *
 *   command    session.server.blockedClients.wait({ session, type: LIST, keys, timeoutMs, serve, onTimeout })
 *   later      serve(key, entry) → null: it goes on waiting · what writes the reply: it has been served
 *
 * - A command first tries for itself, and waits only if `session.mayWait`; otherwise it answers as if the time were over.
 * - `serve` runs like a command of the waiting session. What it changes is a record of its own, so it writes its effects
 *   (`session.server.effects`), in words that do not wait. The reply is written later: it must hold copies. What it throws
 *   is the answer.
 * - It is asked only when the key has a value of the type, `find` having just answered `entry`.
 * - A value that changes without coming to be makes its key ready by `Keyspace.signal`: a stream that grows.
 *
 * While nobody waits, a change costs one comparison (Keyspace.keyListener is null).
 */
import type { Clock, Timer } from "../platform/clock.ts";
import type { ReadonlyBytes } from "../store/arena.ts";
import type { Database } from "../store/database.ts";
import { typeOf } from "../store/entry.ts";
import { hashBytes } from "../store/hash.ts";
import { KeyRegister, type RegisteredKey } from "../store/key-register.ts";
import type { KeyListener, Keyspace } from "../store/keyspace.ts";
import type { LaterReply, WriteReply } from "./later-reply.ts";
import type { Session } from "./session.ts";

export interface KeyWait {
  readonly session: Session;
  /** The type of value that is waited for, as entries store it; one of another type is no reason to wake up. */
  readonly type: number;
  /** Copies, in the session's database. One that stands twice counts once. */
  readonly keys: readonly Buffer[];
  /** 0: for ever. */
  readonly timeoutMs: number;
  serve(key: Buffer, entry: number): WriteReply | null;
  /** The key has no value of the type any more: for who waits for more of one that there is (XREADGROUP). */
  missing?(key: Buffer): WriteReply | null;
  readonly onTimeout: WriteReply;
}

/** One client, on all its keys. */
interface Waiting {
  readonly wait: KeyWait;
  readonly later: LaterReply;
  readonly queues: KeyQueue[];
  timer: Timer | null;
}

/** Who waits for a key, in the order they came. */
interface KeyQueue extends RegisteredKey {
  readonly clients: Set<Waiting>;
  /** It is in the list of those that are ready. */
  isReady: boolean;
}

/** Runs what serves a session, as a command of its own. */
export type Perform = (session: Session, act: () => void) => void;

export class BlockedClients implements KeyListener {
  readonly #keyspace: Keyspace;
  readonly #clock: Clock;
  /** Told when a key is ready, perhaps outside a command: `serveReady` is to be called before the turn ends. */
  readonly #onReady: () => void;
  readonly #queues = new KeyRegister<KeyQueue>();
  #ready: KeyQueue[] = [];
  #isResting = false;

  constructor(options: { keyspace: Keyspace; clock: Clock; onReady: () => void }) {
    this.#keyspace = options.keyspace;
    this.#clock = options.clock;
    this.#onReady = options.onReady;
  }

  // ---- waiting ----

  /** Lets the session's command wait. It has looked at its keys, in this very turn, and found nothing. */
  wait(wait: KeyWait): void {
    const { session, timeoutMs, onTimeout } = wait;
    // Whoever ends his side may be gone: he must not be given what nobody else gets then.
    const later = session.answerLater();
    const waiting: Waiting = { wait, later, queues: [], timer: null };
    for (const key of wait.keys) {
      const queue = this.#queueOf(session.database, key);
      if (queue.clients.has(waiting)) continue;
      queue.clients.add(waiting);
      waiting.queues.push(queue);
    }
    this.#keyspace.keyListener = this;
    later.onTimeout = onTimeout;
    later.onAbandoned = () => this.#forget(waiting);
    if (timeoutMs > 0) {
      waiting.timer = this.#clock.after(timeoutMs, () => this.#settle(waiting, onTimeout));
    }
  }

  /** Whoever waits is answered so. */
  interruptAll(write: WriteReply): void {
    const { databases } = this.#keyspace;
    const queues = databases.flatMap((database) => this.#queues.of(database));
    const all = new Set(queues.flatMap(({ clients }) => [...clients]));
    for (const waiting of all) this.#settle(waiting, write);
  }

  #queueOf(database: Database, key: Buffer): KeyQueue {
    const { hashKey0, hashKey1 } = this.#keyspace;
    const hash = hashBytes(hashKey0, hashKey1, key, 0, key.length);
    const found = this.#queues.find(database, hash, key, 0, key.length);
    if (found !== undefined) return found;
    const queue = { database, key, hash, clients: new Set<Waiting>(), isReady: false };
    this.#queues.add(queue);
    return queue;
  }

  #settle(waiting: Waiting, write: WriteReply): void {
    this.#forget(waiting);
    waiting.later.settle(write);
  }

  #forget(waiting: Waiting): void {
    waiting.timer?.cancel();
    for (const queue of waiting.queues) {
      queue.clients.delete(waiting);
      if (queue.clients.size === 0) this.#queues.delete(queue);
    }
    if (this.#queues.isEmpty) this.#keyspace.keyListener = null;
  }

  // ---- keys that are ready ----

  keyChanged(
    database: Database,
    hash: number,
    bytes: ReadonlyBytes,
    start: number,
    end: number,
  ): void {
    const queue = this.#queues.find(database, hash, bytes, start, end);
    if (queue !== undefined) this.#markReady(queue);
  }

  databaseChanged(database: Database): void {
    for (const queue of this.#queues.of(database)) this.#markReady(queue);
  }

  #markReady(queue: KeyQueue): void {
    if (queue.isReady || this.#isResting) return;
    queue.isReady = true;
    if (this.#ready.push(queue) === 1) this.#onReady();
  }

  get hasReady(): boolean {
    return this.#ready.length > 0 && !this.#isResting;
  }

  /** Nobody is served until the function that it returns is called; then everybody looks at his keys again. */
  rest(): () => void {
    this.#isResting = true;
    return () => {
      this.#isResting = false;
      for (const database of this.#keyspace.databases) this.databaseChanged(database);
    };
  }

  /** Serves who waits for what is ready, until nothing is; in the order in which keys became it. */
  serveReady(perform: Perform): void {
    while (this.hasReady) {
      const ready = this.#ready;
      this.#ready = [];
      for (const queue of ready) {
        queue.isReady = false;
        this.#serveQueue(queue, perform);
      }
    }
  }

  #serveQueue(queue: KeyQueue, perform: Perform): void {
    const { database, key } = queue;
    for (const waiting of queue.clients) {
      const { wait } = waiting;
      let isGone = false;
      perform(wait.session, () => {
        const entry = database.find(key, 0, key.length);
        const hasType = entry !== 0 && typeOf(database.arena, entry) === wait.type;
        isGone = entry === 0;
        const write = hasType ? attempt(() => wait.serve(key, entry)) : missing(wait, key);
        if (write !== null) this.#settle(waiting, write);
      });
      // Thousands may wait for a key that has had one element.
      if (isGone && !hasMissing(queue)) return;
    }
  }
}

function missing(wait: KeyWait, key: Buffer): WriteReply | null {
  return wait.missing === undefined ? null : attempt(() => wait.missing?.(key) ?? null);
}

function hasMissing(queue: KeyQueue): boolean {
  for (const { wait } of queue.clients) if (wait.missing !== undefined) return true;
  return false;
}

/** An error is an answer too. */
function attempt(serve: () => WriteReply | null): WriteReply | null {
  try {
    return serve();
  } catch (thrown) {
    return () => {
      throw thrown;
    };
  }
}
