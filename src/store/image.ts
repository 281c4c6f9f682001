/**
 * An image: the arena as it was at the cut of a snapshot, in a file, opened for reading as an arena again. It is scratch,
 * never the truth: its name is removed as soon as it is mapped, and its blocks are given back when it is closed. What is
 * kept is a portable format, which somebody writes while reading it. Lives in a worker, while the main thread holds a
 * `Snapshot`; or on the main thread, for a program that reads its data as they were.
 */
import { dirname } from "node:path";
import { asKvdbError, KvdbError } from "../errors.ts";
import type { Files, OpenFile } from "../platform/files.ts";
import {
  Arena,
  CHUNK_BYTES,
  I_CHUNK_MAP,
  I_CHUNKS,
  PAGE_BYTES,
  requireSuperblock,
  SUPERBLOCK_BYTES,
} from "./arena.ts";
import { captureImage, type ImageReport, placePages } from "./image-writer.ts";
import { FAILED, OUTCOME, type PageCapture } from "./page-capture.ts";

/** One mapping at most: a view of the runtime ends at 4 GiB, and a giant has up to 576 MiB. */
const MAPPED_BYTES = 1 << 30;

export class Image {
  readonly arena: Arena;
  readonly report: ImageReport;
  readonly #file: OpenFile;

  constructor(arena: Arena, report: ImageReport, file: OpenFile) {
    this.arena = arena;
    this.report = report;
    this.#file = file;
  }

  /** Nothing may be read any more: the memory is not there. */
  async close(): Promise<void> {
    this.arena.close();
    try {
      // The mapping goes when the garbage collector notices; the blocks of the disk do not wait for it.
      await this.#file.truncate(0);
    } finally {
      await this.#file.close();
    }
  }
}

/**
 * Writes the pages of a snapshot to a new file at `path` and opens it; null: the snapshot was cancelled. Blocks its thread.
 * A failure of the disk ends the snapshot: it is thrown here, and the main thread is told through `capture`. When it ends,
 * one way or the other, there is no file at `path`; after a crash there may be one, which the next one replaces.
 */
export function takeImage(files: Files, path: string, capture: PageCapture): Promise<Image | null> {
  return makeImage(files, path, capture, (file, report) => openImage(files, file, report));
}

/** The same for another thread, which opens it with `openImage`: the file stays at `path`. */
export function leaveImage(
  files: Files,
  path: string,
  capture: PageCapture,
): Promise<ImageReport | null> {
  return makeImage(files, path, capture, async (file, report) => {
    await file.close();
    return report;
  });
}

async function makeImage<Result>(
  files: Files,
  path: string,
  capture: PageCapture,
  finish: (file: OpenFile, report: ImageReport) => Promise<Result>,
): Promise<Result | null> {
  try {
    await requireRoom(files, dirname(path), capture);
    const file = await files.open(path, "replace");
    try {
      const report = await fillImage(files, file, capture);
      if (report !== null) return await finish(file, report);
      await discard(files, file);
      return null;
    } catch (error) {
      throw await asFailure(error, () => discard(files, file));
    }
  } catch (error) {
    Atomics.store(capture.control, OUTCOME, FAILED);
    throw asKvdbError(error).prefix("taking an image");
  }
}

/** The image in the file, which has no name any more then. */
export async function openImage(files: Files, file: OpenFile, report: ImageReport): Promise<Image> {
  const arena = Arena.open(await mapImage(files, file.path));
  await files.remove(file.path);
  return new Image(arena, report, file);
}

/** Refuses unless the disk has room for the image and for what is made of it: twice the memory in use, as a rule. */
async function requireRoom(files: Files, folder: string, capture: PageCapture): Promise<void> {
  const needed = capture.imageBytes + capture.usedBytes;
  const free = await files.freeBytes(folder);
  if (free >= needed) return;
  const sizes = `${Math.floor(free / MIB)} MiB free, and ${Math.ceil(needed / MIB)} MiB are needed`;
  throw new KvdbError("IO", `${folder} has ${sizes} for an image and what is made of it`);
}

const MIB = 2 ** 20;

/** Null: it was cancelled. */
async function fillImage(
  files: Files,
  file: OpenFile,
  capture: PageCapture,
): Promise<ImageReport | null> {
  const size = capture.pageCount * PAGE_BYTES;
  // What is never written is a hole, and a mapping has no end within.
  await file.truncate(size);
  const captured = captureImage(capture, file);
  const { report } = captured;
  if (!report.isComplete) return null;
  if (report.ringPages > 0) {
    const behind = await files.map(file.path, size, report.ringPages * PAGE_BYTES);
    if (!placePages(capture, captured, behind, file)) return null;
    await file.truncate(size);
  }
  return report;
}

/** The parts of an image, each of as many chunks as fit into one mapping; a giant is whole in one of them. */
export async function mapImage(
  files: Pick<Files, "map">,
  path: string,
  mostBytes = MAPPED_BYTES,
): Promise<Uint8Array[]> {
  const words = requireSuperblock(await files.map(path, 0, SUPERBLOCK_BYTES));
  const parts: Uint8Array[] = [];
  const chunks = words[I_CHUNKS];
  for (let first = 0, end = 0; first < chunks; first = end) {
    end += chunksOfNumber(words, end);
    while (end < chunks && sizeOf(end + chunksOfNumber(words, end) - first) <= mostBytes) {
      end += chunksOfNumber(words, end);
    }
    parts.push(await files.map(path, sizeOf(first), sizeOf(end - first)));
  }
  return parts;
}

const sizeOf = (chunks: number) => chunks * CHUNK_BYTES;

/** How many chunk numbers go together with this one: those of a giant. */
function chunksOfNumber(superblock: Int32Array, chunk: number): number {
  return Math.max(1, superblock[I_CHUNK_MAP + chunk] - 1);
}

async function discard(files: Files, file: OpenFile): Promise<void> {
  try {
    await file.close();
  } finally {
    await files.remove(file.path);
  }
}

/** The failure, after an attempt to undo what was done; if that fails too, its reason stands behind. */
async function asFailure(thrown: unknown, undo: () => Promise<void>): Promise<KvdbError> {
  const failure = asKvdbError(thrown);
  try {
    await undo();
    return failure;
  } catch (error) {
    const message = `${failure.message}; then ${asKvdbError(error).message}`;
    return new KvdbError(failure.code, message, { cause: failure });
  }
}
