/**
 * How the time of a command grows with what it works on, for COMMAND DOCS: Redis's words, shortened, for commands that both
 * have; the structures behind them have the same bounds here. kvdb's own commands have none.
 */

const BY_COMPLEXITY: readonly (readonly [complexity: string, names: string])[] = [
  ["Depends on commands in the transaction", "EXEC"],
  ["Depends on how much memory is allocated, could be slow", "MEMORY|MALLOC-STATS MEMORY|PURGE"],
  [
    "Depends on subcommand",
    "ACL CLIENT CONFIG DEBUG LATENCY MEMORY OBJECT PUBSUB SLOWLOG XGROUP XINFO",
  ],
  ["For each stream mentioned: O(M) with M being the number of elements returned", "XREADGROUP"],
  [
    "For each stream mentioned: O(N) with N being the number of elements being returned, it means that XREAD-ing with a fixed COUNT is O(1)",
    "XREAD",
  ],
  ["N/A", "PFDEBUG PFSELFTEST"],
  [
    "O(1)",
    "ACL|DRYRUN ACL|GENPASS ACL|HELP ACL|WHOAMI APPEND BGREWRITEAOF BGSAVE BLMOVE BRPOPLPUSH CLIENT|CACHING CLIENT|GETNAME CLIENT|GETREDIR CLIENT|HELP CLIENT|ID CLIENT|INFO CLIENT|NO-EVICT CLIENT|PAUSE CLIENT|REPLY CLIENT|SETNAME CLIENT|TRACKING CLIENT|TRACKINGINFO COMMAND|COUNT COMMAND|HELP CONFIG|HELP CONFIG|RESETSTAT CONFIG|REWRITE DBSIZE DECR DECRBY ECHO EXPIRE EXPIREAT EXPIRETIME FAILOVER GET GETBIT GETDEL GETEX GETSET HELLO HEXISTS HGET HINCRBY HINCRBYFLOAT HLEN HSETNX HSTRLEN INCR INCRBY INCRBYFLOAT INFO LASTSAVE LATENCY|DOCTOR LATENCY|GRAPH LATENCY|HELP LATENCY|HISTORY LATENCY|LATEST LATENCY|RESET LLEN LMOVE MEMORY|DOCTOR MEMORY|HELP MEMORY|STATS MOVE MULTI OBJECT|ENCODING OBJECT|FREQ OBJECT|HELP OBJECT|IDLETIME OBJECT|REFCOUNT PERSIST PEXPIRE PEXPIREAT PEXPIRETIME PING PSETEX PTTL PUBSUB|HELP PUBSUB|NUMPAT QUIT RANDOMKEY RENAME RENAMENX REPLCONF REPLICAOF RESET ROLE RPOPLPUSH SCARD SELECT SET SETBIT SETEX SETNX SISMEMBER SLAVEOF SLOWLOG|HELP SLOWLOG|LEN SMOVE STRLEN TIME TTL TYPE UNWATCH WAIT XGROUP|CREATE XGROUP|CREATECONSUMER XGROUP|DELCONSUMER XGROUP|HELP XGROUP|SETID XINFO|CONSUMERS XINFO|GROUPS XINFO|HELP XINFO|STREAM XLEN XSETID ZCARD ZSCORE",
  ],
  ["O(1) amortized time considering the typical user", "ACL|DELUSER"],
  [
    "O(1) for each element added, so O(N) to add N elements when the command is called with multiple arguments",
    "LPUSH LPUSHX RPUSH RPUSHX SADD",
  ],
  [
    "O(1) for each field/value pair added, so O(N) to add N field/value pairs when the command is called with multiple field/value pairs",
    "HSET",
  ],
  ["O(1) for each key removed regardless of its size", "UNLINK"],
  ["O(1) for each message ID processed", "XACK"],
  ["O(1) for each single item to delete in the stream, regardless of the stream size", "XDEL"],
  ["O(1) for each subcommand specified", "BITFIELD BITFIELD_RO"],
  ["O(1) for every call", "HSCAN SCAN SSCAN ZSCAN"],
  ["O(1) for every key", "WATCH"],
  ["O(1) if COUNT is small", "XAUTOCLAIM"],
  ["O(1) since the categories and commands are a fixed set", "ACL|CAT"],
  [
    "O(1) to access the key and additional O(N*M) to serialize it, where N is the number of elements composing the value and M their average size",
    "DUMP",
  ],
  ["O(1) to add every element", "PFADD"],
  [
    "O(1) to create the new key and additional O(N*M) to reconstruct the serialized value, where N is the number of elements composing the value and M their average size",
    "RESTORE",
  ],
  [
    "O(1) when adding a new entry, O(N) when trimming where N being the number of entries evicted",
    "XADD",
  ],
  ["O(1) with a very small average constant time when called with a single key", "PFCOUNT"],
  ["O(1), not counting the time taken to copy the new string in place", "SETRANGE"],
  [
    "O(K) + O(M*log(N)) where K is the number of provided keys, N being the number of elements in the sorted set, and M being the number of elements popped",
    "BZMPOP ZMPOP",
  ],
  [
    "O(L + (N-K)log(N)) worst case where L is the total number of elements in all the sets, N is the size of the first set, and K is the size of the result set",
    "ZDIFF ZDIFFSTORE",
  ],
  [
    "O(M*log(N)) with N being the number of elements in the sorted set and M the number of elements to be removed",
    "ZREM",
  ],
  ["O(N)", "ACL|GETUSER ACL|LIST ACL|LOAD ACL|SAVE ACL|SETUSER ACL|USERS BITCOUNT BITOP BITPOS"],
  ["O(N) Where N is the number of paused clients", "CLIENT|UNPAUSE"],
  ["O(N) for the NUMSUB subcommand, where N is the number of requested channels", "PUBSUB|NUMSUB"],
  [
    "O(N) for the SHARDNUMSUB subcommand, where N is the number of requested shard channels",
    "PUBSUB|SHARDNUMSUB",
  ],
  ["O(N) to merge N HyperLogLogs, but with high constant times", "PFMERGE"],
  ["O(N) when N is the number of configuration parameters provided", "CONFIG|GET CONFIG|SET"],
  [
    "O(N) when saving, where N is the total number of keys in all databases when saving data, otherwise O(1)",
    "SHUTDOWN",
  ],
  [
    "O(N) where N is the count of clients watching or blocking on keys from both databases",
    "SWAPDB",
  ],
  ["O(N) where N is the length of the list", "LSET"],
  ["O(N) where N is the length of the returned string", "GETRANGE SUBSTR"],
  [
    "O(N) where N is the number of active channels, and assuming constant time pattern matching (relatively short channels and patterns)",
    "PUBSUB|CHANNELS",
  ],
  [
    "O(N) where N is the number of active shard channels, and assuming constant time pattern matching (relatively short shard channels)",
    "PUBSUB|SHARDCHANNELS",
  ],
  [
    "O(N) where N is the number of arguments to the command",
    "COMMAND|GETKEYS COMMAND|GETKEYSANDFLAGS",
  ],
  ["O(N) where N is the number of channels to subscribe to", "SUBSCRIBE"],
  ["O(N) where N is the number of client connections", "CLIENT|KILL CLIENT|LIST"],
  ["O(N) where N is the number of clients already subscribed to a channel", "UNSUBSCRIBE"],
  ["O(N) where N is the number of clients already subscribed to a shard channel", "SUNSUBSCRIBE"],
  ["O(N) where N is the number of clients subscribed to the receiving shard channel", "SPUBLISH"],
  ["O(N) where N is the number of commands to look up", "COMMAND|DOCS COMMAND|INFO"],
  [
    "O(N) where N is the number of commands with latency information being retrieved",
    "LATENCY|HISTOGRAM",
  ],
  ["O(N) where N is the number of elements being checked for membership", "SMISMEMBER"],
  ["O(N) where N is the number of elements in the list, for the average case", "LPOS"],
  ["O(N) where N is the number of elements returned", "LPOP RPOP ZRANDMEMBER"],
  ["O(N) where N is the number of elements to be removed by the operation", "LTRIM"],
  ["O(N) where N is the number of elements to traverse before seeing the value pivot", "LINSERT"],
  ["O(N) where N is the number of elements to traverse to get to the element at index", "LINDEX"],
  [
    "O(N) where N is the number of entries in the group's pending entries list (PEL)",
    "XGROUP|DESTROY",
  ],
  ["O(N) where N is the number of entries in the slowlog", "SLOWLOG|RESET"],
  ["O(N) where N is the number of entries returned", "SLOWLOG|GET"],
  ["O(N) where N is the number of fields being requested", "HMGET"],
  ["O(N) where N is the number of fields being set", "HMSET"],
  ["O(N) where N is the number of fields returned", "HRANDFIELD"],
  ["O(N) where N is the number of fields to be removed", "HDEL"],
  ["O(N) where N is the number of keys in the selected database", "FLUSHDB"],
  ["O(N) where N is the number of keys that will be removed", "DEL"],
  ["O(N) where N is the number of keys that will be touched", "TOUCH"],
  ["O(N) where N is the number of keys to check", "EXISTS"],
  ["O(N) where N is the number of keys to retrieve", "MGET"],
  ["O(N) where N is the number of keys to set", "MSET MSETNX"],
  ["O(N) where N is the number of members being requested", "ZMSCORE"],
  ["O(N) where N is the number of members requested", "GEOPOS"],
  ["O(N) where N is the number of members to be removed", "SREM"],
  ["O(N) where N is the number of passwords defined for the user", "AUTH"],
  ["O(N) where N is the number of patterns the client is already subscribed to", "PSUBSCRIBE"],
  ["O(N) where N is the number of provided keys", "BLPOP BRPOP"],
  ["O(N) where N is the number of samples", "MEMORY|USAGE"],
  ["O(N) where N is the number of shard channels to subscribe to", "SSUBSCRIBE"],
  ["O(N) where N is the set cardinality", "SMEMBERS"],
  ["O(N) where N is the size of the hash", "HGETALL HKEYS HVALS"],
  ["O(N) where N is the total number of Redis commands", "COMMAND COMMAND|LIST"],
  [
    "O(N) where N is the total number of elements in all given sets",
    "SDIFF SDIFFSTORE SUNION SUNIONSTORE",
  ],
  ["O(N) where N is the total number of keys in all databases", "FLUSHALL SAVE"],
  ["O(N) with N being the number of elements being returned", "XRANGE"],
  ["O(N) with N being the number of elements returned", "XREVRANGE"],
  [
    "O(N) with N being the number of elements returned, or scanned with the IDLE filter",
    "XPENDING",
  ],
  ["O(N) with N being the number of entries shown", "ACL|LOG"],
  [
    "O(N) with N being the number of keys in the database, under the assumption that the key names in the database and the given pattern have limited length",
    "KEYS",
  ],
  ["O(N) worst case for collections, where N is the number of nested items", "COPY"],
  [
    "O(N)+O(M log(M)) with N being the sum of the sizes of the input sorted sets, and M being the number of elements in the resulting sorted set",
    "ZUNIONSTORE",
  ],
  [
    "O(N)+O(M*log(M)) with N being the sum of the sizes of the input sorted sets, and M being the number of elements in the resulting sorted set",
    "ZUNION",
  ],
  ["O(N), when N is the number of queued commands", "DISCARD"],
  ["O(N), with N being the number of evicted entries", "XTRIM"],
  [
    "O(N*K) worst case with N being the smallest input sorted set, K being the number of input sorted sets",
    "ZINTERCARD",
  ],
  [
    "O(N*K)+O(M*log(M)) worst case with N being the smallest input sorted set, K being the number of input sorted sets and M being the number of elements in the resulting sorted set",
    "ZINTER ZINTERSTORE",
  ],
  ["O(N*M) where N and M are the lengths of s1 and s2, respectively", "LCS"],
  [
    "O(N*M) worst case where N is the cardinality of the smallest set and M is the number of sets",
    "SINTER SINTERCARD SINTERSTORE",
  ],
  ["O(N+M) where N is the length of the list and M is the number of elements removed", "LREM"],
  [
    "O(N+M) where N is the number of clients subscribed to the receiving channel and M is the total number of subscribed patterns (by any client)",
    "PUBLISH",
  ],
  [
    "O(N+M) where N is the number of patterns the client is already subscribed and M is the number of total patterns subscribed in the system (by any client)",
    "PUNSUBSCRIBE",
  ],
  [
    "O(N+M) where N is the number of provided keys and M is the number of elements returned",
    "BLMPOP LMPOP",
  ],
  [
    "O(N+M*log(M)) where N is the number of elements in the list or set to sort, and M the number of returned elements",
    "SORT SORT_RO",
  ],
  [
    "O(N+log(M)) where N is the number of elements in the grid-aligned bounding box area around the shape provided as the filter and M is the number of items inside the shape",
    "GEOSEARCH GEOSEARCHSTORE",
  ],
  [
    "O(N+log(M)) where N is the number of elements inside the bounding box of the circular area delimited by center and radius and M is the number of items inside the index",
    "GEORADIUS GEORADIUSBYMEMBER GEORADIUSBYMEMBER_RO GEORADIUS_RO",
  ],
  [
    "O(S+N) where S is the distance of start offset from HEAD for small lists, from nearest end (HEAD or TAIL) for large lists; and N is the number of elements in the specified range",
    "LRANGE",
  ],
  ["O(log N) where N is the number of client connections", "CLIENT|UNBLOCK"],
  ["O(log N) with N being the number of messages in the PEL of the consumer group", "XCLAIM"],
  ["O(log(N))", "GEODIST ZRANK ZREVRANK"],
  [
    "O(log(N)) for each item added, where N is the number of elements in the sorted set",
    "GEOADD ZADD",
  ],
  [
    "O(log(N)) for each member requested, where N is the number of elements in the sorted set",
    "GEOHASH",
  ],
  ["O(log(N)) where N is the number of elements in the sorted set", "ZINCRBY"],
  [
    "O(log(N)) with N being the number of elements in the sorted set",
    "BZPOPMAX BZPOPMIN ZCOUNT ZLEXCOUNT",
  ],
  [
    "O(log(N)*M) with N being the number of elements in the sorted set, and M being the number of elements popped",
    "ZPOPMAX ZPOPMIN",
  ],
  [
    "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements being returned",
    "ZRANGEBYLEX ZRANGEBYSCORE ZREVRANGEBYLEX ZREVRANGEBYSCORE",
  ],
  [
    "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements removed by the operation",
    "ZREMRANGEBYLEX ZREMRANGEBYRANK ZREMRANGEBYSCORE",
  ],
  [
    "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements returned",
    "ZRANGE ZREVRANGE",
  ],
  [
    "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements stored into the destination key",
    "ZRANGESTORE",
  ],
  [
    "This command actually executes a DUMP+DEL in the source instance, and a RESTORE in the target instance",
    "MIGRATE",
  ],
  [
    "Without the count argument O(1), otherwise O(N) where N is the absolute value of the passed count",
    "SRANDMEMBER",
  ],
  [
    "Without the count argument O(1), otherwise O(N) where N is the value of the passed count",
    "SPOP",
  ],
];

/** Only COMMAND DOCS needs all of them. */
let complexities: ReadonlyMap<string, string> | undefined;

/** By the name in the command table; undefined: nothing is said. */
export function complexityOf(name: string): string | undefined {
  complexities ??= new Map(
    BY_COMPLEXITY.flatMap(([complexity, names]) =>
      namesIn(names).map((one) => [one, complexity] as const),
    ),
  );
  return complexities.get(name);
}

const CONSTANT = "O(1)";

const constantNames: ReadonlySet<string> = new Set(
  namesIn(BY_COMPLEXITY.find(([complexity]) => complexity === CONSTANT)?.[1] ?? ""),
);

/** Whatever it works on. */
export function takesConstantTime(name: string): boolean {
  return constantNames.has(name);
}

function namesIn(names: string): readonly string[] {
  return names.split(" ");
}
