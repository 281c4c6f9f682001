/**
 * CONFIG GET and CONFIG SET of how far collections stay packed, by Redis's names, the old ones with "ziplist" too. A change
 * holds for what is written from then on; what is packed, or is not, stays as it is until then.
 *
 * list-compress-depth is kept for who sets it, and does nothing: nodes of lists are never compressed. list-max-listpack-size
 * bounds them as in Redis; what is 256 bytes or less is no node yet.
 *
 * set-max-listpack-* is of Redis 7.2: a set of strings is packed here as it is there.
 */
import type { ServerParameter } from "../session/server.ts";
import type { CollectionLimits } from "../store/collections.ts";
import { readMemorySize, readWholeNumber } from "./parameter-values.ts";

type Limit = keyof CollectionLimits;
type Read = (text: string) => number;

const INT_MAX = 2 ** 31 - 1;
const count: Read = (text) => readWholeNumber(text, 0, Number.MAX_SAFE_INTEGER);
const depth: Read = (text) => readWholeNumber(text, 0, INT_MAX);
/** Positive: elements; negative: a size, -5 to -1. */
const listSize: Read = (text) => readWholeNumber(text, -INT_MAX - 1, INT_MAX);

const PARAMETERS: readonly (readonly [name: string, limit: Limit, read: Read])[] = [
  ["hash-max-listpack-entries", "hashEntries", count],
  ["hash-max-listpack-value", "hashValueBytes", readMemorySize],
  ["hash-max-ziplist-entries", "hashEntries", count],
  ["hash-max-ziplist-value", "hashValueBytes", readMemorySize],
  ["hll-sparse-max-bytes", "hyperLogLogSparseBytes", readMemorySize],
  ["list-compress-depth", "listCompressDepth", depth],
  ["list-max-listpack-size", "listSize", listSize],
  ["list-max-ziplist-size", "listSize", listSize],
  ["set-max-intset-entries", "setIntegers", count],
  ["set-max-listpack-entries", "setEntries", count],
  ["set-max-listpack-value", "setValueBytes", readMemorySize],
  ["stream-node-max-bytes", "streamNodeBytes", readMemorySize],
  ["stream-node-max-entries", "streamNodeEntries", count],
  ["zset-max-listpack-entries", "sortedSetEntries", count],
  ["zset-max-listpack-value", "sortedSetValueBytes", readMemorySize],
  ["zset-max-ziplist-entries", "sortedSetEntries", count],
  ["zset-max-ziplist-value", "sortedSetValueBytes", readMemorySize],
];

export function collectionParameters(limits: CollectionLimits): ServerParameter[] {
  return PARAMETERS.map(([name, limit, read]) => ({
    name,
    ...(name.includes("ziplist") && { aliasOf: name.replace("ziplist", "listpack") }),
    get: () => String(limits[limit]),
    set: (text) => {
      limits[limit] = read(text);
    },
  }));
}
