/** What a start keeps of what it loaded; a folder that is only looked at; what does not fit the data any more. */
import { describe, expect, test } from "bun:test";
import { MAX_TOLD_SKIPPED } from "../../../src/limits.ts";
import { type Behaviour, emptyReport, Harness } from "./kernel-harness.ts";

const check: Behaviour = { purpose: { kind: "check" }, role: "one-shot" };
const tail = { kind: "tail", file: "/data/log", offset: 96, bytes: 7, reason: "torn" } as const;

async function start(behaviour: Behaviour) {
  const harness = new Harness(behaviour);
  const kernel = await harness.prepare();
  await kernel.start();
  return { harness, kernel };
}

/** Comes across so many commands that do not fit. */
function leavingOut(count: number): Behaviour {
  return {
    onLoad: (_sink, { onSkipped }) => {
      for (let revision = 1; revision <= count; revision++) {
        onSkipped?.({ revision, bytes: 10, reason: "ERR no such key" });
      }
    },
  };
}

test("a start keeps the report, and counts entries", async () => {
  const report = { ...emptyReport, records: 3, bytes: 500, lastRevision: 9, dropped: [tail] };
  const harness: Harness = new Harness({
    report,
    onLoad: (sink) => {
      for (let i = 0; i < 4; i++) sink.entry({} as Parameters<typeof sink.entry>[0]);
      harness.clock.advance(250);
    },
  });
  const kernel = await harness.prepare();
  expect(kernel.loaded).toBeUndefined();
  await kernel.start();
  const counts = { entries: 4, skipped: 0, durationMs: 250 };
  expect(kernel.loaded).toEqual({ persistence: "store", report, ...counts });
});

describe("how far a load is", () => {
  test("is shown until it is over, however it went", async () => {
    for (const failing of [[], ["store load"]]) {
      const seen: unknown[] = [];
      const loadingView = {
        progress: (...progress: number[]) => void seen.push(progress),
        indexing: (share: number) => void seen.push(share),
        end: () => void seen.push("end"),
      };
      const onLoad: Behaviour["onLoad"] = (sink) => sink.progress(250, 500);
      const harness = new Harness({ failing, loadingView, onLoad });
      const kernel = await harness.prepare();
      await Promise.allSettled([kernel.start()]);
      expect(seen).toEqual(failing.length > 0 ? ["end"] : [[250, 500], "end"]);
    }
  });

  test("is told in the log every few seconds when nobody looks, with what is left", async () => {
    const harness: Harness = new Harness({
      onLoad: (sink) => {
        for (let second = 1; second <= 12; second++) {
          harness.clock.advance(1000);
          sink.progress(second * 10, 200);
        }
      },
    });
    await (await harness.prepare()).start();
    const told = harness.lines.filter((line) => line.includes("loading"));
    expect(told).toHaveLength(2);
    for (const part of ["percent=25", "bytes=50", "of=200", "secondsLeft=15"]) {
      expect(told[0]).toContain(part);
    }
    expect(told[1]).toContain("percent=50");
  });
});

describe("a check", () => {
  test("locks to look, opens, loads, and lets nobody in; nothing is claimed or written", async () => {
    const { harness, kernel } = await start({
      ...check,
      checkpoints: true,
      report: { ...emptyReport, lastRevision: 5, clean: false },
    });
    kernel.engine.checkpoints.atStop = "always";
    await kernel.stop();
    expect(harness.steps).toEqual([
      "lock to look",
      "store open",
      "store load",
      "engine finishLoading",
      "engine stop",
      "store close",
      "unlock",
    ]);
    expect(harness.claims).toBe(0);
    expect(kernel.loaded?.report.lastRevision).toBe(5);
  });

  test("whose persistence wants to write all the same is refused, with the path", async () => {
    const harness: Harness = new Harness({
      ...check,
      onOpen: ({ files }) => files.replace("/data/x", Buffer.alloc(1)),
    });
    const kernel = await harness.prepare();
    await expect(kernel.start()).rejects.toThrow("/data/x");
    expect(harness.steps.slice(-2)).toEqual(["store close", "unlock"]);
  });
});

