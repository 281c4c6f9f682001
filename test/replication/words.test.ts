/**
 * What people and programs see of replication: errors, ROLE, INFO, WAIT, CLIENT LIST, min-replicas, stale data, passwords. Two
 * redis-servers are asked first, the pair under test is asked the same in the same place, and has to answer the same.
 *
 * Not compared, since kvdb differs by intent: REPLICAOF takes a port alone, and the link to the primary is no line of a
 * replica's CLIENT LIST.
 */
import { beforeAll, describe, expect, test } from "bun:test";
import { type Reply, ReplyError } from "../e2e/support/client.ts";
import { until } from "../e2e/support/poll.ts";
import { inStep } from "./agreement.ts";
import { FrailLink } from "./frail-link.ts";
import { type Kind, Member, type MemberOptions } from "./member.ts";
import { PAIRINGS, type Pairing, TIMEOUT_MS } from "./pairs.ts";

const PASSWORD = "correct horse";

/** What is the same whenever it is asked; of all other fields the form is compared. */
const EXACT_FIELDS = new Set([
  ...["role", "connected_slaves", "master_failover_state", "master_link_status"],
  ...["master_sync_in_progress", "slave_read_only", "slave_priority", "replica_announced"],
  ...["master_replid2", "second_repl_offset", "repl_backlog_active", "min_slaves_good_slaves"],
]);

type Observations = Record<string, unknown>;

