/**
 * The words of a redis.conf are Redis's, no more and no fewer; and each name of its CONFIG GET either means something here or
 * is left out for a reason.
 */
import { expect, test } from "bun:test";
import { parametersWith } from "../../scripts/parameters.ts";
import { redisNames, severalWords } from "../../src/kernel/redis-names.ts";
import { settings } from "../../src/kernel/settings.ts";
import { REDIS, Redis } from "../e2e/support/redis.ts";
import { Workspace } from "../e2e/support/workspace.ts";

/** Settings that Redis has no name for. */
const OURS = ["log-format"];

/** Names that CONFIG GET does not answer. A name may go from here as soon as it does. */
const LEFT_OUT: Readonly<Record<string, string>> = {
  "there are no forks, rehashes and cycles to tune": `active-defrag-cycle-max active-defrag-cycle-min
    active-defrag-ignore-bytes active-defrag-max-scan-fields active-defrag-threshold-lower active-defrag-threshold-upper
    active-expire-effort activedefrag activerehashing dynamic-hz hz jemalloc-bg-thread rdb-save-incremental-fsync
    aof-rewrite-incremental-fsync lazyfree-lazy-expire lazyfree-lazy-server-del
    lazyfree-lazy-user-del lazyfree-lazy-user-flush`,
  "the process is its service manager's to place": `always-show-logo aof_rewrite_cpulist bgsave_cpulist bio_cpulist
    server_cpulist crash-log-enabled crash-memcheck-enabled disable-thp oom-score-adj oom-score-adj-values pidfile
    proc-title-template set-proc-title shutdown-on-sigint shutdown-on-sigterm syslog-facility
    syslog-ident ignore-warnings`,
  "there is no cluster": `cluster-allow-pubsubshard-when-down cluster-allow-reads-when-down
    cluster-allow-replica-migration cluster-announce-bus-port cluster-announce-hostname cluster-announce-ip
    cluster-announce-port cluster-announce-tls-port cluster-config-file cluster-link-sendbuf-limit
    cluster-migration-barrier cluster-node-timeout cluster-port cluster-preferred-endpoint-type
    cluster-replica-no-failover cluster-replica-validity-factor cluster-require-full-coverage cluster-slave-no-failover
    cluster-slave-validity-factor`,
  "there are no scripts yet": "busy-reply-threshold lua-time-limit",
  "sockets are the runtime's": "bind-source-addr socket-mark-id tcp-backlog unixsocketperm",
  "what it bounds or switches is always so here": `aof-disable-auto-gc client-query-buffer-limit
    sanitize-dump-payload stop-writes-on-bgsave-error rdbcompression`,
  "users, TLS, tracking and insight bring theirs": `acl-pubsub-default aclfile acllog-max-len latency-monitor-threshold
    latency-tracking latency-tracking-info-percentiles slowlog-log-slower-than slowlog-max-len tls-auth-clients
    tls-ca-cert-dir tls-ca-cert-file tls-cert-file tls-ciphers tls-ciphersuites tls-client-cert-file
    tls-client-key-file tls-client-key-file-pass tls-cluster tls-dh-params-file tls-key-file tls-key-file-pass tls-port
    tls-prefer-server-ciphers tls-protocols tls-session-cache-size tls-session-cache-timeout
    tls-session-caching tracking-table-max-keys`,
};

/** The names of the section REPLICATION of a redis.conf. */
const OF_REPLICATION =
  /^(repl-|replica|slave|min-(replicas|slaves)-|master(auth|user)|propagation-|rdb-del-|tls-replication)/;

test.skipIf(REDIS === null)("every name of redis-server's CONFIG GET, and no other", async () => {
  await using workspace = await Workspace.create();
  await using redis = await Redis.start(workspace);
  const client = await redis.connect();
  const answer = (await client.call("CONFIG", "GET", "*")) as string[];
  const names = answer.map(String).filter((_, index) => index % 2 === 0);
  expect([...redisNames].sort()).toEqual(names.sort());
});

test("each is answered, with the files of Redis, or is left out for a reason", async () => {
  const answered = await parametersWith("aof");
  const leftOut = new Set(Object.values(LEFT_OUT).flatMap((names) => names.trim().split(/\s+/)));
  const unknown = redisNames.filter((name) => !answered.has(name) && !leftOut.has(name));
  expect(unknown).toEqual([]);
  for (const name of leftOut) expect(redisNames).toContain(name);
});

test("each of replication is answered, and stands in the table of docs/replication.md", async () => {
  const answered = await parametersWith("wal");
  const text = await Bun.file(new URL("../../docs/replication.md", import.meta.url)).text();
  const documented = [...text.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, name]) => name as string);
  const names = redisNames.filter((name) => OF_REPLICATION.test(name));
  expect(names.length).toBeGreaterThan(30);
  expect(names.filter((name) => !answered.has(name))).toEqual([]);
  const current = names.filter((name) => answered.get(name)?.aliasOf === undefined);
  expect(documented.sort()).toEqual(current.sort());
});

test("settings have Redis's names", () => {
  const others = settings.map(({ name }) => name).filter((name) => !redisNames.includes(name));
  expect(others).toEqual(OURS);
  for (const name of severalWords) expect(redisNames).toContain(name);
});
