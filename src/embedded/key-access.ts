/**
 * Keys and values as a program reads and writes them within one call: what a store and the view of a transaction have in
 * common. Every call goes through the gate as a command; a prefix is put before each key. Nothing here waits for the disk.
 */
import type { Arguments } from "../commands/arguments.ts";
import type { Reply } from "../commands/reply.ts";
import { KvdbError } from "../errors.ts";
import type { Answer } from "../resp/answer.ts";
import { notBoolean, positiveInteger, requireKeys, requireText } from "./checked-options.ts";
import type { ConditionalSetOptions, Json, Key, ListOptions, SetOptions } from "./database.ts";
import { jsonText } from "./json-text.ts";
import { type KeyRange, readRange, walkRange, withKey } from "./key-range.ts";
import { type KeyStep, keyText, readKeyStep } from "./key-steps.ts";
import { Request } from "./request.ts";
import type { RangeOptions } from "./store-types.ts";
import { ValueReader } from "./value-reader.ts";

/** Where commands run, at once. */
export interface CommandLink {
  dispatch(args: Arguments, reply: Reply): void;
  run(parts: readonly (string | Uint8Array)[]): Answer;
}

/** Whether and when commands may run. */
export interface CommandHolder {
  /** Throws when the database is closed. */
  requireOpen(): void;
  /** The next command sees the time as it is now. */
  refreshClock(): void;
}

/** One numbered database, with what a command needs: shared by all stores in it. */
export class CommandChannel {
  readonly #link: CommandLink;
  readonly #holder: CommandHolder;
  readonly #request = new Request();
  readonly #reader = new ValueReader();

  constructor(link: CommandLink, holder: CommandHolder) {
    this.#link = link;
    this.#holder = holder;
  }

  /** Begins a command; `run` then runs it. */
  request(name: string): Request {
    this.#holder.requireOpen();
    return this.#request.begin(name);
  }

  /** Runs the command that was begun. Throws its error reply. */
  run(asBytes = false): unknown {
    this.#holder.refreshClock();
    this.#reader.asBytes = asBytes;
    this.#link.dispatch(this.#request.args, this.#reader);
    return this.#reader.take();
  }

  /** A command with an answer of several parts. */
  answer(parts: readonly (string | Uint8Array)[]): Answer {
    this.#holder.requireOpen();
    this.#holder.refreshClock();
    return this.#link.run(parts);
  }
}

export const KEY = "key";

export class KeyAccess<Value = Json> {
  protected readonly channel: CommandChannel;
  protected readonly prefixText: string;
  readonly #prefixBytes: Buffer;

  constructor(channel: CommandChannel, prefix: string) {
    this.channel = channel;
    this.prefixText = prefix;
    this.#prefixBytes = Buffer.from(prefix);
  }

  get<Result = Value>(key: Key): Result | undefined {
    this.channel.request("GET").add(this.whole(key), KEY);
    return this.channel.run() as Result | undefined;
  }

  getBytes(key: Key): Uint8Array | undefined {
    this.channel.request("GET").add(this.whole(key), KEY);
    return this.channel.run(true) as Uint8Array | undefined;
  }

  has(key: Key): boolean {
    this.channel.request("EXISTS").add(this.whole(key), KEY);
    return this.channel.run() === 1;
  }

  version(key: Key): number | undefined {
    this.channel.request("VERSION").add(this.whole(key), KEY);
    return this.channel.run() as number | undefined;
  }

  /** False: the condition in the options does not hold. */
  protected putValue(key: Key, value: unknown, options?: AnySetOptions): boolean {
    if (typeof value === "string") return this.#put("SET", key, value, options);
    return this.#put("VALUE.SET", key, jsonText(value), options);
  }

  protected putBytes(key: Key, bytes: Uint8Array, options: SetOptions | undefined): void {
    if (!(bytes instanceof Uint8Array)) {
      throw new KvdbError("USAGE", `bytes: expected a Uint8Array, found ${typeof bytes}`);
    }
    if (options !== undefined) requireKeys("options", options, LIFETIMES);
    this.#put("SET", key, bytes, options);
  }

