/**
 * What CHANGES tells of each kind of record: one change for each key that was changed, with the command that changed it.
 */
import { describe, expect, test } from "bun:test";
import { EngineHarness } from "../../suites/engine-harness.ts";

type Told = [
  revision: number,
  timeMs: number,
  database: number,
  key: string | null,
  event: string,
  command: string[] | null,
];

/** A database whose changes are followed from the beginning. */
function followed(options: ConstructorParameters<typeof EngineHarness>[0] = {}): EngineHarness {
  const db = new EngineHarness({ durability: "none", ...options });
  db.run("CHANGES", "FROM", "$");
  return db;
}

async function told(db: EngineHarness, ...options: (string | number)[]): Promise<Told[]> {
  // Only what is durable is told.
  for (let i = 0; i < 3; i++) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    db.endTurn();
  }
  const [, changes] = (await db.ask("CHANGES", "FROM", 0, ...options)) as [number, Told[]];
  return changes;
}

/** `database key event command`, in short. */
const lines = (changes: Told[]) =>
  changes.map(([, , database, key, event, command]) =>
    [database, key ?? "-", event, command === null ? "-" : command.join(" ")].join(" | "),
  );

describe("each changed key is a change of its own", () => {
  test("of one command for one key, with time and revision", async () => {
    const db = followed();
    const timeMs = db.now();
    db.run("SET", "a", "1");
    db.run("INCRBY", "a", "2");
    db.advance(5);
    db.run("RPUSH", "l", "x", "y");
    expect(await told(db)).toEqual([
      [1, timeMs, 0, "a", "set", ["SET", "a", "1"]],
      [2, timeMs, 0, "a", "incrby", ["INCRBY", "a", "2"]],
      [3, timeMs + 5, 0, "l", "rpush", ["RPUSH", "l", "x", "y"]],
    ]);
  });

  test("of a command for many keys, with what it does to that key alone", async () => {
    const db = followed();
    db.run("MSET", "a", "1", "b", "2");
    db.run("MSETNX", "c", "3", "d", "4");
    db.run("DEL", "a", "nothing", "c");
    db.run("UNLINK", "b");
    db.run("JSON.MSET", "j", "$", "[1]", "k", "$", "{}");
    expect(lines(await told(db))).toEqual([
      ...["0 | a | mset | MSET a 1", "0 | b | mset | MSET b 2"],
      ...["0 | c | msetnx | MSETNX c 3", "0 | d | msetnx | MSETNX d 4"],
      ...["0 | a | del | DEL a", "0 | nothing | del | DEL nothing", "0 | c | del | DEL c"],
      "0 | b | unlink | UNLINK b",
      ...["0 | j | json.mset | JSON.MSET j $ [1]", "0 | k | json.mset | JSON.MSET k $ {}"],
    ]);
  });

  test("of a command for keys together, with the whole command at the first", async () => {
    const db = followed();
    db.run("SET", "a", "1");
    db.run("RENAME", "a", "b");
    db.run("RPUSH", "l", "x");
    db.run("LMOVE", "l", "m", "LEFT", "LEFT");
    expect(lines(await told(db))).toEqual([
      "0 | a | set | SET a 1",
      ...["0 | a | rename | RENAME a b", "0 | b | rename | -"],
      "0 | l | rpush | RPUSH l x",
      ...["0 | l | lmove | LMOVE l m LEFT LEFT", "0 | m | lmove | -"],
    ]);
    expect(lines(await told(db, "PREFIX", "b"))).toEqual(["0 | b | rename | RENAME a b"]);
  });

  test("of keys that are written, not of those that were read", async () => {
    const db = followed();
    db.run("SADD", "s", "1");
    db.run("SADD", "t", "2");
    db.run("SUNIONSTORE", "u", "s", "t");
    db.run("COPY", "u", "c", "DB", 3);
    db.run("SORT", "s", "STORE", "sorted");
    db.run("BITOP", "NOT", "bits", "none");
    db.run("ZADD", "z", "1", "m");
    db.run("ZUNIONSTORE", "zz", 1, "z");
    expect(lines(await told(db)).slice(2)).toEqual([
      "0 | u | sunionstore | SUNIONSTORE u s t",
      "3 | c | copy | COPY u c DB 3",
      "0 | sorted | sort | SORT s STORE sorted",
      "0 | z | zadd | ZADD z 1 m",
      "0 | zz | zunionstore | ZUNIONSTORE zz 1 z",
    ]);
  });

  test("in the databases that they are in", async () => {
    const db = followed();
    db.run("SELECT", 2);
    db.run("SET", "a", "1");
    db.run("MOVE", "a", 5);
    expect(lines(await told(db))).toEqual([
      "2 | a | set | SET a 1",
      ...["2 | a | move | MOVE a 5", "5 | a | move | -"],
    ]);
  });

  test("what concerns whole databases has no key, and passes every prefix; an index does not", async () => {
    const db = followed();
    db.run("SET", "a", "1");
    db.run("FLUSHDB");
    db.run("SWAPDB", 0, 1);
    db.run("INDEX", "CREATE", "i", "USING", "hash", "FIELD", "f");
    db.run("SET", "a", "1");
    db.run("FLUSHALL");
    const all = lines(await told(db));
    expect(all.map((line) => line.split(" | ").slice(1, 3))).toEqual([
      ...[
        ["a", "set"],
        ["-", "flushdb"],
        ["-", "swapdb"],
        ["-", "index-create"],
      ],
      ...[
        ["a", "set"],
        ["-", "flushall"],
      ],
    ]);
    expect(lines(await told(db, "PREFIX", "zzz"))).toEqual(
      all.filter((line) => /flush|swapdb/.test(line)),
    );
  });

  test("what expired is told as that, in front of the command that found it", async () => {
    const db = followed({ background: false });
    db.run("SET", "gone", "1", "PX", 10);
    db.run("HSET", "h", "f", "1", "g", "2");
    db.run("HPEXPIRE", "h", 10, "FIELDS", 1, "f");
    db.advance(20);
    db.run("DEL", "gone");
    db.run("SET", "gone", "2");
    db.run("HGET", "h", "f");
    db.run("DEL", "gone");
    expect(lines(await told(db)).slice(3)).toEqual([
      "0 | gone | expired | DEL gone",
      "0 | gone | set | SET gone 2",
      "0 | h | hexpired | HDEL h f",
      "0 | gone | del | DEL gone",
    ]);
  });

  test("of a plugin's command they are those of what it calls, in one revision", async () => {
    const db = followed();
    db.addCommand("MANY", (session, _args, reply) => {
      session.call("SET", "a", 1);
      session.call("SELECT", 1);
      session.call("INCR", "n");
      reply.ok();
    });
    db.run("MANY");
    const changes = await told(db);
    expect(changes.map(([revision]) => revision)).toEqual([1, 1]);
    expect(lines(changes)).toEqual(["0 | a | set | SET a 1", "1 | n | incr | INCR n"]);
  });

  test("documents in the words of Redis are told as documents", async () => {
    const db = followed({ durability: "always", redisWords: true });
    db.run("JSON.SET", "d", "$", '{"a":1}');
    db.run("JSON.NUMINCRBY", "d", "$.a", 2);
    expect(lines(await told(db))).toEqual([
      '0 | d | value.set | VALUE.SET d {"a":1}',
      '0 | d | value.set | VALUE.SET d {"a":3}',
    ]);
  });
});

