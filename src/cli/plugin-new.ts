/**
 * `kvdb plugin new <name> --command | --index | --persistence | --frontend [--dir folder]`: writes a plugin
 * that runs, and its test: a copy of one of the examples under another name. Nothing that is there
 * is overwritten. A configuration that uses the plugin is written where there is none; else it is
 * shown what to add.
 *
 * No package.json is written: the plugin runs without one, and a folder with one ends the search for
 * a configuration.
 */
import { dirname, join, relative, resolve } from "node:path";
import { KvdbError } from "../errors.ts";
import { findConfig, readConfigFile } from "../kernel/config-source.ts";
import { displayPath } from "../kernel/display-path.ts";
import { nameFaults } from "../kernel/plugin-check.ts";
import { CONFIG_VARIABLE } from "../kernel/settings.ts";
import { suggestion } from "../suggest.ts";
import type { OwnFlags } from "./invocation.ts";
import { pluginWords } from "./own-words.ts";
import { pluginTemplates } from "./plugin-templates.generated.ts";
import type { World } from "./world.ts";

type Kind = keyof typeof pluginTemplates;

interface Request {
  readonly name: string;
  readonly kind: Kind;
  /** As it was typed. */
  readonly folder: string;
}

interface NewFile {
  /** Absolute. */
  readonly path: string;
  readonly text: string;
  /** Then nobody else may read it. Sources are there for all. */
  readonly mayHoldSecrets?: boolean;
}

const USAGE =
  "usage: kvdb plugin new <name> --command | --index | --persistence | --frontend [--dir folder]";
const CONFIG_NAME = "kvdb.config.json";

/** What may be typed to see that it works. `NAME` stands for the plugin's name. */
const trials: Readonly<Record<Kind, string>> = {
  command: "kvdb NAME.greet Ada",
  index: `kvdb set page '{"text":"a pineapple"}', then: kvdb find 'text matches /apple/' using by_text`,
  persistence: "kvdb set name Ada",
  frontend: `kvdb, and in another terminal: curl -X PUT -d '"Ada"' http://127.0.0.1:8080/key/name`,
};

export async function performPlugin(
  words: readonly string[],
  flags: OwnFlags,
  world: World,
): Promise<number> {
  const [subcommand, ...more] = words;
  if (subcommand !== "new") {
    if (subcommand === undefined) throw new KvdbError("USAGE", `"plugin" needs a word; ${USAGE}`);
    const near = suggestion(subcommand, ["new"]);
    throw new KvdbError("USAGE", `unknown subcommand "plugin ${subcommand}"${near}; ${USAGE}`);
  }
  const request = readWords(more);
  requireName(request.name, world);
  return write(request, flags, world);
}

// ---- what was typed ----

function readWords(words: readonly string[]): Request {
  const names: string[] = [];
  const kinds: Kind[] = [];
  let folder = ".";
  for (let index = 0; index < words.length; index++) {
    const word = words[index] as string;
    const kind = kindOf(word);
    const [, joined] = /^--dir=(.*)$/s.exec(word) ?? [];
    if (kind !== undefined) kinds.push(kind);
    else if (joined !== undefined) folder = joined;
    else if (word === "--dir") folder = words[++index] ?? "";
    else if (word.startsWith("-")) throw unknownOption(word);
    else names.push(word);
  }
  const [name] = names;
  const [kind] = kinds;
  if (name === undefined || names.length > 1) throw new KvdbError("USAGE", USAGE);
  if (kind === undefined || kinds.length > 1) {
    throw new KvdbError("USAGE", `expected one kind of plugin; ${USAGE}`);
  }
  if (folder === "") throw new KvdbError("USAGE", `--dir needs a folder; ${USAGE}`);
  return { name, kind, folder };
}

function kindOf(word: string): Kind | undefined {
  const kinds = Object.keys(pluginTemplates) as Kind[];
  return kinds.find((kind) => word === `--${kind}`);
}

function unknownOption(word: string): KvdbError {
  const options = pluginWords.map(({ name }) => name).filter((name) => name.startsWith("--"));
  return new KvdbError("USAGE", `unknown option "${word}"${suggestion(word, options)}; ${USAGE}`);
}

