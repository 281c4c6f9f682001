/**
 * Requests to one bucket: signed, bounded in time, tried again when it may help, and failures as
 * KvdbErrors that name the object and the server's code. It knows no backups.
 *
 * Not Bun.S3Client (1.4.5), which was tried: its writer completes the upload when it is ended with an
 * error, so that half a backup stands there as a whole one; it waits for ever for a server that is
 * silent; it tries again at once and not at all outside of its writer; and it can neither list nor
 * abort the uploads that a kill -9 has left behind.
 */
import { type ErrorCode, KvdbError } from "../errors.ts";
import type { Clock } from "../platform/clock.ts";
import type { Random } from "../platform/random.ts";
import type { S3Place } from "./s3-place.ts";
import { encodeS3, signatureHeaders } from "./s3-signature.ts";
import { elementText, hasRoot } from "./s3-xml.ts";

export interface S3ClientParts {
  readonly clock: Clock;
  readonly random: Random;
}

export interface S3Request {
  readonly method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  /** For errors: `reading`. */
  readonly doing: string;
  /** Of the object, without the prefix; the bucket itself when it is absent. */
  readonly name?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Bytes expected in the answer: they are given time. */
  readonly answerBytes?: number;
  /** The root of the document that is the answer; anything else is a failure, with status 200 too. */
  readonly root?: string;
  /** Codes that are answers and no failures. */
  readonly accepts?: readonly string[];
  readonly signal?: AbortSignal;
}

export interface S3Answer {
  /** Empty, or one of those that the request accepts. */
  readonly code: string;
  readonly headers: Headers;
  readonly body: Buffer;
}

/** A failure that may be tried again, or not. */
interface Failure {
  /** The server's, such as SlowDown; ours for what the server had no word for. */
  readonly code: string;
  readonly status: number | undefined;
  readonly reason: string;
  readonly isPassing: boolean;
  readonly cause?: unknown;
}

const MAX_ATTEMPTS = 6;
/** Doubled each time: 0.2, 0.4 … 3.2 s, 6 s together: longer than a service takes to come back. */
const FIRST_PAUSE_MS = 200;
/** For an answer, whatever its size. */
const ANSWER_MS = 30_000;
/** The slowest line that is waited for: 64 KB/s. */
const BYTES_PER_MS = 64;

/** Statuses and codes that pass by themselves. */
const PASSING_STATUSES = [408, 425, 429, 500, 502, 503, 504];
const PASSING_CODES = ["RequestTimeout", "SlowDown", "InternalError", "ServiceUnavailable"];
/** What the configuration says is wrong. */
const CONFIG_CODES = ["NoSuchBucket", "AuthorizationHeaderMalformed", "InvalidBucketName"];

export class S3Client {
  readonly #place: S3Place;
  readonly #parts: S3ClientParts;

  constructor(place: S3Place, parts: S3ClientParts) {
    this.#place = place;
    this.#parts = parts;
  }

