/**
 * Which bucket, where, and with whose credentials: read from `s3://bucket/prefix`, the options of the
 * configuration and the environment. The result is plain data, so that a worker can be sent it. It
 * holds secrets: nothing of it but `placeTitle` is ever shown.
 */
import { KvdbError } from "../errors.ts";

/** All of them optional: what is absent comes from the environment. */
export interface S3Options {
  /** `https://host[:port][/path]` of an S3-compatible service. Default: Amazon's of the region. */
  readonly endpoint?: string;
  readonly region?: string;
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
  /** Of temporary credentials. */
  readonly sessionToken?: string;
  /**
   * Whether the bucket stands in the path (`https://host/bucket/…`) or before the host
   * (`https://bucket.host/…`). Default: `path` with an endpoint, `host` without.
   */
  readonly addressing?: "path" | "host";
}

export interface S3Place {
  readonly bucket: string;
  /** Before the names of all objects: empty, or with a slash at its end. */
  readonly prefix: string;
  /** Scheme, host and path up to the names of objects, without a slash at its end. */
  readonly baseUrl: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

const DEFAULT_REGION = "us-east-1";
/** Amazon's rules for new buckets, and capitals and `_` of the old ones. */
const BUCKET = /^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/;
/** A region becomes part of a host name. */
const REGION = /^[a-z0-9-]{1,64}$/;

export function isS3Url(text: string): boolean {
  return /^s3:\/\//i.test(text);
}

/** Throws CONFIG for what is no such URL, and when there are no credentials. */
export function readS3Place(url: string, options: S3Options, environment: Environment): S3Place {
  const { bucket, prefix } = readUrl(url);
  const from = (name: string): string | undefined =>
    environment[`S3_${name}`] || environment[`AWS_${name}`] || undefined;
  const region =
    options.region ?? from("REGION") ?? (environment["AWS_DEFAULT_REGION"] || DEFAULT_REGION);
  if (!REGION.test(region)) throw refusal(`region ${JSON.stringify(region)} is none`);
  const endpoint =
    options.endpoint ??
    from("ENDPOINT") ??
    (environment["AWS_ENDPOINT_URL_S3"] || environment["AWS_ENDPOINT_URL"] || undefined);
  return {
    bucket,
    prefix,
    baseUrl: readBaseUrl(endpoint, region, bucket, options.addressing),
    region,
    ...readCredentials(options, environment),
  };
}

/** For people: without secrets. */
export function placeTitle({ bucket, prefix }: S3Place): string {
  return `s3://${bucket}${prefix === "" ? "" : `/${prefix.slice(0, -1)}`}`;
}

function readUrl(url: string): { bucket: string; prefix: string } {
  const [bucket, ...folders] = url.slice("s3://".length).split("/");
  const names = folders.filter((name) => name !== "");
  const isWrong = names.some((name) => name === "." || name === ".." || /[?#]/.test(name));
  if (!isS3Url(url) || !BUCKET.test(bucket) || isWrong) {
    throw refusal(`${JSON.stringify(url)} is not of the form s3://bucket/prefix`);
  }
  return { bucket, prefix: names.map((name) => `${name}/`).join("") };
}

function readBaseUrl(
  endpoint: string | undefined,
  region: string,
  bucket: string,
  addressing: S3Options["addressing"],
): string {
  const url = readEndpoint(endpoint ?? `https://s3.${region}.amazonaws.com`);
  // A dot would make a host that the certificate for *.s3.… does not cover.
  const preferred = endpoint === undefined && !bucket.includes(".") ? "host" : "path";
  const path = url.pathname.replace(/\/+$/, "");
  if ((addressing ?? preferred) === "path") return `${url.origin}${path}/${bucket}`;
  return `${url.protocol}//${bucket}.${url.host}${path}`;
}

function readEndpoint(endpoint: string): URL {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  const isHttp = url?.protocol === "https:" || url?.protocol === "http:";
  // Not quoted: somebody may have put a password into it.
  if (url === undefined || !isHttp || url.username !== "" || url.password !== "") {
    throw refusal("endpoint must be a URL of the form https://host[:port], without a user");
  }
  if (url.search !== "" || url.hash !== "") throw refusal("endpoint must have no ? and no #");
  return url;
}

/** Key and secret from one and the same source: a mixture would never fit. */
function readCredentials(
  options: S3Options,
  environment: Environment,
): Pick<S3Place, "accessKeyId" | "secretAccessKey" | "sessionToken"> {
  const sources = [
    options,
    ...["S3", "AWS"].map((prefix) => ({
      accessKeyId: environment[`${prefix}_ACCESS_KEY_ID`] || undefined,
      secretAccessKey: environment[`${prefix}_SECRET_ACCESS_KEY`] || undefined,
      sessionToken: environment[`${prefix}_SESSION_TOKEN`] || undefined,
    })),
  ];
  for (const { accessKeyId, secretAccessKey, sessionToken } of sources) {
    if (accessKeyId === undefined && secretAccessKey === undefined) continue;
    if (accessKeyId === undefined || secretAccessKey === undefined) {
      const missing = accessKeyId === undefined ? "accessKeyId" : "secretAccessKey";
      throw refusal(`credentials are incomplete: ${missing} is missing`);
    }
    const token = sessionToken === undefined ? {} : { sessionToken };
    return { accessKeyId, secretAccessKey, ...token };
  }
  throw refusal(
    "no credentials: give accessKeyId and secretAccessKey, or set AWS_ACCESS_KEY_ID and " +
      "AWS_SECRET_ACCESS_KEY (or S3_…) in the environment",
  );
}

function refusal(reason: string): KvdbError {
  return new KvdbError("CONFIG", `backups on S3: ${reason}`);
}
