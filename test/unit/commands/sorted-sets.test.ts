/** Sorted sets: what their commands answer in both protocols, what is recorded, and what makes a set big. */
import { describe, expect, test } from "bun:test";
import { EngineHarness } from "../../suites/engine-harness.ts";
import type { Value } from "../../suites/value-reply.ts";

const words = (command: string) => command.split(" ");
const WRONG_TYPE = {
  error: "WRONGTYPE Operation against a key holding the wrong kind of value",
};

/** The set z with a 1, b 2, c 2, d 3. */
function withSet(protocol: 2 | 3 = 2): EngineHarness {
  const db = new EngineHarness();
  db.run("ZADD", "z", 1, "a", 2, "c", 2, "b", 3, "d");
  db.run("HELLO", protocol);
  db.records();
  return db;
}

function recorded(db: EngineHarness): string[] {
  return db.records().flatMap((record) => record.commands);
}

describe("what is recorded", () => {
  test.each([
    ["ZADD z 5 a 6 e", "ZADD z 5 a 6 e"],
    ["ZADD z XX GT CH 5 a", "ZADD z XX GT CH 5 a"],
    ["ZADD z INCR 0.1 a", "ZADD z 1.1000000000000001 a"],
    ["ZINCRBY z -3 a", "ZADD z -2 a"],
    ["ZINCRBY new inf a", "ZADD new inf a"],
    ["ZREM z a nothing", "ZREM z a nothing"],
    ["ZPOPMIN z", "ZREM z a"],
    ["ZPOPMIN z 2", "ZREM z a b"],
    ["ZPOPMAX z 9", "ZREM z d c b a"],
    ["ZMPOP 2 none z MAX COUNT 2", "ZREM z d c"],
    ["ZREMRANGEBYSCORE z 2 2", "ZREMRANGEBYSCORE z 2 2"],
    ["ZREMRANGEBYRANK z 0 -1", "ZREMRANGEBYRANK z 0 -1"],
    ["ZRANGESTORE y z 1 2", "ZRANGESTORE y z 1 2"],
    ["ZUNIONSTORE y 2 z z WEIGHTS 1 0.1", "ZUNIONSTORE y 2 z z WEIGHTS 1 0.1"],
    ["ZDIFFSTORE z 2 z z", "ZDIFFSTORE z 2 z z"],
  ])("%s", (command, expected) => {
    const db = withSet();
    db.run(...words(command));
    expect(recorded(db)).toEqual([expected]);
    expect(db.replayed().run("DEBUG", "DIGEST")).toBe(db.run("DEBUG", "DIGEST"));
  });

  test.each([
    "ZADD z 1 a",
    "ZADD z NX 5 a",
    "ZADD z GT CH 0 a",
    "ZADD z NX INCR 5 a",
    "ZADD none XX 5 a",
    "ZINCRBY z 0 a",
    "ZREM z x",
    "ZREM none a",
    "ZPOPMIN none",
    "ZPOPMIN z 0",
    "ZMPOP 1 none MIN",
    "ZREMRANGEBYSCORE z 7 9",
    "ZRANGESTORE none none 0 -1",
    "ZUNION 1 z",
  ])("%s changes nothing and leaves no record", (command) => {
    const db = withSet();
    const before = db.run("DEBUG", "DIGEST");
    db.run(...words(command));
    expect(db.run("DEBUG", "DIGEST")).toBe(before);
    expect(db.records()).toEqual([]);
  });

  test("a score of infinity plus its opposite is refused, and nothing is changed", () => {
    const db = withSet();
    db.run("ZADD", "z", "inf", "a");
    const error = { error: "ERR resulting score is not a number (NaN)" };
    expect(db.run("ZINCRBY", "z", "-inf", "a")).toEqual(error);
    expect(db.run("ZADD", "z", "INCR", "-inf", "a")).toEqual(error);
    expect(db.run("ZSCORE", "z", "a")).toBe(Infinity);
  });
});

