/**
 * What a configuration may say: the kernel's own keys as a JSON Schema, and the type that it
 * describes. The options of plugins are described by the plugins' schemas. scripts/schemas.ts turns
 * this into the compiled validators and into kvdb.schema.json; run it after a change here (a test
 * notices).
 *
 * Beyond the standard: `title` is how messages say what was expected, `format: "path"` marks paths
 * that are relative to the file they stand in, `writeOnly` marks secrets, whose value no message
 * repeats.
 */
import type { S3Options } from "../backup/s3-place.ts";
import { MEMORY_SHARE_PATTERN, MEMORY_SIZE_PATTERN } from "../commands/memory-size.ts";
import { OUTPUT_LIMITS_PATTERN } from "../commands/output-limits-text.ts";
import { MAX_DATABASES } from "../limits.ts";
import { EVENT_FLAGS } from "../pubsub/event-flags.ts";
import { PRIMARY_PATTERN } from "../replication/primary-address.ts";
import { EVICTION_POLICIES } from "../store/eviction.ts";

/** Redis's bound of a plain number in its configuration. */
const MAX_INT = 2 ** 31 - 1;

export const DEFAULT_PERSISTENCE = "wal";

/** Who starts kvdb without a word wants to talk to it. */
export const SHELL_FRONTEND = "repl";

/**
 * "wal", or { "use": "wal", "fsync": "always" }: no anyOf, because its errors do not say which
 * branch was meant.
 */
function useOf(title: string, description: string, what: string) {
  return {
    title,
    description,
    type: ["string", "object"],
    pattern: ".",
    required: ["use"],
    properties: { use: { type: "string", pattern: ".", title: what, description: `The ${what}` } },
  } as const;
}

/** What a new user may subscribe to, in Redis's words. */
export const CHANNEL_DEFAULTS = ["allchannels", "resetchannels"] as const;
const DEBUG_COMMAND = ["no", "yes", "local"] as const;

