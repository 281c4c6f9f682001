/**
 * Backups in a bucket of S3 or of anything that speaks its protocol, below a prefix. Objects appear
 * whole or not at all, so nothing here needs a second name while it grows. Reading is by ranges that
 * hold to one version of the object; ahead of the reader, since a request costs as much as a MiB.
 */
import { KvdbError } from "../errors.ts";
import { S3Client, type S3ClientParts } from "./s3-client.ts";
import { placeTitle, type S3Place } from "./s3-place.ts";
import { abortUpload, PART_BYTES, putObject, removeObject, S3Upload } from "./s3-upload.ts";
import { elementsInside, elementText } from "./s3-xml.ts";
import {
  type BackupSink,
  type BackupSource,
  type BackupStorage,
  checkName,
  isName,
  type StoredFile,
} from "./storage.ts";

/** One request's worth: at 50 ms a request 80 MB/s. */
const WINDOW_BYTES = 4 * 1024 * 1024;
/** A thousand objects a page: more pages than that are no folder of backups. */
const MAX_PAGES = 1000;

export interface S3StorageParts extends S3ClientParts {
  /** For tests, whose server takes shorter parts than S3. */
  readonly partBytes?: number;
}

export class S3Storage implements BackupStorage {
  readonly title: string;
  readonly #prefix: string;
  readonly #client: S3Client;
  readonly #partBytes: number;

  constructor(place: S3Place, parts: S3StorageParts) {
    this.title = placeTitle(place);
    this.#prefix = place.prefix;
    this.#client = new S3Client(place, parts);
    this.#partBytes = parts.partBytes ?? PART_BYTES;
  }

  async list(): Promise<readonly StoredFile[]> {
    const stored: StoredFile[] = [];
    let token: string | undefined;
    for (let page = 0; page < MAX_PAGES; page++) {
      const xml = await this.#listPage("ListBucketResult", {
        "list-type": "2",
        delimiter: "/",
        ...(token === undefined ? {} : { "continuation-token": token }),
      });
      for (const one of elementsInside(xml, "Contents")) {
        const name = this.#nameOf(one);
        const bytes = Number(elementText(one, "Size"));
        if (name !== undefined) stored.push({ name, bytes });
      }
      token = elementText(xml, "NextContinuationToken");
      if (token === undefined) break;
    }
    if (token !== undefined) throw new KvdbError("IO", `listing ${this.title}: too many objects`);
    return stored.sort((one, two) => (one.name < two.name ? -1 : 1));
  }

  async create(name: string): Promise<BackupSink> {
    checkName(name);
    return new S3Upload(this.#client, name, this.#partBytes);
  }

  async open(name: string): Promise<BackupSource> {
    checkName(name);
    const { headers } = await this.#client.request({ method: "HEAD", doing: "opening", name });
    const size = Number(headers.get("content-length") ?? Number.NaN);
    if (!Number.isSafeInteger(size)) {
      throw new KvdbError("IO", `opening ${this.title}/${name}: the server does not say its size`);
    }
    return new S3Source(this.#client, name, size, headers.get("etag") ?? undefined);
  }

  async put(name: string, bytes: Uint8Array): Promise<void> {
    checkName(name);
    await putObject(this.#client, name, bytes);
  }

  async get(name: string): Promise<Buffer | undefined> {
    checkName(name);
    const accepts = ["NoSuchKey"];
    const answer = await this.#client.request({ method: "GET", doing: "reading", name, accepts });
    return answer.code === "" ? answer.body : undefined;
  }

  async remove(name: string): Promise<void> {
    checkName(name);
    await removeObject(this.#client, name);
  }

  async clean(isOurs: (name: string) => boolean): Promise<void> {
    let marker: Record<string, string> = {};
    for (let page = 0; page < MAX_PAGES; page++) {
      const xml = await this.#listPage("ListMultipartUploadsResult", { uploads: "", ...marker });
      for (const one of elementsInside(xml, "Upload")) {
        const name = this.#nameOf(one);
        const uploadId = elementText(one, "UploadId");
        const isLeft = name !== undefined && uploadId !== undefined && isOurs(name);
        if (isLeft) await abortUpload(this.#client, name, uploadId);
      }
      const key = elementText(xml, "NextKeyMarker");
      const id = elementText(xml, "NextUploadIdMarker");
      if (elementText(xml, "IsTruncated") !== "true" || !key) return;
      marker = { "key-marker": key, ...(id ? { "upload-id-marker": id } : {}) };
    }
  }

  async #listPage(root: string, query: Record<string, string>): Promise<string> {
    const prefix = this.#prefix === "" ? {} : { prefix: this.#prefix };
    const { body } = await this.#client.request({
      method: "GET",
      doing: "listing",
      query: { ...query, ...prefix },
      root,
    });
    return body.toString();
  }

  /** undefined for what is in a folder below, or could not be a backup. */
  #nameOf(xml: string): string | undefined {
    const key = elementText(xml, "Key") ?? "";
    const name = key.startsWith(this.#prefix) ? key.slice(this.#prefix.length) : "";
    return isName(name) ? name : undefined;
  }
}

class S3Source implements BackupSource {
  readonly size: number;
  readonly #client: S3Client;
  readonly #name: string;
  /** Of the version that was opened. */
  readonly #etag: string | undefined;
  /** The bytes from `#start` on. */
  #window: Buffer = Buffer.alloc(0);
  #start = 0;

  constructor(client: S3Client, name: string, size: number, etag: string | undefined) {
    this.#client = client;
    this.#name = name;
    this.size = size;
    this.#etag = etag;
  }

  async read(
    target: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<number> {
    const end = Math.min(position + length, this.size);
    let at = position;
    while (at < end) {
      const isInside = at >= this.#start && at < this.#start + this.#window.length;
      if (!isInside) await this.#fetch(at);
      const part = this.#window.subarray(at - this.#start, end - this.#start);
      target.set(part, offset + at - position);
      at += part.length;
    }
    return Math.max(0, at - position);
  }

  async close(): Promise<void> {
    this.#window = Buffer.alloc(0);
  }

  async #fetch(start: number): Promise<void> {
    const count = Math.min(WINDOW_BYTES, this.size - start);
    const { body } = await this.#client.request({
      method: "GET",
      doing: "reading",
      name: this.#name,
      headers: {
        range: `bytes=${start}-${start + count - 1}`,
        ...(this.#etag === undefined ? {} : { "if-match": this.#etag }),
      },
      answerBytes: count,
    });
    if (body.length !== count) {
      const got = `${body.length} bytes instead of ${count} from ${start} on`;
      throw new KvdbError("IO", `reading ${this.#name}: the server answered ${got}`);
    }
    this.#window = body;
    this.#start = start;
  }
}
