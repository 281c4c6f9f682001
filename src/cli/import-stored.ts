/**
 * `kvdb import` of what a Redis has on its disk: a file of RDB, a folder of an append-only file. All of it is read and checked
 * first, to its checksum; then it comes in steps, each of which is a record of its own, into the databases that it names. Index
 * definitions come last, so each index is built once.
 */
import { KvdbError } from "../errors.ts";
import type { StoredEntry } from "../plugin.ts";
import { spanText } from "../shell/amounts.ts";
import { escapeControls } from "../shell/printable.ts";
import { shownKey } from "../store/shown-key.ts";
import { ItemProblem } from "../transfer/entry.ts";
import { indexCommand } from "../transfer/index-command.ts";
import { type Arrival, StoredEntries } from "../transfer/stored-entries.ts";
import { groupedCount } from "./grouped-count.ts";
import { ImportIntake } from "./key-intake.ts";
import { ProblemList } from "./problem-list.ts";
import { TransferBar } from "./transfer-bar.ts";
import { type Send, STOPPED_CODE, type Stop } from "./transfer-data.ts";
import type { World } from "./world.ts";

/** Something that has entries of a checkpoint, and gives them as often as it is asked. */
export interface StoredSource {
  /** As messages name it. */
  readonly name: string;
  /**
   * Hands on all of them; `progress` is awaited between two. Resolves to what somebody is to know of the source. Rejects with
   * a KvdbError("DAMAGE") for what is damaged.
   */
  read(
    take: (entry: Readonly<StoredEntry>) => void,
    progress: (done: number, total: number) => Promise<void>,
  ): Promise<readonly string[]>;
}

export interface StoredWish {
  readonly prefix: Buffer;
  /** The database of the source that is wanted; undefined: all. */
  readonly only: number | undefined;
  /** Where all of it goes; undefined: into the databases that it comes from. */
  readonly database: number | undefined;
  /** What is refused is left out. */
  readonly goesOn: boolean;
}

interface StoredParts {
  readonly source: StoredSource;
  readonly wish: StoredWish;
  readonly stop: Stop;
}

/** Somebody wanted it to stop. */
class Stopped extends Error {}

type FoundIndex = Extract<Arrival, { kind: "index" }>;

export class StoredImport {
  readonly #parts: StoredParts;
  readonly #world: World;
  readonly #problems: ProblemList;
  readonly #begunMs: number;
  #bar: TransferBar;
  /** Keys of each database that is wanted. */
  readonly #found = new Map<number, number>();
  readonly #indexes: FoundIndex[] = [];
  #keys = 0;
  /** Keys whose time was over when they came: none of them is there now. */
  #expired = 0;

  constructor(parts: StoredParts, world: World) {
    this.#parts = parts;
    this.#world = world;
    this.#bar = new TransferBar("checking", world);
    this.#problems = new ProblemList(world, () => this.#bar.end());
    this.#begunMs = world.platform.clock.monotonicMs();
  }

  /** Reads it to its end; the exit code, undefined when all of it is right. */
  async check(): Promise<number | undefined> {
    const { source, wish, stop } = this.#parts;
    try {
      const notes = await source.read(
        (entry) => this.#note(entry),
        async (done, total) => {
          if (stop.isWanted) throw new Stopped();
          this.#bar.show({ keys: this.#keys, bytes: done, share: done / total });
        },
      );
      this.#bar.end();
      for (const note of notes) await this.#world.printError(`${source.name}: ${note}\n`);
    } catch (error) {
      if (error instanceof Stopped) return await this.#stopped("nothing was imported");
      if (!(error instanceof KvdbError) || error.code !== "DAMAGE") throw error;
      const message = `${escapeControls(error.message)}: nothing was imported`;
      throw new KvdbError("COMMAND", message, { cause: error });
    } finally {
      this.#bar.end();
    }
    if (wish.database !== undefined && this.#found.size > 1) throw this.#severalDatabases();
    return undefined;
  }

  #note({ type, database, isContinued }: Readonly<StoredEntry>): void {
    if (isContinued || !this.#isWanted(database)) return;
    if (type === "index") return;
    this.#keys++;
    this.#found.set(database, (this.#found.get(database) ?? 0) + 1);
  }

  #isWanted(database: number): boolean {
    const { only } = this.#parts.wish;
    return only === undefined || only === database;
  }

  #severalDatabases(): KvdbError {
    const { source } = this.#parts;
    const found = [...this.#found.keys()].join(", ");
    const message = `${source.name} has keys in the databases ${found}: --database takes those of one, which --from-database names`;
    return new KvdbError("USAGE", message);
  }

  async tellChecked(): Promise<number> {
    await this.#print(`would import ${groupedCount(this.#keys, "key")}`);
    return 0;
  }

