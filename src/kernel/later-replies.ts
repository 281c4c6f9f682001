/**
 * The replies that come later, of all sessions: from the moment that their commands have answered until the turn ends, when
 * the clients are told. So a reply is never written while another command writes into the same buffer, and what it says
 * leaves with the turn. When kvdb stops, whoever waits is told so.
 */
import { assert } from "../assert.ts";
import { CommandError } from "../commands/command-error.ts";
import type { Gate } from "../commands/dispatch.ts";
import {
  type LaterHost,
  type LaterOptions,
  LaterReply,
  type WriteReply,
} from "../session/later-reply.ts";
import type { Session } from "../session/session.ts";

export class LaterReplies {
  readonly #host: LaterHost;
  #ready: LaterReply[] = [];
  #isStopping = false;

  /** `endTurnSoon` asks for the end of the turn, in which `deliver` is to be called. */
  constructor(gate: Gate, endTurnSoon: () => void) {
    this.#host = {
      schedule: (later) => {
        this.#ready.push(later);
        endTurnSoon();
      },
      write: (session, write, reply) => gate.answer(session, write, reply),
      run: (session, args, reply) => gate.dispatch(session, args, reply),
    };
  }

  /** For the command that the session runs. Throws a CommandError when nobody can wait. */
  begin(session: Session, options: LaterOptions): LaterReply {
    if (this.#isStopping) throw unblocked();
    if (!session.mayWait) {
      throw new CommandError(
        "ERR",
        "this command answers later, and here is nobody who could wait for it",
      );
    }
    assert(session.later === null, "a session waits for one reply at a time");
    const later = new LaterReply(session, this.#host, options);
    session.later = later;
    return later;
  }

  /** Tells the clients whose replies are ready. Those that become ready meanwhile are told at the end of the next turn. */
  deliver(): void {
    const ready = this.#ready;
    if (ready.length === 0) return;
    this.#ready = [];
    for (const later of ready) if (later.isAwaited) later.session.client.replyReady?.();
  }

  /** kvdb stops: whoever waits gets an error, and nobody may begin to wait. False: nobody waited. */
  interruptAll(sessions: Iterable<Session>): boolean {
    this.#isStopping = true;
    for (const { later } of sessions) later?.interrupt(refuse);
    return this.#ready.length > 0;
  }
}

const refuse: WriteReply = () => {
  throw unblocked();
};

/** Redis's code for a client that is not kept waiting; Redis itself ends the connection at a stop without a word. */
function unblocked(): CommandError {
  return new CommandError("UNBLOCKED", "force unblock from blocking operation, the server stops");
}
