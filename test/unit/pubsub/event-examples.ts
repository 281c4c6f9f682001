/**
 * What each command that writes tells of: at least one example for each, or the reason why there is none. The unit test
 * runs them on kvdb, the oracle those of Redis's commands on redis-server.
 *
 *   "RPUSH l a; LPOP l -> lpop l, del l"
 *
 * Of the commands the last one is the example; behind the arrow are its events, `event key`, in their order, with a
 * database in front when it is not 0. Words end at blanks.
 */

export interface EventExample {
  readonly before: readonly (readonly string[])[];
  readonly command: readonly string[];
  readonly events: readonly string[];
}

export function parseExample(text: string): EventExample {
  const [commands = "", events = ""] = text.split(" -> ");
  const words = commands.split("; ").map((command) => command.split(" "));
  const told = events.split(", ").filter((event) => event !== "" && event !== "nothing");
  return { before: words.slice(0, -1), command: words.at(-1) ?? [], events: told };
}

/** Moments in examples: one that is over, one that is far ahead. */
const PAST = "1000";
const AHEAD = "4102444800000";

export const REDIS_EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  SET: [
    "SET a 1 -> new a, set a",
    "SET a 1; SET a 2 -> set a",
    "RPUSH a 1; SET a 2 -> set a",
    "SET a 1 EX 100 -> new a, set a, expire a",
    "SET a 1; SET a 2 NX -> nothing",
    "SET a 1 XX -> nothing",
    "SET a 1 GET -> keymiss a, new a, set a",
    "SET a 1 EX 100; SET a 1 KEEPTTL -> set a",
  ],
  GETSET: ["GETSET a 1 -> keymiss a, new a, set a", "SET a 1; GETSET a 2 -> set a"],
  GETDEL: ["GETDEL a -> keymiss a", "SET a 1; GETDEL a -> del a"],
  GETEX: [
    "SET a 1; GETEX a -> nothing",
    "SET a 1; GETEX a EX 100 -> expire a",
    `SET a 1; GETEX a PXAT ${PAST} -> del a`,
    "SET a 1 EX 100; GETEX a PERSIST -> persist a",
    "SET a 1; GETEX a PERSIST -> nothing",
    "GETEX a EX 100 -> keymiss a",
  ],
  SETNX: ["SETNX a 1 -> new a, set a", "SET a 1; SETNX a 1 -> nothing"],
  SETEX: ["SETEX a 100 1 -> new a, set a, expire a"],
  PSETEX: ["PSETEX a 100000 1 -> new a, set a, expire a"],
  MSET: ["SET b 1; MSET a 1 b 2 a 3 -> new a, set a, set b, set a"],
  MSETNX: ["MSETNX a 1 b 2 -> new a, set a, new b, set b", "SET b 1; MSETNX a 1 b 2 -> nothing"],
  INCR: ["INCR a -> new a, incrby a", "SET a x; INCR a -> nothing"],
  DECR: ["SET a 1; DECR a -> incrby a"],
  INCRBY: ["INCRBY a 5 -> new a, incrby a", "SET a 9007199254740993; INCRBY a 5 -> incrby a"],
  DECRBY: ["DECRBY a 5 -> new a, incrby a"],
  INCRBYFLOAT: ["INCRBYFLOAT a 0.5 -> new a, incrbyfloat a"],
  APPEND: ["APPEND a 1 -> new a, append a", "SET a 1; APPEND a 2 -> append a"],
  SETRANGE: ["SETRANGE a 2 x -> new a, setrange a", "SET a 1; SETRANGE a 5 x -> setrange a"],
  SETBIT: [
    "SETBIT a 1 1 -> new a, setbit a",
    "SETBIT a 1 1; SETBIT a 1 1 -> nothing",
    "SET a x; SETBIT a 0 0 -> nothing",
  ],
  BITOP: [
    "SET a 1; BITOP NOT b a -> new b, set b",
    "SET b 1; BITOP NOT b a -> keymiss a, del b",
    "BITOP AND b a -> keymiss a",
  ],
  BITFIELD: [
    "BITFIELD a SET u8 0 1 -> new a, setbit a",
    "BITFIELD a SET u8 0 1; BITFIELD a SET u8 0 1 -> nothing",
    "BITFIELD a OVERFLOW FAIL SET i1 0 5 -> new a",
    "BITFIELD a GET u8 0 -> keymiss a",
  ],
  LPUSH: ["LPUSH l 1 2 -> new l, lpush l", "RPUSH l 1; LPUSH l 2 -> lpush l"],
  RPUSH: ["RPUSH l 1 2 -> new l, rpush l"],
  LPUSHX: ["LPUSHX l 1 -> nothing", "RPUSH l 1; LPUSHX l 1 -> lpush l"],
  RPUSHX: ["RPUSHX l 1 -> nothing", "RPUSH l 1; RPUSHX l 1 -> rpush l"],
  LPOP: [
    "RPUSH l 1 2; LPOP l -> lpop l",
    "RPUSH l 1; LPOP l -> lpop l, del l",
    "RPUSH l 1 2 3; LPOP l 2 -> lpop l",
    "RPUSH l 1 2; LPOP l 5 -> lpop l, del l",
    "RPUSH l 1; LPOP l 0 -> nothing",
    "LPOP l -> nothing",
  ],
  RPOP: ["RPUSH l 1 2; RPOP l -> rpop l", "RPUSH l 1; RPOP l -> rpop l, del l"],
  LMOVE: [
    "RPUSH l 1 2; LMOVE l m LEFT RIGHT -> new m, rpush m, lpop l",
    "RPUSH l 1; RPUSH m 1; LMOVE l m RIGHT LEFT -> lpush m, rpop l, del l",
    "RPUSH l 1; LMOVE l l LEFT RIGHT -> rpush l, lpop l",
  ],
  RPOPLPUSH: ["RPUSH l 1; RPOPLPUSH l m -> new m, lpush m, rpop l, del l"],
  LMPOP: ["RPUSH l 1 2; LMPOP 2 k l LEFT -> lpop l", "RPUSH l 1; LMPOP 1 l RIGHT -> rpop l, del l"],
  BLPOP: ["RPUSH l 1; BLPOP k l 1 -> lpop l, del l"],
  BRPOP: ["RPUSH l 1 2; BRPOP l 1 -> rpop l"],
  BLMOVE: ["RPUSH l 1; BLMOVE l m LEFT LEFT 1 -> new m, lpush m, lpop l, del l"],
  BRPOPLPUSH: ["RPUSH l 1 2; BRPOPLPUSH l m 1 -> new m, lpush m, rpop l"],
  BLMPOP: ["RPUSH l 1 2; BLMPOP 1 1 l LEFT COUNT 5 -> lpop l, del l"],
  LSET: ["RPUSH l 1; LSET l 0 2 -> lset l"],
  LINSERT: [
    "RPUSH l 1; LINSERT l BEFORE 1 0 -> linsert l",
    "RPUSH l 1; LINSERT l AFTER 5 0 -> nothing",
  ],
  LREM: [
    "RPUSH l 1 2; LREM l 0 1 -> lrem l",
    "RPUSH l 1 1; LREM l 0 1 -> lrem l, del l",
    "RPUSH l 1; LREM l 0 5 -> nothing",
  ],
  LTRIM: [
    "RPUSH l 1 2; LTRIM l 0 0 -> ltrim l",
    "RPUSH l 1; LTRIM l 0 -1 -> ltrim l",
    "RPUSH l 1; LTRIM l 5 9 -> ltrim l, del l",
  ],
  SADD: ["SADD s a b -> new s, sadd s", "SADD s a; SADD s a -> nothing"],
  SREM: [
    "SADD s a b; SREM s a c -> srem s",
    "SADD s a; SREM s a -> srem s, del s",
    "SADD s a; SREM s b -> nothing",
  ],
  SMOVE: [
    "SADD s a; SMOVE s t a -> srem s, del s, new t, sadd t",
    "SADD s a b; SADD t a; SMOVE s t a -> srem s",
    "SADD s a; SMOVE s s a -> nothing",
  ],
  SPOP: [
    "SADD s a b; SPOP s -> spop s",
    "SADD s a; SPOP s -> spop s, del s",
    "SADD s a b c; SPOP s 2 -> spop s",
    "SADD s a b; SPOP s 2 -> spop s, del s",
    "SADD s a; SPOP s 0 -> nothing",
  ],
  SINTERSTORE: [
    "SADD s a b; SADD t a; SINTERSTORE d s t -> new d, sinterstore d",
    "SADD s a; SET d 1; SINTERSTORE d s t -> keymiss t, del d",
    "SADD s a; SADD t b; SET d 1; SINTERSTORE d s t -> del d",
    "SADD s a; SINTERSTORE s s -> sinterstore s",
  ],
  SUNIONSTORE: [
    "SADD s a; SADD d b; SUNIONSTORE d s d -> sunionstore d",
    "SADD d b; SUNIONSTORE d s -> keymiss s, del d",
    "SUNIONSTORE d s -> keymiss s",
  ],
  SDIFFSTORE: [
    "SADD s a b; SADD t a; SDIFFSTORE d s t -> new d, sdiffstore d",
    "SADD s a; SET d 1; SDIFFSTORE d s s -> del d",
  ],
  HSET: ["HSET h a 1 b 2 -> new h, hset h", "HSET h a 1; HSET h a 1 -> hset h"],
  HMSET: ["HMSET h a 1 -> new h, hset h"],
  HSETNX: ["HSETNX h a 1 -> new h, hset h", "HSET h a 1; HSETNX h a 1 -> nothing"],
  HDEL: [
    "HSET h a 1 b 2; HDEL h a c -> hdel h",
    "HSET h a 1; HDEL h a -> hdel h, del h",
    "HSET h a 1; HDEL h b -> nothing",
  ],
  HINCRBY: [
    "HINCRBY h a 1 -> new h, hincrby h",
    "HSET h a 9007199254740993; HINCRBY h a 1 -> hincrby h",
  ],
  HINCRBYFLOAT: ["HINCRBYFLOAT h a 0.5 -> new h, hincrbyfloat h"],
  ZADD: [
    "ZADD z 1 a 2 b -> new z, zadd z",
    "ZADD z 1 a; ZADD z 2 a -> zadd z",
    "ZADD z 1 a; ZADD z 1 a -> nothing",
    "ZADD z 1 a; ZADD z NX 2 a -> nothing",
    "ZADD z XX 1 a -> nothing",
    "ZADD z 1 a; ZADD z INCR 2 a -> zincr z",
    "ZADD z 1 a; ZADD z INCR 0 a -> nothing",
  ],
  ZINCRBY: ["ZINCRBY z 1 a -> new z, zincr z"],
  ZREM: [
    "ZADD z 1 a 2 b; ZREM z a c -> zrem z",
    "ZADD z 1 a; ZREM z a -> zrem z, del z",
    "ZADD z 1 a; ZREM z b -> nothing",
  ],
  ZRANGESTORE: [
    "ZADD z 1 a; ZRANGESTORE d z 0 -1 -> new d, zrangestore d",
    "SET d 1; ZRANGESTORE d z 0 -1 -> keymiss z, del d",
  ],
  ZREMRANGEBYRANK: [
    "ZADD z 1 a 2 b; ZREMRANGEBYRANK z 0 0 -> zremrangebyrank z",
    "ZADD z 1 a; ZREMRANGEBYRANK z 5 9 -> nothing",
  ],
  ZREMRANGEBYSCORE: ["ZADD z 1 a; ZREMRANGEBYSCORE z 0 9 -> zremrangebyscore z, del z"],
  ZREMRANGEBYLEX: ["ZADD z 1 a 1 b; ZREMRANGEBYLEX z [a [a -> zremrangebylex z"],
  ZPOPMIN: [
    "ZADD z 1 a 2 b; ZPOPMIN z -> zpopmin z",
    "ZADD z 1 a 2 b; ZPOPMIN z 5 -> zpopmin z, del z",
    "ZADD z 1 a; ZPOPMIN z 0 -> nothing",
  ],
  ZPOPMAX: ["ZADD z 1 a; ZPOPMAX z -> zpopmax z, del z"],
  ZMPOP: ["ZADD z 1 a 2 b; ZMPOP 2 y z MAX -> zpopmax z"],
  BZPOPMIN: ["ZADD z 1 a; BZPOPMIN y z 1 -> zpopmin z, del z"],
  BZPOPMAX: ["ZADD z 1 a 2 b; BZPOPMAX z 1 -> zpopmax z"],
  BZMPOP: ["ZADD z 1 a 2 b; BZMPOP 1 1 z MIN COUNT 9 -> zpopmin z, del z"],
  ZUNIONSTORE: [
    "ZADD z 1 a; ZUNIONSTORE d 1 z -> new d, zunionstore d",
    "SET d 1; ZUNIONSTORE d 1 z -> keymiss z, del d",
  ],
  ZINTERSTORE: ["ZADD z 1 a; SADD s a; SET d 1; ZINTERSTORE d 2 z s -> zinterstore d"],
  ZDIFFSTORE: [
    "ZADD z 1 a; ZDIFFSTORE d 2 z y -> keymiss y, new d, zdiffstore d",
    "ZADD z 1 a; ZDIFFSTORE z 2 z z -> del z",
  ],
  GEOADD: ["GEOADD g 1 2 a -> new g, zadd g", "GEOADD g 1 2 a; GEOADD g 1 2 a -> nothing"],
  GEOSEARCHSTORE: [
    "GEOADD g 1 2 a; GEOSEARCHSTORE d g FROMLONLAT 1 2 BYRADIUS 9 km -> new d, geosearchstore d",
    "SET d 1; GEOSEARCHSTORE d g FROMLONLAT 1 2 BYRADIUS 9 km -> keymiss g, del d",
  ],
  GEORADIUS: [
    "GEOADD g 1 2 a; GEORADIUS g 1 2 9 km STORE d -> new d, georadiusstore d",
    "GEOADD g 1 2 a; GEORADIUS g 1 2 9 km -> nothing",
  ],
  GEORADIUSBYMEMBER: [
    "GEOADD g 1 2 a; GEORADIUSBYMEMBER g a 9 km STOREDIST d -> new d, georadiusstore d",
  ],
  PFADD: [
    "PFADD p a -> new p, pfadd p",
    "PFADD p a; PFADD p a -> nothing",
    "PFADD p -> new p, pfadd p",
  ],
  PFMERGE: [
    "PFADD p a; PFMERGE q p -> keymiss q, new q, pfadd q",
    "PFADD p a; PFMERGE p -> pfadd p",
  ],
  XADD: [
    "XADD x 1 a b -> new x, xadd x",
    "XADD x 1 a b; XADD x MAXLEN 1 2 a b -> xadd x, xtrim x",
    "XADD x NOMKSTREAM 1 a b -> nothing",
  ],
  XDEL: ["XADD x 1 a b; XDEL x 1 -> xdel x", "XADD x 1 a b; XDEL x 2 -> nothing"],
  XTRIM: ["XADD x 1 a b; XTRIM x MAXLEN 0 -> xtrim x", "XADD x 1 a b; XTRIM x MAXLEN 5 -> nothing"],
  XSETID: ["XADD x 1 a b; XSETID x 5 -> xsetid x"],
  XREADGROUP: [
    "XADD x 1 a b; XGROUP CREATE x g 0; XREADGROUP GROUP g c STREAMS x > -> xgroup-createconsumer x",
    "XADD x 1 a b; XGROUP CREATE x g 0; XGROUP CREATECONSUMER x g c; XREADGROUP GROUP g c STREAMS x > -> nothing",
  ],
  "XGROUP|CREATE": [
    "XGROUP CREATE x g $ MKSTREAM -> new x, xgroup-create x",
    "XADD x 1 a b; XGROUP CREATE x g 0 -> xgroup-create x",
  ],
  "XGROUP|CREATECONSUMER": [
    "XGROUP CREATE x g $ MKSTREAM; XGROUP CREATECONSUMER x g c -> xgroup-createconsumer x",
  ],
  "XGROUP|DELCONSUMER": [
    "XGROUP CREATE x g $ MKSTREAM; XGROUP CREATECONSUMER x g c; XGROUP DELCONSUMER x g c -> xgroup-delconsumer x",
    "XGROUP CREATE x g $ MKSTREAM; XGROUP DELCONSUMER x g c -> nothing",
  ],
  "XGROUP|DESTROY": [
    "XGROUP CREATE x g $ MKSTREAM; XGROUP DESTROY x g -> xgroup-destroy x",
    "XGROUP CREATE x g $ MKSTREAM; XGROUP DESTROY x h -> nothing",
  ],
  "XGROUP|SETID": ["XGROUP CREATE x g $ MKSTREAM; XGROUP SETID x g 0 -> xgroup-setid x"],
  XCLAIM: ["XADD x 1 a b; XGROUP CREATE x g 0; XCLAIM x g c 0 1 FORCE -> xgroup-createconsumer x"],
  XAUTOCLAIM: [
    "XADD x 1 a b; XGROUP CREATE x g 0; XREADGROUP GROUP g b STREAMS x >; XAUTOCLAIM x g c 0 0 -> xgroup-createconsumer x",
  ],
  DEL: ["MSET a 1 b 2 c 3; DEL a x b c a -> del a, del b, del c"],
  UNLINK: ["SET a 1; UNLINK a b -> del a"],
  RENAME: [
    "SET a 1; RENAME a b -> new b, rename_from a, rename_to b",
    "MSET a 1 b 2; RENAME a b -> new b, rename_from a, rename_to b",
    "SET a 1; RENAME a a -> nothing",
  ],
  RENAMENX: [
    "SET a 1; RENAMENX a b -> new b, rename_from a, rename_to b",
    "MSET a 1 b 2; RENAMENX a b -> nothing",
  ],
  COPY: [
    "SET a 1; COPY a b -> new b, copy_to b",
    "MSET a 1 b 2; COPY a b REPLACE -> new b, copy_to b",
    "SET a 1; COPY a b DB 2 -> 2 new b, 2 copy_to b",
    "COPY a b -> keymiss a",
  ],
  MOVE: ["SET a 1; MOVE a 2 -> 2 new a, move_from a, 2 move_to a", "MOVE a 2 -> nothing"],
  SORT: [
    "RPUSH l 2 1; SORT l STORE d -> new d, sortstore d",
    "SET d 1; SORT l STORE d -> keymiss l, del d",
    "RPUSH l 2 1; SORT l -> nothing",
  ],
  EXPIRE: [
    "SET a 1; EXPIRE a 100 -> expire a",
    "SET a 1; EXPIRE a -1 -> del a",
    "SET a 1; EXPIRE a 100 XX -> nothing",
  ],
  PEXPIRE: ["SET a 1; PEXPIRE a 100000 -> expire a"],
  EXPIREAT: ["SET a 1; EXPIREAT a 4102444800 -> expire a", "SET a 1; EXPIREAT a 1 -> del a"],
  PEXPIREAT: [`SET a 1; PEXPIREAT a ${AHEAD} -> expire a`, "PEXPIREAT a 1 -> nothing"],
  PERSIST: ["SET a 1 EX 100; PERSIST a -> persist a", "SET a 1; PERSIST a -> nothing"],
};

