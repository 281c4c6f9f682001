/**
 * What is recorded, for a persistence that wants Redis's words, of every command that redis-server 7.0 does not know or
 * would not follow; and that all others are recorded as ever.
 */
import { describe, expect, test } from "bun:test";
import { isRecordedInRedisWords } from "../../../src/commands/redis-words.ts";
import { type Argument, EngineHarness, type HarnessOptions } from "../../suites/engine-harness.ts";

type Words = readonly Argument[];

interface Example {
  /** The last of these is the one whose record is told. */
  readonly commands: readonly Words[];
  readonly record: readonly string[];
}

const NOW = Date.UTC(2026, 0, 1);
const SOON = NOW + 100_000;

const DOCUMENT: Words = ["JSON.SET", "doc", "$", '{"a":1,"s":"x","l":[1,2],"t":true}'];
const HASH: Words = ["HSET", "h", "f", "1", "g", "2"];
/** Then f has a deadline. */
const TIMED_HASH: readonly Words[] = [HASH, ["HEXPIRE", "h", 100, "FIELDS", 1, "f"]];

const edited = (command: Words, text: string): Example => ({
  commands: [DOCUMENT, command],
  record: ["#kvdb-json", `SET doc ${text}`],
});

/** One for each change that a command can be, at least one for each command. */
const examples: Readonly<Record<string, readonly Example[]>> = {
  "JSON.SET": [
    {
      commands: [["JSON.SET", "n", "$", "[ 1.0 ]"]],
      record: ["#kvdb-json", "SET n [1.0]"],
    },
    {
      commands: [["JSON.SET", "n", "$", '"a string"']],
      record: ["#kvdb-json", 'SET n "\\"a string\\""'],
    },
    edited(["JSON.SET", "doc", "$.a", "2"], '{"a":2,"s":"x","l":[1,2],"t":true}'),
    {
      commands: [
        ["SET", "k", "1"],
        ["JSON.SET", "n", "$", "1"],
        ["EXPIRE", "n", 100],
        ["JSON.SET", "n", "$", "2"],
      ],
      record: ["#kvdb-json", `SET n 2 PXAT ${SOON}`],
    },
  ],
  "JSON.MERGE": [edited(["JSON.MERGE", "doc", "$", '{"s":null,"l":5}'], '{"a":1,"l":5,"t":true}')],
  "JSON.MSET": [
    {
      // The old values make way first: each takes the one that the other had.
      commands: [
        ["INDEX", "CREATE", "u", "USING", "hash", "FIELD", "a", "UNIQUE"],
        ["JSON.SET", "k", "$", '{"a":1}'],
        ["JSON.SET", "n", "$", '{"a":2}'],
        ["JSON.MSET", "k", "$", '{"a":2}', "n", "$", '{"a":1}'],
      ],
      record: ["DEL k n", "#kvdb-json", 'SET k {"a":2}', "#kvdb-json", 'SET n {"a":1}'],
    },
    {
      commands: [DOCUMENT, ["JSON.MSET", "doc", "$.l", "0", "n", "$", "1", "doc", "$.s", "0"]],
      record: ["#kvdb-json", 'SET doc {"a":1,"s":0,"l":0,"t":true}', "#kvdb-json", "SET n 1"],
    },
  ],
  "JSON.NUMINCRBY": [
    edited(["JSON.NUMINCRBY", "doc", "$.a", "2"], '{"a":3,"s":"x","l":[1,2],"t":true}'),
  ],
  "JSON.NUMMULTBY": [
    edited(["JSON.NUMMULTBY", "doc", "$.a", "5"], '{"a":5,"s":"x","l":[1,2],"t":true}'),
  ],
  "JSON.STRAPPEND": [
    edited(["JSON.STRAPPEND", "doc", "$.s", '"y"'], '{"a":1,"s":"xy","l":[1,2],"t":true}'),
  ],
  "JSON.TOGGLE": [edited(["JSON.TOGGLE", "doc", "$.t"], '{"a":1,"s":"x","l":[1,2],"t":false}')],
  "JSON.ARRAPPEND": [
    edited(["JSON.ARRAPPEND", "doc", "$.l", "3"], '{"a":1,"s":"x","l":[1,2,3],"t":true}'),
  ],
  "JSON.ARRINSERT": [
    edited(["JSON.ARRINSERT", "doc", "$.l", "0", "0"], '{"a":1,"s":"x","l":[0,1,2],"t":true}'),
  ],
  "JSON.ARRPOP": [edited(["JSON.ARRPOP", "doc", "$.l"], '{"a":1,"s":"x","l":[1],"t":true}')],
  "JSON.ARRTRIM": [
    edited(["JSON.ARRTRIM", "doc", "$.l", "1", "1"], '{"a":1,"s":"x","l":[2],"t":true}'),
  ],
  "JSON.CLEAR": [edited(["JSON.CLEAR", "doc", "$.l"], '{"a":1,"s":"x","l":[],"t":true}')],
  "JSON.DEL": [
    edited(["JSON.DEL", "doc", "$.l"], '{"a":1,"s":"x","t":true}'),
    { commands: [DOCUMENT, ["JSON.DEL", "doc"]], record: ["DEL doc"] },
  ],
  "JSON.FORGET": [{ commands: [DOCUMENT, ["JSON.FORGET", "doc", "$"]], record: ["DEL doc"] }],
  "VALUE.SET": [
    { commands: [["VALUE.SET", "k", "[1, 2]"]], record: ["#kvdb-json", "SET k [1,2]"] },
    { commands: [["VALUE.SET", "k", '"text"']], record: ["SET k text"] },
    { commands: [["VALUE.SET", "k", "text", "EX", 100]], record: [`SET k text PXAT ${SOON}`] },
    {
      commands: [
        ["SET", "k", "1", "EX", 100],
        ["VALUE.SET", "k", "[]", "KEEPTTL"],
      ],
      record: ["#kvdb-json", `SET k [] PXAT ${SOON}`],
    },
    {
      commands: [
        ["SET", "k", "1"],
        ["VALUE.SET", "k", "2", "PXAT", 1],
      ],
      record: ["DEL k"],
    },
  ],
  "VALUE.BATCH": [
    {
      commands: [
        ["SET", "gone", "1"],
        [
          ...["VALUE.BATCH", "gone", "DEL", "", "0", "k", "SET", "twice", "0"],
          ...["doc", "JSON", "{}", "+100000", "k", "SET", "v", "0", "late", "SET", "v", "1"],
        ],
      ],
      record: ["DEL gone", "SET k v", "#kvdb-json", `SET doc {} PXAT ${SOON}`, "DEL late"],
    },
  ],
  "VALUE.IMPORT": [
    {
      commands: [
        [
          "VALUE.IMPORT",
          "doc",
          "json",
          SOON,
          '"x"',
          "k",
          "string",
          0,
          "v",
          "late",
          "string",
          1,
          "v",
        ],
      ],
      record: ["DEL late", "#kvdb-json", `SET doc "x" PXAT ${SOON}`, "SET k v"],
    },
  ],
  LOCK: [{ commands: [["LOCK", "k", "PX", 100_000]], record: [`SET lock:k 1 PXAT ${SOON}`] }],
  UNLOCK: [
    {
      commands: [
        ["LOCK", "k", "PX", 100_000],
        ["UNLOCK", "k", "1"],
      ],
      record: ["DEL lock:k"],
    },
  ],
  INCRBYFLOAT: [
    { commands: [["INCRBYFLOAT", "k", "1.5"]], record: ["SET k 1.5 KEEPTTL"] },
    {
      commands: [
        ["JSON.SET", "k", "$", "1"],
        ["EXPIRE", "k", 100],
        ["INCRBYFLOAT", "k", "1.5"],
      ],
      record: ["#kvdb-json", `SET k 2.5 PXAT ${SOON}`],
    },
  ],
  HINCRBYFLOAT: [
    { commands: [HASH, ["HINCRBYFLOAT", "h", "f", "1.5"]], record: ["HSET h f 2.5"] },
    {
      commands: [...TIMED_HASH, ["HINCRBYFLOAT", "h", "f", "1.5"]],
      record: ["HSET h f 2.5", `#kvdb-do HPEXPIREAT h ${SOON} FIELDS 1 f`],
    },
  ],
  HEXPIRE: [
    {
      commands: [HASH, ["HEXPIRE", "h", 100, "FIELDS", 2, "f", "none"]],
      record: [`#kvdb-do HPEXPIREAT h ${SOON} FIELDS 1 f`],
    },
    { commands: [HASH, ["HEXPIRE", "h", 0, "FIELDS", 1, "f"]], record: ["HDEL h f"] },
  ],
  HPEXPIRE: [
    {
      commands: [
        ["HSET", "h", "two words", "1"],
        ["HPEXPIRE", "h", 5, "FIELDS", 1, "two words"],
      ],
      record: [`#kvdb-do HPEXPIREAT h ${NOW + 5} FIELDS 1 "two words"`],
    },
  ],
  HEXPIREAT: [
    {
      commands: [HASH, ["HEXPIREAT", "h", SOON / 1000, "FIELDS", 1, "f"]],
      record: [`#kvdb-do HPEXPIREAT h ${SOON} FIELDS 1 f`],
    },
  ],
  HPEXPIREAT: [
    {
      commands: [HASH, ["HPEXPIREAT", "h", SOON, "NX", "FIELDS", 1, "f"]],
      record: [`#kvdb-do HPEXPIREAT h ${SOON} FIELDS 1 f`],
    },
  ],
  HPERSIST: [
    {
      commands: [...TIMED_HASH, ["HPERSIST", "h", "FIELDS", 2, "f", "g"]],
      record: ["#kvdb-do HPERSIST h FIELDS 1 f"],
    },
  ],
  HGETDEL: [
    { commands: [...TIMED_HASH, ["HGETDEL", "h", "FIELDS", 2, "f", "no"]], record: ["HDEL h f"] },
  ],
  HGETEX: [
    {
      commands: [HASH, ["HGETEX", "h", "EX", 100, "FIELDS", 1, "g"]],
      record: [`#kvdb-do HPEXPIREAT h ${SOON} FIELDS 1 g`],
    },
  ],
  HSETEX: [
    { commands: [HASH, ["HSETEX", "h", "FIELDS", 1, "f", "9"]], record: ["HSET h f 9"] },
    {
      commands: [["HSETEX", "h", "FNX", "EX", 100, "FIELDS", 2, "f", "1", "g", "2"]],
      record: ["HSET h f 1 g 2", `#kvdb-do HPEXPIREAT h ${SOON} FIELDS 2 f g`],
    },
    {
      commands: [
        ...TIMED_HASH,
        ["HSETEX", "h", "KEEPTTL", "FIELDS", 3, "g", "5", "f", "5", "f", "6"],
      ],
      record: ["HSET h g 5 f 5 f 6", `#kvdb-do HPEXPIREAT h ${SOON} FIELDS 1 f`],
    },
  ],
  SORT: [
    {
      commands: [
        ["SADD", "s", "c", "a", "b"],
        ["SET", "by", "1"],
        ["SORT", "s", "ALPHA", "BY", "store", "STORE", "k"],
      ],
      record: ["DEL k", "RPUSH k a b c"],
    },
    {
      commands: [
        ["SET", "k", "1"],
        ["SORT", "none", "STORE", "k"],
      ],
      record: ["DEL k"],
    },
  ],
  "INDEX|CREATE": [
    {
      commands: [
        ["SELECT", 3],
        ["INDEX", "CREATE", "i", "USING", "hash", "FIELD", "a"],
      ],
      record: ["#kvdb-do INDEX CREATE i USING hash FIELD a"],
    },
  ],
  "INDEX|DROP": [
    {
      commands: [
        ["INDEX", "CREATE", "i", "USING", "hash", "FIELD", "a"],
        ["INDEX", "DROP", "i"],
      ],
      record: ["#kvdb-do INDEX DROP i"],
    },
  ],
};

