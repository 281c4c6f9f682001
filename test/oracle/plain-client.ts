/**
 * A raw RESP client that sends one command and waits for one reply, for states in which nothing else may be sent: within
 * MULTI, what resp-client.ts sends behind each command would be queued.
 */
import type { Socket } from "bun";
import { fromBytes, toBytes } from "./byte-text.ts";
import { readReply } from "./resp-reply.ts";
import { encodeArray } from "./step.ts";

export class PlainClient {
  readonly #socket: Socket<undefined>;
  #received = new Uint8Array(0);
  #answer: PromiseWithResolvers<string> | null = null;

  static async open(port: number): Promise<PlainClient> {
    let client: PlainClient | undefined;
    const socket = await Bun.connect<undefined>({
      hostname: "127.0.0.1",
      port,
      socket: {
        data: (_socket, chunk) => client?.receive(chunk),
        close: () => client?.fail(),
      },
    });
    client = new PlainClient(socket);
    return client;
  }

  private constructor(socket: Socket<undefined>) {
    this.#socket = socket;
  }

  /** The reply as byte text. Rejects when the connection ends before it came. */
  run(words: readonly string[]): Promise<string> {
    const answer = Promise.withResolvers<string>();
    this.#answer = answer;
    this.#received = new Uint8Array(0);
    this.#socket.write(toBytes(encodeArray(words)));
    return answer.promise;
  }

  receive(chunk: Uint8Array): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    if (readReply(this.#received, 0) === null) return;
    this.#answer?.resolve(fromBytes(this.#received));
  }

  fail(): void {
    this.#answer?.reject(new Error("the server has closed the connection"));
  }

  close(): void {
    this.#answer = null;
    this.#socket.end();
  }
}
