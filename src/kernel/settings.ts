/**
 * THE table of what can be set outside the configuration file: by a variable KVDB_… and, where
 * `serve` is true, by an option of `kvdb serve` in Redis's spelling. Later wins: file, environment,
 * options. An option that kvdb cannot honour yet is absent, so that it is refused instead of
 * accepted without effect.
 */
export interface Setting {
  /**
   * Redis's spelling: `tcp-keepalive`, the option `--tcp-keepalive`, the variable
   * KVDB_TCP_KEEPALIVE.
   */
  readonly name: string;
  /** What the option's help calls its value. */
  readonly value: string;
  readonly summary: string;
  /** Whether `kvdb serve` takes it. */
  readonly serve: boolean;
  readonly kind:
    | "text"
    | "level"
    | "integer"
    | "percentage"
    | "size"
    | "path"
    | "words"
    | "yesno"
    | "boolean";
  readonly target: Target;
}

/**
 * Where a setting goes: a key of the configuration, or an option of the persistence or of the
 * frontend resp.
 */
export type Target =
  | { readonly of: "config"; readonly path: readonly string[] }
  /** `member`: of the object that the option is. */
  | { readonly of: "persistence"; readonly option: string; readonly member?: string }
  | { readonly of: "resp"; readonly option: string }
  | { readonly of: "appendonly" }
  /** An option of the persistence that has Redis's files, which is chosen by it where none is named. */
  | { readonly of: "redisFiles"; readonly option: string };

/**
 * `appendonly` and what chooses Redis's files before those of the persistence: they set options of the one that is
 * chosen.
 */
