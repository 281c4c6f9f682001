/**
 * The decoder over the table of cases: whole, byte by byte, and cut in two at each place; then what it costs to read a
 * large command that comes in small pieces.
 */
import { describe, expect, test } from "bun:test";
import { Arguments } from "../../../src/commands/arguments.ts";
import { seededRandom } from "../../../src/platform/random.ts";
import { Decoder, INCOMPLETE, MALFORMED } from "../../../src/resp/decoder.ts";
import { seeds } from "../../suites/seeds.ts";
import { IncrementalInput, readEagerly, readInChunks } from "./incremental-input.ts";
import { arrayOf, type ProtocolCase, protocolCases } from "./protocol-cases.ts";

/** What a read of a huge socket buffer brings. */
const CHUNK_BYTES = 16 * 1024;
/** Inputs up to here are cut at each place, longer ones at these many. */
const CUT_EVERYWHERE_BYTES = 2048;
const CUTS_OF_LONG_INPUT = 150;

const bytesOf = (text: string): Buffer => Buffer.from(text, "latin1");

function expected({ commands, error }: ProtocolCase) {
  return {
    commands: commands as string[][],
    error: error === undefined ? null : `Protocol error: ${error}`,
  };
}

/** Where to cut in two: everywhere, or in a long input at its ends and at places evenly spread. */
function cuts(size: number): number[] {
  if (size <= CUT_EVERYWHERE_BYTES) return Array.from({ length: size }, (_, index) => index);
  const spread = Array.from({ length: CUTS_OF_LONG_INPUT }, (_, index) =>
    Math.floor((index * size) / CUTS_OF_LONG_INPUT),
  );
  const ends = Array.from({ length: 24 }, (_, index) => [index, size - 1 - index]).flat();
  return [...spread, ...ends];
}

describe("each case", () => {
  test.each(protocolCases.map((entry) => [entry.name, entry] as const))("%s", (_name, entry) => {
    const input = bytesOf(entry.input);
    const restricted = entry.restricted ?? false;
    expect(readEagerly(input, restricted)).toEqual(expected(entry));
    for (const cut of cuts(input.length)) {
      expect(readInChunks(input, [cut], restricted)).toEqual(expected(entry));
    }
    const byteByByte = new Array<number>(input.length).fill(1);
    expect(readInChunks(input, byteByByte, restricted)).toEqual(expected(entry));
  });

  // What was announced as needed is never more than what is: the last byte of a command, or the one that makes it
  // malformed, is enough.
  test.each(
    protocolCases
      .filter(({ input }) => input.length <= CUT_EVERYWHERE_BYTES)
      .map((entry) => [entry.name, entry] as const),
  )("at no byte known later than by a fresh look: %s", (_name, entry) => {
    const input = bytesOf(entry.input);
    const options = { restricted: entry.restricted ?? false };
    const incremental = new IncrementalInput(options);
    for (let size = 1; size <= input.length; size++) {
      incremental.receive(input.subarray(size - 1, size));
      const fresh = readEagerly(input.subarray(0, size), options.restricted);
      expect(incremental.commands.length).toBe(fresh.commands.length);
      expect(incremental.error).toBe(fresh.error);
    }
  });

  test.each(seeds(5))("all of them as one pipeline in random pieces, seed %d", (seed) => {
    const random = seededRandom(seed);
    const whole = protocolCases.filter(
      ({ error, restricted, commands, input }) =>
        error === undefined && restricted === undefined && commands.length > 0 && isWhole(input),
    );
    const input = bytesOf(whole.map((entry) => entry.input).join(""));
    const sizes: number[] = [];
    for (let at = 0; at < input.length; ) {
      const size = random.below(random.below(4) === 0 ? 5000 : 20);
      sizes.push(size);
      at += size;
    }
    const commands = whole.flatMap((entry) => entry.commands) as string[][];
    expect(readInChunks(input, sizes)).toEqual({ commands, error: null });
  });
});

/** Nothing is left over that would wait for more. */
function isWhole(input: string): boolean {
  const incremental = new IncrementalInput();
  incremental.receive(bytesOf(input));
  return incremental.keptBytes === 0;
}

