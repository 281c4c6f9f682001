/**
 * `kvdb check` finds each injected damage, changes nothing, and says what to do; `--repair` keeps what is intact. Row
 * V-T17, and K10 for tails. A persistence is a row of the table: what to damage in it, and what is lost by that.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { cp, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { flipped, groupOffsets } from "./support/log-file.ts";
import { kvdb, run } from "./support/run.ts";
import { Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

const DAMAGE = 65;
const HELD = 75;
const CONFIG = 78;

interface Row {
  readonly name: string;
  readonly persistence: object | string;
  /** Makes the folder `data`, with the keys a to e. */
  fill(workspace: Workspace): Promise<void>;
  readonly damages: readonly Damage[];
}

interface Damage {
  readonly name: string;
  /** The file that is damaged, and is to be named. */
  readonly file: string;
  inflict(path: string): Promise<void>;
  readonly lost: readonly string[];
}

const KEYS = ["a", "b", "c", "d", "e"];

/** Each fills a segment of its own, and does not shrink. */
async function setLarge(workspace: Workspace, keys: readonly string[]): Promise<void> {
  for (const key of keys) {
    const value = Buffer.from(crypto.getRandomValues(new Uint8Array(2000))).toString("hex");
    expect(await kvdb(workspace, ["set", key, `x${value}`])).toMatchObject({ code: 0 });
  }
}

const remove = (path: string) => rm(path);
const flip = (at: number) => async (path: string) => {
  await writeFile(path, flipped(await readFile(path), at));
};
const replace = (from: string, to: string) => async (path: string) => {
  await writeFile(path, (await readFile(path, "utf8")).replace(from, to));
};
const cut = (share: number) => async (path: string) => {
  await truncate(path, Math.floor((await stat(path)).size * share));
};

const rows: readonly Row[] = [
  {
    name: "wal, a log of several segments",
    persistence: { use: "wal", segmentBytes: 4096 },
    fill: (workspace) => setLarge(workspace, KEYS),
    damages: [
      { name: "a bit of a record", file: "wal-00000002.log", inflict: flip(500), lost: ["b"] },
      { name: "a bit of a header", file: "wal-00000003.log", inflict: flip(9), lost: [] },
      { name: "a segment cut short", file: "wal-00000002.log", inflict: cut(0.5), lost: ["b"] },
      { name: "a segment that is gone", file: "wal-00000004.log", inflict: remove, lost: ["d"] },
      { name: "the last segment gone", file: "wal-00000005.log", inflict: remove, lost: ["e"] },
      { name: "a bit of the manifest", file: "manifest.json", inflict: flip(60), lost: [] },
      { name: "the manifest gone", file: "manifest.json", inflict: remove, lost: [] },
    ],
  },
  {
    name: "wal, a checkpoint and a log",
    persistence: { use: "wal", segmentBytes: 4096 },
    fill: async (workspace) => {
      await setLarge(workspace, KEYS.slice(0, 3));
      expect(await kvdb(workspace, ["compact"])).toMatchObject({ code: 0 });
      await setLarge(workspace, KEYS.slice(3));
    },
    damages: (
      [
        ["a bit of an entry", "checkpoint-00000001.kvc", flip(2500), ["a", "b", "c"]],
        ["a bit of its header", "checkpoint-00000001.kvc", flip(3), []],
        ["it cut short", "checkpoint-00000001.kvc", cut(0.5), ["a", "b", "c"]],
        ["it gone", "checkpoint-00000001.kvc", remove, ["a", "b", "c"]],
        ["a bit of the manifest", "manifest.json", flip(60), []],
      ] as const
    ).map(([name, file, inflict, lost]) => ({ name, file, inflict, lost })),
  },
  {
    name: "json-snapshot",
    persistence: "json-snapshot",
    fill: (workspace) => setLarge(workspace, KEYS),
    damages: [
      {
        name: "a quote that is gone",
        file: "database.json",
        inflict: replace('"b":', '"b:'),
        lost: ["b"],
      },
      { name: "it cut short", file: "database.json", inflict: cut(0.5), lost: ["c", "d", "e"] },
    ],
  },
];

