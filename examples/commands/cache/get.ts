/** CACHE.GET: a hit, or a lease for one client and word to the others of how long it lasts. */
import { type Command, integerOf } from "kvdb";
import { lockKey } from "./drop.ts";
import { readEntry } from "./entry.ts";
import { readOptions } from "./options.ts";
import { markTags } from "./tags.ts";

export const get: Command = {
  name: "CACHE.GET",
  arity: -4,
  // Not denyoom: a hit needs no memory, and LOCK refuses by itself.
  flags: ["write", "fast"],
  keys: [1, 1, 1],
  group: "plugin",
  since: "cache 1.0.0",
  summary: "Returns what is cached, or whether to load it or to wait for who does.",
  syntax: "key LEASE milliseconds [TAGS tag [tag ...]]",
  run(session, args, reply) {
    const { timeOf, tags } = readOptions(args, 2, ["LEASE"]);
    const key = args.bytes(1);
    const entry = readEntry(session, key);
    const answer = (state: string, number: number) => {
      reply.array(3);
      reply.text(state);
      reply.integer(number);
      if (entry === undefined) reply.null();
      else reply.bulk(entry.value);
    };
    const freshMs = (entry?.freshUntilMs ?? 0) - session.nowMs;
    if (freshMs > 0) return answer("hit", freshMs);
    const lease = session.call("LOCK", key, "PX", timeOf("LEASE"));
    if (lease.kind === "null") {
      return answer("wait", integerOf(session.call("PTTL", lockKey(key))));
    }
    const token = integerOf(lease);
    markTags(session, tags, { mark: token, ms: timeOf("LEASE") });
    if (entry === undefined) session.call("DEL", key); // one whose tag was dropped takes no more room
    answer("load", token);
  },
};
