/** Sorted sets and places on the globe through the client libraries that people use, against the executable. */
import { expect, test } from "bun:test";
import { connectBunClient, connectIoredis, connectNodeRedis } from "./support/client-libraries.ts";
import { Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

/** More than a packed run takes. */
const MANY = Array.from({ length: 2000 }, (_, i) => ({ value: `member:${i}`, score: i / 4 }));

// The example of GEOADD's documentation.
const PALERMO = { member: "Palermo", longitude: 13.361389, latitude: 38.115556 };
const CATANIA = { member: "Catania", longitude: 15.087269, latitude: 37.502669 };
const DISTANCE_KM = 166.2742;
const NEAR = { longitude: 15, latitude: 37 };

test("U17: ioredis keeps scores", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  await using client = await connectIoredis(server);
  expect(await client.zadd("z", 1, "a", 2.5, "b", "+inf", "c")).toBe(3);
  expect(await client.zadd("z", "GT", "CH", 0, "a", 3, "b")).toBe(1);
  expect(await client.zincrby("z", 0.5, "a")).toBe("1.5");
  expect(await client.zrange("z", "0", "-1", "WITHSCORES")).toEqual([
    "a",
    "1.5",
    "b",
    "3",
    "c",
    "inf",
  ]);
  expect(await client.zrangebyscore("z", "(1.5", "+inf", "LIMIT", 0, 1)).toEqual(["b"]);
  expect(await client.zrank("z", "c")).toBe(2);
  expect(await client.zrevrank("z", "none")).toBeNull();
  expect(await client.zmscore("z", "a", "none")).toEqual(["1.5", null]);
  expect(await client.zpopmin("z")).toEqual(["a", "1.5"]);
  expect(await client.zunion(2, "z", "none", "WEIGHTS", 2, 1, "WITHSCORES")).toEqual([
    ...["b", "6", "c", "inf"],
  ]);
  await client.zadd("many", ...MANY.flatMap(({ value, score }) => [score, value]));
  const seen = new Map<string, number>();
  for await (const found of client.zscanStream("many", { count: 100 })) {
    const page = found as string[];
    for (let i = 0; i < page.length; i += 2) seen.set(page[i] as string, Number(page[i + 1]));
  }
  expect(seen).toEqual(new Map(MANY.map(({ value, score }) => [value, score])));
});

test("U17: ioredis looks for places", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  await using client = await connectIoredis(server);
  for (const { member, longitude, latitude } of [PALERMO, CATANIA]) {
    expect(await client.geoadd("places", longitude, latitude, member)).toBe(1);
  }
  expect(await client.geodist("places", "Palermo", "Catania", "KM")).toBe(`${DISTANCE_KM}`);
  expect(await client.geohash("places", "Palermo", "Catania")).toEqual([
    ...["sqc8b49rny0", "sqdtr74hyu0"],
  ]);
  expect(await client.georadius("places", 15, 37, 100, "km")).toEqual(["Catania"]);
  const found = ["FROMLONLAT", 15, 37, "BYRADIUS", 200, "KM", "DESC", "WITHDIST"] as const;
  expect(await client.call("GEOSEARCH", "places", ...found)).toEqual([
    ["Palermo", "190.4424"],
    ["Catania", "56.4413"],
  ]);
});

