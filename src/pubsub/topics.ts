/**
 * All topics of one kind that somebody subscribes to, by name, each with its subscribers in the order in which they came.
 * A topic without subscribers is none.
 */
import type { Client } from "../plugin.ts";
import type { Subscriptions } from "./subscriptions.ts";

/** A session, as far as messages concern it. */
export interface Subscriber {
  readonly protocol: 2 | 3;
  readonly client: Client;
  /** Steps of the gate that it must pass: a mask. */
  gates: number;
  /** Null: it has never subscribed. */
  subscriptions: Subscriptions | null;
}

export interface Topic {
  readonly name: string;
  readonly bytes: Buffer;
  readonly subscribers: Set<Subscriber>;
}

/** What one subscription takes besides the name: entries of two sets, and a topic that it may share. */
const SUBSCRIPTION_BYTES = 256;

/** What so many subscriptions take whose names have so many bytes together; each name is kept as text, too. */
export function subscriptionBytes(count: number, nameBytes: number): number {
  return SUBSCRIPTION_BYTES * count + 2 * nameBytes;
}

export class Topics {
  /** By the name's bytes, a character each: a Map does not compare bytes. */
  readonly #byName = new Map<string, Topic>();

  get size(): number {
    return this.#byName.size;
  }

  [Symbol.iterator](): Iterator<Topic> {
    return this.#byName.values();
  }

  find(name: Uint8Array): Topic | undefined {
    return this.#byName.get(textOf(name));
  }

  /** The topic of that name, made if there is none. */
  open(name: Uint8Array): Topic {
    const text = textOf(name);
    const found = this.#byName.get(text);
    if (found !== undefined) return found;
    const topic = { name: text, bytes: Buffer.from(name), subscribers: new Set<Subscriber>() };
    this.#byName.set(text, topic);
    return topic;
  }

  /** Takes a subscriber away. */
  leave(topic: Topic, subscriber: Subscriber): void {
    topic.subscribers.delete(subscriber);
    if (topic.subscribers.size === 0) this.#byName.delete(topic.name);
  }
}

function textOf(name: Uint8Array): string {
  const bytes = Buffer.isBuffer(name)
    ? name
    : Buffer.from(name.buffer, name.byteOffset, name.byteLength);
  return bytes.toString("latin1");
}
