/**
 * Promise 1 of the specification, on real file systems: power is lost at a random moment while
 * clients write, the file system recovers by its own log, and kvdb starts by itself. Under `always`
 * nothing that was acknowledged is lost, under `everysec` the last second at most; nothing that was
 * overwritten or deleted returns, and what is there was there at one time.
 *
 * Power is lost by shutting the file system down underneath (xfs_io), with its log flushed or not:
 * what the file system has not written by then never reaches the disk. A disk that lies about what
 * it has written is not tried.
 *
 * KVDB_TEST_LONG=1 runs ten times the rounds; KVDB_TEST_SEED=N repeats the choices of a run (not
 * its timing, which is the machine's).
 */
import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { Random } from "../oracle/random.ts";
import { type FileSystem, ImageDisk, mayMakeDisk } from "./support/image-disk.ts";
import { Ledger } from "./support/ledger.ts";
import { Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";
import { compactUntilLost, writeUntilLost } from "./support/writers.ts";

const IS_LONG = process.env["KVDB_TEST_LONG"] === "1";
const SEED = Number(process.env["KVDB_TEST_SEED"] ?? Date.now() % 2 ** 32);
/** A lost log has thousands. */
const MOST_PROBLEMS = 20;

interface Mode {
  readonly fsync: "always" | "everysec";
  /** Commands that a connection has under way; one connection each. */
  readonly windows: readonly number[];
  readonly rounds: number;
  /** Then a new disk: the log of one round after the other would fill it. */
  readonly roundsPerDisk: number;
  /** How long the clients write. */
  readonly roundMs: readonly [least: number, most: number];
  /** What was acknowledged so long before the last acknowledgement may be lost. */
  readonly mayLoseMs: number;
}

const ALWAYS: Mode = {
  fsync: "always",
  windows: [1, 1, 4, 16, 64],
  rounds: IS_LONG ? 80 : 8,
  roundsPerDisk: 20,
  roundMs: [1, 300],
  mayLoseMs: 0,
};

const EVERYSEC: Mode = {
  fsync: "everysec",
  windows: [1, 1, 4],
  rounds: IS_LONG ? 20 : 2,
  roundsPerDisk: 4,
  roundMs: [1000, 3500],
  mayLoseMs: 1500, // the promised second, and half of one for a machine that was busy
};

const SEGMENT_BYTES = 65_536;

/**
 * The one place where it is said how kvdb is run: all that goes on in the background must go on
 * within a round. Of these each disk draws one: checkpoints replace the log all the time, or full
 * segments stay and are compressed.
 */
const BACKGROUND: readonly object[] = [
  { compaction: { ratio: 1, minBytes: 2 * SEGMENT_BYTES } },
  { compaction: { ratio: 0 }, compression: { segments: 1 } },
];

function configuration(folder: string, { fsync }: Mode, background: object): object {
  return {
    dir: folder,
    persistence: { use: "wal", fsync, segmentBytes: SEGMENT_BYTES, ...background },
  };
}

/** As people mount them; each round draws one. */
const MOUNT_OPTIONS: Record<FileSystem, readonly string[]> = {
  ext4: ["defaults", "data=writeback", "nodelalloc", "data=journal"],
  xfs: ["defaults"],
};

const permitted: Record<FileSystem, boolean> = {
  ext4: await mayMakeDisk("ext4"),
  xfs: await mayMakeDisk("xfs"),
};

describe.each(["ext4", "xfs"] as const)("%s", (kind) => {
  test.skipIf(!permitted[kind]).each([ALWAYS, EVERYSEC])(
    `promise 1: power is lost with fsync $fsync, $rounds rounds, seed ${SEED}`,
    async (mode) => {
      const random = new Random(SEED);
      for (let round = 0; round < mode.rounds; round += mode.roundsPerDisk) {
        await losePowerOnOneDisk(kind, mode, random, `seed ${SEED}, rounds from ${round}`);
      }
    },
    IS_LONG ? 900_000 : 120_000,
  );
});

async function losePowerOnOneDisk(kind: FileSystem, mode: Mode, random: Random, name: string) {
  await using workspace = await Workspace.create();
  await using disk = await ImageDisk.create(kind);
  const config = configuration(`${disk.folder}/data`, mode, random.pick(BACKGROUND));
  await workspace.write("kvdb.config.json", config);
  const rounds = new Rounds(workspace, disk, random, mode);
  for (let round = 0; round < Math.min(mode.rounds, mode.roundsPerDisk); round++) {
    await rounds.round(`${name} + ${round}`);
  }
  await rounds.end(name);
  const acknowledged = rounds.ledgers.map((ledger) => ledger.acknowledgedCount);
  expect(Math.min(...acknowledged)).toBeGreaterThan(0);
}

/** One disk, one data folder, and the clients that write to it. */
class Rounds {
  readonly ledgers: readonly Ledger[];
  readonly #workspace: Workspace;
  readonly #disk: ImageDisk;
  readonly #random: Random;
  readonly #mode: Mode;
  /** What was acknowledged up to then must be there. */
  #promisedUntilMs = Number.NEGATIVE_INFINITY;

  constructor(workspace: Workspace, disk: ImageDisk, random: Random, mode: Mode) {
    this.#workspace = workspace;
    this.#disk = disk;
    this.#random = random;
    this.#mode = mode;
    this.ledgers = mode.windows.map((_, index) => new Ledger(`w${index}`, random));
  }

  /** Finds what was promised in the round before, writes on, and loses its power. */
  async round(name: string): Promise<void> {
    await this.#disk.mount(this.#random.pick(MOUNT_OPTIONS[this.#disk.kind]));
    if (this.#random.chance(0.2)) await this.#losePowerDuringStart();
    {
      await using server = await this.#start();
      await this.#expectPromised(server, name);
      await this.#writeUntilPowerIsLost(server);
    }
    await this.#disk.unmount();
  }

  /** Finds what was promised in the last round. */
  async end(name: string): Promise<void> {
    await this.#disk.mount();
    await using server = await this.#start();
    await this.#expectPromised(server, name);
  }

  async #expectPromised(server: Server, name: string): Promise<void> {
    using client = await server.connect();
    const problems: string[] = [];
    for (const ledger of this.ledgers) {
      problems.push(...(await ledger.check(client, this.#promisedUntilMs)));
    }
    const shown = { problems: problems.slice(0, MOST_PROBLEMS), log: server.log };
    expect({ name, ...shown }).toEqual({ name, problems: [], log: shown.log });
  }

  #start(awaitReady = true): Promise<Server> {
    const through = this.#disk.through(this.#workspace.folder);
    return Server.start(this.#workspace, { through, awaitReady });
  }

  async #writeUntilPowerIsLost(server: Server): Promise<void> {
    const writers = this.ledgers.map((ledger, index) =>
      writeUntilLost(server, ledger, {
        window: this.#mode.windows[index] as number,
        mayBeRefused: true,
      }),
    );
    if (this.#random.chance(0.5)) writers.push(compactUntilLost(server, this.#random));
    await Bun.sleep(this.#random.integer(...this.#mode.roundMs)); // the moment that this is about
    if (this.#random.chance(0.2)) server.signal("SIGTERM");
    await this.#losePower(server);
    await server.kill();
    await Promise.all(writers);
  }

  /**
   * A start reads the log, cuts its tail, repairs what a power loss left: it must bear one itself.
   */
  async #losePowerDuringStart(): Promise<void> {
    {
      await using server = await this.#start(false);
      await Bun.sleep(this.#random.integer(5, 60));
      await this.#disk.cutPower({ flushLog: this.#random.chance(0.5) });
      await server.kill();
    }
    await this.#disk.unmount();
    await this.#disk.mount();
  }

  async #losePower(server: Server): Promise<void> {
    for (let count = this.#random.below(3); count > 0; count--) await this.#writeBackSomething();
    expect(server.log).not.toContain("ENOSPC"); // a full disk promises other things
    this.#promisedUntilMs = this.#promise();
    await this.#disk.cutPower({ flushLog: this.#random.chance(0.5) });
  }

  /**
   * Not what is acknowledged from here on. Who has no power answers nobody, but here the answer of
   * the very last sync may still get out: ext4 takes it for done when its log is shut down
   * underneath (Linux 6.18, a group in 200 rounds).
   */
  #promise(): number {
    const { mayLoseMs } = this.#mode;
    if (mayLoseMs === 0) return Date.now() - 1;
    // Counted from the last acknowledgement: while the disk is behind there is none, and what came
    // in the second before that is still to become durable.
    return Math.max(...this.ledgers.map((ledger) => ledger.lastAcknowledgedMs)) - mayLoseMs;
  }

  /** The system writes what it likes of what was not synced: later sectors before earlier ones. */
  async #writeBackSomething(): Promise<void> {
    const names = await readdir(this.#disk.path("data"));
    const files = names.filter((name) => name.endsWith(".log")).sort();
    const name = this.#random.chance(0.5) ? files.at(-1) : this.#random.pick(names);
    if (name === undefined || name.endsWith(".sock")) return;
    try {
      const { size } = await stat(this.#disk.path("data", name));
      const page = 4096 * this.#random.below(Math.ceil(size / 4096));
      await this.#disk.writeBack(`${this.#disk.folder}/data/${name}`, page, 4096);
    } catch (error) {
      if (existsSync(this.#disk.path("data", name))) throw error; // compaction removes files
    }
  }
}