describe("commands that do not fit", () => {
  test("are nobody's to leave out when the folder is to be used", async () => {
    const { kernel } = await start(leavingOut(3));
    expect(kernel.loaded).toMatchObject({ skipped: 0, report: { dropped: [] } });
  });

  test("are findings of a check, behind those of the persistence", async () => {
    const report = { ...emptyReport, dropped: [tail] };
    const { kernel } = await start({ ...check, ...leavingOut(2), report });
    const finding = { kind: "damage", file: "/data", offset: 0, bytes: 10 };
    expect(kernel.loaded?.skipped).toBe(2);
    expect(kernel.loaded?.report.dropped).toEqual([
      tail,
      { ...finding, reason: expect.stringMatching(/revision 1 .*ERR no such key/) },
      { ...finding, reason: expect.stringMatching(/revision 2 .*ERR no such key/) },
    ] as never);
  });

  test("are told one by one up to a bound, the rest as a number with its bytes", async () => {
    const { kernel } = await start({ ...check, ...leavingOut(MAX_TOLD_SKIPPED + 7) });
    const dropped = kernel.loaded?.report.dropped ?? [];
    expect(kernel.loaded?.skipped).toBe(MAX_TOLD_SKIPPED + 7);
    expect(dropped).toHaveLength(MAX_TOLD_SKIPPED + 1);
    expect(dropped.at(-1)).toMatchObject({ kind: "damage", bytes: 70 });
    expect(dropped.at(-1)?.reason).toStartWith("7 more");
  });

  test("leave the log with a checkpoint, after which a start needs no --recover", async () => {
    const recover = { purpose: { kind: "recover" }, role: "one-shot" } as const;
    const { harness, kernel } = await start({ ...recover, checkpoints: true, ...leavingOut(1) });
    await kernel.stop();
    expect(harness.steps).toContain("store writeCheckpoint");
    expect(harness.steps).toContain("store checkpointed 0");
  });

  test("stay in the log of who keeps no checkpoints, or cannot write one, and that is told", async () => {
    const recover = { purpose: { kind: "recover" }, role: "one-shot" } as const;
    const { harness } = await start({ ...recover, ...leavingOut(1) });
    expect(harness.lines.filter((line) => line.includes("--recover"))).toHaveLength(1);
    const failing = ["store writeCheckpoint"];
    const other = await start({ ...recover, checkpoints: true, ...leavingOut(1), failing });
    await expect(other.kernel.stop()).rejects.toThrow("writing a checkpoint");
    expect(other.harness.lines.filter((line) => line.includes("--recover"))).toHaveLength(1);
  });
});

describe("damage that was read past, of who keeps whole states alone", () => {
  const damage = { ...tail, kind: "damage" } as const;
  const report = { ...emptyReport, lastRevision: 5, clean: false, dropped: [damage] };
  const snapshots = { durability: "none", checkpoints: true, report, role: "one-shot" } as const;

  test("is replaced by a checkpoint, after which a start needs no --recover", async () => {
    const { harness, kernel } = await start({ ...snapshots, purpose: { kind: "recover" } });
    await kernel.stop();
    expect(harness.steps).toContain("store writeCheckpoint");
  });

  test("a sound file stays, and who keeps changes has mended his log", async () => {
    const recover = { ...snapshots, purpose: { kind: "recover" } } as const;
    const sound = { ...recover, report: { ...report, dropped: [] } };
    for (const behaviour of [sound, { ...recover, durability: "always" }] as const) {
      const { harness, kernel } = await start(behaviour);
      await kernel.stop();
      expect(harness.steps).not.toContain("store writeCheckpoint");
    }
  });
});

test("a stop out of order stands in the log, unless nobody can know of it; it alarms nobody", async () => {
  const report = { ...emptyReport, lastRevision: 5, clean: false };
  const told = ({ lines }: Harness) => lines.filter((line) => line.includes("not in order"));
  const snapshots = { durability: "none", checkpoints: true } as const;
  expect(told((await start({ report })).harness)).toEqual([expect.stringContaining(" info ")]);
  expect(told((await start({ report: emptyReport })).harness)).toEqual([]);
  expect(told((await start({ report, ...snapshots })).harness)).toEqual([]);
  expect((await start({ report, role: "one-shot" })).harness.lines).toEqual([]);
});
