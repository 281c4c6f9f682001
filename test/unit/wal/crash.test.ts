/**
 * Stops of every kind at every moment: before each operation on the disk, and in the middle of each
 * synced write, the disk is copied, and each copy ends in a kill, a power loss, or a power loss
 * that keeps single sectors. Each time the log must start, hold all that was acknowledged, and go
 * on: what is written afterwards survives the next loss.
 */
import { expect, test } from "bun:test";
import { seededRandom } from "../../../src/platform/random.ts";
import { createFaultyFiles, type MemoryDisk, type ReadRecord } from "../../suites/index.ts";
import { seeds } from "../../suites/seeds.ts";
import {
  append,
  emptyDisk,
  expectPrefix,
  look,
  makeWal,
  type StartOptions,
  start,
} from "./history.ts";

/** Random ends of each moment; neighbouring moments differ little, so a few go a long way. */
const TORN_ENDINGS = 3;

interface Moment {
  readonly disk: MemoryDisk;
  readonly acknowledged: number;
  readonly operation: number;
}

/** Runs a session and keeps the disk as it was at each moment. */
async function recordMoments(
  options: StartOptions,
  session: (run: SessionTools) => Promise<void>,
): Promise<{ moments: Moment[]; appended: ReadRecord[] }> {
  const disk = await emptyDisk();
  const moments: Moment[] = [];
  const appended: ReadRecord[] = [];
  const state = { acknowledged: 0, operation: 0 };
  const keep = () => void moments.push({ disk: disk.copy(), ...state });
  const beforeOperation = (count: number) => {
    state.operation = count;
    keep();
  };
  const { files } = createFaultyFiles(disk.files, undefined, { beforeOperation });
  disk.onVolatileWrite = keep;
  await session({ files, options, appended, state });
  keep();
  return { moments, appended };
}

interface SessionTools {
  readonly files: MemoryDisk["files"];
  readonly options: StartOptions;
  readonly appended: ReadRecord[];
  readonly state: { acknowledged: number };
}

/** Two lives: writes of every kind, with an orderly stop in between. */
async function twoLives({ files, options, appended, state }: SessionTools): Promise<void> {
  let revision = 1;
  for (let life = 0; life < 2; life++) {
    const { instance } = await start(files, options);
    for (let turn = 0; turn < 8; turn++) {
      const sizes = turn === 5 ? [700, 20] : [10 + turn * 20, 30];
      append(instance, appended, revision, sizes);
      revision += sizes.length;
      if (turn === 3) continue; // goes with the next
      await instance.flush(turn % 3 !== 1);
      if (turn % 3 !== 1) state.acknowledged = appended.length;
    }
    await instance.flush(true);
    state.acknowledged = appended.length;
    await instance.close();
  }
}

type Ending = (disk: MemoryDisk, seed: number) => void;

const endings: Record<string, Ending> = {
  kill: (disk) => disk.kill(),
  "power loss": (disk) => disk.crash(),
  "power loss, torn": (disk, seed) => disk.crash(seededRandom(seed)),
};

for (const fsync of ["always", "everysec", "no"] as const) {
  for (const segmentBytes of [400, 1 << 20]) {
    const options = { fsync, segmentBytes };
    for (const [name, end] of Object.entries(endings)) {
      test(`${name} at every moment: ${fsync}, segments of ${segmentBytes} bytes`, async () => {
        const { moments, appended } = await recordMoments(options, twoLives);
        expect(moments.length).toBeGreaterThan(40);
        const rounds = name.endsWith("torn") ? TORN_ENDINGS : 1;
        for (const moment of moments) {
          for (let seed = 1; seed <= rounds; seed++) {
            const where = `operation ${moment.operation}, seed ${seed}`;
            const copy = moment.disk.copy();
            end(copy, seed);
            await expectSurvives(copy, options, { ...moment, appended, where });
          }
        }
      });
    }
  }
}

/** The start holds what was acknowledged, and what is written from then on. */
async function expectSurvives(
  disk: MemoryDisk,
  options: StartOptions,
  { acknowledged, appended, where }: Moment & { appended: readonly ReadRecord[]; where: string },
): Promise<void> {
  const { instance, read, report } = await start(disk.files, options);
  expectPrefix(read, appended, acknowledged, where);
  const all = [...read];
  append(instance, all, report.lastRevision + 2 ** 24, [33, 44]);
  await instance.flush(true);
  const lost = disk.copy();
  for (const [end, stop] of [
    [lost, "crash"],
    [disk, "kill"],
  ] as const) {
    end[stop]();
    const after = await look(end.files, options);
    expect({ where, stop, read: after.read }).toEqual({ where, stop, read: all });
  }
}

test("whichever operation fails, the next flush goes on, and a power loss loses nothing acknowledged", async () => {
  for (const kind of ["once", "lasting"] as const) {
    for (const segmentBytes of [400, 1 << 20]) {
      let struck = true;
      for (let at = 1; struck; at++) struck = await failingLife(at, kind, { segmentBytes });
    }
  }
});

/**
 * Operation `at` fails in a life that begins on a log that already has groups. False: there were
 * fewer.
 */
