/**
 * The calls whose replies are checked, in scenes that each start on an empty database. A line is a command, words parted by
 * one space; "" is the empty word, <last> the reply of the line before, <other> the id of another
 * client, who sends the lines that begin with "other:". Missing and existing keys, and each option that
 * changes the shape of a reply.
 */

import { coreCommands } from "../../../../src/commands/index.ts";
import { listedUses } from "../../../../src/commands/key-uses.ts";

const OF_REDIS = coreCommands.filter(
  ({ name, group }) => group !== "value" && group !== "json" && !name.includes("|"),
);
const NAMES = OF_REDIS.map(({ name }) => name).join(" ");
/** The schema of COMMAND INFO forgets the notes on keys, which Redis answers as well (test/oracle/command-table.test.ts). */
const WITHOUT_NOTES = OF_REDIS.filter((one) => listedUses(one).every(({ notes }) => notes === ""))
  .map(({ name }) => name.toLowerCase())
  .join(" ");

const SMALL: Readonly<Record<string, string>> = {
  connection: `
    ECHO a
    PING
    PING a
    SELECT 1
    SELECT 0
    HELLO
    CLIENT GETNAME
    CLIENT SETNAME me
    CLIENT GETNAME
    CLIENT ID
    CLIENT INFO
    CLIENT LIST
    CLIENT LIST ID 1 2
    CLIENT KILL ID 987654
    CLIENT NO-EVICT OFF
    CLIENT NO-TOUCH ON
    CLIENT NO-TOUCH OFF
    CLIENT REPLY ON
    CLIENT SETINFO LIB-NAME kvdb
    CLIENT UNBLOCK 987654
    other: BLPOP missing 0
    CLIENT UNBLOCK <other>
    CLIENT KILL 127.0.0.1:50001
    CLIENT HELP
    RESET
    AUTH secret
    HELLO 3
    QUIT`,
  strings: `
    GET a
    SET a 1
    SET a 2 NX
    SET a 2 GET
    SET new 2 XX GET
    SET a 2 PX 100000
    GET a
    GETSET a 3
    GETSET b 3
    GETDEL b
    GETDEL b
    GETEX a
    GETEX a EX 1000
    GETEX missing
    SETNX a 1
    SETNX c 1
    SETEX a 100 1
    PSETEX a 100000 1
    MGET a missing
    MSET a 1 b 2
    MSETNX a 1 z 2
    MSETNX y 1 z 2
    INCR a
    DECR a
    INCRBY a 5
    DECRBY a 5
    INCRBYFLOAT a 0.5
    APPEND a xyz
    STRLEN a
    STRLEN missing
    GETRANGE a 0 1
    GETRANGE missing 0 1
    SUBSTR a 0 1
    SETRANGE a 1 zz
    SETRANGE missing 0 ""
    MSET x ohmytext y mynewtext
    LCS x y
    LCS x missing
    LCS x y LEN
    LCS x y IDX
    LCS x y IDX WITHMATCHLEN
    LCS x missing IDX`,
  bits: `
    SETBIT a 7 1
    SETBIT a 7 0
    SETBIT a 9 1
    GETBIT a 9
    GETBIT a 8
    BITCOUNT a
    BITCOUNT a 0 5 BIT
    BITCOUNT missing
    BITPOS a 1
    BITPOS missing 1
    BITOP NOT b a
    BITOP AND c missing missing
    BITFIELD a GET u4 0 SET u4 0 3 INCRBY u2 4 1
    BITFIELD a OVERFLOW FAIL INCRBY u2 0 3 INCRBY u2 0 3
    BITFIELD a
    BITFIELD_RO a GET u4 0`,
  hyperloglogs: `
    PFADD a x
    PFADD a x
    PFADD b y
    PFCOUNT a
    PFCOUNT a b missing
    PFMERGE c a b
    PFSELFTEST`,
  lists: `
    LPUSHX a 1
    RPUSHX a 1
    LPUSH a 1 2 3
    RPUSH a 4 5 6
    LPUSHX a 0
    RPUSHX a 7
    LPOP a
    LPOP a 2
    LPOP a 0
    LPOP missing
    LPOP missing 2
    RPOP a
    RPOP a 2
    RPOP missing
    RPOP missing 2
    RPUSH a x y x z
    LMOVE a b LEFT RIGHT
    LMOVE missing b LEFT RIGHT
    RPOPLPUSH a b
    RPOPLPUSH missing b
    LMPOP 2 missing b LEFT
    LMPOP 2 missing b LEFT COUNT 9
    LMPOP 1 missing RIGHT
    LLEN a
    LLEN missing
    LRANGE a 0 -1
    LRANGE missing 0 -1
    LINDEX a 0
    LINDEX a 99
    LINDEX missing 0
    LSET a 0 q
    LINSERT a BEFORE q p
    LINSERT a BEFORE missing p
    LINSERT missing BEFORE q p
    LREM a 0 q
    LREM missing 0 q
    RPUSH a x x
    LPOS a x
    LPOS a missing
    LPOS a x COUNT 0
    LPOS a missing COUNT 0
    LPOS missing x COUNT 0
    LTRIM a 0 5
    BLPOP missing a 1
    BLPOP missing 1
    BRPOP missing a 1
    BRPOP missing 1
    BLMOVE a b LEFT LEFT 1
    BLMOVE missing b LEFT LEFT 1
    BRPOPLPUSH b a 1
    BRPOPLPUSH missing b 1
    BLMPOP 1 2 missing a LEFT COUNT 2
    BLMPOP 1 1 missing LEFT`,
  sets: `
    SADD a 1 2 3 x
    SADD b 2 3 4
    SREM a x y
    SREM missing x
    SMOVE a b 1
    SMOVE a b 99
    SCARD a
    SCARD missing
    SISMEMBER a 2
    SISMEMBER a 99
    SMISMEMBER a 2 99
    SMISMEMBER missing 2
    SMEMBERS a
    SMEMBERS missing
    SSCAN a 0
    SSCAN missing 0
    SRANDMEMBER a
    SRANDMEMBER a 2
    SRANDMEMBER a -5
    SRANDMEMBER a 0
    SRANDMEMBER missing
    SRANDMEMBER missing 2
    SINTER a b
    SINTER a missing
    SUNION a b
    SDIFF b a
    SDIFF missing a
    SINTERCARD 2 a b
    SINTERCARD 2 a b LIMIT 1
    SINTERSTORE c a b
    SINTERSTORE c a missing
    SUNIONSTORE c a b
    SDIFFSTORE c b a
    SPOP c
    SPOP b 2
    SPOP b 0
    SPOP missing
    SPOP missing 2`,
  hashes: `
    HSET a f 1 g 2
    HSET a f 3
    HMSET a h 5
    HSETNX a f 1
    HSETNX a i 1
    HGET a f
    HGET a missing
    HGET missing f
    HMGET a f missing
    HMGET missing f
    HDEL a i z
    HLEN a
    HLEN missing
    HSTRLEN a f
    HSTRLEN missing f
    HEXISTS a f
    HEXISTS a z
    HGETALL a
    HGETALL missing
    HKEYS a
    HKEYS missing
    HVALS a
    HVALS missing
    HSCAN a 0
    HSCAN missing 0
    HRANDFIELD a
    HRANDFIELD a 2
    HRANDFIELD a -5
    HRANDFIELD a 2 WITHVALUES
    HRANDFIELD a -5 WITHVALUES
    HRANDFIELD missing
    HRANDFIELD missing 2
    HRANDFIELD missing 2 WITHVALUES
    HINCRBY a f 5
    HINCRBYFLOAT a f 0.5`,
  "sorted sets": `
    ZADD a 1 x 2 y 3.5 z
    ZADD a NX 1 x
    ZADD a CH 2 x
    ZADD a INCR 2 x
    ZADD a NX INCR 2 x
    ZADD a XX INCR 2 missing
    ZINCRBY a 1.5 x
    ZADD b 1 x 7 q
    ZREM a nobody
    ZCARD a
    ZSCORE a x
    ZSCORE a nobody
    ZSCORE missing x
    ZMSCORE a x nobody
    ZMSCORE missing x
    ZRANK a x
    ZRANK a nobody
    ZRANK a x WITHSCORE
    ZRANK a nobody WITHSCORE
    ZREVRANK a x
    ZREVRANK a nobody
    ZREVRANK a x WITHSCORE
    ZREVRANK missing x WITHSCORE
    ZRANGE a 0 -1
    ZRANGE a 0 -1 WITHSCORES
    ZRANGE a 0 9 BYSCORE LIMIT 0 2 WITHSCORES
    ZRANGE a - + BYLEX
    ZRANGE missing 0 -1 WITHSCORES
    ZRANGESTORE c a 0 -1
    ZREVRANGE a 0 -1
    ZREVRANGE a 0 -1 WITHSCORES
    ZRANGEBYSCORE a 0 9
    ZRANGEBYSCORE a 0 9 WITHSCORES
    ZREVRANGEBYSCORE a 9 0
    ZREVRANGEBYSCORE a 9 0 WITHSCORES
    ZRANGEBYLEX a - +
    ZREVRANGEBYLEX a + -
    ZCOUNT a 0 9
    ZLEXCOUNT a - +
    ZRANDMEMBER a
    ZRANDMEMBER a 2
    ZRANDMEMBER a -5
    ZRANDMEMBER a 2 WITHSCORES
    ZRANDMEMBER a -5 WITHSCORES
    ZRANDMEMBER missing
    ZRANDMEMBER missing 2
    ZRANDMEMBER missing 2 WITHSCORES
    ZSCAN a 0
    ZSCAN missing 0
    ZUNION 2 a b
    ZUNION 2 a b WITHSCORES
    ZINTER 2 a b
    ZINTER 2 a b WITHSCORES
    ZDIFF 2 a b
    ZDIFF 2 a b WITHSCORES
    ZINTERCARD 2 a b
    ZINTERCARD 2 a missing
    ZUNIONSTORE d 2 a b
    ZINTERSTORE d 2 a b
    ZDIFFSTORE d 2 a b
    ZPOPMIN a
    ZPOPMIN a 1
    ZPOPMIN missing
    ZPOPMIN missing 1
    ZPOPMAX b
    ZPOPMAX b 1
    ZPOPMAX missing
    ZPOPMAX missing 1
    ZMPOP 2 missing a MIN
    ZMPOP 1 missing MAX
    ZMPOP 2 missing c MIN COUNT 2
    ZADD a 1 x 2 y 3 z 4 u
    BZPOPMIN missing a 1
    BZPOPMIN missing 1
    BZPOPMAX missing a 1
    BZPOPMAX missing 1
    BZMPOP 1 2 missing a MIN COUNT 2
    BZMPOP 1 1 missing MIN
    ZADD a 1 x 2 y 3 z 4 u
    ZREMRANGEBYRANK a 0 0
    ZREMRANGEBYSCORE a 2 2
    ZREMRANGEBYLEX a [u [u`,
  geo: `
    GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania
    GEOADD g CH 13.3 38.1 Palermo
    GEOPOS g Palermo nowhere
    GEOPOS missing Palermo
    GEOPOS g
    GEOHASH g Palermo Catania
    GEOHASH g nowhere
    GEOHASH g
    GEODIST g Palermo Catania
    GEODIST g Palermo Catania km
    GEODIST g Palermo nowhere
    GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km
    GEOSEARCH g FROMMEMBER Palermo BYBOX 400 400 km ASC WITHDIST
    GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km WITHCOORD
    GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km WITHHASH
    GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km WITHCOORD WITHDIST WITHHASH
    GEOSEARCH missing FROMLONLAT 15 37 BYRADIUS 200 km
    GEOSEARCHSTORE h g FROMLONLAT 15 37 BYRADIUS 200 km
    GEOSEARCHSTORE h g FROMLONLAT 15 37 BYRADIUS 200 km STOREDIST
    GEOSEARCHSTORE h missing FROMLONLAT 15 37 BYRADIUS 200 km
    GEORADIUS g 15 37 200 km
    GEORADIUS g 15 37 200 km WITHCOORD WITHDIST WITHHASH
    GEORADIUS g 15 37 200 km STORE h
    GEORADIUS missing 15 37 200 km
    GEORADIUS_RO g 15 37 200 km
    GEORADIUS_RO g 15 37 200 km WITHDIST WITHHASH
    GEORADIUSBYMEMBER g Palermo 200 km
    GEORADIUSBYMEMBER g Palermo 200 km WITHCOORD WITHHASH
    GEORADIUSBYMEMBER g Palermo 200 km STOREDIST h
    GEORADIUSBYMEMBER_RO g Palermo 200 km
    GEORADIUSBYMEMBER_RO g Palermo 200 km WITHDIST`,
  streams: `
    XADD s 1-1 f v
    XADD s * f v
    XADD missing NOMKSTREAM * f v
    XLEN s
    XLEN missing
    XADD s 99999999999999-1 g w
    XRANGE s - +
    XRANGE s - + COUNT 1
    XRANGE missing - +
    XREVRANGE s + -
    XREVRANGE missing + -
    XREAD STREAMS s 0
    XREAD STREAMS missing 0
    XREAD BLOCK 1000 STREAMS missing 0
    XREAD COUNT 1 STREAMS s missing 0 0
    XGROUP CREATE s g 0
    XGROUP CREATE new g $ MKSTREAM
    XGROUP CREATECONSUMER s g idle
    XGROUP CREATECONSUMER s g idle
    XPENDING new g
    XPENDING new g - + 10
    XREADGROUP GROUP g me COUNT 2 STREAMS s >
    XREADGROUP GROUP g me STREAMS s 0
    XREADGROUP GROUP g me STREAMS new >
    XREADGROUP GROUP g me BLOCK 1000 STREAMS new >
    XPENDING s g
    XPENDING s g - + 10
    XPENDING s g - + 10 me
    XINFO STREAM s
    XINFO STREAM new
    XINFO STREAM s FULL
    XINFO STREAM new FULL
    XINFO GROUPS s
    XINFO GROUPS new
    XINFO CONSUMERS s g
    XINFO CONSUMERS new g
    XINFO HELP
    XCLAIM s g you 0 1-1
    XCLAIM s g you 0 1-1 JUSTID
    XCLAIM s g you 0 5-5
    XAUTOCLAIM s g me 0 0
    XAUTOCLAIM s g you 0 0 JUSTID
    XAUTOCLAIM new g me 0 0
    XDEL s 1-1 7-7
    XREADGROUP GROUP g you STREAMS s 0
    XAUTOCLAIM s g me 0 0 COUNT 1
    XACK s g 1-1
    XACK s g 8-8
    XGROUP SETID s g 0
    XGROUP DELCONSUMER s g me
    XGROUP DELCONSUMER s g nobody
    XGROUP DESTROY s g
    XGROUP DESTROY s g
    XGROUP HELP
    XTRIM s MAXLEN 1
    XTRIM missing MAXLEN 1
    XDEL missing 1-1
    XSETID s 99999999999999-5`,
  keys: `
    DBSIZE
    RANDOMKEY
    KEYS *
    SCAN 0
    SET a 1
    SET b 2
    RANDOMKEY
    KEYS *
    SCAN 0
    SCAN 0 MATCH a COUNT 10 TYPE string
    DBSIZE
    EXISTS a a missing
    TOUCH a missing
    TYPE a
    TYPE missing
    RENAME a c
    RENAMENX c b
    RENAMENX c a
    COPY a d
    COPY a d
    COPY a d REPLACE
    MOVE d 1
    MOVE d 1
    DUMP missing
    DUMP a
    RESTORE e 0 <last>
    EXPIRE a 100
    EXPIRE missing 100
    PEXPIRE a 100000
    PEXPIRE missing 100000
    EXPIREAT a 99999999999
    EXPIREAT missing 99999999999
    PEXPIREAT a 99999999999999
    PEXPIREAT missing 99999999999999
    TTL a
    TTL b
    TTL missing
    PTTL a
    PTTL b
    PTTL missing
    EXPIRETIME a
    EXPIRETIME b
    EXPIRETIME missing
    PEXPIRETIME a
    PEXPIRETIME b
    PEXPIRETIME missing
    PERSIST a
    PERSIST a
    OBJECT ENCODING a
    OBJECT ENCODING missing
    OBJECT IDLETIME a
    OBJECT REFCOUNT a
    OBJECT HELP
    MEMORY USAGE a
    MEMORY USAGE missing
    MEMORY HELP
    MEMORY STATS
    MEMORY DOCTOR
    MEMORY PURGE
    MEMORY MALLOC-STATS
    RPUSH l 3 1 2
    SORT l
    SORT l BY nosort GET missing_* GET #
    SORT l STORE m
    SORT missing
    SORT_RO l
    SORT_RO l GET missing_*
    SWAPDB 0 1
    DEL a missing
    UNLINK b missing
    FLUSHDB
    FLUSHALL`,
  server: `
    TIME
    LASTSAVE
    SAVE
    BGREWRITEAOF
    BGSAVE
    BGSAVE SCHEDULE
    INFO
    INFO clients
    WAITAOF 0 0 0
    CONFIG GET set-max-intset-entries
    CONFIG GET *
    CONFIG GET nothing
    CONFIG SET set-max-intset-entries 9
    CONFIG RESETSTAT
    CONFIG HELP
    COMMAND COUNT
    COMMAND DOCS ${NAMES}
    COMMAND DOCS value.get
    COMMAND DOCS get client hexpire
    COMMAND DOCS nothing
    COMMAND GETKEYS mset a 1 b 2
    COMMAND HELP
    COMMAND INFO ${WITHOUT_NOTES}
    COMMAND INFO get nothing xgroup
    COMMAND LIST
    COMMAND LIST FILTERBY PATTERN x*`,
};

/** The smallest limits, so that the same values take the form of big ones, which has loops of its own. */
const NO_PACKED_FORM = `
    CONFIG SET hash-max-listpack-entries 0
    CONFIG SET list-max-listpack-size 1
    CONFIG SET set-max-intset-entries 0
    CONFIG SET set-max-listpack-entries 0
    CONFIG SET zset-max-listpack-entries 0
    CONFIG SET stream-node-max-entries 1
    CONFIG SET hll-sparse-max-bytes 0`;

const IN_BIG_FORM = ["lists", "sets", "hashes", "sorted sets", "geo", "streams", "hyperloglogs"];

export const SCENES: Readonly<Record<string, string>> = {
  ...SMALL,
  ...Object.fromEntries(
    IN_BIG_FORM.map((name) => [`${name}, in the form of big ones`, NO_PACKED_FORM + SMALL[name]]),
  ),
};