describe("in RESP2 scores stand between members, in RESP3 beside them", () => {
  test.each<[command: string, resp2: Value, resp3: Value]>([
    ["ZRANGE z 0 1", ["a", "b"], ["a", "b"]],
    [
      "ZRANGE z 0 1 WITHSCORES",
      ["a", 1, "b", 2],
      [
        ["a", 1],
        ["b", 2],
      ],
    ],
    ["ZPOPMIN z", ["a", 1], ["a", 1]],
    ["ZPOPMAX z 1", ["d", 3], [["d", 3]]],
    ["ZMPOP 1 z MIN", ["z", [["a", 1]]], ["z", [["a", 1]]]],
    [
      "ZRANDMEMBER z 9 WITHSCORES",
      ["a", 1, "b", 2, "c", 2, "d", 3],
      [
        ["a", 1],
        ["b", 2],
        ["c", 2],
        ["d", 3],
      ],
    ],
    [
      "ZDIFF 1 z WITHSCORES",
      ["a", 1, "b", 2, "c", 2, "d", 3],
      [
        ["a", 1],
        ["b", 2],
        ["c", 2],
        ["d", 3],
      ],
    ],
    ["ZRANK z c WITHSCORE", [2, 2], [2, 2]],
    ["ZREVRANK z a WITHSCORE", [3, 1], [3, 1]],
    ["ZRANK z x WITHSCORE", null, null],
    ["ZMSCORE z a x", [1, null], [1, null]],
  ])("%s", (command, resp2, resp3) => {
    expect(withSet(2).run(...words(command))).toEqual(resp2);
    expect(withSet(3).run(...words(command))).toEqual(resp3);
  });
});

test("the key goes with the last member, and a stored set has no deadline of the one before", () => {
  const db = withSet();
  for (const command of ["ZREM z a b c d", "ZREMRANGEBYSCORE z -inf +inf", "ZPOPMIN z 4"]) {
    db.run("ZADD", "z", 1, "a", 2, "c", 2, "b", 3, "d");
    db.run(...words(command));
    expect(db.run("EXISTS", "z")).toBe(0);
  }
  db.run("ZADD", "z", 1, "a");
  db.run("SET", "y", "text", "EX", 100);
  expect(db.run("ZRANGESTORE", "y", "z", 0, -1)).toBe(1);
  expect([db.run("TTL", "y"), db.run("TYPE", "y")]).toEqual([-1, "zset"]);
  expect(db.run("ZINTERSTORE", "y", 2, "z", "none")).toBe(0);
  expect(db.run("EXISTS", "y")).toBe(0);
});

test("WRONGTYPE for every command on a value of another type", () => {
  const db = new EngineHarness();
  db.run("SET", "s", "v");
  for (const command of [
    ...["ZADD s 1 a", "ZINCRBY s 1 a", "ZREM s a", "ZCARD s", "ZSCORE s a", "ZMSCORE s a"],
    ...["ZRANK s a", "ZRANGE s 0 1", "ZRANGESTORE y s 0 1", "ZCOUNT s 0 1", "ZLEXCOUNT s - +"],
    ...["ZREMRANGEBYRANK s 0 1", "ZPOPMIN s", "ZMPOP 1 s MIN", "ZRANDMEMBER s", "ZSCAN s 0"],
    ...["ZUNION 1 s", "ZINTERCARD 1 s", "ZDIFFSTORE y 1 s", "ZRANGEBYLEX s - +"],
  ]) {
    expect(db.run(...words(command))).toEqual(WRONG_TYPE);
  }
});

test("what says how to range stands once, before anything else is looked at", () => {
  const db = new EngineHarness();
  db.run("SET", "s", "v");
  for (const options of ["REV REV", "BYSCORE REV BYSCORE", "BYLEX BYSCORE", "REV LIMIT 0 1 REV"]) {
    const error = { error: "ERR syntax error" };
    expect(db.run("ZRANGE", "s", "x", "y", ...words(options))).toEqual(error);
    expect(db.run("ZRANGESTORE", "d", "s", "x", "y", ...words(options))).toEqual(error);
  }
});

describe("one form or the other", () => {
  test("the limits of CONFIG, by their old names too", () => {
    const db = new EngineHarness();
    db.run("CONFIG", "SET", "zset-max-ziplist-entries", 2);
    db.run("CONFIG", "SET", "zset-max-listpack-value", 3);
    db.run("ZADD", "few", 1, "a", 2, "b");
    db.run("ZADD", "many", 1, "a", 2, "b", 3, "c");
    db.run("ZADD", "long", 1, "abcd");
    const encodings = ["few", "many", "long"].map((key) => db.run("OBJECT", "ENCODING", key));
    expect(encodings).toEqual(["listpack", "skiplist", "skiplist"]);
    expect(db.run("ZRANGESTORE", "back", "many", 0, 1)).toBe(2);
    expect(db.run("OBJECT", "ENCODING", "back")).toBe("listpack");
  });

  test("both answer the same, and a big one leaves no memory behind", () => {
    const db = new EngineHarness({ auditEvery: 50 });
    const before = db.usedBytes;
    const questions = [
      ...["ZRANGE z 5 20 WITHSCORES", "ZRANGE z 3 7 BYSCORE REV LIMIT 2 9", "ZCOUNT z (3 7"],
      ...["ZRANK z m33", "ZREVRANK z m33", "ZSCORE z m7", "ZREVRANGE z 0 -1"],
    ];
    const answers = [1000, 10].map((limit) => {
      db.run("CONFIG", "SET", "zset-max-listpack-entries", limit);
      for (let i = 0; i < 200; i++) db.run("ZADD", "z", i % 9, `m${i}`);
      const answer = questions.map((question) => db.run(...words(question)));
      expect(db.run("OBJECT", "ENCODING", "z")).toBe(limit === 10 ? "skiplist" : "listpack");
      db.run("DEL", "z");
      return answer;
    });
    expect(answers[0]).toEqual(answers[1] as Value[]);
    db.reap();
    expect(db.usedBytes - before).toBeLessThan(500);
  });
});

