/**
 * The lines in a record that Redis skips: they come back as they were written, whatever stands in them, none is longer than
 * redis-server reads, and what is damaged is found or is another whole command.
 */
import { describe, expect, test } from "bun:test";
import { OwnCommand, writeCauseLine, writeDocumentLine } from "../../../src/journal/annotations.ts";
import { CommandWriter } from "../../../src/journal/effects.ts";
import { RecordReader } from "../../../src/journal/record-reader.ts";
import { seededRandom } from "../../../src/platform/random.ts";
import { seeds } from "../../suites/seeds.ts";

/** With its end. */
const LONGEST_LINE = 127;

function written(write: (writer: CommandWriter) => void): Buffer {
  const writer = new CommandWriter();
  write(writer);
  return Buffer.from(writer.buffer.subarray(0, writer.size));
}

const ownCommand = (...words: readonly (string | Buffer)[]) =>
  written((writer) => {
    const command = new OwnCommand();
    for (const word of words) {
      const bytes = Buffer.from(word as string);
      command.word(bytes, 0, bytes.length);
    }
    command.writeTo(writer);
  });

const document = (...words: readonly string[]) =>
  written((writer) => {
    writeDocumentLine(writer);
    writer.command(words.length);
    for (const word of words) writer.text(word);
  });

/** The commands of a payload in latin1, or the problem. */
function read(payload: Buffer | string): string[][] | string {
  const bytes = Buffer.from(payload as string);
  const reader = new RecordReader();
  const commands: string[][] = [];
  for (let at = 0; at < bytes.length; ) {
    const next = reader.next(bytes, at, bytes.length);
    if (next < 0) return reader.problem;
    if (next <= at || next > bytes.length) throw new Error(`from ${at} to ${next}`);
    const { args } = reader;
    if (args.count > 0) {
      commands.push(Array.from({ length: args.count }, (_, index) => args.latin(index)));
    }
    at = next;
  }
  return commands;
}

const linesOf = (payload: Buffer) => payload.toString("latin1").match(/[^\n]*\n/g) ?? [];

