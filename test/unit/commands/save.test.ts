// SAVE and its kin, and CHECK, over a control that a test drives.
import { describe, expect, test } from "bun:test";
import { NO_CHECKPOINTS } from "../../../src/kernel/no-persistence.ts";
import type { CheckpointReport } from "../../../src/plugin.ts";
import type { CheckpointControl, StoreReport } from "../../../src/session/server.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";

const report: CheckpointReport = {
  ...{ kind: "save", revision: 7, entries: 3, bytes: 120, durationMs: 4 },
};

interface Driven {
  readonly db: EngineHarness;
  readonly asked: string[];
  settle(outcome: CheckpointReport | Error): Promise<void>;
}

function driven(parts: Partial<CheckpointControl> = {}): Driven {
  const db = new EngineHarness();
  const asked: string[] = [];
  const waiting: PromiseWithResolvers<CheckpointReport>[] = [];
  db.engine.checkpoints = {
    ...db.engine.checkpoints,
    obstacle: "",
    request: (reason, when) => {
      asked.push(`${reason} ${when}`);
      const one = Promise.withResolvers<CheckpointReport>();
      waiting.push(one);
      return one.promise;
    },
    ...parts,
  };
  const settle = async (outcome: CheckpointReport | Error) => {
    for (const { resolve, reject } of waiting.splice(0)) {
      if (outcome instanceof Error) reject(outcome);
      else resolve(outcome);
    }
    await Bun.sleep(0);
    db.endTurn();
  };
  return { db, asked, settle };
}

describe("SAVE", () => {
  test("answers when the checkpoint is durable", async () => {
    const { db, asked, settle } = driven();
    const answer = db.ask("SAVE");
    expect(asked).toEqual(["SAVE now"]);
    expect(await Promise.race([answer, Bun.sleep(5)])).toBeUndefined();
    await settle(report);
    expect(await answer).toBe("OK");
  });

  test("answers the reason when none was written, in one line", async () => {
    const { db, settle } = driven();
    const answer = db.ask("SAVE");
    await settle(new Error("no space\nleft"));
    expect(await answer).toEqual({ error: "ERR no space left" });
  });
});

test("COMPACT answers what was written", async () => {
  const { db, settle } = driven();
  const answer = db.ask("COMPACT");
  await settle(report);
  const expected = { revision: 7, entries: 3, bytes: 120, ms: 4 };
  expect(Object.fromEntries((await answer) as Map<string, number>)).toEqual(expected);
});

describe("in the background", () => {
  test("BGSAVE and BGREWRITEAOF answer at once, in Redis's words", () => {
    const { db, asked } = driven();
    expect(db.run("BGSAVE")).toBe("Background saving started");
    expect(db.run("BGREWRITEAOF")).toBe("Background append only file rewriting started");
    expect(asked).toEqual(["BGSAVE now", "BGREWRITEAOF now"]);
  });

  test("a failure is nobody's answer", async () => {
    const { db, settle } = driven();
    db.run("BGSAVE");
    await settle(new Error("no space left"));
    expect(db.run("PING")).toBe("PONG");
  });

  const writing = { ...NO_CHECKPOINTS.of("save"), inProgress: true };

  test("while one is written, only SCHEDULE asks for another", () => {
    const { db, asked } = driven({ inProgress: true, of: () => writing });
    expect(db.run("BGSAVE")).toEqual({ error: "ERR Background save already in progress" });
    expect(db.run("BGREWRITEAOF")).toEqual({
      error: "ERR Background append only file rewriting already in progress",
    });
    expect(db.run("BGSAVE", "schedule")).toBe("Background saving scheduled");
    expect(asked).toEqual(["BGSAVE now"]);
    expect(db.run("BGSAVE", "LATER")).toEqual({ error: "ERR syntax error" });
  });
});

test("BGSAVE CANCEL gives up what is written, as Valkey does", () => {
  let cancelled = 0;
  const cancel = () => cancelled++ === 0;
  const { db } = driven({ cancel });
  expect(db.run("BGSAVE", "cancel")).toBe("Background saving cancelled");
  expect(db.run("BGSAVE", "CANCEL")).toEqual({
    error: "ERR Background saving is currently not in progress or scheduled",
  });
});

test("without checkpoints all of them say why", async () => {
  const { db, asked } = driven({ obstacle: 'persistence "none" keeps no checkpoints' });
  for (const word of ["SAVE", "COMPACT", "BGSAVE", "BGREWRITEAOF"]) {
    expect(await db.ask(word)).toEqual({ error: 'ERR persistence "none" keeps no checkpoints' });
  }
  expect(asked).toEqual([]);
});