const db = (options: HarnessOptions = {}) =>
  new EngineHarness({ redisWords: true, durability: "no", ...options });

function lastRecord(db: EngineHarness): readonly string[] | undefined {
  return db.records().at(-1)?.commands;
}

describe("every command that changes data and is not recorded as it is", () => {
  test("has an example here", () => {
    const { commands } = db().engine;
    const changing = commands.all().filter(({ flags }) => flags.includes("write"));
    const translated = changing.filter((command) => !isRecordedInRedisWords(command));
    const named = [...Object.keys(examples), "RESTORE"].sort();
    expect(translated.map(({ name }) => name).sort()).toEqual(named);
  });

  const cases = Object.values(examples).flatMap((list) =>
    list.map((example) => [example.commands.at(-1)?.join(" "), example] as const),
  );
  test.each(cases)("%s", (_name, { commands, record }) => {
    const one = db();
    for (const words of commands) expect(one.run(...words)).not.toHaveProperty("error");
    expect(lastRecord(one)).toEqual(record);
    const replayed = one.replayed();
    expect(replayed.run("DEBUG", "DIGEST")).toBe(one.run("DEBUG", "DIGEST"));
    for (const key of ["k", "n", "doc", "h"]) {
      expect(replayed.run("TYPE", key)).toBe(one.run("TYPE", key));
      expect(replayed.run("PEXPIRETIME", key)).toBe(one.run("PEXPIRETIME", key));
    }
  });
});

