/** What a client that is to become a replica is answered, through a real frontend: redis-server 7.0.15 answered the same. */
import { beforeEach, describe, expect, test } from "bun:test";
import type { PrimaryState } from "../../../src/session/replication.ts";
import type { FakeSocket } from "../resp-plugin/fake-socket.ts";
import { FrontendHarness } from "../resp-plugin/frontend-harness.ts";
import { FakeCopies } from "./fake-replica.ts";
import { FakeStream } from "./fake-stream.ts";

let harness: FrontendHarness;
let copies: FakeCopies;

beforeEach(async () => {
  harness = await FrontendHarness.open();
  copies = new FakeCopies(new FakeStream());
  harness.db.engine.followers.maker = copies;
});

function ask(request: string, socket: FakeSocket = harness.connect()): string {
  return harness.exchange(socket, `${request}\r\n`);
}

const NOT_AN_INTEGER = "-ERR value is not an integer or out of range\r\n";

describe("REPLCONF", () => {
  const cases: readonly [request: string, reply: string][] = [
    ["REPLCONF", "+OK\r\n"],
    ["REPLCONF a", "-ERR syntax error\r\n"],
    ["REPLCONF a b", "-ERR Unrecognized REPLCONF option: a\r\n"],
    ["REPLCONF listening-port x", NOT_AN_INTEGER],
    ["REPLCONF listening-port 1234 capa eof capa psync2 capa zz", "+OK\r\n"],
    ["REPLCONF ack 1", ""],
    ["REPLCONF ack 1 fack 1", ""],
    ["REPLCONF getack *", ""],
    ["REPLCONF rdb-only 2", "-ERR value is out of range, value must between 0 and 1\r\n"],
    ["REPLCONF rdb-only 0", "+OK\r\n"],
    ["REPLCONF rdb-filter-only functions", "+OK\r\n"],
    ["REPLCONF rdb-filter-only x", "-ERR Unsupported rdb-filter-only option: x\r\n"],
    [`REPLCONF ip-address ${"a".repeat(255)}`, "+OK\r\n"],
    [
      `REPLCONF ip-address ${"a".repeat(256)}`,
      "-ERR REPLCONF ip-address provided by replica instance is too long: 256 bytes\r\n",
    ],
  ];
  test.each(cases)("%s", (request, reply) => {
    expect(ask(request)).toBe(reply);
  });
});

describe("PSYNC and SYNC", () => {
  test.each<readonly [request: string, reply: string]>([
    ["PSYNC ? x", NOT_AN_INTEGER],
    ["PSYNC ? -1 FAILOVER", "-ERR PSYNC FAILOVER can't be sent to a master.\r\n"],
    ["PSYNC a", "-ERR wrong number of arguments for 'psync' command\r\n"],
    ["MULTI\r\nPSYNC ? -1", "+OK\r\n-ERR Command not allowed inside a transaction\r\n"],
  ])("%s is refused", (request, reply) => {
    expect(ask(request)).toBe(reply);
    expect(copies.orders).toEqual([]);
  });

  test("are answered by nothing but the stream, and make the client a replica", async () => {
    const socket = harness.connect();
    ask("REPLCONF listening-port 6380 ip-address host.example", socket);
    expect(ask("PSYNC ? -1", socket)).toBe("");
    await harness.sync();
    expect(copies.orders).toHaveLength(1);
    expect(ask("REPLCONF ACK 0", socket)).toBe("");
    expect(ask("PSYNC ? -1", socket)).toBe("");
    const info = ask("INFO replication");
    expect(info).toContain("connected_slaves:1\r\n");
    expect(info).toContain(
      "slave0:ip=host.example,port=6380,state=wait_bgsave,offset=0,lag=0,lag_bytes=0\r\n",
    );
    expect(ask("ROLE")).toBe("*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n");
  });

  test("nothing else may be sent then", () => {
    const socket = harness.connect();
    ask("SYNC", socket);
    expect(ask("GET a", socket)).toBe("");
    expect(socket.closed).toBe("terminate");
    expect(ask("INFO replication")).toContain("connected_slaves:0\r\n");
  });

  test("wait for the link of a server that is a replica itself", () => {
    const { replication } = harness.db.engine;
    const primary = { host: "10.0.0.9", port: 6379, link: "sync" } as PrimaryState;
    replication.following = { ...replication.following, primary };
    const problem = "-NOMASTERLINK Can't SYNC while not connected with my master\r\n";
    expect(ask("PSYNC ? -1")).toBe(problem);
    expect(ask("SYNC")).toBe(problem);
    replication.following = {
      ...replication.following,
      primary: { ...primary, link: "connected", appliedOffset: 42 } as PrimaryState,
    };
    expect(ask("PSYNC ? -1")).toBe("");
    expect(ask("ROLE")).toBe(
      "*5\r\n$5\r\nslave\r\n$8\r\n10.0.0.9\r\n:6379\r\n$9\r\nconnected\r\n:42\r\n",
    );
    expect(ask("HELLO")).toContain("role\r\n$7\r\nreplica\r\n");
  });

  test("make a replica that is asked so by its primary the primary, and go on under its new id", async () => {
    const { replication, stream } = harness.db.engine;
    const leading = Promise.withResolvers<void>();
    const primary = { host: "10.0.0.9", port: 6379, link: "connected" } as PrimaryState;
    replication.following = {
      ...{ primary, advice: "", failedCommands: 0, receivedBytes: 0 },
      ...{ follow: () => true, resetStatistics: () => {} },
      lead: () => {
        replication.following = { ...replication.following, primary: null };
        return leading.promise;
      },
    };
    expect(ask(`PSYNC ${"0".repeat(40)} 1 FAILOVER`)).toBe(
      "-ERR PSYNC FAILOVER replid must match my replid.\r\n",
    );
    expect(replication.role).toBe("slave");
    expect(ask(`PSYNC ${stream.id} 1 FAILOVER`)).toBe("");
    expect(replication.role).toBe("master");
    await harness.sync();
    expect(ask("INFO replication")).toContain("connected_slaves:0\r\n");
    leading.resolve();
    await harness.sync();
    await harness.sync();
    expect(ask("INFO replication")).toContain("connected_slaves:1\r\n");
  });

  test("are refused where there is nothing to make copies with", () => {
    const { followers } = harness.db.engine;
    followers.maker = null;
    followers.obstacle = "no folder";
    expect(ask("PSYNC ? -1")).toBe("-ERR no folder\r\n");
  });

  test("are refused to who has not the right", () => {
    ask("ACL SETUSER limited on nopass +@all -psync");
    const socket = harness.connect();
    ask("AUTH limited x", socket);
    expect(ask("PSYNC ? -1", socket)).toStartWith("-NOPERM");
  });
});

