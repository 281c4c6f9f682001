/**
 * A temporary folder of one test: the executable, and beside it an empty folder to run it in. Outside the project, so
 * that no node_modules and no configuration is in reach. Gone when the test ends, also when it fails.
 *
 *   <temporary>/kvdb-e2e-x1y2z3/kvdb        the executable
 *                              /work/       the empty folder: `workspace.folder`
 *
 * KVDB_TEST_EXECUTABLE=path tests another build than dist/kvdb. KVDB_TEST_KEEP=folder puts the folders there, which must exist,
 * and leaves them when a test ends: what servers have written, to look at when one has failed.
 */
import { copyFile, link, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

/** Undefined: nothing is kept. */
const KEPT = process.env["KVDB_TEST_KEEP"];
const BUILT = join(import.meta.dir, "../../../dist/kvdb");

export class Workspace implements AsyncDisposable {
  /** What is removed at the end. */
  readonly root: string;
  /** Empty at first: where kvdb is run. */
  readonly folder: string;
  readonly executable: string;

  private constructor(root: string) {
    this.root = root;
    this.folder = join(root, "work");
    this.executable = join(root, "kvdb");
  }

  static async create(): Promise<Workspace> {
    const workspace = new Workspace(await mkdtemp(join(KEPT ?? tmpdir(), "kvdb-e2e-")));
    try {
      await mkdir(workspace.folder);
      await place(resolve(process.env["KVDB_TEST_EXECUTABLE"] ?? BUILT), workspace.executable);
      return workspace;
    } catch (error) {
      await workspace[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Absolute path of something in the folder. */
  path(...names: readonly string[]): string {
    return join(this.folder, ...names);
  }

  /** Writes a file, its folders included; an object as JSON. Resolves to its absolute path. */
  async write(name: string, content: string | object): Promise<string> {
    const path = this.path(name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, typeof content === "string" ? content : JSON.stringify(content));
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (KEPT !== undefined) return;
    await rm(this.root, { recursive: true, force: true });
  }
}

/** A link costs nothing, and a rebuild makes a new file: what is linked stays as it was. */
async function place(executable: string, target: string): Promise<void> {
  try {
    await link(executable, target);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") throw new Error(`${executable} is missing: build it first`);
    await copyFile(executable, target); // another file system, or links forbidden
  }
}
