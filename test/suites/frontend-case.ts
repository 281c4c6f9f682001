/**
 * What an author tells `frontendSuite` of a frontend: how an instance is made, how a client of it
 * speaks, and what it is able to do.
 */
import type { Frontend, FrontendContext } from "../../src/plugin.ts";

export interface FrontendCase {
  readonly name: string;
  readonly listensOn: Address["on"];
  /** An instance that will listen there and nowhere else; called again for each start. */
  readonly make: (context: FrontendContext, address: Address) => Frontend;
  /** A client. Rejects when nobody listens there. */
  readonly connect: (address: Address, password?: string) => Promise<FrontendClient>;
  /** The bytes by which a client asks for a key, as they stand on the wire. */
  readonly getRequest: (key: string, address: Address) => string | Uint8Array;
  readonly supports: FrontendAbilities;
  /** How long is waited for what must happen, in milliseconds. Default 10 000. */
  readonly patienceMs?: number;
}

/** Where an instance listens. The suite gives out what is free. */
export type Address =
  /** On 127.0.0.1. */
  { readonly on: "tcp"; readonly port: number } | { readonly on: "unix"; readonly path: string };

/**
 * A client as the suite uses it. Both methods may be called before earlier calls are answered. They
 * reject when the connection ends before the answer.
 */
export interface FrontendClient {
  /** Stores a text under a key; resolves to anything but an error when that was done. */
  set(key: string, value: string): Promise<FrontendAnswer>;
  /** Resolves to the text, null when there is no such key. */
  get(key: string): Promise<FrontendAnswer>;
  /** Resolves when the frontend has ended the connection; absent where a client has none that lasts. */
  readonly closed?: Promise<void>;
  /** Ends the connection at once. Harmless when called again. */
  close(): void;
}

/** `error` is kvdb's code as the client can see it: `LOADING`, `NOAUTH`, `OOM`. */
export type FrontendAnswer = string | null | { readonly error: string };

export interface FrontendAbilities {
  /**
   * Each client that is connected has a session of its own, made by `context.connect`; its `Client`
   * tells the bytes that wait, and can be closed. False for one that runs commands through links.
   */
  readonly sessions: boolean;
  /** A client may send the next command before the last is answered; they run in order. */
  readonly pipelining: boolean;
  /** Clients give the password. False only where the system decides who may come in. */
  readonly password: boolean;
}
