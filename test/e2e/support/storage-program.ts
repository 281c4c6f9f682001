/**
 * A program to be compiled: a worker that keeps backups on S3, as the executable's workers do. Prints
 * one line when the worker has done what the first argument says; it goes on after that, for a test
 * that kills it.
 *
 *   storage-program round-trip|begin|clean   with the place as JSON in KVDB_TEST_PLACE
 */
import type { BackupPlace } from "../../../src/backup/place.ts";

export interface StorageTask {
  readonly action: string;
  readonly place: BackupPlace;
}

const worker = new Worker(new URL("./storage-worker.ts", import.meta.url).href);
worker.onmessage = ({ data }: MessageEvent<string>) => {
  process.stdout.write(`${data}\n`);
  if (process.argv[2] !== "begin") worker.terminate();
};
worker.onerror = ({ message }) => {
  process.stderr.write(`${message}\n`);
  process.exitCode = 1;
  worker.terminate();
};
const place = JSON.parse(process.env["KVDB_TEST_PLACE"] ?? "") as BackupPlace;
worker.postMessage({ action: process.argv[2], place } satisfies StorageTask);
