/** A worker that takes images for snapshot-worker.test.ts: answers what each holds, or why there is none. */
import { systemFiles } from "../../../src/platform/files.ts";
import { EntryWalk } from "../../../src/store/entry-walk.ts";
import { takeImage } from "../../../src/store/image.ts";
import type { ImageReport } from "../../../src/store/image-writer.ts";
import type { PageCapture } from "../../../src/store/page-capture.ts";
import { digestEntries, readEntries } from "./stored-entries.ts";

declare const self: Worker;

export interface ImageJob {
  readonly path: string;
  readonly capture: PageCapture;
}

export interface ImageAnswer {
  readonly report?: ImageReport;
  readonly revision?: number;
  readonly entries?: Map<string, string>;
  readonly error?: string;
}

self.onmessage = async ({ data }: MessageEvent<ImageJob>) => {
  self.postMessage(await answer(data));
};

async function answer({ path, capture }: ImageJob): Promise<ImageAnswer> {
  try {
    const image = await takeImage(systemFiles, path, capture);
    if (image === null) return {};
    const walk = new EntryWalk(image.arena);
    const entries = digestEntries(readEntries(walk));
    await image.close();
    return { report: image.report, revision: walk.revision, entries };
  } catch (error) {
    return { error: String(error) };
  }
}
