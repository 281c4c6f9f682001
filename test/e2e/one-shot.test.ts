/** `kvdb set`, `kvdb get`, …: one command each, as a shell sees them, in an empty folder. */
import { expect, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { until } from "./support/poll.ts";
import { kvdb } from "./support/run.ts";
import { Workspace } from "./support/workspace.ts";

const nothing = { code: 0, stdout: "null\n", stderr: "" };

test("K1: set exits with 0 and makes .kvdb in the current folder", async () => {
  await using workspace = await Workspace.create();
  expect(await readdir(workspace.folder)).toEqual([]);
  const { code, stderr } = await kvdb(workspace, ["set", "name", "Jaya Krishna"]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(await readdir(workspace.folder)).toEqual([".kvdb"]);
});

test("K2: get prints the value as JSON and a newline", async () => {
  await using workspace = await Workspace.create();
  await kvdb(workspace, ["set", "name", "Jaya Krishna"]);
  const found = await kvdb(workspace, ["get", "name"]);
  expect(found).toEqual({ code: 0, stdout: '"Jaya Krishna"\n', stderr: "" });
});

test.each(["delete", "del"])("K3: %s exits with 0 and the key is gone", async (word) => {
  await using workspace = await Workspace.create();
  await kvdb(workspace, ["set", "name", "Jaya Krishna"]);
  expect((await kvdb(workspace, [word, "name"])).code).toBe(0);
  expect(await kvdb(workspace, ["get", "name"])).toEqual(nothing);
});

test("K4: get of a missing key prints null and exits with 0, with --exit-status 1", async () => {
  await using workspace = await Workspace.create();
  await kvdb(workspace, ["set", "name", "Jaya Krishna"]);
  await kvdb(workspace, ["delete", "name"]);
  expect(await kvdb(workspace, ["get", "name"])).toEqual(nothing);
  expect(await kvdb(workspace, ["--exit-status", "get", "name"])).toEqual({ ...nothing, code: 1 });
});

test("V4: an expired key is printed as null, is not among the keys and is not counted", async () => {
  await using workspace = await Workspace.create();
  await kvdb(workspace, ["set", "gone", "soon"]);
  await kvdb(workspace, ["set", "kept", "for ever"]);
  expect((await kvdb(workspace, ["pexpire", "gone", "50"])).stdout).toBe("1\n");
  await until("the key expires", async () => {
    return (await kvdb(workspace, ["get", "gone"])).stdout === "null\n";
  });
  expect((await kvdb(workspace, ["keys", "*"])).stdout).toBe('"kept"\n');
  expect((await kvdb(workspace, ["dbsize"])).stdout).toBe("1\n");
});

test("one of kvdb's own flags behind the command is data, and a note says so", async () => {
  await using workspace = await Workspace.create();
  const stored = await kvdb(workspace, ["set", "--json", '{"a":1}']);
  expect(stored).toMatchObject({ code: 0, stdout: "OK\n" });
  expect(stored.stderr).toStartWith('"--json" was taken as data');
  const found = await kvdb(workspace, ["get", "--raw"]);
  expect(found).toMatchObject({ code: 0, stdout: "null\n" });
  expect(found.stderr).toStartWith('"--raw" was taken as data');
  const meant: string[][] = [
    ["get", "--", "--json"],
    ["set", "--jsn", "1"],
    ["set", "k", "1", "--ttl", "1h"],
    ["echo", "-h"],
  ];
  for (const args of meant) {
    const { code, stderr } = await kvdb(workspace, args);
    expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: "" });
  }
  const script = await kvdb(workspace, [], { input: "get --json\n" });
  expect(script).toEqual({ code: 0, stdout: '{"a":1}\n', stderr: "" });
});

test("a command whose effect ends with it says so", async () => {
  await using workspace = await Workspace.create();
  const passing: [args: string[], fact: string][] = [
    [["config", "set", "maxmemory", "1mb"], "put it into the configuration"],
    [["acl", "setuser", "ada", "on"], "aclfile"],
    [["acl", "deluser", "ada"], "aclfile"],
    [["select", "3"], "this lasted for this command alone"],
    [["client", "setname", "x"], "this lasted for this command alone"],
    [["hello", "3"], "this lasted for this command alone"],
  ];
  for (const [args, fact] of passing) {
    const { code, stderr } = await kvdb(workspace, args);
    expect({ args, code }).toEqual({ args, code: 0 });
    expect(stderr).toContain(fact);
  }
  const refused = await kvdb(workspace, ["select", "99"]);
  expect(refused).toMatchObject({ code: 1, stderr: "ERR DB index is out of range\n" });
  const asked = await kvdb(workspace, ["config", "get", "maxmemory"]);
  expect(asked).toMatchObject({ code: 0, stderr: "" });
  const script = await kvdb(workspace, [], { input: "select 3\nset a 1\n" });
  expect(script).toEqual({ code: 0, stdout: "OK\nOK\n", stderr: "" });
});
