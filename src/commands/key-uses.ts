/**
 * What commands do with the keys they name, in the flags of Redis 7.0's key specifications. What permissions ask (may the
 * user read it, may he write it) follows from them, as in Redis: `access` means that something of the value is answered or
 * copied; `insert`, `delete` and `update` that it is changed; and who is only told about a key (EXISTS, LLEN) needs no
 * more than a pattern that fits it.
 *
 * A command that is not listed reads its keys when it is no `write`, and reads and changes them when it is one.
 */
import type { CommandInfo } from "./command.ts";

/** As bits, so that a pattern of a user allows or does not with one comparison. */
export const READS = 1;
export const WRITES = 2;

export interface KeyUse {
  /** As COMMAND INFO answers them. */
  readonly flags: readonly string[];
  /** What is done depends on the options. */
  readonly varies: boolean;
  /** READS, WRITES, both or none. */
  readonly access: number;
  /** What people should know, as COMMAND INFO answers it; empty: nothing. */
  readonly notes: string;
}

export const READ_USE = useOf("RO access");
export const CHANGE_USE = useOf("RW access update");
export const OVERWRITE_USE = useOf("OW update");

function useOf(text: string, notes = ""): KeyUse {
  const flags = text.split(" ");
  const writes = ["insert", "delete", "update"].some((flag) => flags.includes(flag));
  const access = (flags.includes("access") ? READS : 0) | (writes ? WRITES : 0);
  return { flags, varies: flags.includes("variable_flags"), access, notes };
}

/**
 * One for each specification of the command's keys; empty: it is not listed. One more than the command has places says that
 * its first key is used otherwise than those behind it.
 */
export function listedUses({ name }: CommandInfo): readonly KeyUse[] {
  byName ??= new Map(
    LISTED.flatMap(([uses, names]) => names.split(" ").map((one) => [one, uses] as const)),
  );
  return byName.get(name) ?? [];
}

export function usualUse({ flags, keyAfter }: CommandInfo): KeyUse {
  return keyAfter !== undefined || !flags.includes("write") ? READ_USE : CHANGE_USE;
}

/** The channel of a shard stands where a key would: a cluster finds the node by it. It is none. */
export const NO_KEY_USE = useOf("not_key");
const TOLD = useOf("RO");
const INSERT = useOf("RW insert");
const DELETE = useOf("RW delete");
const UPDATE = useOf("RW update");
const TAKE = useOf("RW access delete");
const NAMED_BY_CONTENT = useOf(
  "RO access",
  "For the optional BY/GET keyword. It is marked 'unknown' because the key names derive from the content of the key we sort",
);

const LISTED: readonly (readonly [uses: readonly KeyUse[], names: string])[] = [
  [
    [TOLD],
    "EXISTS HEXISTS HLEN HSTRLEN LLEN MEMORY|USAGE OBJECT|ENCODING OBJECT|FREQ OBJECT|IDLETIME OBJECT|REFCOUNT SCARD " +
      "SISMEMBER STRLEN TOUCH TYPE WATCH XLEN ZCARD VERSION",
  ],
  [[NO_KEY_USE], "SPUBLISH SSUBSCRIBE SUNSUBSCRIBE"],
  [[READ_USE], "XREADGROUP"],
  [[INSERT], "APPEND HSETNX LINSERT LPUSH LPUSHX PFADD RPUSH RPUSHX SADD"],
  [[INSERT], "XGROUP|CREATE XGROUP|CREATECONSUMER JSON.ARRAPPEND JSON.ARRINSERT"],
  [
    [DELETE],
    "HDEL LREM LTRIM SREM XAUTOCLAIM XDEL XGROUP|DELCONSUMER XGROUP|DESTROY XTRIM ZREM ZREMRANGEBYLEX ZREMRANGEBYRANK " +
      "ZREMRANGEBYSCORE JSON.DEL JSON.FORGET JSON.CLEAR JSON.ARRTRIM",
  ],
  [
    [UPDATE],
    "EXPIRE EXPIREAT GEOADD HMSET HSET LSET PERSIST PEXPIRE PEXPIREAT SETRANGE XACK XCLAIM XGROUP|SETID XSETID ZADD " +
      "HEXPIRE HPEXPIRE HEXPIREAT HPEXPIREAT HPERSIST HSETEX JSON.SET JSON.MERGE JSON.MSET",
  ],
  [
    [useOf("RW update", "UPDATE instead of INSERT because of the optional trimming feature")],
    "XADD",
  ],
  [
    [TAKE],
    "BLMPOP BLPOP BRPOP BZMPOP BZPOPMAX BZPOPMIN GETDEL LMPOP LPOP RPOP SPOP ZMPOP ZPOPMAX ZPOPMIN HGETDEL JSON.ARRPOP",
  ],
  [[OVERWRITE_USE], "LOCK MSET PSETEX RESTORE SETEX VALUE.SET VALUE.BATCH VALUE.IMPORT"],
  [[useOf("OW insert")], "MSETNX SETNX"],
  [[useOf("RM delete")], "DEL UNLINK UNLOCK"],
  [[TAKE, INSERT], "BLMOVE BRPOPLPUSH LMOVE RPOPLPUSH SMOVE"],
  [
    [OVERWRITE_USE, READ_USE],
    "BITOP GEOSEARCHSTORE SDIFFSTORE SUNIONSTORE ZDIFFSTORE ZINTERSTORE ZRANGESTORE ZUNIONSTORE",
  ],
  [[UPDATE, READ_USE], "SINTERSTORE"],
  [[READ_USE, OVERWRITE_USE], "COPY"],
  [[TAKE, OVERWRITE_USE], "RENAME"],
  [[TAKE, useOf("OW insert")], "RENAMENX"],
  [[useOf("RW access insert"), READ_USE], "PFMERGE"],
  [
    [
      useOf(
        "RW access",
        "RW because it may change the internal representation of the key, and propagate to replicas",
      ),
    ],
    "PFCOUNT",
  ],
  [[useOf("RW access")], "PFDEBUG"],
  [[useOf("RW access update", "RW and UPDATE because it changes the TTL")], "GETEX"],
  [
    [useOf("RW access update variable_flags", "RW and ACCESS due to the optional `GET` argument")],
    "SET",
  ],
  [
    [
      useOf(
        "RW access update variable_flags",
        "This command allows both access and modification of the key",
      ),
    ],
    "BITFIELD",
  ],
  [
    [
      READ_USE,
      NAMED_BY_CONTENT,
      useOf(
        "OW update",
        "For the optional STORE keyword. It is marked 'unknown' because the keyword can appear anywhere in the argument array",
      ),
    ],
    "SORT",
  ],
  [[READ_USE, NAMED_BY_CONTENT], "SORT_RO"],
];

/** Made when somebody asks: most starts are over before. */
let byName: ReadonlyMap<string, readonly KeyUse[]> | undefined;
