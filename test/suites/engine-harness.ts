/**
 * The engine in process, for tests of commands: a clock that moves by hand, a persistence that records, replies as plain
 * values. After each command the arena is audited (page-audit.ts) and the input is overwritten, so a command that keeps
 * a span instead of a copy, or writes past the arena's tracker, fails its test.
 *
 *   const db = new EngineHarness();
 *   expect(db.run("SET", "a", "1", "EX", 10)).toBe("OK");
 *   expect(db.records()).toEqual([{ database: 0, commands: [`SET a 1 PXAT ${db.now() + 10_000}`] }]);
 */

import hashIndex from "../../plugins/hash-index/index.ts";
import orderedIndex from "../../plugins/ordered-index/index.ts";
import { Arguments } from "../../src/commands/arguments.ts";
import type { Command as CoreCommand, Run } from "../../src/commands/command.ts";
import { Engine } from "../../src/kernel/engine.ts";
import { type Log, silentLog } from "../../src/platform/log.ts";
import { seededRandom } from "../../src/platform/random.ts";
import type { Client, Command, Durability, IndexKind, PluginContext } from "../../src/plugin.ts";
import { Decoder } from "../../src/resp/decoder.ts";
import type { Session } from "../../src/session/session.ts";
import { FakeClock } from "./fake-clock.ts";
import { PageAudit } from "./page-audit.ts";
import { type JournalRecord, RecordingPersistence, readRecords } from "./recording-persistence.ts";
import { type Value, ValueReply } from "./value-reply.ts";

export type Argument = string | number | bigint | Uint8Array;

export interface HarnessOptions {
  readonly durability?: Durability;
  /** Records are wanted in the words of redis-server 7.0. */
  readonly redisWords?: boolean;
  readonly databases?: number;
  readonly password?: string;
  readonly maxMemoryBytes?: number;
  readonly seed?: number;
  /** Commands between two audits of all pages; 0: none. Default 1. */
  readonly auditEvery?: number;
  /** Expire on time while `advance` moves the clock. Default true. */
  readonly background?: boolean;
  readonly log?: Log;
  readonly debugCommand?: "no" | "yes" | "local";
  /** Indexes of what is replayed are filled when somebody needs them. */
  readonly defersIndexes?: boolean;
  /** Kinds of indexes, besides the built-in ones; or in the place of one that has the same name. */
  readonly indexKinds?: readonly IndexKind[];
}

export class EngineHarness {
  readonly clock = new FakeClock();
  readonly engine: Engine;
  readonly persistence: RecordingPersistence;
  /** The session that `run` uses. */
  readonly session: Session;
  readonly #audit: PageAudit | null;
  readonly #auditEvery: number;
  readonly #options: HarnessOptions;
  readonly #args = new Arguments();
  readonly #decoder = new Decoder();
  readonly #reply = new ValueReply();
  /** Sessions whose command answers later. */
  readonly #waiting = new Map<Session, { readonly reply: ValueReply; resolve(): void }>();
  #sinceAudit = 0;
  #batchesRead = 0;

  /** `history`: another harness whose records are replayed first. */
  constructor(options: HarnessOptions = {}, history?: EngineHarness) {
    this.#options = options;
    this.persistence = new RecordingPersistence(
      options.durability ?? "always",
      options.redisWords ?? false,
    );
    this.engine = new Engine({
      databases: options.databases ?? 16,
      password: options.password ?? "",
      maxMemoryBytes: options.maxMemoryBytes ?? 0,
      ...(options.debugCommand && { debugCommand: options.debugCommand }),
      clock: this.clock,
      random: seededRandom(options.seed ?? 1),
      log: options.log ?? silentLog,
    });
    this.engine.registerIndexKinds("test", indexKinds(options.indexKinds ?? []));
    this.#auditEvery = options.auditEvery ?? 1;
    this.#audit = this.#auditEvery > 0 ? new PageAudit(this.engine.keyspace.arena) : null;
    this.#load(history);
    if (options.background ?? true) this.engine.startBackground();
    this.session = this.connect();
  }

