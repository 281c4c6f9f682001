/**
 * `kvdb convert` through the executable: from `wal` to other persistences and back, with what the configuration has to
 * say afterwards; what is refused; kill -9 in the middle. Every step of it fails in test/unit/kernel/conversion.test.ts.
 */
import { describe, expect, test } from "bun:test";
import { readdir, readFile, rm } from "node:fs/promises";
import { Random } from "../oracle/random.ts";
import { flipped } from "./support/log-file.ts";
import { cleanEnvironment, kvdb, outcomeOf } from "./support/run.ts";
import { Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

const SEED = Number(process.env["KVDB_TEST_SEED"] ?? Date.now() % 2 ** 32);

/** The whole state in one file of JSON: a persistence that somebody wrote in an afternoon. */
const STATES = `
import { join } from "node:path";
import { definePlugin } from "kvdb";

const spanOf = (text) => {
  const bytes = Buffer.from(text, "base64");
  return [bytes, 0, bytes.length];
};

export default definePlugin({
  name: "states",
  apiVersion: 1,
  persistence: (_options, { files, folder }) => ({
    supports: { records: false, checkpoints: true },
    durability: "none",
    async open() {},
    async load(sink) {
      const path = join(folder, "state.json");
      const empty = { records: 0, bytes: 0, lastRevision: 0, clean: true, dropped: [] };
      if (!(await files.exists(path))) return empty;
      const file = await files.open(path, "read");
      const bytes = Buffer.alloc(await file.size());
      await file.read(bytes, 0, bytes.length, 0).finally(() => file.close());
      const { revision, entries } = JSON.parse(bytes.toString());
      for (const { key, value, ...rest } of entries) {
        const [keyBytes, keyStart, keyEnd] = spanOf(key);
        const [valueBytes, valueStart, valueEnd] = spanOf(value);
        sink.entry({ ...rest, keyBytes, keyStart, keyEnd, valueBytes, valueStart, valueEnd });
      }
      return { ...empty, bytes: bytes.length, lastRevision: revision };
    },
    append() {},
    async flush() {},
    async close() {},
  }),
  async writeCheckpoint(reader, { files, folder }) {
    const entries = [];
    while (reader.next()) {
      const { database, type, deadlineMs, version, ...at } = reader.entry;
      const key = at.keyBytes.toString("base64", at.keyStart, at.keyEnd);
      const value = at.valueBytes.toString("base64", at.valueStart, at.valueEnd);
      entries.push({ database, type, deadlineMs, version, key, value });
    }
    const bytes = Buffer.from(JSON.stringify({ revision: reader.revision, entries }));
    await files.replace(join(folder, "state.json"), bytes);
    return { bytes: bytes.length };
  },
});
`;

const targets = ["json-snapshot", "aof", "states"] as const;

const SCRIPT = `
set plain text
set document '{"name":"Ada","age":36.0}'
set until then --ttl 1d
set "binary\\xff" "\\x00\\xfe"
select 3
set plain elsewhere
`;

async function configure(workspace: Workspace, persistence: string): Promise<void> {
  const plugins = ["./states.ts"];
  await workspace.write(
    "kvdb.config.json",
    `${JSON.stringify({ dir: "data", plugins }, null, 2).slice(0, -2)},
  "persistence": "${persistence}"
}`,
  );
}

/** A folder of `wal` with a few keys. */
async function given(): Promise<Workspace> {
  const workspace = await Workspace.create();
  await workspace.write("states.ts", STATES);
  await configure(workspace, "wal");
  const { code } = await kvdb(workspace, [], { input: SCRIPT });
  expect(code).toBe(0);
  return workspace;
}

async function digest(workspace: Workspace): Promise<string> {
  const { code, stdout } = await kvdb(workspace, ["--raw", "debug", "digest"]);
  expect(code).toBe(0);
  return stdout;
}

async function ownerOf(workspace: Workspace): Promise<string> {
  const [line = ""] = (await readFile(workspace.path("data", "kvdb.lock"), "utf8")).split("\n", 1);
  return JSON.parse(line).persistence;
}

describe.each(targets)("wal to %s", (to) => {
  test("and back: everything is there, and the configuration is told what to change", async () => {
    await using workspace = await given();
    const before = await digest(workspace);
    const names = await readdir(workspace.path("data"));
    const files = names.filter((name) => name !== "kvdb.lock").sort();
    const there = await kvdb(workspace, ["convert", "--to", to, "--json"]);
    expect(there.code).toBe(0);
    expect(JSON.parse(there.stdout)).toMatchObject({
      ...{ from: "wal", to, entries: 5, moved: { folder: "converted-from-wal", files } },
    });
    expect(there.stderr).toContain("kvdb.config.json:6");
    expect(there.stderr).toContain(`"${to}"`);
    expect((await readdir(workspace.path("data", "converted-from-wal"))).sort()).toEqual(files);

    const refused = await kvdb(workspace, ["get", "plain"]);
    expect(refused).toMatchObject({ code: 78, stdout: "" });
    expect(refused.stderr).toContain("kvdb convert");

    await configure(workspace, to);
    expect(await digest(workspace)).toBe(before);
    expect((await kvdb(workspace, ["set", "new", "1"])).code).toBe(0);
    const after = await digest(workspace);
    await configure(workspace, "wal");
    const back = await kvdb(workspace, ["convert"]);
    expect(back).toMatchObject({ code: 0, stderr: "" });
    expect(back.stdout).toContain(`converted-from-${to}`);
    expect(await digest(workspace)).toBe(after);
    expect((await kvdb(workspace, ["check"])).code).toBe(0);
  });

  test(`kill -9 in the middle leaves one of them whole, seed ${SEED}`, async () => {
    await using workspace = await given();
    const lines = Array.from({ length: 20_000 }, (_, index) => `set key:${index} ${index}`);
    expect((await kvdb(workspace, ["--raw"], { input: lines.join("\n") })).code).toBe(0);
    const expected = await digest(workspace);
    const random = new Random(SEED);
    for (let round = 0; round < 8; round++) {
      const from = await ownerOf(workspace);
      const child = Bun.spawn(
        [workspace.executable, "convert", "--to", from === "wal" ? to : "wal"],
        {
          cwd: workspace.folder,
          env: cleanEnvironment(workspace),
          stdio: ["ignore", "pipe", "pipe"],
        },
      );
      await Bun.sleep(random.integer(20, 400));
      child.kill("SIGKILL");
      await outcomeOf(child);
      await configure(workspace, await ownerOf(workspace));
      expect(await digest(workspace)).toBe(expected);
    }
  });
});

describe("refused, with the folder as it was:", () => {
  async function refusal(workspace: Workspace, ...words: string[]) {
    const names = await readdir(workspace.path("data"));
    const { code, stdout, stderr } = await kvdb(workspace, ["convert", ...words]);
    expect(stdout).toBe("");
    expect(await readdir(workspace.path("data"))).toEqual(names);
    expect(await ownerOf(workspace)).toBe("wal");
    return { code, stderr };
  }

  test("nothing to convert, targets that take nothing, and words that mean nothing", async () => {
    await using workspace = await given();
    expect(await refusal(workspace)).toMatchObject({ code: 1 });
    expect(await refusal(workspace, "--to", "none")).toMatchObject({ code: 78 });
    const unknown = await refusal(workspace, "--to=stats");
    expect(unknown.code).toBe(78);
    expect(unknown.stderr).toMatch(/^--to: .*"states"/);
    expect(await refusal(workspace, "--to")).toMatchObject({ code: 2 });
    expect(await refusal(workspace, "states")).toMatchObject({ code: 2 });
    const nowhere = await kvdb(workspace, ["--dir", "nowhere", "convert", "--to", "states"]);
    expect(nowhere).toMatchObject({ code: 78, stdout: "" });
    expect((await readdir(workspace.folder)).includes("nowhere")).toBe(false);
  });

  test("a folder that is held: 75 with the pid; one that is damaged: 65", async () => {
    await using workspace = await given();
    {
      await using server = await Server.start(workspace);
      const held = await refusal(workspace, "--to", "states");
      expect(held.code).toBe(75);
      expect(held.stderr).toContain(String(server.pid));
      expect(await server.stop()).toBe(0);
    }
    const path = workspace.path("data", "manifest.json");
    await Bun.write(path, flipped(await readFile(path), 60));
    const damaged = await refusal(workspace, "--to", "states");
    expect(damaged.code).toBe(65);
    expect(damaged.stderr).toContain("manifest.json");
  });
});

describe("a file that an option put elsewhere", () => {
  async function kept(): Promise<Workspace> {
    const workspace = await Workspace.create();
    const persistence = { use: "json-snapshot", file: "database.json" };
    await workspace.write("kvdb.config.json", { persistence });
    expect(await kvdb(workspace, ["set", "name", "Ada"])).toMatchObject({ code: 0 });
    return workspace;
  }

  test("is found without the old configuration, and stays where it is", async () => {
    await using workspace = await kept();
    await workspace.write("kvdb.config.json", { persistence: "wal" });
    const { code, stdout } = await kvdb(workspace, ["convert"]);
    expect([code, stdout]).toEqual([0, expect.stringContaining("database.json")]);
    expect(await kvdb(workspace, ["get", "name"])).toMatchObject({ stdout: '"Ada"\n' });
    expect(await Bun.file(workspace.path("database.json")).exists()).toBe(true);
  });

  test("that is gone is not replaced by nothing: exit 78, and the folder stays as it is", async () => {
    await using workspace = await kept();
    await rm(workspace.path("database.json"));
    await workspace.write("kvdb.config.json", { persistence: "wal" });
    const { code, stderr } = await kvdb(workspace, ["convert"]);
    expect([code, stderr]).toEqual([78, expect.stringContaining("nothing of persistence")]);
    expect((await kvdb(workspace, ["get", "name"])).code).toBe(78);
  });

  test("another file under the same persistence: whoever finds nothing is told where it was", async () => {
    await using workspace = await kept();
    const persistence = { use: "json-snapshot", file: "other.json" };
    await workspace.write("kvdb.config.json", { persistence });
    const first = await kvdb(workspace, ["get", "name"]);
    expect(first).toMatchObject({ code: 0, stdout: "null\n" });
    expect(first.stderr).toContain("database.json");
  });
});
