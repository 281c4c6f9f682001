/**
 * ACL against redis-server: random rules to both, then what they tell of the users and what these may do. The order of
 * single commands in a rule is not compared, which Redis itself does not keep; nor the categories, which Redis 7.0 guesses from
 * the commands that it has: that they mean the same is what the questions about single commands find out.
 */
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { coreCommands } from "../../src/commands/index.ts";
import { seededRandom } from "../../src/platform/random.ts";
import { EngineHarness } from "../suites/engine-harness.ts";
import { RespClient } from "./resp-client.ts";
import { type ReplyNode, readReply } from "./resp-reply.ts";
import { findRedisServer, type RunningServer, startRedisServer } from "./servers.ts";
import { encodeArray } from "./step.ts";

const REDIS = findRedisServer();
const ROUNDS = 150;
/**
 * Not asked about: some have more options here; and of PFMERGE without sources Redis 7.0 forgets to check the key
 * that it makes.
 */
const OTHERWISE = new Set(["zrank", "zrevrank", "multi", "pfmerge"]);

let server: RunningServer | undefined;
let client: RespClient;
/** Commands that both have, so that a question about one has one answer. */
let common: readonly string[] = [];

beforeAll(async () => {
  if (REDIS === null) return;
  server = await startRedisServer(REDIS);
  client = await RespClient.open(server.port);
  const theirs = new Set((await askRedis(["COMMAND", "LIST"])) as string[]);
  common = coreCommands
    .map(({ name }) => name.toLowerCase())
    .filter((name) => theirs.has(name) && !OTHERWISE.has(name));
});

afterAll(async () => {
  client?.close();
  await server?.[Symbol.asyncDispose]();
});

beforeEach(async () => {
  if (REDIS !== null) await askRedis(["ACL", "DELUSER", "ada", "bob", "eve"]);
});

async function askRedis(words: readonly string[]): Promise<unknown> {
  const { replies } = await client.exchange([Buffer.from(encodeArray([...words]), "latin1")]);
  return plain(readReply(replies[0] ?? new Uint8Array(0), 0));
}

function plain(node: ReplyNode | null): unknown {
  if (node === null || node.text === null) return null;
  if (node.type === ":") return Number(node.text);
  if (node.type === "-") return `-${node.text}`;
  return node.type === "*" ? node.items.map(plain) : node.text;
}

/** As Redis answers in RESP2. */
function flat(value: unknown): unknown {
  if (value instanceof Map) return [...value].flat().map(flat);
  if (value instanceof Set || Array.isArray(value)) return [...value].map(flat);
  if (typeof value === "object" && value !== null && "error" in value) return `-${value.error}`;
  return value;
}

/** Both get the command; the answer of both, which is one, unless `expect` fails. */
class Pair {
  readonly kvdb = new EngineHarness({ auditEvery: 0 });

  async ask(...words: readonly string[]): Promise<[ours: unknown, theirs: unknown]> {
    return [flat(this.kvdb.run(...words)), await askRedis(words)];
  }

  async agree(...words: readonly string[]): Promise<void> {
    const [ours, theirs] = await this.ask(...words);
    expect([words, ours]).toEqual([words, theirs]);
  }
}

const random = seededRandom(8);
function pick<Item>(items: readonly Item[]): Item {
  return items[random.below(items.length)] as Item;
}

const HASH = "a".repeat(64);
const NAMES = ["app:1", "app:2", "b", "*", "x?", "app:*", "[a-c]*", "", "a\\*"];
const CATEGORIES = ["read", "write", "string", "keyspace", "dangerous", "fast", "slow", "admin"];
const OTHERS = ["on", "off", "nopass", "resetpass", ">one", ">two", "<one", `#${HASH}`, `!${HASH}`];
const WHOLE = ["allkeys", "resetkeys", "allchannels", "resetchannels", "clearselectors", "reset"];
const WRONG = ["+nosuch", "+@nosuch", "%X~a", "~a b", "word", "#12", "(on)", "(", "-get|a", "!a"];

function commandRule(): string {
  const sign = pick(["+", "-"]);
  const choice = random.below(10);
  if (choice === 0) return `${sign}@all`;
  if (choice < 4) return `${sign}@${pick(CATEGORIES)}`;
  if (choice === 4) return "+select|0";
  return sign + pick(common);
}

function patternRule(): string {
  return pick(["~", "~", "%R~", "%W~", "%RW~", "&"]) + pick(NAMES);
}

