// The last checkpoint at a stop, and those that are asked for where nobody is served.
import { expect, test } from "bun:test";
import { type Behaviour, Harness } from "./kernel-harness.ts";

/** Keeps whole states alone, and has been changed since it was loaded. */
const unsaved: Behaviour = { durability: "none", checkpoints: true, frontends: ["front1"] };

const written = [
  "engine readEntries",
  "store beginCheckpoint 5",
  "store writeCheckpoint",
  "store checkpointed 5",
];

async function startChanged(behaviour: Behaviour) {
  const harness = new Harness(behaviour);
  const kernel = await harness.prepare();
  await kernel.start();
  harness.steps.length = 0;
  if (harness.engine !== undefined) harness.engine.disk.lastRevision = 5;
  return { harness, kernel };
}

test("a stop writes what only a checkpoint keeps, when nobody is let in any more", async () => {
  const { harness, kernel } = await startChanged(unsaved);
  await kernel.stop();
  expect(harness.steps).toEqual([
    "front1 close",
    ...written,
    "engine stop",
    "store close",
    "unlock",
  ]);
});

test("nothing is written when nothing changed, nor after SHUTDOWN NOSAVE", async () => {
  for (const change of ["nothing", "forgotten"] as const) {
    const { harness, kernel } = await startChanged(unsaved);
    if (change === "nothing" && harness.engine !== undefined) {
      harness.engine.disk.lastRevision = 0;
    } else kernel.engine.checkpoints.atStop = "never";
    await kernel.stop();
    expect(harness.steps).not.toContain("store writeCheckpoint");
  }
});

test("who keeps records needs none, except after SHUTDOWN SAVE", async () => {
  for (const atStop of ["whenChanged", "always"] as const) {
    const { harness, kernel } = await startChanged({ checkpoints: true });
    kernel.engine.checkpoints.atStop = atStop;
    await kernel.stop();
    expect(harness.steps.includes("store writeCheckpoint")).toBe(atStop === "always");
  }
});

test("a last checkpoint that fails is told, and all else is closed", async () => {
  for (const failing of [
    "store beginCheckpoint 5",
    "store writeCheckpoint",
    "store checkpointed 5",
  ]) {
    const { harness, kernel } = await startChanged({ ...unsaved, failing: [failing] });
    await expect(kernel.stop()).rejects.toThrow(`the last checkpoint: writing a checkpoint`);
    expect(harness.steps.slice(-3)).toEqual(["engine stop", "store close", "unlock"]);
  }
});

test("a last checkpoint is not given up after the time that others have", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { harness, kernel } = await startChanged({
    ...unsaved,
    waiting: { "store writeCheckpoint": promise },
  });
  const stopped = kernel.stop();
  for (let second = 0; second < 60; second++) {
    harness.clock.advance(1000);
    await Bun.sleep(0);
  }
  expect(harness.steps).toContain("store writeCheckpoint");
  expect(harness.steps).not.toContain("store checkpointed 5");
  resolve();
  await stopped;
  expect(harness.steps.slice(-4)).toEqual([
    "store checkpointed 5",
    "engine stop",
    "store close",
    "unlock",
  ]);
});

test("in a one-shot command a checkpoint that may wait is written at the end", async () => {
  const { harness, kernel } = await startChanged({ checkpoints: true, role: "one-shot" });
  const asked = kernel.engine.checkpoints.request("the log is long", "whenIdle");
  await Bun.sleep(0);
  expect(harness.steps).toEqual([]);
  await kernel.stop();
  expect(harness.steps.slice(0, 4)).toEqual(written);
  expect(await asked).toMatchObject({ revision: 5, bytes: 100 });
});

test("and one that may not wait at once; who asks meanwhile shares the next", async () => {
  const { harness, kernel } = await startChanged({ checkpoints: true, role: "one-shot" });
  const { checkpoints } = kernel.engine;
  const first = checkpoints.request("SAVE", "now");
  const others = [checkpoints.request("SAVE", "now"), checkpoints.request("SAVE", "now")];
  expect(checkpoints.inProgress).toBe(true);
  await Promise.all([first, ...others]);
  expect(harness.steps).toEqual([...written, ...written]);
  expect(checkpoints.of("save")).toMatchObject({ inProgress: false, count: 2, changes: 0 });
});

test("one that was asked for while loading and may wait is written at the end as well", async () => {
  const harness = new Harness({ checkpoints: true, role: "one-shot" });
  const kernel = await harness.prepare();
  const asked = kernel.engine.checkpoints.request("the log is long", "whenIdle");
  await kernel.start();
  await kernel.stop();
  expect(await asked).toMatchObject({ bytes: 100 });
});

test("when it fails at the end, no command fails for it", async () => {
  const failing = ["store writeCheckpoint"];
  const { kernel, harness } = await startChanged({ checkpoints: true, role: "one-shot", failing });
  const asked = kernel.engine.checkpoints.request("the log is long", "whenIdle");
  await kernel.stop();
  await expect(asked).rejects.toThrow("store writeCheckpoint failed");
  expect(harness.lines.join()).toContain("the one before counts");
});

test("while loading, without support and after the stop a request is refused with the reason", async () => {
  const loading = new Harness({ checkpoints: true });
  const kernel = await loading.prepare();
  await expect(kernel.engine.checkpoints.request("SAVE", "now")).rejects.toThrow("loading");
  await kernel.start();
  await kernel.stop();
  await expect(kernel.engine.checkpoints.request("SAVE", "now")).rejects.toThrow("stopping");
  const other = await startChanged({});
  await expect(other.kernel.engine.checkpoints.request("SAVE", "now")).rejects.toThrow(
    'persistence "store" keeps no checkpoints',
  );
});
