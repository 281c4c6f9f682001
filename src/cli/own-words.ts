/**
 * THE table of words that the command line has beside the command table. Help, suggestions and
 * completion are made of it; run.ts says what each does.
 */
export interface OwnWord {
  readonly name: string;
  /** What follows the name. */
  readonly syntax: string;
  readonly summary: string;
  /** What may stand behind it, for completion. */
  readonly choices?: readonly Choice[];
  /** A file name may stand behind it. */
  readonly takesFile?: boolean;
}

export interface Choice {
  readonly name: string;
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
  { name: "--persistence", summary: "one that keeps the data in a way of its own" },
  { name: "--frontend", summary: "one that lets clients in" },
  { name: "--dir", summary: "the folder to write to, else the current one" },
];

export const ownWords: readonly OwnWord[] = [
  { name: "help", syntax: "[command]", summary: "what a command does and takes" },
  {
    name: "serve",
    syntax: "[options]",
    summary: "start a server for Redis clients: kvdb serve --help",
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
    name: "convert",
    syntax: "[--to name]",
    summary: "take the data over to the persistence that the configuration names, or another",
    choices: [
      { name: "--to", summary: "another persistence than the configured one" },
      { name: "--json", summary: "print what was done as JSON" },
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
