/** The stream of an engine that has been given none: nothing is in it, and nothing can be had of it. */
import { KvdbError } from "../errors.ts";
import type { ReplicationStream } from "./stream.ts";

const refuse = (): never => {
  throw new KvdbError("UNAVAILABLE", "this engine has no replication stream");
};

export function unusedStream(id: string): ReplicationStream {
  return {
    ...{ id, previousId: "0".repeat(id.length), previousEnd: -1 },
    ...{ offset: 0, firstOffset: 1, isInUse: false, isFollowing: false },
    use: async () => refuse(),
    renew: async () => refuse(),
    adopt: async () => refuse(),
    rename: async () => refuse(),
    note: () => {},
    locate: async () => null,
    openCursor: refuse,
    cut: refuse,
    offsetOf: () => 0,
  };
}
