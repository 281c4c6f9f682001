import { describe, expect, test } from "bun:test";
import { HotKeys } from "../../../src/metrics/hot-keys.ts";
import { seededRandom } from "../../../src/platform/random.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";

type Row = ReadonlyMap<string, unknown>;

const rowsOf = (reply: unknown): Row[] => reply as Row[];
const keysOf = (reply: unknown): unknown[] => rowsOf(reply).map((row) => row.get("key"));

describe("hot keys", () => {
  test("the sketch finds them among very many others, and overestimates by little", () => {
    const random = seededRandom(3);
    const hot = new HotKeys(() => 0);
    const uses = new Map<string, number>();
    for (let i = 0; i < 100_000; i++) {
      const rank = Math.floor(2 ** (random.below(17_000) / 1000)) - 1;
      const key = `key:${rank}`;
      uses.set(key, (uses.get(key) ?? 0) + 1);
      hot.note(0, Buffer.from(key), 0, key.length, 1);
    }
    const exact = [...uses].sort(([, a], [, b]) => b - a).slice(0, 10);
    const found = hot.hottest(10);
    expect(found.map(({ key }) => key.toString())).toEqual(exact.map(([key]) => key));
    found.forEach((one, index) => {
      const [, count] = exact[index] as [string, number];
      expect(one.uses).toBeGreaterThanOrEqual(count);
      expect(one.uses).toBeLessThanOrEqual(count + 100_000 / 256);
      expect(one.share).toBeCloseTo(one.uses / 100_000, 10);
    });
  });

  test("what was hot is forgotten", () => {
    let nowMs = 0;
    const hot = new HotKeys(() => nowMs);
    const note = (key: string, uses: number) => hot.note(0, Buffer.from(key), 0, key.length, uses);
    note("old", 1000);
    nowMs = 5 * 60_000;
    note("new", 100);
    expect(hot.hottest(5).map(({ key, uses }) => [key.toString(), uses])).toEqual([
      ["new", 100],
      ["old", 31.25],
    ]);
    nowMs += 60 * 60_000;
    expect(hot.hottest(5)).toEqual([]);
  });

  test("KEYS.HOT, of all databases, reads and writes", () => {
    const db = new EngineHarness({ auditEvery: 0 });
    for (let i = 0; i < 20_000; i++) {
      if (i % 2 === 0) db.run("GET", "hot");
      else if (i % 4 === 1) db.run("INCR", "warm");
      else db.run("SET", `cold:${i}`, "1");
    }
    const rows = rowsOf(db.run("KEYS.HOT", "COUNT", 2));
    expect(keysOf(rows)).toEqual(["hot", "warm"]);
    expect(rows[0]?.get("percent")).toBeGreaterThan(30);
    expect(rows[0]?.get("percent")).toBeLessThan(70);
    expect(Number(rows[0]?.get("uses"))).toBeGreaterThan(5000);
    expect(rows[0]?.get("database")).toBe(0);
  });
});

