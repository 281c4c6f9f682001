/**
 * How far a consumer group has read: how many entries it has passed since the first one ever, and how many are ahead. Neither
 * is counted by walking: it is known from counters as long as no entry was deleted in between, and else not known. Redis's
 * rules, entry by entry the same.
 */
import { UNKNOWN } from "../store/stream-groups.ts";
import { compareIds, StreamId } from "../store/stream-id.ts";
import type { Streams } from "../store/streams.ts";

const first = new StreamId();
const last = new StreamId();
const deleted = new StreamId();
const position = new StreamId();

/** Whether an entry was deleted from `from` on. */
function hasGapBehind(streams: Streams, root: number, from: StreamId): boolean {
  streams.readDeletedId(root, deleted);
  if (streams.length(root) === 0 || deleted.isLeast) return false;
  return compareIds(from, deleted) <= 0;
}

/** How many entries there have been up to this ID, since the first one ever; UNKNOWN when that cannot be told. */
function entriesUpTo(streams: Streams, root: number, id: StreamId): number {
  const added = streams.entriesAdded(root);
  if (added === 0) return 0;
  const length = streams.length(root);
  const toLast = compareIds(id, streams.readLastId(root, last));
  if (length === 0 && toLast <= 0) return added;
  if (toLast === 0) return added;
  if (toLast > 0) return UNKNOWN;
  streams.readFirstId(root, first);
  streams.readDeletedId(root, deleted);
  if (deleted.isLeast || compareIds(deleted, first) < 0) {
    const toFirst = compareIds(id, first);
    if (toFirst < 0) return added - length;
    if (toFirst === 0) return added - length + 1;
  }
  return UNKNOWN;
}

/** The group passes on to this entry, behind where it was: counts it if that is possible. */
export function passEntry(streams: Streams, root: number, group: number, id: StreamId): void {
  const { groups } = streams;
  const read = groups.entriesRead(group);
  if (read !== UNKNOWN && !hasGapBehind(streams, root, id)) groups.setEntriesRead(group, read + 1);
  else if (streams.entriesAdded(root) > 0) {
    groups.setEntriesRead(group, entriesUpTo(streams, root, id));
  }
  groups.setLastId(group, id);
}

/** How many entries the group has still to read, negative when it was told to have read more; null: cannot be told. */
export function lagOf(streams: Streams, root: number, group: number): number | null {
  const added = streams.entriesAdded(root);
  if (added === 0) return 0;
  streams.groups.readLastId(group, position);
  const read = streams.groups.entriesRead(group);
  if (read !== UNKNOWN && !hasGapBehind(streams, root, position)) return added - read;
  const passed = entriesUpTo(streams, root, position);
  return passed === UNKNOWN ? null : added - passed;
}
