/**
 * `kvdb copy redis://host:port`: the keys of a running server into the data folder, or into another server with `--to`; and out
 * of the data folder with `--to` alone. Keys come some at a time, each as it is in one moment, with its deadline, and replace
 * what is there, so that a copy that was stopped or failed is begun again.
 */
import { KvdbError } from "../errors.ts";
import { looksLikeDocument } from "../rdb/dump-payload.ts";
import { wholeOf } from "../rdb/rdb-input.ts";
import { RDB_HASH_TIMED } from "../rdb/rdb-types.ts";
import { spanText } from "../shell/amounts.ts";
import { escapeControls } from "../shell/printable.ts";
import { shownKey } from "../store/shown-key.ts";
import { ItemProblem, type TransferEntry } from "../transfer/entry.ts";
import { indexCommand } from "../transfer/index-command.ts";
import { copiedKeys } from "./copied-keys.ts";
import {
  allDatabases,
  at,
  type CopyPlace,
  filledDatabases,
  withFolder,
  withServer,
} from "./copy-place.ts";
import { requireFolder } from "./export-target.ts";
import { groupedCount } from "./grouped-count.ts";
import { DryIntake, ImportIntake, type KeyIntake, RestoreIntake } from "./key-intake.ts";
import { ProblemList } from "./problem-list.ts";
import { type ToldIndex, toldIndexes } from "./told-indexes.ts";
import { TransferBar } from "./transfer-bar.ts";
import { STOPPED_CODE, type Stop, stoppable, type TransferRun } from "./transfer-data.ts";
import { copyOptions } from "./transfer-options.ts";
import { optionalDatabaseOf, readTransferWords, type TransferWords } from "./transfer-words.ts";
import type { World } from "./world.ts";

const USAGE = "kvdb copy [redis://host:port[/database]] [--to redis://host:port] [options]";

/** COPY of Redis takes two keys; kvdb's own takes a server's URL, and options. */
export function isRedisCopy([first, second]: readonly string[]): boolean {
  if (first === undefined || second === undefined) return false;
  return !first.startsWith("--") && !first.includes("://") && !second.startsWith("--");
}

/** Resolves to the exit code. */
export async function copy(run: TransferRun, world: World): Promise<number> {
  const words = readTransferWords(run.words, copyOptions, USAGE);
  const from = words.file;
  const to = words.options.get("--to");
  if (from === undefined && to === undefined) {
    throw new KvdbError("USAGE", `from which server? usage: ${USAGE}`);
  }
  const wish = wishOf(words);
  if (from === undefined) await requireFolder(run.loaded.config.dir, world);
  const open = <Result>(url: string | undefined, use: (place: CopyPlace) => Promise<Result>) =>
    url === undefined ? withFolder(run, world, use) : withServer(url, world, use);
  return stoppable(world, (stop) =>
    open(from, (source) =>
      open(to, (target) => {
        requireDifferent(source, target);
        return new Copying({ source, target, wish, stop }, world).run();
      }),
    ),
  );
}

interface Wish {
  readonly match: string | undefined;
  /** Where all of it goes; undefined: into the databases that it comes from. */
  readonly database: number | undefined;
  readonly isDry: boolean;
  readonly goesOn: boolean;
}

function wishOf(words: TransferWords): Wish {
  const { options } = words;
  const prefix = options.get("--prefix");
  const match = options.get("--match");
  if (prefix !== undefined && match !== undefined) {
    throw new KvdbError("USAGE", "either --prefix or --match, not both");
  }
  return {
    match: prefix === undefined ? match : `${prefix.replace(/[\\*?[\]]/g, "\\$&")}*`,
    database: optionalDatabaseOf(words),
    isDry: options.has("--dry-run"),
    goesOn: options.has("--continue"),
  };
}

function requireDifferent(source: CopyPlace, target: CopyPlace): void {
  if (source.runId === "" || source.runId !== target.runId) return;
  throw new KvdbError("USAGE", `${source.name} and ${target.name} are the same server`);
}

