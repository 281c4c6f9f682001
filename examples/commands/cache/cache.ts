/**
 * A read-through cache: of many clients that miss the same key one is told to load it, under a lease. What
 * it stores is refused when the lease is over, or when the key or one of its tags was dropped meanwhile.
 *
 *   CACHE.GET page:1 LEASE 5000 TAGS blog               →  ["load", 17, null]    you load it; 17 is your token
 *                                                       →  ["wait", 4990, null]  another does, for so long
 *   CACHE.SET page:1 17 <html> PX 60000 TAGS blog       →  1
 *   CACHE.GET page:1 LEASE 5000 TAGS blog               →  ["hit", 59990, "<html>"]
 *   CACHE.DROPTAG blog                                  →  1
 *
 * A lease is kvdb's own lock: `UNLOCK page:1 17` gives it back. Its token is a revision, as marks of tags
 * are: a mark above the token is of a tag that was dropped since.
 */
import { definePlugin } from "kvdb";
import { drop, dropTag } from "./drop.ts";
import { get } from "./get.ts";
import { set } from "./set.ts";

export default definePlugin({
  name: "cache",
  apiVersion: 1,
  commands: () => [get, set, drop, dropTag],
});
