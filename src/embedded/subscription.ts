/**
 * Messages that a program listens to, as an async iterator. They gather while nobody asks, up to what a subscriber of a
 * server may have waiting for it; beyond it the subscription ends with an error instead of losing one of them in silence.
 */
import type { LinkMessages } from "../client/link.ts";
import { KvdbError } from "../errors.ts";
import type { Answer } from "../resp/answer.ts";

export interface SubscribeOptions {
  /** Redis's globs: `*`, `?`, `[a-c]`, `\\*`. */
  readonly patterns?: readonly string[];
}

export interface Message {
  readonly channel: string;
  /** The message as UTF-8 text. */
  readonly text: string;
  /** The message as it is. */
  readonly bytes: Uint8Array;
  /** The pattern that the channel fits; undefined: it was subscribed to by its name. */
  readonly pattern: string | undefined;
}

/** Ends by `return`, as a `break` out of `for await` calls it, or at the end of a block with `await using`. */
export interface Subscription extends AsyncIterableIterator<Message, undefined>, AsyncDisposable {
  return(): Promise<IteratorReturnResult<undefined>>;
}

type Result = IteratorResult<Message, undefined>;

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };

export interface SubscriptionParts {
  /** Most bytes that may wait; 0: no limit. */
  readonly maxBytes: () => number;
  /** Keeps the program alive until the promise settles. */
  waitFor<Value>(promise: Promise<Value>): Promise<Value>;
  /** Nothing more is to come. */
  onEnd(): void;
}

export class MessageQueue implements Subscription {
  readonly #parts: SubscriptionParts;
  #waiting: Message[] = [];
  #bytes = 0;
  /** Those who ask while nothing waits. */
  #asking: PromiseWithResolvers<Result>[] = [];
  #failure: KvdbError | undefined;
  #isOver = false;

  constructor(parts: SubscriptionParts) {
    this.#parts = parts;
  }

  /** For the link that it listens through. */
  get listener(): LinkMessages {
    return {
      onMessage: (message) => this.#take(message),
      onLost: (error) => this.#end(error),
    };
  }

  #take(answer: Answer): void {
    const message = readMessage(answer);
    if (message === undefined || this.#isOver) return;
    const asking = this.#asking.shift();
    if (asking !== undefined) {
      asking.resolve({ done: false, value: message });
      return;
    }
    this.#waiting.push(message);
    this.#bytes += sizeOf(message);
    const maxBytes = this.#parts.maxBytes();
    if (maxBytes > 0 && this.#bytes >= maxBytes) {
      this.#end(new KvdbError("UNAVAILABLE", "more messages came than the program took"));
    }
  }

  next(): Promise<Result> {
    const message = this.#waiting.shift();
    if (message !== undefined) {
      this.#bytes -= sizeOf(message);
      return Promise.resolve({ done: false, value: message });
    }
    if (this.#isOver) return this.#last();
    const asking = Promise.withResolvers<Result>();
    this.#asking.push(asking);
    return this.#parts.waitFor(asking.promise);
  }

  /** The failure is told once. */
  #last(): Promise<Result> {
    const failure = this.#failure;
    this.#failure = undefined;
    return failure === undefined ? Promise.resolve(DONE) : Promise.reject(failure);
  }

  /** What has come before the end is still given out. */
  #end(failure?: KvdbError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#failure = failure;
    this.#parts.onEnd();
    for (const asking of this.#asking.splice(0)) this.#last().then(asking.resolve, asking.reject);
  }

  /** The database is closed. */
  close(): void {
    this.#end();
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    this.#waiting = [];
    this.#bytes = 0;
    this.#end();
    return DONE;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }
}

/** Undefined for a confirmation. */
function readMessage(answer: Answer): Message | undefined {
  if (answer.kind !== "push") return undefined;
  const parts = answer.items.map((item) => (item.kind === "bulk" ? item.bytes : EMPTY));
  switch (parts[0]?.toString()) {
    case "message":
      return messageOf(undefined, parts[1] as Buffer, parts[2] as Buffer);
    case "pmessage":
      return messageOf(parts[1]?.toString(), parts[2] as Buffer, parts[3] as Buffer);
    default:
      return undefined;
  }
}

const EMPTY = Buffer.alloc(0);

function messageOf(pattern: string | undefined, channel: Buffer, bytes: Buffer): Message {
  return {
    channel: channel.toString(),
    bytes: new Uint8Array(bytes),
    pattern,
    get text() {
      return bytes.toString();
    },
  };
}

/** A message of nothing takes an object. */
function sizeOf({ channel, bytes }: Message): number {
  return 128 + channel.length + bytes.length;
}
