/**
 * A client that waits for its page: until its changes are read from the log, until there are any, or until its time is over.
 * Its steps are slices of the server's long work, so that a thousand of them together hold up the others no longer than one.
 */
import { CommandError } from "../commands/command-error.ts";
import type { Reply } from "../commands/reply.ts";
import { asKvdbError } from "../errors.ts";
import type { Timer } from "../platform/clock.ts";
import type { LaterReply } from "../session/later-reply.ts";
import type { Session } from "../session/session.ts";
import type { ChangeFeed } from "./change-feed.ts";
import type { PageReading, StepEnd } from "./page-reading.ts";

export interface PageWaitOptions {
  readonly feed: ChangeFeed;
  readonly reading: PageReading;
  readonly session: Session;
  /** How long to wait for a change; undefined: not at all, 0: for ever. */
  readonly blockMs: number | undefined;
  write(reply: Reply, reading: PageReading): void;
}

export class PageWait {
  readonly #options: PageWaitOptions;
  readonly #later: LaterReply;
  #isWanted = true;
  #timer: Timer | null = null;
  #forget: () => void = () => {};

  constructor(options: PageWaitOptions) {
    const { session, blockMs } = options;
    this.#options = options;
    // Who waits without end and will send nothing more may be gone altogether.
    this.#later = session.answerLater({ outlivesInput: blockMs !== 0 });
    this.#later.onAbandoned = () => this.#end();
    this.#later.onTimeout = (reply) => options.write(reply, options.reading);
  }

  /** `end`: why the step before has ended. */
  begin(end: StepEnd): void {
    const { feed, blockMs } = this.#options;
    if (blockMs !== undefined && blockMs > 0) {
      this.#timer = feed.clock.after(blockMs, () => this.#settle());
    }
    this.#goOn(end);
  }

  #goOn(end: StepEnd): void {
    const { reading, blockMs } = this.#options;
    const isAnswer = reading.changes.length > 0 || blockMs === undefined;
    if (end === "full" || (end === "end" && isAnswer)) this.#settle();
    else if (end === "log") void this.#readLog();
    else if (end === "end") this.#await();
    else this.#stepSoon();
  }

  #await(): void {
    const { feed, reading } = this.#options;
    reading.rest();
    this.#forget = feed.onMore(() => this.#stepSoon());
  }

  #stepSoon(): void {
    this.#options.feed.stepSoon((exhausted) => this.#step(exhausted));
  }

  #step(exhausted: () => boolean): boolean {
    if (!this.#isWanted) return true;
    try {
      const end = this.#options.reading.step(exhausted);
      if (end === "more") return false;
      this.#goOn(end);
    } catch (error) {
      this.#fail(error);
    }
    return true;
  }

  async #readLog(): Promise<void> {
    try {
      await this.#options.reading.readLog();
      if (this.#isWanted) this.#stepSoon();
    } catch (error) {
      this.#fail(error);
    }
  }

  #settle(): void {
    if (!this.#isWanted) return;
    this.#end();
    const { reading, write } = this.#options;
    this.#later.settle((reply) => write(reply, reading));
  }

  #fail(error: unknown): void {
    if (!this.#isWanted) return;
    this.#end();
    this.#later.settle(() => {
      throw commandErrorOf(error);
    });
  }

  #end(): void {
    this.#isWanted = false;
    this.#timer?.cancel();
    this.#forget();
    this.#options.reading.end();
  }
}

/** What is wrong with the log is the answer, under the code that it has. */
export function commandErrorOf(error: unknown): CommandError {
  if (error instanceof CommandError) return error;
  const { reply, message } = asKvdbError(error);
  return new CommandError(reply ?? "ERR", message);
}
