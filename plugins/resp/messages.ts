/**
 * Messages on their way to clients: what is pushed, encoded once for all clients of a protocol. The bytes stay until all of
 * them were sent or copied, in an encoder of their own, since commands are writing into the other one.
 */
import type { WriteReply } from "kvdb";
import { RespEncoder, type Stretch } from "kvdb/resp";

export class Messages {
  /** Made when the first message comes: most servers never have one. */
  #encoder: RespEncoder | null = null;
  /** What was encoded last, and its bytes in each protocol. */
  #write: WriteReply | null = null;
  #resp2: readonly Stretch[] | null = null;
  #resp3: readonly Stretch[] | null = null;

  /** The bytes of a message; the same as before when it is the same one. */
  encode(write: WriteReply, protocol: 2 | 3): readonly Stretch[] {
    if (write !== this.#write) {
      this.#write = write;
      this.#resp2 = null;
      this.#resp3 = null;
    }
    if (protocol === 2) {
      this.#resp2 ??= this.#encode(write, RESP2);
      return this.#resp2;
    }
    this.#resp3 ??= this.#encode(write, RESP3);
    return this.#resp3;
  }

  #encode(write: WriteReply, session: { readonly protocol: 2 | 3 }): readonly Stretch[] {
    this.#encoder ??= new RespEncoder();
    const encoder = this.#encoder;
    encoder.begin(session);
    write(encoder);
    const { buffer, lastStart, at } = encoder;
    return [...encoder.takeFull(), { buffer, start: lastStart, end: at }];
  }

  /** All of them were sent or copied. */
  reset(): void {
    this.#write = null;
    this.#resp2 = null;
    this.#resp3 = null;
    this.#encoder?.reset();
  }
}

const RESP2 = { protocol: 2 } as const;
const RESP3 = { protocol: 3 } as const;
