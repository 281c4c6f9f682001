/**
 * A session with two checkpoints, and writes before, behind and between their steps: stopped at
 * every moment, and with operation N failing for every N. A start then finds one checkpoint whole,
 * not older than the last one that was told durable, and all that was acknowledged behind it.
 */
import { expect, test } from "bun:test";
import { seededRandom } from "../../src/platform/random.ts";
import type { Persistence } from "../../src/plugin.ts";
import { type CheckpointRun, expectEntries, takeCheckpoint, twoStates } from "./checkpoint-run.ts";
import { createFaultyFiles } from "./faulty-files.ts";
import type { MemoryDisk } from "./memory-files.ts";
import {
  createLog,
  emptyDisk,
  expectPrefix,
  look,
  type Started,
  type Subject,
  start,
} from "./persistence-case.ts";
import type { ReadRecord } from "./persistence-context.ts";
import type { ReadEntry, State } from "./stored-entries.ts";

export function checkpointFaultTests(subject: Subject): void {
  crashTests(subject);
  failureTests(subject);
}

const nothing: State = { revision: 0, entries: [] };

/** What was promised so far. */
interface Promised {
  /** Index in the run's `states` of the last checkpoint that was told durable. */
  checkpoint: number;
  records: number;
}

interface SessionRun {
  readonly subject: Subject;
  readonly files: MemoryDisk["files"];
  /** What is in the log, or may be. */
  appended: ReadRecord[];
  /** What may be found, oldest first; each with another number of entries. */
  readonly states: State[];
  readonly promised: Promised;
  readonly beforeLife?: () => void;
  /** Runs a step; undefined when it failed and may. */
  readonly attempt: Attempt;
}

type Attempt = <Result>(step: () => Promise<Result>) => Promise<{ result: Result } | undefined>;

function createRun(
  subject: Subject,
  files: MemoryDisk["files"],
  rest: Pick<SessionRun, "promised" | "attempt" | "beforeLife">,
): SessionRun {
  return { subject, files, appended: [], states: [nothing], ...rest };
}

const mustSucceed: Attempt = async (step) => ({ result: await step() });

const mayFail: Attempt = async (step) => {
  try {
    return { result: await step() };
  } catch (error) {
    expect(error).toBeInstanceOf(Error);
    return undefined;
  }
};

/** Two lives, two checkpoints, and writes before, behind and between their steps. */
async function twoLives(run: SessionRun): Promise<void> {
  for (const [index, state] of twoStates.entries()) {
    run.beforeLife?.();
    const started = await run.attempt(() => start(run.subject.make, run));
    if (started === undefined) continue;
    forgetLost(run, started.result);
    await oneLife(run, started.result.instance, index, state);
  }
}

async function oneLife(
  run: SessionRun,
  instance: Persistence,
  index: number,
  state: State,
): Promise<void> {
  const { subject, files, promised, attempt } = run;
  const log = createLog(instance);
  let revision = run.appended.at(-1)?.revision ?? 0;
  const write = async (upTo: number, durable: boolean): Promise<void> => {
    if (!subject.supports.records) return;
    while (revision < upTo) {
      log.append(++revision, [revision * 40]);
      run.appended.push(...log.appended.slice(-1));
    }
    const flushed = await attempt(() => instance.flush(durable));
    if (flushed !== undefined && durable) promised.records = revision;
  };
  await write(state.revision - 1, true);
  await write(state.revision, false);
  const onBegun = () => write(state.revision + 1, true);
  const onWritten = () => write(state.revision + 2, false);
  const take = async (number: number, given: CheckpointRun): Promise<boolean> => {
    run.states[number] = given.state;
    const taken = await attempt(() => takeCheckpoint(subject, given));
    if (taken !== undefined) promised.checkpoint = number;
    return taken !== undefined;
  };
  const first = { instance, files, state, onBegun, onWritten };
  if (!(await take(1 + index * 2, first))) {
    const entries = [...state.entries, { key: "again", value: "1" }, { key: "and", value: "2" }];
    const again = { revision: Math.max(revision, state.revision), entries };
    await take(2 + index * 2, { instance, files, state: again });
  }
  await write(state.revision + 3, true);
  await attempt(() => instance.close());
}

/** What the life before appended and nobody was promised need not be there in the next. */
function forgetLost(run: SessionRun, { entries, read }: Started): void {
  const upTo = stateOf(run, entries)?.revision ?? 0;
  const found = new Set(read.map(({ revision }) => revision));
  run.appended = run.appended.filter(({ revision }) => revision <= upTo || found.has(revision));
}

function stateOf(
  { states }: SessionRun,
  entries: readonly ReadEntry[],
  from = 0,
): State | undefined {
  return states.find((state, index) => index >= from && state?.entries.length === entries.length);
}

/** A start finds one of the states whole, not older than promised, and the records behind it. */
async function expectPromised(
  run: SessionRun,
  disk: MemoryDisk,
  { promised, appended = run.appended, where }: Omit<Moment, "disk">,
): Promise<void> {
  const { entries, read, report } = await look(run.subject.make, disk);
  const found = stateOf(run, entries, promised.checkpoint);
  if (found === undefined) {
    throw new Error(
      `${where}: ${entries.length} entries, checkpoint ${promised.checkpoint} counts`,
    );
  }
  expectEntries(entries, found);
  const behind = appended.filter(({ revision }) => revision > found.revision);
  const atLeast = behind.filter(({ revision }) => revision <= promised.records).length;
  expectPrefix(read, behind, atLeast, where);
  const last = read.at(-1)?.revision ?? found.revision;
  expect(report.lastRevision).toBeGreaterThanOrEqual(last);
}

