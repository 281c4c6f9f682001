/**
 * Client-side caching against redis-server: three clients that track in random modes, read and write at random, and one that
 * others redirect to. After each step each client must have been told of the same keys on both servers: in which messages,
 * and whether before or behind a reply to its own command, may differ.
 *
 * The seed is new in each run, and printed; KVDB_TEST_SEED=N sets it.
 */
import { test } from "bun:test";
import { type ClientGroup, type ClientStep, openClients, playOnBoth } from "./both-servers.ts";
import { toBytes } from "./byte-text.ts";
import type { ListeningClient } from "./listening-client.ts";
import { Random } from "./random.ts";
import { type ReplyNode, readReply } from "./resp-reply.ts";
import { IS_LONG, REDIS, SEED } from "./run-settings.ts";

const SEQUENCES = IS_LONG ? 300 : 40;
const STEPS = 40;
/** The last one only listens. */
const CLIENTS = 4;
const KEYS = ["a", "ab", "b", "list", "hash", "zset", "stream", "{x}1"];

class StepMaker {
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  sequence(): ClientStep[] {
    const random = this.#random;
    return Array.from({ length: STEPS }, () => ({
      client: random.integer(0, CLIENTS - 2),
      commands: this.#commands(),
    }));
  }

  #commands(): string[][] {
    const random = this.#random;
    if (random.chance(0.15)) return [this.#track()];
    if (random.chance(0.1)) return [["MULTI"], this.#command(), this.#command(), ["EXEC"]];
    if (random.chance(0.15))
      return [["CLIENT", "CACHING", random.pick(["YES", "NO"])], this.#read()];
    if (random.chance(0.05)) return [random.pick([["RESET"], ["HELLO", "3"], ["HELLO", "2"]])];
    // Redis tells of the flush of an empty database too, which makes no copy void.
    if (random.chance(0.04)) {
      return [["SET", this.#key(), "1"], [random.pick(["FLUSHDB", "FLUSHALL"])]];
    }
    return [this.#command()];
  }

  /** `LISTENER` stands for the id of the client that only listens. */
  #track(): string[] {
    const random = this.#random;
    const words = ["CLIENT", "TRACKING", random.pick(["ON", "ON", "ON", "OFF"])];
    if (random.chance(0.3)) words.push("BCAST");
    if (random.chance(0.2)) words.push("PREFIX", random.pick(["a", "ab", "l", "", "{x}"]));
    if (random.chance(0.2)) words.push("PREFIX", random.pick(["b", "h", "z"]));
    if (random.chance(0.3)) words.push("REDIRECT", "LISTENER");
    if (random.chance(0.2)) words.push("OPTIN");
    if (random.chance(0.15)) words.push("OPTOUT");
    if (random.chance(0.3)) words.push("NOLOOP");
    return words;
  }

  #command(): string[] {
    return this.#random.chance(0.5) ? this.#read() : this.#write();
  }

  #key = () => this.#random.pick(KEYS);

  #read(): string[] {
    const [random, key] = [this.#random, this.#key];
    return random.pick([
      () => ["GET", key()],
      () => ["MGET", key(), key(), key()],
      () => ["EXISTS", key(), key()],
      () => ["TTL", key()],
      () => ["TYPE", key()],
      () => ["LRANGE", "list", "0", "-1"],
      () => ["HGETALL", "hash"],
      () => ["ZRANGE", "zset", "0", "-1"],
      () => ["XRANGE", "stream", "-", "+"],
      () => ["OBJECT", "ENCODING", key()],
      () => ["SORT_RO", "list", "BY", "nosort"],
      () => ["ZINTERCARD", "2", "zset", key()],
      () => ["DBSIZE"],
      () => ["STRLEN", key()],
    ])();
  }

  #write(): string[] {
    const [random, key] = [this.#random, this.#key];
    const number = () => String(random.integer(0, 3));
    return random.pick([
      () => ["SET", key(), number()],
      () => ["SET", key(), number(), random.pick(["NX", "XX"])],
      () => ["MSET", key(), number(), key(), number()],
      () => ["DEL", key(), key()],
      () => ["INCR", key()],
      () => ["APPEND", key(), "x"],
      () => ["SETRANGE", key(), "0", number()],
      () => ["EXPIRE", key(), "1000"],
      () => ["PEXPIRE", key(), "-1"],
      () => ["PERSIST", key()],
      () => ["RPUSH", "list", number(), number()],
      () => ["LPOP", "list"],
      () => ["LREM", "list", "0", number()],
      () => ["HSET", "hash", number(), number()],
      () => ["HDEL", "hash", number()],
      () => ["ZADD", "zset", number(), number()],
      () => ["ZREM", "zset", number()],
      () => ["XADD", "stream", "*", "f", number()],
      () => ["XTRIM", "stream", "MAXLEN", number()],
      () => ["RENAME", key(), key()],
      () => ["COPY", key(), key(), "REPLACE"],
      () => ["GETDEL", key()],
      () => ["GETEX", key(), random.pick(["PERSIST", "EX"]), ...[]],
      () => ["SORT", "list", "BY", "nosort", "STORE", key()],
    ])();
  }
}

class Group implements ClientGroup {
  readonly #clients: ListeningClient[];
  readonly #listener: string;
  #steps = 0;

  private constructor(clients: ListeningClient[], listener: string) {
    this.#clients = clients;
    this.#listener = listener;
  }

  /** An empty server; the one that only listens speaks RESP2 or RESP3. */
  static async open(port: number, protocol: "2" | "3"): Promise<Group> {
    const clients = await openClients(port, CLIENTS);
    const listener = clients.at(-1) as ListeningClient;
    listener.send("FLUSHALL");
    listener.send("CLIENT", "ID");
    const text = await listener.untilPing("first");
    const id = text.slice(text.lastIndexOf(":") + 1).trim();
    listener.send("HELLO", protocol);
    // When the last client ends, kvdb forgets what was read, which Redis keeps for who begins again.
    listener.send("CLIENT", "TRACKING", "ON", "OPTIN");
    if (protocol === "2") listener.send("SUBSCRIBE", "__redis__:invalidate");
    await listener.untilPing("second");
    for (const client of clients.slice(0, -1)) {
      client.send("HELLO", "3");
      await client.untilPing("third");
    }
    return new Group(clients, id);
  }

  /** What each client was told, and what the acting one was answered. */
  async play({ client, commands }: ClientStep): Promise<unknown[]> {
    const acting = this.#clients[client] as ListeningClient;
    for (const words of commands) {
      acting.send(...words.map((word) => (word === "LISTENER" ? this.#listener : word)));
    }
    const mark = `mark-${this.#steps++}`;
    const own = await acting.untilPing(mark);
    const told: unknown[] = [];
    for (const other of this.#clients) {
      // Twice: BCAST tells as the turn ends in which the first one may have come.
      const first = other === acting ? own : await other.untilPing(mark);
      told.push(toldIn(first + (await other.untilPing(`${mark}-again`))));
    }
    acting.send("CLIENT", "TRACKINGINFO");
    const info = await acting.untilPing(`${mark}-info`);
    return [...told, info.replaceAll(`:${this.#listener}\r`, ":LISTENER\r")];
  }

  close(): void {
    for (const client of this.#clients) client.close();
  }
}

/** The keys that are told to be void, each once; `*`: all. */
function toldIn(text: string): string[] {
  const bytes = toBytes(text);
  const keys = new Set<string>();
  for (let at = 0; at < bytes.length; ) {
    const reply = readReply(bytes, at) as ReplyNode;
    for (const key of keysIn(reply)) keys.add(key);
    at = reply.end;
  }
  return [...keys].sort();
}

/** Replies of EXEC may hold messages in Redis. */
function keysIn({ items }: ReplyNode): string[] {
  const isPush = items[0]?.text === "invalidate" || items[1]?.text === "__redis__:invalidate";
  if (!isPush || items[0]?.text === "subscribe") return items.flatMap(keysIn);
  const last = items.at(-1) as ReplyNode;
  return last.items.length === 0 ? ["*"] : last.items.map(({ text }) => String(text));
}

test.skipIf(REDIS === null)(
  `invalid copies are told as by redis-server, seed ${SEED}`,
  async () => {
    const stepsOf = (number: number) => new StepMaker(SEED + number).sequence();
    await playOnBoth(SEQUENCES, stepsOf, (port, number) =>
      Group.open(port, number % 2 === 0 ? "2" : "3"),
    );
  },
  120_000,
);
