/**
 * Input of every kind a client may send, and what it is made of: the commands, then an error, or the wait for more. As
 * byte text (a character is a byte). Every command is PING or ECHO with one argument, so that a server's replies tell
 * how it read them: the same table goes through the decoder, and to kvdb and redis-server over the wire.
 */

export interface ProtocolCase {
  readonly name: string;
  readonly input: string;
  /** The commands, in order, as words. */
  readonly commands: readonly (readonly string[])[];
  /** The error that follows them, without `Protocol error: `. */
  readonly error?: string;
  /** The client has still to give a password. */
  readonly restricted?: true;
  /** Why Redis answers something else. */
  readonly unlikeRedis?: string;
}

const KIB_64 = 64 * 1024;
const PING = ["PING"];
const echo = (text: string): string[] => ["ECHO", text];

/** A command as a RESP array. */
export function arrayOf(...words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`;
}

const MULTIBULK = "invalid multibulk length";
const BULK = "invalid bulk length";
const QUOTES = "unbalanced quotes in request";
const NUL_STOPS = "Redis looks no further than a NUL for the end of a line, and waits for ever";

const arrays: readonly ProtocolCase[] = [
  { name: "nothing", input: "", commands: [] },
  { name: "one command", input: arrayOf("PING"), commands: [PING] },
  { name: "an argument of no bytes", input: arrayOf("ECHO", ""), commands: [echo("")] },
  {
    name: "line ends and NULs in an argument",
    input: arrayOf("ECHO", "\r\n$3\r\n\0\0*1\r\n"),
    commands: [echo("\r\n$3\r\n\0\0*1\r\n")],
  },
  {
    name: "every byte in an argument",
    input: arrayOf("ECHO", allBytes()),
    commands: [echo(allBytes())],
  },
  ...[1, 9, 10, 42, 99, 100, 999, 1000, 20_000].map((size) => ({
    name: `a length of ${String(size).length} digits: ${size}`,
    input: arrayOf("ECHO", "x".repeat(size)) + arrayOf("PING"),
    commands: [echo("x".repeat(size)), PING],
  })),
  { name: "an empty array is skipped", input: `*0\r\n${arrayOf("PING")}`, commands: [PING] },
  { name: "a null array is skipped", input: `*-1\r\n${arrayOf("PING")}`, commands: [PING] },
  { name: "any negative array", input: "*-1\r\n*-5\r\n*0\r\nPING\r\n", commands: [PING] },
  { name: "least int64", input: "*-9223372036854775808\r\nPING\r\n", commands: [PING] },
  { name: "below int64", input: "*-9223372036854775809\r\n", commands: [], error: MULTIBULK },
  { name: "far below int64", input: "*-9999999999999999999\r\n", commands: [], error: MULTIBULK },
  { name: "most arguments", input: "*2147483647\r\n", commands: [] },
  { name: "one too many", input: "*2147483648\r\n", commands: [], error: MULTIBULK },
  { name: "above int64", input: "*9223372036854775808\r\n", commands: [], error: MULTIBULK },
  { name: "30 digits", input: `*${"1".repeat(30)}\r\n`, commands: [], error: MULTIBULK },
  { name: "a line feed is not looked at", input: "*1\rx$4\ryPINGzz", commands: [PING] },
  {
    name: "nor what ends an argument",
    input: `*1\r\n$4\r\nPINGab*1\r\n$4\r\nPINGcd`,
    commands: [PING, PING],
  },
  { name: "no carriage return", input: "*1\n$4\nPING\n", commands: [] },
  { name: "a late carriage return", input: "*1\n$4\nPING\n\r\n", commands: [], error: MULTIBULK },
  {
    name: "a NUL in a count",
    input: "*1\0\r\n",
    commands: [],
    error: MULTIBULK,
    unlikeRedis: NUL_STOPS,
  },
];

const badCounts: readonly ProtocolCase[] = [
  "",
  "00",
  "01",
  "+1",
  " 1",
  "1 ",
  "-0",
  "-",
  "--1",
  "1x",
  "0x1",
  "1.0",
  "/",
  ":",
  "1/",
  "1:",
  ";1",
].flatMap((count) => [
  {
    name: `count ${JSON.stringify(count)}`,
    input: `PING\r\n*${count}\r\n$4\r\nPING\r\n`,
    commands: [PING],
    error: MULTIBULK,
  },
  {
    name: `size ${JSON.stringify(count)}`,
    input: `PING\r\n*2\r\n$4\r\nECHO\r\n$${count}\r\nx\r\n`,
    commands: [PING],
    error: BULK,
  },
]);

const badBulks: readonly ProtocolCase[] = [
  { name: "a null argument", input: "*1\r\n$-1\r\n", commands: [], error: BULK },
  { name: "the longest argument", input: "*1\r\n$536870912\r\n", commands: [] },
  { name: "one byte longer", input: "*1\r\n$536870913\r\n", commands: [], error: BULK },
  { name: "size above int64", input: "*1\r\n$99999999999999999999\r\n", commands: [], error: BULK },
  {
    name: "inline inside an array",
    input: "*1\r\nPING\r\n",
    commands: [],
    error: "expected '$', got 'P'",
  },
  {
    name: "an array inside an array",
    input: "*1\r\n*1\r\n",
    commands: [],
    error: "expected '$', got '*'",
  },
  {
    name: "a byte beyond ASCII for $",
    input: "*1\r\n\xe9\r\n",
    commands: [],
    error: "expected '$', got '\xe9'",
  },
  { name: "CR for $", input: "*1\r\n\r\n", commands: [], error: "expected '$', got '\r'" },
  { name: "LF for $", input: "*1\r\n\n\r\n", commands: [], error: "expected '$', got '\n'" },
  {
    name: "NUL for $",
    input: "*1\r\n\0\r\n",
    commands: [],
    error: "expected '$', got '\0'",
    unlikeRedis: NUL_STOPS,
  },
  { name: "no $, and its line not ended", input: "*1\r\nX", commands: [] },
  { name: "no $, and half a line end", input: "*1\r\nX\r", commands: [] },
  {
    name: "the second argument",
    input: `*2\r\n$4\r\nECHO\r\n:1\r\n`,
    commands: [],
    error: "expected '$', got ':'",
  },
  {
    name: "told before the rest is there",
    input: "*5\r\n$3\r\nSET\r\n$x\r\n",
    commands: [],
    error: BULK,
  },
  {
    name: "nothing after an error is read",
    input: `${arrayOf("PING")}*1\r\n$x\r\n${arrayOf("PING")}`,
    commands: [PING],
    error: BULK,
  },
  { name: "cut in a size", input: "PING\r\n*1\r\n$1", commands: [PING] },
  { name: "cut before the last line end", input: "*1\r\n$4\r\nPING\r", commands: [] },
];

const inline: readonly ProtocolCase[] = [
  { name: "inline", input: "PING\r\n", commands: [PING] },
  { name: "ended by LF alone", input: "PING\n\n\nPING\n", commands: [PING, PING] },
  { name: "empty lines", input: "\r\n\r\nPING\r\n \t \r\nPING\r\n", commands: [PING, PING] },
  { name: "one CR more", input: "PING\r\r\n", commands: [PING] },
  { name: "spaces around", input: "  \tECHO\t  a \t\r\n", commands: [echo("a")] },
  { name: "a CR between words", input: "ECHO\ra\r\n", commands: [echo("a")] },
  { name: "vertical tab in a word", input: "ECHO a\x0bb\r\n", commands: [echo("a\x0bb")] },
  { name: "form feed in a word", input: "ECHO a\x0cb\r\n", commands: [echo("a\x0cb")] },
  { name: "vertical tab before a word", input: "ECHO \x0b\x0ca\r\n", commands: [echo("a")] },
  { name: "vertical tab after a quote", input: `\x0bECHO "a"\x0b\r\n`, commands: [echo("a")] },
  { name: "bytes beyond ASCII", input: "ECHO \x80\xff\xa0\r\n", commands: [echo("\x80\xff\xa0")] },
  { name: "double quotes", input: `ECHO "a b"\r\n`, commands: [echo("a b")] },
  { name: "no bytes, in double quotes", input: `ECHO ""\r\n`, commands: [echo("")] },
  { name: "no bytes, in single quotes", input: "ECHO ''\r\n", commands: [echo("")] },
  {
    name: "escapes",
    input: `ECHO "\\n\\r\\t\\b\\a\\\\\\"\\q\\'"\r\n`,
    commands: [echo(`\n\r\t\b\x07\\"q'`)],
  },
  { name: "hex escapes", input: `ECHO "\\x00\\xfF\\x41"\r\n`, commands: [echo("\0\xffA")] },
  { name: "half a hex escape", input: `ECHO "\\x4\\xg1\\x"\r\n`, commands: [echo("x4xg1x")] },
  { name: "single quotes", input: `ECHO 'a "b" \\n'\r\n`, commands: [echo(`a "b" \\n`)] },
  { name: "an escaped single quote", input: `ECHO 'it\\'s'\r\n`, commands: [echo("it's")] },
  { name: "a backslash outside quotes", input: "ECHO a\\n\r\n", commands: [echo("a\\n")] },
  { name: "quotes within a word", input: `EC"HO" a'b c'\r\n`, commands: [echo("ab c")] },
  { name: "a tab after quotes", input: `"ECHO"\t'a'\r\n`, commands: [echo("a")] },
  {
    name: "no space after double quotes",
    input: `PING\r\nECHO "a"b\r\n`,
    commands: [PING],
    error: QUOTES,
  },
  {
    name: "no space after single quotes",
    input: "ECHO 'a'b\r\nPING\r\n",
    commands: [],
    error: QUOTES,
  },
  { name: "quotes after quotes", input: `ECHO "a""b"\r\n`, commands: [], error: QUOTES },
  { name: "double quotes not closed", input: `ECHO "a\r\n`, commands: [], error: QUOTES },
  { name: "single quotes not closed", input: "ECHO 'a\r\n", commands: [], error: QUOTES },
  { name: "the closing quote escaped", input: `ECHO "a\\"\r\n`, commands: [], error: QUOTES },
  { name: "a backslash at the end", input: `ECHO "a\\\r\n`, commands: [], error: QUOTES },
  { name: "a single quote alone", input: "'\r\n", commands: [], error: QUOTES },
  { name: "quotes, and no line end", input: `ECHO "a`, commands: [] },
  {
    name: "a NUL",
    input: "ECHO a\0PING\n",
    commands: [["ECHO", "a", "PING"]],
    unlikeRedis: NUL_STOPS,
  },
  {
    name: "inline and arrays by turns",
    input: `PING\r\n${arrayOf("ECHO", "a")}ECHO b\n*0\r\n\r\n${arrayOf("PING")}PING\r\n`,
    commands: [PING, echo("a"), echo("b"), PING, PING],
  },
  {
    name: "a pipeline",
    input: Array.from({ length: 200 }, (_, i) => arrayOf("ECHO", `${i}`.repeat(i % 7))).join(""),
    commands: Array.from({ length: 200 }, (_, i) => echo(`${i}`.repeat(i % 7))),
  },
];

