/**
 * The encoder against a naive one: each writer in both protocols, at each distance from the end of the buffer, replies
 * larger than it, replies across many of them, and everything taken back at each place.
 */
import { describe, expect, test } from "bun:test";
import { type Reply, replyStrings } from "../../../src/commands/reply.ts";
import { type Random, seededRandom } from "../../../src/platform/random.ts";
import { RespEncoder } from "../../../src/resp/encoder.ts";
import { seeds } from "../../suites/seeds.ts";
import { DOUBLES, NaiveEncoder } from "./naive-encoder.ts";

const CAPACITY = 1 << 20;
/** How near to the end of the buffer things become interesting: headers, and the room kept for them. */
const NEAR_END_BYTES = 180;

type Write = (reply: Reply) => void;

const bytes = Buffer.from("0123456789abcdef".repeat(400_000), "latin1");

const INTEGERS = [
  ...[0, 1, -1, 9, 10, 99, 100, 999, -1000, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), 2 ** 32, 10 ** 15],
  ...[Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, -0],
  ...[0n, -1n, 9_223_372_036_854_775_807n, -9_223_372_036_854_775_808n, 2n ** 53n + 1n],
];

const writers: readonly (readonly [string, Write])[] = [
  ["ok", (reply) => reply.ok()],
  ["status", (reply) => reply.status("PONG")],
  ["status of no text", (reply) => reply.status("")],
  ["error", (reply) => reply.error("ERR", "no such key")],
  ["error that quotes bytes", (reply) => reply.error("ERR", "unknown command 'a\xe9\xff'")],
  ["error with text beyond bytes", (reply) => reply.error("ERR", "é – 漢字 😀")],
  ["long error", (reply) => reply.error("ERR", "x".repeat(300))],
  ...INTEGERS.map((value) => [`integer ${value}`, (reply: Reply) => reply.integer(value)] as const),
  ...[...DOUBLES.keys()].map(
    (value) => [`double ${value}`, (reply: Reply) => reply.double(value)] as const,
  ),
  ["double minus zero", (reply) => reply.double(-0)],
  ["double as it is written", (reply) => reply.double(13.5, "13.50000000000000018")],
  ["true", (reply) => reply.boolean(true)],
  ["false", (reply) => reply.boolean(false)],
  ["null", (reply) => reply.null()],
  ["null array", (reply) => reply.nullArray()],
  ...[0, 1, 9, 10, 1_000_000].flatMap((count) => [
    [`array of ${count}`, (reply: Reply) => reply.array(count)] as const,
    [`map of ${count}`, (reply: Reply) => reply.map(count)] as const,
    [`set of ${count}`, (reply: Reply) => reply.set(count)] as const,
    [`message of ${count}`, (reply: Reply) => reply.push(count)] as const,
  ]),
  ...[0, 1, 9, 10, 99, 100, 127, 128, 129, 130].map(
    (size) => [`bulk of ${size}`, (reply: Reply) => reply.bulk(bytes, 3, 3 + size)] as const,
  ),
  ...[[], [0, 1, 2, 3], [9, 10, 24, 25], [61, 62, 63, 64, 65], [128, 5, 129, 300, 7]].map(
    (sizes) => [`strings of ${sizes}`, (reply: Reply) => writeStrings(reply, sizes)] as const,
  ),
  ["text", (reply) => reply.text("é – 漢字 😀\r\n\0")],
  ["text of nothing", (reply) => reply.text("")],
  ["verbatim", (reply) => reply.verbatim("# Sérver\r\nx:1\r\n", "txt")],
];

/** Strings of these sizes, one behind the other in one buffer. */
function writeStrings(reply: Reply, sizes: readonly number[]): void {
  const spans = new Int32Array(2 * sizes.length);
  let at = 5;
  for (const [index, size] of sizes.entries()) {
    spans[2 * index] = at;
    at += size;
    spans[2 * index + 1] = at;
  }
  replyStrings(reply, bytes, spans, sizes.length);
}

