/**
 * A small server on loopback that speaks S3's protocol, for tests: path-style addresses, signatures
 * of version 4 verified byte by byte, ranged reads, multipart uploads, listings in pages, errors in
 * XML. It keeps everything in memory, and does on demand what real services do on a bad day
 * (`failNext`). What it does not know it refuses with NotImplemented, never with a guess.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
 */
import { createHash, randomUUID, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { expectedSignature, parseAuthorization, sha256Hex } from "./s3-signature.ts";

export interface S3ServerOptions {
  /** Default: `bucket`. */
  readonly bucket?: string;
  readonly region?: string;
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
  /** When given, requests must carry it. */
  readonly sessionToken?: string;
  /** Objects of one page of a listing; 1000 at most, as in S3. */
  readonly pageSize?: number;
  /** All parts but the last have so many bytes at least. Default: S3's 5 MiB. */
  readonly minPartBytes?: number;
}

/** What goes wrong, once, with the next request that matches. */
export interface S3Fault {
  readonly method?: string;
  /** Over the raw target: path and query. */
  readonly target?: RegExp;
  /**
   * `status`: answers with it and `code`, before looking at anything. `cut`: takes the request and
   * closes the connection without an answer. `truncate`: closes it in the middle of the body of the
   * answer. `silent`: never answers. `late`: does it, and closes the connection without an answer.
   * `error-in-ok`: status 200 with an error in the body, as CompleteMultipartUpload may.
   */
  readonly kind: "status" | "cut" | "truncate" | "silent" | "late" | "error-in-ok";
  readonly status?: number;
  readonly code?: string;
  /** Default: 1. */
  readonly times?: number;
  /** So many requests that match are let through before. */
  readonly skip?: number;
}

export interface S3Request {
  readonly method: string;
  readonly target: string;
  readonly status: number;
  readonly bodyBytes: number;
}

interface StoredObject {
  readonly bytes: Buffer;
  readonly timeMs: number;
  readonly etag: string;
}

interface Upload {
  readonly key: string;
  readonly parts: Map<number, StoredObject>;
}

interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
}

/** A request, taken apart. */
interface Call {
  readonly method: string;
  /** Path and query as they came. */
  readonly target: string;
  readonly bucket: string;
  readonly key: string;
  readonly query: ReadonlyMap<string, string>;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

class S3Error extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** S3 refuses requests that were signed longer ago. */
const LONGEST_SKEW_MS = 15 * 60 * 1000;
const S3_PAGE_SIZE = 1000;
const S3_MIN_PART_BYTES = 5 * 1024 * 1024;

export class S3Server implements AsyncDisposable {
  readonly bucket: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly #options: S3ServerOptions;
  readonly #objects = new Map<string, StoredObject>();
  readonly #uploads = new Map<string, Upload>();
  readonly #faults: { fault: S3Fault; left: number; skip: number }[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  /** Everything that was asked, in order. */
  readonly requests: S3Request[] = [];
  /** The time of objects that are stored from now on; the system's when undefined. */
  storedAtMs: number | undefined;

  private constructor(options: S3ServerOptions) {
    this.#options = options;
    this.bucket = options.bucket ?? "bucket";
    this.region = options.region ?? "us-east-1";
    this.accessKeyId = options.accessKeyId ?? "AKIDEXAMPLE";
    this.secretAccessKey = options.secretAccessKey ?? "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    this.#server = createServer((request, response) => void this.#serve(request, response));
    this.#server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
  }

