/**
 * Signatures of version 4 as a server computes them, straight from Amazon's description and on
 * purpose not with a client's code: a test of a client must not share its mistakes.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
import { createHash, createHmac } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

export interface Authorization {
  readonly accessKeyId: string;
  /** 20261126 */
  readonly day: string;
  readonly region: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

export interface SignedParts {
  readonly method: string;
  /** Path and query as they came. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  /** The header x-amz-date. */
  readonly timestamp: string;
  readonly secretAccessKey: string;
}

const HEADER =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})$/;

/** undefined when there is none, or not of this kind. */
export function parseAuthorization(header: string | undefined): Authorization | undefined {
  const found = HEADER.exec(header ?? "");
  if (found === null) return undefined;
  const [, accessKeyId, day, region, signedHeaders, signature] = found;
  return { accessKeyId, day, region, signedHeaders: signedHeaders.split(";"), signature };
}

export function expectedSignature(parts: SignedParts, authorization: Authorization): string {
  const { day, region, signedHeaders } = authorization;
  // What is not signed could have been changed on the way: these must be.
  for (const name of ["host", "x-amz-content-sha256", "x-amz-date"]) {
    if (!signedHeaders.includes(name)) return `${name} is not signed`;
  }
  const scope = `${day}/${region}/s3/aws4_request`;
  const request = sha256Hex(canonicalRequest(parts, signedHeaders));
  const toSign = ["AWS4-HMAC-SHA256", parts.timestamp, scope, request].join("\n");
  let key: Buffer = Buffer.from(`AWS4${parts.secretAccessKey}`);
  for (const part of [day, region, "s3", "aws4_request"]) key = hmac(key, part);
  return hmac(key, toSign).toString("hex");
}

export function sha256Hex(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function canonicalRequest(
  { method, target, headers }: SignedParts,
  signed: readonly string[],
): string {
  const [path, query = ""] = target.split("?", 2);
  const canonicalHeaders = signed.map((name) => `${name}:${String(headers[name]).trim()}\n`);
  return [
    method,
    path.split("/").map(canonicalPart).join("/"),
    canonicalQuery(query),
    canonicalHeaders.join(""),
    signed.join(";"),
    String(headers["x-amz-content-sha256"]),
  ].join("\n");
}

/** Sorted by name, values that are missing are empty. */
function canonicalQuery(query: string): string {
  return query
    .split("&")
    .filter((part) => part !== "")
    .map((part) => {
      const [name, ...value] = part.split("=");
      return `${canonicalPart(name)}=${canonicalPart(value.join("="))}`;
    })
    .sort()
    .join("&");
}

/** Everything but A-Z a-z 0-9 - . _ ~ as %XX, whatever way it came. */
function canonicalPart(part: string): string {
  return encodeURIComponent(decodeURIComponent(part)).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
