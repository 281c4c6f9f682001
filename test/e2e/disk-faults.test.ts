/**
 * Promise 5 of the specification, and the first one, while the disk misbehaves underneath a running
 * server: reads go on, writes get an error or wait, service resumes by itself, and what was
 * acknowledged is there. A full disk is full-disk.test.ts, a loss of power power-loss.test.ts.
 * KVDB_TEST_SEED=N repeats the choices of a run.
 */
import { describe, expect, test } from "bun:test";
import { Random } from "../oracle/random.ts";
import {
  type FileSystem,
  ImageDisk,
  mayFallBackToReadOnly,
  mayMakeDisk,
} from "./support/image-disk.ts";
import { Ledger } from "./support/ledger.ts";
import { until } from "./support/poll.ts";
import { Server, type ServerOptions } from "./support/server.ts";
import { SteadyReader } from "./support/steady-reader.ts";
import { type Fault, Injection, mayTrace } from "./support/strace.ts";
import { Workspace } from "./support/workspace.ts";
import { compactUntilLost, writeUntilLost } from "./support/writers.ts";

const SEED = Number(process.env["KVDB_TEST_SEED"] ?? Date.now() % 2 ** 32);
const WINDOWS = [1, 1, 8];
/** Long enough to see who waits, and for one try of the server to resume. */
const FAULT_MS = 1200;
const SOME_WRITES = 20;
/** Where a read waits for the disk there are a few at most in FAULT_MS and READS_LIMIT_MS. */
const SOME_READS = 20;
const READS_LIMIT_MS = 3 * FAULT_MS; // on a busy machine
/** So that segments begin meanwhile. */
const SEGMENT_BYTES = 16_384;

const WRITES = ["pwrite64", "pwritev", "pwritev2"];
const SYNCS = ["fsync", "fdatasync"];

const canTrace = await mayTrace();

const permitted: Record<FileSystem, boolean> = {
  ext4: await mayMakeDisk("ext4"),
  xfs: await mayMakeDisk("xfs"),
};

// ---- faults that pass ----

interface Trial {
  readonly workspace: Workspace;
  readonly options?: ServerOptions;
  /** Whether what was replied must survive kill -9 at once. */
  readonly isSynced: boolean;
  /** The disk misbehaves from the moment that it resolves until what it resolves to is called. */
  begin(server: Server): Promise<() => Promise<void>>;
}

/** How many replies writers got while the disk misbehaved, and what the server told of it. */
interface Seen {
  readonly writes: number;
  readonly log: string;
}

/**
 * Clients write and read before, during and after, and checkpoints are made; then kill -9 where a
 * reply promises that it may come, a stop in order where it does not. Reads go on all the time, and
 * what was acknowledged is there in the end.
 */
async function survive({ workspace, options = {}, isSynced, begin }: Trial): Promise<Seen> {
  const random = new Random(SEED);
  const ledgers = WINDOWS.map((_, index) => new Ledger(`w${index}`, random));
  const counts = () => ledgers.map((ledger) => ledger.acknowledgedCount);
  const writeMore = (than: readonly number[]) =>
    until("everybody writes", () => counts().every((count, i) => count > than[i] + SOME_WRITES));
  const total = () => counts().reduce((sum, count) => sum + count, 0);
  let seen: Omit<Seen, "log">;
  let log: string;
  {
    await using server = await Server.start(workspace, options);
    const writers = ledgers.map((ledger, index) =>
      writeUntilLost(server, ledger, { window: WINDOWS[index] as number, mayBeRefused: true }),
    );
    writers.push(compactUntilLost(server, random));
    await writeMore(WINDOWS.map(() => 0));
    const reader = await SteadyReader.start(server);
    const end = await begin(server);
    const before = { reads: reader.count, writes: total() };
    try {
      await Bun.sleep(FAULT_MS); // the time in which the disk misbehaves is what this is about
      seen = { writes: total() - before.writes };
      const hasRead = () => reader.count > before.reads + SOME_READS;
      await until("reads go on", hasRead, READS_LIMIT_MS);
    } finally {
      await end();
    }
    await writeMore(counts());
    await reader.stop();
    log = server.log;
    if (isSynced) await server.kill();
    else expect(await server.stop()).toBe(0);
    await Promise.all(writers);
  }
  await using server = await Server.start(workspace, options);
  const client = await server.connect();
  for (const ledger of ledgers) expect(await ledger.check(client)).toEqual([]);
  return { ...seen, log };
}

/** A workspace whose kvdb writes to `folder`. */
async function configured(folder: string, fsync: string): Promise<Workspace> {
  const workspace = await Workspace.create();
  const persistence = { use: "wal", fsync, segmentBytes: SEGMENT_BYTES };
  await workspace.write("kvdb.config.json", { dir: folder, persistence });
  return workspace;
}