  /** Listens on a free port of 127.0.0.1. */
  static async start(options: S3ServerOptions = {}): Promise<S3Server> {
    const server = new S3Server(options);
    await new Promise<void>((resolve) => server.#server.listen(0, "127.0.0.1", resolve));
    return server;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Keys of all objects, sorted. */
  keys(): string[] {
    return [...this.#objects.keys()].sort();
  }

  contents(key: string): Buffer | undefined {
    return this.#objects.get(key)?.bytes;
  }

  /** Puts an object in place, without a request. */
  put(key: string, bytes: Uint8Array | string): void {
    this.#store(key, Buffer.from(bytes as Uint8Array));
  }

  /** Takes an object away, without a request. */
  drop(key: string): void {
    this.#objects.delete(key);
  }

  /** Begins a multipart upload that nobody goes on with. */
  leaveUpload(key: string): void {
    this.#uploads.set(randomUUID(), { key, parts: new Map() });
  }

  /** Keys of the multipart uploads that were neither completed nor aborted. */
  openUploads(): string[] {
    return [...this.#uploads.values()].map(({ key }) => key).sort();
  }

  failNext(fault: S3Fault): void {
    this.#faults.push({ fault, left: fault.times ?? 1, skip: fault.skip ?? 0 });
  }

  /** From here on everything works. */
  heal(): void {
    this.#faults.length = 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  // ---- one request ----

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch (error) {
      // The client hung up in the middle: there is nobody to answer.
      if (!request.destroyed) throw error;
      return;
    }
    const call = takeApart(request, Buffer.concat(chunks));
    const fault = this.#takeFault(call);
    if (fault?.kind === "silent") return;
    if (fault?.kind === "cut") return void request.socket.destroy();
    const answer = this.#answer(call, fault);
    const { method, target } = call;
    this.requests.push({ method, target, status: answer.status, bodyBytes: call.body.length });
    if (fault?.kind === "late") return void request.socket.destroy();
    response.setHeader("x-amz-bucket-region", this.region);
    send(response, call, answer, fault?.kind === "truncate");
  }

  #answer(call: Call, fault: S3Fault | undefined): Answer {
    try {
      if (fault?.kind === "status") {
        const { status = 500, code = "InternalError" } = fault;
        throw new S3Error(status, code, "made to fail");
      }
      if (fault?.kind === "error-in-ok") {
        return { status: 200, body: errorBody(fault.code ?? "InternalError", "made to fail") };
      }
      this.#authenticate(call);
      if (call.bucket !== this.bucket) {
        throw new S3Error(404, "NoSuchBucket", "The specified bucket does not exist");
      }
      return this.#perform(call);
    } catch (error) {
      if (!(error instanceof S3Error)) throw error;
      return { status: error.status, body: errorBody(error.code, error.message) };
    }
  }

  #takeFault({ method, target }: Call): S3Fault | undefined {
    const index = this.#faults.findIndex(
      ({ fault }) => (fault.method ?? method) === method && (fault.target ?? /^/).test(target),
    );
    const found = this.#faults[index];
    if (found === undefined || found.skip-- > 0) return undefined;
    found.left--;
    if (found.left === 0) this.#faults.splice(index, 1);
    return found.fault;
  }

  // ---- signature ----

  #authenticate(call: Call): void {
    const { method, target, headers, body } = call;
    const authorization = parseAuthorization(headers.authorization);
    if (authorization === undefined) throw new S3Error(403, "AccessDenied", "Access Denied");
    if (authorization.accessKeyId !== this.accessKeyId) {
      throw new S3Error(403, "InvalidAccessKeyId", "The access key Id does not exist");
    }
    if (authorization.region !== this.region) {
      const message = `The authorization header is malformed; expecting region '${this.region}'`;
      throw new S3Error(400, "AuthorizationHeaderMalformed", message);
    }
    const timestamp = String(headers["x-amz-date"]);
    if (Math.abs(timestampMs(timestamp) - Date.now()) > LONGEST_SKEW_MS) {
      throw new S3Error(403, "RequestTimeTooSkewed", "The time differs too much");
    }
    const parts = { method, target, headers, timestamp, secretAccessKey: this.secretAccessKey };
    const expected = Buffer.from(expectedSignature(parts, authorization));
    const given = Buffer.from(authorization.signature);
    if (expected.length !== given.length || !timingSafeEqual(expected, given)) {
      throw new S3Error(403, "SignatureDoesNotMatch", "The signature does not match");
    }
    const token = this.#options.sessionToken;
    if (token !== undefined && headers["x-amz-security-token"] !== token) {
      throw new S3Error(403, "InvalidToken", "The provided token is malformed or invalid");
    }
    const promised = headers["x-amz-content-sha256"];
    if (promised !== "UNSIGNED-PAYLOAD" && promised !== sha256Hex(body)) {
      throw new S3Error(400, "XAmzContentSHA256Mismatch", "The body does not match its checksum");
    }
  }

  // ---- operations ----

  #perform(call: Call): Answer {
    const { method, key, query } = call;
    if (key === "") {
      if (method === "GET" && query.has("uploads")) return this.#listUploads(query);
      if (method === "GET" && query.get("list-type") === "2") return this.#listObjects(query);
    } else if (query.has("uploadId")) {
      const upload = this.#upload(call);
      if (method === "PUT") return this.#putPart(upload, call);
      if (method === "POST") return this.#complete(upload, call);
      if (method === "DELETE") return this.#abort(call);
    } else if (method === "POST" && query.has("uploads")) {
      return this.#begin(key);
    } else if (method === "PUT") {
      return { status: 200, headers: { etag: this.#store(key, call.body).etag } };
    } else if (method === "GET" || method === "HEAD") {
      return this.#get(call);
    } else if (method === "DELETE") {
      this.#objects.delete(key);
      return { status: 204 };
    }
    throw new S3Error(501, "NotImplemented", `${method} ${call.target} is not known here`);
  }

  #store(key: string, bytes: Buffer): StoredObject {
    const stored = { bytes, timeMs: this.storedAtMs ?? Date.now(), etag: `"${md5Hex(bytes)}"` };
    this.#objects.set(key, stored);
    return stored;
  }

