/**
 * Reading and writing keys: the typed half of the embedded API, on one link for each numbered
 * database.
 *
 * A command runs within the call, so a change is seen by what is read next; only the wait for the
 * disk is asynchronous.
 */
import type { LocalLink } from "../kernel/local-link.ts";
import type { RunCommand } from "../transaction/transactions.ts";
import { type BatchChange, CollectedBatch, readOperations } from "./batch.ts";
import { requireText } from "./checked-options.ts";
import type { ConditionalSetOptions, Json, Key, SetOptions, Store } from "./database.ts";
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
import { CommandChannel, type CommandHolder, KEY, KeyAccess } from "./key-access.ts";
import { type Call, StoreQuestions } from "./store-questions.ts";
import type { Batch, BatchOperation, Transaction } from "./store-types.ts";
import { runTransaction } from "./transaction-view.ts";

/** What one opened folder is to the stores in it. */
export interface Holder extends CommandHolder {
  /** Waits for what the link has shown last to become durable. */
  settle(link: LocalLink): Promise<void>;
}

/** One numbered database, whose changes are waited for. */
export class Channel extends CommandChannel {
  readonly #link: LocalLink;
  readonly #holder: Holder;
  /** Runs what may take more than a turn, apart from the commands on keys. */
  readonly callLater: Call;

  constructor(link: LocalLink, holder: Holder, callLater: Call) {
    super(link, holder);
    this.#link = link;
    this.#holder = holder;
    this.callLater = callLater;
  }

  settle(): Promise<void> {
    return this.#holder.settle(this.#link);
  }

  /** Runs `act` as one change; see LocalLink.transact. */
  transact<Result>(act: (run: RunCommand) => Result): Result {
    this.#holder.requireOpen();
    return this.#link.transact(act);
  }
}

export class KeyStore<Value = Json> extends KeyAccess<Value> implements Store<Value> {
  declare protected readonly channel: Channel;
  readonly #questions: StoreQuestions;

  constructor(channel: Channel, prefix: string) {
    super(channel, prefix);
    this.#questions = new StoreQuestions(channel.callLater, prefix);
  }

  set(key: Key, value: unknown, options?: SetOptions): Promise<void>;
  set(key: Key, value: unknown, options: ConditionalSetOptions): Promise<boolean>;
  async set(
    key: Key,
    value: unknown,
    options?: SetOptions & Partial<ConditionalSetOptions>,
  ): Promise<unknown> {
    const isDone = this.putValue(key, value, options);
    await this.channel.settle();
    return options?.ifVersion === undefined ? undefined : isDone;
  }

  async setBytes(key: Key, bytes: Uint8Array, options?: SetOptions): Promise<void> {
    this.putBytes(key, bytes, options);
    await this.channel.settle();
  }

  async delete(...keys: Key[]): Promise<number> {
    const count = this.remove(keys);
    if (keys.length > 0) await this.channel.settle();
    return count;
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
      request.add(this.whole(key), KEY).add(kind, KEY).add(value, "value").add(lifetime, KEY);
    }
    this.channel.run();
    await this.channel.settle();
  }

  async transaction<Result>(act: (transaction: Transaction<Value>) => Result): Promise<Result> {
    const result = this.channel.transact((run) => runTransaction(run, this.prefixText, act));
    await this.channel.settle();
    return result;
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
    return new KeyStore<Inner>(this.channel, this.prefixText + prefix);
  }
}
