/**
 * An open database of a program: the kernel behind it, the links through which commands run, and
 * its end. The numbered databases and the stores in them are views; this is what is closed.
 *
 * Invariant: after `close` nothing runs, and every promise that was handed out settles.
 */

import { asKvdbError, KvdbError } from "../errors.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { type EarlyAnswer, LocalLink, NO_REPLY } from "../kernel/local-link.ts";
import { type ChangesHolder, followChanges } from "./change-iterator.ts";
import { requireKeys, requireText } from "./checked-options.ts";
import { bytesOf } from "./command-words.ts";
import type { CommandPart, CommandResult, Database, Json, NumberedDatabase } from "./database.ts";
import { StoreIndexes } from "./index-administration.ts";
import { Channel, type Holder, KeyStore } from "./key-store.ts";
import { plainAnswer, replyError } from "./plain-answer.ts";
import type { ProgramClock } from "./program-clock.ts";
import { OpenSnapshot } from "./snapshot.ts";
import type { Call } from "./store-questions.ts";
import type { Change, ChangesOptions, IndexAdministration, Snapshot } from "./store-types.ts";
import { MessageQueue, type SubscribeOptions, type Subscription } from "./subscription.ts";

/** What CLIENT LIST shows of a program. */
const ADDRESS = "embedded";

/** Each is a file as large as the data. */
const MAX_SNAPSHOTS = 8;

/** The folder, opened once, whatever views there are of it. */
export class OpenFolder implements Holder, ChangesHolder {
  readonly #kernel: Kernel;
  readonly #clock: ProgramClock;
  readonly #links = new Set<LocalLink>();
  readonly #databases = new Map<number, Numbered<unknown>>();
  readonly #snapshots = new Set<OpenSnapshot<unknown>>();
  readonly #subscriptions = new Set<MessageQueue>();
  #comingSnapshots = 0;
  #closing: Promise<void> | undefined;

  constructor(kernel: Kernel, clock: ProgramClock) {
    this.#kernel = kernel;
    this.#clock = clock;
  }

  /** The one view of a numbered database. Throws when there is no such database. */
  database(index: number): Numbered<unknown> {
    this.requireOpen();
    const known = this.#databases.get(index);
    if (known !== undefined) return known;
    const database = new Numbered<unknown>(this, this.link(index), index);
    this.#databases.set(index, database);
    return database;
  }

  link(index: number): LocalLink {
    this.requireOpen();
    const link = new LocalLink(
      this.#kernel.engine,
      { address: ADDRESS, trusted: true },
      "internal",
    );
    this.#links.add(link);
    const answer = link.run(["SELECT", String(index)]);
    if (answer.kind === "error") throw replyError(answer);
    return link;
  }

  /** Listens from now on, through a link of its own. */
  subscribe(commands: readonly (readonly [string, ...string[]])[]): MessageQueue {
    this.requireOpen();
    const { engine } = this.#kernel;
    const queue = new MessageQueue({
      maxBytes: () => engine.outputLimits.byClass.pubsub.hardBytes,
      waitFor: (promise) => this.#clock.waitFor(promise),
      onEnd: () => {
        this.#subscriptions.delete(queue);
        void link.close();
      },
    });
    const client = { address: ADDRESS, trusted: true, ...queue.listener };
    const link = new LocalLink(engine, client, "internal");
    this.#subscriptions.add(queue);
    for (const command of commands) {
      const answer = link.run(command);
      if (answer.kind !== "error") continue;
      queue.close();
      throw replyError(answer);
    }
    return queue;
  }

  /** Nobody needs it any more; what it waits for is given up. */
  closeLink(link: LocalLink): Promise<void> {
    this.#links.delete(link);
    return link.close();
  }

