/**
 * What a proxy in front of several servers must know of a command to split it and to join the answers, and whether its answer is
 * always the same: Redis's tips, as COMMAND INFO answers them. kvdb's own commands have none.
 */

const BY_TIPS: readonly (readonly [tips: string, names: string])[] = [
  [
    "nondeterministic_output request_policy:all_nodes response_policy:special",
    "LATENCY|DOCTOR LATENCY|GRAPH LATENCY|HISTOGRAM LATENCY|HISTORY LATENCY|LATEST",
  ],
  [
    "nondeterministic_output request_policy:all_shards response_policy:special",
    "INFO MEMORY|DOCTOR MEMORY|MALLOC-STATS MEMORY|STATS",
  ],
  ["nondeterministic_output request_policy:special", "SCAN"],
  [
    "nondeterministic_output",
    "CLIENT|INFO CLIENT|LIST DUMP HRANDFIELD HSCAN LASTSAVE MIGRATE OBJECT|ENCODING OBJECT|FREQ OBJECT|IDLETIME OBJECT|REFCOUNT PTTL SPOP SRANDMEMBER SSCAN TIME TTL XADD XAUTOCLAIM XCLAIM XINFO|CONSUMERS XPENDING XTRIM ZRANDMEMBER ZSCAN",
  ],
  [
    "nondeterministic_output_order",
    "COMMAND COMMAND|DOCS COMMAND|INFO COMMAND|LIST HGETALL HKEYS HVALS SDIFF SINTER SMEMBERS SUNION",
  ],
  ["request_policy:all_nodes nondeterministic_output", "SLOWLOG|GET"],
  ["request_policy:all_nodes response_policy:agg_sum nondeterministic_output", "SLOWLOG|LEN"],
  [
    "request_policy:all_nodes response_policy:all_succeeded",
    "CONFIG|SET LATENCY|RESET SLOWLOG|RESET",
  ],
  ["request_policy:all_shards nondeterministic_output", "RANDOMKEY"],
  ["request_policy:all_shards nondeterministic_output_order", "KEYS"],
  ["request_policy:all_shards response_policy:agg_min", "WAIT"],
  ["request_policy:all_shards response_policy:agg_sum", "DBSIZE"],
  ["request_policy:all_shards response_policy:all_succeeded", "FLUSHALL FLUSHDB MEMORY|PURGE PING"],
  ["request_policy:multi_shard response_policy:agg_min", "MSETNX"],
  ["request_policy:multi_shard response_policy:agg_sum", "DEL EXISTS TOUCH UNLINK"],
  ["request_policy:multi_shard response_policy:all_succeeded", "MSET"],
  ["request_policy:multi_shard", "MGET"],
];

const NONE: readonly string[] = [];

const tips: ReadonlyMap<string, readonly string[]> = new Map(
  BY_TIPS.flatMap(([words, names]) => names.split(" ").map((name) => [name, words.split(" ")])),
);

/** By the name in the command table. */
export function tipsOf(name: string): readonly string[] {
  return tips.get(name) ?? NONE;
}