/** The rule by which the kernel will judge it. */
function requireName(name: string, { builtins }: World): void {
  const [fault] = nameFaults(name, Object.keys(builtins), new Map());
  if (fault !== undefined) throw new KvdbError("USAGE", fault);
}

// ---- what is written ----

async function write(request: Request, flags: OwnFlags, world: World): Promise<number> {
  const { files } = world.platform;
  const { currentFolder } = world.surroundings;
  const folder = resolve(currentFolder, request.folder);
  const configFile = await findConfigFile(flags, world);
  const added = await newFiles(request, folder, world);
  const config = configFor(
    request,
    folder,
    dirname(configFile ?? join(currentFolder, CONFIG_NAME)),
  );
  if (configFile === undefined) {
    const path = join(currentFolder, CONFIG_NAME);
    added.push({ path, text: config, mayHoldSecrets: true });
  }
  const shown = ({ path }: { path: string }) => displayPath(path, currentFolder);
  for (const file of added) {
    if (!(await files.exists(file.path))) continue;
    throw new KvdbError("USAGE", `${shown(file)} is there already; nothing was written`);
  }
  await files.makeFolder(folder, { shared: true });
  for (const { path, text, mayHoldSecrets = false } of added) {
    await files.replace(path, Buffer.from(text), { shared: !mayHoldSecrets });
  }
  const lines = [`wrote ${added.map(shown).join(", ")}`];
  if (configFile !== undefined) {
    lines.push(`to use it, add to ${shown({ path: configFile })}:`, membersOf(config));
  }
  lines.push(`try it: ${trials[request.kind].replace("NAME", request.name)}`);
  lines.push("its test needs the npm package of kvdb: see docs/plugins.md");
  await world.print(Buffer.from(`${lines.join("\n")}\n`));
  return 0;
}

/** The file that the plugin is to be added to, if there is one. */
async function findConfigFile(
  { configFile }: OwnFlags,
  { surroundings, environment }: World,
): Promise<string | undefined> {
  const named = configFile ?? environment[CONFIG_VARIABLE];
  if (named === undefined || named === "") return (await findConfig(surroundings)).source?.file;
  return (await readConfigFile(resolve(surroundings.currentFolder, named), surroundings)).file;
}

async function newFiles({ name, kind }: Request, folder: string, world: World): Promise<NewFile[]> {
  const template = pluginTemplates[kind];
  const added: NewFile[] = [
    { path: join(folder, `${name}.ts`), text: renamed(template.plugin, template.name, name) },
    { path: join(folder, `${name}.test.ts`), text: renamed(template.test, template.name, name) },
  ];
  if (!(await hasAbove("tsconfig.json", folder, world))) {
    added.push({ path: join(folder, "tsconfig.json"), text: TSCONFIG });
  }
  return added;
}

function renamed(text: string, from: string, to: string): string {
  return text.replaceAll(from, to).replaceAll(from.toUpperCase(), to.toUpperCase());
}

async function hasAbove(name: string, start: string, { platform }: World): Promise<boolean> {
  for (let folder = start; ; folder = dirname(folder)) {
    if (await platform.files.exists(join(folder, name))) return true;
    if (folder === dirname(folder)) return false;
  }
}

/** The keys that use the plugin, from a file in `configFolder`. */
function configFor({ name, kind }: Request, folder: string, configFolder: string): string {
  const template = pluginTemplates[kind];
  const path = relative(configFolder, join(folder, `${name}.ts`));
  const shown = path.startsWith("..") ? path : `./${path}`;
  const text = renamed(template.config, template.name, name);
  return text.replace(`"./${name}.ts"`, () => JSON.stringify(shown));
}

/** The lines between the braces. */
function membersOf(config: string): string {
  return config.trimEnd().split("\n").slice(1, -1).join("\n");
}

/** What an editor needs to know, and nothing of taste. */
const TSCONFIG = `{
  "compilerOptions": {
    "target": "esnext",
    "module": "preserve",
    "moduleResolution": "bundler",
    "types": ["bun"],
    "allowImportingTsExtensions": true,
    "noEmit": true,
    "strict": true,
    "skipLibCheck": true
  }
}
`;
