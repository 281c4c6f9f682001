/**
 * Writes one object. What fits into one part is one PUT; more becomes a multipart upload, of which the
 * object appears when it is completed, whole or not at all. A few parts are on their way at once, so
 * that the memory is bounded and the line is never idle.
 */
import { KvdbError } from "../errors.ts";
import type { S3Client } from "./s3-client.ts";
import { elementText, escapeXml } from "./s3-xml.ts";
import type { BackupSink } from "./storage.ts";

/**
 * Over S3's least (5 MiB), and with S3's most parts 80 GB: more than the arena holds. All parts are
 * equally long, which Cloudflare's R2 asks for.
 */
export const PART_BYTES = 8 * 1024 * 1024;
const MAX_PARTS = 10_000;
/** Before it answers the server puts the parts together: it is given as long as for a thousandth of them. */
const PUT_TOGETHER = 1000;
/** Parts on their way: with the one being filled four times 8 MiB of memory. */
const MAX_SENDING = 3;

interface Part {
  readonly number: number;
  readonly etag: string;
}

export class S3Upload implements BackupSink {
  readonly #client: S3Client;
  readonly #name: string;
  readonly #partBytes: number;
  #part: Buffer;
  #filled = 0;
  #bytes = 0;
  #uploadId: string | undefined;
  #partCount = 0;
  readonly #parts: Part[] = [];
  readonly #sending = new Set<Promise<void>>();
  readonly #free: Buffer[] = [];
  #failure: unknown;
  readonly #abandoning = new AbortController();
  /** An answer may have been lost after the object was made. */
  #mayExist = false;
  #isAbandoned = false;

  constructor(client: S3Client, name: string, partBytes: number) {
    this.#client = client;
    this.#name = name;
    this.#partBytes = partBytes;
    this.#part = Buffer.allocUnsafeSlow(partBytes);
  }

  async write(bytes: Uint8Array, start: number, end: number): Promise<void> {
    while (start < end) {
      // Not when it has just been filled: the last part is sent by `finish`.
      if (this.#filled === this.#partBytes) await this.#sendPart();
      const count = Math.min(end - start, this.#partBytes - this.#filled);
      this.#part.set(bytes.subarray(start, start + count), this.#filled);
      this.#filled += count;
      this.#bytes += count;
      start += count;
    }
  }

  async finish(): Promise<void> {
    if (this.#uploadId === undefined) {
      this.#mayExist = true;
      await putObject(this.#client, this.#name, this.#part.subarray(0, this.#filled));
      return;
    }
    await this.#sendPart();
    await Promise.all(this.#sending);
    this.#throwFailure();
    this.#mayExist = true;
    await this.#complete(this.#uploadId);
  }

  async abandon(): Promise<void> {
    if (this.#isAbandoned) return;
    this.#abandoning.abort();
    // A part that arrives after the upload was aborted would stay for ever.
    await Promise.all(this.#sending);
    if (this.#uploadId !== undefined) await abortUpload(this.#client, this.#name, this.#uploadId);
    if (this.#mayExist) await removeObject(this.#client, this.#name);
    this.#isAbandoned = true;
  }

  /** Sets the filled part on its way, when there is room for it. */
  async #sendPart(): Promise<void> {
    this.#uploadId ??= await this.#begin();
    while (this.#sending.size >= MAX_SENDING) await Promise.race(this.#sending);
    this.#throwFailure();
    if (this.#partCount === MAX_PARTS) {
      throw new KvdbError("IO", `writing ${this.#name}: S3 takes no more than ${MAX_PARTS} parts`);
    }
    const number = ++this.#partCount;
    const buffer = this.#part;
    const sending = this.#putPart(this.#uploadId, number, buffer.subarray(0, this.#filled))
      .catch((error: unknown) => {
        this.#failure ??= error;
      })
      .finally(() => {
        this.#sending.delete(sending);
        this.#free.push(buffer);
      });
    this.#sending.add(sending);
    this.#part = this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#partBytes);
    this.#filled = 0;
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #begin(): Promise<string> {
    const { body } = await this.#client.request({
      method: "POST",
      doing: "beginning",
      name: this.#name,
      query: { uploads: "" },
      root: "InitiateMultipartUploadResult",
    });
    const id = elementText(body.toString(), "UploadId");
    if (id !== undefined) return id;
    throw new KvdbError("IO", `writing ${this.#name}: the server began an upload without an id`);
  }

  async #putPart(uploadId: string, number: number, body: Uint8Array): Promise<void> {
    const { headers } = await this.#client.request({
      method: "PUT",
      doing: "writing",
      name: this.#name,
      query: { partNumber: String(number), uploadId },
      body,
      signal: this.#abandoning.signal,
    });
    const etag = headers.get("etag");
    if (etag === null) {
      throw new KvdbError("IO", `writing ${this.#name}: the server took a part without an ETag`);
    }
    this.#parts.push({ number, etag });
  }

  async #complete(uploadId: string): Promise<void> {
    const parts = this.#parts.sort((one, two) => one.number - two.number);
    const lines = parts.map(
      ({ number, etag }) =>
        `<Part><PartNumber>${number}</PartNumber><ETag>${escapeXml(etag)}</ETag></Part>`,
    );
    const body = `<CompleteMultipartUpload>${lines.join("")}</CompleteMultipartUpload>`;
    const { code } = await this.#client.request({
      method: "POST",
      doing: "finishing",
      name: this.#name,
      query: { uploadId },
      body: Buffer.from(body),
      answerBytes: this.#bytes / PUT_TOGETHER,
      root: "CompleteMultipartUploadResult",
      accepts: ["NoSuchUpload"],
    });
    // It was done already, and only the answer got lost: or somebody has aborted it.
    if (code === "NoSuchUpload") await this.#expectObject();
  }

  async #expectObject(): Promise<void> {
    const { headers } = await this.#client.request({
      method: "HEAD",
      doing: "finishing",
      name: this.#name,
    });
    if (Number(headers.get("content-length")) === this.#bytes) return;
    throw new KvdbError("IO", `finishing ${this.#name}: NoSuchUpload: the upload was aborted`);
  }
}

export async function putObject(client: S3Client, name: string, body: Uint8Array): Promise<void> {
  await client.request({ method: "PUT", doing: "writing", name, body });
}

/** Harmless when there is none. */
export async function removeObject(client: S3Client, name: string): Promise<void> {
  await client.request({ method: "DELETE", doing: "removing", name, accepts: ["NoSuchKey"] });
}

/** Harmless when it has ended already. */
export async function abortUpload(client: S3Client, name: string, uploadId: string): Promise<void> {
  await client.request({
    method: "DELETE",
    doing: "aborting",
    name,
    query: { uploadId },
    accepts: ["NoSuchUpload"],
  });
}