export const kernelSchema = {
  $schema: "http://json-schema.org/draft-07/schema#",
  description: "Configuration of kvdb",
  type: "object",
  additionalProperties: false,
  properties: {
    $schema: { type: "string", description: "Where an editor finds this schema" },
    dir: {
      type: "string",
      title: "a path",
      pattern: ".",
      format: "path",
      default: ".kvdb",
      description: "Folder of the data, relative to this file. Holds everything that kvdb keeps",
    },
    databases: {
      type: "integer",
      minimum: 1,
      maximum: MAX_DATABASES,
      default: 16,
      description: "Number of databases that SELECT can choose from",
    },
    requirepass: {
      type: "string",
      default: "",
      writeOnly: true,
      description: "Password that AUTH asks for; empty: none",
    },
    "notify-keyspace-events": {
      type: "string",
      title: "flags of keyspace events",
      pattern: `^[${EVENT_FLAGS}]*$`,
      default: "",
      description:
        'Which keyspace events are published, as Redis has it: K, E and classes, "KEA" all; empty: none',
    },
    "client-output-buffer-limit": {
      type: "string",
      title: 'classes with limits: "pubsub 32mb 8mb 60"',
      pattern: OUTPUT_LIMITS_PATTERN,
      default: "",
      description:
        "Output that may wait for a client to read, by class (normal, replica, pubsub): bytes at which it is disconnected, bytes that it may have for so many seconds; 0: no limit",
    },
    users: {
      type: "object",
      default: {},
      description: "Users by name, with rules of ACL SETUSER. Not beside aclfile",
      additionalProperties: {
        title: "rules, as a list or with spaces between them",
        type: ["array", "string"],
        items: { type: "string", title: "a rule", writeOnly: true },
        writeOnly: true,
      },
    },
    aclfile: {
      type: "string",
      title: "a path",
      format: "path",
      default: "",
      examples: ["users.acl"],
      description: "File of users, relative to this file, as ACL SAVE writes it; empty: none",
    },
    "acl-pubsub-default": {
      type: "string",
      enum: CHANNEL_DEFAULTS,
      default: "resetchannels",
      description: "Which channels a new user may use",
    },
    "acllog-max-len": {
      type: "integer",
      minimum: 0,
      default: 128,
      description: "How many refusals ACL LOG keeps",
    },
    "enable-debug-command": {
      type: "string",
      enum: DEBUG_COMMAND,
      default: "local",
      description: "Who may use DEBUG: nobody, everybody, or who is on this machine",
    },
    replication: {
      type: "object",
      additionalProperties: false,
      default: {},
      description: "The server that this one follows",
      properties: {
        of: {
          type: "string",
          title: 'a port, "host:port" or "host port"',
          pattern: PRIMARY_PATTERN,
          default: "",
          examples: ["db.example:6379"],
          description:
            "Whom to follow: a port of this machine, or a host and a port; empty: nobody",
        },
        user: { type: "string", default: "", description: "As whom it is asked; empty: default" },
        password: {
          type: "string",
          default: "",
          writeOnly: true,
          description: "Password that it is given; empty: none",
        },
      },
    },
    memory: {
      type: "object",
      additionalProperties: false,
      default: {},
      properties: {
        max: {
          type: ["integer", "string"],
          title: 'bytes, or a size like "100mb" or "2gb"',
          minimum: 0,
          maximum: Number.MAX_SAFE_INTEGER,
          pattern: MEMORY_SIZE_PATTERN,
          default: 0,
          description: "Used memory never passes this by more than 5 %; 0: no limit",
        },
        policy: {
          type: "string",
          enum: EVICTION_POLICIES.map(({ name }) => name),
          default: "noeviction",
          description: "Which keys make room for a write that does not fit, as Redis has it",
        },
        samples: {
          type: "integer",
          minimum: 1,
          maximum: MAX_INT,
          default: 5,
          description: "Keys that are drawn to choose one from; more choose better and take longer",
        },
        tenacity: {
          type: "integer",
          minimum: 0,
          maximum: 100,
          default: 10,
          description: "How long a command may make room beyond its own need: 10 is 0.5 ms",
        },
        lfuLogFactor: {
          type: "integer",
          minimum: 0,
          maximum: MAX_INT,
          default: 10,
          description: "How much more rarely the counter of a key's use grows the higher it stands",
        },
        lfuDecayTime: {
          type: "integer",
          minimum: 0,
          maximum: MAX_INT,
          default: 1,
          description: "Minutes without use that cost the counter one; 0: none",
        },
        clients: {
          type: ["integer", "string"],
          title: 'bytes, a size like "1gb", or a share of max like "5%"',
          minimum: 0,
          maximum: Number.MAX_SAFE_INTEGER,
          pattern: MEMORY_SHARE_PATTERN,
          default: 0,
          description:
            "Buffers of all clients: beyond it those with the largest are closed; 0: no limit",
        },
      },
    },
    persistence: {
      ...useOf(
        'the name of a persistence, or an object with it as "use"',
        "What makes changes durable and brings them back",
        "name of a persistence",
      ),
      default: DEFAULT_PERSISTENCE,
    },
    frontends: {
      type: "array",
      default: [SHELL_FRONTEND],
      description: "What lets someone in",
      items: useOf(
        'the name of a frontend, or an object with it as "use"',
        "A frontend with its options",
        "name of a frontend",
      ),
    },
    indexes: {
      type: "object",
      default: {},
      description: "Indexes that are made at the start unless they are there, by name",
      additionalProperties: {
        title: "an index",
        type: "object",
        required: ["use"],
        properties: {
          use: {
            type: "string",
            pattern: ".",
            description: "The kind: hash, ordered, or a plugin's",
          },
          field: { type: "string", pattern: ".", description: "Path of the field: address.city" },
          fields: {
            type: "array",
            minItems: 1,
            items: { type: "string", pattern: "." },
            description: "Paths of several fields, which together are the key",
          },
          prefix: { type: "string", description: "Only documents under keys that begin so" },
          unique: { type: "boolean", description: "A value belongs to one document alone" },
          sparse: { type: "boolean", description: "Documents without the field are left out" },
          where: { type: "string", description: "Only documents that fulfil this filter" },
          database: { type: "integer", minimum: 0, description: "Default: 0" },
        },
        additionalProperties: { type: "string", title: "text" },
      },
    },
    backup: {
      type: "object",
      additionalProperties: false,
      default: {},
      description: "Where backups go, when they are made, and which stay",
      properties: {
        to: {
          type: "string",
          title: "a path, or s3://bucket/prefix",
          pattern: ".",
          examples: ["./backups", "s3://bucket/prefix"],
          description:
            "A folder, relative to this file, or a bucket. Default: `backups` in the data folder",
        },
        s3: {
          type: "object",
          additionalProperties: false,
          description:
            "How a bucket is reached; what is missing comes from AWS_… or S3_… variables",
          properties: {
            endpoint: {
              type: "string",
              examples: ["https://s3.example.org"],
              description:
                "Of a service that speaks S3's protocol. Default: Amazon's of the region",
            },
            region: { type: "string", description: "Default: us-east-1" },
            accessKeyId: { type: "string", description: "Better in AWS_ACCESS_KEY_ID" },
            secretAccessKey: {
              type: "string",
              writeOnly: true,
              description: "Better in AWS_SECRET_ACCESS_KEY",
            },
            sessionToken: {
              type: "string",
              writeOnly: true,
              description: "Of temporary credentials; better in AWS_SESSION_TOKEN",
            },
            addressing: {
              type: "string",
              enum: ["path", "host"],
              description: "Where the bucket stands in a URL. Default: path with an endpoint",
            },
          },
        },
        schedule: {
          type: "string",
          examples: ["0 3 * * *"],
          description: "When they are made: minute hour day month weekday",
        },
        timeZone: {
          type: "string",
          examples: ["Europe/Zurich"],
          description: "Of the schedule, and of the days of `keep`. Default: the system's",
        },
        everySeconds: {
          type: "integer",
          minimum: 1,
          examples: [3600],
          description: "So long after the last one; with a schedule, whichever comes first",
        },
        keep: {
          type: "object",
          additionalProperties: false,
          default: {},
          examples: [{ hourly: 24, daily: 7 }],
          description: "Which stay: the newest of so many hours, days, … Without it all stay",
          properties: {
            last: { type: "integer", minimum: 0, description: "So many of the newest" },
            hourly: { type: "integer", minimum: 0, description: "One of each of so many hours" },
            daily: { type: "integer", minimum: 0, description: "One of each of so many days" },
            weekly: { type: "integer", minimum: 0, description: "One of each of so many weeks" },
            monthly: { type: "integer", minimum: 0, description: "One of each of so many months" },
          },
        },
        verify: {
          type: "string",
          enum: ["restore", "checksum", "none"],
          default: "restore",
          description:
            "How far each backup is looked at: loaded and compared, its bytes alone, or not at all",
        },
      },
    },
    parameters: {
      type: "object",
      default: {},
      examples: [{ "hash-max-listpack-entries": 128 }],
      description: "Parameters of CONFIG SET that no other key stands for, set at the start",
      additionalProperties: {
        title: "text, a number, or true or false",
        type: ["string", "number", "boolean"],
      },
    },
    plugins: {
      type: "array",
      default: [],
      description: "Third-party plugins: paths relative to this file, or names of packages",
      items: useOf(
        'a path or the name of a package, or an object with it as "use"',
        "A plugin with its options",
        "path or package name of a plugin",
      ),
    },
    log: {
      type: "object",
      additionalProperties: false,
      default: {},
      properties: {
        level: {
          type: "string",
          enum: ["debug", "info", "warn", "error"],
          default: "info",
          description: "Lines below this level are not written",
        },
        format: {
          type: "string",
          enum: ["text", "json"],
          default: "text",
          description: "text: lines for people. json: an object a line, for machines",
        },
        file: {
          type: "string",
          title: "a path",
          pattern: ".",
          format: "path",
          examples: ["kvdb.log"],
          description:
            "Of a server: a file that is appended to, opened again at SIGHUP. Default: standard error",
        },
      },
    },
  },
} as const;

