/** `kvdb < script`: commands one a line, with and without a server beside it. */
import { expect, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { kvdb, run } from "./support/run.ts";
import { freePort, Server } from "./support/server.ts";
import { callsOf, mayTrace } from "./support/strace.ts";
import { Workspace } from "./support/workspace.ts";

const values = [
  '{"a":[1,2,{"b":null}],"x":true}',
  "[]",
  "{}",
  "1.0",
  "-0",
  "12345678901234567890123",
  "1e400",
  "true",
  "false",
  "null",
  '{"é":"日本語 😀","nested":{"deep":[[[1]]]}}',
];

test.each(["", "beside a server"])(
  "R3: every JSON value comes back as it was %s",
  async (beside) => {
    await using workspace = await Workspace.create();
    await using _server = beside === "" ? undefined : await Server.start(workspace);
    const lines = values.map((value, i) => `set k${i} ${value}\nget k${i}\n`);
    const input = `${lines.join("")}set word bare\nget word\nset quoted "a \\"b\\""\nget quoted\nset e ""\nget e\n`;
    const expected = values.map((value) => `OK\n${value}\n`).join("");
    expect(await kvdb(workspace, [], { input })).toEqual({
      code: 0,
      stdout: `${expected}OK\n"bare"\nOK\n"a \\"b\\""\nOK\n""\n`,
      stderr: "",
    });
  },
);

test("R1: with persistence none a value is there until the end, and no file is ever made", async () => {
  await using workspace = await Workspace.create();
  await workspace.write("kvdb.config.json", { persistence: "none" });
  const input = 'set k {"a":1}\nget k\nlist\n';
  expect(await kvdb(workspace, [], { input })).toEqual({
    code: 0,
    stdout: 'OK\n{"a":1}\n"k"\n',
    stderr: "",
  });
  expect(await readdir(workspace.folder)).toEqual(["kvdb.config.json"]);
  expect((await kvdb(workspace, ["get", "k"])).stdout).toBe("null\n");
});

test("comments, empty lines, CR LF, a mark of editors, and a document over several lines", async () => {
  await using workspace = await Workspace.create();
  const input = '\ufeff# a comment\r\n\r\n  set k {\r\n  "a": [1,\r\n  2]}  --ttl 1h\r\nget k';
  const { code, stdout, stderr } = await kvdb(workspace, [], { input });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toBe('OK\n{"a":[1,2]}\n');
});

test.each(["", "beside a server"])(
  "stops at the first error, with the number of its line %s",
  async (beside) => {
    await using workspace = await Workspace.create();
    await using _server = beside === "" ? undefined : await Server.start(workspace);
    const input = 'set k {"a":\n1}\n\nincr k\nset k 2\n';
    expect(await kvdb(workspace, [], { input })).toEqual({
      code: 1,
      stdout: "OK\n",
      stderr: "line 4: WRONGTYPE Operation against a key holding the wrong kind of value\n",
    });
    expect((await kvdb(workspace, ["get", "k"])).stdout).toBe('{"a":1}\n');
  },
);

test("--force goes on, tells every line that failed, and still exits with 1", async () => {
  await using workspace = await Workspace.create();
  const input = 'sett k 1\nset k "open\nset k 1 --ttl soon\nset k 1\nget k\n';
  const { code, stdout, stderr } = await kvdb(workspace, ["--force"], { input });
  expect({ code, stdout }).toEqual({ code: 1, stdout: "OK\n1\n" });
  const lines = stderr.split("\n");
  expect(lines.map((line) => line.slice(0, 7))).toEqual(["line 1:", "line 2:", "line 3:", ""]);
  expect(lines[0]).toContain('did you mean "set"?');
});

test.each([
  ["an unclosed document", 'set k {"a": 1', "line 1: "],
  ["bytes that are no text", Buffer.from([0x73, 0x65, 0x74, 0x20, 0xff, 0x0a]), "line 1: "],
  ["a pipe to a program", "keys * | wc", "line 1: "],
])("%s is an error", async (_, input, message) => {
  await using workspace = await Workspace.create();
  const outcome = await kvdb(workspace, [], { input });
  expect(outcome).toMatchObject({ code: 1, stdout: "" });
  expect(outcome.stderr).toStartWith(message);
});

test("exit ends a script in the middle", async () => {
  await using workspace = await Workspace.create();
  const outcome = await kvdb(workspace, [], { input: "set k 1\nexit\nset k 2\n" });
  expect(outcome).toEqual({ code: 0, stdout: "OK\n", stderr: "" });
  expect((await kvdb(workspace, ["get", "k"])).stdout).toBe("1\n");
});

test("a script that waits for its next line holds nobody up", async () => {
  await using workspace = await Workspace.create();
  const child = Bun.spawn([workspace.executable], {
    cwd: workspace.folder,
    env: { HOME: workspace.root },
    stdin: "pipe",
    stdout: "pipe",
  });
  try {
    child.stdin.write("set k 1\n");
    child.stdin.flush();
    const output = child.stdout.getReader();
    expect(Buffer.from((await output.read()).value ?? []).toString()).toBe("OK\n");
    expect((await kvdb(workspace, ["incr", "k"])).stdout).toBe("2\n");
    child.stdin.write("get k\n");
    child.stdin.end();
    expect(Buffer.from((await output.read()).value ?? []).toString()).toBe("2\n");
    expect(await child.exited).toBe(0);
  } finally {
    child.kill("SIGKILL");
  }
});

test("an empty script does nothing", async () => {
  await using workspace = await Workspace.create();
  expect(await kvdb(workspace, [], { input: "" })).toEqual({ code: 0, stdout: "", stderr: "" });
});

test("a pipe and a file are scripts also where the configuration names a server", async () => {
  await using workspace = await Workspace.create();
  await workspace.write("kvdb.config.json", { frontends: [{ use: "resp", port: freePort() }] });
  await workspace.write("script.txt", "set k 1\nget k\n");
  const shell = (command: string) => run(workspace, ["sh", "-c", command]);
  const outcome = { code: 0, stdout: "OK\n1\n", stderr: "" };
  expect(await shell(`${workspace.executable} < script.txt`)).toEqual(outcome);
  expect(await shell(`cat script.txt | ${workspace.executable}`)).toEqual(outcome);
});

test("it stops when nobody reads the answers any more", async () => {
  await using workspace = await Workspace.create();
  const endless = `(yes "incr n" | ${workspace.executable} 2>errors.txt; echo $? >code.txt) | head -1`;
  expect((await run(workspace, ["sh", "-c", endless])).stdout).toBe("1\n");
  const errors = await Bun.file(workspace.path("errors.txt")).text();
  expect(errors).toMatch(/line \d+\n$/);
  expect(await Bun.file(workspace.path("code.txt")).text()).toBe("74\n");
});

test("what a service manager hands in is no script: the configured server starts", async () => {
  await using workspace = await Workspace.create();
  const port = freePort();
  await workspace.write("kvdb.config.json", { frontends: [{ use: "resp", port }] });
  const child = Bun.spawn([workspace.executable], {
    cwd: workspace.folder,
    env: { HOME: workspace.root },
    stdin: "ignore", // /dev/null
    stdout: "ignore",
    stderr: "pipe",
  });
  try {
    for await (const chunk of child.stderr) if (Buffer.from(chunk).includes("is ready")) break;
    expect((await kvdb(workspace, ["set", "k", "1"])).stdout).toBe("OK\n");
    child.kill("SIGTERM");
    expect(await child.exited).toBe(0);
  } finally {
    child.kill("SIGKILL");
  }
});

const canTrace = await mayTrace();
test.skipIf(!canTrace)(
  "a thousand lines cost a handful of writes and syncs, by strace",
  async () => {
    await using workspace = await Workspace.create();
    const lines = Array.from({ length: 1000 }, (_, i) => `set k${i} ${i}`).join("\n");
    await workspace.write("script.txt", `${lines}\n`);
    const traced = `strace -f -y -o trace.txt ${workspace.executable} < script.txt`;
    const { code, stdout } = await run(workspace, ["sh", "-c", traced]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "OK\n".repeat(1000) });
    const calls = (await Bun.file(workspace.path("trace.txt")).text())
      .split("\n")
      .filter((line) => line.includes(".kvdb/wal"));
    const writes = callsOf(calls, /^(p?write(v|64)?|fdatasync|fsync)$/);
    expect(writes.length).toBeGreaterThan(0);
    expect(writes.length).toBeLessThan(20);
  },
);

test("a folder as script: exit 2, and nothing is made; other words do not mind", async () => {
  await using workspace = await Workspace.create();
  const fromFolder = ["sh", "-c", 'exec "$0" "$@" < .', workspace.executable];
  const refused = await run(workspace, fromFolder);
  expect(refused).toMatchObject({ code: 2, stdout: "" });
  expect(refused.stderr).toContain("folder");
  expect(await readdir(workspace.folder)).toEqual([]);
  expect(await run(workspace, [...fromFolder, "set", "k", "1"])).toMatchObject({ code: 0 });
});

test("without a frontend: exit 2, and which words start one; a script runs all the same", async () => {
  await using workspace = await Workspace.create();
  await workspace.write("kvdb.config.json", { frontends: [] });
  const refused = await kvdb(workspace, []);
  expect(refused).toMatchObject({ code: 2, stdout: "" });
  for (const word of ["kvdb serve", "kvdb shell"]) expect(refused.stderr).toContain(word);
  expect((await kvdb(workspace, [], { input: "set k 1\nget k\n" })).stdout).toBe("OK\n1\n");
});
