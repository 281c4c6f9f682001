/** What an operator sees of the feed of changes, and may set. */
import { readMemorySize } from "../commands/parameter-values.ts";
import type { ServerParameter } from "../session/server.ts";
import type { ChangeFeed } from "./change-feed.ts";

/** Bound on the records that are kept in memory, in bytes. */
export function feedParameter(feed: ChangeFeed): ServerParameter {
  return {
    name: "changes-memory",
    get: () => String(feed.recentBytes),
    set: (value) => {
      feed.recentBytes = readMemorySize(value);
    },
  };
}

export function feedInfo(feed: ChangeFeed): Record<string, string | number> {
  return {
    changes_oldest_revision: feed.oldest,
    changes_last_revision: feed.nextRevision - 1,
    changes_memory_bytes: feed.usedBytes,
    changes_waiting_clients: feed.waitingCount,
  };
}
