/**
 * Reading and writing keys: the typed half of the embedded API. Every call goes through the gate as
 * a command, on one link for each numbered database; a store with a prefix puts it before each key.
 *
 * A command runs within the call, so a change is seen by what is read next; only the wait for the
 * disk is asynchronous.
 */
import { KvdbError } from "../errors.ts";
import type { LocalLink } from "../kernel/local-link.ts";
import type { Answer } from "../resp/answer.ts";
import { type BatchChange, CollectedBatch, readOperations } from "./batch.ts";
import { notBoolean, positiveInteger, requireKeys, requireText } from "./checked-options.ts";
import type { Json, Key, ListOptions, SetOptions, Store } from "./database.ts";
import type {
  AggregateOptions,
  Explanation,
  FieldList,
  FieldPath,
  Filter,
  FindEachOptions,
  FindOptions,
  FoundRow,
  GroupRow,
  PartOptions,
  QuestionOptions,
} from "./find-types.ts";
import { jsonText } from "./json-text.ts";
import { type KeyRange, readRange, walkRange, withKey } from "./key-range.ts";
import { type KeyStep, keyText, readKeyStep } from "./key-steps.ts";
import { Request } from "./request.ts";
import { type Call, StoreQuestions } from "./store-questions.ts";
import type { Batch, BatchOperation, RangeOptions } from "./store-types.ts";
import { ValueReader } from "./value-reader.ts";

/** What one opened folder is to the stores in it. */
export interface Holder {
  /** Throws when the database is closed. */
  requireOpen(): void;
  /** The next command sees the time as it is now. */
  refreshClock(): void;
  /** Waits for what the link has shown last to become durable. */
  settle(link: LocalLink): Promise<void>;
}

/** One numbered database, with what a command needs: shared by all stores in it. */
export class Channel {
  readonly link: LocalLink;
  readonly holder: Holder;
  /** Runs what may take more than a turn, apart from the commands on keys. */
  readonly callLater: Call;
  readonly #request = new Request();
  readonly #reader = new ValueReader();

  constructor(link: LocalLink, holder: Holder, callLater: Call) {
    this.link = link;
    this.holder = holder;
    this.callLater = callLater;
  }

  /** Begins a command; `run` then runs it. */
  request(name: string): Request {
    this.holder.requireOpen();
    return this.#request.begin(name);
  }

  /** Runs the command that was begun. Throws its error reply. */
  run(asBytes = false): unknown {
    this.holder.refreshClock();
    this.#reader.asBytes = asBytes;
    this.link.dispatch(this.#request.args, this.#reader);
    return this.#reader.take();
  }

  /** A command with an answer of several parts. */
  answer(parts: readonly (string | Uint8Array)[]): Answer {
    this.holder.requireOpen();
    this.holder.refreshClock();
    return this.link.run(parts);
  }

  settle(): Promise<void> {
    return this.holder.settle(this.link);
  }
}

const KEY = "key";

export class KeyStore<Value = Json> implements Store<Value> {
  protected readonly channel: Channel;
  readonly #prefix: string;
  readonly #prefixBytes: Buffer;
  readonly #questions: StoreQuestions;

  constructor(channel: Channel, prefix: string) {
    this.channel = channel;
    this.#prefix = prefix;
    this.#prefixBytes = Buffer.from(prefix);
    this.#questions = new StoreQuestions(channel.callLater, prefix);
  }