interface Report {
  readonly status: string;
  readonly persistence: string;
  readonly keys: number;
  readonly lastRevision: number;
  readonly findings: readonly { kind: string; file: string; keptIn?: string }[];
}

async function checked(workspace: Workspace, ...args: string[]) {
  const { code, stdout, stderr } = await kvdb(workspace, [...args, "check", "--json"]);
  expect(stderr).toBe("");
  return { code, report: JSON.parse(stdout) as Report };
}

async function keysIn(workspace: Workspace, folder: string): Promise<string[]> {
  const { code, stdout } = await kvdb(workspace, ["--dir", folder, "list"]);
  expect(code).toBe(0);
  const lines = stdout.split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line)).sort();
}

/** What a folder holds, but for the note in its lock file, and the socket of a server that was killed. */
async function contentOf(folder: string): Promise<Record<string, string>> {
  const names = (await readdir(folder)).filter((name) => !/^kvdb\.(lock|sock)$/.test(name));
  const read = async (name: string) => [name, await readFile(join(folder, name), "latin1")];
  return Object.fromEntries(await Promise.all(names.sort().map(read)));
}

describe.each(rows.map((row) => [row.name, row] as const))("%s", (_, row) => {
  let workspace: Workspace;

  beforeAll(async () => {
    workspace = await Workspace.create();
    const { persistence } = row;
    await workspace.write("kvdb.config.json", { dir: "data", persistence });
    await row.fill(workspace);
  });
  afterAll(() => workspace[Symbol.asyncDispose]());

  test("V-T17: a sound folder is said to be so, by --repair too", async () => {
    const before = await contentOf(workspace.path("data"));
    const { code, report } = await checked(workspace);
    expect({ code, ...report }).toMatchObject({ code: 0, status: "ok", keys: 5, findings: [] });
    expect(await contentOf(workspace.path("data"))).toEqual(before);
    const { code: repaired, stdout } = await kvdb(workspace, ["check", "--repair"]);
    expect({ repaired, stdout }).toMatchObject({ repaired: 0 });
    expect(stdout).toContain("nothing to repair");
    expect(await keysIn(workspace, "data")).toEqual(KEYS);
  });

  test.each(row.damages.map((damage) => [damage.name, damage] as const))(
    "V-T17: %s is found, nothing is changed, and a repair keeps the rest",
    async (name, { file, inflict, lost }) => {
      const folder = name.replaceAll(" ", "-");
      const path = workspace.path(folder);
      await cp(workspace.path("data"), path, { recursive: true });
      await inflict(join(path, file));
      const before = await contentOf(path);
      const left = KEYS.filter((key) => !lost.includes(key));

      const found = await checked(workspace, "--dir", folder);
      expect(found.code).toBe(DAMAGE);
      expect(found.report).toMatchObject({ status: "damaged", keys: left.length });
      expect(found.report.findings.map((one) => one.file)).toContain(join(path, file));
      expect(await contentOf(path)).toEqual(before);
      const told = await kvdb(workspace, ["--dir", folder, "check"]);
      expect(told).toMatchObject({ code: DAMAGE, stderr: "" });
      expect(told.stdout).toContain(`${folder}/${file}`);
      expect(told.stdout).toContain("--repair");

      const repaired = await kvdb(workspace, ["--dir", folder, "check", "--repair", "--json"]);
      expect(repaired).toMatchObject({ code: 0, stderr: "" });
      const report = JSON.parse(repaired.stdout) as Report;
      expect(report).toMatchObject({ status: "repaired", keys: left.length });
      for (const { keptIn } of report.findings) {
        if (keptIn !== undefined) expect((await stat(keptIn)).size).toBeGreaterThan(0);
      }
      expect((await checked(workspace, "--dir", folder)).report.status).toBe("ok");
      expect(await keysIn(workspace, folder)).toEqual(left);
    },
  );

  test("V-T17: damage is found on a live store as well, and no repair is begun there", async () => {
    const [damage] = row.damages;
    if (damage === undefined) throw new Error("the row has no damage");
    await cp(workspace.path("data"), workspace.path("live"), { recursive: true });
    await using server = await Server.start(workspace, { args: ["--dir", "live"] });
    const sound = await checked(workspace, "--dir", "live");
    expect(sound).toMatchObject({ code: 0, report: { status: "ok", problems: [] } as never });
    const told = await kvdb(workspace, ["--dir", "live", "check"]);
    expect(told).toMatchObject({ code: 0, stderr: "" });
    for (const part of [`held by pid ${server.pid}`, "5 keys", "\nok: "]) {
      expect(told.stdout).toContain(part);
    }
    await damage.inflict(workspace.path("live", damage.file));
    const found = await kvdb(workspace, ["--dir", "live", "check"]);
    expect(found.code).toBe(DAMAGE);
    expect(found.stdout).toContain(damage.file);
    expect(found.stdout).not.toContain("ok: ");
    const repair = await kvdb(workspace, ["--dir", "live", "check", "--repair"]);
    expect(repair).toMatchObject({ code: HELD, stdout: "" });
    expect(repair.stderr).toContain(String(server.pid));
    // What the report advises.
    expect(found.stdout).toContain("`kvdb save`");
    expect(await kvdb(workspace, ["--dir", "live", "save"])).toMatchObject({ code: 0 });
    expect(await checked(workspace, "--dir", "live")).toMatchObject({
      code: 0,
      report: { status: "ok" },
    });
    const client = await server.connect();
    await client.call("SET", "f", "1");
    const later = await kvdb(workspace, ["--dir", "live", "check"]);
    expect(later).toMatchObject({ code: 0, stderr: "" });
    const said = isOfWholeStates(row) ? "1 change came after the last save" : "\nok: ";
    expect(later.stdout).toContain(said);
  });
});

