/** Indexes while keys make room, expire, move and are undone: whatever happens to documents, INDEX CHECK finds nothing wrong. */
import { describe, expect, test } from "bun:test";
import { Random } from "../../oracle/random.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";
import { seeds } from "../../suites/seeds.ts";

const MAX_BYTES = 1_500_000;
const KEYS = 3000;
const STEPS = 6000;

const INDEXES = [
  ["by_n", "USING", "ordered", "FIELD", "n"],
  ["by_city", "USING", "hash", "FIELD", "city"],
  ["by_tag", "USING", "ordered", "FIELD", "tags", "SPARSE"],
  ["both", "USING", "ordered", "FIELD", "city,n"],
  ["mail", "USING", "hash", "FIELD", "mail", "UNIQUE", "SPARSE"],
  ["old", "USING", "ordered", "FIELD", "n", "WHERE", "n > 500"],
  ["keys", "USING", "ordered", "FIELD", "@key", "PREFIX", "key:1"],
] as const;

class Writer {
  readonly #db: EngineHarness;
  readonly #random: Random;

  constructor(db: EngineHarness, random: Random) {
    this.#db = db;
    this.#random = random;
  }

  #key(): string {
    return `key:${this.#random.below(KEYS)}`;
  }

  #document(): string {
    const random = this.#random;
    const tags = Array.from({ length: random.below(4) }, () => `t${random.below(20)}`);
    return JSON.stringify({
      n: random.below(1000),
      city: `city ${random.below(30)}`,
      ...(random.chance(0.5) && { tags }),
      ...(random.chance(0.2) && { mail: `${random.below(500)}@example.org` }),
      text: "x".repeat(random.below(800)),
    });
  }

  words(): readonly (string | number)[] {
    const random = this.#random;
    const draw = random.below(100);
    if (draw < 45) return ["VALUE.SET", this.#key(), this.#document()];
    if (draw < 55) return ["SET", this.#key(), "x".repeat(random.below(3000)), "PX", 5000];
    if (draw < 62) return ["JSON.SET", this.#key(), "$.n", random.below(1000)];
    if (draw < 67) return ["JSON.NUMINCRBY", this.#key(), "$.n", 1];
    if (draw < 71) return ["JSON.DEL", this.#key(), "$.city"];
    if (draw < 76) return ["PEXPIRE", this.#key(), random.integer(1, 3000)];
    if (draw < 81) return ["DEL", this.#key(), this.#key()];
    if (draw < 85) return ["RENAME", this.#key(), this.#key()];
    if (draw < 89) return ["COPY", this.#key(), this.#key(), "REPLACE"];
    if (draw < 93) return ["COPY", this.#key(), this.#key(), "DB", 1, "REPLACE"];
    if (draw < 97) return ["JSON.MERGE", this.#key(), "$", this.#document()];
    return ["MOVE", this.#key(), 1];
  }

  step(): void {
    const random = this.#random;
    const draw = random.below(200);
    if (draw === 0) this.#db.run("SWAPDB", 0, 1);
    else if (draw < 10) this.#transact(["MULTI"], []);
    else if (draw < 15) this.#transact(["MULTI", "ROLLBACK"], []);
    else if (draw < 20) this.#transact(["MULTI", "ROLLBACK"], [["SELECT", 99]]);
    else this.#db.run(...this.words());
    if (random.chance(0.02)) this.#db.advance(random.below(300));
  }

  #transact(begin: readonly string[], end: readonly (readonly (string | number)[])[]): void {
    this.#db.run(...begin);
    for (let i = 0; i < 8; i++) this.#db.run(...this.words());
    for (const words of end) this.#db.run(...words);
    this.#db.run("EXEC");
  }
}

function problems(db: EngineHarness): unknown[] {
  return INDEXES.map(([name]) => {
    const answer = db.run("INDEX", "CHECK", name) as Map<string, unknown>;
    return [name, answer.get("status"), answer.get("problems")];
  });
}

/** A key that is over is part of a digest until somebody looks at it, or its turn comes. */
function removeWhatIsOver(db: EngineHarness): void {
  for (const database of [1, 0]) {
    db.run("SELECT", database);
    for (let i = 0; i < KEYS; i++) db.run("EXISTS", `key:${i}`);
  }
}

const NONE = INDEXES.map(([name]) => [name, "ok", []]);

describe.each(["allkeys-lru", "volatile-ttl", "allkeys-random", "noeviction"])("%s", (policy) => {
  test.each(seeds(1))(
    "a mix of writes: seed %d",
    (seed) => {
      const db = new EngineHarness({ auditEvery: 0, maxMemoryBytes: MAX_BYTES, seed });
      db.run("CONFIG", "SET", "maxmemory-policy", policy);
      for (const database of [0, 1]) {
        db.run("SELECT", database);
        for (const words of INDEXES) expect(db.run("INDEX", "CREATE", ...words)).toBe(0);
      }
      db.run("SELECT", 0);
      const writer = new Writer(db, new Random(seed));
      for (let step = 1; step <= STEPS; step++) {
        writer.step();
        expect(db.engine.memory.usedBytes).toBeLessThanOrEqual(MAX_BYTES * 1.05);
        if (step % (STEPS / 4) === 0) expect(problems(db)).toEqual(NONE);
      }
      const { evicted } = db.engine.keyspace.statistics;
      if (policy !== "noeviction") expect(evicted).toBeGreaterThan(100);
      removeWhatIsOver(db);
      // A replay has no limit, and nothing of its own to decide.
      const copy = db.replayed();
      expect(copy.run("DEBUG", "DIGEST")).toBe(db.run("DEBUG", "DIGEST"));
      expect(problems(copy)).toEqual(NONE);
    },
    120_000,
  );
});