async function failingLife(
  at: number,
  kind: "once" | "lasting",
  options: StartOptions,
): Promise<boolean> {
  const disk = await emptyDisk();
  const appended: ReadRecord[] = [];
  const before = await start(disk.files, options);
  append(before.instance, appended, 1, [40, 50]);
  await before.instance.flush(true);
  await before.instance.close();

  const afterFailedSync = (path: string) => disk.poison(path);
  const faulty = createFaultyFiles(disk.files, { at, kind }, { afterFailedSync });
  const [instance] = makeWal(options, faulty.files);
  let acknowledged = 2;
  try {
    await instance.open();
    await instance.load({ entry() {}, records() {}, progress() {} });
    acknowledged = await writeThrough(instance, appended, faulty);
    expect(acknowledged).toBe(appended.length);
  } catch (error) {
    expect(error).toBeInstanceOf(Error);
    expect(faulty.struck).toBe(true);
  }
  const { struck } = faulty;
  for (const seed of [0, 1, 2, 3]) {
    const copy = disk.copy();
    copy.crash(seed === 0 ? undefined : seededRandom(seed));
    const where = `operation ${at} fails ${kind}, seed ${seed}`;
    await expectSurvives(copy, options, { disk, operation: at, acknowledged, appended, where });
  }
  return struck;
}

/**
 * Twelve turns, in which failures are expected until the seventh. Returns how many records are
 * durable.
 */
async function writeThrough(
  instance: ReturnType<typeof makeWal>[0],
  appended: ReadRecord[],
  faulty: { heal(): void },
): Promise<number> {
  let acknowledged = 2;
  for (let turn = 0; turn < 12; turn++) {
    if (turn === 7) faulty.heal();
    append(instance, appended, 3 + turn, [turn * 25]);
    const durable = turn % 2 === 1;
    const flushed = await instance.flush(durable).then(
      () => true,
      () => false,
    );
    if (flushed && durable) acknowledged = appended.length;
    if (turn > 7) expect(flushed).toBe(true);
  }
  return acknowledged;
}

test("one operation fails, and then a stop at every moment", async () => {
  const options = { segmentBytes: 300 };
  let struck = true;
  for (let at = 1; struck; at++) {
    const disk = await emptyDisk();
    const moments: Moment[] = [];
    const appended: ReadRecord[] = [];
    let acknowledged = 0;
    const faulty = createFaultyFiles(
      disk.files,
      { at, kind: "once" },
      {
        afterFailedSync: (path) => disk.poison(path),
        beforeOperation: (operation) => {
          if (operation > at) moments.push({ disk: disk.copy(), acknowledged, operation });
        },
      },
    );
    const started = await start(faulty.files, options).catch(() => undefined);
    for (let turn = 1; started !== undefined && turn <= 4; turn++) {
      append(started.instance, appended, turn, [130]);
      const flushed = await started.instance.flush(true).catch(() => "refused");
      if (flushed !== "refused") acknowledged = appended.length;
    }
    for (const moment of moments) {
      for (const [name, end] of Object.entries(endings)) {
        const copy = moment.disk.copy();
        end(copy, at);
        const where = `${at} failed, ${name} at ${moment.operation}`;
        await expectSurvives(copy, options, { ...moment, appended, where });
      }
    }
    struck = faulty.struck;
  }
});

for (const seed of seeds(60)) {
  test(`a random history, six lives, stops of every kind: seed ${seed}`, () => randomHistory(seed));
}

async function randomHistory(seed: number): Promise<void> {
  const random = seededRandom(seed);
  const disk = await emptyDisk();
  const options: StartOptions = {
    fsync: (["always", "everysec", "no"] as const)[random.below(3)],
    segmentBytes: [300, 2000, 1 << 20][random.below(3)],
  };
  let durable: ReadRecord[] = [];
  for (let life = 0; life < 6; life++) {
    const { instance, read, report } = await start(disk.files, options);
    expectPrefix(
      read.slice(0, durable.length),
      durable,
      durable.length,
      `seed ${seed}, life ${life}`,
    );
    const appended = [...read];
    durable = [...read];
    let revision = report.lastRevision + (report.clean ? 1 : 2 ** 24);
    for (let turn = random.below(40); turn > 0; turn--) {
      const sizes = Array.from({ length: 1 + random.below(4) }, () =>
        random.below(random.below(3) === 0 ? 2000 : 60),
      );
      append(instance, appended, revision, sizes);
      revision += sizes.length;
      const isDurable = random.below(3) === 0;
      if (random.below(4) === 0) continue;
      await instance.flush(isDurable);
      if (isDurable) durable = [...appended];
    }
    const ending = random.below(4);
    if (ending === 0) {
      await instance.flush(true);
      durable = [...appended];
      await instance.close();
    } else if (ending === 1) disk.kill();
    else disk.crash(ending === 2 ? random : undefined);
    const found = await look(disk.files, options);
    expectPrefix(found.read, appended, durable.length, `seed ${seed}, end of life ${life}`);
    durable = [...found.read];
  }
}
