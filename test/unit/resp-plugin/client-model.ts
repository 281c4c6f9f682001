/**
 * What one client should receive, told by a naive model: a Map for the keys that it alone uses, and the replies of Redis
 * written out. `next` makes a random request and notes the reply; both as byte text.
 */
import type { Random } from "../../../src/platform/random.ts";
import { arrayOf } from "../resp/protocol-cases.ts";

const KEYS = 6;
const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`;
const textOrNull = (text: string | undefined): string =>
  text === undefined ? "$-1\r\n" : bulk(text);

export class ClientModel {
  expected = "";
  readonly #random: Random;
  readonly #prefix: string;
  readonly #values = new Map<string, string>();
  #mode: "on" | "off" | "skip" = "on";

  constructor(random: Random, prefix: string) {
    this.#random = random;
    this.#prefix = prefix;
  }

  next(): string {
    const kinds = [
      ...[() => this.#get(), () => this.#get(), () => this.#set(), () => this.#set()],
      ...[() => this.#append(), () => this.#count(), () => this.#delete(), () => this.#getMany()],
      ...[() => this.#echo(), () => this.#ping(), () => this.#unknown(), () => this.#wrongArity()],
      ...[() => this.#nothing(), () => this.#replyMode()],
    ];
    return (kinds[this.#random.below(kinds.length)] as () => string)();
  }

  /** Ends in a state in which the client hears again. */
  last(): string {
    this.#mode = "on";
    this.expected += "+OK\r\n";
    return arrayOf("CLIENT", "REPLY", "ON") + this.#answer(arrayOf("ECHO", "end"), bulk("end"));
  }

  #answer(request: string, reply: string): string {
    if (this.#mode === "on") this.expected += reply;
    if (this.#mode === "skip") this.#mode = "on";
    return request;
  }

  #key(): string {
    return `${this.#prefix}:${this.#random.below(KEYS)}`;
  }

  /** Mostly short; sometimes past what the encoder copies byte by byte; seldom a good part of the output's bound. */
  #text(): string {
    const bound = [10, 10, 10, 100, 100, 300, 5000, 5000, 5000, 400_000][this.#random.below(10)];
    const letter = String.fromCharCode(this.#random.below(256));
    return letter.repeat(this.#random.below(bound as number));
  }

  #get(): string {
    const key = this.#key();
    return this.#answer(arrayOf("GET", key), textOrNull(this.#values.get(key)));
  }

  #set(): string {
    const [key, value] = [this.#key(), this.#text()];
    this.#values.set(key, value);
    return this.#answer(arrayOf("SET", key, value), "+OK\r\n");
  }

  #append(): string {
    const [key, more] = [this.#key(), this.#text()];
    const value = (this.#values.get(key) ?? "") + more;
    this.#values.set(key, value);
    return this.#answer(arrayOf("APPEND", key, more), `:${value.length}\r\n`);
  }

  #count(): string {
    const key = `${this.#prefix}:count`;
    const value = Number(this.#values.get(key) ?? "0") + 1;
    this.#values.set(key, String(value));
    return this.#answer(`INCR ${key}\r\n`, `:${value}\r\n`);
  }

  #delete(): string {
    const keys = [this.#key(), this.#key()];
    const count = keys.filter((key) => this.#values.delete(key)).length;
    return this.#answer(arrayOf("DEL", ...keys), `:${count}\r\n`);
  }

  #getMany(): string {
    const keys = Array.from({ length: 1 + this.#random.below(4) }, () => this.#key());
    const values = keys.map((key) => textOrNull(this.#values.get(key)));
    return this.#answer(arrayOf("MGET", ...keys), `*${keys.length}\r\n${values.join("")}`);
  }

  #echo(): string {
    const text = this.#text();
    return this.#answer(arrayOf("ECHO", text), bulk(text));
  }

  #ping(): string {
    return this.#answer("PING\n", "+PONG\r\n");
  }

  #unknown(): string {
    const error = "-ERR unknown command 'nope', with args beginning with: 'a' 'b' \r\n";
    return this.#answer(arrayOf("nope", "a", "b"), error);
  }

  #wrongArity(): string {
    return this.#answer("GET\r\n", "-ERR wrong number of arguments for 'get' command\r\n");
  }

  /** No command, no reply. */
  #nothing(): string {
    return ["\r\n", "*0\r\n", "*-1\r\n", "  \n"][this.#random.below(4)] as string;
  }

  #replyMode(): string {
    const choice = this.#random.below(6);
    if (choice < 3) {
      this.#mode = "on";
      this.expected += "+OK\r\n";
      return "CLIENT REPLY ON\r\n";
    }
    if (choice === 3) {
      this.#mode = "off";
      return arrayOf("client", "reply", "off");
    }
    if (this.#mode !== "off") this.#mode = "skip";
    return arrayOf("CLIENT", "REPLY", "SKIP");
  }
}
