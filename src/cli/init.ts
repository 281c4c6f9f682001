/**
 * `kvdb init [--force] [file]`: writes a configuration to begin with, and beside it the schema that
 * the file names, so that an editor completes and explains the keys with nothing else installed.
 * Nothing that is there is overwritten without --force.
 */
import { basename, dirname, extname, join, resolve } from "node:path";
import { KvdbError } from "../errors.ts";
import { configTemplate } from "../kernel/config-template.ts";
import { displayPath } from "../kernel/display-path.ts";
import { builtinSchemasOf, editorSchemaText } from "../kernel/editor-schema.ts";
import { silentLog } from "../platform/log.ts";
import { suggestion } from "../suggest.ts";
import type { OwnFlags } from "./invocation.ts";
import type { World } from "./world.ts";

const CONFIG_NAME = "kvdb.config.json";
const SCHEMA_NAME = "kvdb.schema.json";

export async function init(
  words: readonly string[],
  flags: OwnFlags,
  world: World,
): Promise<number> {
  const { force, file } = readWords(words, flags);
  const { surroundings, platform, builtins, schemas } = world;
  const { currentFolder } = surroundings;
  const config = resolve(currentFolder, file);
  const schema = join(dirname(config), SCHEMA_NAME);
  const plugins = builtinSchemasOf(builtins, schemas);
  if (!(await platform.files.exists(dirname(config)))) {
    throw new KvdbError(
      "USAGE",
      `there is no folder ${displayPath(dirname(config), currentFolder)}`,
    );
  }
  const present = [];
  for (const path of [config, schema]) {
    if (await platform.files.exists(path)) present.push(displayPath(path, currentFolder));
  }
  if (present.length > 0 && !force) {
    const verb = present.length > 1 ? "are" : "is";
    throw new KvdbError(
      "USAGE",
      `${present.join(" and ")} ${verb} there already; --force overwrites`,
    );
  }
  // The schema first: a file that names a schema that is not there is the worse half.
  const engine = await world.createEngine({
    ...{ databases: 1, password: "", maxMemoryBytes: 0, log: silentLog },
    ...{ clock: platform.clock, random: platform.random },
  });
  const schemaText = editorSchemaText(plugins, engine.parameters.values());
  await platform.files.replace(schema, Buffer.from(schemaText));
  const text = configTemplate(plugins, `./${SCHEMA_NAME}`);
  await platform.files.replace(config, Buffer.from(text));
  const written = [config, schema].map((path) => displayPath(path, currentFolder));
  await world.print(Buffer.from(`wrote ${written.join(" and ")}\n`));
  return 0;
}

function readWords(words: readonly string[], flags: OwnFlags): { force: boolean; file: string } {
  const isOption = (word: string) => word.startsWith("-");
  const unknown = words.find((word) => isOption(word) && word !== "--force");
  if (unknown !== undefined) {
    throw new KvdbError("USAGE", `unknown option "${unknown}"${suggestion(unknown, ["--force"])}`);
  }
  const [file = CONFIG_NAME, ...more] = words.filter((word) => !isOption(word));
  if (more.length > 0) {
    throw new KvdbError("USAGE", "wrong number of arguments; usage: kvdb init [--force] [file]");
  }
  if (![".json", ".jsonc"].includes(extname(file)) || basename(file) === SCHEMA_NAME) {
    throw new KvdbError("USAGE", `${file}: expected a file that ends in .json or .jsonc`);
  }
  return { force: flags.force || words.includes("--force"), file };
}
