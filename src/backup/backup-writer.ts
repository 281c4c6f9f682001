/**
 * Packs an RDB, as it is written, into the frames of a backup (drawn in backup-manifest.ts) and hands them to where backups
 * lie. In memory are one frame's content and its packed bytes, however long the whole becomes.
 */
import { constants, zstdCompressSync } from "node:zlib";
import type { Revision } from "../plugin.ts";
import {
  BACKUP_FORMAT,
  type BackupManifest,
  encodeManifest,
  FRAME_BYTES,
} from "./backup-manifest.ts";
import type { ContentSummary } from "./content-account.ts";
import type { BackupSink } from "./storage.ts";

/** Level 3 is zstd's own choice: a third smaller than 1 on text, at some 300 MB/s. */
const LEVEL = 3;
const FRAME_OPTIONS = {
  params: { [constants.ZSTD_c_checksumFlag]: 1, [constants.ZSTD_c_compressionLevel]: LEVEL },
};

/** What is known when all entries are written. */
export interface BackedUpState extends ContentSummary {
  readonly version: string;
  readonly revision: Revision;
  readonly timeMs: number;
}

export class BackupWriter {
  readonly #sink: BackupSink;
  readonly #content = Buffer.alloc(FRAME_BYTES);
  #filled = 0;
  #rawBytes = 0;
  #bytes = 0;
  readonly #frames: [number, number][] = [];
  readonly #sha256 = new Bun.SHA256();

  constructor(sink: BackupSink) {
    this.#sink = sink;
  }

  /** bytes[start, end) may be changed when it has returned, or resolved. */
  write(bytes: Uint8Array, start: number, end: number): void | Promise<void> {
    const size = end - start;
    if (this.#filled + size < FRAME_BYTES) this.#take(bytes, start, end);
    else return this.#writeThrough(bytes, start, end);
  }

  /** The rest, and what the backup says of itself. It is in its place when `sink.finish` was called. */
  async finish(state: BackedUpState): Promise<BackupManifest> {
    if (this.#filled > 0) await this.#endFrame();
    const manifest: BackupManifest = {
      format: BACKUP_FORMAT,
      ...state,
      rawBytes: this.#rawBytes,
      bytes: this.#bytes,
      sha256: this.#sha256.digest("hex"),
      frames: this.#frames,
    };
    const end = encodeManifest(manifest);
    await this.#sink.write(end, 0, end.length);
    return manifest;
  }

  async #writeThrough(bytes: Uint8Array, start: number, end: number): Promise<void> {
    for (let at = start; at < end; ) {
      const next = Math.min(end, at + FRAME_BYTES - this.#filled);
      this.#take(bytes, at, next);
      at = next;
      if (this.#filled === FRAME_BYTES) await this.#endFrame();
    }
  }

  #take(bytes: Uint8Array, start: number, end: number): void {
    this.#content.set(bytes.subarray(start, end), this.#filled);
    this.#filled += end - start;
  }

  async #endFrame(): Promise<void> {
    const frame = zstdCompressSync(this.#content.subarray(0, this.#filled), FRAME_OPTIONS);
    this.#rawBytes += this.#filled;
    this.#bytes += frame.length;
    this.#filled = 0;
    this.#frames.push([frame.length, Bun.hash.crc32(frame)]);
    this.#sha256.update(frame);
    await this.#sink.write(frame, 0, frame.length);
  }
}