function rule(): string {
  const choice = random.below(20);
  if (choice < 8) return commandRule();
  if (choice < 14) return patternRule();
  if (choice < 16) return pick(OTHERS);
  if (choice < 17) return pick(WHOLE);
  if (choice < 18) return pick(WRONG);
  return `(${[patternRule(), commandRule(), commandRule()].join(" ")})`;
}

/** Without what is about commands: the word `+get`, and what stands behind `commands`. */
function withoutCommands(value: unknown): unknown {
  if (!Array.isArray(value)) {
    return String(value)
      .split(" ")
      .filter((word) => !/^[+-]/.test(word))
      .map((word) => (/^[+-].*\)$/.test(word) ? ")" : word))
      .join(" ");
  }
  return value.map((item, index) => (value[index - 1] === "commands" ? "" : keep(item)));
}

function keep(item: unknown): unknown {
  return Array.isArray(item) ? withoutCommands(item) : item;
}

const KEYS = ["app:1", "app:2", "b", "x1", "c", "a*"];
function question(): string[] {
  const [a, b, c] = [pick(KEYS), pick(KEYS), pick(KEYS)];
  return pick([
    ...[
      ["GET", a],
      ["SET", a, "1"],
      ["SET", a, "1", "GET"],
      ["GETEX", a],
      ["EXISTS", a, b],
    ],
    ...[
      ["MGET", a, b],
      ["MSET", a, "1", b, "2"],
      ["DEL", a],
      ["COPY", a, b],
      ["RENAME", a, b],
    ],
    ...[
      ["SORT", a, "STORE", b],
      ["SORT_RO", a, "BY", "nosort"],
      ["ZUNIONSTORE", a, "2", b, c],
    ],
    ...[
      ["BITFIELD", a, "GET", "u8", "0"],
      ["BITFIELD", a, "SET", "u8", "0", "1"],
    ],
    ...[
      ["XREAD", "COUNT", "1", "STREAMS", a, b, "0", "0"],
      ["LMOVE", a, b, "LEFT", "LEFT"],
    ],
    ...[
      ["GEORADIUS", a, "0", "0", "1", "m", "STORE", b],
      ["BITOP", "AND", a, b, c],
    ],
    ...[
      ["XREADGROUP", "GROUP", "g", "c", "STREAMS", a, ">"],
      ["PFMERGE", a, b],
      ["SINTERCARD", "1", a],
    ],
    ...[
      ["SELECT", "0"],
      ["SELECT", "1"],
      ["CONFIG", "GET", "x"],
      ["KEYS", "*"],
      ["PING"],
      ["ACL", "LIST"],
    ],
  ]);
}

test.skipIf(REDIS === null)(
  "random rules have the same effect, and are told the same",
  async () => {
    const pair = new Pair();
    for (let round = 0; round < ROUNDS; round++) {
      const name = pick(["ada", "bob"]);
      await pair.agree("ACL", "SETUSER", name, ...Array.from({ length: random.below(6) }, rule));
      const [ours, theirs] = await pair.ask("ACL", "LIST");
      expect((ours as unknown[]).map(withoutCommands)).toEqual(
        (theirs as unknown[]).map(withoutCommands),
      );
      const [our, their] = await pair.ask("ACL", "GETUSER", name);
      expect(withoutCommands(our)).toEqual(withoutCommands(their));
      for (let i = 0; i < 10; i++) await pair.agree("ACL", "DRYRUN", name, ...question());
      for (let i = 0; i < 5; i++)
        await pair.agree("ACL", "DRYRUN", name, ...withArguments(pick(common)));
    }
  },
  60_000,
);

/** With enough arguments for most: that it has too few is an answer as well. */
function withArguments(name: string): string[] {
  return [...name.split("|"), "1", "1", "1"].slice(0, 1 + random.below(5));
}

test.skipIf(REDIS === null)(
  "rules that one category or a few commands make are told alike",
  async () => {
    const pair = new Pair();
    const cases = [
      ...["+@all", "-@all", "+@read", "+@all -@dangerous", "+@read +get", "+@string +GET", "+get"],
      ...["+get -get", "+@all -get", "+config|get", "+@all -config|set", "+select|0 +select|1"],
      ...[
        "+select|0 -select",
        "+@read -@read",
        "-@all -@admin",
        "+@all +@hash",
        "allcommands nocommands",
      ],
      ...[
        "~a %R~a %W~b &c resetchannels &d",
        "(+get ~a) (%R~b +@read) on >pw",
        "reset on nopass ~*",
      ],
    ];
    for (const rules of cases) {
      await pair.agree("ACL", "SETUSER", "eve", "reset", ...splitOutside(rules));
      await pair.agree("ACL", "LIST");
      await pair.agree("ACL", "GETUSER", "eve");
    }
  },
);

