/**
 * Replication through TLS, kvdb and redis-server on either side: what the two show one another, whom they refuse, and that a
 * link that was secured stays so when they change places. The certificates are made as the test runs.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { Certificates, OPENSSL } from "./support/certificates.ts";
import type { Client } from "./support/client.ts";
import { until } from "./support/poll.ts";
import { REDIS, REDIS_CLI, Redis } from "./support/redis.ts";
import { freePort, Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

/** A redis-server that lost its link comes again a second later. */
setDefaultTimeout(60_000);

type Kind = "kvdb" | "redis";
type Directives = Readonly<Record<string, string>>;

const VALUE = "0123456789abcdef".repeat(64 * 1024);

let workspace: Workspace;
let certificates: Certificates;

beforeAll(async () => {
  workspace = await Workspace.create();
  if (OPENSSL === null) return;
  certificates = await Certificates.create(workspace);
  await certificates.make("server");
  await certificates.makeAuthority("stranger");
  await certificates.encryptKey("server", "locked");
});
afterAll(() => workspace[Symbol.asyncDispose]());

const pem = (file: string) => certificates.path(file);

/** redis-server can be built without TLS; redis-cli is built with it. */
const REDIS_HAS_TLS =
  REDIS !== null &&
  REDIS_CLI !== null &&
  Bun.spawnSync([REDIS_CLI, "--help"]).stdout.includes("--tls");

interface Member extends AsyncDisposable {
  readonly kind: Kind;
  readonly port: number;
  readonly tlsPort: number;
  readonly client: Client;
  /** What it has said; of redis-server nothing. */
  log(): string;
}

