/** The commands on sets: what they answer, what they record, that random picks are fair. */
import { describe, expect, test } from "bun:test";
import { EngineHarness } from "../../suites/engine-harness.ts";

const WRONG_TYPE = {
  error: "WRONGTYPE Operation against a key holding the wrong kind of value",
};

function recorded(db: EngineHarness): string[] {
  return db.records().flatMap((record) => record.commands);
}

/** Sets of each form under the names i, p and b. */
function createSets(): EngineHarness {
  const db = new EngineHarness({ auditEvery: 50 });
  db.run("SADD", "i", 1, 2, 3, 4);
  db.run("SADD", "p", "3", "4", "five");
  for (let i = 0; i < 700; i++) db.run("SADD", "b", `${i % 2 ? "m" : ""}${i}`);
  db.records();
  return db;
}

function membersOf(db: EngineHarness, key: string): string[] {
  return [...(db.run("SMEMBERS", key) as Set<string>)].sort();
}

describe("what is recorded", () => {
  test.each([
    ["SADD i 1 9", "SADD i 1 9"],
    ["SADD new a", "SADD new a"],
    ["SREM b 0 m1 zz", "SREM b 0 m1 zz"],
    ["SMOVE i p 1", "SMOVE i p 1"],
    ["SMOVE i new 1", "SMOVE i new 1"],
    ["SINTERSTORE new i p b", "SINTERSTORE new i p b"],
    ["SUNIONSTORE i i p", "SUNIONSTORE i i p"],
    ["SDIFFSTORE p none i", "SDIFFSTORE p none i"],
    ["SPOP i 4", "DEL i"],
    ["SPOP i 5", "DEL i"],
  ])("%s", (command, expected) => {
    const db = createSets();
    db.run(...command.split(" "));
    expect(recorded(db)).toEqual([expected]);
    expect(db.replayed().run("SCARD", "i")).toBe(db.run("SCARD", "i"));
    for (const key of ["i", "p", "b", "new"]) {
      expect(membersOf(db.replayed(), key)).toEqual(membersOf(db, key));
    }
  });

  test("SPOP is recorded as SREM of what it took, many in several commands", () => {
    const db = createSets();
    const one = db.run("SPOP", "i");
    expect(recorded(db)).toEqual([`SREM i ${one}`]);
    for (let i = 0; i < 3000; i++) db.run("SADD", "c", `x${i}`);
    db.records();
    const taken = db.run("SPOP", "c", 2500) as Set<string>;
    expect(taken.size).toBe(2500);
    const commands = recorded(db).map((command) => command.split(" "));
    expect(commands.map((words) => words.length)).toEqual([1026, 1026, 454]);
    expect(commands.flatMap((words) => words.slice(2))).toEqual([...taken]);
    expect(membersOf(db.replayed(), "c")).toEqual(membersOf(db, "c"));
  });

  test.each([
    "SADD i 1 2",
    "SREM i 9 a",
    "SREM none a",
    "SMOVE i p 9",
    "SMOVE i i 1",
    "SMOVE none i 1",
    "SPOP none",
    "SPOP none 3",
    "SPOP i 0",
    "SINTERSTORE none i zz",
    "SDIFFSTORE none zz",
    "SRANDMEMBER b 5",
    "SUNION i p b",
    "SDIFF b i i i i i i i",
  ])("%s changes nothing and leaves no record", (command) => {
    const db = createSets();
    const before = db.usedBytes;
    db.run(...command.split(" "));
    expect(db.records()).toEqual([]);
    db.reap();
    expect(db.usedBytes).toBe(before);
  });
});

test("a set goes with its last member, in each form", () => {
  for (const members of [["1"], ["a"], ["x".repeat(100)]]) {
    const db = new EngineHarness();
    for (const leave of ["SREM", "SPOP", "SMOVE"]) {
      db.run("SADD", "k", ...members);
      const [member = ""] = members;
      if (leave === "SREM") db.run("SREM", "k", member, member);
      else if (leave === "SPOP") expect(db.run("SPOP", "k")).toBe(member);
      else db.run("SMOVE", "k", "other", member);
      expect(db.run("EXISTS", "k")).toBe(0);
    }
    expect(membersOf(db, "other")).toEqual(members);
  }
});

