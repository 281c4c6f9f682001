/**
 * A server that answers as a Redis of long ago does, with values that no server here can make: it knows neither HELLO nor
 * PEXPIRETIME, and what DUMP answers is what the test says.
 */
import { Arguments } from "../../../src/commands/arguments.ts";
import { Decoder } from "../../../src/resp/decoder.ts";

export interface OldKey {
  readonly payload: Buffer;
  /** Milliseconds to live. */
  readonly leftMs?: number;
  /** What JSON.GET answers. */
  readonly json?: string;
}

export class OldRedis implements Disposable {
  readonly url: string;
  readonly #listener: Bun.TCPSocketListener<{ pending: Buffer; queue: string[] | undefined }>;
  readonly #keys: ReadonlyMap<string, OldKey>;

  constructor(keys: Readonly<Record<string, OldKey>>, info = "redis_version:5.0.7") {
    this.#keys = new Map(Object.entries(keys));
    const answer = (parts: readonly string[]) => this.#answer(parts, info);
    this.#listener = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        open: (socket) => {
          socket.data = { pending: Buffer.alloc(0), queue: undefined };
        },
        data: (socket, chunk) => {
          const { data } = socket;
          const [commands, rest] = split(Buffer.concat([data.pending, chunk]));
          data.pending = rest;
          for (const parts of commands) {
            const name = (parts[0] ?? "").toUpperCase();
            let text = "+QUEUED\r\n";
            if (name === "MULTI") {
              data.queue = [];
              text = "+OK\r\n";
            } else if (name === "EXEC") {
              text = `*${data.queue?.length ?? 0}\r\n${data.queue?.join("") ?? ""}`;
              data.queue = undefined;
            } else if (data.queue === undefined) text = answer(parts);
            else data.queue.push(answer(parts));
            socket.write(Buffer.from(text, "latin1"));
          }
        },
      },
    });
    this.url = `redis://127.0.0.1:${this.#listener.port}`;
  }

  #answer([name = "", key = ""]: readonly string[], info: string): string {
    const found = this.#keys.get(key);
    switch (name.toUpperCase()) {
      case "INFO":
        return bulk(key === "keyspace" ? `db0:keys=${this.#keys.size},expires=0\r\n` : info);
      case "COMMAND":
        return "*1\r\n*-1\r\n";
      case "SELECT":
        return "+OK\r\n";
      case "SCAN":
        return `*2\r\n${bulk("0")}*${this.#keys.size}\r\n${[...this.#keys.keys()].map(bulk).join("")}`;
      case "TIME":
        return `*2\r\n${bulk("1900000000")}${bulk("123456")}`;
      case "PTTL":
        return `:${found?.leftMs ?? -1}\r\n`;
      case "DUMP":
        return found === undefined ? "$-1\r\n" : bulk(found.payload.toString("latin1"));
      case "JSON.GET":
        return found?.json === undefined ? "$-1\r\n" : bulk(found.json);
      default:
        return `-ERR unknown command \`${name}\`\r\n`;
    }
  }

  [Symbol.dispose](): void {
    this.#listener.stop(true);
  }
}

function bulk(latin: string): string {
  return `$${latin.length}\r\n${latin}\r\n`;
}

/** The commands that are whole, and what is left. */
function split(bytes: Buffer): [string[][], Buffer] {
  const decoder = new Decoder();
  const args = new Arguments();
  const commands: string[][] = [];
  let at = 0;
  for (;;) {
    const end = at < bytes.length ? decoder.decode(args, bytes, at, bytes.length) : -1;
    if (end < 0) return [commands, bytes.subarray(at)];
    commands.push(Array.from({ length: args.count }, (_, i) => args.latin(i)));
    at = end;
  }
}
