/**
 * What a connection knows of the world around it: what it shares with all others of its frontend,
 * which server.ts makes, and the part of a socket that it uses.
 */
import type { FrontendContext } from "kvdb";
import type { Decoder, RespEncoder } from "kvdb/resp";
import type { Batch } from "./batch.ts";
import type { Connection } from "./connection.ts";
import type { Messages } from "./messages.ts";
import type { WaitingSpans } from "./waiting-spans.ts";

export interface Shared {
  readonly context: FrontendContext;
  readonly batch: Batch;
  readonly decoder: Decoder;
  readonly encoder: RespEncoder;
  /** Of the replies in the encoder that belong to the connection in hand: which wait for durability. */
  readonly spans: WaitingSpans;
  readonly messages: Messages;
  /** Stretches of the encoders' buffers that wait for durability: until there are none, it may not start at the front. */
  held: number;
  /**
   * Notes that the stretch of an encoder's buffer belongs to the connection, to be sent when the turn ends. Answers its
   * number, for `prolong`.
   */
  speak(connection: Connection, buffer: Buffer, start: number, end: number): number;
  /** The stretch goes on to `end`, if it lies in this buffer and ends at `start`. False: it does not. */
  prolong(stretch: number, buffer: Buffer, start: number, end: number): boolean;
  /** The connection has replies that wait for durability, or is paused. */
  wait(connection: Connection): void;
  /** `release` is to be called when the replies of this turn have left. */
  releaseAfterTurn(connection: Connection): void;
  /** `goOn` is to be called in the next turn, after that of those who wait already. */
  goOnNextTurn(connection: Connection): void;
  /** `release` is to be called when writes are accepted again. */
  awaitWrites(): void;
  closed(connection: Connection): void;
}

/** The part of Bun's socket that a connection uses. */
export interface Socket {
  write(data: Uint8Array, offset: number, length: number): number;
  end(): void;
  terminate(): void;
  pause(): void;
  resume(): void;
}