test.each([2, 3] as const)("U17: node-redis keeps scores, RESP%d", async (RESP) => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  await using client = await connectNodeRedis(server, RESP);
  const [a, b] = [
    { value: "a", score: 1 },
    { value: "b", score: 2.5 },
  ];
  expect(await client.zAdd("z", [a, b, { value: "c", score: Infinity }])).toBe(3);
  expect(await client.zRangeWithScores("z", 0, 1)).toEqual([a, b]);
  expect(await client.zRange("z", "[c", "[a", { BY: "LEX", REV: true })).toEqual(["c", "b", "a"]);
  expect(await client.zScore("z", "c")).toBe(Infinity);
  expect(await client.zmScore("z", ["a", "none"])).toEqual([1, null]);
  expect(await client.zIncrBy("z", -1.5, "b")).toBe(1);
  expect(await client.zRankWithScore("z", "b")).toEqual({ rank: 1, score: 1 });
  expect(await client.zPopMax("z")).toEqual({ value: "c", score: Infinity });
  expect(await client.zmPop(["none", "z"], "MIN", { COUNT: 5 })).toEqual({
    key: "z",
    members: [a, { value: "b", score: 1 }],
  });
  expect(await client.exists("z")).toBe(0);
  await client.zAdd("many", MANY);
  expect(await client.zRangeWithScores("many", 0, -1)).toEqual(MANY);
  const seen = new Map<string, number>();
  for await (const found of client.zScanIterator("many", { COUNT: 100 })) {
    for (const { value, score } of found) seen.set(value, score);
  }
  expect(seen).toEqual(new Map(MANY.map(({ value, score }) => [value, score])));
});

test.each([2, 3] as const)("U17: node-redis looks for places, RESP%d", async (RESP) => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  await using client = await connectNodeRedis(server, RESP);
  expect(await client.geoAdd("places", [PALERMO, CATANIA])).toBe(2);
  expect(await client.geoDist("places", "Palermo", "Catania", "km")).toBe(DISTANCE_KM);
  const [position, none] = await client.geoPos("places", ["Palermo", "none"]);
  expect(Number(position?.longitude)).toBeCloseTo(PALERMO.longitude, 5);
  expect(Number(position?.latitude)).toBeCloseTo(PALERMO.latitude, 5);
  expect(none).toBeNull();
  const circle = { radius: 200, unit: "km" } as const;
  const found = await client.geoSearchWith("places", NEAR, circle, ["WITHDIST", "WITHCOORD"], {
    SORT: "ASC",
  });
  expect(found.map(({ member }) => member)).toEqual(["Catania", "Palermo"]);
  expect(Number(found[0]?.distance)).toBe(56.4413);
  expect(Number(found[0]?.coordinates?.longitude)).toBeCloseTo(CATANIA.longitude, 5);
  const box = { width: 150, height: 150, unit: "km" } as const;
  expect(await client.geoSearchStore("near", "places", NEAR, box)).toBe(1);
  expect(await client.zRange("near", 0, -1)).toEqual(["Catania"]);
});

test("U17: Bun.RedisClient keeps scores and looks for places, over RESP3", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  using client = await connectBunClient(server);
  expect(await client.zadd("z", 1, "a", 2.5, "b", "inf", "c")).toBe(3);
  expect(await client.zscore("z", "b")).toBe(2.5);
  expect(await client.zrange("z", 0, -1)).toEqual(["a", "b", "c"]);
  expect(await client.send("ZRANGE", ["z", "0", "-1", "WITHSCORES"])).toEqual([
    ["a", 1],
    ["b", 2.5],
    ["c", Infinity],
  ]);
  expect(await client.zrangebyscore("z", "(1", "inf")).toEqual(["b", "c"]);
  expect(await client.zcard("z")).toBe(3);
  expect(await client.zrem("z", "a", "none")).toBe(1);
  expect(await client.send("ZMPOP", ["1", "z", "MAX"])).toEqual(["z", [["c", Infinity]]]);
  for (const { member, longitude, latitude } of [PALERMO, CATANIA]) {
    expect(await client.send("GEOADD", ["places", `${longitude}`, `${latitude}`, member])).toBe(1);
  }
  expect(await client.send("GEODIST", ["places", "Palermo", "Catania", "km"])).toBe(
    `${DISTANCE_KM}`,
  );
  const [position] = (await client.send("GEOPOS", ["places", "Palermo"])) as [number, number][];
  expect(position?.[0]).toBeCloseTo(PALERMO.longitude, 5);
  expect(position?.[1]).toBeCloseTo(PALERMO.latitude, 5);
});
