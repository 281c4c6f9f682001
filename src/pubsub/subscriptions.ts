/**
 * What one client subscribes to. Who gets a message is found from the other side, in pubsub.ts, which alone changes these.
 * They lie on the heap, since they are a connection's state, and are counted as its memory.
 */
import type { Topic } from "./topics.ts";

/** Channels by name, patterns, and channels of shards, which are a world of their own. */
export type SubscriptionKind = "channel" | "pattern" | "shard";

export class Subscriptions {
  /** In the order in which they were made. */
  readonly channel = new Set<Topic>();
  readonly pattern = new Set<Topic>();
  readonly shard = new Set<Topic>();
  /** What they take, names included. */
  bytes = 0;

  get count(): number {
    return this.channel.size + this.pattern.size + this.shard.size;
  }
}