/** What came after its last save is in memory alone. */
function isOfWholeStates({ persistence }: Row): boolean {
  return JSON.stringify(persistence).includes("json-snapshot");
}

describe("a log that was cut off", () => {
  test("K10: an unsynced tail is told, is no damage, and is left for the next start to cut", async () => {
    await using workspace = await Workspace.create();
    await workspace.write("kvdb.config.json", { dir: "data" });
    await using server = await Server.start(workspace);
    const client = await server.connect();
    for (const key of KEYS) await client.call("SET", key, "1");
    await server.kill();
    const path = workspace.path("data", "wal-00000001.log");
    const end = groupOffsets(await readFile(path)).at(-1) ?? 0;
    await truncate(path, end - 7);
    const before = await contentOf(workspace.path("data"));
    const { code, report } = await checked(workspace);
    expect({ code, ...report }).toMatchObject({ code: 0, status: "ok", keys: 4, clean: false });
    expect(report.findings).toMatchObject([{ kind: "tail", file: path }]);
    const told = await kvdb(workspace, ["check"]);
    expect(told).toMatchObject({ code: 0, stderr: "" });
    expect(told.stdout).toContain("wal-00000001.log");
    expect(await contentOf(workspace.path("data"))).toEqual(before);
    expect((await kvdb(workspace, ["set", "f", "1"])).stderr).toContain("wal-00000001.log");
    expect((await checked(workspace)).report).toMatchObject({ keys: 5, findings: [], clean: true });
  });

  test("records that need what is lost are left out; behind the repair a start works", async () => {
    await using workspace = await Workspace.create();
    await workspace.write("kvdb.config.json", {
      ...{ dir: "data", persistence: { use: "wal", segmentBytes: 4096 } },
    });
    await setLarge(workspace, ["a", "b"]);
    await kvdb(workspace, ["rename", "a", "r"]);
    await kvdb(workspace, ["set", "c", "1"]);
    await remove(workspace.path("data", "wal-00000001.log"));
    expect(await kvdb(workspace, ["get", "b"])).toMatchObject({ code: DAMAGE });
    const { code, report } = await checked(workspace);
    expect({ code, ...report }).toMatchObject({ code: DAMAGE, keys: 2 });
    expect(report.findings).toHaveLength(2);
    expect(await kvdb(workspace, ["check", "--repair"])).toMatchObject({ code: 0, stderr: "" });
    expect((await checked(workspace)).report.status).toBe("ok");
    expect(await keysIn(workspace, "data")).toEqual(["b", "c"]);
  });
});

