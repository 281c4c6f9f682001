/**
 * The head of the file: a line in one fixed form, so that its checksum can be found without reading
 * JSON, and put in when the rest has been written.
 *
 *   {
 *     "kvdb": {"format": 1, "revision": 42, "time": "2026-03-01T12:00:00.000Z", "crc32": "1c291ca3"},
 *
 * `crc32` is the CRC-32 of the whole file, taken while its own eight digits were zeros. A file that
 * was edited no longer fits it, which says no more than that.
 */
import type { Revision } from "kvdb";

export const FORMAT = 1;

/** Eight digits, in lower case. */
const NO_CHECKSUM = "00000000";

/** The head is looked for in so many bytes: more than the longest one has. */
export const HEAD_BYTES = 256;

const HEAD =
  /^(\{\n {2}"kvdb": \{"format": )(\d+)(, "revision": )(\d+)(, "time": "[0-9TZ:.+-]+", "crc32": ")([0-9a-f]{8})"\}/;

export interface Head {
  readonly format: number;
  readonly revision: Revision;
  readonly checksum: string;
  /** Where the digits of the checksum are in the file. */
  readonly checksumAt: number;
}

/** Everything before the databases; `checksumAt` is where its checksum goes. */
export function headText(revision: Revision, timeMs: number): { text: string; checksumAt: number } {
  const time = new Date(timeMs).toISOString();
  const front = `{\n  "kvdb": {"format": ${FORMAT}, "revision": ${revision}, "time": "${time}", "crc32": "`;
  return { text: `${front}${NO_CHECKSUM}"},\n`, checksumAt: front.length };
}

export function checksumText(crc32: number): string {
  return crc32.toString(16).padStart(NO_CHECKSUM.length, "0");
}

/** The head that the file's first bytes have, if they have it in the form that kvdb writes. */
export function readHead(front: Buffer): Head | undefined {
  const parts = HEAD.exec(front.toString("latin1", 0, HEAD_BYTES));
  if (parts === null) return undefined;
  const [, opening = "", format = "", comma = "", revision = "", rest = "", checksum = ""] = parts;
  return {
    format: Number(format),
    revision: Number(revision),
    checksum,
    checksumAt: opening.length + format.length + comma.length + revision.length + rest.length,
  };
}

/** Puts zeros in the place of the checksum, as it was taken. */
export function blankChecksum(bytes: Buffer, { checksumAt }: Head): void {
  bytes.write(NO_CHECKSUM, checksumAt, "latin1");
}
