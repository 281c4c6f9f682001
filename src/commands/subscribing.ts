/**
 * SUBSCRIBE and its kin: what a client wants to hear of. Each name is confirmed by a message of its own, with the number of
 * subscriptions afterwards; a command that names none to end ends all. In RESP3 confirmations are push messages, in RESP2
 * nothing tells them from replies, so that a subscriber may run few other commands (the gate's step `subscribed`).
 */
import { MAX_SUBSCRIPTION_BYTES } from "../limits.ts";
import type { SubscriptionKind } from "../pubsub/subscriptions.ts";
import { subscriptionBytes } from "../pubsub/topics.ts";
import type { Session } from "../session/session.ts";
import type { Arguments } from "./arguments.ts";
import type { Command, Run } from "./command.ts";
import { CommandError } from "./command-error.ts";
import type { Reply } from "./reply.ts";

interface Words {
  readonly kind: SubscriptionKind;
  readonly begin: Buffer;
  readonly end: Buffer;
}

const CHANNELS: Words = wordsOf("channel", "");
const PATTERNS: Words = wordsOf("pattern", "p");
const SHARDS: Words = wordsOf("shard", "s");

function wordsOf(kind: SubscriptionKind, letter: string): Words {
  const begin = Buffer.from(`${letter}subscribe`);
  return { kind, begin, end: Buffer.from(`${letter}unsubscribe`) };
}

function subscribe({ kind, begin }: Words): Run {
  return (session, args, reply) => {
    // Redis lets the others in, for clients that did so before it knew of this.
    if (kind === "shard" && session.transaction !== null) {
      throw new CommandError("ERR", "SSUBSCRIBE isn't allowed for a DENY BLOCKING client");
    }
    requireRoom(session, args);
    for (let i = 1; i < args.count; i++) {
      const name = args.bytes(i);
      session.server.pubsub.subscribe(kind, session, name);
      confirm(session, reply, begin, name, countOf(session, kind));
    }
  };
}

function requireRoom(session: Session, args: Arguments): void {
  if (session.client.push === undefined) {
    throw new CommandError(
      "ERR",
      "messages come at any time, and here is nobody who could take them",
    );
  }
  const wanted = subscriptionBytes(args.count - 1, args.end[args.count - 1] - args.start[1]);
  const taken = session.subscriptions?.bytes ?? 0;
  if (taken + wanted > MAX_SUBSCRIPTION_BYTES) {
    throw new CommandError("ERR", "this client subscribes to too much already");
  }
}

function unsubscribe({ kind, end }: Words): Run {
  return (session, args, reply) => {
    const names = args.count > 1 ? namesIn(args) : subscribedNames(session, kind);
    for (const name of names) {
      session.server.pubsub.unsubscribe(kind, session, name);
      confirm(session, reply, end, name, countOf(session, kind));
    }
    if (names.length === 0) confirm(session, reply, end, null, countOf(session, kind));
  };
}

function namesIn(args: Arguments): Buffer[] {
  return Array.from({ length: args.count - 1 }, (_, index) => args.bytes(index + 1));
}

function subscribedNames({ subscriptions }: Session, kind: SubscriptionKind): Buffer[] {
  return Array.from(subscriptions?.[kind] ?? [], ({ bytes }) => bytes);
}

/** Channels and patterns are counted together, channels of shards by themselves. */
function countOf({ subscriptions }: Session, kind: SubscriptionKind): number {
  if (subscriptions === null) return 0;
  if (kind === "shard") return subscriptions.shard.size;
  return subscriptions.channel.size + subscriptions.pattern.size;
}

/** CLIENT REPLY does not silence it: it is a message, though it stands where a reply would. */
function confirm(
  session: Session,
  reply: Reply,
  word: Buffer,
  name: Buffer | null,
  count: number,
): void {
  const write = (to: Reply) => {
    to.push(3);
    to.bulk(word, 0, word.length);
    if (name === null) to.null();
    else to.bulk(name, 0, name.length);
    to.integer(count);
  };
  if (session.replyMode === "on") write(reply);
  else session.client.push?.(write, 0);
}

const FLAGS = ["pubsub", "noscript", "loading", "stale"] as const;

export const subscribingCommands: readonly Command[] = [
  {
    name: "PSUBSCRIBE",
    arity: -2,
    flags: FLAGS,
    group: "pubsub",
    since: "2.0.0",
    summary: "Listens for messages to channels that match patterns.",
    syntax: "pattern [pattern ...]",
    run: subscribe(PATTERNS),
  },
  {
    name: "PUNSUBSCRIBE",
    arity: -1,
    flags: FLAGS,
    group: "pubsub",
    since: "2.0.0",
    summary: "Listens no longer for messages to channels that match patterns, or any patterns.",
    syntax: "[pattern [pattern ...]]",
    run: unsubscribe(PATTERNS),
  },
  {
    name: "SSUBSCRIBE",
    arity: -2,
    flags: FLAGS,
    group: "pubsub",
    keys: [1, -1, 1],
    since: "7.0.0",
    summary: "Listens for messages to channels of shards.",
    syntax: "shardchannel [shardchannel ...]",
    run: subscribe(SHARDS),
  },
  {
    name: "SUBSCRIBE",
    arity: -2,
    flags: FLAGS,
    group: "pubsub",
    since: "2.0.0",
    summary: "Listens for messages to channels.",
    syntax: "channel [channel ...]",
    run: subscribe(CHANNELS),
  },
  {
    name: "SUNSUBSCRIBE",
    arity: -1,
    flags: FLAGS,
    group: "pubsub",
    keys: [1, -1, 1],
    since: "7.0.0",
    summary: "Listens no longer for messages to channels of shards, or to any of them.",
    syntax: "[shardchannel [shardchannel ...]]",
    run: unsubscribe(SHARDS),
  },
  {
    name: "UNSUBSCRIBE",
    arity: -1,
    flags: FLAGS,
    group: "pubsub",
    since: "2.0.0",
    summary: "Listens no longer for messages to channels, or to any channel.",
    syntax: "[channel [channel ...]]",
    run: unsubscribe(CHANNELS),
  },
];
