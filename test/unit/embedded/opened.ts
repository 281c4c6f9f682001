/** A database in an empty temporary folder; both are gone at the end of the test. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { OpenOptions } from "../../../src/embedded/options.ts";
import { type Database, KvdbError, open } from "../../../src/plugin.ts";

export class Folder implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async create(): Promise<Folder> {
    return new Folder(await mkdtemp(join(tmpdir(), "kvdb-embedded-")));
  }

  /** A database in it, beneath `data`. */
  open<Value = unknown>(options: OpenOptions = {}): Promise<Database<Value>> {
    return open<Value>({ dir: join(this.path, "data"), ...options });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}

/** A database that keeps nothing. */
export function openInMemory<Value = unknown>(options: OpenOptions = {}): Promise<Database<Value>> {
  return open<Value>({ persistence: "none", ...options });
}

/** The KvdbError that something throws or rejects with. */
export async function failureOf(run: () => unknown): Promise<KvdbError> {
  try {
    await run();
  } catch (error) {
    if (error instanceof KvdbError) return error;
    throw error;
  }
  throw new Error("expected a KvdbError, and there was none");
}