  async run(send: Send): Promise<number> {
    const { source, wish, stop } = this.#parts;
    const refuse = (key: Buffer, reason: string) =>
      this.#problem(`key ${shownKey(key, 0, key.length)}: ${reason}`);
    const intake = new ImportIntake({ send, refuse });
    this.#bar = new TransferBar("importing", this.#world);
    const entries = new StoredEntries(wish.prefix);
    let arrivals: Arrival[] = [];
    const takeAll = async () => {
      const taken = arrivals;
      arrivals = [];
      for (const arrival of taken) {
        const taking = this.#take(arrival, intake);
        if (taking !== undefined) await taking;
        if (stop.isWanted) throw new Stopped();
      }
    };
    try {
      await source.read(
        (entry) => {
          const arrival = this.#isWanted(entry.database) ? entries.take(entry) : undefined;
          if (arrival !== undefined) arrivals.push(arrival);
        },
        async (done, total) => {
          await takeAll();
          this.#bar.show({ keys: intake.keys, bytes: done, share: done / total });
        },
      );
      await takeAll();
      await intake.finish();
      const made = await this.#makeIndexes(send);
      return await this.#end(intake.keys, made);
    } catch (error) {
      // What was sent is counted, if whoever takes it still answers.
      await Promise.allSettled([intake.finish()]);
      if (error instanceof Stopped) {
        return await this.#stopped(`${groupedCount(intake.keys, "key")} are imported`);
      }
      throw told(error, intake.keys);
    } finally {
      this.#bar.end();
    }
  }

  /** A promise for few of them: an await for each key takes as long as all else. */
  #take(arrival: Arrival, intake: ImportIntake): Promise<void> | undefined {
    if (arrival.kind === "index") {
      this.#indexes.push(arrival);
      return undefined;
    }
    if (arrival.kind === "problem") {
      const { key, message } = arrival;
      return this.#problem(`key ${shownKey(key, 0, key.length)}: ${message}`);
    }
    const { database, entry } = arrival;
    const { deadlineMs } = entry;
    if (deadlineMs !== 0 && deadlineMs <= this.#world.platform.clock.now()) this.#expired++;
    const target = this.#target(database);
    if (target !== intake.database) return intake.into(target).then(() => intake.add(entry));
    intake.add(entry);
    return intake.isFull ? intake.take() : undefined;
  }

  #target(database: number): number {
    return this.#parts.wish.database ?? database;
  }

  /** Resolves to how many are made. */
  async #makeIndexes(send: Send): Promise<number> {
    let made = 0;
    for (const index of this.#indexes) {
      if (this.#parts.stop.isWanted) throw new Stopped();
      const problem = await this.#makeIndex(index, send);
      if (problem === undefined) made++;
      else await this.#problem(problem);
    }
    return made;
  }

  /** Resolves to why it was not made. */
  async #makeIndex(
    { database, name, definition }: FoundIndex,
    send: Send,
  ): Promise<string | undefined> {
    try {
      for (const parts of [
        ["SELECT", String(this.#target(database))],
        indexCommand(name, definition),
      ]) {
        const answer = await (await send(parts)).answer;
        if (answer.kind === "error") return `the index "${name}": ${answer.code} ${answer.text}`;
      }
      return undefined;
    } catch (error) {
      if (error instanceof ItemProblem) return error.message;
      throw error;
    }
  }

  // ---- telling ----

  /** Rejects with it, unless it is to be told and left out. */
  async #problem(text: string): Promise<void> {
    const { source, wish } = this.#parts;
    const whole = `${source.name}: ${text}`;
    if (wish.goesOn) return this.#problems.tell(whole);
    throw new KvdbError("COMMAND", `${escapeControls(whole)}; --continue leaves it out`);
  }

  async #end(keys: number, indexes: number): Promise<number> {
    await this.#problems.end();
    const made = indexes === 0 ? "" : ` and ${groupedCount(indexes, "index", "indexes")}`;
    await this.#print(`imported ${groupedCount(keys - this.#expired, "key")}${made}`);
    if (this.#expired > 0) {
      const { name } = this.#parts.source;
      const gone = groupedCount(this.#expired, "key");
      await this.#world.printError(`${name}: ${gone} had expired already\n`);
    }
    if (this.#problems.count === 0) return 0;
    await this.#world.printError(`left out ${this.#problems.amount}\n`);
    return 1;
  }

  async #print(done: string): Promise<void> {
    const span = spanText(this.#world.platform.clock.monotonicMs() - this.#begunMs);
    await this.#world.print(Buffer.from(`${done} in ${span}\n`));
  }

  async #stopped(what: string): Promise<number> {
    await this.#world.printError(`stopped: ${what}\n`);
    return STOPPED_CODE;
  }
}

/** How far it came belongs to every failure: that much stays. */
function told(error: unknown, keys: number): unknown {
  if (!(error instanceof KvdbError) || keys === 0) return error;
  const message = `${error.message} (${groupedCount(keys, "key")} had been imported, which stay)`;
  return new KvdbError(error.code, message, { cause: error });
}