/** What the session's replies are since `begin`. */
function take(encoder: RespEncoder): string {
  const stretches = encoder.takeFull().map(({ buffer, start, end }) => buffer.subarray(start, end));
  const last = encoder.buffer.subarray(encoder.lastStart, encoder.at);
  return Buffer.concat([...stretches, last]).toString("latin1");
}

const session = (protocol: 2 | 3) => ({ protocol });

describe.each([2, 3] as const)("RESP%d", (protocol) => {
  test.each(writers)("%s", (_name, write) => {
    const encoder = new RespEncoder();
    const naive = new NaiveEncoder(protocol);
    encoder.begin(session(protocol));
    write(encoder);
    write(naive);
    expect(encoder.pendingBytes).toBe(naive.output.length);
    expect(take(encoder)).toBe(naive.output);
  });

  test.each(writers)("%s, near the end of the buffer", (_name, write) => {
    const naive = new NaiveEncoder(protocol);
    write(naive);
    const encoder = new RespEncoder();
    for (let left = 0; left <= NEAR_END_BYTES; left++) {
      const fill = CAPACITY - left;
      encoder.at = fill; // as if others had written so much
      encoder.begin(session(protocol));
      write(encoder);
      write(encoder);
      expect(encoder.pendingBytes).toBe(2 * naive.output.length);
      expect(take(encoder)).toBe(naive.output + naive.output);
      encoder.reset();
    }
  });

  test.each(
    [-200, -100, -66, -65, -64, -63, -20, -16, -12, -2, -1, 0, 1, 100, 5_000_000].map((more) => [
      CAPACITY + more,
    ]),
  )("a string of %d bytes: about as large as the buffer, or larger", (size) => {
    for (const before of [0, 1, 100]) {
      const encoder = new RespEncoder();
      const naive = new NaiveEncoder(protocol);
      encoder.begin(session(protocol));
      for (const reply of [encoder, naive]) {
        if (before > 0) reply.bulk(bytes, 0, before);
        reply.bulk(bytes, 7, 7 + size);
        reply.ok();
        reply.verbatim(bytes.toString("latin1", 0, size), "txt");
        reply.ok();
      }
      expect(encoder.pendingBytes).toBe(naive.output.length);
      expect(take(encoder) === naive.output).toBe(true);
    }
  });
});

describe("an error is one line, whatever it quotes", () => {
  test.each([
    ["a\r\n+OK", "-ERR a  +OK\r\n"],
    ["a\nb\rc", "-ERR a b c\r\n"],
    ["a\r\n", "-ERR a\r\n"],
    ["漢\r\n字", `-ERR ${Buffer.from("漢  字").toString("latin1")}\r\n`],
  ])("%j", (text, expected) => {
    const encoder = new RespEncoder();
    encoder.begin(session(2));
    encoder.error("ERR", text);
    expect(take(encoder)).toBe(expected);
  });
});

/** A random reply: mostly short, sometimes larger than the buffer. */
function randomWrite(random: Random): Write {
  const [, write] = writers[random.below(writers.length)] as (typeof writers)[number];
  const kind = random.below(40);
  if (kind > 3) return write;
  const size = random.below(kind === 0 ? 2 * CAPACITY : 200_000);
  return (reply) => reply.bulk(bytes, 0, size);
}