  async request(request: S3Request): Promise<S3Answer> {
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#attempt(request);
      if (!("reason" in outcome)) return outcome;
      const isLast = !outcome.isPassing || attempt === MAX_ATTEMPTS;
      if (isLast || request.signal?.aborted) throw this.#error(request, outcome, attempt);
      await this.#pause(attempt);
    }
  }

  /** Once, with its time bounded. */
  async #attempt(request: S3Request): Promise<S3Answer | Failure> {
    const { body, answerBytes = 0 } = request;
    const limitMs = ANSWER_MS + ((body?.length ?? 0) + answerBytes) / BYTES_PER_MS;
    const late = new AbortController();
    const timer = this.#parts.clock.after(limitMs, () => late.abort());
    const signals = request.signal === undefined ? [] : [request.signal];
    try {
      return await this.#send(request, AbortSignal.any([late.signal, ...signals]));
    } catch (error) {
      const seconds = Math.round(limitMs / 1000);
      const reason = late.signal.aborted ? `no answer within ${seconds} s` : messageOf(error);
      return { code: "", status: undefined, reason, isPassing: true, cause: error };
    } finally {
      timer.cancel();
    }
  }

  async #send(request: S3Request, signal: AbortSignal): Promise<S3Answer | Failure> {
    const { method, body, headers } = request;
    const url = this.#url(request);
    const signature = signatureHeaders({ method, url, body }, this.#place, this.#parts.clock.now());
    const response = await fetch(url, {
      method,
      headers: { ...headers, ...signature, "accept-encoding": "identity" },
      // A redirect would go without a valid signature.
      redirect: "manual",
      signal,
      ...(body === undefined ? {} : { body: body as Uint8Array<ArrayBuffer> }),
    });
    const answered = Buffer.from(await response.arrayBuffer());
    return readAnswer(request, response, answered);
  }

  #url({ name, query = {} }: S3Request): URL {
    const { baseUrl, prefix } = this.#place;
    const path = name === undefined ? "" : (prefix + name).split("/").map(encodeS3).join("/");
    const pairs = Object.entries(query).map(
      ([key, value]) => `${encodeS3(key)}=${encodeS3(value)}`,
    );
    return new URL(`${baseUrl}/${path}${pairs.length === 0 ? "" : `?${pairs.join("&")}`}`);
  }

  /** Between half and the whole of it, so that many clients of one service do not come back at once. */
  #pause(attempt: number): Promise<void> {
    const longestMs = FIRST_PAUSE_MS * 2 ** (attempt - 1);
    const pauseMs = longestMs / 2 + this.#parts.random.below(longestMs / 2);
    return new Promise((resolve) => void this.#parts.clock.after(pauseMs, resolve));
  }

  #error({ doing, name }: S3Request, failure: Failure, attempts: number): KvdbError {
    const { code, status, reason, cause } = failure;
    const { bucket, prefix } = this.#place;
    const what = `s3://${bucket}/${prefix}${name ?? ""}`.replace(/\/$/, "");
    const words = [code, reason].filter((word) => word !== "").join(": ");
    const http = status === undefined ? "" : ` (HTTP ${status})`;
    const tried = attempts > 1 ? `, tried ${attempts} times` : "";
    const message = this.#withoutSecrets(`${doing} ${what}: ${words}${http}${tried}`);
    return new KvdbError(errorCode(failure), message, { cause });
  }

  /** A server may quote what it was sent. */
  #withoutSecrets(text: string): string {
    const { accessKeyId, secretAccessKey, sessionToken } = this.#place;
    for (const secret of [secretAccessKey, sessionToken, accessKeyId]) {
      if (secret !== undefined) text = text.replaceAll(secret, "…");
    }
    return text;
  }
}

function readAnswer(request: S3Request, response: Response, body: Buffer): S3Answer | Failure {
  const { status, headers } = response;
  const expected = headers.get("content-length");
  const isCut = request.method !== "HEAD" && expected !== null && body.length < Number(expected);
  if (isCut) {
    const reason = `the answer ended after ${body.length} of ${expected} bytes`;
    return { code: "", status, reason, isPassing: true };
  }
  const { root } = request;
  if (response.ok && (root === undefined || hasRoot(body.toString(), root))) {
    return { code: "", headers, body };
  }
  const failure = readFailure(request, response, body.toString());
  const isAccepted = request.accepts?.includes(failure.code) ?? false;
  return isAccepted ? { code: failure.code, headers, body } : failure;
}

function readFailure({ method, root }: S3Request, response: Response, xml: string): Failure {
  const { status, ok, headers, statusText } = response;
  const isPassing = PASSING_STATUSES.includes(status);
  if (hasRoot(xml, "Error")) {
    const code = elementText(xml, "Code") ?? "";
    const reason = `${elementText(xml, "Message") ?? ""}${regionHint(status, headers)}`;
    return { code, status, reason, isPassing: isPassing || PASSING_CODES.includes(code) };
  }
  // The answer to HEAD has no body that could say which.
  if (method === "HEAD" && status === 404) {
    return { code: "NoSuchKey", status, reason: "there is no such object", isPassing };
  }
  const isStrange = ok && root !== undefined;
  const words = isStrange ? `the answer is no ${root}: is this a server of S3?` : statusText;
  return { code: "", status, reason: `${words}${regionHint(status, headers)}`, isPassing };
}

/** Who asks in the wrong region is told the right one, and not always in the message. */
function regionHint(status: number, headers: Headers): string {
  const region = headers.get("x-amz-bucket-region");
  const mayBeRegion = status === 301 || status === 307 || status === 400;
  return mayBeRegion && region !== null ? `; the bucket is in region ${region}` : "";
}

function errorCode({ code, status, isPassing }: Failure): ErrorCode {
  if (isPassing) return "UNAVAILABLE";
  if (CONFIG_CODES.includes(code) || (status !== undefined && status >= 300 && status < 400)) {
    return "CONFIG";
  }
  return status === 401 || status === 403 ? "PERMISSION" : "IO";
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
