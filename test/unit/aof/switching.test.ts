/**
 * CONFIG SET appendonly, stopped at every moment: whatever was promised is what a start finds, with the
 * append-only file or with the RDB that has taken its place, never an old one of the two.
 */
import { expect, test } from "bun:test";
import aof from "../../../plugins/aof/index.ts";
import type { AofOptions } from "../../../plugins/aof/options.ts";
import { seededRandom } from "../../../src/platform/random.ts";
import type { CheckpointKind, CheckpointReport, Persistence } from "../../../src/plugin.ts";
import {
  createEntryReader,
  createFaultyFiles,
  type MemoryDisk,
  type State,
} from "../../suites/index.ts";
import { emptyDisk, FOLDER, type Found, look, start, write } from "./support.ts";

/** Each state has another number of entries. */
function stateOf(revision: number, entries: number): State {
  const keys = Array.from({ length: entries }, (_, i) => ({ key: `key ${i}`, value: "v" }));
  return { revision, entries: keys };
}

interface Moment {
  readonly disk: MemoryDisk;
  /** How many entries and records a start may find: the last are promised, those before perhaps there. */
  readonly allowed: readonly string[];
  readonly where: string;
}

/** An instance as the kernel drives it; `allowed` is what a start may find from here on. */
class Driven {
  readonly disk: MemoryDisk;
  readonly moments: Moment[] = [];
  allowed: readonly string[] = ["0+0"];
  state: State = stateOf(0, 0);
  found!: Found;
  onBegun: () => Promise<void> = async () => {};
  #asked: Promise<unknown> = Promise.resolve();

  constructor(disk: MemoryDisk) {
    this.disk = disk;
  }

  async start(options: AofOptions): Promise<void> {
    const keep = (count: number) => {
      const where = `operation ${count}`;
      this.moments.push({ disk: this.disk.copy(), allowed: this.allowed, where });
    };
    const { files } = createFaultyFiles(this.disk.files, undefined, { beforeOperation: keep });
    const faulty = Object.assign(Object.create(this.disk) as MemoryDisk, { files });
    const requestCheckpoint = (_reason: string, kind: CheckpointKind = "compact") => {
      const taken = this.take(kind);
      this.#asked = taken;
      return taken;
    };
    this.found = await start(faulty, { options, requestCheckpoint });
  }

  get instance(): Persistence {
    return this.found.instance;
  }

  set(value: string): void {
    this.found.context.parameters.get("appendonly")?.set?.(value);
  }

  async take(kind: CheckpointKind): Promise<CheckpointReport> {
    const { state } = this;
    const task = await this.instance.beginCheckpoint?.(state.revision, kind);
    await this.onBegun();
    const { files } = this.disk;
    const target = { files, folder: FOLDER, options: {}, task, proceed: () => {} };
    const written = await aof.writeCheckpoint?.(createEntryReader(state), target as never);
    const { revision, entries } = state;
    const rest = { kind, revision, entries: entries.length, durationMs: 1 } as const;
    const report = { ...(written as { bytes: number }), ...rest };
    await this.instance.checkpointed?.(report);
    return report;
  }

  async settled(durability: string): Promise<void> {
    while (this.instance.durability !== durability) await new Promise((next) => setImmediate(next));
    await this.#asked;
  }
}

async function expectAllowed(moments: readonly Moment[]): Promise<void> {
  expect(moments.length).toBeGreaterThan(10);
  for (const [index, { disk, allowed, where }] of moments.entries()) {
    for (const seed of [undefined, index]) {
      const copy = disk.copy();
      copy.crash(seed === undefined ? undefined : seededRandom(seed));
      const { entries, read } = await look(copy);
      const found = `${entries.length}+${read.length}`;
      expect({ where, seed, found, isAllowed: allowed.includes(found) }).toEqual({
        ...{ where, seed, found, isAllowed: true },
      });
    }
  }
}

