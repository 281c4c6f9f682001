// Builds the executable dist/kvdb: `bun scripts/build.ts [--outfile path]`.
//
// One file with the runtime in it. Nothing of the folder it is started in may change it, so .env
// and bunfig.toml are not loaded; package.json is, else plugins outside the executable could not
// use their own node_modules.

import { existsSync, mkdirSync, rmSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { parseArgs } from "node:util";

const ROOT = resolve(import.meta.dir, "..");
const ENTRY = "src/main.ts";
/** Write sources that follow from others: validators compiled ahead, examples as text. */
const GENERATORS = ["scripts/schemas.ts", "scripts/plugin-templates.ts"];

process.chdir(ROOT);
const { values } = parseArgs({ options: { outfile: { type: "string", default: "dist/kvdb" } } });
process.exitCode = (await build(values.outfile)) ? 0 : 1;

async function build(outfile: string): Promise<boolean> {
  // A failed build must not leave an older executable for the tests to find.
  rmSync(outfile, { force: true });
  if (!existsSync(ENTRY)) {
    console.error(`build: ${ENTRY} does not exist`);
    return false;
  }
  for (const script of GENERATORS) if (!(await generate(script))) return false;

  const startMs = performance.now();
  mkdirSync(dirname(outfile), { recursive: true });
  const result = await Bun.build({
    entrypoints: [ENTRY, ...workers()],
    // All in one folder, so that a worker is found beside whichever file starts it.
    naming: { entry: "[name].[ext]" },
    format: "esm", // bytecode without it means CommonJS, which has no top-level await
    minify: true,
    bytecode: true,
    splitting: true, // what is imported when it is used is not read before: 2 ms of each start
    throw: false,
    compile: {
      outfile,
      autoloadDotenv: false,
      autoloadBunfig: false,
      autoloadPackageJson: true,
    },
  });
  for (const log of result.logs) console.error(log);
  if (!result.success) return false;

  const sizeMegabytes = (statSync(outfile).size / 1e6).toFixed(1);
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  console.log(`${outfile}: ${sizeMegabytes} MB, built in ${seconds} s`);
  return true;
}

async function generate(script: string): Promise<boolean> {
  if (!existsSync(script)) return true;
  const child = Bun.spawn([process.execPath, script], { stdio: ["ignore", "inherit", "inherit"] });
  if ((await child.exited) === 0) return true;
  console.error(`build: ${script} failed`);
  return false;
}

/** A worker is an entry point of the build too; its file is named worker.ts or …-worker.ts. */
function workers(): string[] {
  return [...new Bun.Glob("{src,plugins}/**/{worker,*-worker}.ts").scanSync()].sort();
}