function splitOutside(rules: string): string[] {
  return rules.match(/\([^)]*\)|\S+/g) ?? [];
}

test.skipIf(REDIS === null)("what is wrong is told in the same words", async () => {
  const pair = new Pair();
  const cases = [
    ...[
      "SETUSER",
      "SETUSER ada +nosuch",
      "SETUSER ada ~* ~a",
      "SETUSER ada &* &a",
      "SETUSER ada (+get",
    ],
    ...[
      "SETUSER ada +config|get|x",
      "SETUSER ada +config|x",
      "SETUSER ada +select|",
      "SETUSER ada <x",
    ],
    ...[
      "GETUSER nosuch",
      "DELUSER default",
      "DELUSER a b",
      "CAT nosuch",
      "CAT a b",
      "GENPASS 0",
      "GENPASS x",
    ],
    ...[
      "GENPASS 4097",
      "GENPASS 1 2",
      "LOG x",
      "LOG 1 2",
      "LOG 0",
      "LOAD",
      "SAVE",
      "WHOAMI",
      "USERS",
    ],
    ...[
      "DRYRUN nosuch get a",
      "DRYRUN default nosuch",
      "DRYRUN default get",
      "DRYRUN default config nosuch",
    ],
    ...["DRYRUN default acl", "DRYRUN default get a", "NOSUCH", "LIST x", "CAT"],
  ];
  for (const line of cases) {
    if (/^(LOAD|SAVE)$/.test(line)) {
      const ours = flat(await pair.kvdb.ask("ACL", line));
      expect([line, ours]).toEqual([line, await askRedis(["ACL", line])]);
    } else await pair.agree("ACL", ...line.split(" "));
  }
});

test.skipIf(REDIS === null)("a client is answered in the same words", async () => {
  const pair = new Pair();
  const rules = [
    "~app:*",
    "&app:*",
    "+@read",
    "+@pubsub",
    "+sort",
    "+select|0",
    "+multi",
    "+exec",
    "+echo",
  ];
  await pair.agree("ACL", "SETUSER", "ada", "reset", "on", ">pw", ...rules, "+acl|whoami");
  const ours = pair.kvdb.connect();
  const theirs = await RespClient.open(server?.port ?? 0);
  const lines = [
    ...["AUTH ada wrong", "AUTH nobody pw", "AUTH x", "AUTH a b c", "HELLO 2 AUTH ada wrong"],
    ...[
      "AUTH ada pw",
      "ACL WHOAMI",
      "GET app:1",
      "GET x",
      "MGET app:1 x",
      "SET app:1 1",
      "SET x 1",
    ],
    ...[
      "SELECT 0",
      "SELECT 1",
      "CONFIG GET x",
      "CONFIG NOSUCH",
      "ACL LIST",
      "NOSUCH",
      "PING",
      "GET",
    ],
    ...[
      "SORT app:1 BY w_*",
      "SORT app:1 GET #",
      "SORT app:1 STORE x",
      "PUBLISH x m",
      "PUBLISH app:1 m",
    ],
    ...["MULTI;GET app:1;GET x;EXEC", "MULTI;GET app:1;SET app:1 1;EXEC", "MULTI;GET app:1;EXEC"],
    ...["SUBSCRIBE x", "PSUBSCRIBE app:1*", "SPUBLISH x m"],
    ...["AUTH default any", "ACL WHOAMI", "SET x 1", "RESET", "ACL WHOAMI", "DEL x"],
  ];
  try {
    for (const line of lines) {
      const commands = line.split(";").map((command) => command.split(" "));
      const requests = commands.map((words) => Buffer.from(encodeArray(words), "latin1"));
      const { replies } = await theirs.exchange(requests);
      const their = replies.map((reply) => plain(readReply(reply, 0)));
      const our = commands.map((words) => flat(pair.kvdb.runIn(ours, ...words)));
      expect([line, our]).toEqual([line, their]);
    }
  } finally {
    theirs.close();
  }
});
