/**
 * The stream of replication over lives of a kernel on a disk in memory, against a model that keeps every byte that was sent: stops,
 * kills, checkpoints, new ids, other servers' streams. Whatever a replica asks for, it is given what the first one was given,
 * or nothing.
 */
import { describe, expect, test } from "bun:test";
import aof from "../../../plugins/aof/index.ts";
import { Arguments } from "../../../src/commands/arguments.ts";
import type { AnyPlugin } from "../../../src/kernel/builtins.ts";
import type { Engine } from "../../../src/kernel/engine.ts";
import { type Random, seededRandom } from "../../../src/platform/random.ts";
import { LINEAGE_FILE } from "../../../src/replication/lineage-file.ts";
import type { LoggedStream } from "../../../src/replication/logged-stream.ts";
import type { StreamPlace } from "../../../src/replication/stream.ts";
import { Decoder } from "../../../src/resp/decoder.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";
import { MemoryDisk } from "../../suites/index.ts";
import { seeds } from "../../suites/seeds.ts";
import { ValueReply } from "../../suites/value-reply.ts";
import { type Call, DIR, inFolder as inFolderOf, plugins } from "../kernel/conversion-harness.ts";

const ALL = { ...plugins, aof: aof as AnyPlugin };
const OPTIONS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  wal: { fsync: "always", segmentBytes: 4096 },
  aof: { appendonly: true, appendfsync: "always", segmentBytes: 4096 },
};
/** Every change waits for the disk: many turns of the loop, which are slow where much else is tested. */
const TIMEOUT_MS = 60_000;
const PATH = `${DIR}/${LINEAGE_FILE}`;

const NOBODY = "";
/** Whom a replica follows that has nobody to serve: nothing is asked of him. */
const SOMEBODY = "127.0.0.1 1";

async function inFolder(
  persistence: string,
  { files }: MemoryDisk,
  run: (call: Call, engine: Engine) => Promise<void>,
  replicaOf = NOBODY,
): Promise<void> {
  const options = { files, plugins: ALL, options: OPTIONS[persistence] ?? {}, replicaOf };
  await inFolderOf(persistence, options, async (call, kernel) => {
    const engine = kernel.engine as Engine;
    // Here a replica may be written to: that is no part of the stream.
    engine.following.duties.end();
    await run(call, engine);
  });
}

/** What follows the byte before `offset`, as a replica would be sent it; null: it is refused. */
async function following(stream: LoggedStream, id: string, offset: number): Promise<string | null> {
  const place = await stream.locate(id, offset);
  if (place === null) return null;
  const cursor = stream.openCursor(place);
  expect(cursor.offset).toBe(offset - 1);
  const pieces: string[] = [];
  for (let piece = await cursor.read(); piece !== null; piece = await cursor.read()) {
    const text = piece.bytes.toString("latin1", piece.start, piece.end);
    pieces.push(text);
    expect(piece.lastOffset).toBe(offset - 1 + pieces.join("").length);
  }
  cursor.close();
  return pieces.join("");
}

