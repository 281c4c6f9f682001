// Writes the declarations (.d.ts) of the public modules into dist/types, for the npm package:
// `bun scripts/declarations.ts`, which `npm pack` and `npm publish` run by themselves.
//
// Who installs the package type-checks against these and not against our sources, whose compiler
// options need not be theirs.

import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import packageJson from "../package.json" with { type: "json" };

const ROOT = resolve(import.meta.dir, "..");
const TARGET = join(ROOT, "dist/types");
const CONFIG = join(ROOT, "dist/declarations.json");

rmSync(TARGET, { recursive: true, force: true });
mkdirSync(TARGET, { recursive: true });
process.exitCode = await emit();

async function emit(): Promise<number> {
  const entries = Object.values(packageJson.exports).flatMap((one) =>
    typeof one === "string" ? [] : [join(ROOT, one.bun)],
  );
  const config = {
    extends: join(ROOT, "tsconfig.json"),
    compilerOptions: {
      noEmit: false,
      declaration: true,
      emitDeclarationOnly: true,
      outDir: TARGET,
      rootDir: ROOT,
    },
    files: [...entries, join(ROOT, "src/kernel/cosmiconfig-explorer.d.ts")],
    include: [],
  };
  writeFileSync(CONFIG, JSON.stringify(config));
  const command = [process.execPath, join(ROOT, "node_modules/.bin/tsc"), "--project", CONFIG];
  return await Bun.spawn(command, { cwd: ROOT, stdio: ["ignore", "inherit", "inherit"] }).exited;
}
