/**
 * Hostile input to the decoder and the gate, in process: random bytes, random tokens of the protocol, and good pipelines
 * with damage, in chunks of any size. Nothing throws, nothing takes long, memory stays bounded; each command gets one
 * well-formed reply; and how the input was cut makes no difference.
 *
 * 100 000 inputs, a million with KVDB_TEST_LONG=1; one seed again with KVDB_TEST_SEED.
 */
import { expect, test } from "bun:test";
import { Arguments } from "../../src/commands/arguments.ts";
import type { CommandTable } from "../../src/commands/table.ts";
import { type Random, seededRandom } from "../../src/platform/random.ts";
import { Decoder } from "../../src/resp/decoder.ts";
import { RespEncoder } from "../../src/resp/encoder.ts";
import type { Session } from "../../src/session/session.ts";
import { readReply } from "../oracle/resp-reply.ts";
import { EngineHarness } from "../suites/engine-harness.ts";
import { readEagerly, readInChunks } from "../unit/resp/incremental-input.ts";

const IS_LONG = process.env["KVDB_TEST_LONG"] === "1";
const INPUTS_PER_SEED = 25_000;
const SEED_COUNT = IS_LONG ? 40 : 4;
const MIB = 1024 * 1024;
/** A command may ask for a value of 512 MiB (SETRANGE, SETBIT): the engine must refuse it. */
const MAX_MEMORY_BYTES = 64 * MIB;
/** Processor time: one input has some hundred bytes, so a second is a loop that hardly ends. */
const SLOWEST_MS = 1000;
/** What the test, the engine and its arena may take together besides what was there before. */
const MAX_GROWTH_BYTES = 768 * MIB;
/** They sleep, stop the server, or tell of the outside world: they are not for strangers' bytes. */
const NOT_RUN = /^(DEBUG|SHUTDOWN|CLIENT\|KILL|CONFIG\|SET)$/;
const TIMEOUT_MS = 600_000;

const seedList = (): number[] => {
  const chosen = process.env["KVDB_TEST_SEED"];
  if (chosen !== undefined) return [Number(chosen)];
  return Array.from({ length: SEED_COUNT }, (_, index) => index + 1);
};

// ---- input ----

class Generator {
  readonly #random: Random;
  readonly #names: readonly string[];

  constructor(random: Random, table: CommandTable) {
    this.#random = random;
    const all = table.all().filter(({ name }) => !NOT_RUN.test(name) && !/^DEBUG/.test(name));
    this.#names = all.map(({ name }) => name);
  }

