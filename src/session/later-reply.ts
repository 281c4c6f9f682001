/**
 * A reply that comes later: of a command that cannot answer within its turn, and must not block the event loop meanwhile
 * (WAITAOF). The session's next command does not run before. Not a promise: whoever waits may be gone, and what is written
 * goes into the frontend's own reply, in a turn.
 *
 *   command    session.answerLater() ── … ── settle(write)
 *   frontend   sees session.later, runs no further command ── … ── client.replyReady(): session.later.write(reply)
 *
 * Invariant: exactly one reply is written, or the client is gone; the command is told which by `onAbandoned`, once at most.
 */
import { assert } from "../assert.ts";
import type { Arguments, Reply } from "../plugin.ts";
import type { Session } from "./session.ts";

/** Writes one reply; may throw a CommandError instead. */
export type WriteReply = (reply: Reply) => void;

export interface LaterOptions {
  /**
   * The client is answered although it will send nothing more, as `printf 'WAITAOF 1 0 1000\r\n' | nc` wants. Only for what
   * ends by itself: whoever has ended his side may be gone altogether, and would be waited for without end.
   */
  readonly outlivesInput?: boolean;
}

/** Of the engine: how a reply gets from its command to the frontend. */
export interface LaterHost {
  /** Has the frontend told as the turn ends: never while another command writes into the same reply. */
  schedule(later: LaterReply): void;
  /** Writes one reply, whatever happens; `session.hold` then says what it waits for. */
  write(session: Session, write: WriteReply, reply: Reply): void;
  /** Runs a command that was kept waiting, as if it came now. */
  run(session: Session, args: Arguments, reply: Reply): void;
}

export class LaterReply {
  readonly session: Session;
  readonly outlivesInput: boolean;
  readonly #host: LaterHost;
  #write: WriteReply | null = null;
  #postponed: Arguments | null = null;
  #isSettled = false;
  #isAbandoned = false;
  /** The command's: called when nobody waits for its answer any more. `settle` then does nothing. */
  onAbandoned: () => void = () => {};
  /** The command's: what it answers when its time is over, if that may be at any time (CLIENT UNBLOCK). */
  onTimeout: WriteReply | null = null;

  constructor(session: Session, host: LaterHost, { outlivesInput = false }: LaterOptions) {
    this.session = session;
    this.outlivesInput = outlivesInput;
    this.#host = host;
  }

  // ---- the command's side ----

  /**
   * The answer is known. Exactly once; `write` is called a little later, when it is the session's turn, and changes no
   * data. An error is written or thrown by it as well.
   */
  settle(write: WriteReply): void {
    assert(!this.#isSettled, "a command that answers later has one answer");
    this.#isSettled = true;
    if (!this.#isAbandoned) this.#answer(write);
  }

  /**
   * In place of an answer: the command was kept from running, and runs now, when it is the session's turn. `args` are a copy.
   */
  settleByRunning(args: Arguments): void {
    assert(!this.#isSettled, "a command that answers later has one answer");
    this.#isSettled = true;
    if (this.#isAbandoned) return;
    this.#postponed = args;
    this.#host.schedule(this);
  }

  // ---- the frontend's side ----

  /**
   * Writes the reply, once the session's client was told that it is ready. The next command may run; but when `session.later`
   * is not null again, nothing was written: a command that was kept waiting has run, and waits by itself now.
   */
  write(reply: Reply): void {
    if (this.#postponed !== null && this.isAwaited) {
      this.session.later = null;
      this.#host.run(this.session, this.#postponed, reply);
      return;
    }
    const write = this.#write;
    assert(write !== null && this.isAwaited, "a later reply is written once, when it is ready");
    this.session.later = null;
    this.#host.write(this.session, write, reply);
  }

  /** The client does not wait any longer. Harmless when the answer is known already: then it is dropped. */
  abandon(): void {
    if (this.isAwaited) this.session.later = null;
    this.#giveUp();
  }

  // ---- the engine's side ----

  /** False once it was written or abandoned. */
  get isAwaited(): boolean {
    return this.session.later === this;
  }

  /** The answer is not known yet: the client is blocked. */
  get isPending(): boolean {
    return !this.#isSettled && !this.#isAbandoned;
  }

  /**
   * Answers in place of the command, which is told that nobody waits for it. False: it is too late, the command has
   * answered itself.
   */
  interrupt(write: WriteReply): boolean {
    if (!this.isAwaited || !this.#giveUp()) return false;
    this.#answer(write);
    return true;
  }

  #answer(write: WriteReply): void {
    this.#write = write;
    this.#host.schedule(this);
  }

  /** False: the command has answered, or knows already. */
  #giveUp(): boolean {
    if (this.#isSettled || this.#isAbandoned) return false;
    this.#isAbandoned = true;
    this.onAbandoned();
    return true;
  }
}