/** One that speaks TLS with whoever shows a certificate of the authority, and with its primary and its replicas. */
async function start(kind: Kind, directives: Directives = {}): Promise<Member> {
  const tlsPort = freePort();
  const all = Object.entries({
    ...{ "tls-port": String(tlsPort), "tls-replication": "yes" },
    ...{ "tls-cert-file": pem("server.crt"), "tls-key-file": pem("server.key") },
    ...{ "tls-ca-cert-file": pem("ca.crt"), "repl-diskless-sync-delay": "0" },
    ...directives,
  });
  const server = await (kind === "kvdb" ? startKvdb(all, tlsPort) : startRedis(all));
  return {
    ...{ kind, port: server.port, tlsPort, client: await server.connect() },
    log: () => (server instanceof Server ? server.log : ""),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** By the same directives as redis-server, from a file as it has them. */
async function startKvdb(directives: [string, string][], number: number): Promise<Server> {
  const lines = directives.map(([name, value]) => `${name} ${value || '""'}\n`);
  await workspace.write(`${number}.conf`, `dir data-${number}\n${lines.join("")}`);
  return Server.start(workspace, { args: [`${number}.conf`] });
}

function startRedis(directives: [string, string][]): Promise<Redis> {
  return Redis.start(workspace, ...directives.flatMap(([name, value]) => [`--${name}`, value]));
}

async function info(client: Client, field: string): Promise<string> {
  const text = String(await client.call("INFO", "replication"));
  return new RegExp(`^${field}:(.*?)\r?$`, "m").exec(text)?.[1] ?? "";
}

async function inStep(primary: Client, replica: Client): Promise<void> {
  await until("the replica has everything", async () => {
    const goal = await info(primary, "master_repl_offset");
    if ((await info(replica, "master_link_status")) !== "up") return false;
    return Number(await info(replica, "slave_repl_offset")) >= Number(goal);
  });
  expect(await replica.call("DEBUG", "DIGEST")).toBe(await primary.call("DEBUG", "DIGEST"));
}

describe.skipIf(OPENSSL === null)("replication through TLS", () => {
  const pairs: readonly (readonly [Kind, Kind])[] = [
    ["kvdb", "kvdb"],
    ["kvdb", "redis"],
    ["redis", "kvdb"],
  ];
  const playable = pairs.filter((pair) => REDIS_HAS_TLS || !pair.includes("redis"));

  test.each(playable)("a copy, the stream, a change of places: %s → %s", async (first, second) => {
    await using primary = await start(first);
    await using replica = await start(second);
    await primary.client.call("SET", "in the copy", VALUE);
    await replica.client.call("REPLICAOF", "127.0.0.1", primary.tlsPort);
    await inStep(primary.client, replica.client);
    for (let i = 0; i < 20; i++) await primary.client.call("SET", `in the stream ${i}`, VALUE);
    await primary.client.call("SELECT", 3);
    await primary.client.call("INCR", "counter");
    await inStep(primary.client, replica.client);
    expect(await replica.client.call("GET", "in the stream 19")).toBe(VALUE);
    // It is known to its primary by the port of TLS, where it can be followed.
    expect(await info(primary.client, "slave0")).toContain(`port=${replica.tlsPort},`);
    expect(await primary.client.call("FAILOVER", "TO", "127.0.0.1", replica.tlsPort)).toBe("OK");
    await until("they have changed places", async () => {
      const roles = [primary, replica].map(({ client }) => info(client, "role"));
      return (await Promise.all(roles)).join() === "slave,master";
    });
    await replica.client.call("SET", "after", "all");
    await inStep(replica.client, primary.client);
    expect(await primary.client.call("SELECT", 0)).toBe("OK");
    expect(await primary.client.call("GET", "after")).toBe("all");
  });

  test("a certificate whose key is encrypted is shown", async () => {
    await using primary = await start("kvdb");
    await using replica = await start("kvdb", {
      ...{ "tls-key-file": pem("locked.key"), "tls-key-file-pass": "password" },
    });
    await replica.client.call("REPLICAOF", "127.0.0.1", primary.tlsPort);
    await inStep(primary.client, replica.client);
  });

  test("a primary whom nobody vouches for is told no password", async () => {
    await using primary = await start("kvdb", { requirepass: "secret" });
    await primary.client.call("AUTH", "secret");
    await primary.client.call("CONFIG", "RESETSTAT");
    await using replica = await start("kvdb", {
      ...{ masterauth: "secret", "tls-ca-cert-file": pem("stranger.crt") },
    });
    const { client } = replica;
    await client.call("REPLICAOF", "127.0.0.1", primary.tlsPort);
    await until("it is told", () => /cannot be followed.*TLS handshake failed/.test(replica.log()));
    expect(await info(client, "master_link_status")).toBe("down");
    expect(String(await primary.client.call("INFO", "commandstats"))).not.toContain("cmdstat_auth");
    // Another authority to trust holds from the next attempt on.
    expect(await client.call("CONFIG", "SET", "tls-ca-cert-file", pem("ca.crt"))).toBe("OK");
    await inStep(primary.client, client);
    // The certificate is that of another address.
    await client.call("REPLICAOF", "127.0.0.2", primary.tlsPort);
    await until("it is told", () => replica.log().includes("ERR_TLS_CERT_ALTNAME_INVALID"));
    expect(await info(client, "master_link_status")).toBe("down");
  });

  test("a replica that has no certificate to show is not let in, and says why", async () => {
    await using primary = await start("kvdb");
    await using replica = await start("kvdb", {
      ...{ "tls-port": "0", "tls-cert-file": "", "tls-key-file": "" },
    });
    await replica.client.call("REPLICAOF", "127.0.0.1", primary.tlsPort);
    await until("it is told", () => replica.log().includes("ALERT_CERTIFICATE_REQUIRED"));
    expect(await info(replica.client, "master_link_status")).toBe("down");
  });

  test("tls-replication may change while a primary is followed that speaks the other language", async () => {
    await using primary = await start("kvdb");
    await using replica = await start("kvdb");
    const { client } = replica;
    const isTold = (reason: RegExp) => until("it is told", () => reason.test(replica.log()));
    await client.call("REPLICAOF", "127.0.0.1", primary.port);
    await isTold(new RegExp(`${primary.port}: the TLS handshake failed`));
    await client.call("CONFIG", "SET", "tls-replication", "no");
    await inStep(primary.client, client);
    await client.call("REPLICAOF", "127.0.0.1", primary.tlsPort);
    await isTold(new RegExp(`${primary.tlsPort}: it closed the connection`));
    await client.call("CONFIG", "SET", "tls-replication", "yes");
    await inStep(primary.client, client);
  });
});