async function surviveInjected(fault: Fault, fsync: string): Promise<Seen> {
  await using workspace = await configured("data", fsync);
  return await survive({
    workspace,
    isSynced: fsync === "always",
    begin: async (server) => {
      const injection = await Injection.attach(server.pid, fault);
      return () => injection[Symbol.asyncDispose]();
    },
  });
}

const SOME = "error=EIO:when=3+7";

describe.skipIf(!canTrace)("promise 5: the disk answers EIO", () => {
  test.each([
    ["each write", "always", { calls: WRITES, inject: "error=EIO" }],
    ["each write", "everysec", { calls: WRITES, inject: "error=EIO" }],
    ["each sync", "always", { calls: SYNCS, inject: "error=EIO" }],
    ["each sync", "everysec", { calls: SYNCS, inject: "error=EIO" }],
    ["some writes and syncs", "always", { calls: [...WRITES, ...SYNCS], inject: SOME }],
    ["some writes and syncs", "everysec", { calls: [...WRITES, ...SYNCS], inject: SOME }],
    ["some writes and syncs", "no", { calls: [...WRITES, ...SYNCS], inject: SOME }],
  ])(`to %s for a while, fsync %s, seed ${SEED}`, async (_, fsync, fault) => {
    const { log } = await surviveInjected(fault, fsync);
    expect(log).toContain("EIO");
  });
});

describe.skipIf(!canTrace)("promise 1: a slow disk", () => {
  const delayUs = 300_000;
  const inject = `delay_enter=${delayUs}`;

  test(`each write takes its time, fsync always, seed ${SEED}`, async () => {
    const { writes } = await surviveInjected({ calls: WRITES, inject }, "always");
    const most = (FAULT_MS * 1000) / delayUs + 1; // writes, each for all that wait
    const atOnce = WINDOWS.reduce((sum, window) => sum + window, 0);
    expect(writes).toBeLessThanOrEqual(most * atOnce);
  });

  test(`each sync takes its time, fsync everysec: nobody waits, seed ${SEED}`, async () => {
    const { writes } = await surviveInjected({ calls: SYNCS, inject }, "everysec");
    expect(writes).toBeGreaterThan(SOME_WRITES);
  });
});

describe.each(["ext4", "xfs"] as const)("%s", (kind) => {
  test.skipIf(!permitted[kind]).each(["always", "everysec", "no"])(
    `promise 1: a stalled disk, fsync %s: writers wait, readers go on, seed ${SEED}`,
    async (fsync) => {
      await using disk = await ImageDisk.create(kind);
      await disk.mount();
      await using workspace = await configured(`${disk.folder}/data`, fsync);
      const { writes } = await survive({
        workspace,
        options: { through: disk.through(workspace.folder) },
        isSynced: fsync === "always",
        begin: async () => {
          await disk.freeze();
          return () => disk.thaw();
        },
      });
      if (fsync === "always") expect(writes).toBe(0);
    },
  );

  test.skipIf(!permitted[kind])(
    `promise 5: a full disk, while segments begin, seed ${SEED}`,
    async () => {
      await using disk = await ImageDisk.create(kind);
      await disk.mount();
      await using workspace = await configured(`${disk.folder}/data`, "always");
      const { log } = await survive({
        workspace,
        options: { through: disk.through(workspace.folder) },
        isSynced: true,
        begin: async (server) => {
          await disk.fill();
          await until("the disk is full", () => server.log.includes("ENOSPC"));
          return () => disk.removeFiller();
        },
      });
      expect(log).toContain("ENOSPC");
    },
  );
});

/** More pages than a snapshot keeps for a worker that takes none. */
const MUCH = Array.from({ length: 3000 }, (_, i) => ["SET", `much:${i}`, "x".repeat(8000)]);

test.skipIf(!canTrace)(
  "promise 5: a snapshot that waits for a stalled disk is given up, and everybody is served on",
  async () => {
    await using workspace = await Workspace.create();
    await workspace.write("kvdb.config.json", { persistence: { use: "json-snapshot" } });
    await using server = await Server.start(workspace);
    const client = await server.connect();
    await client.pipeline(MUCH);
    const inject = "delay_enter=120000000"; // two minutes: for ever
    const stall = await Injection.attach(server.pid, { calls: WRITES, inject });
    try {
      const backingUp = await server.connect();
      const given = backingUp.ask("BACKUP");
      // These wait until it is given up.
      expect(new Set(await client.pipeline(MUCH))).toEqual(new Set(["OK"]));
      expect(String(await given)).toContain("has taken nothing of the image");
      expect(String(await backingUp.ask("BACKUP"))).toContain("still waits for the disk");
      // Long enough for whatever the runtime does with a thread that does not answer.
      for (let round = 0; round < 5; round++) await client.pipeline(MUCH);
      await client.call("MEMORY", "PURGE");
      expect(await client.call("INCR", "count")).toBe(1);
    } finally {
      await stall[Symbol.asyncDispose]();
    }
    await until("the next one is taken", async () => (await client.ask("SAVE")) === "OK");
    await server.kill();
    await using again = await Server.start(workspace);
    expect(await (await again.connect()).call("GET", "count")).toBe("1");
  },
);

