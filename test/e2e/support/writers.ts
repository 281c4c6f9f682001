/**
 * Clients that write by a ledger for as long as the server lives, so that something may befall it
 * meanwhile.
 */
import type { Random } from "../../oracle/random.ts";
import { ConnectionLost, type OnReply, ReplyError } from "./client.ts";
import type { Ledger, Operation } from "./ledger.ts";
import type { Server } from "./server.ts";

/** What a client does that was refused: not the same again at once. */
const PAUSE_AFTER_REFUSAL_MS = 10;
/** Between checkpoints that are asked for. */
const LONGEST_PAUSE_MS = 60;

export interface WriterOptions {
  /** Commands that a connection has under way. */
  readonly window: number;
  /** The disk is about to refuse: MISCONF is an answer to live with. */
  readonly mayBeRefused?: boolean;
}

/** One connection. Resolves when it is lost; throws when a reply is not the right one. */
export async function writeUntilLost(
  server: Server,
  ledger: Ledger,
  options: WriterOptions,
): Promise<void> {
  try {
    using client = await server.connect();
    for (;;) {
      const operations = Array.from({ length: options.window }, () => ledger.next());
      const outcome = new Outcome(operations, options.mayBeRefused === true);
      await client.pipeline(
        operations.map(({ command }) => command),
        outcome.take,
      );
      if (outcome.failure !== undefined) throw outcome.failure;
      if (outcome.wasRefused) await Bun.sleep(PAUSE_AFTER_REFUSAL_MS);
    }
  } catch (error) {
    if (!isLost(error)) throw error;
  }
}

/**
 * Asks for checkpoints, in both ways, one after the other; resolves when the connection is lost.
 */
export async function compactUntilLost(server: Server, random: Random): Promise<void> {
  try {
    using client = await server.connect();
    for (;;) {
      await Bun.sleep(random.below(LONGEST_PAUSE_MS)); // so that they begin at all kinds of moments
      // An error is an answer like another: one is being made already, or the disk refuses.
      await client.ask(random.pick(["COMPACT", "BGSAVE"]));
    }
  } catch (error) {
    if (!isLost(error)) throw error;
  }
}

/** A throw within the client's own reading would end the connection, so failures are kept. */
class Outcome {
  failure: unknown;
  wasRefused = false;
  readonly #operations: readonly Operation[];
  readonly #mayBeRefused: boolean;

  constructor(operations: readonly Operation[], mayBeRefused: boolean) {
    this.#operations = operations;
    this.#mayBeRefused = mayBeRefused;
  }

  readonly take: OnReply = (reply, index) => {
    const operation = this.#operations[index] as Operation;
    if (this.#mayBeRefused && reply instanceof ReplyError && reply.code === "MISCONF") {
      this.wasRefused = true;
      operation.refuse();
      return;
    }
    try {
      operation.acknowledge(reply);
    } catch (error) {
      this.failure ??= error;
    }
  };
}

function isLost(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return error instanceof ConnectionLost || code === "ECONNREFUSED" || code === "ECONNRESET";
}
