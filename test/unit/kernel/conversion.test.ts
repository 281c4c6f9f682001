/**
 * From one persistence to another: everything arrives, the files of the old one are moved aside, and a stop or a failure
 * at any moment leaves a folder that opens whole with the one or the other.
 */
import { beforeAll, describe, expect, test } from "bun:test";
import type { AnyPlugin } from "../../../src/kernel/builtins.ts";
import { finishConversions } from "../../../src/kernel/conversion.ts";
import { seededRandom } from "../../../src/platform/random.ts";
import type { WriteCheckpoint } from "../../../src/plugin.ts";
import { createFaultyFiles, FakeClock, MemoryDisk } from "../../suites/index.ts";
import {
  convert,
  DIR,
  digestIn,
  filledDisk,
  inFolder,
  ownerOf,
  plugins,
  requestFor,
} from "./conversion-harness.ts";

const pairs = [
  ["wal", "json-snapshot"],
  ["json-snapshot", "wal"],
  ["wal", "states"],
  ["json-lines", "wal"],
  ["json-lines", "states"],
] as const;

/** Of what `filledDisk` holds; the same for all. */
let expected = "";

beforeAll(async () => {
  expected = await digestIn("wal", await filledDisk("wal"));
});

function namesIn(disk: MemoryDisk, folder = DIR): string[] {
  const inside = disk.paths().filter((path) => path.startsWith(`${folder}/`));
  return inside.map((path) => path.slice(folder.length + 1));
}

describe.each(pairs)("%s to %s", (from, to) => {
  test("everything is there, and lives on", async () => {
    const disk = await filledDisk(from);
    const before = namesIn(disk).filter((name) => name !== "kvdb.lock");
    const { checkpoint, moved, leftovers } = await convert(from, to, disk);
    expect(checkpoint.entries).toBe(6);
    expect(await ownerOf(disk)).toBe(to);
    expect(moved).toEqual({ folder: `converted-from-${from}`, files: before });
    expect(namesIn(disk, `${DIR}/${moved.folder}`)).toEqual(before);
    expect(leftovers).toEqual([]);
    expect(await digestIn(to, disk)).toBe(expected);
    await inFolder(to, disk, async (call) => void (await call("SET", "new", "1")));
    await inFolder(to, disk, async (call) => {
      expect(await call("DBSIZE")).toMatchObject({ value: 5 });
    });
  });

  test("revisions go on where they were", async () => {
    const disk = await filledDisk(from);
    const { checkpoint } = await convert(from, to, disk);
    await inFolder(to, disk, async (_call, { engine }) => {
      expect(engine.disk.lastRevision).toBeGreaterThanOrEqual(checkpoint.revision);
    });
  });

  test("the files that were moved aside are still a folder of the old one", async () => {
    const disk = await filledDisk(from);
    const { moved } = await convert(from, to, disk);
    const other = new MemoryDisk();
    await other.files.makeFolder(DIR);
    for (const name of moved.files) {
      other.put(`${DIR}/${name}`, disk.contents(`${DIR}/${moved.folder}/${name}`));
    }
    expect(await digestIn(from, other)).toBe(expected);
  });
});

// Which plugins they are makes no difference to the steps.
describe.each(pairs.slice(0, 2))("%s to %s, step by step", (from, to) => {
  test("a stop at any moment leaves one of them whole, and it can go on", async () => {
    const disk = await filledDisk(from);
    const moments: MemoryDisk[] = [];
    const keep = () => void moments.push(disk.copy());
    const { files } = createFaultyFiles(disk.files, undefined, { beforeOperation: keep });
    disk.onVolatileWrite = keep;
    await convert(from, to, { files });
    keep();
    expect(moments.length).toBeGreaterThan(20);
    let whole = { old: 0, new: 0 };
    for (const [index, moment] of moments.entries()) {
      for (const stop of [
        (copy: MemoryDisk) => copy.kill(),
        (copy: MemoryDisk) => copy.crash(),
        (copy: MemoryDisk) => copy.crash(seededRandom(index)),
      ]) {
        const copy = moment.copy();
        stop(copy);
        const owner = (await ownerOf(copy)) ?? from;
        if (owner === from) whole = { ...whole, old: whole.old + 1 };
        else whole = { ...whole, new: whole.new + 1 };
        const where = `${index} of ${moments.length}, ${owner}`;
        expect([where, await digestIn(owner, copy)]).toEqual([where, expected]);
        if (owner === from) await convert(from, to, copy);
        else await finishConversions(requestFor(to, to, copy));
        expect([where, await digestIn(to, copy)]).toEqual([where, expected]);
        const left = namesIn(copy).filter((name) => !name.includes("/"));
        expect([where, left.filter((name) => isOf(from, name))]).toEqual([where, []]);
      }
    }
    expect(whole.old).toBeGreaterThan(10);
    expect(whole.new).toBeGreaterThan(10);
  });

  test.each(["once", "lasting"] as const)(
    "operation N fails %s, for every N: whole with the one or the other",
    async (kind) => {
      let struck = true;
      const filled = await filledDisk(from);
      for (let at = 1; struck; at++) {
        const disk = filled.copy();
        const faulty = createFaultyFiles(disk.files, { at, kind });
        const [converted] = await Promise.allSettled([convert(from, to, faulty)]);
        struck = faulty.struck;
        if (!struck) expect(converted.status).toBe("fulfilled");
        disk.kill();
        const owner = (await ownerOf(disk)) ?? from;
        const where = `operation ${at}, ${owner}, ${converted.status}`;
        if (converted.status === "fulfilled") expect([where, owner]).toEqual([where, to]);
        expect([where, await digestIn(owner, disk)]).toEqual([where, expected]);
        if (owner === to) continue;
        await convert(from, to, disk);
        expect([where, await digestIn(to, disk)]).toEqual([where, expected]);
      }
    },
  );
});

