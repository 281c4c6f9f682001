/** Batches: changes that a program collects, and their form as a command. */
import { KvdbError } from "../errors.ts";
import { positiveInteger, requireKey, requireKeys } from "./checked-options.ts";
import type { Key } from "./database.ts";
import { jsonText } from "./json-text.ts";
import type { Batch, BatchLifetime, BatchOperation } from "./store-types.ts";

/** A change with all of its arguments, checked. */
export interface BatchChange {
  readonly key: Key;
  readonly kind: "DEL" | "SET" | "JSON";
  readonly value: string;
  /** As VALUE.BATCH takes it. */
  readonly lifetime: string;
}

export function readOperations(operations: unknown): BatchChange[] {
  if (!Array.isArray(operations)) {
    throw new KvdbError("USAGE", `operations: expected an array, found ${typeof operations}`);
  }
  return operations.map((operation, index) => readOperation(operation, `operations[${index}]`));
}

const LIFETIMES = ["ttlMs", "expiresAtMs"] as const;

function readOperation(operation: BatchOperation<unknown>, what: string): BatchChange {
  requireKeys(what, operation, ["type", "key", "value", ...LIFETIMES]);
  requireKey(`${what}.key`, operation.key);
  if (operation.type === "del") return deletion(operation.key);
  if (operation.type === "put") return putting(what, operation.key, operation.value, operation);
  const { type } = operation as { readonly type: unknown };
  throw new KvdbError("USAGE", `${what}.type: expected "put" or "del", found ${String(type)}`);
}

function deletion(key: Key): BatchChange {
  return { key, kind: "DEL", value: "", lifetime: "0" };
}

function putting(what: string, key: Key, value: unknown, lifetime: BatchLifetime): BatchChange {
  const isText = typeof value === "string";
  return {
    key,
    kind: isText ? "SET" : "JSON",
    value: isText ? value : textOf(what, value),
    lifetime: lifetimeOf(what, lifetime),
  };
}

function textOf(what: string, value: unknown): string {
  try {
    return jsonText(value);
  } catch (error) {
    throw error instanceof KvdbError ? error.prefix(what) : error;
  }
}

function lifetimeOf(what: string, { ttlMs, expiresAtMs }: BatchLifetime): string {
  if (ttlMs !== undefined && expiresAtMs !== undefined) {
    throw new KvdbError("USAGE", `${what}: ttlMs and expiresAtMs exclude each other`);
  }
  if (ttlMs !== undefined) return `+${positiveInteger(`${what}.ttlMs`, ttlMs)}`;
  return expiresAtMs === undefined ? "0" : positiveInteger(`${what}.expiresAtMs`, expiresAtMs);
}

/** Each call is judged at once, so that the error comes from the line that is wrong. */
export class CollectedBatch<Value> implements Batch<Value> {
  readonly #write: (changes: readonly BatchChange[]) => Promise<void>;
  #changes: BatchChange[] = [];
  #isWritten = false;

  constructor(write: (changes: readonly BatchChange[]) => Promise<void>) {
    this.#write = write;
  }

  get length(): number {
    return this.#changes.length;
  }

  put(key: Key, value: Value, lifetime: BatchLifetime = {}): this {
    this.#requireOpen();
    requireKey("key", key);
    requireKeys("lifetime", lifetime, LIFETIMES);
    this.#changes.push(putting("lifetime", key, value, lifetime));
    return this;
  }

  del(key: Key): this {
    this.#requireOpen();
    requireKey("key", key);
    this.#changes.push(deletion(key));
    return this;
  }

  clear(): this {
    this.#requireOpen();
    this.#changes = [];
    return this;
  }

  async write(): Promise<void> {
    this.#requireOpen();
    this.#isWritten = true;
    await this.#write(this.#changes);
  }

  #requireOpen(): void {
    if (this.#isWritten) throw new KvdbError("USAGE", "the batch has been written already");
  }
}