describe("KEYS.BIG", () => {
  test("finds a value that grew by many small steps, and one that came at one blow", () => {
    const db = new EngineHarness({ auditEvery: 0 });
    for (let i = 0; i < 5000; i++) db.run("RPUSH", "grown", `element ${i}`);
    for (let i = 0; i < 2000; i++) db.run("SET", `small:${i}`, "x".repeat(100));
    db.run("SELECT", 3);
    db.run("SET", "huge", "x".repeat(200_000));
    db.run("SADD", "members", ...Array.from({ length: 20_000 }, (_, index) => index));
    const rows = rowsOf(db.run("KEYS.BIG"));
    const of = (key: string) => rows.find((row) => row.get("key") === key);
    expect(of("grown")).toMatchObject(
      new Map<string, unknown>([
        ["database", 0],
        ["type", "list"],
        ["elements", 5000],
      ]),
    );
    expect(of("grown")?.get("elements")).toBe(5000);
    expect(of("huge")?.get("bytes")).toBe(db.run("MEMORY", "USAGE", "huge"));
    expect(of("huge")?.get("database")).toBe(3);
    expect(keysOf(db.run("KEYS.BIG", "BY", "ELEMENTS", "COUNT", 2))).toEqual(["members", "grown"]);
    expect(keysOf(db.run("KEYS.BIG", "TYPE", "string", "COUNT", 1))).toEqual(["huge"]);
    expect(keysOf(rows).some((key) => String(key).startsWith("small"))).toBe(false);
  });

  test("INFO keys has the largest of each type, and the hottest", () => {
    const db = new EngineHarness({ auditEvery: 0 });
    db.run("SET", 'a "large"\r\nkey', "x".repeat(100_000));
    db.run("SET", "smaller", "x".repeat(80_000));
    for (let i = 0; i < 3000; i++) db.run("GET", "hot");
    const text = String(db.run("INFO", "keys"));
    expect(text).toStartWith("# Keys\r\nbiggest_string:db=0,bytes=");
    expect(text).toContain(',elements=0,key="a \\"large\\"\\r\\nkey"\r\n');
    expect(text).toMatch(/\r\nhot_key_1:db=0,percent=\d+\.\d\d,key="hot"\r\n/);
    expect(text).not.toContain("smaller");
    expect(String(db.run("INFO", "everything"))).not.toContain("# Keys\r\n");
  });

  test("knows of what went, shrank, and has another name or type", () => {
    const db = new EngineHarness({ auditEvery: 0 });
    for (const key of ["gone", "shrunk", "moved", "changed", "stays"]) {
      db.run("SET", key, "x".repeat(100_000));
    }
    db.run("DEL", "gone");
    db.run("SET", "shrunk", "x");
    db.run("RENAME", "moved", "here");
    db.run("DEL", "changed");
    db.run("RPUSH", "changed", "a");
    const keys = keysOf(db.run("KEYS.BIG"));
    expect(keys.slice(0, 2).sort()).toEqual(["here", "stays"]);
    expect(keys).not.toContain("gone");
    expect(keys).not.toContain("moved");
    db.run("FLUSHALL");
    expect(db.run("KEYS.BIG")).toEqual([]);
  });

  test("keeps the largest of very many", () => {
    const db = new EngineHarness({ auditEvery: 0 });
    for (let i = 0; i < 400; i++) {
      db.run("SET", `key:${i}`, "x".repeat(70_000 + ((i * 7919) % 400) * 1000));
    }
    const sizeOf = (key: unknown) => Number(db.run("MEMORY", "USAGE", String(key)));
    const sizes = Array.from({ length: 400 }, (_, i) => sizeOf(`key:${i}`)).sort((a, b) => b - a);
    const found = rowsOf(db.run("KEYS.BIG", "COUNT", 16));
    expect(found.map((row) => row.get("bytes"))).toEqual(sizes.slice(0, 16));
    expect(keysOf(found).map(sizeOf)).toEqual(sizes.slice(0, 16));
  });

  test("looking at it is no use of the key, and removes nothing", () => {
    const db = new EngineHarness();
    db.run("SET", "timed", "x".repeat(100_000), "PX", 1000);
    db.records();
    db.engine.activeExpiry = false;
    db.advance(2000);
    expect(db.run("KEYS.BIG")).toEqual([]);
    expect(db.run("DBSIZE")).toBe(1);
    expect(db.records()).toEqual([]);
  });

  test("is known again after a restart", () => {
    const db = new EngineHarness({ auditEvery: 0 });
    db.run("SET", "huge", "x".repeat(100_000));
    for (let i = 0; i < 3000; i++) db.run("RPUSH", "grown", `element ${i}`);
    expect(keysOf(db.replayed().run("KEYS.BIG"))).toEqual(["huge", "grown"]);
  });

  test.each([
    [["BY", "SIZE"], "ERR BY is followed by BYTES or ELEMENTS"],
    [["COUNT", "0"], "ERR COUNT must be positive"],
    [["COUNT"], "ERR syntax error"],
    [["NOPE", "1"], "ERR syntax error"],
  ])("%p is refused", (words, error) => {
    expect(new EngineHarness().run("KEYS.BIG", ...words)).toEqual({ error });
  });
});