describe("REPLICAOF", () => {
  test.each(["NO ONE now", "127.0.0.1 6379 6380"])("%s has a word too many", (words) => {
    const refusal = (name: string) => `-ERR wrong number of arguments for '${name}' command\r\n`;
    expect(ask(`REPLICAOF ${words}`)).toBe(refusal("replicaof"));
    expect(ask(`SLAVEOF ${words}`)).toBe(refusal("slaveof"));
  });
});

describe("writes that need replicas", () => {
  const REFUSAL = "-NOREPLICAS Not enough good replicas to write.\r\n";

  test("are refused as long as there are too few, and reads are not", () => {
    expect(ask("CONFIG SET min-replicas-to-write 1")).toBe("+OK\r\n");
    expect(ask("SET a 1")).toBe(REFUSAL);
    expect(ask("GET a")).toBe("$-1\r\n");
    const exec = `+OK\r\n${REFUSAL}-EXECABORT Transaction discarded because of previous errors.\r\n`;
    expect(ask("MULTI\r\nSET a 1\r\nEXEC")).toBe(exec);
    expect(ask("INFO replication")).toContain("min_slaves_good_slaves:0\r\n");
    expect(ask("CONFIG SET min-replicas-max-lag 0")).toBe("+OK\r\n");
    expect(ask("SET a 1")).toBe("+OK\r\n");
  });

  test("are refused by a primary alone, from the moment that it is one", () => {
    const { duties } = harness.db.engine.following;
    expect(ask("CONFIG SET replica-read-only no min-replicas-to-write 1")).toBe("+OK\r\n");
    duties.begin();
    expect(ask("SET a 1")).toBe("+OK\r\n");
    duties.end();
    expect(ask("SET a 1")).toBe(REFUSAL);
  });
});

describe("WAIT", () => {
  test.each<readonly [request: string, reply: string]>([
    ["WAIT a 0", NOT_AN_INTEGER],
    ["WAIT 0 0", ":0\r\n"],
    ["WAIT -1 0", ":0\r\n"],
    ["WAIT 1 -1", "-ERR timeout is negative\r\n"],
    ["WAIT 1 x", "-ERR timeout is not an integer or out of range\r\n"],
    ["MULTI\r\nWAIT 1 0\r\nEXEC", "+OK\r\n+QUEUED\r\n*1\r\n:0\r\n"],
  ])("%s", (request, reply) => {
    expect(ask(request)).toBe(reply);
  });

  test("tells how many there are when its time is over", () => {
    const socket = harness.connect();
    expect(ask("WAIT 1 100", socket)).toBe("");
    harness.db.clock.advance(100);
    harness.endTurn();
    expect(socket.read()).toBe(":0\r\n");
  });

  test("is unblocked like others that wait", () => {
    const socket = harness.connect();
    const id = ask("CLIENT ID", socket).slice(1, -2);
    expect(ask("WAIT 1 0", socket)).toBe("");
    expect(ask(`CLIENT UNBLOCK ${id}`)).toBe(":1\r\n");
    expect(socket.read()).toBe(":0\r\n");
  });

  test.each(["WAIT 1 0", "WAITAOF 0 1 0"])(
    "ends when this server follows another one, whose offsets are others: %s",
    (request) => {
      const socket = harness.connect();
      expect(ask(request, socket)).toBe("");
      harness.db.engine.following.duties.begin();
      harness.endTurn();
      expect(socket.read()).toStartWith("-UNBLOCKED force unblock from blocking operation");
    },
  );

  test("is for a primary", () => {
    const { replication } = harness.db.engine;
    replication.following = { ...replication.following, primary: {} as PrimaryState };
    expect(ask("WAIT 1 0")).toStartWith("-ERR WAIT cannot be used with replica instances.");
  });
});