interface CopyParts {
  readonly source: CopyPlace;
  readonly target: CopyPlace;
  readonly wish: Wish;
  readonly stop: Stop;
}

/** 7.4. */
const VERSION_WITH_FIELD_DEADLINES = 704;

class Copying {
  readonly #parts: CopyParts;
  readonly #world: World;
  readonly #bar: TransferBar;
  readonly #problems: ProblemList;
  readonly #intake: KeyIntake;
  readonly #begunMs: number;
  /** How many keys there are, and how many of them have come. */
  #expected = 0;
  #seen = 0;
  #indexes = 0;
  /** Of a kvdb, that became strings. */
  #documents = 0;

  constructor(parts: CopyParts, world: World) {
    this.#parts = parts;
    this.#world = world;
    this.#bar = new TransferBar("copying", world);
    this.#problems = new ProblemList(world, () => this.#bar.end());
    const { target, wish } = parts;
    const Intake = wish.isDry ? DryIntake : target.isKvdb ? ImportIntake : RestoreIntake;
    const refuse = (key: Buffer, reason: string) => this.#refuse(key, reason);
    this.#intake = new Intake({ send: target.send, refuse });
    this.#begunMs = world.platform.clock.monotonicMs();
  }

  async run(): Promise<number> {
    const { source, stop } = this.#parts;
    try {
      const databases = await this.#databases();
      for (const database of databases) {
        if (!(await this.#copyKeys(database))) return await this.#stopped();
      }
      if (this.#takesIndexes) {
        for (const database of await this.#indexDatabases(databases)) {
          await this.#copyIndexes(database);
        }
      }
      if (stop.isWanted) return await this.#stopped();
    } catch (error) {
      // What was sent is counted, if whoever takes it still answers.
      await Promise.allSettled([this.#intake.finish()]);
      throw this.#told(error);
    } finally {
      this.#bar.end();
    }
    return this.#end(source.name);
  }

  async #databases(): Promise<readonly number[]> {
    const { source, wish } = this.#parts;
    const filled = await filledDatabases(source);
    const wanted = [...filled].filter(
      ([index]) => source.database === undefined || index === source.database,
    );
    if (wish.database !== undefined && wanted.length > 1) {
      const found = wanted.map(([index]) => index).join(", ");
      const message =
        `${source.name} has keys in the databases ${found}: --database takes one of them, ` +
        `named behind the address: redis://${source.name}/${wanted[0]?.[0]}`;
      throw new KvdbError("USAGE", message);
    }
    for (const [, keys] of wanted) this.#expected += keys;
    return wanted.map(([index]) => index);
  }

  /** False: somebody wanted it to stop. */
  async #copyKeys(database: number): Promise<boolean> {
    const { source, target, wish, stop } = this.#parts;
    const isRaw = !target.isKvdb;
    await this.#intake.into(wish.database ?? database);
    const groups = copiedKeys(source, { database, match: wish.match, isRaw });
    for (;;) {
      const next = groups.next();
      // A server may be stopped, and say nothing for ever.
      await Promise.race([next, stop.wanted]);
      if (stop.isWanted) break;
      const { done, value: group } = await next;
      if (done === true) break;
      for (const copied of group) {
        if (copied.entry === undefined) await this.#refuse(copied.key, copied.problem);
        else if (isRaw) await this.#addRaw(copied.entry);
        else this.#intake.add(copied.entry);
      }
      this.#seen += group.length;
      if (this.#intake.isFull) await this.#intake.take();
      this.#show();
    }
    await this.#intake.finish();
    return !stop.isWanted;
  }

  /** For a server that is no kvdb. */
  async #addRaw(entry: TransferEntry): Promise<void> {
    const { target } = this.#parts;
    const { key, value } = entry;
    if (target.version < VERSION_WITH_FIELD_DEADLINES && value[0] === RDB_HASH_TIMED) {
      await this.#refuse(key, "its fields have deadlines, which Redis has from 7.4 on");
      return;
    }
    if (looksLikeDocument(wholeOf(value))) this.#documents++;
    this.#intake.add(entry);
  }

  #show(): void {
    const share = this.#parts.wish.match === undefined ? this.#seen / this.#expected : undefined;
    this.#bar.show({ keys: this.#seen, bytes: this.#intake.bytes, share });
  }

  get #takesIndexes(): boolean {
    const { source, target, wish } = this.#parts;
    return source.isKvdb && target.isKvdb && !wish.isDry;
  }

