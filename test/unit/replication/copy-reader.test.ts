// The copy of a primary, whole, byte by byte and cut at every place.
import { describe, expect, test } from "bun:test";
import { CopyReader, MARK_BYTES } from "../../../src/replication/copy-reader.ts";

const MARK = "0123456789abcdef0123456789abcdef01234567";
const STREAM = "*1\r\n$4\r\nPING\r\n";

function read(chunks: readonly Buffer[]) {
  const copy: Buffer[] = [];
  const rest: Buffer[] = [];
  const reader = new CopyReader((bytes) => copy.push(Buffer.from(bytes)));
  for (const chunk of chunks) {
    const done = reader.isWhole ? 0 : reader.push(chunk);
    if (done < chunk.length) rest.push(chunk.subarray(done));
  }
  return {
    copy: Buffer.concat(copy).toString("latin1"),
    rest: Buffer.concat(rest).toString("latin1"),
    reader,
  };
}

function cutsOf(bytes: Buffer): Buffer[][] {
  const cuts = Array.from(bytes, (_, at) => [bytes.subarray(0, at), bytes.subarray(at)]);
  return [[bytes], Array.from(bytes, (byte) => Buffer.of(byte)), ...cuts];
}

// What looks like the beginning of the mark, and like its end.
const BODIES = [
  "",
  "x",
  "REDIS0010 some bytes",
  MARK.slice(0, 39),
  `${MARK.slice(1)}0`,
  "y".repeat(100),
];

describe("a copy", () => {
  test.each(BODIES)("of known length: %p", (body) => {
    const bytes = Buffer.from(`\n\n$${body.length}\r\n${body}${STREAM}`, "latin1");
    for (const chunks of cutsOf(bytes)) {
      const { copy, rest, reader } = read(chunks);
      expect({ copy, rest, whole: reader.isWhole }).toEqual({
        copy: body,
        rest: STREAM,
        whole: true,
      });
      expect(reader.readBytes).toBe(body.length);
    }
  });

  test.each(BODIES)("up to its mark: %p", (body) => {
    expect(MARK.length).toBe(MARK_BYTES);
    const bytes = Buffer.from(`\n$EOF:${MARK}\r\n${body}${MARK}${STREAM}`, "latin1");
    for (const chunks of cutsOf(bytes)) {
      const { copy, rest, reader } = read(chunks);
      expect({ copy, rest, whole: reader.isWhole }).toEqual({
        copy: body,
        rest: STREAM,
        whole: true,
      });
      expect(reader.totalBytes).toBe(body.length);
    }
  });

  test.each(["-ERR no disk\r\n", "$-1\r\n", "$EOF:short\r\n", "hello\r\n", "$12x\r\n"])(
    "%p is none",
    (line) => {
      for (const chunks of cutsOf(Buffer.from(line))) {
        expect(read(chunks).reader.problem).not.toBe("");
      }
    },
  );

  test("that is cut off is not whole", () => {
    const bytes = Buffer.from(`$EOF:${MARK}\r\nbytes${MARK.slice(0, 39)}`);
    expect(read([bytes]).reader).toMatchObject({ isWhole: false, problem: "" });
  });
});