describe("permissions", () => {
  test("whoever may not read a key is not told of it, nor by the command for another one", async () => {
    const db = followed();
    db.run("ACL", "SETUSER", "ada", "on", "nopass", "+changes", "%R~open:*", "%W~secret:*");
    db.run("MSET", "open:1", "1", "secret:1", "2");
    db.run("RENAME", "secret:1", "open:2");
    db.run("SUNIONSTORE", "open:3", "secret:2");
    db.run("INDEX", "CREATE", "i", "USING", "hash", "FIELD", "f", "PREFIX", "secret:");
    db.run("FLUSHALL");
    const session = db.connect();
    expect(db.runIn(session, "AUTH", "ada", "")).toBe("OK");
    const [next, changes] = (await db.askIn(session, "CHANGES", "FROM", 0)) as [number, Told[]];
    expect(lines(changes)).toEqual([
      "0 | open:1 | mset | MSET open:1 1",
      "0 | open:2 | rename | -",
      "0 | - | flushall | FLUSHALL",
    ]);
    expect(next).toBe(db.engine.changes.nextRevision);
    db.run("ACL", "SETUSER", "ada", "%R~*");
    const [, all] = (await db.askIn(session, "CHANGES", "FROM", 0)) as [number, Told[]];
    expect(lines(all).some((line) => line.includes("index-create"))).toBe(true);
    db.run("ACL", "SETUSER", "ada", "resetkeys");
    expect(lines(((await db.askIn(session, "CHANGES", "FROM", 0)) as [number, Told[]])[1])).toEqual(
      ["0 | - | flushall | FLUSHALL"],
    );
  });
});
