/** Positions: the geohash against its definition, Redis's documented examples, and what is recorded of a stored search. */
import { describe, expect, test } from "bun:test";
import { distance } from "../../../src/commands/geo-area.ts";
import {
  cellBeside,
  cellOf,
  edgesOf,
  firstScore,
  isOnMap,
  positionOf,
  scoreOfPosition,
  scoresIn,
} from "../../../src/commands/geohash.ts";
import { seededRandom } from "../../../src/platform/random.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";

const random = seededRandom(1);
const between = (least: number, most: number) =>
  least + ((most - least) * random.below(2 ** 32)) / 2 ** 32;
const anywhere = () => ({ longitude: between(-180, 180), latitude: between(-85.05, 85.05) });

/** Bit by bit, as the definition says it. */
function naiveScore(x: number, y: number, steps: number): number {
  let score = 0n;
  for (let bit = 0n; bit < 28n; bit++) {
    score |= ((BigInt(y) >> bit) & 1n) << (2n * bit);
    score |= ((BigInt(x) >> bit) & 1n) << (2n * bit + 1n);
  }
  return Number(score << BigInt(52 - 2 * steps));
}

test("scores are cell numbers bit by bit in turn, and come back as the middle of their cell", () => {
  for (let i = 0; i < 2000; i++) {
    const position = anywhere();
    const steps = 1 + random.below(26);
    const cell = cellOf(position, steps);
    expect(firstScore(cell)).toBe(naiveScore(cell.x, cell.y, steps));
    const edges = edgesOf(cell);
    expect(edges.west <= position.longitude && position.longitude <= edges.east).toBeTrue();
    expect(edges.south <= position.latitude && position.latitude <= edges.north).toBeTrue();
    const score = scoreOfPosition(position);
    expect(score).toBeGreaterThanOrEqual(firstScore(cell));
    expect(score).toBeLessThan(firstScore(cell) + scoresIn(steps));
    expect(distance(position, positionOf(score))).toBeLessThan(0.7);
    expect(scoreOfPosition(positionOf(score))).toBe(score);
  }
});

test("neighbours go around the globe, and the edge of the map has a score of its own", () => {
  expect(cellBeside({ x: 7, y: 0, steps: 3 }, 1, -1)).toEqual({ x: 0, y: 7, steps: 3 });
  const edge = { longitude: 180, latitude: 0 };
  expect(isOnMap(edge)).toBeTrue();
  expect(scoreOfPosition(edge)).toBe(naiveScore(2 ** 26, 2 ** 25, 26));
});

describe("Sicily", () => {
  const sicily = (protocol: 2 | 3 = 2) => {
    const db = new EngineHarness();
    db.run("HELLO", protocol);
    db.run("GEOADD", "s", "13.361389", "38.115556", "Palermo", "15.087269", "37.502669", "Catania");
    db.run("GEOADD", "s", "12.758489", "38.788135", "edge1", "17.241510", "38.788135", "edge2");
    db.records();
    return db;
  };

  test("distances, geohashes, positions", () => {
    const db = sicily();
    expect(db.run("GEODIST", "s", "Palermo", "Catania")).toBe("166274.1516");
    expect(db.run("GEODIST", "s", "Palermo", "Catania", "mi")).toBe("103.3182");
    expect(db.run("GEODIST", "s", "Palermo", "nowhere")).toBeNull();
    expect(db.run("GEOHASH", "s", "Palermo", "Catania", "x")).toEqual([
      ...["sqc8b49rny0", "sqdtr74hyu0", null],
    ]);
    const positions = db.run("GEOPOS", "s", "Palermo", "x") as number[][];
    expect(positions[0]?.map((degrees) => degrees.toFixed(6))).toEqual(["13.361389", "38.115556"]);
    expect(positions[1]).toBeNull();
  });

  test("searches by circle and by rectangle, nearest first", () => {
    const db = sicily();
    const from = ["FROMLONLAT", 15, 37] as const;
    expect(db.run("GEOSEARCH", "s", ...from, "BYRADIUS", 200, "km", "ASC")).toEqual([
      ...["Catania", "Palermo"],
    ]);
    expect(db.run("GEOSEARCH", "s", ...from, "BYBOX", 400, 400, "km", "DESC", "WITHDIST")).toEqual([
      ["edge1", "279.7405"],
      ["edge2", "279.7403"],
      ["Palermo", "190.4424"],
      ["Catania", "56.4413"],
    ]);
    expect(db.run("GEORADIUSBYMEMBER_RO", "s", "Palermo", 100, "km", "WITHHASH")).toEqual([
      ["Palermo", 3479099956230698],
      ["edge1", 3479273021651468],
    ]);
  });

  test.each([
    "GEOSEARCHSTORE t s FROMLONLAT 15 37 BYRADIUS 200 km",
    "GEORADIUS s 15 37 200 km STORE t",
    "GEORADIUS s 15 37 200 km STOREDIST t",
  ])("%s is recorded by its result", (command) => {
    const db = sicily();
    db.run("SET", "t", "old");
    db.records();
    expect(db.run(...command.split(" "))).toBe(2);
    const commands = db.records().flatMap((record) => record.commands);
    const stored = db.run("ZRANGE", "t", 0, -1, "WITHSCORES") as (string | number)[];
    expect(commands[0]).toBe("DEL t");
    const words = commands[1]?.split(" ").slice(2) ?? [];
    const scores = words.filter((_, index) => index % 2 === 0).map(Number);
    expect(scores.sort()).toEqual(stored.filter((part) => typeof part === "number").sort());
    expect(db.replayed().run("DEBUG", "DIGEST")).toBe(db.run("DEBUG", "DIGEST"));
  });

  test("a search that finds nothing removes what it would have replaced, and no more", () => {
    const db = sicily();
    const search = ["GEOSEARCHSTORE", "t", "s", "FROMLONLAT", 0, 0, "BYRADIUS", 1, "m"] as const;
    expect(db.run(...search)).toBe(0);
    expect(db.records()).toEqual([]);
    db.run("SET", "t", "old");
    db.records();
    expect(db.run(...search)).toBe(0);
    expect(db.records().flatMap((record) => record.commands)).toEqual(["DEL t"]);
  });
});