/** Lines at the bound of 64 KiB; a longer one that ends is accepted by Redis if it comes in one piece. */
const longLines: readonly ProtocolCase[] = [
  { name: "inline, no end at the bound", input: "x".repeat(KIB_64), commands: [] },
  {
    name: "inline, no end",
    input: "x".repeat(KIB_64 + 1),
    commands: [],
    error: "too big inline request",
  },
  {
    name: "inline, longest",
    input: `ECHO ${"x".repeat(KIB_64 - 6)}\r\n`,
    commands: [echo("x".repeat(KIB_64 - 6))],
  },
  {
    name: "inline, far too long",
    input: `ECHO ${"x".repeat(3 * KIB_64)}\r\nPING\r\n`,
    commands: [],
    error: "too big inline request",
  },
  { name: "count, no end at the bound", input: `*${"1".repeat(KIB_64 - 1)}`, commands: [] },
  {
    name: "count, no end",
    input: `*${"1".repeat(KIB_64)}`,
    commands: [],
    error: "too big mbulk count string",
  },
  {
    name: "count, longest",
    input: `*${"1".repeat(KIB_64 - 1)}\r\n`,
    commands: [],
    error: MULTIBULK,
  },
  {
    name: "count, far too long",
    input: `*${"1".repeat(3 * KIB_64)}\r\n`,
    commands: [],
    error: "too big mbulk count string",
  },
  { name: "size, no end at the bound", input: `*1\r\n$${"1".repeat(KIB_64 - 1)}`, commands: [] },
  {
    name: "size, no end",
    input: `PING\r\n*1\r\n$${"1".repeat(KIB_64)}`,
    commands: [PING],
    error: "too big bulk count string",
  },
  {
    name: "no $, no end",
    input: `*1\r\n${"x".repeat(KIB_64 + 1)}`,
    commands: [],
    error: "too big bulk count string",
  },
];

/** The limits for who has not given a password. ECHO and PING are refused, but not by the decoder. */
const restricted: readonly ProtocolCase[] = [
  {
    name: "11 arguments",
    input: "*11\r\n",
    commands: [],
    error: "unauthenticated multibulk length",
  },
  { name: "10 arguments", input: "*10\r\n", commands: [] },
  {
    name: "an argument of 16 KiB",
    input: arrayOf("ECHO", "x".repeat(16_384)),
    commands: [echo("x".repeat(16_384))],
  },
  {
    name: "an argument of 16 KiB and a byte",
    input: "*2\r\n$4\r\nECHO\r\n$16385\r\n",
    commands: [],
    error: "unauthenticated bulk length",
  },
  { name: "a count that is none", input: "*x\r\n", commands: [], error: MULTIBULK },
  { name: "a size beyond all limits", input: "*1\r\n$536870913\r\n", commands: [], error: BULK },
].map((entry) => ({
  ...entry,
  name: `no password given: ${entry.name}`,
  restricted: true as const,
}));

export const protocolCases: readonly ProtocolCase[] = [
  ...arrays,
  ...badCounts,
  ...badBulks,
  ...inline,
  ...longLines,
  ...restricted,
];

function allBytes(): string {
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte)).join("");
}
