// The worker of bench/snapshot.ts: takes an image and reads every entry of it once.

import { systemFiles } from "../src/platform/files.ts";
import { EntryWalk } from "../src/store/entry-walk.ts";
import { takeImage } from "../src/store/image.ts";
import type { ImageReport } from "../src/store/image-writer.ts";
import type { PageCapture } from "../src/store/page-capture.ts";

declare const self: Worker;

export interface BenchAnswer extends ImageReport {
  readonly writeMs: number;
  readonly readMs: number;
  readonly entries: number;
}

self.onmessage = async ({ data }: MessageEvent<{ path: string; capture: PageCapture }>) => {
  const from = performance.now();
  const image = await takeImage(systemFiles, data.path, data.capture);
  if (image === null) throw new Error("nobody cancelled it");
  const taken = performance.now();
  const walk = new EntryWalk(image.arena);
  let entries = 0;
  while (walk.next()) entries++;
  const answer: BenchAnswer = {
    ...image.report,
    writeMs: taken - from,
    readMs: performance.now() - taken,
    entries,
  };
  await image.close();
  self.postMessage(answer);
};