  #load(history: EngineHarness | undefined): void {
    const sink = this.engine.loadSink;
    const batches = history?.persistence.batches ?? [];
    if (history !== undefined) this.clock.setWall(history.clock.now());
    for (const batch of batches) sink.records(batch);
    const last = batches.at(-1);
    const lastRevision = last === undefined ? 0 : last.firstRevision + last.count - 1;
    const report = { records: 0, bytes: 0, lastRevision, clean: true, dropped: [] };
    this.engine.beginRecording(this.persistence, report);
    // Few documents take one slice, so it is over when it returns.
    void this.engine.openIndexes({
      clock: this.clock,
      heedStop: () => {},
      view: { indexing: () => {} },
      defers: this.#options.defersIndexes ?? false,
    });
    this.engine.finishLoading();
    this.#audit?.check();
  }

  /** Another engine that has replayed everything this one recorded. */
  replayed(): EngineHarness {
    this.engine.endTurn();
    return new EngineHarness(this.#options, this);
  }

  /** Another session; `client` replaces parts of what a frontend would tell of it. */
  connect(client: Partial<Client> = {}): Session {
    const replyReady = () => this.#replyReady(session);
    const session = this.engine.connect({ ...QUIET_CLIENT, replyReady, ...client });
    return session;
  }

  /** Registers a command of a plugin named "test". */
  addCommand(name: string, run: Command["run"], parts: Partial<Command> = {}): void {
    const command = { name, arity: -1, flags: ["write"] as const, group: "plugin" as const };
    const texts = { since: "1.0.0", summary: "", syntax: "" };
    this.engine.registerCommands("test", [{ ...command, ...texts, ...parts, ...(run && { run }) }]);
  }

  /** Adds a command as kvdb's own are: it may look into the data and answer later. */
  addCoreCommand(name: string, run: Run, parts: Partial<CoreCommand> = {}): void {
    const command = { name, arity: -1, flags: ["blocking"] as const, group: "generic" as const };
    const texts = { since: "1.0.0", summary: "", syntax: "" };
    this.engine.commands.add([{ ...command, ...texts, run, ...parts }], "test");
    this.engine.gate.tableChanged();
  }

  run(...words: readonly Argument[]): Value {
    return this.runIn(this.session, ...words);
  }

  /** Runs one command as a turn of its own. One that would answer later answers an error. */
  runIn(session: Session, ...words: readonly Argument[]): Value {
    session.mayWait = false;
    this.#dispatch(session, words, this.#reply);
    session.mayWait = true;
    return this.#reply.take();
  }

  ask(...words: readonly Argument[]): Promise<Value> {
    return this.askIn(this.session, ...words);
  }

  /** The same for a command that may answer later: then it resolves in the turn in which it does. */
  async askIn(session: Session, ...words: readonly Argument[]): Promise<Value> {
    const reply = new ValueReply();
    this.#dispatch(session, words, reply);
    if (session.later === null) return reply.take();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.set(session, { reply, resolve });
    await promise;
    return reply.take();
  }

  #replyReady(session: Session): void {
    const waiting = this.#waiting.get(session);
    if (waiting === undefined) return;
    session.later?.write(waiting.reply);
    if (session.later !== null) return;
    this.#waiting.delete(session);
    waiting.resolve();
  }

  #dispatch(session: Session, words: readonly Argument[], reply: ValueReply): void {
    const request = encode(words);
    this.#decoder.decode(this.#args, request, 0, request.length);
    this.engine.dispatch(session, this.#args, reply);
    request.fill(0xee);
    this.endTurn();
  }

  /** Ends the turn, and audits when it is time to. */
  endTurn(): void {
    this.engine.endTurn();
    if (this.#audit === null || ++this.#sinceAudit < this.#auditEvery) return;
    this.#sinceAudit = 0;
    this.#audit.check();
  }

  /** The records made since the last call. */
  records(): JournalRecord[] {
    this.engine.endTurn();
    const batches = this.persistence.batches.slice(this.#batchesRead);
    this.#batchesRead = this.persistence.batches.length;
    return batches.flatMap(readRecords);
  }

  now(): number {
    return this.clock.now();
  }

  /** Lets time pass; keys expire on time meanwhile. */
  advance(ms: number): void {
    this.clock.advance(ms);
    this.endTurn();
  }

  /** Frees all that is queued for freeing. */
  reap(): void {
    while (!this.engine.keyspace.reapSlice());
    this.endTurn();
  }

  /** Bytes of the arena in use. */
  get usedBytes(): number {
    return this.engine.keyspace.arena.usedBytes;
  }
}

function indexKinds(added: readonly IndexKind[]): IndexKind[] {
  const builtIn = [hashIndex, orderedIndex].flatMap(
    (plugin) => plugin.indexes?.({}, NO_CONTEXT) ?? [],
  );
  return [...builtIn.filter(({ name }) => added.every((kind) => kind.name !== name)), ...added];
}

/** The built-in kinds ask for nothing. */
const NO_CONTEXT = undefined as unknown as PluginContext;

const QUIET_CLIENT: Client = {
  address: "127.0.0.1:50000",
  localAddress: "127.0.0.1:6379",
  inputBytes: () => 0,
  outputBytes: () => 0,
  close: () => {},
};

/** The words as a RESP array, as a client sends them. */
function encode(words: readonly Argument[]): Buffer {
  const parts: Uint8Array[] = [Buffer.from(`*${words.length}\r\n`)];
  for (const word of words) {
    const bytes = word instanceof Uint8Array ? word : Buffer.from(String(word));
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from("\r\n"));
  }
  return Buffer.concat(parts);
}