const QUESTIONS: Readonly<Record<string, (scene: Scene) => Promise<unknown>>> = {
  "writing to a replica": async ({ replica }) => {
    const commands = [["SET", "a", "1"], ["DEL", "a"], ["FLUSHALL"], ["SWAPDB", "0", "1"]];
    const more = [
      ["EXPIRE", "nothing", "10"],
      ["PUBLISH", "channel", "x"],
      ["GETEX", "a"],
    ];
    return ask(replica, [...commands, ...more, ["SET", "a"], ["NONSENSE"]]);
  },
  "a transaction on a replica": async ({ replica }) => {
    using client = await replica.connect();
    const commands = [["MULTI"], ["GET", "a"], ["SET", "a", "1"], ["EXEC"]];
    return (await client.pipeline(commands)).map(plain);
  },
  "reading from a replica": async ({ primary, replica }) => {
    await primary.call("SET", "a", "1");
    await primary.call("SELECT", 3);
    await primary.call("SET", "b", "2");
    await primary.call("SELECT", 0);
    await inStep(primary, replica);
    return ask(replica, [
      ["GET", "a"],
      ["EXISTS", "b"],
      ["DBSIZE"],
      ["SELECT", "3"],
      ["SELECT", "0"],
    ]);
  },
  WAIT: async ({ primary, replica }) => {
    const wrong = [
      ["WAIT", "x", "0"],
      ["WAIT", "1", "-1"],
      ["WAIT", "1", "x"],
      ["WAIT", "1"],
    ];
    return [
      await ask(primary, [
        ["SET", "a", "1"],
        ["WAIT", "1", "10000"],
        ["WAIT", "2", "500"],
        ...wrong,
      ]),
      await ask(replica, [["WAIT", "1", "10"]]),
    ];
  },
  // It does not wait: how many have heard of it by then is a matter of chance.
  "WAIT in a transaction": async (scene) => {
    using client = await scene.primary.connect();
    const commands = [["MULTI"], ["SET", "a", "2"], ["WAIT", "2", "0"], ["EXEC"]];
    return scene.form(await client.pipeline(commands));
  },
  "ROLE of a primary": async (scene) => scene.form(await scene.primary.call("ROLE")),
  "ROLE of a replica": async (scene) => scene.form(await scene.replica.call("ROLE")),
  "INFO of a primary": (scene) => scene.infoOf(scene.primary),
  "INFO of a replica": (scene) => scene.infoOf(scene.replica),
  "CLIENT LIST of a primary": async ({ primary }) => {
    // REPLCONF ACK is its latest command once a second has passed.
    await primary.call("SET", "a", "3");
    await primary.call("WAIT", 1, 10_000);
    return linesOf(await primary.call("CLIENT", "LIST", "TYPE", "replica"), ["flags", "cmd"]);
  },
  "orders that make no sense": async ({ primary, replica }) => [
    await ask(primary, [
      ...[["REPLICAOF"], ["REPLICAOF", "127.0.0.1", "port"]],
      ...[["REPLICAOF", "127.0.0.1", "70000"]],
      ...[
        ["REPLICAOF", "NO", "TWO"],
        ["REPLICAOF", "no", "one"],
        ["SLAVEOF", "NO", "ONE"],
      ],
      ...[
        ["FAILOVER", "ABORT"],
        ["FAILOVER", "TO", "127.0.0.1", "1"],
        ["FAILOVER", "FORCE"],
      ],
      ...[
        ["FAILOVER", "TIMEOUT", "0"],
        ["FAILOVER", "NONSENSE"],
      ],
      ...[["FAILOVER", "TO", "127.0.0.1", "1", "FORCE"], ["PSYNC"], ["REPLCONF"]],
      ...[
        ["REPLCONF", "listening-port", "x"],
        ["REPLCONF", "nonsense", "1"],
      ],
    ]),
    await ask(replica, [["FAILOVER"], ["FAILOVER", "ABORT"], ["REPLICAOF", "127.0.0.1", "port"]]),
  ],
  "the same primary again": async ({ replica, link }) =>
    ask(replica, [
      ["REPLICAOF", "127.0.0.1", String(link.port)],
      ["SLAVEOF", "127.0.0.1", String(link.port)],
    ]),
  "a message that is published above is heard below": async ({ primary, replica }) => {
    using listener = await replica.connect();
    await listener.call("SUBSCRIBE", "news");
    listener.unasked.length = 0;
    const heard = until("the message", () => listener.unasked.length > 0);
    await primary.call("PUBLISH", "news", "spring");
    await heard;
    return listener.unasked.map((message) => plain(message));
  },
  "a key runs out while the link is down": async ({ primary, replica, link }) => {
    await primary.call("SET", "brief", "x", "PX", 300);
    await inStep(primary, replica);
    link.passage = "closed";
    await until("the replica has noticed", async () => (await statusOf(replica)) === "down");
    await until("it has run out", async () => (await replica.call("EXISTS", "brief")) === 0);
    const commands = [["GET", "brief"], ["TTL", "brief"], ["TYPE", "brief"], ["DBSIZE"]];
    const found = await ask(replica, commands);
    link.passage = "open";
    await inStep(primary, replica);
    return found;
  },
  "stale data": async ({ primary, replica, link }) => {
    link.passage = "closed";
    await until("the replica has noticed", async () => (await statusOf(replica)) === "down");
    const commands = [["GET", "a"], ["SET", "a", "1"], ["PING"], ["ROLE"], ["SELECT", "0"]];
    const asked = commands.filter(([name]) => name !== "ROLE");
    const served = await ask(replica, asked);
    await replica.call("CONFIG", "SET", "replica-serve-stale-data", "no");
    const refused = await ask(replica, [...asked, ["DBSIZE"], ["MULTI"], ["INCR", "a"], ["EXEC"]]);
    await replica.call("CONFIG", "SET", "replica-serve-stale-data", "yes");
    link.passage = "open";
    await inStep(primary, replica);
    return { served, refused };
  },
  "min-replicas-to-write": async ({ primary, replica, link }) => {
    await primary.call("CONFIG", "SET", "min-replicas-to-write", 2);
    const commands = [
      ["SET", "a", "1"],
      ["GET", "a"],
      ["PUBLISH", "a", "b"],
      ["DEL", "nothing"],
    ];
    const two = await ask(primary, commands);
    await primary.call("CONFIG", "SET", "min-replicas-to-write", 1);
    const good = await primary.infoNumber("replication", "min_slaves_good_slaves");
    const one = await ask(primary, commands);
    link.passage = "closed";
    const count = () => primary.infoNumber("replication", "connected_slaves");
    await until("the primary has noticed", async () => (await count()) === 0);
    const none = await ask(primary, commands);
    await primary.call("CONFIG", "SET", "min-replicas-to-write", 0);
    link.passage = "open";
    await inStep(primary, replica);
    return { two, good, one, none };
  },
  "a writable replica": async ({ replica }) => {
    await replica.call("CONFIG", "SET", "replica-read-only", "no");
    const found = await ask(replica, [
      ["SET", "own", "1"],
      ["GET", "own"],
      ["DEL", "own"],
    ]);
    await replica.call("CONFIG", "SET", "replica-read-only", "yes");
    return found;
  },
  "what was configured": async ({ replica }) =>
    ask(replica, [
      ["CONFIG", "GET", "replica-read-only"],
      ["CONFIG", "GET", "slave-read-only"],
      ["CONFIG", "GET", "replica-serve-stale-data"],
      ["CONFIG", "GET", "replica-priority"],
      ["CONFIG", "GET", "min-replicas-max-lag"],
    ]),
  // The last one: it is over then.
  "promoted: INFO, ROLE, writing": async (scene) => {
    await scene.replica.call("REPLICAOF", "NO", "ONE");
    const gone = async () =>
      (await scene.primary.infoNumber("replication", "connected_slaves")) === 0;
    await until("the replica has left", gone);
    return [
      await scene.infoOf(scene.replica, new Set(["second_repl_offset", "master_replid2"])),
      await scene.infoOf(scene.primary),
      scene.form(await scene.replica.call("ROLE")),
      await ask(scene.replica, [
        ["SET", "a", "1"],
        ["GET", "a"],
      ]),
    ];
  },
};

let expected: Observations = {};

beforeAll(async () => {
  expected = await observe({ primary: "redis", replica: "redis" });
}, TIMEOUT_MS);

test("redis-server answers as its documentation has it", () => {
  expect(expected["writing to a replica"]).toContain(
    "READONLY You can't write against a read only replica.",
  );
  expect(expected["ROLE of a primary"]).toEqual(["master", "n", [["127.0.0.1", "<replica>", "n"]]]);
});