describe("RESTORE becomes what the key is, whatever was in the payload", () => {
  const restored = (...commands: readonly Words[]) => {
    const one = db();
    for (const words of commands) one.run(...words);
    const payload = one.run("DUMP", "k") as Buffer | string;
    expect(one.run("RESTORE", "copy", 100_000, payload)).toBe("OK");
    const record = lastRecord(one) ?? [];
    const replayed = one.replayed();
    expect(replayed.run("DEBUG", "DIGEST")).toBe(one.run("DEBUG", "DIGEST"));
    expect(replayed.run("TYPE", "copy")).toBe(one.run("TYPE", "k"));
    expect(replayed.run("PTTL", "copy")).toBe(100_000);
    return record;
  };

  test("a string", () => {
    expect(restored(["SET", "k", "v"])).toEqual([`SET copy v PXAT ${SOON}`]);
  });

  test("a document", () => {
    expect(restored(["JSON.SET", "k", "$", "[1]"])).toEqual([
      ...["#kvdb-json", `SET copy [1] PXAT ${SOON}`],
    ]);
  });

  test.each([
    [["RPUSH", "k", "a", "b"], "RPUSH copy a b"],
    [["SADD", "k", "3"], "SADD copy 3"],
    [["ZADD", "k", "-inf", "m", "0.1", "n"], "ZADD copy -inf m 0.10000000000000001 n"],
    [["HSET", "k", "f", "v"], "HSET copy f v"],
  ])("a value with elements: %j", (words, record) => {
    expect(restored(words)).toEqual(["DEL copy", record, `PEXPIREAT copy ${SOON}`]);
  });

  test.each([
    ["a stream", [["XADD", "k", "5-1", "f", "v"]]],
    [
      "a score of minus zero",
      [
        ["ZADD", "k", "1", "long".repeat(100)],
        ["ZADD", "k", "-0.0", "m"],
      ],
    ],
  ])("%s", (_name, commands) => {
    const [command = "", ...more] = restored(...commands);
    expect(command).toMatch(new RegExp(`^RESTORE copy ${SOON} .* ABSTTL REPLACE$`));
    expect(more).toEqual([]);
  });

  test("a hash whose fields have deadlines", () => {
    const record = restored(
      ["HSET", "k", "f", "1", "g", "2", "e", "3"],
      ["HPEXPIREAT", "k", SOON, "FIELDS", 2, "f", "e"],
    );
    expect(record).toEqual([
      "DEL copy",
      "HSET copy f 1 g 2 e 3",
      `#kvdb-do HPEXPIREAT copy ${SOON} FIELDS 2 f e`,
      `PEXPIREAT copy ${SOON}`,
    ]);
  });

  test("a large one in pieces", () => {
    const fields = Array.from({ length: 1234 }, (_, index) => `field ${index}`);
    const record = restored(
      ["HSET", "k", ...fields.flatMap((field) => [field, "v"])],
      ["HPEXPIREAT", "k", SOON, "FIELDS", 1, "field 700"],
    );
    expect(record.filter((line) => line.startsWith("HSET "))).toHaveLength(3);
    expect(record.filter((line) => line.startsWith("#"))).toHaveLength(1);
  });
});