// ---- faults that do not pass: the process must end before the disk is whole again ----

interface Broken {
  readonly kind: FileSystem;
  readonly mountOptions: string;
  /** Of the process, at its stop. */
  readonly exitCode: number;
  readonly errno: RegExp;
  breakDisk(disk: ImageDisk): Promise<void>;
}

/**
 * Reads go on, writes are refused, the stop is not taken for one in order; once mounted again,
 * nothing is lost.
 */
async function expectRefusal({ kind, mountOptions, exitCode, errno, breakDisk }: Broken) {
  await using disk = await ImageDisk.create(kind);
  await disk.mount(mountOptions);
  await using workspace = await configured(`${disk.folder}/data`, "always");
  const options = { through: disk.through(workspace.folder) };
  const ledger = new Ledger("w", new Random(SEED));
  let promisedUntilMs: number;
  {
    await using server = await Server.start(workspace, options);
    const writer = writeUntilLost(server, ledger, { window: 4, mayBeRefused: true });
    await until("it has written", () => ledger.acknowledgedCount > SOME_WRITES);
    const reader = await SteadyReader.start(server);
    promisedUntilMs = Date.now() - 1; // why not later: power-loss.test.ts
    await breakDisk(disk);
    const client = await server.connect();
    await until("the disk has refused", () => errno.test(server.log));
    expect(await client.ask("SET", "key", "value")).toMatchObject({ code: "MISCONF" });
    const before = reader.count;
    await until("reads go on", () => reader.count > before + SOME_READS);
    await reader.stop();
    server.signal("SIGTERM");
    expect(await server.ended()).toBe(exitCode);
    await writer;
    await using again = await Server.start(workspace, { ...options, awaitReady: false });
    expect(await again.ended()).toBe(exitCode);
    expect(again.log).toMatch(errno);
  }
  await disk.unmount();
  await disk.mount();
  await using server = await Server.start(workspace, options);
  const client = await server.connect();
  expect(await ledger.check(client, promisedUntilMs)).toEqual([]);
  expect(await client.call("GET", "key")).toBeNull();
}

const EX_IOERR = 74;
const EX_NOPERM = 77;

describe.each(["ext4", "xfs"] as const)("%s", (kind) => {
  test.skipIf(!permitted[kind])(`promise 5: the disk is gone, seed ${SEED}`, () =>
    expectRefusal({
      ...{ kind, mountOptions: "defaults", exitCode: EX_IOERR, errno: /EIO/ },
      breakDisk: (disk) => disk.cutPower(),
    }),
  );
});

test.skipIf(!permitted.ext4 || !(await mayFallBackToReadOnly()))(
  `promise 5: the file system falls back to read-only, seed ${SEED}`,
  () =>
    expectRefusal({
      ...{ kind: "ext4", mountOptions: "errors=remount-ro", exitCode: EX_NOPERM },
      errno: /EROFS|EIO/, // EIO for the write that was under way
      breakDisk: (disk) => disk.fallBackToReadOnly(),
    }),
);

test.skipIf(!permitted.ext4)(
  "promise 5: a start on a read-only disk is refused by name, and changes nothing",
  async () => {
    await using disk = await ImageDisk.create("ext4");
    await disk.mount();
    await using workspace = await configured(`${disk.folder}/data`, "always");
    const options = { through: disk.through(workspace.folder) };
    {
      await using server = await Server.start(workspace, options);
      await (await server.connect()).call("SET", "key", "value");
      await server.kill();
    }
    await disk.unmount();
    await disk.mount("ro");
    await using refused = await Server.start(workspace, { ...options, awaitReady: false });
    expect(await refused.ended()).toBe(EX_NOPERM);
    expect(refused.log).toContain(`${disk.folder}/data`);
    expect(refused.log).toContain("EROFS");
    await disk.unmount();
    await disk.mount();
    await using server = await Server.start(workspace, options);
    expect(await (await server.connect()).call("GET", "key")).toBe("value");
  },
);