test("a deadline outlives changes, and what is stored anew has none", () => {
  const db = createSets();
  for (const key of ["i", "p", "b"]) {
    db.run("EXPIRE", key, 100);
    for (let i = 0; i < 600; i++) db.run("SADD", key, `${key}${i}`);
    expect(db.run("TTL", key)).toBe(100);
  }
  db.run("SUNIONSTORE", "b", "i", "p");
  expect(db.run("TTL", "b")).toBe(-1);
  expect(db.run("SCARD", "b")).toBe(1205);
});

test.each([
  ...["SADD s a", "SREM s a", "SISMEMBER s a", "SMISMEMBER s a", "SCARD s", "SMEMBERS s"],
  ...["SPOP s", "SPOP s 2", "SRANDMEMBER s", "SRANDMEMBER s 2", "SSCAN s 0", "SMOVE i s 1"],
  ...["SMOVE s i 1", "SINTER none s", "SUNION i s", "SDIFF i s", "SINTERCARD 2 i s"],
  ...["SINTERSTORE d none s", "SUNIONSTORE d i s", "SDIFFSTORE d none s"],
])("%s: the wrong type is refused", (command) => {
  const db = createSets();
  db.run("SET", "s", "text");
  db.records();
  expect(db.run(...command.split(" "))).toEqual(WRONG_TYPE);
  expect(db.records()).toEqual([]);
});

test("OBJECT ENCODING, and the limits by which a set changes its form", () => {
  const db = new EngineHarness();
  const encoding = () => db.run("OBJECT", "ENCODING", "k");
  db.run("CONFIG", "SET", "set-max-intset-entries", 3, "set-max-listpack-entries", 5);
  db.run("SADD", "k", 1, 2, 3);
  expect(encoding()).toBe("intset");
  db.run("SADD", "k", 4);
  expect(encoding()).toBe("hashtable");
  const small = db.run("MEMORY", "USAGE", "k") as number;
  db.run("SADD", "k", 5);
  expect((db.run("MEMORY", "USAGE", "k") as number) - small).toBeLessThan(10);
  db.run("SADD", "k", 6);
  expect((db.run("MEMORY", "USAGE", "k") as number) - small).toBeGreaterThan(100);
  db.run("SREM", "k", 1, 2, 3, 4, 5);
  expect(encoding()).toBe("hashtable");
  db.run("COPY", "k", "copy");
  expect(db.run("OBJECT", "ENCODING", "copy")).toBe("hashtable");
  expect(db.run("DEBUG", "DIGEST-VALUE", "k", "copy")).toSatisfy(
    (digests) => (digests as string[])[0] === (digests as string[])[1],
  );
  db.run("SUNIONSTORE", "k", "k");
  expect(encoding()).toBe("intset");
  db.run("COPY", "k", "copy", "REPLACE");
  expect(db.run("OBJECT", "ENCODING", "copy")).toBe("intset");
});

test.each([
  ["set-max-intset-entries", "-1"],
  ["set-max-intset-entries", "1k"],
  ["hll-sparse-max-bytes", "x"],
  ["list-max-listpack-size", "2147483648"],
])("CONFIG SET %s %s is refused", (name, value) => {
  const db = new EngineHarness();
  const before = db.run("CONFIG", "GET", name);
  expect(db.run("CONFIG", "SET", name, value)).toHaveProperty("error");
  expect(db.run("CONFIG", "GET", name)).toEqual(before);
});

