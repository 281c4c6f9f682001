/**
 * PUBLISH and SPUBLISH, and PUBSUB, which tells who listens. A message is no data: it makes no record, but for replicas. It may tell of
 * what the publisher has written before, so it leaves no sooner than that is as durable as promised (see Gate).
 */
import type { SubscriptionKind } from "../pubsub/subscriptions.ts";
import type { Session } from "../session/session.ts";
import type { Arguments } from "./arguments.ts";
import type { Command, Run } from "./command.ts";
import { CommandError, shownArgument } from "./command-error.ts";
import { helpSubcommand } from "./container-help.ts";
import { matchGlob } from "./glob.ts";
import type { Reply } from "./reply.ts";

function publish(session: Session, args: Arguments, reply: Reply): void {
  const { events, pubsub, replication } = session.server;
  // What the commands before it have told of keys stands before it: all of them may be one transaction.
  events.queueGathered();
  const [channel, message] = [args.bytes(1), args.bytes(2)];
  reply.integer(pubsub.queue(channel, message));
  replication.published("PUBLISH", channel, message);
}

function publishInShard(session: Session, args: Arguments, reply: Reply): void {
  const { events, pubsub, replication } = session.server;
  events.queueGathered();
  const [channel, message] = [args.bytes(1), args.bytes(2)];
  reply.integer(pubsub.queueInShard(channel, message));
  replication.published("SPUBLISH", channel, message);
}

/** CHANNELS and SHARDCHANNELS: those that somebody subscribes to, as far as they match. */
function listTopics(kind: SubscriptionKind): Run {
  return (session, args, reply) => {
    if (args.count > 3) throw wrongUse(args);
    const all = [...session.server.pubsub.topics(kind)].map(({ bytes }) => bytes);
    const chosen = args.count === 2 ? all : all.filter((name) => isWanted(args, name));
    reply.array(chosen.length);
    for (const name of chosen) reply.bulk(name, 0, name.length);
  };
}

function wrongUse(args: Arguments): CommandError {
  const name = shownArgument(args, 1, 128);
  const problem = `unknown subcommand or wrong number of arguments for '${name}'`;
  return new CommandError("ERR", `${problem}. Try PUBSUB HELP.`);
}

function isWanted({ buffer, start, end }: Arguments, name: Buffer): boolean {
  return matchGlob(buffer, start[2], end[2], name, 0, name.length);
}

/** NUMSUB and SHARDNUMSUB: for each name, who subscribes to just it. */
function countSubscribers(kind: SubscriptionKind): Run {
  return (session, args, reply) => {
    const topics = session.server.pubsub.topics(kind);
    reply.array(2 * (args.count - 2));
    for (let i = 2; i < args.count; i++) {
      reply.bulk(args.buffer, args.start[i], args.end[i]);
      reply.integer(topics.find(args.bytes(i))?.subscribers.size ?? 0);
    }
  };
}

const POSTING = ["pubsub", "loading", "stale", "fast"] as const;
const ASKING = ["pubsub", "loading", "stale"] as const;

export const publishingCommands: readonly Command[] = [
  {
    name: "PUBLISH",
    arity: 3,
    flags: POSTING,
    group: "pubsub",
    since: "2.0.0",
    summary: "Sends a message to who listens to a channel, and returns how many do.",
    syntax: "channel message",
    run: publish,
  },
  {
    name: "SPUBLISH",
    arity: 3,
    flags: POSTING,
    group: "pubsub",
    keys: [1, 1, 1],
    since: "7.0.0",
    summary: "Sends a message to who listens to a channel of a shard, and returns how many do.",
    syntax: "shardchannel message",
    run: publishInShard,
  },
  {
    name: "PUBSUB",
    arity: -2,
    flags: [],
    group: "pubsub",
    since: "2.8.0",
    summary: "A container for commands about who listens.",
    syntax: "",
  },
  helpSubcommand("PUBSUB", "pubsub", "6.2.0"),
  {
    name: "PUBSUB|CHANNELS",
    arity: -2,
    flags: ASKING,
    group: "pubsub",
    since: "2.8.0",
    summary: "Returns the channels that somebody listens to.",
    syntax: "[pattern]",
    run: listTopics("channel"),
  },
  {
    name: "PUBSUB|NUMPAT",
    arity: 2,
    flags: ASKING,
    group: "pubsub",
    since: "2.8.0",
    summary: "Returns how many different patterns somebody listens to.",
    syntax: "",
    run: (session, _args, reply) => reply.integer(session.server.pubsub.topics("pattern").size),
  },
  {
    name: "PUBSUB|NUMSUB",
    arity: -2,
    flags: ASKING,
    group: "pubsub",
    since: "2.8.0",
    summary: "Returns for each channel how many listen to it by its name.",
    syntax: "[channel [channel ...]]",
    run: countSubscribers("channel"),
  },
  {
    name: "PUBSUB|SHARDCHANNELS",
    arity: -2,
    flags: ASKING,
    group: "pubsub",
    since: "7.0.0",
    summary: "Returns the channels of shards that somebody listens to.",
    syntax: "[pattern]",
    run: listTopics("shard"),
  },
  {
    name: "PUBSUB|SHARDNUMSUB",
    arity: -2,
    flags: ASKING,
    group: "pubsub",
    since: "7.0.0",
    summary: "Returns for each channel of a shard how many listen to it.",
    syntax: "[shardchannel [shardchannel ...]]",
    run: countSubscribers("shard"),
  },
];