/** Newer than Redis 7.0, or kvdb's own. */
export const OTHER_EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  // What is over at once never appears; listeners hear of it as of Redis, which lets it appear until somebody looks.
  SET: [
    `SET a 1 PXAT ${PAST} -> new a, set a, expire a, expired a`,
    "SET a 1; SET a 2 IFEQ 1 -> set a",
    "SET lock:a 7; SET a 2 IFTOKEN 7 EX 100 -> new a, set a, expire a",
    "SET lock:a 7; SET a 2 IFTOKEN 8 -> nothing",
  ],
  HEXPIRE: [
    "HSET h a 1 b 2; HEXPIRE h 100 FIELDS 2 a c -> hexpire h",
    "HSET h a 1 b 2; HEXPIRE h 0 FIELDS 1 a -> hdel h",
    "HSET h a 1; HEXPIRE h 0 FIELDS 1 a -> hdel h, del h",
    "HSET h a 1; HEXPIRE h 100 FIELDS 1 b -> nothing",
  ],
  HPEXPIRE: ["HSET h a 1; HPEXPIRE h 100000 FIELDS 1 a -> hexpire h"],
  HEXPIREAT: ["HSET h a 1; HEXPIREAT h 4102444800 FIELDS 1 a -> hexpire h"],
  HPEXPIREAT: [`HSET h a 1; HPEXPIREAT h ${AHEAD} FIELDS 1 a -> hexpire h`],
  HPERSIST: [
    "HSET h a 1; HEXPIRE h 100 FIELDS 1 a; HPERSIST h FIELDS 1 a -> hpersist h",
    "HSET h a 1; HPERSIST h FIELDS 1 a -> nothing",
  ],
  HGETDEL: [
    "HSET h a 1 b 2; HGETDEL h FIELDS 2 a c -> hdel h",
    "HSET h a 1; HGETDEL h FIELDS 1 a -> hdel h, del h",
  ],
  HGETEX: [
    "HSET h a 1; HGETEX h EX 100 FIELDS 1 a -> hexpire h",
    "HSET h a 1; HEXPIRE h 100 FIELDS 1 a; HGETEX h PERSIST FIELDS 1 a -> hpersist h",
    `HSET h a 1; HGETEX h PXAT ${PAST} FIELDS 1 a -> hdel h, del h`,
    "HSET h a 1; HGETEX h FIELDS 1 a -> nothing",
  ],
  HSETEX: [
    "HSETEX h EX 100 FIELDS 1 a 1 -> new h, hset h, hexpire h",
    "HSET h b 1; HSETEX h FIELDS 1 a 1 -> hset h",
    `HSET h a 1; HSETEX h PXAT ${PAST} FIELDS 1 a 1 -> hset h, hdel h, del h`,
    `HSET h b 1; HSETEX h PXAT ${PAST} FIELDS 1 a 1 -> hset h, hdel h`,
    `HSETEX h PXAT ${PAST} FIELDS 1 a 1 -> new h, hset h, hdel h, del h`,
    "HSETEX h FXX FIELDS 1 a 1 -> nothing",
  ],
  INCR: ["JSON.SET j $ 1; INCR j -> incrby j"],
  RESTORE: [
    "RESTORE a 0 $DUMP -> new a, restore a",
    "SET a 1; RESTORE a 100 $DUMP REPLACE -> new a, restore a",
    `SET a 1; RESTORE a ${PAST} $DUMP REPLACE ABSTTL -> del a`,
    `RESTORE a ${PAST} $DUMP ABSTTL -> nothing`,
  ],
  LOCK: [
    "LOCK k PX 100000 -> new lock:k, set lock:k, expire lock:k",
    "LOCK k PX 100000; LOCK k PX 100000 -> nothing",
  ],
  UNLOCK: ["SET lock:k 7; UNLOCK k 7 -> del lock:k", "SET lock:k 7; UNLOCK k 8 -> nothing"],
  "VALUE.SET": [
    'VALUE.SET v {"a":1} -> new v, json.set v',
    "VALUE.SET v text PX 100000 -> new v, set v, expire v",
    'JSON.SET v $ 1; VALUE.SET v "text" -> set v',
    `VALUE.SET v 1 PXAT ${PAST} -> new v, json.set v, expire v, expired v`,
  ],
  "VALUE.BATCH": [
    "SET c 1; VALUE.BATCH a SET 1 0 b JSON 1 +5000 c DEL x 0 d DEL x 0 -> new a, set a, new b, json.set b, expire b, del c",
    `SET a 1; VALUE.BATCH a SET 1 ${PAST} -> del a`,
    'INDEX CREATE i USING hash FIELD f; SET c 1; VALUE.BATCH a JSON {"f":1} 0 c DEL x 0 -> del c, new a, json.set a',
  ],
  "VALUE.IMPORT": [
    "VALUE.IMPORT a string 0 x b json 0 1 -> new a, restore a, new b, restore b",
    `SET a 1; VALUE.IMPORT a string ${PAST} x b string 0 x -> del a, new b, restore b`,
  ],
  "JSON.SET": [
    'JSON.SET j $ {"a":1} -> new j, json.set j',
    'JSON.SET j $ {"a":1}; JSON.SET j $.b 2 -> json.set j',
    'JSON.SET j $ {"a":1}; JSON.SET j $.a 2 NX -> nothing',
  ],
  "JSON.MERGE": [
    'JSON.MERGE j $ {"a":1} -> new j, json.merge j',
    'JSON.SET j $ {"a":1}; JSON.MERGE j $ {"a":null} -> json.merge j',
  ],
  "JSON.MSET": ["JSON.SET k $ 1; JSON.MSET j $ 1 k $ 2 -> new j, json.mset j, json.mset k"],
  "JSON.NUMINCRBY": [
    'JSON.SET j $ {"a":1}; JSON.NUMINCRBY j $.a 1 -> json.numincrby j',
    'JSON.SET j $ {"a":"x"}; JSON.NUMINCRBY j $.a 1 -> nothing',
  ],
  "JSON.NUMMULTBY": ["JSON.SET j $ 2; JSON.NUMMULTBY j $ 2 -> json.nummultby j"],
  "JSON.STRAPPEND": ['JSON.SET j $ "a"; JSON.STRAPPEND j $ "b" -> json.strappend j'],
  "JSON.TOGGLE": ["JSON.SET j $ true; JSON.TOGGLE j $ -> json.toggle j"],
  "JSON.ARRAPPEND": ["JSON.SET j $ [1]; JSON.ARRAPPEND j $ 2 -> json.arrappend j"],
  "JSON.ARRINSERT": ["JSON.SET j $ [1]; JSON.ARRINSERT j $ 0 2 -> json.arrinsert j"],
  "JSON.ARRPOP": [
    "JSON.SET j $ [1]; JSON.ARRPOP j -> json.arrpop j",
    "JSON.SET j $ []; JSON.ARRPOP j -> nothing",
  ],
  "JSON.ARRTRIM": ["JSON.SET j $ [1,2]; JSON.ARRTRIM j $ 0 0 -> json.arrtrim j"],
  "JSON.DEL": [
    'JSON.SET j $ {"a":1,"b":2}; JSON.DEL j $.a -> json.del j',
    "JSON.SET j $ 1; JSON.DEL j -> json.del j, del j",
    "JSON.SET j $ 1; JSON.DEL j $.x -> nothing",
  ],
  "JSON.FORGET": ["JSON.SET j $ 1; JSON.FORGET j -> json.del j, del j"],
  "JSON.CLEAR": [
    "JSON.SET j $ [1]; JSON.CLEAR j -> json.clear j",
    "JSON.SET j $ []; JSON.CLEAR j -> nothing",
  ],
};

/** Commands that write and tell nothing, as in Redis. */
export const WITHOUT_EVENTS: Readonly<Record<string, string>> = {
  FLUSHALL: "Redis tells of no key that a flush removes",
  FLUSHDB: "Redis tells of no key that a flush removes",
  SWAPDB: "no key changes, all of them are elsewhere",
  XACK: "Redis has no event for it",
  PFDEBUG: "looks inside; what the value says stays",
  "INDEX|CREATE": "no key changes",
  "INDEX|DROP": "no key changes",
};
