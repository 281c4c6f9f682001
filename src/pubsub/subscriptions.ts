/**
 * What one client subscribes to. Who gets a message is found from the other side, in pubsub.ts, which alone changes these.
 * They lie on the heap, since they are a connection's state, and are counted as its memory.
 */

/** Channels by name, patterns, and channels of shards, which are a world of their own. */
export type SubscriptionKind = "channel" | "pattern" | "shard";

/** Names by their bytes, one character each: a Map compares strings, not bytes. */
export type ByteName = string;

export class Subscriptions {
  /** In the order in which they were made. */
  readonly channel = new Map<ByteName, Buffer>();
  readonly pattern = new Map<ByteName, Buffer>();
  readonly shard = new Map<ByteName, Buffer>();
  /** What the names take, and the entries that hold them. */
  bytes = 0;

  get count(): number {
    return this.channel.size + this.pattern.size + this.shard.size;
  }
}