  get<Result = Value>(key: Key): Result | undefined {
    this.channel.request("GET").add(this.#whole(key), KEY);
    return this.channel.run() as Result | undefined;
  }

  getBytes(key: Key): Uint8Array | undefined {
    this.channel.request("GET").add(this.#whole(key), KEY);
    return this.channel.run(true) as Uint8Array | undefined;
  }

  has(key: Key): boolean {
    this.channel.request("EXISTS").add(this.#whole(key), KEY);
    return this.channel.run() === 1;
  }

  async set(key: Key, value: unknown, options?: SetOptions): Promise<void> {
    if (typeof value === "string") await this.#put("SET", key, value, options);
    else await this.#put("VALUE.SET", key, jsonText(value), options);
  }

  async setBytes(key: Key, bytes: Uint8Array, options?: SetOptions): Promise<void> {
    if (!(bytes instanceof Uint8Array)) {
      throw new KvdbError("USAGE", `bytes: expected a Uint8Array, found ${typeof bytes}`);
    }
    await this.#put("SET", key, bytes, options);
  }

  #put(command: string, key: Key, stored: Key, options: SetOptions | undefined): Promise<void> {
    const request = this.channel.request(command);
    request.add(this.#whole(key), KEY).add(stored, "value");
    if (options !== undefined) addLifetime(request, options);
    this.channel.run();
    return this.channel.settle();
  }

  async delete(...keys: Key[]): Promise<number> {
    const request = this.channel.request("DEL");
    for (const key of keys) request.add(this.#whole(key), KEY);
    if (keys.length === 0) return 0;
    const count = this.channel.run();
    await this.channel.settle();
    return count as number;
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

  batch(): Batch<Value>;
  batch(operations: readonly BatchOperation<Value>[]): Promise<void>;
  batch(operations?: readonly BatchOperation<Value>[]): Batch<Value> | Promise<void> {
    return operations === undefined
      ? new CollectedBatch<Value>((changes) => this.#write(changes))
      : this.#writeAll(operations);
  }

  async #writeAll(operations: readonly BatchOperation<Value>[]): Promise<void> {
    await this.#write(readOperations(operations));
  }

  async #write(changes: readonly BatchChange[]): Promise<void> {
    const request = this.channel.request("VALUE.BATCH");
    if (changes.length === 0) return;
    for (const { key, kind, value, lifetime } of changes) {
      request.add(this.#whole(key), KEY).add(kind, KEY).add(value, "value").add(lifetime, KEY);
    }
    this.channel.run();
    await this.channel.settle();
  }

  find<const Fields extends FieldList<Value> | undefined = undefined>(
    filter: Filter<Value> | string,
    options?: FindOptions<Value, Fields>,
  ): Promise<FoundRow<Value, Fields>[]> {
    return this.#questions.find(filter, options) as Promise<unknown> as Promise<
      FoundRow<Value, Fields>[]
    >;
  }

  findEach<const Fields extends FieldList<Value> | undefined = undefined>(
    filter: Filter<Value> | string,
    options?: FindEachOptions<Value, Fields>,
  ): AsyncIterableIterator<FoundRow<Value, Fields>> {
    const rows: AsyncIterableIterator<unknown> = this.#questions.findEach(filter, options);
    return rows as AsyncIterableIterator<FoundRow<Value, Fields>>;
  }

  count(filter: Filter<Value> | string, options?: QuestionOptions & PartOptions): Promise<number> {
    return this.#questions.count(filter, options);
  }

  aggregate<
    const Group extends FieldPath<Value> | "@key" = never,
    const Sum extends FieldPath<Value> = never,
    const Avg extends FieldPath<Value> = never,
    const Min extends FieldPath<Value> | "@key" = never,
    const Max extends FieldPath<Value> | "@key" = never,
  >(
    filter: Filter<Value> | string,
    options: AggregateOptions<Value, Group, Sum, Avg, Min, Max>,
  ): Promise<GroupRow<Value, Group, Sum, Avg, Min, Max>[]> {
    return this.#questions.aggregate(filter, options) as Promise<unknown> as Promise<
      GroupRow<Value, Group, Sum, Avg, Min, Max>[]
    >;
  }

  explain(
    filter: Filter<Value> | string,
    options?: FindOptions<Value, FieldList<Value>>,
  ): Promise<Explanation> {
    return this.#questions.explain(filter, options);
  }

  prefix<Inner = Value>(prefix: string): Store<Inner> {
    requireText("prefix", prefix);
    return new KeyStore<Inner>(this.channel, this.#prefix + prefix);
  }

  /** The key as it is stored. */
  #whole(key: Key): Key {
    if (this.#prefix === "") return key;
    if (typeof key === "string") return this.#prefix + key;
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
    if (this.#prefix + prefix !== "") command.push("PREFIX", this.#prefix + prefix);
    if (pattern !== undefined) command.push("MATCH", escapeGlob(this.#prefix) + pattern);
    return readKeyStep(this.channel.answer(command));
  }
}

/** The text, in a pattern that matches it alone. */
function escapeGlob(text: string): string {
  return text.replaceAll(/[\\*?[\]^-]/g, "\\$&");
}

// ---- options ----

const LIFETIMES = ["ttlMs", "expiresAtMs", "keepTtl"] as const;

function addLifetime(request: Request, options: SetOptions): void {
  requireKeys("options", options, LIFETIMES);
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