export const settings: readonly Setting[] = [
  {
    name: "dir",
    value: "path",
    summary: "folder of the data",
    serve: true,
    kind: "path",
    target: { of: "config", path: ["dir"] },
  },
  {
    name: "port",
    value: "number",
    summary: "TCP port, 0 for none",
    serve: true,
    kind: "integer",
    target: { of: "resp", option: "port" },
  },
  {
    name: "bind",
    value: "address...",
    summary: "addresses to listen on",
    serve: true,
    kind: "words",
    target: { of: "resp", option: "bind" },
  },
  {
    name: "unixsocket",
    value: "path",
    summary: "also listen on this socket",
    serve: true,
    kind: "path",
    target: { of: "resp", option: "unixsocket" },
  },
  {
    name: "appendonly",
    value: "yes|no",
    summary: "yes: persistence wal, no: persistence none; of aof its option",
    serve: true,
    kind: "yesno",
    target: { of: "appendonly" },
  },
  {
    name: "dbfilename",
    value: "name",
    summary: "Redis's files (persistence aof): the RDB",
    serve: true,
    kind: "text",
    target: { of: "redisFiles", option: "dbfilename" },
  },
  {
    name: "appendfilename",
    value: "name",
    summary: "the same: what the append-only file is called",
    serve: true,
    kind: "text",
    target: { of: "redisFiles", option: "appendfilename" },
  },
  {
    name: "appenddirname",
    value: "name",
    summary: "the same: the folder of the append-only file",
    serve: true,
    kind: "text",
    target: { of: "redisFiles", option: "appenddirname" },
  },
  {
    name: "save",
    value: "rules",
    summary: 'seconds and changes, "3600 1 300 100"; chooses persistence aof too',
    serve: true,
    kind: "text",
    target: { of: "redisFiles", option: "save" },
  },
  {
    name: "appendfsync",
    value: "when",
    summary: "always, everysec or no",
    serve: true,
    kind: "text",
    target: { of: "persistence", option: "fsync" },
  },
  {
    name: "auto-aof-rewrite-percentage",
    value: "percent",
    summary: "compact a log that has grown by so much, 0: never",
    serve: true,
    kind: "percentage",
    target: { of: "persistence", option: "compaction", member: "ratio" },
  },
  {
    name: "auto-aof-rewrite-min-size",
    value: "size",
    summary: "but none that is shorter",
    serve: true,
    kind: "size",
    target: { of: "persistence", option: "compaction", member: "minBytes" },
  },
  {
    name: "aof-use-rdb-preamble",
    value: "yes|no",
    summary: "Redis's files: a rewritten append-only file begins as an RDB",
    serve: true,
    kind: "boolean",
    target: { of: "persistence", option: "aof-use-rdb-preamble" },
  },
  {
    name: "aof-timestamp-enabled",
    value: "yes|no",
    summary: "the same: when each second's commands ran is written too",
    serve: true,
    kind: "boolean",
    target: { of: "persistence", option: "aof-timestamp-enabled" },
  },
  {
    name: "requirepass",
    value: "password",
    summary: "what AUTH asks for",
    serve: true,
    kind: "text",
    target: { of: "config", path: ["requirepass"] },
  },
  {
    name: "replicaof",
    value: "primary...",
    summary: 'follow another server: a port, host:port, or a host and a port; "no one": nobody',
    serve: true,
    kind: "text",
    target: { of: "config", path: ["replication", "of"] },
  },
  {
    name: "masteruser",
    value: "name",
    summary: "user as whom that one is asked",
    serve: true,
    kind: "text",
    target: { of: "config", path: ["replication", "user"] },
  },
  {
    name: "masterauth",
    value: "password",
    summary: "password that it is given",
    serve: true,
    kind: "text",
    target: { of: "config", path: ["replication", "password"] },
  },
  {
    name: "aclfile",
    value: "path",
    summary: "file of users, as ACL SAVE writes it",
    serve: true,
    kind: "path",
    target: { of: "config", path: ["aclfile"] },
  },
  {
    name: "acl-pubsub-default",
    value: "rule",
    summary: "channels of a new user, allchannels or resetchannels",
    serve: true,
    kind: "text",
    target: { of: "config", path: ["acl-pubsub-default"] },
  },
  {
    name: "acllog-max-len",
    value: "number",
    summary: "how many refusals ACL LOG keeps",
    serve: true,
    kind: "integer",
    target: { of: "config", path: ["acllog-max-len"] },
  },
  {
    name: "maxclients",
    value: "number",
    summary: "most connections at a time",
    serve: true,
    kind: "integer",
    target: { of: "resp", option: "maxclients" },
  },
  {
    name: "timeout",
    value: "seconds",
    summary: "close a connection that is idle so long, 0: never",
    serve: true,
    kind: "integer",
    target: { of: "resp", option: "timeout" },
  },
  {
    name: "tcp-keepalive",
    value: "seconds",
    summary: "time between keep-alive probes, 0: none",
    serve: true,
    kind: "integer",
    target: { of: "resp", option: "tcp-keepalive" },
  },
  {
    name: "tls-port",
    value: "number",
    summary: "TCP port with TLS, 0 for none",
    serve: true,
    kind: "integer",
    target: { of: "resp", option: "tls-port" },
  },
  {
    name: "tls-cert-file",
    value: "path",
    summary: "its certificate, a PEM file",
    serve: true,
    kind: "path",
    target: { of: "resp", option: "tls-cert-file" },
  },
  {
    name: "tls-key-file",
    value: "path",
    summary: "the key of the certificate",
    serve: true,
    kind: "path",
    target: { of: "resp", option: "tls-key-file" },
  },
  {
    name: "tls-key-file-pass",
    value: "password",
    summary: "of the key, if it is encrypted",
    serve: true,
    kind: "text",
    target: { of: "resp", option: "tls-key-file-pass" },
  },
  {
    name: "tls-ca-cert-file",
    value: "path",
    summary: "authorities whose clients are let in",
    serve: true,
    kind: "path",
    target: { of: "resp", option: "tls-ca-cert-file" },
  },
  {
    name: "tls-auth-clients",
    value: "who",
    summary: "whether clients need a certificate: yes, no or optional",
    serve: true,
    kind: "text",
    target: { of: "resp", option: "tls-auth-clients" },
  },
  {
    name: "tls-protocols",
    value: "versions",
    summary: "TLSv1.2, TLSv1.3, or both",
    serve: true,
    kind: "text",
    target: { of: "resp", option: "tls-protocols" },
  },
  {
    name: "tls-ciphers",
    value: "names",
    summary: "ciphers of TLS 1.2",
    serve: true,
    kind: "text",
    target: { of: "resp", option: "tls-ciphers" },
  },
  {
    name: "client-output-buffer-limit",
    value: "class hard soft seconds",
    summary: 'output that may wait for a client: "pubsub 32mb 8mb 60"',
    serve: true,
    kind: "text",
    target: { of: "config", path: ["client-output-buffer-limit"] },
  },
  {
    name: "protected-mode",
    value: "yes|no",
    summary: "without a password serve only programs on this machine",
    serve: true,
    kind: "boolean",
    target: { of: "resp", option: "protected-mode" },
  },
  {
    name: "enable-debug-command",
    value: "who",
    summary: "who may use DEBUG: no, yes, or local",
    serve: true,
    kind: "text",
    target: { of: "config", path: ["enable-debug-command"] },
  },
  {
    name: "databases",
    value: "number",
    summary: "number of databases",
    serve: true,
    kind: "integer",
    target: { of: "config", path: ["databases"] },
  },
  {
    name: "notify-keyspace-events",
    value: "flags",
    summary: 'which keyspace events are published: K, E and classes, "KEA" all',
    serve: true,
    kind: "text",
    target: { of: "config", path: ["notify-keyspace-events"] },
  },
  {
    name: "maxmemory",
    value: "size",
    summary: "limit of used memory",
    serve: true,
    kind: "size",
    target: { of: "config", path: ["memory", "max"] },
  },
  {
    name: "maxmemory-policy",
    value: "policy",
    summary: "which keys make room: noeviction, allkeys-lru, …",
    serve: true,
    kind: "text",
    target: { of: "config", path: ["memory", "policy"] },
  },
  {
    name: "maxmemory-samples",
    value: "number",
    summary: "keys that are drawn to choose one from",
    serve: true,
    kind: "integer",
    target: { of: "config", path: ["memory", "samples"] },
  },
  {
    name: "maxmemory-eviction-tenacity",
    value: "number",
    summary: "0 to 100: how long a command may make room",
    serve: true,
    kind: "integer",
    target: { of: "config", path: ["memory", "tenacity"] },
  },
  {
    name: "lfu-log-factor",
    value: "number",
    summary: "how rarely the counter of a key's use grows",
    serve: true,
    kind: "integer",
    target: { of: "config", path: ["memory", "lfuLogFactor"] },
  },
  {
    name: "lfu-decay-time",
    value: "minutes",
    summary: "without use, that cost the counter one",
    serve: true,
    kind: "integer",
    target: { of: "config", path: ["memory", "lfuDecayTime"] },
  },
  {
    name: "maxmemory-clients",
    value: "size",
    summary: "limit of all clients' buffers, or a share: 5%",
    serve: true,
    kind: "text",
    target: { of: "config", path: ["memory", "clients"] },
  },
  {
    name: "loglevel",
    value: "level",
    summary: "debug, info, warn or error",
    serve: true,
    kind: "level",
    target: { of: "config", path: ["log", "level"] },
  },
  {
    name: "logfile",
    value: "path",
    summary: "write the log there, instead of to standard error",
    serve: true,
    kind: "path",
    target: { of: "config", path: ["log", "file"] },
  },
  {
    name: "log-format",
    value: "format",
    summary: "text, or json: an object a line",
    serve: true,
    kind: "text",
    target: { of: "config", path: ["log", "format"] },
  },
];

/**
 * Names the configuration file itself, so it is read before all others and is no key of the
 * configuration.
 */
export const CONFIG_VARIABLE = "KVDB_CONFIG";

export function variableOf(setting: Setting): string {
  return `KVDB_${setting.name.toUpperCase().replaceAll("-", "_")}`;
}

/**
 * One setting as somebody gave it, with the name by which messages speak of it: `KVDB_PORT`,
 * `--port`.
 */
export interface Given {
  readonly setting: Setting;
  readonly text: string;
  readonly place: string;
}
