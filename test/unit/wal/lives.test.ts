/**
 * Random histories in which everything happens: records short and long, flushes that overlap,
 * promises that change, checkpoints that are taken, given up and lost, segments that are packed, disks
 * that refuse once or all the time, stops of every kind, a check in between. Each start must find one of the checkpoints, not older than the last that was told
 * durable, and behind it all that was acknowledged.
 */
import { expect, test } from "bun:test";
import { type Random, seededRandom } from "../../../src/platform/random.ts";
import type { Persistence, Revision } from "../../../src/plugin.ts";
import {
  createFaultyFiles,
  type EntryShape,
  expectEntries,
  type FaultyFiles,
  type MemoryDisk,
  type OperationKind,
  type ReadRecord,
  type State,
} from "../../suites/index.ts";
import { seeds } from "../../suites/seeds.ts";
import {
  append,
  check,
  checkpoint,
  emptyDisk,
  expectPrefix,
  type Started,
  type StartOptions,
  start,
} from "./history.ts";

const LIVES = 6;
const MOST_TURNS = 25;
const MODES = ["always", "everysec", "no"] as const;

for (const seed of seeds(60)) {
  test(`everything at random, ${LIVES} lives: seed ${seed}`, () => new History(seed).run());
}

class History {
  readonly #random: Random;
  readonly #options: StartOptions;
  readonly #where: string;
  #disk: MemoryDisk | undefined;
  /** What may be in the log. */
  #appended: ReadRecord[] = [];
  #acknowledged: Revision = 0;
  #nextRevision: Revision = 1;
  /** One of so many operations fails; 0: none does. */
  #faultsIn = 0;
  /** What may be found, oldest first; all before the last that was told durable are gone. */
  #states: State[] = [{ revision: 0, entries: [] }];

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    this.#where = `seed ${seed}`;
    this.#options = {
      fsync: this.#pick(MODES),
      segmentBytes: this.#pick([300, 2000, 100_000, 1 << 20]),
      compaction: { ratio: 0 },
      compression: { checkpoints: this.#pick([0, 1]), segments: this.#pick([0, 1]) },
    };
  }

  async run(): Promise<void> {
    const disk = await emptyDisk();
    this.#disk = disk;
    for (let life = 0; life < LIVES; life++) {
      const afterFailedSync = (path: string) => disk.poison(path);
      const hooks = { afterFailedSync, beforeOperation: () => this.#disturb(faulty) };
      const faulty = createFaultyFiles(disk.files, undefined, hooks);
      const started = await start(faulty.files, this.#options);
      this.#expectFound(started, `${this.#where}, life ${life}`);
      this.#faultsIn = this.#pick([0, 0, 4, 12]);
      for (let turn = this.#random.below(MOST_TURNS); turn > 0; turn--) {
        await this.#turn(started, faulty);
      }
      if (this.#one(2)) this.#faultsIn = 0;
      await this.#end(started, faulty);
      this.#faultsIn = 0;
    }
  }

  /** On some disks, in some lives, any operation may fail. */
  #disturb(faulty: FaultyFiles): void {
    if (this.#faultsIn > 0 && this.#one(this.#faultsIn)) faulty.failNext(this.#pick(FAULTS));
  }

  /** Also makes what was found the beginning of what follows. */
  #expectFound({ entries, read, report }: Started, where: string): void {
    const state = this.#states.find(({ entries: known }) => idOf(known) === idOfRead(entries));
    if (state === undefined) throw new Error(`${where}: no checkpoint that could be there`);
    expectEntries(entries, state);
    const behind = this.#appended.filter(({ revision }) => revision > state.revision);
    const promised = behind.filter(({ revision }) => revision <= this.#acknowledged).length;
    expectPrefix(read, behind, promised, where);
    expect(report.dropped.filter(({ kind }) => kind !== "tail")).toEqual([]);
    this.#states = [state];
    this.#appended = [...read];
    this.#acknowledged = read.at(-1)?.revision ?? state.revision;
    expect(report.lastRevision).toBeGreaterThanOrEqual(this.#acknowledged);
    this.#nextRevision = report.lastRevision + (report.clean ? 1 : 2 ** 24);
  }

  async #turn(started: Started, faulty: FaultyFiles): Promise<void> {
    const { instance } = started;
    if (this.#one(12)) faulty.failNext(this.#pick(FAULTS));
    if (this.#one(10)) started.context.parameters.get("appendfsync")?.set?.(this.#pick(MODES));
    if (!this.#one(4)) this.#append(started);
    if (this.#one(8)) return this.#checkpoint(started);
    if (this.#one(10)) return this.#check();
    if (this.#one(5)) {
      started.context.clock.advance(60_000); // packs
      await turns(5);
    }
    const flushes = [this.#flush(instance)];
    for (let more = this.#one(2) ? this.#random.below(5) : 0; more > 0; more--) {
      this.#append(started);
      flushes.push(this.#flush(instance));
      if (this.#one(2)) await turns(this.#random.below(3));
    }
    await Promise.all(flushes);
  }

  async #flush(instance: Persistence): Promise<void> {
    const upTo = this.#appended.at(-1)?.revision ?? 0;
    const durable = this.#one(2);
    const flushed = await succeeds(instance.flush(durable));
    if (flushed && durable) this.#acknowledged = Math.max(this.#acknowledged, upTo);
  }

  #append({ instance }: Started): void {
    const length = () =>
      this.#random.below(
        this.#one(60) ? 1_300_000 : this.#one(10) ? 80_000 : this.#one(3) ? 2000 : 60,
      );
    const sizes = Array.from({ length: 1 + this.#random.below(4) }, length);
    append(instance, this.#appended, this.#nextRevision, sizes);
    this.#nextRevision += sizes.length;
  }

  /** Perhaps while records come, and perhaps given up on the way. */
  async #checkpoint(started: Started): Promise<void> {
    const revision = this.#nextRevision - 1;
    const state: State = { revision, entries: this.#entries(revision) };
    const flushing = this.#one(2) ? started.instance.flush(this.#one(2)) : Promise.resolve();
    this.#states.push(state);
    const isUnwanted = this.#one(4);
    const proceed = () => {
      if (isUnwanted) throw new Error("not wanted any more");
    };
    const meanwhile = async () => this.#append(started);
    const onBegun = this.#one(2) ? meanwhile : undefined;
    const onWritten = this.#one(2) ? meanwhile : undefined;
    const run = { proceed, ...(onBegun && { onBegun }), ...(onWritten && { onWritten }) };
    const taken = succeeds(checkpoint(started, revision, state.entries, this.#options, run));
    await succeeds(flushing);
    if (!(await taken)) return;
    this.#states = [state];
    this.#acknowledged = Math.max(this.#acknowledged, revision);
  }

  /** Recognized by the first; the others are of every length. */
  #entries(revision: Revision): EntryShape[] {
    const long = this.#one(3) ? 150_000 : 300;
    const others = Array.from({ length: this.#random.below(5) }, (_, index) => ({
      key: `key ${index}`,
      value: "v".repeat(this.#random.below(long)),
      database: index,
    }));
    return [{ key: "revision", value: String(revision) }, ...others];
  }

  /** What was acknowledged is there for another reader as well. */
  async #check(): Promise<void> {
    const { files } = (this.#disk as MemoryDisk).copy(); // at rest
    const { report } = await check(files);
    expect(report.dropped.filter(({ kind }) => kind === "damage")).toEqual([]);
    expect(report.lastRevision).toBeGreaterThanOrEqual(this.#acknowledged);
  }

  async #end({ instance }: Started, faulty: FaultyFiles): Promise<void> {
    const disk = this.#disk as MemoryDisk;
    const ending = this.#pick(["close", "kill", "power loss", "torn"] as const);
    if (ending === "close") {
      if (this.#one(2)) faulty.heal();
      const upTo = this.#appended.at(-1)?.revision ?? 0;
      const flushed = await succeeds(instance.flush(true));
      if (flushed) this.#acknowledged = Math.max(this.#acknowledged, upTo);
      await succeeds(instance.close());
    }
    if (ending === "power loss" || ending === "torn") {
      disk.crash(ending === "torn" ? this.#random : undefined);
    } else disk.kill();
  }

  #one(of: number): boolean {
    return this.#random.below(of) === 0;
  }

  #pick<Value>(values: readonly Value[]): Value {
    return values[this.#random.below(values.length)] as Value;
  }
}

const FAULTS: readonly OperationKind[] = [
  { operation: "writing" },
  { operation: "writing", path: /\.log$/ },
  { operation: "writing", path: /manifest/ },
  { operation: "writing", path: /\.kvc$/ },
  { operation: "syncing" },
  { operation: "syncing folder" },
  { operation: "renaming" },
  { operation: "truncating" },
];

function idOf(entries: readonly EntryShape[]): string {
  return Buffer.from(entries[0]?.value ?? "none").toString();
}

function idOfRead(entries: readonly { readonly key: string; readonly value: string }[]): string {
  const key = Buffer.from("revision").toString("hex");
  const found = entries.find((entry) => entry.key === key);
  return found === undefined ? "none" : Buffer.from(found.value, "hex").toString();
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

function succeeds(step: Promise<unknown>): Promise<boolean> {
  return step.then(
    () => true,
    (error: unknown) => {
      expect(error).toBeInstanceOf(Error);
      return false;
    },
  );
}