function resp(...words: string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`;
}

/** What a primary has sent, as a replica applies and records it. */
function apply(engine: Engine, ...commands: string[]): void {
  const { journal, stream } = engine;
  const session = engine.connect(QUIET, "replica");
  const database = Math.max(0, stream.database);
  session.database = engine.keyspace.databases[database] as never;
  for (const command of commands) {
    const args = new Arguments();
    new Decoder().decode(args, Buffer.from(command, "latin1"), 0, command.length);
    engine.dispatch(session, args, new ValueReply());
  }
  const bytes = Buffer.from(commands.join(""), "latin1");
  journal.commitStretch(bytes, 0, bytes.length, database);
  engine.disconnect(session);
  engine.endTurn();
}

const QUIET = {
  ...{ address: "primary", localAddress: "here" },
  ...{ inputBytes: () => 0, outputBytes: () => 0, close: () => {} },
};

/** Everything recorded is durable. */
async function settled(engine: Engine): Promise<void> {
  const { disk } = engine.journal;
  engine.endTurn();
  while (disk.isRecording && disk.durableRevision < disk.lastRevision) {
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

describe.each(["wal", "aof"])("%s", (persistence) => {
  test("a stop in order keeps id and offset; a kill has a primary go on under a new id", async () => {
    const disk = new MemoryDisk();
    let id = "";
    let offset = 0;
    let killed = disk;
    await inFolder(persistence, disk, async (call, { stream }) => {
      await call("SET", "before", "1");
      await stream.use();
      await call("SET", "k", "1");
      ({ id, offset } = stream);
      expect(offset).toBeGreaterThan(0);
      killed = disk.copy();
    });
    await inFolder(persistence, disk, async (call, { stream }) => {
      expect([stream.id, stream.offset, stream.previousEnd]).toEqual([id, offset, -1]);
      await call("SET", "k", "2");
      expect(await following(stream, id, offset + 1)).toBe(resp("SET", "k", "2"));
    });
    killed.kill();
    await inFolder(persistence, killed, async (call, { stream }) => {
      expect([stream.offset, stream.previousId, stream.previousEnd]).toEqual([
        offset,
        id,
        offset + 1,
      ]);
      expect(stream.id).not.toBe(id);
      await call("SET", "k", "3");
      expect(await following(stream, id, offset + 1)).toBe(resp("SET", "k", "3"));
      expect(await following(stream, stream.id, offset + 1)).toBe(resp("SET", "k", "3"));
      expect(await following(stream, id, offset + 2)).toBeNull();
      expect(await following(stream, "f".repeat(40), offset + 1)).toBeNull();
    });
  });

  test("who follows another server still does after a kill, at the offset of its data", async () => {
    const disk = new MemoryDisk();
    const id = "5".repeat(40);
    const command = resp("SET", "k", "1");
    let killed = disk;
    await inFolder(persistence, disk, async (_call, engine) => {
      const { stream } = engine;
      await stream.adopt({ id, offset: 1000, database: 3, revision: engine.disk.lastRevision });
      apply(engine, command);
      apply(engine, resp("SELECT", "5"), command);
      await settled(engine);
      killed = disk.copy();
    });
    killed.kill();
    const goOn = async (call: Call, engine: Engine) => {
      const { stream } = engine;
      const end = 1000 + 2 * command.length + resp("SELECT", "5").length;
      expect([stream.id, stream.offset, stream.isFollowing]).toEqual([id, end, true]);
      expect(stream.database).toBe(5);
      await call("SET", "own", "1");
      expect(stream.offset).toBe(end);
      apply(engine, command);
      await settled(engine);
      const all = command + resp("SELECT", "5") + command + command;
      const others: unknown[] = [];
      stream.onOther = (reason) => others.push([stream.id, stream.offset, reason]);
      expect(await following(stream, id, 1001)).toBe(all);
      const renewed = stream.renew();
      // Before anything could be recorded under the new id, also what changes nothing.
      expect(others).toEqual([[stream.id, stream.offset, "the stream has another id"]]);
      await renewed;
      // Selected already, but who follows from now on may not have been told.
      await call("SELECT", "5");
      await call("SET", "own", "2");
      const own = resp("SELECT", "5") + resp("SET", "own", "2");
      expect(await following(stream, id, 1001)).toBe(all + own);
      expect(stream.previousId).toBe(id);
    };
    await inFolder(persistence, killed, goOn, SOMEBODY);
  });

  test("a primary that was killed and is to follow another one asks by its old id", async () => {
    const disk = new MemoryDisk();
    let before = { id: "", offset: 0 };
    let killed = disk;
    await inFolder(persistence, disk, async (call, engine) => {
      await engine.stream.use();
      await call("SET", "k", "1");
      await settled(engine);
      before = { id: engine.stream.id, offset: engine.stream.offset };
      killed = disk.copy();
    });
    killed.kill();
    const goOn = async (_call: Call, engine: Engine) => {
      const { stream } = engine;
      expect({ id: stream.id, offset: stream.offset }).toEqual(before);
      expect(stream.isFollowing).toBe(true);
      const other = "7".repeat(40);
      await stream.rename(other);
      apply(engine, resp("SET", "k", "2"));
      expect([stream.id, stream.previousId]).toEqual([other, before.id]);
    };
    await inFolder(persistence, killed, goOn, SOMEBODY);
  });

  test("who only looks, or writes by the way, leaves a replica's stream as it is", async () => {
    const disk = new MemoryDisk();
    const id = "5".repeat(40);
    let offset = 0;
    await inFolder(persistence, disk, async (_call, engine) => {
      const { lastRevision: revision } = engine.disk;
      await engine.stream.adopt({ id, offset: 1000, database: 0, revision });
      apply(engine, resp("SET", "k", "1"));
      ({ offset } = engine.stream);
    });
    for (let life = 0; life < 2; life++) {
      await inFolder(persistence, disk, async (call, { stream }) => {
        expect([stream.id, stream.offset, stream.isFollowing]).toEqual([id, offset, true]);
        await call("SET", "own", "2");
        expect(await following(stream, id, 1001)).toBe(resp("SET", "k", "1"));
      });
    }
  });

  test(
    "a stream that was long in the log is found in it, and the oldest byte is told",
    async () => {
      const disk = new MemoryDisk();
      await inFolder(persistence, disk, async (call, engine) => {
        const { stream, changes } = engine;
        changes.recentBytes = 64 * 1024;
        await stream.use();
        const values = Array.from({ length: 300 }, (_, i) => String(i).padStart(1000, "."));
        await Promise.all(values.map((value, i) => call("SET", `k${i % 7}`, value)));
        await settled(engine);
        const all = values.map((value, i) => resp("SET", `k${i % 7}`, value));
        const sent = resp("SELECT", "0") + all.join("");
        expect(stream.firstOffset).toBe(1);
        for (const offset of [1, 20, 5000, sent.length - 3000, sent.length + 1]) {
          expect(await following(stream, stream.id, offset)).toBe(sent.slice(offset - 1));
        }
        const { lastRevision } = engine.disk;
        expect(stream.offsetOf(lastRevision)).toBe(sent.length);
        expect(stream.offsetOf(lastRevision - 1)).toBe(sent.length - (all.at(-1)?.length ?? 0));
      });
    },
    TIMEOUT_MS,
  );

  test.each(seeds(3))(
    "any history: seed %d",
    async (seed) => {
      const history = new History(persistence, seed);
      for (let life = 0; life < 6; life++) await history.live();
      expect(history.granted).toBeGreaterThan(50);
      expect(history.refused).toBeGreaterThan(10);
    },
    TIMEOUT_MS,
  );

  test(
    "replication.json cut anywhere: the data is there, and the stream goes on or is another",
    async () => {
      const disk = new MemoryDisk();
      let id = "";
      await inFolder(persistence, disk, async (call, { stream }) => {
        await stream.use();
        await call("SET", "k", "1");
        ({ id } = stream);
      });
      const whole = disk.contents(PATH);
      let goesOn = 0;
      for (let length = 0; length <= whole.length; length += length < 40 ? 1 : 9) {
        const copy = disk.copy();
        copy.put(PATH, Buffer.from(whole.subarray(0, length)));
        await inFolder(persistence, copy, async (call, { stream }) => {
          expect(await call("GET", "k")).toMatchObject({ kind: "bulk" });
          expect(stream.isInUse).toBe(true);
          const isSame = stream.id === id;
          if (isSame) goesOn++;
          expect([length, isSame]).toEqual([length, length >= whole.length - 1]);
        });
      }
      expect(goesOn).toBeLessThanOrEqual(2);
    },
    TIMEOUT_MS,
  );

  test("a backup that replaces all data: nothing leads to it", async () => {
    const disk = new MemoryDisk();
    await inFolder(persistence, disk, async (call, { stream }) => {
      await stream.use();
      await call("SET", "k", "1");
      const answer = await call("BACKUP");
      if (answer.kind !== "status") throw new Error(JSON.stringify(answer));
      const name = answer.text.slice(answer.text.lastIndexOf("/") + 1);
      await call("SET", "k", "2");
      const { id, offset } = stream;
      const cursor = stream.openCursor((await stream.locate(id, offset + 1)) as never);
      expect((await call("BACKUP", "RESTORE", name, "FORCE")).kind).toBe("map");
      expect(stream.id).not.toBe(id);
      expect(await stream.locate(id, offset + 1)).toBeNull();
      await expect(cursor.read()).rejects.toMatchObject({ reply: "LOGGAP" });
    });
    await inFolder(persistence, disk, async (_call, { stream }) => {
      expect(stream.isInUse).toBe(true);
      expect(stream.previousEnd).toBe(-1);
    });
  });
});

test("a persistence without records: the checkpoint of a stop says where it stands, and one that is missed is not", async () => {
  const disk = new MemoryDisk();
  let before = { id: "", offset: 0 };
  let killed = disk;
  await inFolder("json-snapshot", disk, async (call, { stream }) => {
    await stream.use();
    await call("SET", "k", "1");
    before = { id: stream.id, offset: stream.offset };
  });
  await inFolder("json-snapshot", disk, async (call, engine) => {
    const { stream } = engine;
    expect({ id: stream.id, offset: stream.offset }).toEqual(before);
    await call("SET", "k", "2");
    await settled(engine);
    expect(await following(stream, before.id, before.offset + 1)).toBe(resp("SET", "k", "2"));
    killed = disk.copy();
  });
  killed.kill();
  await inFolder("json-snapshot", killed, async (_call, { stream }) => {
    expect([stream.offset, stream.previousId]).toEqual([before.offset, before.id]);
    expect(await stream.locate(before.id, before.offset + 2)).toBeNull();
  });
});

/** What was ever sent. */
class History {
  granted = 0;
  refused = 0;
  readonly #persistence: string;
  readonly #random: Random;
  #disk = new MemoryDisk();
  /** Of the stream as it leads here: bytes from the offset `#first` on, and up to which offset each id holds. */
  #first = 1;
  #sent = "";
  #ids: { id: string; end: number }[] = [];
  /** Ids that lead nowhere any more. */
  #dead: string[] = [];
  #isWhole = true;
  #isUsed = false;
  #wasKilled = false;
  #isFollowing = false;

  constructor(persistence: string, seed: number) {
    this.#persistence = persistence;
    this.#random = seededRandom(seed);
  }

  get #end(): number {
    return this.#first + this.#sent.length - 1;
  }

  async live(): Promise<void> {
    const disk = this.#disk;
    const isKilled = this.#random.below(2) === 0;
    let isFollowing = false;
    const run = async (call: Call, engine: Engine) => {
      await this.#begin(engine);
      for (let step = 0; step < 20; step++) await this.#step(call, engine);
      await this.#check(engine);
      if (isKilled) {
        await settled(engine);
        this.#disk = disk.copy();
      } else if (this.#random.below(3) === 0) {
        // Written at the stop: what is before it can be read no more, or for a while.
        await call("BGREWRITEAOF");
        this.#isWhole = false;
      }
      isFollowing = engine.stream.isFollowing;
    };
    await inFolder(this.#persistence, disk, run, this.#isFollowing ? SOMEBODY : NOBODY);
    this.#isFollowing = isFollowing;
    this.#wasKilled = isKilled;
    if (isKilled) this.#disk.kill();
  }

  async #begin({ stream }: Engine): Promise<void> {
    if (!this.#isUsed) {
      await stream.use();
      this.#isUsed = true;
      this.#ids = [{ id: stream.id, end: Number.POSITIVE_INFINITY }];
      return;
    }
    expect(stream.offset).toBe(this.#end);
    const isSame = stream.id === this.#ids.at(-1)?.id;
    expect(isSame).toBe(stream.isFollowing || !this.#wasKilled);
    if (!isSame) this.#renamed(stream.id);
  }

  #renamed(id: string): void {
    const last = this.#ids.at(-1);
    if (last !== undefined) last.end = this.#end;
    this.#ids.push({ id, end: Number.POSITIVE_INFINITY });
  }

  async #step(call: Call, engine: Engine): Promise<void> {
    const { stream } = engine;
    const random = this.#random;
    const before = stream.offset;
    const what = random.below(100);
    if (what < 3) {
      await stream.renew();
      this.#renamed(stream.id);
    } else if (what < 5) {
      const id = newId(random);
      await stream.rename(id);
      this.#renamed(id);
    } else if (what < 7) return await this.#adopt(engine);
    else if (what < 9) stream.note(Buffer.from(resp("PING")));
    else if (what < 11) engine.stream.cut();
    else if (stream.isFollowing) this.#applyAny(engine);
    else await callAny(call, random);
    await settled(engine);
    if (stream.offset === before) return;
    const sent = await following(stream, stream.id, before + 1);
    expect([what, sent?.length]).toEqual([what, stream.offset - before]);
    this.#sent += sent;
  }

  async #adopt({ stream, disk }: Engine): Promise<void> {
    const random = this.#random;
    const state = { id: newId(random), offset: random.below(100_000), database: random.below(3) };
    await stream.adopt({ ...state, revision: disk.lastRevision });
    this.#dead.push(...this.#ids.map(({ id }) => id));
    this.#first = state.offset + 1;
    this.#sent = "";
    this.#ids = [{ id: state.id, end: Number.POSITIVE_INFINITY }];
    this.#isWhole = true;
  }

  #applyAny(engine: Engine): void {
    const random = this.#random;
    const set = () => resp("SET", `k${random.below(9)}`, "v".repeat(random.below(300)));
    const forms = [
      [set()],
      [resp("SELECT", `${random.below(4)}`), set()],
      [resp("MULTI"), set(), set(), resp("EXEC")],
      [resp("PING")],
      [resp("PING", "#kvdb-json"), resp("SET", "d", '{"a":1}')],
    ];
    const form = forms[random.below(forms.length)] as string[];
    // Of a transaction and a note the framing is no command of its own.
    if (form.length > 2 || form[0]?.includes("#kvdb")) this.#record(engine, form);
    else apply(engine, ...form);
  }

  #record({ journal, stream }: Engine, commands: string[]): void {
    const bytes = Buffer.from(commands.join(""), "latin1");
    journal.commitStretch(bytes, 0, bytes.length, Math.max(0, stream.database));
  }

  async #check({ stream, journal }: Engine): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    expect(journal.disk.durableRevision).toBe(journal.disk.lastRevision);
    for (let i = 0; i < 30; i++) {
      const { id, end } = this.#ids[this.#random.below(this.#ids.length)] as {
        id: string;
        end: number;
      };
      const offset = this.#first + this.#random.below(this.#sent.length + 3);
      const found = await following(stream, id, offset);
      const isCovered = offset <= Math.min(end, this.#end) + 1;
      if (found === null) this.refused++;
      else this.granted++;
      if (!isCovered) expect([offset, found]).toEqual([offset, null]);
      else if (found !== null) {
        expect([offset, found]).toEqual([offset, this.#sent.slice(offset - this.#first)]);
      } else expect([offset, this.#isWhole]).toEqual([offset, false]);
    }
    for (const id of this.#dead) {
      expect(await following(stream, id, this.#end + 1)).toBeNull();
      this.refused++;
    }
    expect(await following(stream, stream.id, this.#first - 1)).toBeNull();
    expect(await following(stream, stream.id, this.#end + 2)).toBeNull();
    this.refused += 2;
  }
}

function newId(random: Random): string {
  return Array.from({ length: 40 }, () => random.below(16).toString(16)).join("");
}

async function callAny(call: Call, random: Random): Promise<void> {
  const key = `k${random.below(9)}`;
  const commands = [
    ["SET", key, "v".repeat(random.below(400))],
    ["SELECT", `${random.below(3)}`],
    ["JSON.SET", `d${key}`, "$", '{"a":[1,2]}'],
    ["HSET", `h${key}`, "f", "1"],
    ["HPEXPIREAT", `h${key}`, "4000000000000", "FIELDS", "1", "f"],
    ["MSET", "a", "1", key, "2"],
    ["SET", "large", "x".repeat(random.below(2) * 70_000)],
  ];
  await call(...(commands[random.below(commands.length)] as string[]));
}

test("what an image has and the disk has not is found when it may leave", async () => {
  const db = new EngineHarness();
  const { stream } = db.engine;
  await stream.use();
  const write = (key: string) => {
    db.run("SET", key, "value");
    db.endTurn();
  };
  write("before");
  db.persistence.holdsSyncs = true;
  write("in the image");
  const { id, offset } = stream.cut();
  write("behind it");
  let found: StreamPlace | null | undefined;
  const locating = stream.locate(id, offset + 1).then((place) => {
    found = place;
  });
  for (let i = 0; i < 10; i++) await new Promise<void>((resolve) => setImmediate(resolve));
  expect(found).toBeUndefined();
  while (db.persistence.waiting > 0) {
    db.persistence.sync();
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  await locating;
  expect(found).toMatchObject({ offset: offset + 1, skip: 0 });
});