  requireOpen(): void {
    if (this.#closing !== undefined) throw closed();
  }

  get isClosing(): boolean {
    return this.#closing !== undefined;
  }

  refreshClock(): void {
    this.#kernel.engine.refreshClock();
  }

  /** Its image takes disk space while it is open, so there is a bound. */
  async snapshot(index: number): Promise<OpenSnapshot<unknown>> {
    this.requireOpen();
    if (this.#snapshots.size + this.#comingSnapshots >= MAX_SNAPSHOTS) {
      const message = `${MAX_SNAPSHOTS} snapshots are open: close one before the next is taken`;
      throw new KvdbError("UNAVAILABLE", message);
    }
    this.#comingSnapshots++;
    try {
      const view = await this.#clock.waitFor(this.#kernel.views.take());
      const snapshot = new OpenSnapshot<unknown>(view, index, () => {
        this.#snapshots.delete(snapshot);
      });
      this.#snapshots.add(snapshot);
      return snapshot;
    } finally {
      this.#comingSnapshots--;
    }
  }

  ask(link: LocalLink, words: readonly (string | Uint8Array)[]): Promise<EarlyAnswer> {
    const answer = link.ask(words);
    return link.isWaiting ? this.#clock.waitFor(answer) : answer;
  }

  settle(link: LocalLink, wait = link.wait): Promise<void> {
    return this.#clock.waitFor(link.settled(wait));
  }

  close(): Promise<void> {
    this.#closing ??= this.#clock.waitFor(this.#close());
    return this.#closing;
  }

  /** A command asked for it, SHUTDOWN: nobody else may be there to hear that closing failed. */
  closeByCommand(): void {
    this.close().catch((error: unknown) => {
      this.#kernel.log.error("closing failed", { error: asKvdbError(error).message });
    });
  }

  async #close(): Promise<void> {
    try {
      for (const snapshot of this.#snapshots) await snapshot.close();
      for (const subscription of this.#subscriptions) subscription.close();
      await this.#kernel.stop();
      // One that was being taken.
      for (const snapshot of this.#snapshots) await snapshot.close();
      await this.#giveUpLinks(closed());
    } catch (error) {
      const failure = asKvdbError(error);
      await this.#giveUpLinks(failure.prefix("not durable"));
      throw failure;
    } finally {
      this.#clock.end();
    }
  }

  /** What waits after the last flush will never be durable. */
  async #giveUpLinks(reason: KvdbError): Promise<void> {
    for (const link of this.#links) {
      link.abandon(reason);
      await link.close();
    }
  }
}

/** A numbered database. */
export class Numbered<Value = Json> extends KeyStore<Value> implements NumberedDatabase<Value> {
  readonly #folder: OpenFolder;
  readonly #index: number;
  /** Of `call`: apart from the typed methods, whose database no SELECT may change. */
  #commandLink: LocalLink | undefined;
  #indexes: StoreIndexes | undefined;

  constructor(folder: OpenFolder, link: LocalLink, index: number) {
    super(new Channel(link, folder, laterCall(folder, index)), "");
    this.#folder = folder;
    this.#index = index;
  }

  get size(): number {
    this.channel.request("DBSIZE");
    return this.channel.run() as number;
  }

  /** On a link of their own: an index takes its time, and no SELECT of `call` concerns it. */
  get index(): IndexAdministration {
    this.#indexes ??= new StoreIndexes({
      answer: (words) => this.channel.answer(words),
      call: laterCall(this.#folder, this.#index),
    });
    return this.#indexes;
  }

  snapshot(): Promise<Snapshot<Value>> {
    return this.#folder.snapshot(this.#index) as Promise<Snapshot<unknown>> as Promise<
      Snapshot<Value>
    >;
  }

  async call<Result = CommandResult>(
    ...command: readonly [name: string, ...parts: CommandPart[]]
  ): Promise<Result> {
    this.#folder.requireOpen();
    const words = command.map(bytesOf);
    this.#commandLink ??= this.#folder.link(this.#index);
    const link = this.#commandLink;
    this.#folder.refreshClock();
    const { answer, wait } = await this.#folder.ask(link, words);
    if (answer === NO_REPLY) return this.#withoutReply<Result>();
    await this.#folder.settle(link, wait);
    if (answer.kind === "error") throw replyError(answer);
    return plainAnswer(answer) as Result;
  }

  /** SHUTDOWN writes no reply, and CLIENT REPLY OFF none. */
  async #withoutReply<Result>(): Promise<Result> {
    if (this.#folder.isClosing) await this.#folder.close();
    return null as Result;
  }
}

/** Runs commands that take their time, on a link of their own, which is opened for the first. */
function laterCall(folder: OpenFolder, index: number): Call {
  let link: LocalLink | undefined;
  return async (words) => {
    folder.requireOpen();
    link ??= folder.link(index);
    folder.refreshClock();
    const { answer, wait } = await folder.ask(link, words);
    // The end of the work, told as all that comes later is.
    if (folder.isClosing && answer.kind === "error" && answer.code === "UNBLOCKED") throw closed();
    await folder.settle(link, wait);
    return answer;
  };
}

/** What `open` answers: database 0, and the end of all. */
export class OpenDatabase<Value = Json> extends Numbered<Value> implements Database<Value> {
  readonly #folder: OpenFolder;

  constructor(folder: OpenFolder) {
    super(folder, folder.link(0), 0);
    this.#folder = folder;
  }

  select<Other = Value>(index: number): NumberedDatabase<Other> {
    if (!Number.isSafeInteger(index) || index < 0) {
      throw new KvdbError("USAGE", `index: expected an integer from 0, found ${String(index)}`);
    }
    return this.#folder.database(index) as NumberedDatabase<unknown> as NumberedDatabase<Other>;
  }

  subscribe(channels: string | readonly string[], options: SubscribeOptions = {}): Subscription {
    const names = typeof channels === "string" ? [channels] : channels;
    return this.#folder.subscribe(subscribingCommands(names, options));
  }

  async publish(channel: string, message: string | Uint8Array): Promise<number> {
    this.channel.request("PUBLISH").add(channel, "channel").add(message, "message");
    return this.channel.run() as number;
  }

  changes(options?: ChangesOptions): AsyncGenerator<Change, void, undefined> {
    return followChanges(this.#folder, options);
  }

  close(): Promise<void> {
    return this.#folder.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function subscribingCommands(
  channels: readonly string[],
  options: SubscribeOptions,
): (readonly [string, ...string[]])[] {
  requireKeys("subscribe", options, ["patterns"]);
  const { patterns = [] } = options;
  requireTexts("channels", channels);
  requireTexts("patterns", patterns);
  if (channels.length + patterns.length === 0) {
    throw new KvdbError("USAGE", "subscribe: expected a channel or a pattern, found none");
  }
  const commands: (readonly [string, ...string[]])[] = [];
  if (channels.length > 0) commands.push(["SUBSCRIBE", ...channels]);
  if (patterns.length > 0) commands.push(["PSUBSCRIBE", ...patterns]);
  return commands;
}

function requireTexts(what: string, texts: readonly string[]): void {
  if (!Array.isArray(texts)) {
    throw new KvdbError("USAGE", `${what}: expected an array of strings, found ${typeof texts}`);
  }
  for (const text of texts) requireText(what, text);
}

function closed(): KvdbError {
  return new KvdbError("UNAVAILABLE", "the database is closed");
}
