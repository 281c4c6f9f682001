/** The worker of storage-program.ts. */
import { createHash } from "node:crypto";
import { openPlace } from "../../../src/backup/place.ts";
import type { BackupStorage } from "../../../src/backup/storage.ts";
import { systemClock } from "../../../src/platform/clock.ts";
import { systemFiles } from "../../../src/platform/files.ts";
import { systemRandom } from "../../../src/platform/random.ts";
import type { StorageTask } from "./storage-program.ts";

declare const self: Worker;

const PIECE_BYTES = 1024 * 1024;
const PIECES = 20;

self.onmessage = async ({ data: { action, place } }: MessageEvent<StorageTask>) => {
  const parts = { files: systemFiles, clock: systemClock, random: systemRandom };
  const storage = openPlace(place, parts);
  if (action === "clean") await storage.clean((name) => name.startsWith("kvdb-"));
  else if (action === "begin") await write(storage);
  else await roundTrip(storage);
  const names = (await storage.list()).map(({ name, bytes }) => `${name}=${bytes}`);
  self.postMessage(`${action}: ${names.join(" ")}`);
};

/** Up to the last step: what is missing is `finish`. */
async function write(storage: BackupStorage) {
  const sink = await storage.create("kvdb-1");
  const piece = Buffer.alloc(PIECE_BYTES);
  const hash = createHash("sha256");
  for (let index = 0; index < PIECES; index++) {
    piece.fill(`piece ${index} `);
    hash.update(piece);
    await sink.write(piece, 0, piece.length);
  }
  return { sink, digest: hash.digest("hex") };
}

async function roundTrip(storage: BackupStorage): Promise<void> {
  const { sink, digest } = await write(storage);
  await sink.finish();
  const source = await storage.open("kvdb-1");
  const piece = Buffer.alloc(PIECE_BYTES);
  const hash = createHash("sha256");
  for (let at = 0; at < source.size; ) {
    const count = await source.read(piece, 0, PIECE_BYTES, at);
    hash.update(piece.subarray(0, count));
    at += count;
  }
  await source.close();
  if (hash.digest("hex") !== digest) throw new Error("what was read is not what was written");
}
