/**
 * Writes src/cli/plugin-templates.generated.ts: the examples that `kvdb plugin new` copies, as text,
 * for the executable has no files beside it. Run it after a change of one of them:
 * `bun scripts/plugin-templates.ts`. A test compares the file with what this makes.
 */
import { basename, join } from "node:path";

const root = join(import.meta.dir, "..");

export const generatedTemplates = join(root, "src/cli/plugin-templates.generated.ts");

/** What `kvdb plugin new` can write, and the example that it copies. */
const examples = {
  command: "examples/commands/hello",
  index: "examples/index/trigram",
  persistence: "examples/persistence/json-lines",
  frontend: "examples/frontend/http-json",
} as const;

export async function generateTemplates(): Promise<string> {
  const rows = await Promise.all(
    Object.entries(examples).map(async ([kind, folder]) => `${kind}: ${await template(folder)},`),
  );
  return `// Written by scripts/plugin-templates.ts from the folder examples. Do not edit.

export const pluginTemplates = {
${rows.join("\n")}
} as const;
`;
}

async function template(folder: string): Promise<string> {
  const name = basename(folder);
  const read = (file: string) => Bun.file(join(root, folder, file)).text();
  return JSON.stringify(
    {
      name,
      plugin: await read(`${name}.ts`),
      test: await read(`${name}.test.ts`),
      config: await read("kvdb.config.json"),
    },
    null,
    2,
  );
}

if (import.meta.main) await Bun.write(generatedTemplates, await generateTemplates());
