/**
 * Which keyspace events the steps of a sequence cause on a server: one client runs them, another one listens. Behind each
 * step the first publishes a mark, which tells the listener where its events end, without waiting for any of them.
 */

import type { Socket } from "bun";
import { toBytes } from "./byte-text.ts";
import { RespClient } from "./resp-client.ts";
import { readReply } from "./resp-reply.ts";
import { commandsOf, encode, encodeArray, type Step, step } from "./step.ts";

/** Events of one step, in their order: `event key`, the database in front. */
export type StepEvents = readonly string[];

const MARKS = "oracle-mark";

/** Of what passes in the sequence only commands as arrays: nothing that ends the connection, no cursor of its own. */
export function traceable(steps: readonly Step[]): Step[] {
  return steps.filter(
    (one) =>
      one.kind === "commands" &&
      one.commands.every(({ wire, words }) => wire === undefined && words.length > 0),
  );
}

/** All classes; keys expire when they are looked at; collections cross the limits of their small forms. */
const PROLOGUE: readonly Step[] = [
  step(["DEBUG", "SET-ACTIVE-EXPIRE", "0"]),
  step(["CONFIG", "SET", "set-max-intset-entries", "5", "hll-sparse-max-bytes", "200"]),
  step(["CONFIG", "SET", "zset-max-listpack-entries", "5"]),
  step(["CONFIG", "SET", "hash-max-listpack-entries", "6", "hash-max-listpack-value", "16"]),
  step(["CONFIG", "SET", "stream-node-max-entries", "4"]),
  step(["CONFIG", "SET", "notify-keyspace-events", "KEAnm"]),
];

/** From an empty server, unless it is to stay as it is. */
export async function traceEvents(
  port: number,
  steps: readonly Step[],
  { empties = true } = {},
): Promise<StepEvents[]> {
  await using listener = await EventListener.open(port);
  const client = await RespClient.open(port);
  const prologue = empties ? [step(["FLUSHALL"]), ...PROLOGUE] : PROLOGUE;
  const marked = [...prologue, ...steps].flatMap((one, index) => [
    ...commandsOf(one).map(encode),
    toBytes(encodeArray(["PUBLISH", MARKS, String(index)])),
  ]);
  const { ending } = await client.exchange(marked);
  if (ending !== "open") throw new Error(`the server on port ${port} ended it: ${ending}`);
  const events = await listener.untilMark(prologue.length + steps.length - 1);
  client.close();
  return events.slice(prologue.length);
}

class EventListener implements AsyncDisposable {
  #received: Uint8Array = new Uint8Array(0);
  #socket: Socket<undefined> | null = null;
  /** Of the steps that are over, then of the one that is not. */
  readonly #events: string[][] = [[]];
  #wanted = -1;
  #resolve: () => void = () => {};
  readonly #subscribed = Promise.withResolvers<void>();
  /** The event whose message to the key's channel was the last. */
  #half: string | null = null;

  static async open(port: number): Promise<EventListener> {
    const listener = new EventListener();
    listener.#socket = await Bun.connect<undefined>({
      hostname: "127.0.0.1",
      port,
      socket: { data: (_socket, chunk) => listener.#receive(chunk) },
    });
    listener.#socket.write(toBytes(encodeArray(["PSUBSCRIBE", "__key*__:*"])));
    listener.#socket.write(toBytes(encodeArray(["SUBSCRIBE", MARKS])));
    await listener.#subscribed.promise;
    return listener;
  }

  /** Events step by step, when the mark of step number `last` is there. */
  async untilMark(last: number): Promise<string[][]> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wanted = last;
    this.#resolve = resolve;
    if (this.#events.length > last + 1) resolve();
    await promise;
    return this.#events.slice(0, last + 1);
  }

  #receive(chunk: Uint8Array): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    let at = 0;
    for (;;) {
      const message = at < this.#received.length ? readReply(this.#received, at) : null;
      if (message === null) break;
      at = message.end;
      this.#take(message.items.map(({ text }) => text ?? ""));
    }
    this.#received = this.#received.slice(at);
  }

  #take([kind = "", first = "", channel = "", text = ""]: string[]): void {
    if (kind === "subscribe") this.#subscribed.resolve();
    else if (kind === "message") this.#endStep();
    else if (kind === "pmessage") this.#note(channel, text);
    else if (kind !== "psubscribe") throw new Error(`an unexpected ${kind} ${first}`);
  }

  #endStep(): void {
    this.#events.push([]);
    if (this.#events.length > this.#wanted + 1 && this.#wanted >= 0) this.#resolve();
  }

  /** Each event comes twice: to the channel of the key, then to that of the event, about the same. */
  #note(channel: string, text: string): void {
    const [, kind, database, name = ""] = /^__key(space|event)@(\d+)__:(.*)$/s.exec(channel) ?? [];
    const event = kind === "space" ? `${database} ${text} ${name}` : `${database} ${name} ${text}`;
    const isFirst = this.#half === null;
    const fits = isFirst ? kind === "space" : kind === "event" && this.#half === event;
    this.#half = isFirst ? event : null;
    if (!isFirst) this.#events.at(-1)?.push(event);
    if (!fits) this.#events.at(-1)?.push(`(out of order: ${channel} ${text})`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket?.end();
  }
}

/** One line for people. */
export function describeEvents(events: StepEvents): string {
  return events.length === 0 ? "(none)" : events.map((event) => JSON.stringify(event)).join(", ");
}
