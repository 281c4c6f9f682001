/**
 * THE table of keyspace events: what each is called on its channels, and which class of `notify-keyspace-events` it is
 * of. Names and classes are Redis's (notify.c and the commands), those of documents RedisJSON's. A new event is one word.
 */

/** Classes as bits, and the letters that the setting names them by, in the order in which Redis writes them. */
export const CLASS_BITS = {
  g: 1 << 0,
  $: 1 << 1,
  l: 1 << 2,
  s: 1 << 3,
  h: 1 << 4,
  z: 1 << 5,
  x: 1 << 6,
  e: 1 << 7,
  t: 1 << 8,
  d: 1 << 9,
  n: 1 << 10,
  m: 1 << 11,
} as const;

type ClassLetter = keyof typeof CLASS_BITS;

export interface KeyEvent {
  readonly name: string;
  readonly nameBytes: Buffer;
  /** Its class. */
  readonly bit: number;
}

export const keyEvents = {
  ...eventsOf("g", [
    ...(["copy_to", "del", "expire", "move_from", "move_to", "persist"] as const),
    ...(["rename_from", "rename_to", "restore"] as const),
  ]),
  ...eventsOf("$", [
    ...(["append", "incrby", "incrbyfloat", "pfadd", "set", "setbit", "setrange"] as const),
  ]),
  ...eventsOf("l", [
    ...(["linsert", "lpop", "lpush", "lrem", "lset", "ltrim", "rpop", "rpush"] as const),
    "sortstore",
  ]),
  ...eventsOf("s", ["sadd", "sdiffstore", "sinterstore", "spop", "srem", "sunionstore"]),
  ...eventsOf("h", [
    ...(["hdel", "hexpire", "hexpired", "hincrby", "hincrbyfloat", "hpersist", "hset"] as const),
  ]),
  ...eventsOf("z", [
    ...(["geosearchstore", "georadiusstore", "zadd", "zdiffstore", "zincr"] as const),
    ...(["zinterstore", "zpopmax", "zpopmin", "zrangestore", "zrem"] as const),
    ...(["zremrangebylex", "zremrangebyrank", "zremrangebyscore", "zunionstore"] as const),
  ]),
  ...eventsOf("x", ["expired"]),
  ...eventsOf("e", ["evicted"]),
  ...eventsOf("t", [
    ...(["xadd", "xdel", "xgroup-create", "xgroup-createconsumer"] as const),
    ...(["xgroup-delconsumer", "xgroup-destroy", "xgroup-setid", "xsetid", "xtrim"] as const),
  ]),
  ...eventsOf("d", [
    ...(["json.arrappend", "json.arrinsert", "json.arrpop", "json.arrtrim"] as const),
    ...(["json.clear", "json.del", "json.merge", "json.mset", "json.numincrby"] as const),
    ...(["json.nummultby", "json.set", "json.strappend", "json.toggle"] as const),
  ]),
  ...eventsOf("n", ["new"]),
  ...eventsOf("m", ["keymiss"]),
};

function eventsOf<const Name extends string>(
  letter: ClassLetter,
  names: readonly Name[],
): Record<Name, KeyEvent> {
  const events = names.map((name): [Name, KeyEvent] => [
    name,
    { name, nameBytes: Buffer.from(name), bit: CLASS_BITS[letter] },
  ]);
  return Object.fromEntries(events) as Record<Name, KeyEvent>;
}
