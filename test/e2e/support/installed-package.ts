/**
 * The npm package as somebody installs it: packed, unpacked into the node_modules of an empty
 * folder outside the project, its dependencies beside it. Without a registry: the dependencies are
 * links to those of the project.
 *
 *   <temporary>/kvdb-package-x1y2z3/node_modules/kvdb         the package
 *                                  /node_modules/.bin/kvdb    as npm links it
 */
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import packageJson from "../../../package.json" with { type: "json" };
import { type Outcome, outcomeOf } from "./run.ts";

const ROOT = resolve(import.meta.dir, "../../..");
const MODULES = join(ROOT, "node_modules");

const STRICT = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noPropertyAccessFromIndexSignature: true,
  noImplicitOverride: true,
  noUnusedLocals: true,
  verbatimModuleSyntax: true,
  isolatedModules: true,
  // The declarations of the package are checked as well.
  skipLibCheck: false,
};

export class InstalledPackage implements AsyncDisposable {
  /** Where programs stand that use the package. */
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async create(): Promise<InstalledPackage> {
    const installed = new InstalledPackage(await mkdtemp(join(tmpdir(), "kvdb-package-")));
    try {
      await installed.#install();
      return installed;
    } catch (error) {
      await installed[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #install(): Promise<void> {
    const { folder } = this;
    const modules = join(folder, "node_modules");
    await mkdir(join(modules, ".bin"), { recursive: true });
    await checked([process.execPath, join(ROOT, "scripts/declarations.ts")], ROOT);
    const packed = ["npm", "pack", "--ignore-scripts", "--silent", "--pack-destination", folder];
    const archive = (await checked(packed, ROOT)).trim();
    await checked(["tar", "xzf", archive], folder);
    await cp(join(folder, "package"), join(modules, "kvdb"), { recursive: true });
    for (const name of [...Object.keys(packageJson.dependencies), "@types", "bun-types"]) {
      await symlink(join(MODULES, name), join(modules, name));
    }
    await symlink(join("..", "kvdb", packageJson.bin.kvdb), join(modules, ".bin/kvdb"));
    await symlink(process.execPath, join(modules, ".bin/bun"));
    await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  }

  /** Writes a file beside node_modules. */
  async write(name: string, text: string): Promise<string> {
    const path = join(this.folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
    return path;
  }

  /** Type-checks the files with strict flags; resolves to what tsc says, empty when all is well. */
  async typeCheck(
    files: readonly string[],
    module: "bundler" | "nodenext" = "bundler",
  ): Promise<string> {
    const resolution =
      module === "bundler"
        ? { module: "esnext", moduleResolution: "bundler" }
        : { module: "nodenext", moduleResolution: "nodenext" };
    const target = { target: "esnext", lib: ["esnext"], types: ["bun"], noEmit: true };
    const config = { compilerOptions: { ...STRICT, ...resolution, ...target }, files };
    const path = await this.write("tsconfig.json", JSON.stringify(config));
    const tsc = [process.execPath, join(MODULES, ".bin/tsc"), "--project", path];
    return (await this.run(tsc)).stdout;
  }

  /** Runs a command as a shell in the folder would: what is in node_modules/.bin is on the path. */
  run(command: readonly string[], cwd: string = this.folder): Promise<Outcome> {
    return outcomeOf(this.spawn(command, cwd));
  }

  spawn(command: readonly string[], cwd: string = this.folder) {
    return Bun.spawn([...command], {
      cwd,
      env: {
        PATH: `${join(this.folder, "node_modules/.bin")}:${process.env["PATH"]}`,
        HOME: this.folder,
        TZ: "UTC",
      },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

async function checked(command: readonly string[], cwd: string): Promise<string> {
  const child = Bun.spawn([...command], { cwd, stdout: "pipe", stderr: "pipe" });
  const { code, stdout, stderr } = await outcomeOf(child);
  if (code !== 0) throw new Error(`${command.join(" ")}: exit code ${code}\n${stdout}${stderr}`);
  return stdout;
}