/** A plugin and the options it is given. */
export interface Use {
  readonly use: string;
  readonly options: Readonly<Record<string, unknown>>;
}

/** A configuration after the defaults were filled in and before names and sizes were understood. */
export interface RawConfig {
  $schema?: string;
  dir: string;
  databases: number;
  requirepass: string;
  users: Record<string, string | string[]>;
  aclfile: string;
  "acl-pubsub-default": (typeof CHANNEL_DEFAULTS)[number];
  "acllog-max-len": number;
  "enable-debug-command": (typeof DEBUG_COMMAND)[number];
  "notify-keyspace-events": string;
  "client-output-buffer-limit": string;
  replication: { of: string; user: string; password: string };
  memory: {
    max: number | string;
    policy: string;
    samples: number;
    tenacity: number;
    lfuLogFactor: number;
    lfuDecayTime: number;
    clients: number | string;
  };
  persistence: RawUse;
  frontends: RawUse[];
  indexes: Record<string, { use: string; database?: number } & Record<string, unknown>>;
  backup: RawBackup;
  parameters: Record<string, string | number | boolean>;
  plugins: RawUse[];
  log: { level: "debug" | "info" | "warn" | "error"; format: "text" | "json"; file?: string };
}

export interface RawBackup {
  to?: string;
  s3?: S3Options;
  schedule?: string;
  timeZone?: string;
  everySeconds?: number;
  keep: { last?: number; hourly?: number; daily?: number; weekly?: number; monthly?: number };
  verify: "restore" | "checksum" | "none";
}

export type RawUse = string | ({ use: string } & Record<string, unknown>);
