/**
 * CACHE.SET: stores what was loaded, unless it may be out of date. The lease must still be there (it is not
 * when the key was dropped), and no tag may have been dropped since it began: a mark is the revision at
 * which a tag became known, the token the one at which the lease began.
 */
import { type Command, CommandError, integerOf } from "kvdb";
import { writeEntry } from "./entry.ts";
import { readOptions } from "./options.ts";
import { markNow, marksOf, markTags } from "./tags.ts";

export const set: Command = {
  name: "CACHE.SET",
  arity: -6,
  flags: ["write", "denyoom", "fast"],
  keys: [1, 1, 1],
  group: "plugin",
  since: "cache 1.0.0",
  summary: "Stores what was loaded and ends the lease; 0: too late, nothing is stored.",
  syntax: "key token value PX milliseconds [STALE milliseconds] [TAGS tag [tag ...]]",
  run(session, args, reply) {
    const { timeOf, tags } = readOptions(args, 4, ["PX", "STALE"]);
    const token = args.integer(2);
    if (!(token > 0)) throw new CommandError("ERR", "the token is the number that CACHE.GET gave");
    const [key, value] = [args.bytes(1), args.bytes(3)];
    const isHeld = integerOf(session.call("UNLOCK", key, token)) === 1;
    const marks = marksOf(session, tags);
    const isStored = isHeld && marks.every((mark) => mark > 0 && mark <= token);
    const ms = timeOf("PX") + timeOf("STALE");
    if (isStored) {
      const freshUntilMs = session.nowMs + timeOf("PX");
      markTags(session, tags, { mark: token, ms });
      writeEntry(session, key, { value, freshUntilMs, tags, marks }, timeOf("STALE"));
    } else if (isHeld) {
      // Nobody knows whether these were dropped since the lease began; of the next lease it is known.
      for (const [index, tag] of tags.entries()) if (marks[index] === 0) markNow(session, tag, ms);
    }
    reply.integer(isStored ? 1 : 0);
  },
};