describe("other commands are recorded as ever", () => {
  test.each([
    [["SET", "k", "v"], "SET k v"],
    [["set", "k", "v", "EX", 100], `SET k v PXAT ${SOON}`],
    [["GETSET", "k", "v"], "GETSET k v"],
    [["HSET", "h", "f", "v"], "HSET h f v"],
    [["XADD", "s", "*", "f", "v"], `XADD s ${NOW}-0 f v`],
  ] as const)("%j", (words, record) => {
    const one = db();
    one.run(...words);
    expect(lastRecord(one)).toEqual([record]);
  });

  test("SET IFEQ as the SET that it came to", () => {
    const one = db();
    one.run("SET", "k", "old");
    expect(one.run("SET", "k", "new", "IFEQ", "old")).toBe("OK");
    expect(lastRecord(one)).toEqual(["SET k new"]);
  });

  test("SET IFVERSION and IFTOKEN as the SET that it came to", () => {
    const one = db();
    expect(one.run("SET", "k", "first", "IFVERSION", 0)).toBe("OK");
    expect(lastRecord(one)).toEqual(["SET k first"]);
    const token = one.run("LOCK", "k", "PX", 1000) as number;
    expect(one.run("SET", "k", "new", "IFTOKEN", token, "KEEPTTL")).toBe("OK");
    expect(lastRecord(one)).toEqual(["SET k new KEEPTTL"]);
    expect(one.run("VALUE.SET", "k", "[1]", "IFTOKEN", token)).toBe("OK");
    expect(lastRecord(one)).toEqual(["#kvdb-json", "SET k [1]"]);
  });

  test("those that move a document, and those that find one where they want a string", () => {
    const one = db();
    one.run(...DOCUMENT);
    one.run("COPY", "doc", "other");
    one.run("RENAME", "other", "third");
    one.run("MOVE", "third", 1);
    one.run("APPEND", "doc", "x");
    one.run("SETRANGE", "doc", 0, "x");
    one.run("BITOP", "NOT", "dest", "doc");
    one.run("GETDEL", "doc");
    expect(
      one
        .records()
        .flatMap(({ commands }) => commands)
        .slice(2),
    ).toEqual([...["COPY doc other", "RENAME other third", "MOVE third 1", "DEL doc"]]);
  });
});