test.each([
  ["wal", "damage", DAMAGE],
  ["json-snapshot", "note", 0],
] as const)(
  "%s: all files gone but the lock file: told by check, and by the next start",
  async (...row) => {
    const [persistence, kind, wanted] = row;
    await using workspace = await Workspace.create();
    await workspace.write("kvdb.config.json", { dir: "data", persistence });
    await kvdb(workspace, ["set", "a", "1"]);
    for (const name of await readdir(workspace.path("data"))) {
      if (name !== "kvdb.lock") await rm(workspace.path(join("data", name)));
    }
    const { code, report } = await checked(workspace);
    expect({ code, ...report }).toMatchObject({ code: wanted, keys: 0, findings: [{ kind }] });
    expect(await readdir(workspace.path("data"))).toEqual(["kvdb.lock"]);
    const started = await kvdb(workspace, ["set", "b", "2"]);
    expect(started).toMatchObject({ code: 0, stdout: "OK\n" });
    expect(started.stderr).toContain("warn");
    expect(await kvdb(workspace, ["get", "b"])).toMatchObject({ stdout: "2\n", stderr: "" });
    expect(await checked(workspace)).toMatchObject({ code: 0, report: { status: "ok", keys: 1 } });
  },
);

describe("refused with what is wrong:", () => {
  test("a folder that is not there, is empty, or belongs to another persistence: 78", async () => {
    await using workspace = await Workspace.create();
    await workspace.write("empty/.keep", "");
    await workspace.write("other/kvdb.lock", '{"persistence":"json-lines"}\n');
    for (const repair of [[], ["--repair"]]) {
      for (const [folder, said] of [
        ["nowhere", "nowhere"],
        ["empty", "empty"],
        ["other", '"json-lines"'],
      ] as const) {
        const outcome = await kvdb(workspace, ["--dir", folder, "check", ...repair]);
        expect(outcome).toMatchObject({ code: CONFIG, stdout: "" });
        expect(outcome.stderr).toContain(said);
      }
    }
    expect((await readdir(workspace.folder)).sort()).toEqual(["empty", "other"]);
    expect(await readdir(workspace.path("empty"))).toEqual([".keep"]);
    expect(await readdir(workspace.path("other"))).toEqual(["kvdb.lock"]);
  });

  test("a persistence that keeps nothing: 78; words that mean nothing: 2", async () => {
    await using workspace = await Workspace.create();
    expect((await kvdb(workspace, ["set", "a", "1"])).code).toBe(0);
    await workspace.write("kvdb.config.json", { persistence: "none" });
    expect(await kvdb(workspace, ["check"])).toMatchObject({ code: CONFIG, stdout: "" });
    const mistyped = await kvdb(workspace, ["check", "--repare"]);
    expect(mistyped).toMatchObject({ code: 2, stdout: "" });
    expect(mistyped.stderr).toContain('"--repair"');
  });
});

const mayMount = process.getuid?.() === 0 && Bun.which("unshare") !== null;

test.if(mayMount)("on a read-only file system it works without a trace (needs root)", async () => {
  await using workspace = await Workspace.create();
  await kvdb(workspace, ["set", "a", "1"]);
  const data = workspace.path(".kvdb");
  const before = await readFile(join(data, "kvdb.lock"), "utf8");
  const mounted = `mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && shift 0 && "$@"`;
  const command = ["sh", "-c", mounted, data, workspace.executable];
  const started = await run(workspace, ["unshare", "-m", ...command, "set", "b", "1"]);
  expect(started.code).not.toBe(0); // it is read-only indeed
  const { code, stdout, stderr } = await run(workspace, [
    "unshare",
    "-m",
    ...command,
    "check",
    "--json",
  ]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(JSON.parse(stdout)).toMatchObject({ status: "ok", keys: 1 });
  expect(await readFile(join(data, "kvdb.lock"), "utf8")).toBe(before);
});