test("LASTSAVE answers whole seconds", () => {
  const last = { revision: 1, timeMs: 1_767_225_600_999, bytes: 0, entries: 0 };
  const of = () => ({ ...NO_CHECKPOINTS.of("save"), last });
  expect(driven({ of }).db.run("LASTSAVE")).toBe(1_767_225_600);
});

describe("CHECK", () => {
  const sound: StoreReport = {
    ...{ revision: 9, entries: 2, records: 5, bytes: 300, unsaved: 0 },
    digest: "ab".repeat(20),
    problems: [],
  };

  async function check(outcome: StoreReport | Error) {
    const db = new EngineHarness();
    const run = () =>
      outcome instanceof Error ? Promise.reject(outcome) : Promise.resolve(outcome);
    db.engine.check = { obstacle: "", run };
    const answer = db.ask("CHECK");
    await Bun.sleep(0);
    db.endTurn();
    return answer;
  }

  test("tells that the disk has what the memory has", async () => {
    const answer = Object.fromEntries((await check(sound)) as Map<string, unknown>);
    expect(answer).toEqual({ status: "ok", ...sound });
  });

  test("tells what is wrong", async () => {
    const problems = ["wal-00000001.log: 80 bytes at offset 96: damaged"];
    const answer = Object.fromEntries(
      (await check({ ...sound, problems })) as Map<string, unknown>,
    );
    expect(answer).toMatchObject({ status: "damaged", problems });
  });

  test("tells why it could not", async () => {
    expect(await check(new Error("the disk is gone"))).toEqual({ error: "ERR the disk is gone" });
    const { db } = driven();
    expect(await db.ask("CHECK")).toEqual({ error: "ERR there is no persistence" });
  });
});

describe("SHUTDOWN where only a checkpoint keeps what was changed", () => {
  function unsaved() {
    let stops = 0;
    const one = driven();
    const { checkpoints } = one.db.engine;
    const changed = {
      ...checkpoints,
      get isWantedAtStop(): boolean {
        return this.atStop !== "never";
      },
    };
    changed.atStop = "whenChanged";
    one.db.engine.checkpoints = changed;
    one.db.engine.onStopRequest = () => stops++;
    return { ...one, stops: () => stops };
  }

  test("is refused when it cannot be written, and nothing is forgotten", async () => {
    const { db, asked, settle, stops } = unsaved();
    const answer = db.ask("SHUTDOWN", "SAVE");
    expect(asked).toEqual(["SHUTDOWN now"]);
    await settle(new Error("no space left"));
    expect(await answer).toEqual({ error: "ERR Errors trying to SHUTDOWN. Check logs." });
    expect(stops()).toBe(0);
    expect(db.engine.checkpoints.atStop).toBe("whenChanged");
  });

  test("has waited for replicas first, and lets writers go on when it is refused", async () => {
    const { db, asked, settle, stops } = unsaved();
    const waiting = Promise.withResolvers<boolean>();
    const given: string[] = [];
    Object.defineProperty(db.engine, "shutdown", {
      value: {
        ...{ areReplicasBehind: true, remainingMs: null, abort: () => false },
        awaitReplicas: () => waiting.promise,
        giveUp: () => given.push("up"),
      },
    });
    const answer = db.ask("SHUTDOWN");
    expect(asked).toEqual([]);
    waiting.resolve(true);
    await Bun.sleep(0);
    expect(asked).toEqual(["SHUTDOWN now"]);
    await settle(new Error("no space left"));
    expect(await answer).toEqual({ error: "ERR Errors trying to SHUTDOWN. Check logs." });
    expect([given, stops()]).toEqual([["up"], 0]);
  });

  test("stops when it is written, with NOSAVE and FORCE at once", async () => {
    const first = unsaved();
    // Nobody is answered: the connection ends.
    const ended = Promise.allSettled([first.db.ask("SHUTDOWN")]);
    expect(first.stops()).toBe(0);
    await first.settle(report);
    await ended;
    expect(first.stops()).toBe(1);
    for (const word of ["NOSAVE", "FORCE"]) {
      const { db, asked, stops } = unsaved();
      await Promise.allSettled([db.ask("SHUTDOWN", word)]);
      expect([asked, stops()]).toEqual([[], 1]);
    }
  });
});
