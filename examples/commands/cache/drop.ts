/** CACHE.DROP and CACHE.DROPTAG: what was loaded before them is gone, and what is being loaded is not kept. */
import type { Arguments, Command } from "kvdb";
import { markKey } from "./tags.ts";

/** Where kvdb has the lock on a key. */
export function lockKey(key: Uint8Array): Buffer {
  return Buffer.concat([LOCK, key]);
}

const LOCK = Buffer.from("lock:");

export const drop: Command = {
  name: "CACHE.DROP",
  arity: -2,
  flags: ["write"],
  keys: [1, -1, 1],
  group: "plugin",
  since: "cache 1.0.0",
  summary: "Removes entries, and ends their leases; returns how many entries there were.",
  syntax: "key [key ...]",
  run(session, args, reply) {
    const keys = allFrom(args, 1);
    session.call("DEL", ...keys.map(lockKey));
    reply.answer(session.call("DEL", ...keys));
  },
};

export const dropTag: Command = {
  name: "CACHE.DROPTAG",
  arity: -2,
  flags: ["write"],
  group: "plugin",
  since: "cache 1.0.0",
  summary: "Drops all entries that have one of the tags; returns how many of the tags were known.",
  syntax: "tag [tag ...]",
  run(session, args, reply) {
    reply.answer(session.call("DEL", ...allFrom(args, 1).map(markKey)));
  },
};

function allFrom(args: Arguments, first: number): Uint8Array[] {
  return Array.from({ length: args.count - first }, (_, index) => args.bytes(first + index));
}
