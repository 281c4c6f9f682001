/**
 * Zeros behind a group: a write into bytes that were written before is durable sooner than one that
 * makes the file longer (measured at kvdb/persistence's log-writer.ts). They leave with a group, in the same write.
 */
import type { ActiveSegment } from "./segment.ts";

/**
 * Zeros are written ahead up to the next multiple of it: seldom enough to vanish in the average,
 * 0.3 ms each time.
 */
const AHEAD_BYTES = 256 * 1024;
/** Larger groups gain less from zeros ahead than writing their bytes twice costs. */
const MAX_GROUP_AHEAD_BYTES = 32 * 1024;
/** A segment gets zeros ahead after so many groups: `kvdb set` writes one and stops. */
const GROUPS_BEFORE_AHEAD = 16;

/** Length of the write whose group has so many bytes, with zeros when it is their turn. */
export function lengthWithZeros(active: ActiveSegment, size: number, segmentBytes: number): number {
  const { end, preparedEnd, groupCount } = active;
  const isTurn = end + size > preparedEnd && groupCount >= GROUPS_BEFORE_AHEAD;
  if (!isTurn || size > MAX_GROUP_AHEAD_BYTES) return size;
  const ahead = Math.ceil((end + size) / AHEAD_BYTES) * AHEAD_BYTES;
  return Math.max(size, Math.min(ahead, segmentBytes) - end);
}