describe("one record of several commands", () => {
  test("keys and fields found expired go first", () => {
    const one = db({ background: false });
    one.run("JSON.SET", "doc", "$", "1");
    one.run("PEXPIRE", "doc", 10);
    one.advance(20);
    one.run("JSON.SET", "doc", "$", "2");
    expect(lastRecord(one)).toEqual(["SELECT 0", "DEL doc", "#kvdb-json", "SET doc 2"]);
  });

  test("what a plugin's command calls is translated call by call, in its database", () => {
    const one = db();
    one.addCommand("MANY", (session, _args, reply) => {
      session.call("JSON.SET", "doc", "$", "1");
      session.call("SELECT", 2);
      session.call("JSON.NUMINCRBY", "doc", "$", 1);
      session.call("JSON.SET", "doc", "$", "5");
      session.call("SELECT", 0);
      session.call("JSON.NUMINCRBY", "doc", "$", 1);
      session.call("HSETEX", "h", "EX", 100, "FIELDS", 1, "f", "v");
      session.call("SET", "k", "v");
      reply.ok();
    });
    one.run("SELECT", 2);
    one.run("JSON.SET", "doc", "$", "3");
    one.run("SELECT", 0);
    one.records();
    expect(one.run("MANY")).toBe("OK");
    expect(one.records()).toEqual([
      {
        database: 0,
        commands: [
          ...["#kvdb-json", "SET doc 1", "SELECT 2", "#kvdb-json", "SET doc 4"],
          ...["#kvdb-json", "SET doc 5", "SELECT 0", "#kvdb-json", "SET doc 2"],
          ...["HSET h f v", `#kvdb-do HPEXPIREAT h ${SOON} FIELDS 1 f`, "SET k v"],
        ],
      },
    ]);
    expect(one.replayed().run("DEBUG", "DIGEST")).toBe(one.run("DEBUG", "DIGEST"));
  });

  test("an outcome in another database is looked up there", () => {
    const one = db();
    one.run("SELECT", 3);
    one.run("JSON.SET", "doc", "$", "3");
    one.run("SELECT", 0);
    one.run("JSON.SET", "doc", "$", "0");
    one.records();
    const { engine } = one;
    // As the indexes of the configuration are recorded, when kvdb has started.
    engine.perform(one.session, () => {
      for (const words of [
        ["SELECT", "3"],
        ["INDEX", "CREATE", "i", "USING", "hash", "FIELD", "a"],
        ["JSON.SET", "doc", "$", "what it is not"],
      ]) {
        engine.effects.command(words.length);
        for (const word of words) engine.effects.text(word);
      }
      engine.keyspace.changes++;
    });
    expect(lastRecord(one)).toEqual([
      ...["SELECT 3", "#kvdb-do INDEX CREATE i USING hash FIELD a", "#kvdb-json", "SET doc 3"],
    ]);
  });
});

describe("who wants the words", () => {
  test("nobody: commands are recorded as they came", () => {
    const one = db({ redisWords: false });
    one.run("JSON.SET", "doc", "$", "[1]");
    one.run("JSON.ARRAPPEND", "doc", "$", "2");
    expect(one.records().map(({ commands }) => commands)).toEqual([
      ["JSON.SET doc $ [1]"],
      ["JSON.ARRAPPEND doc $ 2"],
    ]);
  });

  test("may say so at run time, which holds from the next turn on", () => {
    const one = db({ redisWords: false });
    one.run(...DOCUMENT);
    one.persistence.supports = { ...one.persistence.supports, redisWords: true };
    one.endTurn();
    one.run("JSON.DEL", "doc", "$.l");
    one.persistence.supports = { ...one.persistence.supports, redisWords: false };
    one.endTurn();
    one.run("JSON.DEL", "doc", "$.s");
    expect(one.records().map(({ commands }) => commands[0])).toEqual([
      expect.stringMatching(/^JSON\.SET/),
      "#kvdb-json",
      "JSON.DEL doc $.s",
    ]);
    expect(one.replayed().run("GET", "doc")).toBe('{"a":1,"t":true}');
  });
});
