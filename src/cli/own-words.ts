/**
 * THE table of words that the command line has beside the command table. Help, suggestions and
 * completion are made of it; run.ts says what each does.
 */
import { copyOptions, exportOptions, importOptions } from "./transfer-options.ts";

export interface OwnWord {
  readonly name: string;
  /** What follows the name. */
  readonly syntax: string;
  readonly summary: string;
  /** What may stand behind it, for completion. */
  readonly choices?: readonly Choice[];
  /** A file name may stand behind it. */
  readonly takesFile?: boolean;
  /** What else help says, a line each. */
  readonly notes?: readonly string[];
}

export interface Choice {
  readonly name: string;
  /** What the value of an option is called; undefined: it takes none. */
  readonly value?: string;
  readonly summary: string;
}

export const shells = ["bash", "zsh", "fish"] as const;

export const configWords: readonly Choice[] = [
  { name: "check", summary: "read the configuration, load the plugins, open nothing" },
  { name: "show", summary: "every setting with its value and what set it" },
];

export const pluginWords: readonly Choice[] = [
  { name: "new", summary: "write it under this name; nothing is overwritten" },
  { name: "--command", summary: "one that brings a command" },
  { name: "--index", summary: "one that brings a kind of index" },
  { name: "--persistence", summary: "one that keeps the data in a way of its own" },
  { name: "--frontend", summary: "one that lets clients in" },
  { name: "--dir", value: "folder", summary: "the folder to write to, else the current one" },
];

export const changesOptions: readonly Choice[] = [
  { name: "--follow", summary: "wait for more, until Ctrl-C" },
  {
    name: "--from",
    value: "revision",
    summary: "from this one on; 0: the oldest there is (default)",
  },
  { name: "--prefix", value: "text", summary: "only keys that begin with it" },
];

export const ownWords: readonly OwnWord[] = [
  { name: "help", syntax: "[command]", summary: "what a command does and takes" },
  {
    name: "serve",
    syntax: "[file] [options]",
    summary: "start a server for Redis clients, also from a redis.conf: kvdb serve --help",
    takesFile: true,
  },
  {
    name: "shell",
    syntax: "[url]",
    summary: "a prompt on the data, or on a server: kvdb shell redis://host:6379",
  },
  {
    name: "init",
    syntax: "[--force] [file]",
    summary: "write a configuration to begin with",
    choices: [{ name: "--force", summary: "overwrite files that are there" }],
    takesFile: true,
  },
  {
    name: "config",
    syntax: "check | show",
    summary: "whether the configuration is right; what holds, and why",
    choices: configWords,
  },
  {
    name: "check",
    syntax: "[--repair]",
    summary: "whether all that was durable can be read; what is damaged, and where",
    choices: [
      { name: "--repair", summary: "keep every intact record, put damaged bytes aside" },
      { name: "--json", summary: "print the report as JSON" },
    ],
  },
  {
    name: "changes",
    syntax: "[options]",
    summary: "what was changed in the data, a line each: kvdb changes --follow",
    choices: changesOptions,
    notes: [
      "The first number of a line is its revision: go on with the next one, and nothing is missed.",
      "With --json a line is an object. Without --follow it ends with what there is.",
      "With FROM it is the command CHANGES.",
    ],
  },
  {
    name: "convert",
    syntax: "[--to name]",
    summary: "take the data over to the persistence that the configuration names, or another",
    choices: [
      { name: "--to", value: "name", summary: "another persistence than the configured one" },
      { name: "--json", summary: "print what was done as JSON" },
    ],
  },
  {
    name: "restore",
    syntax: "<name | path | url> [--force] [--to folder]",
    summary: "put the content of a backup in the place of what the folder has",
    choices: [
      { name: "--force", summary: "replace data; its files are moved aside" },
      { name: "--to", value: "folder", summary: "into another folder" },
      { name: "--json", summary: "print what was done as JSON" },
    ],
    notes: [
      "The backup is loaded and compared first; only a good one replaces anything.",
      "`kvdb backup` makes one, `kvdb backup list` shows those that there are.",
      "With a key, a time and a payload it is the command RESTORE.",
    ],
    takesFile: true,
  },
  {
    name: "export",
    syntax: "[file] [options]",
    summary: "write keys to a file or standard output: JSON Lines, JSON, CSV, commands, RDB",
    choices: exportOptions,
    notes: [
      'JSON Lines has {"key":…,"value":…} a line, and "expiresAt" where a key expires: everything.',
      "A CSV has the objects of JSON alone, a column for each field: key,name,address.city",
      "Redis reads dump.rdb at its start, and all.resp through redis-cli --pipe.",
      "Examples:",
      "  kvdb export backup.jsonl",
      "  kvdb export users.csv --prefix user: --fields name,address.city",
      "  kvdb export --filter 'age >= 30' --bare | jq .name",
      "  kvdb export dump.rdb",
    ],
    takesFile: true,
  },
  {
    name: "import",
    syntax: "<file | folder | -> [options]",
    summary: "bring in a file: JSON Lines, JSON, CSV, commands, or what a Redis has on disk",
    choices: importOptions,
    notes: [
      "JSON and CSV: all of it or nothing; with one error nothing is changed, and lines are told.",
      "Files of Redis and of commands are read to their end first, then come in steps.",
      "A key that is there gets the new value.",
      "Examples:",
      "  kvdb import backup.jsonl",
      "  kvdb import users.csv --key id --prefix user:",
      "  zcat log.jsonl.gz | kvdb import - --key id --continue",
      "  kvdb import /var/lib/redis/dump.rdb",
      "  kvdb import /var/lib/redis/appendonlydir",
    ],
    takesFile: true,
  },
  {
    name: "copy",
    syntax: "[redis://host:port] [--to redis://host:port] [options]",
    summary: "take over all keys of a running Redis or kvdb, or give them to one",
    choices: copyOptions,
    notes: [
      "Keys come with their deadlines, in the databases they are in, and replace those that are there.",
      "A copy that was stopped or failed leaves what came; begin it again.",
      "With two keys it is the command COPY.",
      "Examples:",
      "  kvdb copy redis://localhost:6379",
      "  kvdb copy rediss://user:password@host:6380/2 --database 0 --prefix session:",
      "  kvdb copy --to redis://localhost:6379",
    ],
  },
  {
    name: "plugin",
    syntax: "new <name> <kind>",
    summary: "write a plugin that runs, and its test",
    choices: pluginWords,
  },
  { name: "plugins", syntax: "", summary: "the plugins that are built in or configured" },
  {
    name: "completion",
    syntax: shells.join(" | "),
    summary: "a script that lets a shell complete kvdb's words",
    choices: shells.map((name) => ({ name, summary: `completion for ${name}` })),
  },
];