describe("random members", () => {
  test("each as likely as any other, with and without repetition", () => {
    const db = new EngineHarness({ auditEvery: 0 });
    for (let i = 0; i < 200; i++) db.run("ZADD", "z", i, `m${i}`);
    const seen = new Map<string, number>();
    const rounds = 400;
    const count = (member: Value) => {
      seen.set(member as string, (seen.get(member as string) ?? 0) + 1);
    };
    for (let round = 0; round < rounds; round++) {
      for (const size of [10, 100, -90]) {
        const members = db.run("ZRANDMEMBER", "z", size) as string[];
        expect(members.length).toBe(Math.abs(size));
        if (size > 0) expect(new Set(members).size).toBe(size);
        members.forEach(count);
      }
    }
    expect(seen.size).toBe(200);
    // Each is expected 400 times; five standard deviations of a binomial distribution are 100.
    for (const times of seen.values()) expect(Math.abs(times - rounds)).toBeLessThan(100);
  });
});

test("ZSCAN walks a big set by cursor", () => {
  const db = new EngineHarness({ auditEvery: 0 });
  for (let i = 0; i < 2000; i++) db.run("ZADD", "z", i, `m${i}`);
  const found = new Map<string, string>();
  let cursor = "0";
  do {
    const [next, page] = db.run("ZSCAN", "z", cursor, "MATCH", "m1*") as [string, string[]];
    for (let i = 0; i < page.length; i += 2) found.set(page[i] as string, page[i + 1] as string);
    cursor = next;
  } while (cursor !== "0");
  expect(found.size).toBe(1111);
  expect(found.get("m1234")).toBe("1234");
});

test("COMMAND GETKEYS finds keys that are counted", () => {
  const db = new EngineHarness();
  const keysOf = (command: string) => db.run("COMMAND", "GETKEYS", ...words(command));
  expect(keysOf("ZUNIONSTORE d 2 a b WEIGHTS 1 2")).toEqual(["d", "a", "b"]);
  expect(keysOf("ZINTER 2 a b WITHSCORES")).toEqual(["a", "b"]);
  expect(keysOf("BZMPOP 0 1 a MIN")).toEqual(["a"]);
});

test("sets take part in combinations, each member with the score 1", () => {
  const db = withSet();
  db.run("SADD", "s", "a", "x");
  db.run("SADD", "numbers", 1, 2, 3);
  expect(db.run("ZUNION", 2, "z", "s", "WITHSCORES")).toEqual([
    ...["x", 1, "a", 2, "b", 2, "c", 2, "d", 3],
  ]);
  expect(db.run("ZINTER", 2, "z", "s", "WITHSCORES")).toEqual(["a", 2]);
  expect(db.run("ZDIFF", 2, "z", "s")).toEqual(["b", "c", "d"]);
  expect(db.run("ZINTERCARD", 2, "z", "s")).toBe(1);
  expect(db.run("ZUNIONSTORE", "y", 1, "numbers", "WEIGHTS", 5)).toBe(3);
  expect(db.run("ZRANGE", "y", 0, -1, "WITHSCORES")).toEqual(["1", 5, "2", 5, "3", 5]);
});

test("a copy has the members, and goes on alone", () => {
  const db = new EngineHarness({ auditEvery: 0 });
  for (let i = 0; i < 500; i++) db.run("ZADD", "z", i, `m${i}`);
  db.run("COPY", "z", "y");
  db.run("RENAME", "z", "x");
  expect(db.run("DEBUG", "DIGEST-VALUE", "x", "y")).toEqual(
    [db.run("DEBUG", "DIGEST-VALUE", "y"), db.run("DEBUG", "DIGEST-VALUE", "y")].flat() as Value,
  );
  db.run("ZREM", "y", "m7");
  expect([db.run("ZCARD", "x"), db.run("ZCARD", "y")]).toEqual([500, 499]);
});
