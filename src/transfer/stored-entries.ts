/**
 * Entries of a checkpoint, from a file of Redis or out of an engine, as keys that VALUE.IMPORT takes, and definitions of
 * indexes. A long collection comes in parts and is put together.
 */
import { MAX_BULK_BYTES } from "../limits.ts";
import type { StoredEntry } from "../plugin.ts";
import { ENTRY_TYPES } from "../store/entry.ts";
import type { TransferEntry } from "./entry.ts";
import { payloadOfRun, type RunPart } from "./run-payload.ts";

export type Arrival =
  | { readonly kind: "key"; readonly database: number; readonly entry: TransferEntry }
  | {
      readonly kind: "index";
      readonly database: number;
      readonly name: string;
      /** As it is kept: JSON. */
      readonly definition: string;
    }
  | {
      readonly kind: "problem";
      readonly database: number;
      readonly key: Buffer;
      readonly message: string;
    };

export class StoredEntries {
  /** Put before each key. */
  readonly #prefix: Buffer;
  #parts: RunPart[] = [];
  #bytes = 0;

  constructor(prefix: Buffer) {
    this.#prefix = prefix;
  }

  /** Copies what it needs. Undefined: the value goes on in the next entry. */
  take(entry: Readonly<StoredEntry>): Arrival | undefined {
    const { type, valueBytes, valueStart, valueEnd, isContinued } = entry;
    if (type === "string" || type === "json") return this.#whole(entry, type);
    if (type === "index") return indexOf(entry);
    this.#bytes += valueEnd - valueStart;
    if (isContinued) {
      if (this.#bytes <= MAX_BULK_BYTES) this.#keep(entry);
      return undefined;
    }
    const { isTimed } = entry;
    const last = { run: valueBytes, at: valueStart, end: valueEnd, isTimed };
    const parts = [...this.#parts, last];
    const isTooLong = this.#bytes > MAX_BULK_BYTES;
    this.#parts = [];
    this.#bytes = 0;
    if (isTooLong) return this.#refused(entry, TOO_LONG);
    return this.#elements(entry, parts);
  }

  #whole(entry: Readonly<StoredEntry>, kind: "string" | "json"): Arrival {
    const { database, deadlineMs, valueBytes, valueStart, valueEnd } = entry;
    const value = copied(valueBytes, valueStart, valueEnd);
    return { kind: "key", database, entry: { key: this.#key(entry), kind, deadlineMs, value } };
  }

  #keep({ valueBytes, valueStart, valueEnd, isTimed }: Readonly<StoredEntry>): void {
    const run = copied(valueBytes, valueStart, valueEnd);
    this.#parts.push({ run, at: 0, end: run.length, isTimed });
  }

  #elements(entry: Readonly<StoredEntry>, parts: readonly RunPart[]): Arrival {
    const { database, deadlineMs, type } = entry;
    try {
      const value = payloadOfRun(ENTRY_TYPES.indexOf(type), parts);
      if (value.length > MAX_BULK_BYTES) return this.#refused(entry, TOO_LONG);
      const whole = { key: this.#key(entry), kind: "dump", deadlineMs, value } as const;
      return { kind: "key", database, entry: whole };
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return this.#refused(entry, `the ${type} is damaged: ${error.message}`);
    }
  }

  #refused(entry: Readonly<StoredEntry>, message: string): Arrival {
    return { kind: "problem", database: entry.database, key: this.#key(entry), message };
  }

  #key({ keyBytes, keyStart, keyEnd }: Readonly<StoredEntry>): Buffer {
    const key = Buffer.allocUnsafe(this.#prefix.length + keyEnd - keyStart);
    this.#prefix.copy(key);
    keyBytes.copy(key, this.#prefix.length, keyStart, keyEnd);
    return key;
  }
}

const TOO_LONG = "the value is longer than 512 MiB, which is what one command may have";

type Bytes = StoredEntry["valueBytes"];

function copied(bytes: Bytes, start: number, end: number): Buffer {
  const copy = Buffer.allocUnsafe(end - start);
  bytes.copy(copy, 0, start, end);
  return copy;
}

function indexOf(entry: Readonly<StoredEntry>): Arrival {
  const { database, keyBytes, keyStart, keyEnd, valueBytes, valueStart, valueEnd } = entry;
  const name = keyBytes.toString("utf8", keyStart, keyEnd);
  const definition = valueBytes.toString("utf8", valueStart, valueEnd);
  return { kind: "index", database, name, definition };
}