  #get({ key, headers }: Call): Answer {
    const stored = this.#objects.get(key);
    if (stored === undefined) {
      throw new S3Error(404, "NoSuchKey", "The specified key does not exist.");
    }
    const { bytes, etag, timeMs } = stored;
    if ((headers["if-match"] ?? etag) !== etag) {
      throw new S3Error(412, "PreconditionFailed", "a precondition did not hold");
    }
    const common = { etag, "last-modified": new Date(timeMs).toUTCString() };
    const range = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? "");
    if (range === null) return { status: 200, headers: common, body: bytes };
    const start = Number(range[1]);
    const end = range[2] === "" ? bytes.length : Math.min(Number(range[2]) + 1, bytes.length);
    if (start >= bytes.length) throw new S3Error(416, "InvalidRange", "not satisfiable");
    const contentRange = `bytes ${start}-${end - 1}/${bytes.length}`;
    return {
      status: 206,
      headers: { ...common, "content-range": contentRange },
      body: bytes.subarray(start, end),
    };
  }

  #listObjects(query: Call["query"]): Answer {
    const prefix = query.get("prefix") ?? "";
    const after = query.get("continuation-token") ?? query.get("start-after") ?? "";
    const wanted = Number(query.get("max-keys") ?? S3_PAGE_SIZE);
    const size = Math.min(this.#options.pageSize ?? S3_PAGE_SIZE, wanted);
    const found = this.#foldersAndKeys(prefix, query.get("delimiter")).filter((key) => key > after);
    const page = found.slice(0, size);
    const isTruncated = found.length > page.length;
    const last = escapeXml(page.at(-1) ?? "");
    const next = isTruncated ? `<NextContinuationToken>${last}</NextContinuationToken>` : "";
    return xml(
      "ListBucketResult",
      `<Name>${this.bucket}</Name><Prefix>${escapeXml(prefix)}</Prefix><KeyCount>${page.length}` +
        `</KeyCount><MaxKeys>${size}</MaxKeys><IsTruncated>${isTruncated}</IsTruncated>` +
        next +
        page.map((key) => this.#listed(key)).join(""),
    );
  }

  /** Keys below the prefix; with a delimiter those of a folder below appear as the folder, once. */
  #foldersAndKeys(prefix: string, delimiter: string | undefined): string[] {
    const found = new Set<string>();
    for (const key of this.keys()) {
      if (!key.startsWith(prefix)) continue;
      const end = delimiter === undefined ? -1 : key.indexOf(delimiter, prefix.length);
      found.add(end < 0 ? key : key.slice(0, end + 1));
    }
    return [...found].sort();
  }

  #listed(key: string): string {
    const stored = this.#objects.get(key);
    if (stored === undefined) {
      return `<CommonPrefixes><Prefix>${escapeXml(key)}</Prefix></CommonPrefixes>`;
    }
    const { bytes, timeMs, etag } = stored;
    return (
      `<Contents><Key>${escapeXml(key)}</Key>` +
      `<LastModified>${new Date(timeMs).toISOString()}</LastModified>` +
      `<ETag>${escapeXml(etag)}</ETag><Size>${bytes.length}</Size>` +
      "<StorageClass>STANDARD</StorageClass></Contents>"
    );
  }

  // ---- multipart uploads ----

  #upload({ key, query }: Call): Upload {
    const upload = this.#uploads.get(query.get("uploadId") ?? "");
    if (upload?.key === key) return upload;
    throw new S3Error(404, "NoSuchUpload", "The specified multipart upload does not exist.");
  }

  #begin(key: string): Answer {
    const id = randomUUID();
    this.#uploads.set(id, { key, parts: new Map() });
    return xml(
      "InitiateMultipartUploadResult",
      `<Bucket>${this.bucket}</Bucket><Key>${escapeXml(key)}</Key><UploadId>${id}</UploadId>`,
    );
  }

  #putPart(upload: Upload, { query, body }: Call): Answer {
    const etag = `"${md5Hex(body)}"`;
    upload.parts.set(Number(query.get("partNumber")), { bytes: body, timeMs: Date.now(), etag });
    return { status: 200, headers: { etag } };
  }

  #complete(upload: Upload, { key, query, body }: Call): Answer {
    const named = [...body.toString().matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, part]) => ({
      number: Number(/<PartNumber>(\d+)<\/PartNumber>/.exec(part)?.[1]),
      etag: unescapeXml(/<ETag>(.*?)<\/ETag>/.exec(part)?.[1] ?? ""),
    }));
    if (named.length === 0) throw new S3Error(400, "MalformedXML", "no parts are named");
    const least = this.#options.minPartBytes ?? S3_MIN_PART_BYTES;
    const bytes = named.map(({ number, etag }, index) => {
      const part = upload.parts.get(number);
      if (index > 0 && number <= named[index - 1].number) {
        throw new S3Error(400, "InvalidPartOrder", "parts must ascend");
      }
      if (part?.etag !== etag) throw new S3Error(400, "InvalidPart", `part ${number}`);
      if (part.bytes.length < least && index < named.length - 1) {
        throw new S3Error(400, "EntityTooSmall", `part ${number}`);
      }
      return part.bytes;
    });
    const { etag } = this.#store(key, Buffer.concat(bytes));
    this.#uploads.delete(query.get("uploadId") ?? "");
    return xml(
      "CompleteMultipartUploadResult",
      `<Bucket>${this.bucket}</Bucket><Key>${escapeXml(key)}</Key><ETag>${escapeXml(etag)}</ETag>`,
    );
  }

  #abort({ query }: Call): Answer {
    this.#uploads.delete(query.get("uploadId") ?? "");
    return { status: 204 };
  }

  #listUploads(query: Call["query"]): Answer {
    const prefix = query.get("prefix") ?? "";
    const afterKey = query.get("key-marker") ?? "";
    const afterId = query.get("upload-id-marker") ?? "";
    const found = [...this.#uploads]
      .map(([id, { key }]) => ({ id, key }))
      .filter(({ key }) => key.startsWith(prefix))
      .sort((one, two) => compare(one.key, two.key) || compare(one.id, two.id))
      .filter(({ id, key }) => compare(key, afterKey) > 0 || (key === afterKey && id > afterId));
    const page = found.slice(0, this.#options.pageSize ?? S3_PAGE_SIZE);
    const last = page.at(-1);
    const isTruncated = found.length > page.length;
    const next =
      isTruncated && last !== undefined
        ? `<NextKeyMarker>${escapeXml(last.key)}</NextKeyMarker>` +
          `<NextUploadIdMarker>${last.id}</NextUploadIdMarker>`
        : "";
    const uploads = page.map(
      ({ id, key }) => `<Upload><Key>${escapeXml(key)}</Key><UploadId>${id}</UploadId></Upload>`,
    );
    return xml(
      "ListMultipartUploadsResult",
      `<Bucket>${this.bucket}</Bucket><IsTruncated>${isTruncated}</IsTruncated>${next}${uploads.join("")}`,
    );
  }
}

