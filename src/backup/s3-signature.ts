/**
 * Signs requests to S3: Amazon's Signature Version 4 in headers, with the checksum of the body, so
 * that the server also finds every byte that changed on the way.
 *
 *   canonical request = method \n path \n query \n host:… \n x-amz-…:… \n \n names \n body's SHA-256
 *   text to sign      = AWS4-HMAC-SHA256 \n time \n day/region/s3/aws4_request \n SHA-256 of it
 *   key               = HMAC over "AWS4" + secret, of day, region, "s3", "aws4_request" in turn
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
import type { S3Place } from "./s3-place.ts";

const ALGORITHM = "AWS4-HMAC-SHA256";

export interface UnsignedRequest {
  readonly method: string;
  /** Its path and query are encoded as `encodeS3` does. */
  readonly url: URL;
  readonly body: Uint8Array | undefined;
}

type Signer = Pick<S3Place, "region" | "accessKeyId" | "secretAccessKey" | "sessionToken">;

/** The headers that make it valid, for a quarter of an hour from `nowMs` on. */
export function signatureHeaders(
  { method, url, body }: UnsignedRequest,
  signer: Signer,
  nowMs: number,
): Record<string, string> {
  const time = `${new Date(nowMs).toISOString().slice(0, 19).replace(/[-:]/g, "")}Z`;
  const day = time.slice(0, 8);
  const scope = `${day}/${signer.region}/s3/aws4_request`;
  const { sessionToken } = signer;
  const headers: Record<string, string> = {
    "x-amz-content-sha256": sha256(body ?? ""),
    "x-amz-date": time,
    ...(sessionToken === undefined ? {} : { "x-amz-security-token": sessionToken }),
  };
  // `host` sorts before all of them; fetch sends it by itself.
  const signed = Object.entries({ host: url.host, ...headers });
  const names = signed.map(([name]) => name).join(";");
  const canonical = [
    method,
    url.pathname,
    [...url.search.slice(1).split("&")].sort().join("&"),
    ...signed.map(([name, value]) => `${name}:${value}`),
    "",
    names,
    headers["x-amz-content-sha256"],
  ].join("\n");
  let key: Uint8Array = Buffer.from(`AWS4${signer.secretAccessKey}`);
  for (const part of scope.split("/")) key = hmac(key, part);
  const signature = hmac(key, [ALGORITHM, time, scope, sha256(canonical)].join("\n"));
  const authorization =
    `${ALGORITHM} Credential=${signer.accessKeyId}/${scope}, ` +
    `SignedHeaders=${names}, Signature=${Buffer.from(signature).toString("hex")}`;
  return { ...headers, authorization };
}

/** Everything but A-Z a-z 0-9 - . _ ~ as %XX: for names in paths and for both sides of a query. */
export function encodeS3(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** Bun's own hash: to load node:crypto takes 2 ms of each start, with backups on S3 and without. */
function sha256(bytes: Uint8Array | string): string {
  return new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
}

function hmac(key: Uint8Array, text: string): Uint8Array {
  return new Bun.CryptoHasher("sha256", key).update(text).digest();
}