test("on: until the first rewrite is there the RDB counts, from then on each change", async () => {
  const driven = new Driven(await emptyDisk());
  await driven.start({ appendonly: false, save: "" });
  driven.state = stateOf(3, 2);
  driven.allowed = ["0+0", "2+0"];
  await driven.take("save");
  driven.allowed = ["2+0", "5+0", "5+1", "5+2"];
  driven.state = stateOf(6, 5);
  driven.onBegun = async () => {
    expect(driven.instance.durability).toBe("no");
    await write(driven.found, 7, 20);
    await write(driven.found, 8, 20);
  };
  driven.set("yes");
  await driven.settled("always");
  driven.allowed = ["5+2", "5+3"];
  await write(driven.found, 9, 20);
  driven.allowed = ["5+3"];
  await driven.instance.flush(true);
  await driven.instance.close();
  await expectAllowed(driven.moments);
});

test("off: the append-only file counts until an RDB is saved, and never after", async () => {
  const driven = new Driven(await emptyDisk());
  await driven.start({ save: "" });
  await write(driven.found, 1, 20);
  driven.moments.length = 0;
  driven.allowed = ["0+1", "0+2"];
  await write(driven.found, 2, 20);
  driven.allowed = ["0+2", "3+0"];
  driven.state = stateOf(2, 3);
  driven.set("no");
  await driven.settled("none");
  driven.allowed = ["3+0", "4+0"];
  driven.state = stateOf(9, 4);
  await driven.take("save");
  driven.allowed = ["4+0"];
  await driven.instance.flush(true);
  await driven.instance.close();
  await expectAllowed(driven.moments);
  // On again by the configuration: with the RDB, and then with what comes.
  const again = await start(driven.disk);
  expect(again.entries).toHaveLength(4);
  await write(again, 2 ** 25, 10);
  await again.instance.close();
  const last = await look(driven.disk);
  expect([last.entries.length, last.read.length]).toEqual([4, 1]);
});

test("off and the RDB that took its place is gone: damage, and recover has the old file", async () => {
  const driven = new Driven(await emptyDisk());
  await driven.start({ save: "" });
  await write(driven.found, 1, 20);
  driven.state = stateOf(1, 3);
  driven.set("no");
  await driven.settled("none");
  await driven.instance.close();
  await driven.disk.files.remove(`${FOLDER}/dump.rdb`);
  expect(look(driven.disk)).rejects.toThrow("dump.rdb is gone");
  const { read, report } = await look(driven.disk, { purpose: { kind: "recover" } });
  expect(read).toHaveLength(1);
  expect(report.dropped).toMatchObject([{ kind: "damage" }]);
});

test("either way, and taken back at once, as by a CONFIG SET that is refused: nothing has begun", async () => {
  const [off, on] = [new Driven(await emptyDisk()), new Driven(await emptyDisk())];
  await off.start({ appendonly: false, save: "" });
  await on.start({ save: "" });
  for (const [driven, is, other] of [
    [off, "no", "yes"],
    [on, "yes", "no"],
  ] as const) {
    const before = driven.instance.durability;
    const operations = driven.moments.length;
    driven.set(other);
    driven.set(is);
    for (let turn = 0; turn < 5; turn++) await new Promise((next) => setImmediate(next));
    expect(driven.found.context.parameters.get("appendonly")?.get()).toBe(is);
    expect([driven.instance.durability, driven.moments.length]).toEqual([before, operations]);
    await driven.instance.close();
  }
});

test("on, and the disk refuses the first rewrite: it stays off, and the RDB counts", async () => {
  const driven = new Driven(await emptyDisk());
  await driven.start({ appendonly: false, save: "" });
  driven.state = stateOf(3, 2);
  await driven.take("save");
  driven.onBegun = async () => {
    await write(driven.found, 4, 20);
    throw new Error("the disk is full");
  };
  const parameter = driven.found.context.parameters.get("appendonly");
  driven.set("yes");
  expect(parameter?.get()).toBe("yes");
  await Promise.resolve();
  expect(() => driven.set("no")).toThrow("being switched on");
  while (parameter?.get() === "yes") await new Promise((next) => setImmediate(next));
  expect(driven.instance.durability).toBe("none");
  await driven.instance.flush(false);
  await driven.instance.close();
  const { entries, read } = await look(driven.disk);
  expect([entries.length, read.length]).toEqual([2, 0]);
});
