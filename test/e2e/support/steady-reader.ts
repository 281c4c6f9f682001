/**
 * A client that reads one key over and over while something befalls the server, and counts. Whoever
 * wants to know whether reads go on looks at the count before and after: how long one of them takes
 * is the machine's matter.
 */
import type { Client } from "./client.ts";
import type { Server } from "./server.ts";

const KEY = "read by a steady reader";
const VALUE = "written before anything happened";

export class SteadyReader {
  /** Replies so far. */
  count = 0;
  #isStopping = false;
  readonly #ended: Promise<void>;

  private constructor(client: Client) {
    this.#ended = this.#read(client);
    this.#ended.catch(() => undefined); // told by `stop`
  }

  static async start(server: Server): Promise<SteadyReader> {
    const client = await server.connect();
    await client.call("SET", KEY, VALUE);
    return new SteadyReader(client);
  }

  /** Throws when a read was answered with anything but the value. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#ended;
  }

  async #read(client: Client): Promise<void> {
    while (!this.#isStopping) {
      const reply = await client.call("GET", KEY);
      if (reply !== VALUE) throw new Error(`read ${String(reply)}`);
      this.count++;
      await Bun.sleep(1); // the machine has more to do
    }
  }
}
