/** What kvdb refuses to start with: the exit codes of the error table, and that the message names what is wrong. */
import { describe, expect, test } from "bun:test";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { kvdb, type Outcome, run } from "./support/run.ts";
import { Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

const USAGE = 2;
const UNAVAILABLE = 69;
const IO = 74;
const HELD = 75;
const PERMISSION = 77;
const CONFIG = 78;

/** Exit code, no word on standard output, and everything that the message must name. */
function expectRefusal(outcome: Outcome, code: number, ...named: readonly string[]): void {
  expect({ code: outcome.code, stdout: outcome.stdout }).toEqual({ code, stdout: "" });
  for (const word of named) expect(outcome.stderr).toContain(word);
  expect(outcome.stderr).not.toContain("    at "); // a stack is no message
}

describe("K11: the command line", () => {
  test.each([
    [
      ["gte", "key"],
      ["gte", "get"],
    ],
    [["servr"], ["servr", "serve"]],
    [["config", "chek"], ["chek"]],
    [
      ["serve", "--prot", "1"],
      ["--prot", "--port"],
    ],
    [
      ["--dri", "x", "get", "key"],
      ["--dri", "--dir"],
    ],
    [["get"], ["get"]],
    [["serve", "--replicaof"], ["--replicaof"]],
    [["serve", "6380"], ["--port 6380"]],
  ])("%j: exit 2, and what is nearest", async (args, named) => {
    await using workspace = await Workspace.create();
    expectRefusal(await kvdb(workspace, args), USAGE, ...named);
  });
});

describe("the port", () => {
  test("taken: exit 69, and which", async () => {
    await using workspace = await Workspace.create();
    await using server = await Server.start(workspace);
    const port = String(server.port);
    const outcome = await kvdb(workspace, ["serve", "--dir", "other", "--port", port]);
    expectRefusal(outcome, UNAVAILABLE, port, "EADDRINUSE", "taken", "--port");
    expect(await (await server.connect()).call("PING")).toBe("PONG");
    // The folder that was opened for it is free again.
    expect((await kvdb(workspace, ["--dir", "other", "set", "key", "1"])).code).toBe(0);
  });

  test("of an address that is not this machine's, or a socket without a folder: exit 69", async () => {
    await using workspace = await Workspace.create();
    const elsewhere = ["serve", "--bind", "192.0.2.1", "--requirepass", "x", "--port", "1"];
    expectRefusal(await kvdb(workspace, elsewhere), UNAVAILABLE, "192.0.2.1", "--bind");
    const nowhere = ["serve", "--port", "0", "--unixsocket", "none/s.sock"];
    expectRefusal(await kvdb(workspace, nowhere), UNAVAILABLE, "none/s.sock", "folder");
  });

  test.each(["99999", "-1", "http"])("%s: exit 78, and what was expected", async (port) => {
    await using workspace = await Workspace.create();
    const outcome = await kvdb(workspace, ["serve", `--port=${port}`]);
    expectRefusal(outcome, CONFIG, "--port", "65535", port);
  });
});

describe("the folder", () => {
  test("held by a live process: exit 75, and its pid", async () => {
    await using workspace = await Workspace.create();
    await using server = await Server.start(workspace);
    const outcome = await kvdb(workspace, ["serve", "--port", "0", "--unixsocket", "s"]);
    expectRefusal(outcome, HELD, String(server.pid));
    expect(await (await server.connect()).call("SET", "key", "value")).toBe("OK");
  });

  test.each([
    ["of a process that is gone", { pid: 4_194_000, processStart: "1" }],
    ["of a live process that does not hold it", { pid: process.pid }],
    ["that was half written", '{"pid":'],
    ["of random bytes", "\0\xff\x01"],
  ])("with a lock file %s: starts", async (_, content) => {
    await using workspace = await Workspace.create();
    await workspace.write(".kvdb/kvdb.lock", content);
    expect(await kvdb(workspace, ["set", "key", "1"])).toMatchObject({ code: 0, stderr: "" });
  });

  const canBeNobody = process.getuid?.() === 0 && Bun.which("setpriv") !== null;
  const isNobody = process.getuid?.() !== 0;

  /** kvdb as somebody who may not do everything, which root may. */
  function asUser(workspace: Workspace, args: readonly string[]): Promise<Outcome> {
    const other = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    return run(workspace, [...(isNobody ? [] : other), workspace.executable, ...args]);
  }

  describe.skipIf(!canBeNobody && !isNobody)("without permission", () => {
    test.each([
      ["that may not be read", 0o000, "read"],
      ["that may not be written", 0o555, "write in"],
    ])("%s: exit 77, and which", async (_, mode, doing) => {
      await using workspace = await Workspace.create();
      for (const open of [workspace.root, workspace.folder]) await chmod(open, 0o755);
      await mkdir(workspace.path("closed"));
      await chmod(workspace.path("closed"), mode);
      const outcome = await asUser(workspace, ["--dir", "closed", "set", "key", "1"]);
      await chmod(workspace.path("closed"), 0o755);
      expectRefusal(outcome, PERMISSION, `${doing} ${workspace.path("closed")} (EACCES)`);
    });

    test("that cannot be made: exit 77, and which", async () => {
      await using workspace = await Workspace.create();
      await chmod(workspace.root, 0o755);
      await chmod(workspace.folder, 0o555);
      const outcome = await asUser(workspace, ["set", "key", "1"]);
      await chmod(workspace.folder, 0o755);
      expectRefusal(outcome, PERMISSION, workspace.path(".kvdb"));
    });
  });

  test("a file in its place: exit 74, and which", async () => {
    await using workspace = await Workspace.create();
    await writeFile(workspace.path(".kvdb"), "");
    for (const dir of [".kvdb", ".kvdb/below"]) {
      const outcome = await kvdb(workspace, ["--dir", dir, "set", "key", "1"]);
      expectRefusal(outcome, IO, workspace.path(dir), "is a file");
    }
  });

  const foreign = { persistence: "json-snapshot", format: 1, files: [] };
  const checksum = Bun.hash.crc32(JSON.stringify(foreign)).toString(16).padStart(8, "0");

  test.each([
    ["with a checksum like ours", { ...foreign, checksum }],
    ["without one", foreign],
  ])("with the manifest of another persistence, %s: exit 78, and whose", async (_, manifest) => {
    await using workspace = await Workspace.create();
    await workspace.write(".kvdb/manifest.json", manifest);
    expectRefusal(await kvdb(workspace, ["get", "key"]), CONFIG, "json-snapshot", ".kvdb");
    expect(await Bun.file(workspace.path(".kvdb/manifest.json")).json()).toEqual(manifest);
  });
});

describe("K12: the configuration", () => {
  test.each([
    ["an unknown key", '{\n  "databses": 3\n}', ["kvdb.config.json:2", "databses", "databases"]],
    ["a wrong type", '{\n\n"databases": "3" }', ["kvdb.config.json:3", "databases", "integer"]],
    ["no JSON", '{\n  "dir": }', ["kvdb.config.json:2"]],
    ["an unknown persistence", '{ "persistence": "val" }', ["persistence", "val", "wal"]],
    ["an unknown option", '{ "persistence": { "use": "wal", "fsink": "no" } }', ["fsink", "fsync"]],
    ["a missing file as plugin", '{ "plugins": ["./plugin.ts"] }', ["plugins[0]", "plugin.ts"]],
    ["a missing package as plugin", '{ "plugins": ["kvdb-plugin-x"] }', ["kvdb-plugin-x"]],
  ])("%s: exit 78, and where", async (_, text, named) => {
    await using workspace = await Workspace.create();
    await workspace.write("kvdb.config.json", text);
    expectRefusal(await kvdb(workspace, ["get", "key"]), CONFIG, "kvdb.config.json", ...named);
    expectRefusal(await kvdb(workspace, ["config", "check"]), CONFIG, ...named);
    expectRefusal(await kvdb(workspace, ["serve", "--port", "0"]), CONFIG, ...named);
  });
});