  #put(command: string, key: Key, stored: Key, options: AnySetOptions | undefined): boolean {
    const request = this.channel.request(command);
    request.add(this.whole(key), KEY).add(stored, "value");
    if (options !== undefined) addOptions(request, options);
    return this.channel.run() !== undefined;
  }

  /** How many there were. */
  protected remove(keys: readonly Key[]): number {
    const request = this.channel.request("DEL");
    for (const key of keys) request.add(this.whole(key), KEY);
    return keys.length === 0 ? 0 : (this.channel.run() as number);
  }

  list(options?: ListOptions): IteratorObject<string, undefined> {
    return this.#walk(readListOptions(options), keyText);
  }

  listBytes(options?: ListOptions): IteratorObject<Uint8Array, undefined> {
    return this.#walk(readListOptions(options), (bytes) => new Uint8Array(bytes));
  }

  iterate(options?: RangeOptions): IteratorObject<[key: string, value: Value], undefined> {
    return this.#iterate(readRange(options, this.#prefixBytes));
  }

  keys(options?: RangeOptions): IteratorObject<string, undefined> {
    return this.#keys(readRange(options, this.#prefixBytes));
  }

  values(options?: RangeOptions): IteratorObject<Value, undefined> {
    return this.iterate(options).map(([, value]) => value);
  }

  *#keys(range: KeyRange): Generator<string, undefined> {
    let { limit } = range;
    if (limit === 0) return;
    for (const key of walkRange((command) => this.channel.answer(command), range)) {
      yield this.#shown(key);
      if (--limit === 0) return;
    }
    return undefined;
  }

  /** The value is the one that the key has at its turn. */
  *#iterate(range: KeyRange): Generator<[key: string, value: Value], undefined> {
    let { limit } = range;
    if (limit === 0) return;
    for (const key of walkRange((command) => this.channel.answer(command), range)) {
      const shown = this.#shown(key);
      const value = this.#valueOf(key, shown);
      if (value === undefined) continue;
      yield [shown, value];
      if (--limit === 0) return;
    }
    return undefined;
  }

  #shown(key: Buffer): string {
    return keyText(key.subarray(this.#prefixBytes.length));
  }

  #valueOf(key: Buffer, shown: string): Value | undefined {
    try {
      this.channel.request("GET").add(key, KEY);
      return this.channel.run() as Value | undefined;
    } catch (error) {
      throw withKey(error, shown);
    }
  }

  /** The key as it is stored. */
  protected whole(key: Key): Key {
    if (this.prefixText === "") return key;
    if (typeof key === "string") return this.prefixText + key;
    return key instanceof Uint8Array ? Buffer.concat([this.#prefixBytes, key]) : key;
  }

  *#walk<Listed>(
    options: ListOptions,
    toListed: (key: Buffer) => Listed,
  ): Generator<Listed, undefined> {
    let left = options.limit ?? Number.POSITIVE_INFINITY;
    for (let cursor = "0"; left > 0; ) {
      const step = this.#step(cursor, left, options);
      for (const key of step.keys) yield toListed(key.subarray(this.#prefixBytes.length));
      left -= step.keys.length;
      cursor = step.cursor;
      if (cursor === "0") break;
    }
    return undefined;
  }

  #step(cursor: string, limit: number, { prefix = "", pattern }: ListOptions): KeyStep {
    const command = ["VALUE.KEYS", "CURSOR", cursor];
    if (Number.isFinite(limit)) command.push("FIRST", String(limit));
    if (this.prefixText + prefix !== "") command.push("PREFIX", this.prefixText + prefix);
    if (pattern !== undefined) command.push("MATCH", escapeGlob(this.prefixText) + pattern);
    return readKeyStep(this.channel.answer(command));
  }
}

/** The text, in a pattern that matches it alone. */
function escapeGlob(text: string): string {
  return text.replaceAll(/[\\*?[\]^-]/g, "\\$&");
}

// ---- options ----

const LIFETIMES = ["ttlMs", "expiresAtMs", "keepTtl"] as const;

type AnySetOptions = SetOptions & Partial<ConditionalSetOptions>;

function addOptions(request: Request, options: AnySetOptions): void {
  requireKeys("options", options, [...LIFETIMES, "ifVersion"]);
  const { ifVersion } = options;
  if (ifVersion !== undefined) {
    if (!Number.isSafeInteger(ifVersion) || ifVersion < 0) {
      const found = String(ifVersion);
      throw new KvdbError("USAGE", `options.ifVersion: expected a version or 0, found ${found}`);
    }
    request.add("IFVERSION", "ifVersion").add(String(ifVersion), "ifVersion");
  }
  addLifetime(request, options);
}

function addLifetime(request: Request, options: SetOptions): void {
  const given = LIFETIMES.filter((name) => options[name] !== undefined && options[name] !== false);
  if (given.length > 1) {
    throw new KvdbError("USAGE", `options: ${given.join(" and ")} exclude each other`);
  }
  const [name] = given;
  if (name === undefined) return;
  if (name === "keepTtl") {
    const { keepTtl } = options;
    if (keepTtl !== true) throw notBoolean(`options.${name}`, keepTtl);
    request.add("KEEPTTL", name);
  } else {
    request.add(name === "ttlMs" ? "PX" : "PXAT", name);
    request.add(positiveInteger(`options.${name}`, options[name]), name);
  }
}

function readListOptions(options: ListOptions = {}): ListOptions {
  requireKeys("options", options, ["prefix", "pattern", "limit"]);
  const { prefix, pattern, limit } = options;
  if (prefix !== undefined) requireText("options.prefix", prefix);
  if (pattern !== undefined) requireText("options.pattern", pattern);
  if (limit !== undefined && limit !== 0) positiveInteger("options.limit", limit);
  return options;
}