describe("a command that kvdb alone runs", () => {
  test("is a line that a person can read", () => {
    expect(ownCommand("HPERSIST", "key", "FIELDS", "1", "f").toString()).toBe(
      "#kvdb-do HPERSIST key FIELDS 1 f\r\n",
    );
  });

  test("has its words quoted where they need it, as redis-cli does", () => {
    const line = ownCommand(
      "A",
      "",
      "two words",
      "it's",
      'a"b\\c',
      "\r\n\t\b\x07\0\xff".slice(0, 6),
    );
    expect(line.toString()).toBe(
      `#kvdb-do A "" "two words" "it's" "a\\"b\\\\c" "\\r\\n\\t\\b\\a\\x00"\r\n`,
    );
  });

  test("goes on in further lines when it is long, wherever they break", () => {
    for (let size = 0; size < 400; size++) {
      const line = ownCommand("SET", "\n".repeat(size / 2), "x".repeat(size));
      expect(read(line)).toEqual([["SET", "\n".repeat(size / 2), "x".repeat(size)]]);
      const [first = "", ...others] = linesOf(line);
      expect(first).toStartWith("#kvdb-do SET");
      for (const other of others) expect(other).toStartWith("#kvdb-and ");
      for (const one of [first, ...others]) expect(one.length).toBeLessThanOrEqual(LONGEST_LINE);
    }
  });

  test.each(seeds(5))("comes back as it was, whatever its bytes: seed %d", (seed) => {
    const random = seededRandom(seed);
    for (let i = 0; i < 500; i++) {
      const words = Array.from({ length: 1 + random.below(5) }, () =>
        Buffer.from(Array.from({ length: random.below(60) }, () => random.below(256))),
      );
      const payload = ownCommand(...words);
      expect(read(payload)).toEqual([words.map((word) => word.toString("latin1"))]);
      for (const line of linesOf(payload)) {
        expect(line).toMatch(/^#kvdb-(do|and) [ -~]*\r\n$/);
        expect(line.length).toBeLessThanOrEqual(LONGEST_LINE);
      }
    }
  });
});

describe("a document", () => {
  test("is the SET behind its line, with or without a deadline", () => {
    expect(document("SET", "k", "[1]").toString()).toBe(
      "#kvdb-json\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$3\r\n[1]\r\n",
    );
    expect(read(document("SET", "k", "[1]"))).toEqual([["VALUE.SET", "k", "[1]"]]);
    expect(read(document("set", "k", '"#"', "pxat", "5"))).toEqual([
      ["VALUE.IMPORT", "k", "json", "5", '"#"'],
    ]);
    const large = `{"a":"${"x".repeat(2_000_000)}"}`;
    for (const text of [large, "{}", '{"a":1}']) {
      expect(read(document("SET", "k", text, "PXAT", "5"))).toEqual([
        ["VALUE.SET", "k", text, "PXAT", "5"],
      ]);
    }
  });

  test.each([
    [["GET", "k"]],
    [["MSET", "k", "1"]],
    [["SET", "k"]],
    [["SET", "k", "1", "NX"]],
    [["SET", "k", "1", "KEEPTTL", "5"]],
    [["SET", "k", "1", "PXAT", "5", "GET"]],
  ])("is damaged when what follows is %j", (words) => {
    expect(read(document(...words))).toBe("a record has a document without its SET");
  });

  test("is damaged when nothing follows, or another line", () => {
    const line = written(writeDocumentLine);
    for (const after of ["", "#TS:1\r\n", "#kvdb-do PING\r\n", line.toString()]) {
      expect(read(line + after)).toBe("a record has a document without its SET");
    }
  });
});

describe("a deletion that nobody asked for", () => {
  const del = "*2\r\n$3\r\nDEL\r\n$1\r\nk\r\n";
  const hdel = "*3\r\n$4\r\nHDEL\r\n$1\r\nh\r\n$1\r\nf\r\n";

  test.each(["expired", "evicted"] as const)("is the one behind its line: %s", (cause) => {
    const line = written((writer) => writeCauseLine(writer, cause)).toString();
    expect(line).toBe(`#kvdb-${cause}\r\n`);
    const reader = new RecordReader();
    const payload = Buffer.from(line + del + del + line + hdel);
    const found: string[] = [];
    for (let at = 0; at < payload.length; ) {
      at = reader.next(payload, at, payload.length);
      found.push(`${reader.args.latin(0)} ${reader.cause}`);
    }
    expect(found).toEqual([`DEL ${cause}`, "DEL ", `HDEL ${cause}`]);
  });

  test("is damaged when something else follows, or nothing", () => {
    for (const after of ["", "#TS:1\r\n", "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"]) {
      expect(read(`#kvdb-expired\r\n${after}`)).toBe(
        "a record says that something expired, and deletes nothing",
      );
    }
  });
});

describe("lines between commands", () => {
  const time = "*1\r\n$4\r\nTIME\r\n";

  test("Redis's own time stamps say nothing", () => {
    expect(read(`#TS:1700000000\r\n${time}#TS:1700000001\r\n#kvdb-do ECHO 1\r\n${time}`)).toEqual([
      ["TIME"],
      ["ECHO", "1"],
      ["TIME"],
    ]);
  });

  test.each([
    "#\r\n",
    "# a remark\r\n",
    "#TS:\r\n",
    "#TS:17 00\r\n",
    "#kvdb-jso\r\n",
    "#kvdb-json \r\n",
    "#kvdb-do\r\n",
    "#kvdb-do \r\n",
    "#kvdb-do  PING\r\n",
    "#kvdb-do PING \r\n",
    "#kvdb-do ECHO  x\r\n",
    "#kvdb-do PING",
    "#kvdb-do PING\n",
    "#kvdb-do PING\r",
    "#kvdb-do P\u0001NG\r\n",
    '#kvdb-do "PING\r\n',
    '#kvdb-do "PI"NG\r\n',
    "#kvdb-and PING\r\n",
    `#kvdb-do ${"x".repeat(LONGEST_LINE - 10)}\r\n`,
    `#kvdb-do ${"x".repeat(LONGEST_LINE - 11)}\r\n`,
    "#kvdb-do ECHO\r\n#kvdb-and  x\r\n",
  ])("anything else is damage: %j", (line) => {
    expect(read(line)).toBe("a record has a line that says nothing");
  });

  test.each(["PING\r\n", "\r\n", " ", "$4\r\nPING\r\n"])("so is what is no line: %j", (text) => {
    expect(read(time + text)).toBe("a record has something between its commands");
  });

  test.each(["*0\r\n", "*-1\r\n", "*1\r\n", "*1\r\n$4\r\nPIN", "*x\r\n"])("%j too", (text) => {
    expect(read(text)).toBe("a record is no complete command");
  });
});

describe("damage", () => {
  const long = ownCommand("HPEXPIREAT", "k", "1790000000000", "FIELDS", "2", "é".repeat(60), '"');
  const record = Buffer.concat([document("SET", "key", '{"a":1}', "PXAT", "1790000000000"), long]);

  test("a record that was cut anywhere is known for it", () => {
    for (let at = 1; at < record.length; at++) {
      const isWhole = at === record.length - long.length;
      expect([at, typeof read(record.subarray(0, at))]).toEqual([
        at,
        isWhole ? "object" : "string",
      ]);
    }
  });

  test("any change of a line's front or end is found", () => {
    const text = record.toString("latin1");
    const places = [...text.matchAll(/#kvdb-json\r\n|#kvdb-(?:do|and) |(?<=\n#[^\n]*)\r\n/g)];
    expect(places.length).toBeGreaterThan(5);
    for (const { 0: part, index } of places) {
      for (let at = index; at < index + part.length; at++) {
        for (const changed of flipped(record, at))
          expect([at, typeof read(changed)]).toEqual([at, "string"]);
      }
    }
  });

  test("any other change is found, or makes other whole commands of it", () => {
    for (let at = 0; at < record.length; at++)
      for (const changed of flipped(record, at)) read(changed);
  });
});

/** The bytes with each bit of one of them changed. */
function flipped(bytes: Buffer, at: number): Buffer[] {
  return Array.from({ length: 8 }, (_, bit) => {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] as number) ^ (1 << bit);
    return changed;
  });
}