describe.each(PAIRINGS)("$primary → $replica", (pairing) => {
  let actual: Observations = {};

  beforeAll(async () => {
    actual = await observe(pairing);
  }, TIMEOUT_MS);

  test.each(Object.keys(QUESTIONS))("%s", (name) => {
    expect({ [name]: actual[name] }).toMatchObject({ [name]: expected[name] });
  });
});

test.each(PAIRINGS)(
  "a replica has to know the password: $primary → $replica",
  async (pairing) => {
    await using primary = await Member.start({
      ...{ ...plainly(pairing.primary), password: PASSWORD },
    });
    await using replica = await Member.start(plainly(pairing.replica));
    await using link = await FrailLink.open(primary.port);
    await primary.call("SET", "a", "1");
    await replica.follow(link.port);
    await until("it was refused", () => link.refusals.length > 0);
    expect(link.refusals[0]).toStartWith("-NOAUTH ");
    expect(await statusOf(replica)).toBe("down");
    await replica.call("CONFIG", "SET", "masterauth", "wrong");
    await until("it was refused again", () => /-WRONGPASS /.test(link.refusals.join("")));
    expect(await replica.call("GET", "a")).toBe(null);
    await replica.call("CONFIG", "SET", "masterauth", PASSWORD);
    await inStep(primary, replica);
    expect(await replica.call("GET", "a")).toBe("1");
    // And by name.
    await primary.call(
      "ACL",
      "SETUSER",
      "follower",
      "on",
      ">other",
      "+psync",
      "+replconf",
      "+ping",
    );
    await primary.call("CONFIG", "SET", "requirepass", "changed");
    link.cut();
    await until("it is down", async () => (await statusOf(replica)) === "down");
    await replica.call("CONFIG", "SET", "masteruser", "follower");
    await replica.call("CONFIG", "SET", "masterauth", "other");
    await inStep(primary, replica);
    expect(link.copies.full).toBe(1);
  },
  TIMEOUT_MS,
);

async function observe(pairing: Pairing): Promise<Observations> {
  await using primary = await Member.start(plainly(pairing.primary));
  await using replica = await Member.start(plainly(pairing.replica));
  await using link = await FrailLink.open(primary.port);
  await replica.follow(link.port);
  await inStep(primary, replica);
  const scene = new Scene(primary, replica, link);
  const found: Observations = {};
  for (const [name, question] of Object.entries(QUESTIONS)) {
    try {
      found[name] = await question(scene);
    } catch (error) {
      // The others can be asked nevertheless; this answer is none that Redis gives.
      found[name] = `failed: ${String(error)}`;
      link.passage = "open";
    }
  }
  return found;
}

class Scene {
  readonly primary: Member;
  readonly replica: Member;
  readonly link: FrailLink;

  constructor(primary: Member, replica: Member, link: FrailLink) {
    this.primary = primary;
    this.replica = replica;
    this.link = link;
  }

  /** With names instead of ports, and numbers as "n". */
  form(reply: Reply): unknown {
    if (Array.isArray(reply)) return reply.map((part) => this.form(part));
    const ports = { primary: this.primary.port, replica: this.replica.port, link: this.link.port };
    for (const [name, port] of Object.entries(ports)) {
      if (String(reply) === String(port)) return `<${name}>`;
    }
    if (typeof reply === "number") return "n";
    return typeof reply === "string" && /^\d+$/.test(reply) ? "n" : plain(reply);
  }

  /** Further fields than redis-server has are a server's own. */
  async infoOf(member: Member, alsoNumbers: ReadonlySet<string> = new Set()): Promise<object> {
    const fields = [...(await member.info("replication"))].map(([name, value]) => [
      name,
      EXACT_FIELDS.has(name) && !alsoNumbers.has(name) ? value : this.#infoForm(value),
    ]);
    return Object.fromEntries(fields);
  }

  #infoForm(value: string): unknown {
    if (!value.includes("=")) {
      return /^[0-9a-f]{40}$/.test(value) ? "<id>" : this.form(value);
    }
    const pairs = value.split(",").map((pair) => pair.split("="));
    const known = new Set(["ip", "port", "state", "offset", "lag"]);
    return pairs
      .filter(([name]) => known.has(name ?? ""))
      .map(([name, one]) => [name, this.form(one ?? "")]);
  }
}

/** kvdb gives copies from a folder only. */
function plainly(kind: Kind): MemberOptions {
  return { kind, keeping: kind === "kvdb" ? "wal" : "none" };
}

async function ask(member: Member, commands: readonly (readonly string[])[]): Promise<unknown[]> {
  using client = await member.connect();
  return (await client.pipeline(commands)).map(plain);
}

function plain(reply: Reply): unknown {
  if (reply instanceof ReplyError) return reply.message;
  return Array.isArray(reply) ? reply.map(plain) : reply;
}

/** Of each line of CLIENT LIST these fields. */
function linesOf(reply: Reply, names: readonly string[]): unknown {
  const lines = String(reply).trim().split("\n");
  return lines.map((line) => names.map((name) => new RegExp(`\\b${name}=(\\S*)`).exec(line)?.[1]));
}

async function statusOf(replica: Member): Promise<string | undefined> {
  return (await replica.info("replication")).get("master_link_status");
}