describe("SSCAN", () => {
  test("finds every member that stays while others come and go", () => {
    const db = createSets();
    const stayed = new Set(membersOf(db, "b"));
    const seen = new Set<string>();
    let cursor = "0";
    let calls = 0;
    do {
      const [next, members] = db.run("SSCAN", "b", cursor, "COUNT", 20) as [string, string[]];
      for (const member of members) seen.add(member);
      cursor = next;
      for (let i = 0; i < 40; i++) db.run("SADD", "b", `new${calls}-${i}`);
      for (let i = 0; i < 10; i++) db.run("SREM", "b", `new${calls - 1}-${i}`);
      calls++;
    } while (cursor !== "0");
    expect(calls).toBeGreaterThan(20);
    expect([...stayed].filter((member) => !seen.has(member))).toEqual([]);
  });

  test("answers a small set whole, only what matches", () => {
    const db = createSets();
    expect(db.run("SSCAN", "p", 0, "COUNT", 1, "MATCH", "[34]")).toEqual(["0", ["3", "4"]]);
    expect(db.run("SSCAN", "i", 7, "MATCH", "*")).toEqual(["0", ["1", "2", "3", "4"]]);
    expect(db.run("SSCAN", "b", "99999999999")).toEqual(["0", []]);
  });
});

describe("random members", () => {
  const FORMS = [
    ["integers", 50, (i: number) => `${i * 1000}`],
    ["packed", 50, (i: number) => `${"x".repeat(i % 30)}${i}`],
    // More than one segment, so that segments of different depth are met.
    ["structure", 1500, (i: number) => `member${i}`],
  ] as const;

  /** Chi-square of counts that should be equal, as standard deviations from its mean: fair when small. */
  function unfairness(counts: readonly number[]): number {
    const total = counts.reduce((sum, count) => sum + count, 0);
    const expected = total / counts.length;
    const square = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    const freedom = counts.length - 1;
    return (square - freedom) / Math.sqrt(2 * freedom);
  }

  test.each(FORMS)("SRANDMEMBER is fair over %s", (_name, size, memberOf) => {
    const db = new EngineHarness({ auditEvery: 0, seed: 5 });
    const index = new Map<string, number>();
    for (let i = 0; i < size; i++) {
      index.set(memberOf(i), i);
      db.run("SADD", "k", memberOf(i));
    }
    const count = (members: Iterable<unknown>, counts: number[]) => {
      for (const member of members) (counts[index.get(String(member)) as number] as number) += 1;
    };
    const single = new Array(size).fill(0);
    for (let i = 0; i < 40 * size; i++) count([db.run("SRANDMEMBER", "k")], single);
    expect(Math.abs(unfairness(single))).toBeLessThan(4);
    // Repetitions; few of many; most of many. The last two are never twice in one answer, so they vary less.
    for (const [asked, lowest] of [
      [-size, -4],
      [Math.floor(size / 5), Number.NEGATIVE_INFINITY],
      [Math.floor(size / 1.5), Number.NEGATIVE_INFINITY],
    ] as const) {
      const counts = new Array(size).fill(0);
      for (let i = 0; i < 60; i++) {
        const members = db.run("SRANDMEMBER", "k", asked) as string[];
        expect(members.length).toBe(Math.abs(asked));
        if (asked > 0) expect(new Set(members).size).toBe(asked);
        count(members, counts);
      }
      expect(unfairness(counts)).toBeLessThan(4);
      expect(unfairness(counts)).toBeGreaterThan(lowest);
    }
  });

  test.each(FORMS)("SPOP is fair over %s", (_name, size, memberOf) => {
    const db = new EngineHarness({ auditEvery: 0, seed: 6 });
    const members = Array.from({ length: size }, (_, i) => memberOf(i));
    const counts = new Array(size).fill(0);
    db.run("SADD", "k", ...members);
    for (let i = 0; i < 20 * size; i++) {
      const member = db.run("SPOP", "k") as string;
      counts[members.indexOf(member)] += 1;
      db.run("SADD", "k", member);
    }
    expect(Math.abs(unfairness(counts))).toBeLessThan(4);
  });

  test("a count that no memory holds is refused", () => {
    const db = createSets();
    const refusal = { error: "ERR value is out of range" };
    expect(db.run("SRANDMEMBER", "i", "-9223372036854775807")).toEqual(refusal);
  });
});
