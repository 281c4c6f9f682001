/**
 * What all clients take: input that no command has been made of, output that has not left, what they subscribe to. Asking each of ten
 * thousand clients before each command would take longer than the commands, so the sum is kept: a client is counted when a
 * command of it asks for memory, and the others in turn, some at each turn of the event loop.
 */
import type { Session } from "../session/session.ts";

/** Clients that are counted per turn: some two microseconds. */
const COUNTED_PER_TURN = 64;

/** Bytes that a session takes outside the arena: its buffers, what it has queued, what it watches. */
export function bufferBytes({ client, keptBytes }: Session): number {
  return client.inputBytes() + client.outputBytes() + keptBytes;
}

export class ClientMemory {
  readonly #sessions: ReadonlyMap<number, Session>;
  #rest: Iterator<Session> | null = null;
  /** Told to close, and not gone yet: they count no more. */
  readonly #dismissed = new WeakSet<Session>();
  /** Of all sessions, as they were counted last. */
  total = 0;

  constructor(sessions: ReadonlyMap<number, Session>) {
    this.#sessions = sessions;
  }

  count(session: Session): void {
    const bytes = this.#dismissed.has(session) ? 0 : bufferBytes(session);
    this.total += bytes - session.countedBytes;
    session.countedBytes = bytes;
  }

  /** Counts some of the sessions, and others at the next call. */
  countSome(): void {
    for (let i = Math.min(COUNTED_PER_TURN, this.#sessions.size); i > 0; i--) {
      this.#rest ??= this.#sessions.values();
      const next = this.#rest.next();
      if (next.done === true) this.#rest = null;
      else this.count(next.value);
    }
  }

  countAll(): void {
    for (const session of this.#sessions.values()) this.count(session);
  }

  /** The session has ended. */
  forget(session: Session): void {
    this.total -= session.countedBytes;
    session.countedBytes = 0;
  }

  /** The session is about to end. */
  dismiss(session: Session): void {
    this.forget(session);
    this.#dismissed.add(session);
  }

  /** The session that takes most, of those that may be closed for it; undefined: there is none that takes anything. */
  largest(): Session | undefined {
    let largest: Session | undefined;
    for (const session of this.#sessions.values()) {
      // A replica has a limit of its own, and would come again for all data.
      const isExempt = session.noEvict || session.isReplica;
      if (isExempt || session.countedBytes === 0) continue;
      if (largest === undefined || session.countedBytes > largest.countedBytes) largest = session;
    }
    return largest;
  }
}