describe("what is told besides", () => {
  test("the raw bytes of an array, not those of an inline command", () => {
    const decoder = new Decoder();
    const args = new Arguments();
    const input = bytesOf(`PING a\r\n${arrayOf("ECHO", "x")}`);
    const next = decoder.decode(args, input, 0, input.length);
    expect(args.rawStart).toBe(-1);
    expect(decoder.decode(args, input, next, input.length)).toBe(input.length);
    expect([args.rawStart, args.rawEnd]).toEqual([next, input.length]);
  });

  test("a smaller bound on arguments holds, at it and above it", () => {
    const decoder = new Decoder();
    decoder.maxBulkBytes = 1024;
    const args = new Arguments();
    const longest = bytesOf(arrayOf("x".repeat(1024)));
    expect(decoder.decode(args, longest, 0, longest.length)).toBe(longest.length);
    const longer = bytesOf(arrayOf("x".repeat(1025)));
    expect(decoder.decode(args, longer, 0, longer.length)).toBe(MALFORMED);
    expect(decoder.problem).toBe("Protocol error: invalid bulk length");
  });

  test("the password given: the small limits hold no longer for the next command", () => {
    const decoder = new Decoder();
    const args = new Arguments();
    const input = bytesOf(arrayOf(...new Array<string>(11).fill("a")));
    decoder.restricted = true;
    expect(decoder.decode(args, input, 0, input.length)).toBe(MALFORMED);
    decoder.restricted = false;
    expect(decoder.decode(args, input, 0, input.length)).toBe(input.length);
  });

  test("who only announces arguments gets no room for them", () => {
    const args = new Arguments();
    const capacity = args.start.length;
    const input = bytesOf("*2147483647\r\n$4\r\nMSET\r\n");
    expect(new Decoder().decode(args, input, 0, input.length)).toBe(INCOMPLETE);
    expect(args.start.length).toBe(capacity);
  });
});

describe("a large command in chunks of 16 KiB", () => {
  test("1 000 000 small arguments: two whole looks, and one step forward a chunk", () => {
    const count = 1_000_000;
    const header = bytesOf(`*${count}\r\n`);
    const input = Buffer.concat([header, Buffer.alloc(count * 7, "$1\r\na\r\n")]);
    const incremental = new IncrementalInput({ keepsCommands: false });
    let chunks = 0;
    for (let at = 0; at < input.length; at += CHUNK_BYTES) {
      incremental.receive(input.subarray(at, at + CHUNK_BYTES));
      chunks++;
      // Each look goes on where the last one stopped: within an argument of the end.
      if (incremental.commands.length === 0) {
        expect(incremental.keptBytes - incremental.resumeAt).toBeLessThan(7);
      }
    }
    expect(incremental.commands.length).toBe(1);
    expect(incremental.decodeCount).toBe(2);
    expect(incremental.skimCount).toBeLessThanOrEqual(chunks);
  });

  test("10 MB in one argument: no look before they are there", () => {
    const input = bytesOf(arrayOf("SET", "k", "x".repeat(10_000_000)));
    const incremental = new IncrementalInput();
    for (let at = 0; at < input.length; at += CHUNK_BYTES) {
      incremental.receive(input.subarray(at, at + CHUNK_BYTES));
    }
    expect(incremental.commands[0]?.[2]?.length).toBe(10_000_000);
    expect([incremental.decodeCount, incremental.skimCount]).toEqual([2, 1]);
  });

  test("10 000 arguments of 1 KB: two whole looks", () => {
    const argument = `$1000\r\n${"x".repeat(1000)}\r\n`;
    const input = bytesOf(`*10000\r\n${argument.repeat(10_000)}`);
    const incremental = new IncrementalInput();
    for (let at = 0; at < input.length; at += CHUNK_BYTES) {
      incremental.receive(input.subarray(at, at + CHUNK_BYTES));
    }
    expect(incremental.commands[0]?.length).toBe(10_000);
    expect(incremental.decodeCount).toBe(2);
  });

  test("a pipeline cut in each chunk: no command is looked at more than three times", () => {
    const one = arrayOf("SET", "key:000000000001", "x".repeat(32));
    const count = 20_000;
    const input = bytesOf(one.repeat(count));
    const incremental = new IncrementalInput({ keepsCommands: false });
    let chunks = 0;
    for (let at = 0; at < input.length; at += CHUNK_BYTES) {
      incremental.receive(input.subarray(at, at + CHUNK_BYTES));
      chunks++;
    }
    expect(incremental.commands.length).toBe(count);
    expect(incremental.decodeCount).toBeLessThanOrEqual(count + chunks);
  });
});
