/**
 * Clients that change data for as long as they are told to, whatever befalls the server: who loses the connection comes back,
 * who is refused goes on. What they say is a matter of the seed; what is done when is the machine's.
 */
import { type Client, ConnectionLost, ReplyError } from "../e2e/support/client.ts";
import { until } from "../e2e/support/poll.ts";
import { Random } from "../oracle/random.ts";
import { Changes, type Words } from "./changes.ts";
import type { Member } from "./member.ts";

export interface LoadOptions {
  readonly seed: number;
  readonly words: Words;
  readonly clients?: number;
  /** A command that nobody gives, upper case. */
  readonly leavesOut?: string;
}

/** Commands that a client has under way. */
const WINDOW = 20;
const CLIENTS = 3;
/** Between two windows: the servers of a test share two cores with it. */
const PAUSE_MS = 4;

export class Load {
  /** Commands that were answered by anything but an error. */
  doneCount = 0;
  readonly #member: Member;
  readonly #writers: Promise<void>[];
  #isOver = false;

  private constructor(member: Member, options: LoadOptions) {
    this.#member = member;
    this.#writers = Array.from({ length: options.clients ?? CLIENTS }, (_, index) => {
      const random = new Random(options.seed * 1_000 + index);
      return this.#write(new Changes(random, options.words, options.leavesOut));
    });
  }

  static begin(member: Member, options: LoadOptions): Load {
    return new Load(member, options);
  }

  /** Resolves when so many more commands are done. */
  async advance(count: number): Promise<void> {
    const goal = this.doneCount + count;
    await until(`${count} more changes`, () => this.doneCount >= goal);
  }

  /** Resolves when nothing more is under way. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#writers);
  }

  async #write(changes: Changes): Promise<void> {
    while (!this.#isOver) {
      const client = await this.#connect();
      if (client === null) return;
      using writer = client;
      try {
        while (!this.#isOver) await this.#writeWindow(writer, changes);
      } catch (error) {
        if (!(error instanceof ConnectionLost)) throw error;
      }
    }
  }

  async #writeWindow(client: Client, changes: Changes): Promise<void> {
    const commands = Array.from({ length: WINDOW }, () => changes.next()).flat();
    const replies = await client.pipeline(commands);
    this.doneCount += replies.filter((reply) => !(reply instanceof ReplyError)).length;
    await Bun.sleep(PAUSE_MS);
  }

  /** null: it is over. */
  async #connect(): Promise<Client | null> {
    const found = await until("the server is back", async () => {
      if (this.#isOver) return "over";
      try {
        return await this.#member.connect();
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code;
        if (code === "ECONNREFUSED" || code === "ECONNRESET") return undefined;
        throw error;
      }
    });
    return found === "over" ? null : found;
  }
}