interface Moment {
  readonly disk: MemoryDisk;
  readonly promised: Promised;
  /** Default: all that the run appended. */
  readonly appended?: readonly ReadRecord[];
  readonly where: string;
}

function crashTests(subject: Subject): void {
  test("a stop at every moment leaves the old or the new one whole, and what was acknowledged", async () => {
    const disk = await emptyDisk();
    const moments: Moment[] = [];
    const promised: Promised = { checkpoint: 0, records: 0 };
    const keep = (where: string) =>
      void moments.push({ disk: disk.copy(), promised: { ...promised }, where });
    const { files } = createFaultyFiles(disk.files, undefined, {
      beforeOperation: (count) => keep(`operation ${count}`),
    });
    disk.onVolatileWrite = () => keep("a write");
    const run = createRun(subject, files, { promised, attempt: mustSucceed });
    await twoLives(run);
    keep("the end");
    expect(moments.length).toBeGreaterThan(10);
    for (const [index, moment] of moments.entries()) {
      for (const [ending, stop] of Object.entries(endings)) {
        const copy = moment.disk.copy();
        stop(copy, index);
        const where = `${ending} at ${moment.where}`;
        await expectPromised(run, copy, { ...moment, where });
      }
    }
  });
}

const endings: Record<string, (disk: MemoryDisk, seed: number) => void> = {
  kill: (disk) => disk.kill(),
  "power loss": (disk) => disk.crash(),
  "power loss, torn": (disk, seed) => disk.crash(seededRandom(seed)),
  "power loss, torn otherwise": (disk, seed) => disk.crash(seededRandom(seed + 10_000)),
};

function failureTests(subject: Subject): void {
  test("one operation fails, and then a stop at every moment", async () => {
    let struck = true;
    for (let at = 1; struck; at++) struck = await failingThenStopped(subject, at);
  });

  for (const kind of ["once", "lasting"] as const) {
    test(`operation N fails (${kind}), for every N: nothing promised is lost`, async () => {
      let struck = true;
      for (let at = 1; struck; at++) struck = await failingSession(subject, at, kind);
    });
  }
}

/** False when the session has fewer operations than `at`. */
async function failingSession(
  subject: Subject,
  at: number,
  kind: "once" | "lasting",
): Promise<boolean> {
  const disk = await emptyDisk();
  const afterFailedSync = (path: string) => disk.poison(path);
  const faulty = createFaultyFiles(disk.files, { at, kind }, { afterFailedSync });
  const promised: Promised = { checkpoint: 0, records: 0 };
  let life = 0;
  const beforeLife = () => {
    if (++life === 2) faulty.heal();
  };
  const run = createRun(subject, faulty.files, { promised, attempt: mayFail, beforeLife });
  await twoLives(run);
  const { struck } = faulty;
  // A fault that struck in the first life is over in the second.
  if (!struck || kind === "lasting") expect(promised).toMatchObject({ checkpoint: 3 });
  const where = `operation ${at} fails ${kind}`;
  for (const [ending, stop] of Object.entries(endings)) {
    const copy = disk.copy();
    stop(copy, at);
    await expectPromised(run, copy, { promised, where: `${where}, ${ending}` });
  }
  faulty.heal();
  await expectGoesOn(subject, disk, where);
  return struck;
}

/**
 * So many operations behind the one that failed are looked at: enough for the next attempt at what
 * failed.
 */
const OPERATIONS_BEHIND = 20;

/** Stops at every moment behind a failure; false when the session has fewer operations. */
async function failingThenStopped(subject: Subject, at: number): Promise<boolean> {
  const disk = await emptyDisk();
  const promised: Promised = { checkpoint: 0, records: 0 };
  const moments: Moment[] = [];
  const faulty = createFaultyFiles(
    disk.files,
    { at, kind: "once" },
    {
      afterFailedSync: (path) => disk.poison(path),
      beforeOperation(count) {
        if (count <= at || count > at + OPERATIONS_BEHIND) return;
        const where = `operation ${at} fails, stop at ${count}`;
        const appended = [...run.appended];
        moments.push({ disk: disk.copy(), promised: { ...promised }, appended, where });
      },
    },
  );
  const run = createRun(subject, faulty.files, { promised, attempt: mayFail });
  await twoLives(run);
  for (const { disk: stopped, ...moment } of moments) {
    const torn = stopped.copy();
    torn.crash(seededRandom(at));
    stopped.kill();
    await expectPromised(run, torn, { ...moment, where: `${moment.where}, torn` });
    await expectPromised(run, stopped, moment);
  }
  return faulty.struck;
}

/** Whatever failed before: the next start takes a checkpoint, and that one counts. */
async function expectGoesOn(subject: Subject, disk: MemoryDisk, where: string): Promise<void> {
  disk.kill();
  const { instance, report } = await start(subject.make, disk);
  const state = { revision: report.lastRevision + 2 ** 24, entries: twoStates[1].entries };
  await takeCheckpoint(subject, { instance, files: disk.files, state });
  disk.crash();
  const found = await look(subject.make, disk);
  expect({ where, last: found.report.lastRevision }).toEqual({ where, last: state.revision });
  expectEntries(found.entries, state);
  expect(found.read).toEqual([]);
}