  /** A database may have an index before it has a key. */
  async #indexDatabases(filled: readonly number[]): Promise<readonly number[]> {
    const { source, wish } = this.#parts;
    if (source.database !== undefined) return [source.database];
    return wish.database === undefined ? allDatabases(source) : filled;
  }

  async #copyIndexes(database: number): Promise<void> {
    const { source, target, wish, stop } = this.#parts;
    const [chosen, info] = await source.ask([
      ["SELECT", String(database)],
      ["INDEX", "INFO"],
    ]);
    for (const answer of [chosen, info]) at(source.name, answer ?? NOTHING);
    for (const index of toldIndexes(info)) {
      if (stop.isWanted) return;
      await target.ask([["SELECT", String(wish.database ?? database)]]);
      const problem = await this.#makeIndex(index);
      if (problem === undefined) this.#indexes++;
      else await this.#problem(problem);
    }
  }

  /** Resolves to why it was not made. */
  async #makeIndex({ name, definition }: ToldIndex): Promise<string | undefined> {
    try {
      const [answer] = await this.#parts.target.ask([indexCommand(name, definition)]);
      if (answer?.kind !== "error") return undefined;
      return `the index "${name}": ${answer.code} ${answer.text}`;
    } catch (error) {
      if (error instanceof ItemProblem) return error.message;
      throw error;
    }
  }

  // ---- telling ----

  #refuse(key: Buffer, reason: string): Promise<void> {
    return this.#problem(`key ${shownKey(key, 0, key.length)}: ${reason}`);
  }

  /** Rejects with it, unless it is to be told and left out. */
  async #problem(text: string): Promise<void> {
    const { source, wish } = this.#parts;
    const whole = `${source.name}: ${text}`;
    if (!wish.goesOn && !wish.isDry) {
      throw new KvdbError("COMMAND", `${escapeControls(whole)}; --continue leaves it out`);
    }
    await this.#problems.tell(whole);
  }

  /** How far it came belongs to every failure: that much stays. */
  #told(error: unknown): unknown {
    if (!(error instanceof KvdbError) || this.#intake.keys === 0) return error;
    const message = `${error.message} (${this.#amount()} had been copied, which stay)`;
    return new KvdbError(error.code, message, { cause: error });
  }

  #amount(): string {
    return groupedCount(this.#intake.keys, "key");
  }

  async #stopped(): Promise<number> {
    const { isDry } = this.#parts.wish;
    const what = isDry ? "nothing was changed" : `${this.#amount()} are copied`;
    await this.#world.printError(`stopped: ${what}\n`);
    return STOPPED_CODE;
  }

  async #end(name: string): Promise<number> {
    await this.#problems.end();
    const { isDry } = this.#parts.wish;
    const span = spanText(this.#world.platform.clock.monotonicMs() - this.#begunMs);
    const indexes =
      this.#indexes === 0 ? "" : ` and ${groupedCount(this.#indexes, "index", "indexes")}`;
    const done = `${isDry ? "would copy" : "copied"} ${this.#amount()}${indexes}`;
    await this.#world.print(Buffer.from(`${done} from ${name} in ${span}\n`));
    if (this.#documents > 0) {
      const documents = groupedCount(this.#documents, "document");
      await this.#world.printError(
        `${documents} ${this.#documents === 1 ? "is a string" : "are strings"} there: Redis has no documents\n`,
      );
    }
    if (this.#problems.count === 0) return 0;
    await this.#world.printError(
      `${isDry ? "would leave out" : "left out"} ${this.#problems.amount}\n`,
    );
    return 1;
  }
}

const NOTHING = { kind: "null" } as const;