test("what is over by then does not come along, and nothing expires meanwhile", async () => {
  const disk = new MemoryDisk();
  const clock = new FakeClock();
  await inFolder("wal", { ...disk, files: disk.files, clock }, async (call) => {
    await call("SET", "a", "1", "PX", "1000");
    await call("SET", "b", "1", "PX", "5000");
    await call("SET", "c", "1");
  });
  clock.advance(2000);
  const { checkpoint } = await convert("wal", "states", { files: disk.files, clock });
  expect(checkpoint.revision).toBeGreaterThanOrEqual(3);
  await inFolder("states", { files: disk.files, clock }, async (call) => {
    expect(await call("KEYS", "*")).toMatchObject({ items: [{ kind: "bulk" }, { kind: "bulk" }] });
    expect(await call("PTTL", "b")).toMatchObject({ value: 3000 });
  });
});

describe("refused, with the folder as it was:", () => {
  async function refusal(to: string, all: typeof plugins, from = "wal") {
    const disk = await filledDisk(from);
    const before = content(disk);
    const options = { files: disk.files, plugins: all };
    const [converted] = await Promise.allSettled([convert(from, to, options)]);
    expect(content(disk)).toEqual(before);
    expect(await digestIn(from, disk)).toBe(expected);
    if (converted.status === "fulfilled") throw new Error("it was not refused");
    return converted.reason;
  }

  test.each(["none", "json-lines"])("a target that takes no whole states: %s", async (to) => {
    expect(await refusal(to, plugins)).toMatchObject({ code: "CONFIG" });
  });

  test("a persistence that nobody knows", async () => {
    expect(await refusal("elsewhere", plugins)).toMatchObject({ code: "CONFIG" });
    const { wal, ...others } = plugins;
    const disk = await filledDisk("wal");
    const converted = convert("wal", "states", { files: disk.files, plugins: others });
    await expect(converted).rejects.toMatchObject({ code: "CONFIG" });
    expect(wal).toBeDefined();
  });

  test("two that keep a file of one name", async () => {
    const file = "manifest.json";
    const writeCheckpoint: WriteCheckpoint = async (_entries, { files, folder }) => {
      await files.replace(`${folder}/${file}`, Buffer.from("mine"));
      return { bytes: 4 };
    };
    const other: AnyPlugin = {
      ...(plugins["states"] as AnyPlugin),
      name: "other",
      writeCheckpoint,
    };
    const reason = await refusal("other", { ...plugins, other });
    expect(reason).toMatchObject({ code: "CONFIG", message: expect.stringContaining(file) });
  });

  test("a target that does not give back what it was given", async () => {
    const writeCheckpoint: AnyPlugin["writeCheckpoint"] = async (entries, target) => {
      entries.next(); // and forgets it
      return (states.writeCheckpoint as WriteCheckpoint)(entries, target);
    };
    const forgetful: AnyPlugin = { ...states, name: "forgetful", writeCheckpoint };
    const reason = await refusal("forgetful", { ...plugins, forgetful });
    expect(reason.message).toContain("not on disk");
  });

  test("a folder with nothing in it, and what was opened is closed", async () => {
    const disk = new MemoryDisk();
    let open = 0;
    const counted: AnyPlugin = {
      ...states,
      name: "counted",
      persistence: (options, context) => {
        const made = (states.persistence as NonNullable<AnyPlugin["persistence"]>)(
          options,
          context,
        );
        const opened = async () => void open++;
        return { ...made, open: opened, close: async () => void open-- };
      },
    };
    const options = { files: disk.files, plugins: { ...plugins, counted } };
    await inFolder("counted", options, async () => {});
    const before = content(disk);
    const converted = convert("counted", "wal", options);
    await expect(converted).rejects.toMatchObject({ code: "CONFIG" });
    expect(open).toBe(0);
    expect(content(disk)).toEqual(before);
  });

  test("a file elsewhere that would be written over", async () => {
    const disk = await filledDisk("wal");
    const { files } = disk;
    await files.makeFolder("/other");
    const options = { files, plugins: { ...plugins, elsewhere: inFolderOther } };
    disk.put("/other/state.jsonl", Buffer.from("somebody else's"));
    await expect(convert("wal", "elsewhere", options)).rejects.toThrow("/other/state.jsonl");
    expect(await digestIn("wal", disk)).toBe(expected);
    disk.drop("/other/state.jsonl");
    await convert("wal", "elsewhere", options);
    expect(await digestIn("elsewhere", options)).toBe(expected);
    const back = await convert("elsewhere", "wal", options);
    expect(back).toMatchObject({ outside: ["/other/state.jsonl"], moved: { files: [] } });
    expect(disk.paths()).toContain("/other/state.jsonl");
    expect(await digestIn("wal", disk)).toBe(expected);
  });

  test("a folder that another process holds", async () => {
    const disk = await filledDisk("wal");
    await inFolder("wal", disk, async () => {
      await expect(convert("wal", "states", disk)).rejects.toMatchObject({ code: "HELD" });
    });
  });

  test("a damaged folder", async () => {
    const disk = await filledDisk("wal");
    const bytes = disk.contents(`${DIR}/manifest.json`);
    disk.put(`${DIR}/manifest.json`, bytes.fill("!", 20, 30));
    const before = content(disk);
    await expect(convert("wal", "states", disk)).rejects.toMatchObject({ code: "DAMAGE" });
    expect(content(disk)).toEqual(before);
  });
});

