/**
 * JSON documents through the client libraries that people use, against the executable, over RESP2 and RESP3: node-redis has
 * commands for them, ioredis sends any. JSONPath comes from a library that the executable has within itself.
 */
import { expect, test } from "bun:test";
import { connectBunClient, connectIoredis, connectNodeRedis } from "./support/client-libraries.ts";
import { Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

const BIKE = {
  model: "Phoebe",
  price: 4972.5,
  stock: 3,
  isNew: true,
  specs: { weight: 13, material: null },
  colors: ["black", "silver"],
};

test.each([2, 3] as const)("U1: node-redis, RESP%d", async (protocol) => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  await using client = await connectNodeRedis(server, protocol);
  const { json } = client;
  expect(await json.set("bike", "$", BIKE)).toBe("OK");
  expect(await json.set("bike", "$", {}, { condition: "NX" })).toBeNull();
  expect(await json.get("bike")).toEqual(BIKE);
  expect(await json.get("bike", { path: "$.specs" })).toEqual([BIKE.specs]);
  expect(await json.get("bike", { path: ["$.model", "$..weight"] })).toEqual({
    "$.model": ["Phoebe"],
    "$..weight": [13],
  });
  expect(await json.get("none")).toBeNull();
  expect(
    await json.mSet([
      { key: "a", path: "$", value: { x: 1 } },
      { key: "b", path: "$", value: [1] },
    ]),
  ).toBe("OK");
  expect(await json.mGet(["a", "none", "b"], "$")).toEqual([[{ x: 1 }], null, [[1]]]);
  expect(await json.merge("bike", "$", { stock: 4, specs: { weight: null } })).toBe("OK");
  expect(await json.numIncrBy("bike", "$.stock", 2)).toEqual([6]);
  expect(await json.numMultBy("bike", "$.price", 2)).toEqual([9945]);
  expect(await json.strAppend("bike", " II", { path: "$.model" })).toEqual([9]);
  expect(await json.strLen("bike", { path: "$.model" })).toEqual([9]);
  expect(await json.toggle("bike", "$.isNew")).toEqual([0]);
  expect(await json.arrAppend("bike", "$.colors", "red", { deep: [1] })).toEqual([4]);
  expect(await json.arrInsert("bike", "$.colors", 0, "gold")).toEqual([5]);
  expect(await json.arrIndex("bike", "$.colors", "silver")).toEqual([2]);
  expect(await json.arrPop("bike", { path: "$.colors", index: -1 })).toEqual([{ deep: [1] }]);
  expect(await json.arrTrim("bike", "$.colors", 1, 2)).toEqual([2]);
  expect(await json.arrLen("bike", { path: "$.colors" })).toEqual([2]);
  expect(await json.objKeys("bike", { path: "$.specs" })).toEqual([["material"]]);
  expect(await json.objLen("bike", { path: "$.specs" })).toEqual([1]);
  expect([await json.type("bike", { path: "$.price" })].flat(2)).toEqual(["number"]);
  expect(await json.clear("bike", { path: "$.colors" })).toBe(1);
  expect(await json.del("bike", { path: "$[?@ == true || @ == false]" })).toBe(1);
  const left = { model: "Phoebe II", price: 9945, stock: 6, specs: { material: null }, colors: [] };
  expect(await json.get("bike")).toEqual(left);
  expect(await json.forget("bike")).toBe(1);
  expect(await client.exists("bike")).toBe(0);
  await expect(json.arrAppend("a", ".x", 1)).rejects.toThrow(
    "ERR Path '.x' does not exist or not an array",
  );
});

test("U1: ioredis", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  await using client = await connectIoredis(server);
  const text = JSON.stringify(BIKE);
  expect(await client.call("JSON.SET", "bike", "$", text)).toBe("OK");
  expect(await client.call("JSON.GET", "bike")).toBe(text);
  expect(await client.call("JSON.GET", "bike", "$.colors[?match(@, 'b.*k')]")).toBe('["black"]');
  expect(await client.call("JSON.NUMINCRBY", "bike", "$.stock", "0.5")).toEqual(["3.5"]);
  expect(await client.call("JSON.RESP", "bike", ".specs")).toEqual([
    "{",
    "weight",
    13,
    "material",
    null,
  ]);
  const answers = await client
    .pipeline()
    .call("JSON.ARRAPPEND", "bike", "$.colors", '"red"')
    .call("JSON.ARRLEN", "bike", ".colors")
    .exec();
  expect(answers).toEqual([
    [null, [3]],
    [null, 3],
  ]);
});

test("U1: Bun.RedisClient, and a document is there after kill -9", async () => {
  await using workspace = await Workspace.create();
  {
    await using server = await Server.start(workspace);
    using client = await connectBunClient(server);
    expect(await client.send("JSON.SET", ["bike", "$", '{"n":[1.0,2]}'])).toBe("OK");
    await client.send("JSON.NUMMULTBY", ["bike", "$..n[1]", "21"]);
    await server.kill();
  }
  await using server = await Server.start(workspace);
  using client = await connectBunClient(server);
  expect(await client.send("JSON.GET", ["bike", "."])).toBe('{"n":[1.0,42]}');
});
