/** redis-server as tests talk to it that compare it with the engine in process: words in, replies as plain values or bytes. */
import { RespClient } from "./resp-client.ts";
import { type ReplyNode, readReply } from "./resp-reply.ts";
import { encodeArray } from "./step.ts";

export type PlainReply = string | number | null | PlainReply[];

export class RedisInWords {
  readonly #client: RespClient;

  private constructor(client: RespClient) {
    this.#client = client;
  }

  static async open(port: number): Promise<RedisInWords> {
    return new RedisInWords(await RespClient.open(port));
  }

  /** Words are byte text, and so is the reply, as it came. */
  async raw(...words: readonly string[]): Promise<string> {
    return (await this.#ask(words)).toString("latin1");
  }

  /** An error is its text, as a status is. */
  async run(...words: readonly string[]): Promise<PlainReply> {
    return plain(readReply(await this.#ask(words), 0));
  }

  async dump(key: string): Promise<Buffer> {
    const reply = await this.#ask(["DUMP", key]);
    return reply.subarray(reply.indexOf("\n") + 1, -2);
  }

  async #ask(words: readonly string[]): Promise<Buffer> {
    const { replies } = await this.#client.exchange([Buffer.from(encodeArray(words), "latin1")]);
    return Buffer.from(replies[0] as Uint8Array);
  }

  close(): void {
    this.#client.close();
  }
}

function plain(node: ReplyNode | null): PlainReply {
  if (node === null || node.text === null) return null;
  if (node.type === ":") return Number(node.text);
  return node.type === "*" ? node.items.map(plain) : node.text;
}