test("files that an attempt left in the place of the new one's are set aside", async () => {
  const disk = await filledDisk("wal");
  const old = Buffer.from('7\n{"of":"an attempt long ago"}');
  disk.put(`${DIR}/state.jsonl`, old);
  const { leftovers } = await convert("wal", "states", disk);
  expect(leftovers).toEqual([{ folder: "leftover-states", files: ["state.jsonl"] }]);
  expect(disk.contents(`${DIR}/leftover-states/state.jsonl`)).toEqual(old);
  expect(await digestIn("states", disk)).toBe(expected);
});

test("there and back and there again: each time the files have a folder of their own", async () => {
  const disk = await filledDisk("wal");
  const folders = [];
  for (const [from, to] of [
    ["wal", "states"],
    ["states", "wal"],
    ["wal", "states"],
  ] as const) {
    folders.push((await convert(from, to, disk)).moved.folder);
    expect(await digestIn(to, disk)).toBe(expected);
  }
  expect(folders).toEqual(["converted-from-wal", "converted-from-states", "converted-from-wal-2"]);
});

test("moving that was cut off is finished by whoever converts next, also in the other direction", async () => {
  const filled = await filledDisk("wal");
  for (const to of ["states", "wal"]) {
    const disk = filled.copy();
    const faulty = createFaultyFiles(disk.files);
    const name = "wal-00000001.log";
    faulty.failNext({ operation: "renaming", path: new RegExp(name) });
    await expect(convert("wal", "states", faulty)).rejects.toThrow("kvdb convert");
    expect(await ownerOf(disk)).toBe("states");
    expect(namesIn(disk)).toContain(name);
    if (to === "wal") await convert("states", "wal", disk);
    else {
      const finished = await finishConversions(requestFor("states", "states", disk));
      expect(finished).toEqual([{ folder: "converted-from-wal", files: [name] }]);
    }
    expect(namesIn(disk)).toContain(`converted-from-wal/${name}`);
    expect(namesIn(disk).filter((one) => one.endsWith("moving.json"))).toEqual([]);
    expect(await digestIn(to, disk)).toBe(expected);
  }
});

const states = plugins["states"] as AnyPlugin;

/** Keeps its file in another folder than the data's. */
const inFolderOther: AnyPlugin = {
  ...states,
  name: "elsewhere",
  persistence: (options, context) =>
    (states.persistence as NonNullable<AnyPlugin["persistence"]>)(options, {
      ...context,
      folder: "/other",
    }),
  writeCheckpoint: (entries, target) =>
    (states.writeCheckpoint as WriteCheckpoint<never>)(entries, { ...target, folder: "/other" }),
};

/** Every file with its bytes, but for the lock's note. */
function content(disk: MemoryDisk): Record<string, string> {
  const paths = disk.paths().filter((path) => !path.endsWith("kvdb.lock"));
  return Object.fromEntries(paths.map((path) => [path, disk.contents(path).toString("latin1")]));
}

/** Whose a file in the folder is. */
function isOf(persistence: string, name: string): boolean {
  const patterns: Record<string, RegExp> = {
    wal: /^(wal-.*|manifest\.json)$/,
    "json-snapshot": /^database\.json$/,
    states: /^state\.jsonl$/,
    "json-lines": /^changes\.jsonl$/,
  };
  return patterns[persistence]?.test(name) ?? false;
}