describe("across buffers", () => {
  test.each(seeds(8))("sessions by turns, each gets its own, seed %d", (seed) => {
    const random = seededRandom(seed);
    const encoder = new RespEncoder();
    for (let turn = 0; turn < 4; turn++) {
      const spoken: {
        stretches: { buffer: Buffer; start: number; end: number }[];
        expected: string;
      }[] = [];
      for (let speaker = 0; speaker < 12; speaker++) {
        const protocol = random.below(2) === 0 ? 2 : 3;
        const naive = new NaiveEncoder(protocol);
        encoder.begin(session(protocol));
        for (let count = random.below(40); count > 0; count--) {
          const write = randomWrite(random);
          write(encoder);
          write(naive);
        }
        const last = { buffer: encoder.buffer, start: encoder.lastStart, end: encoder.at };
        spoken.push({ stretches: [...encoder.takeFull(), last], expected: naive.output });
      }
      // Looked at when the turn ends: nobody has written into another's stretch.
      for (const { stretches, expected } of spoken) {
        const parts = stretches.map(({ buffer, start, end }) => buffer.subarray(start, end));
        expect(Buffer.concat(parts).toString("latin1") === expected).toBe(true);
      }
      encoder.reset();
    }
  });

  test("a turn's large buffer is not kept", () => {
    const encoder = new RespEncoder();
    encoder.begin(session(2));
    encoder.bulk(bytes, 0, 3 * CAPACITY);
    encoder.takeFull();
    encoder.reset();
    expect([encoder.buffer.length, encoder.at]).toEqual([CAPACITY, 0]);
  });

  test("what an interrupted session left behind is nobody's", () => {
    const encoder = new RespEncoder();
    encoder.begin(session(2));
    encoder.bulk(bytes, 0, 100);
    encoder.bulk(bytes, 0, 2 * CAPACITY);
    encoder.begin(session(2));
    encoder.ok();
    expect(take(encoder)).toBe("+OK\r\n");
  });
});

describe("taking back", () => {
  test.each(seeds(4))("to each mark, across buffers, and on from there, seed %d", (seed) => {
    const random = seededRandom(seed);
    const writes = Array.from({ length: 60 }, () => randomWrite(random));
    for (let keep = 0; keep <= writes.length; keep++) {
      const encoder = new RespEncoder();
      const naive = new NaiveEncoder(2);
      encoder.at = random.below(CAPACITY);
      encoder.begin(session(2));
      let mark = encoder.mark();
      writes.forEach((write, index) => {
        write(encoder);
        if (index < keep) write(naive);
        if (index + 1 === keep) mark = encoder.mark();
      });
      encoder.rewind(mark);
      expect(encoder.pendingBytes).toBe(naive.output.length);
      const after = randomWrite(random);
      for (const reply of [encoder, naive]) {
        after(reply);
        reply.error("ERR", "internal error");
      }
      expect(encoder.pendingBytes).toBe(naive.output.length);
      expect(take(encoder) === naive.output).toBe(true);
    }
  });

  test.each(seeds(8))("again and again, seed %d", (seed) => {
    const random = seededRandom(seed);
    const encoder = new RespEncoder();
    const naive = new NaiveEncoder(3);
    encoder.begin(session(3));
    const marks = [encoder.mark()];
    for (let step = 0; step < 400; step++) {
      const choice = random.below(8);
      if (choice === 0) {
        const index = random.below(marks.length);
        encoder.rewind(marks[index] as number);
        naive.rewind(marks[index] as number);
        marks.length = index + 1;
      } else {
        const write = randomWrite(random);
        write(encoder);
        write(naive);
        marks.push(encoder.mark());
      }
      expect(encoder.pendingBytes).toBe(naive.output.length);
    }
    expect(take(encoder) === naive.output).toBe(true);
  });

  test("what stands before in the same turn stays", () => {
    const encoder = new RespEncoder();
    encoder.begin(session(2));
    encoder.bulk(bytes, 0, CAPACITY - 100);
    const first = { buffer: encoder.buffer, start: encoder.lastStart, end: encoder.at };
    encoder.takeFull();
    encoder.begin(session(2));
    const mark = encoder.mark();
    encoder.ok();
    encoder.bulk(bytes, 0, 1000);
    encoder.rewind(mark);
    encoder.status("PONG");
    expect(take(encoder)).toBe("+PONG\r\n");
    const text = first.buffer.toString("latin1", first.start, first.end);
    expect(text.endsWith(`${bytes.toString("latin1", CAPACITY - 110, CAPACITY - 100)}\r\n`)).toBe(
      true,
    );
  });
});
