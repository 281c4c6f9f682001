/**
 * A reply of a client that has waited: written when it is its turn, when the stream may have changed again. So it is recorded at
 * once, and played then. Only what replies of streams are made of is recorded.
 */

import type { WriteReply } from "../session/later-reply.ts";
import type { ReadonlyBytes } from "../store/arena.ts";
import type { Reply } from "./reply.ts";

type StreamReply = Pick<Reply, "array" | "map" | "bulk" | "nullArray">;

/** Runs `write` now; what it answers writes the same later. */
export function keptReply(write: (reply: Reply) => void): WriteReply {
  const steps: ((reply: StreamReply) => void)[] = [];
  const recorder: StreamReply = {
    array: (count) => steps.push((reply) => reply.array(count)),
    map: (count) => steps.push((reply) => reply.map(count)),
    nullArray: () => steps.push((reply) => reply.nullArray()),
    bulk: (bytes: ReadonlyBytes, start, end) => {
      const copy = Buffer.alloc(end - start);
      bytes.copy(copy, 0, start, end);
      steps.push((reply) => reply.bulk(copy, 0, copy.length));
    },
  };
  write(recorder as Reply);
  return (reply) => {
    for (const step of steps) step(reply);
  };
}