  next(): Buffer {
    const kind = this.#random.below(8);
    if (kind === 0) return this.#noise();
    if (kind === 1) return Buffer.from(this.#tokens(), "latin1");
    const text = this.#pipeline();
    return Buffer.from(kind === 2 ? text : this.#damage(text), "latin1");
  }

  #pick<T>(from: readonly T[]): T {
    return from[this.#random.below(from.length)] as T;
  }

  #noise(): Buffer {
    const bytes = Buffer.alloc(this.#random.below(200));
    for (let i = 0; i < bytes.length; i++) bytes[i] = this.#random.below(256);
    return bytes;
  }

  #tokens(): string {
    let text = "";
    for (let count = this.#random.below(40); count > 0; count--) text += this.#pick(TOKENS);
    return text;
  }

  #pipeline(): string {
    let text = "";
    for (let count = 1 + this.#random.below(5); count > 0; count--) text += this.#command();
    return text;
  }

  #command(): string {
    const words = this.#pick(this.#names).split("|");
    for (let count = this.#random.below(5); count > 0; count--) words.push(this.#word());
    if (this.#random.below(4) > 0) {
      return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`;
    }
    return `${words.map((word) => this.#pick([word, `"${word}"`, `'${word}'`])).join(" ")}\r\n`;
  }

  #word(): string {
    if (this.#random.below(3) > 0) return this.#pick(WORDS);
    if (this.#random.below(20) === 0) return "x".repeat(this.#random.below(70_000));
    return this.#noise().toString("latin1", 0, 12);
  }

  /** Bytes lost, doubled, changed, swapped, put in; the end lost. */
  #damage(text: string): string {
    let damaged = text;
    for (let count = 1 + this.#random.below(4); count > 0; count--) {
      const at = this.#random.below(damaged.length + 1);
      const size = this.#random.below(4);
      const [head, tail] = [damaged.slice(0, at), damaged.slice(at)];
      const kind = this.#random.below(6);
      if (kind === 0) damaged = head + tail.slice(size);
      else if (kind === 1) damaged = head + tail.slice(0, size) + tail;
      else if (kind === 2) damaged = head + this.#pick(TOKENS) + tail.slice(1);
      else if (kind === 3) damaged = head + this.#pick(TOKENS) + tail;
      else if (kind === 4) damaged = tail + head;
      else damaged = head;
    }
    return damaged;
  }
}

const TOKENS = [
  ..."*$+-:,#_%~=(!>|0123456789 \t\r\n\0\x0b\x0c\xff\\x\"'",
  ...["\r\n", "*1\r\n", "$4\r\nPING\r\n", "*0\r\n", "*-1\r\n", "$-1\r\n", "$0\r\n\r\n", "\\x4"],
  ...["2147483647", "2147483648", "1048577", "536870912", "536870913", "9223372036854775808"],
];
const WORDS = [
  ...["a", "b", "c", "key", "", "0", "1", "-1", "10", "1.5", "1e3", "inf", "nan", "*", "[a-", "?"],
  ...["9223372036854775807", "-9223372036854775808", "4294967295", "536870911", "1e400", "\xff\0"],
  ...[
    "NX",
    "XX",
    "GET",
    "EX",
    "PX",
    "KEEPTTL",
    "MATCH",
    "COUNT",
    "TYPE",
    "AND",
    "NOT",
    "BIT",
    "LEN",
  ],
  ...["u8", "i64", "#1", "INCRBY", "OVERFLOW", "SAT", "IDX", "WITHMATCHLEN", "ON", "OFF", "SKIP"],
  ...["2", "3", "AUTH", "default", '{"a":[1,"x"]}', "[1,2", '"text"', "true", "\r\n+OK\r\n"],
];

// ---- what must hold ----

/** Runs the input as one client's; answers how many commands there were, and checks their replies. */
class Target {
  readonly #db: EngineHarness;
  readonly #decoder = new Decoder();
  readonly #args = new Arguments();
  readonly #encoder = new RespEncoder();
  /** The client in hand has sent a command that answers several times. */
  #hasSubscribed = false;

  constructor(db: EngineHarness) {
    this.#db = db;
  }

  /** The replies, each a whole one; a command with none (CLIENT REPLY OFF) is left out. */
  run(input: Buffer): number {
    const session = this.#db.connect();
    this.#hasSubscribed = false;
    session.mayWait = false; // what waits for a key answers at once that there is none
    let count = 0;
    for (let at = 0; at < input.length; ) {
      at = this.#decoder.decode(this.#args, input, at, input.length);
      if (at < 0) break;
      if (this.#args.count === 0) continue;
      this.#dispatch(session);
      count++;
    }
    this.#db.engine.disconnect(session);
    this.#db.endTurn();
    return count;
  }

  #dispatch(session: Session): void {
    const encoder = this.#encoder;
    encoder.begin(session);
    this.#db.engine.dispatch(session, this.#args, encoder);
    const parts = [
      ...encoder.takeFull().map(({ buffer, start, end }) => buffer.subarray(start, end)),
    ];
    parts.push(encoder.buffer.subarray(encoder.lastStart, encoder.at));
    const bytes = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
    const waits = session.later !== null;
    const isSilent = (waits || session.replyMode !== "on") && bytes.length === 0;
    // Whoever it waits for does not come: it gives up, and what it sent behind is run.
    session.later?.abandon();
    // One for each channel, and EXEC has them where a command was queued.
    this.#hasSubscribed ||= /SUBSCRIBE$/i.test(this.#args.latin(0));
    const most = this.#hasSubscribed ? Number.POSITIVE_INFINITY : 1;
    if (!isSilent && !isWhole(bytes, most)) {
      throw new Error(`no single reply: ${JSON.stringify(bytes.toString("latin1", 0, 500))}`);
    }
    if (bytes.toString("latin1", 0, 20) === "-ERR internal error ") {
      throw new Error(bytes.toString("latin1"));
    }
    encoder.reset();
  }
}

/** From one to `most` replies, and nothing else. */
function isWhole(bytes: Buffer, most: number): boolean {
  let count = 0;
  for (let at = 0; at < bytes.length; count++) {
    const end = readReply(bytes, at)?.end;
    if (end === undefined) return false;
    at = end;
  }
  return count >= 1 && count <= most;
}

test.each(seedList())(
  `${INPUTS_PER_SEED} hostile inputs, seed %d`,
  (seed) => {
    const random = seededRandom(seed);
    const db = new EngineHarness({ auditEvery: 0, maxMemoryBytes: MAX_MEMORY_BYTES });
    const generator = new Generator(random, db.engine.commands);
    const target = new Target(db);
    const before = process.memoryUsage().rss;
    let [commandCount, mostGrowth] = [0, 0];
    for (let index = 0; index < INPUTS_PER_SEED; index++) {
      const input = generator.next();
      const begun = process.cpuUsage();
      try {
        expectSameHoweverCut(input, random);
        commandCount += target.run(input);
        if (index % 1000 === 0) db.advance(random.below(100_000));
        const { user, system } = process.cpuUsage(begun);
        if (user + system > SLOWEST_MS * 1000) throw new Error(`${user} + ${system} µs`);
      } catch (cause) {
        throw new Error(`input ${index}: ${JSON.stringify(input.toString("latin1"))}`, { cause });
      }
      if (index % 1000 === 0) {
        mostGrowth = Math.max(mostGrowth, process.memoryUsage().rss - before);
      }
    }
    expect(commandCount).toBeGreaterThan(INPUTS_PER_SEED / 2); // else it was not hostile but dull
    expect(db.engine.memory.usedBytes).toBeLessThanOrEqual(MAX_MEMORY_BYTES * 1.05);
    expect(mostGrowth).toBeLessThan(MAX_GROWTH_BYTES);
  },
  TIMEOUT_MS,
);

function expectSameHoweverCut(input: Buffer, random: Random): void {
  const restricted = random.below(4) === 0;
  const whole = readEagerly(input, restricted);
  const bound = 1 + random.below(40);
  const sizes: number[] = [];
  for (let at = 0; at < input.length && sizes.length < 2000; ) {
    const size = 1 + random.below(bound);
    sizes.push(size);
    at += size;
  }
  const pieces = readInChunks(input, sizes, restricted);
  if (!Bun.deepEquals(pieces, whole)) {
    throw new Error(`cut into ${sizes}: ${JSON.stringify({ pieces, whole })}`);
  }
}
