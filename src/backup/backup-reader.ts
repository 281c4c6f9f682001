/**
 * Reads the frames of a backup: each is checked before it is unpacked, and the whole when all were read, so that what comes
 * out is what was written, or an error that says where it is not.
 */
import { zstdDecompressSync } from "node:zlib";
import { asKvdbError } from "../errors.ts";
import {
  type BackupManifest,
  damaged,
  FRAME_BYTES,
  MAX_PACKED_BYTES,
  readManifest,
} from "./backup-manifest.ts";
import type { BackupSource, BackupStorage } from "./storage.ts";

export class BackupReader {
  readonly name: string;
  readonly manifest: BackupManifest;
  readonly #source: BackupSource;

  private constructor(name: string, manifest: BackupManifest, source: BackupSource) {
    this.name = name;
    this.manifest = manifest;
    this.#source = source;
  }

  /** Throws a KvdbError("DAMAGE") when its end is not that of a backup. */
  static async open(storage: BackupStorage, name: string): Promise<BackupReader> {
    const source = await storage.open(name);
    try {
      return new BackupReader(name, await readManifest(source, name), source);
    } catch (error) {
      await source.close();
      throw error;
    }
  }

  get fileBytes(): number {
    return this.#source.size;
  }

  close(): Promise<void> {
    return this.#source.close();
  }

  /**
   * Calls `take` with the content of each frame, in order; it may keep no part of it. `proceed` is called before each with
   * how many bytes of the frames were read, and throws when nobody wants the rest.
   */
  async readAll(
    take: (content: Buffer) => Promise<void> | void,
    proceed: (doneBytes: number) => void,
  ): Promise<void> {
    const { frames, rawBytes, sha256 } = this.manifest;
    const hash = new Bun.SHA256();
    const packed = Buffer.alloc(MAX_PACKED_BYTES);
    let offset = 0;
    let left = rawBytes;
    for (const [size, crc32] of frames) {
      proceed(offset);
      const frame = await this.#read(packed, size, offset);
      if (Bun.hash.crc32(frame) !== crc32) {
        throw damaged(this.name, offset, `${size} bytes from there fail their checksum`);
      }
      hash.update(frame);
      await take(this.#unpack(frame, offset, Math.min(left, FRAME_BYTES)));
      offset += size;
      left -= FRAME_BYTES;
    }
    if (hash.digest("hex") === sha256) return;
    throw damaged(this.name, 0, "all of it together fails its SHA-256");
  }

  async #read(target: Buffer, size: number, offset: number): Promise<Buffer> {
    const count = await this.#source.read(target, 0, size, offset);
    if (count < size) throw damaged(this.name, offset + count, "it ends before its end");
    return target.subarray(0, size);
  }

  #unpack(frame: Buffer, offset: number, size: number): Buffer {
    let content: Buffer;
    try {
      content = zstdDecompressSync(frame, { maxOutputLength: FRAME_BYTES });
    } catch (error) {
      throw damaged(this.name, offset, `it cannot be unpacked: ${asKvdbError(error).message}`);
    }
    if (content.length === size) return content;
    throw damaged(this.name, offset, `it unpacks to ${content.length} bytes instead of ${size}`);
  }
}
