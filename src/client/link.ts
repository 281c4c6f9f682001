/**
 * A way to run commands and get their answers, whoever holds the data: the engine of this process
 * (kernel/local-link.ts), another process on this machine, or a server far away (socket-link.ts). What
 * the shell, scripts and frontends that have one command at a time talk to.
 */
import type { KvdbError } from "../errors.ts";
import type { Answer } from "../resp/answer.ts";

/** One part of a command: its name, or an argument. */
export type Part = string | Uint8Array;

export function partText(part: Part): string {
  return typeof part === "string"
    ? part
    : Buffer.from(part.buffer, part.byteOffset, part.byteLength).toString();
}

export interface Link {
  /**
   * Runs one command, its name first, and resolves to its answer once that is as durable as promised.
   * An error reply is an answer. Rejects with a KvdbError when the way to the data is gone; whether
   * the command ran is then not known. Commands run in the order of the calls.
   *
   * SUBSCRIBE and its kin resolve to the last of their confirmations, all of which come to `onMessage` before.
   */
  call(parts: readonly Part[]): Promise<Answer>;
  /**
   * No further call. One that is under way is rejected; in process one that only waits for the disk still
   * resolves once its answer is durable. Harmless when called again.
   */
  close(): Promise<void>;
}

/** For who wants to hear what answers no command. */
export interface LinkMessages {
  /** Without it nothing can be subscribed to. A message, as the server sends it: an answer of kind `push`. */
  onMessage?(message: Answer): void;
  /** The way to the data is gone: nothing will come any more. */
  onLost?(error: KvdbError): void;
}

/** What is known of the one behind a link. */
export interface LinkClient extends LinkMessages {
  /** What CLIENT LIST shows. */
  readonly address: string;
  /** The operating system has decided who may come this way: no password is asked for. */
  readonly trusted?: boolean;
}
