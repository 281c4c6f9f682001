// The stream of a primary, cut into units wherever the network cuts it.
import { describe, expect, test } from "bun:test";
import { StreamIntake, type UnitKind } from "../../../src/replication/stream-intake.ts";

function command(...words: readonly string[]): string {
  const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  return `*${words.length}\r\n${parts.join("")}`;
}

const DATABASES = 4;
const SET = command("SET", "key", "value");
const SELECT = command("SELECT", "3");
const MULTI = command("MULTI");
const EXEC = command("EXEC");
const PING = command("PING");
const JSON_NOTE = command("PING", "#kvdb-json");

const UNITS: readonly (readonly [string, UnitKind])[] = [
  [SET, "single"],
  [command("set", "key", "x".repeat(300)), "single"],
  [PING, "idle"],
  [command("ping"), "idle"],
  [command("REPLCONF", "GETACK", "*"), "idle"],
  [SELECT + SET, "several"],
  [MULTI + SET + SET + EXEC, "several"],
  [SELECT + MULTI + SET + SELECT + SET + PING + EXEC, "several"],
  [JSON_NOTE + SET, "own"],
  [SELECT + JSON_NOTE + SET, "own"],
  [MULTI + JSON_NOTE + SET + SET + EXEC, "own"],
  [command("PING", "#kvdb-do HPEXPIREAT h 1 FIELDS 1 a"), "own"],
  [command("PUBLISH", "channel", "message"), "single"],
  [command("MSET", "a", "1", "b", "2"), "single"],
  ["\r\n", "idle"],
  [command("SADD", "s", "EXEC", "MULTI"), "single"],
];

/** The units that were found, and what was left over. */
function unitsOf(chunks: readonly Buffer[]) {
  const intake = new StreamIntake(DATABASES);
  const found: [string, UnitKind][] = [];
  for (const chunk of chunks) {
    intake.push(chunk);
    while (intake.next()) {
      const { buffer, start, end, kind } = intake;
      found.push([buffer.toString("latin1", start, end), kind]);
    }
  }
  return { found, intake };
}

const ALL = Buffer.from(UNITS.map(([text]) => text).join(""));

describe("the stream", () => {
  test("as a whole, and byte by byte", () => {
    for (const chunks of [[ALL], Array.from(ALL, (byte) => Buffer.of(byte))]) {
      const { found, intake } = unitsOf(chunks);
      expect(found).toEqual(UNITS.map(([text, kind]) => [text, kind]));
      expect(intake).toMatchObject({ waitingBytes: 0, problem: "", wantsAcknowledgement: true });
    }
  });

  test("cut in two anywhere", () => {
    for (let at = 0; at <= ALL.length; at++) {
      const { found } = unitsOf([ALL.subarray(0, at), ALL.subarray(at)]);
      expect(found.map(([text]) => text)).toEqual(UNITS.map(([text]) => text));
    }
  });

  test.each([
    ["a command", SET + command("SET", "k", "v".repeat(200))],
    ["a transaction", SET + MULTI + SET.repeat(6) + EXEC],
    ["a transaction that goes on", SET + MULTI + SET.repeat(6)],
    ["what is announced", `${SET}*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$200\r\n`],
  ])(
    "%s that is longer than a record may be is a problem, and what is before it is none",
    (_, text) => {
      for (const step of [1, 1000]) {
        const intake = new StreamIntake(DATABASES, 200);
        let units = 0;
        for (let at = 0; at < text.length; at += step) {
          intake.push(Buffer.from(text.slice(at, at + step)));
          while (intake.next()) units++;
        }
        expect(units).toBe(1);
        expect(intake.problem).toContain("more than 200 bytes");
      }
      const intake = new StreamIntake(DATABASES, SET.length);
      intake.push(Buffer.from(SET + SET));
      expect([intake.next(), intake.next(), intake.problem]).toEqual([true, true, ""]);
    },
  );

  test("units that are longer than the buffer", () => {
    const long = command("SET", "key", "v".repeat(3_000_000));
    const bytes = Buffer.from(SET + long + SET + MULTI + long + EXEC + SET);
    const chunks: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += 65_536) chunks.push(bytes.subarray(at, at + 65_536));
    const { found } = unitsOf(chunks);
    expect(found.map(([text]) => text.length)).toEqual(
      [SET, long, SET, MULTI + long + EXEC, SET].map((text) => text.length),
    );
  });

  test("what is not whole waits, and is forgotten with its connection", () => {
    const { found, intake } = unitsOf([Buffer.from(SET + MULTI + SET)]);
    expect(found).toHaveLength(1);
    expect(intake.waitingBytes).toBe((MULTI + SET).length);
    intake.clear();
    intake.push(Buffer.from(SET));
    expect(intake.next()).toBe(true);
    expect(intake.kind).toBe("single");
  });

  test.each([
    ["alone", command("SELECT", String(DATABASES))],
    ["within a transaction", MULTI + SET + command("SELECT", String(DATABASES))],
  ])("a database that is not here is a problem, %s: nothing gets into another one", (_, text) => {
    const { found, intake } = unitsOf([Buffer.from(SELECT + SET + text + SET + EXEC)]);
    expect(found).toHaveLength(1);
    expect(intake.problem).toContain(`database ${DATABASES}`);
    expect(intake.next()).toBe(false);
    intake.clear();
    expect(intake.problem).toBe("");
  });

  test.each(["hello\r\n", "*1\r\n+OK\r\n", "*x\r\n", "$3\r\nfoo\r\n"])("%p is none", (text) => {
    const { found, intake } = unitsOf([Buffer.from(SET + text + SET)]);
    expect(found).toHaveLength(1);
    expect(intake.problem).toStartWith("Protocol error");
    expect(intake.next()).toBe(false);
  });
});
