/**
 * Publish and subscribe: who subscribes to which channels, patterns and channels of shards, and messages on their way from a
 * publisher to them. Nothing is kept for who is not there: a message goes to those who subscribe at that moment.
 *
 *   publish   at once, by whoever knows what the message waits for (keyspace events)
 *   queue     of a command in hand, perhaps one of several that become one record: its receivers are chosen now, and are
 *             sent it by `deliver` when the command is over and its record made, or never, when it was undone
 *
 * Invariant: what a client subscribes to and who is among the subscribers of a topic agree.
 */
import type { Reply, Revision, WriteReply } from "../plugin.ts";
import { type SubscriptionKind, Subscriptions } from "./subscriptions.ts";
import { type Subscriber, subscriptionBytes, type Topic, Topics } from "./topics.ts";

/** Whether the whole text matches the whole pattern, as Redis's globs do. */
export type Matches = (pattern: Uint8Array, text: Uint8Array) => boolean;

/** A message of a command in hand, and who gets it. */
interface Queued {
  readonly write: WriteReply;
  readonly receivers: readonly Subscriber[];
}

export class PubSub {
  readonly #topics = { channel: new Topics(), pattern: new Topics(), shard: new Topics() };
  readonly #matches: Matches;
  #queue: Queued[] = [];
  /** Something is to leave when the command in hand is over, here or in what goes with it (tracking.ts). */
  isDue = false;
  /** Of the step of the gate that keeps subscribers to a few commands; the engine's. */
  subscribedBit = 0;
  /** Clients that subscribe to something. */
  clientCount = 0;

  constructor(matches: Matches) {
    this.#matches = matches;
  }

  // ---- subscribing ----

  /** Harmless when it subscribes already. */
  subscribe(kind: SubscriptionKind, subscriber: Subscriber, name: Uint8Array): void {
    subscriber.subscriptions ??= new Subscriptions();
    const { subscriptions } = subscriber;
    const topic = this.#topics[kind].open(name);
    if (topic.subscribers.has(subscriber)) return;
    if (subscriptions.count === 0) this.clientCount++;
    topic.subscribers.add(subscriber);
    subscriptions[kind].add(topic);
    subscriptions.bytes += subscriptionBytes(1, topic.bytes.length);
    this.noteProtocol(subscriber);
  }

  /** Harmless when it does not subscribe. */
  unsubscribe(kind: SubscriptionKind, subscriber: Subscriber, name: Uint8Array): void {
    const topic = this.#topics[kind].find(name);
    if (topic?.subscribers.has(subscriber)) this.#leave(kind, subscriber, topic);
  }

  /** The client is gone, or begins anew. */
  unsubscribeAll(subscriber: Subscriber): void {
    const { subscriptions } = subscriber;
    if (subscriptions === null) return;
    for (const kind of ["channel", "pattern", "shard"] as const) {
      for (const topic of subscriptions[kind]) this.#leave(kind, subscriber, topic);
    }
  }

  #leave(kind: SubscriptionKind, subscriber: Subscriber, topic: Topic): void {
    const subscriptions = subscriber.subscriptions as Subscriptions;
    this.#topics[kind].leave(topic, subscriber);
    subscriptions[kind].delete(topic);
    subscriptions.bytes -= subscriptionBytes(1, topic.bytes.length);
    if (subscriptions.count === 0) this.clientCount--;
    this.noteProtocol(subscriber);
  }

  /**
   * The protocol of the client may have changed: in RESP2 a message cannot be told from a reply, so that who subscribes may
   * run few commands.
   */
  noteProtocol(subscriber: Subscriber): void {
    const isRestricted = subscriber.protocol === 2 && isSubscribed(subscriber);
    if (isRestricted) subscriber.gates |= this.subscribedBit;
    else subscriber.gates &= ~this.subscribedBit;
  }

  /** What there is to subscribe to, and who does. */
  topics(kind: SubscriptionKind): Topics {
    return this.#topics[kind];
  }

  // ---- messages ----

  /** Anybody subscribes to any channel or pattern. */
  get hasSubscribers(): boolean {
    return this.#topics.channel.size > 0 || this.#topics.pattern.size > 0;
  }

  /**
   * Sends the message to who subscribes to the channel, and answers how many times. The bytes are kept, so they may not
   * change. It waits until `hold` is as durable as promised.
   */
  publish(channel: Uint8Array, message: Uint8Array, hold: Revision): number {
    let count = 0;
    this.#eachGroup(channel, message, (topic, write) => {
      for (const { client } of topic.subscribers) {
        client.push?.(write, hold);
        count++;
      }
    });
    return count;
  }

  /** The same when the command in hand is over. Answers how many will get it. */
  queue(channel: Uint8Array, message: Uint8Array): number {
    let count = 0;
    this.#eachGroup(channel, message, (topic, write) => {
      const receivers = [...topic.subscribers];
      count += receivers.length;
      this.#queue.push({ write, receivers });
    });
    if (count > 0) this.isDue = true;
    return count;
  }

  /** The same to who subscribes to a shard's channel. */
  queueInShard(channel: Uint8Array, message: Uint8Array): number {
    const topic = this.#topics.shard.find(channel);
    if (topic === undefined) return 0;
    const receivers = [...topic.subscribers];
    this.#queue.push({ write: messageOf(SHARD_MESSAGE, channel, message), receivers });
    this.isDue = true;
    return receivers.length;
  }

  /** Who subscribes to the channel itself comes first, as in Redis; then each pattern. */
  #eachGroup(
    channel: Uint8Array,
    message: Uint8Array,
    send: (topic: Topic, write: WriteReply) => void,
  ): void {
    const topic = this.#topics.channel.find(channel);
    if (topic !== undefined) send(topic, messageOf(MESSAGE, channel, message));
    for (const pattern of this.#topics.pattern) {
      if (!this.#matches(pattern.bytes, channel)) continue;
      send(pattern, patternMessageOf(pattern.bytes, channel, message));
    }
  }

  /** The command is over: what it has published leaves. Who has unsubscribed or gone meanwhile still was a receiver. */
  deliver(hold: Revision): void {
    const queue = this.#queue;
    this.#queue = [];
    this.isDue = false;
    for (const { write, receivers } of queue) {
      for (const { client } of receivers) client.push?.(write, hold);
    }
  }

  /** The command was undone: nothing was published. */
  forget(): void {
    if (this.#queue.length > 0) this.#queue = [];
  }
}

export function isSubscribed({ subscriptions }: Pick<Subscriber, "subscriptions">): boolean {
  return subscriptions !== null && subscriptions.count > 0;
}

const MESSAGE = Buffer.from("message");
const PATTERN_MESSAGE = Buffer.from("pmessage");
const SHARD_MESSAGE = Buffer.from("smessage");

function messageOf(word: Buffer, channel: Uint8Array, message: Uint8Array): WriteReply {
  const parts = [word, asBuffer(channel), asBuffer(message)];
  return (reply) => writeMessage(reply, parts);
}

function patternMessageOf(pattern: Buffer, channel: Uint8Array, message: Uint8Array): WriteReply {
  const parts = [PATTERN_MESSAGE, pattern, asBuffer(channel), asBuffer(message)];
  return (reply) => writeMessage(reply, parts);
}

function writeMessage(reply: Reply, parts: readonly Buffer[]): void {
  reply.push(parts.length);
  for (const part of parts) reply.bulk(part, 0, part.length);
}

function asBuffer(bytes: Uint8Array): Buffer {
  if (Buffer.isBuffer(bytes)) return bytes; // a further view costs more than the rest of a short message
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
