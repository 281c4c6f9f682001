/** A client that is a replica, whose other side is the test, and a copy that the test writes. */

import type { Client } from "../../../src/plugin.ts";
import type { CopyMaker, CopyOrder } from "../../../src/replication/full-copies.ts";
import type { CopyFile } from "../../../src/replication/full-copy.ts";
import type { Session } from "../../../src/session/session.ts";
import type { FakeStream } from "./fake-stream.ts";

/** Lets everything run that waits for nothing but its turn. */
export async function settle(): Promise<void> {
  for (let step = 0; step < 50; step++) await Promise.resolve();
}

export class FakeReplica {
  readonly session: Session;
  received = "";
  closed: "no" | "now" | "afterReplies" = "no";
  /** It takes nothing: what it is sent waits. */
  isStuck = false;
  inputCount = 0;
  #waiting = "";
  #onSent: () => void = () => {};

  constructor(id: number, onClosed: (session: Session) => void) {
    const client: Client = {
      ...{ address: `10.0.0.${id}:5000`, localAddress: "10.0.0.100:6379" },
      inputBytes: () => 0,
      outputBytes: () => this.#waiting.length,
      close: (when) => {
        if (this.closed !== "no") return;
        this.closed = when;
        onClosed(this.session);
      },
      beginStream: (onSent) => {
        this.#onSent = onSent;
        return (bytes, start, end) => {
          this.#waiting += bytes.toString("latin1", start, end);
          if (!this.isStuck) queueMicrotask(() => this.take());
        };
      },
    };
    Object.defineProperty(client, "inputCount", { get: () => this.inputCount });
    this.session = { id, client, gates: 0, isReplica: false } as unknown as Session;
  }

  /** What came since it was asked last. */
  read(): string {
    const text = this.received;
    this.received = "";
    return text;
  }

  take(): void {
    if (this.#waiting === "") return;
    this.received += this.#waiting;
    this.#waiting = "";
    this.#onSent();
  }
}

/** Makes the copies that are asked for when the test says so. */
export class FakeCopies implements CopyMaker {
  readonly orders: CopyOrder[] = [];
  cancelled = 0;
  closedFiles = 0;
  #current: PromiseWithResolvers<number> = Promise.withResolvers();
  #text = "";
  readonly #stream: FakeStream;

  constructor(stream: FakeStream) {
    this.#stream = stream;
  }

  make(order: CopyOrder): Promise<number> {
    this.orders.push(order);
    this.#current = Promise.withResolvers();
    return this.#current.promise;
  }

  cancel(): void {
    this.cancelled++;
  }

  begin(): void {
    this.#text = "";
    const read: CopyFile["read"] = async (target, offset, length, position) =>
      (target as Buffer).write(this.#text.slice(position, position + length), offset, "latin1");
    const close = async () => {
      this.closedFiles++;
    };
    this.orders.at(-1)?.begun(this.#stream.cut(), { read, close });
  }

  write(text: string): void {
    this.#text += text;
    this.orders.at(-1)?.grown(this.#text.length);
  }

  async end(): Promise<void> {
    this.#current.resolve(this.#text.length);
    await settle();
  }

  async fail(error: Error): Promise<void> {
    this.#current.reject(error);
    await settle();
  }
}