function takeApart(request: IncomingMessage, body: Buffer): Call {
  const { method = "", url: target = "", headers } = request;
  const [path, rawQuery = ""] = target.split("?", 2);
  const [, bucket, ...key] = path.split("/");
  const query = new Map(
    rawQuery
      .split("&")
      .filter((part) => part !== "")
      .map((part) => {
        const [name, ...value] = part.split("=");
        return [decodeURIComponent(name), decodeURIComponent(value.join("="))] as const;
      }),
  );
  return {
    method,
    target,
    bucket: decodeURIComponent(bucket),
    key: decodeURIComponent(key.join("/")),
    query,
    headers,
    body,
  };
}

function send(response: ServerResponse, call: Call, answer: Answer, truncate: boolean): void {
  const body = Buffer.from(answer.body ?? "");
  const length = answer.status === 204 ? {} : { "content-length": String(body.length) };
  response.writeHead(answer.status, {
    "x-amz-request-id": randomUUID(),
    ...(typeof answer.body === "string" ? { "content-type": "application/xml" } : {}),
    ...length,
    ...answer.headers,
  });
  if (call.method === "HEAD") return void response.end();
  if (!truncate) return void response.end(body);
  response.write(body.subarray(0, body.length >> 1), () => response.socket?.destroy());
}

function xml(name: string, inside: string): Answer {
  const space = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<${name} ${space}>${inside}</${name}>`;
  return { status: 200, body };
}

function errorBody(code: string, message: string): string {
  const inside = `<Code>${code}</Code><Message>${escapeXml(message)}</Message>`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error>${inside}<RequestId>1</RequestId></Error>`;
}

/** 20261126T033517Z */
function timestampMs(text: string): number {
  return Date.parse(text.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, "$1-$2-$3T$4:$5:$6Z"));
}

function md5Hex(bytes: Uint8Array): string {
  return createHash("md5").update(bytes).digest("hex");
}

function compare(one: string, two: string): number {
  return one < two ? -1 : one > two ? 1 : 0;
}

function escapeXml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

function unescapeXml(text: string): string {
  return text
    .replaceAll("&quot;", '"')
    .replaceAll("&#34;", '"')
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");
}
