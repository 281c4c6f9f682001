/** Which bucket, where and whose: from URLs, options and the environment. */
import { describe, expect, test } from "bun:test";
import { placeTitle, readS3Place, type S3Options } from "../../../src/backup/s3-place.ts";
import { KvdbError } from "../../../src/errors.ts";

const keys = { accessKeyId: "ID", secretAccessKey: "PRIVATE" };

function baseUrl(url: string, options: S3Options): string {
  return readS3Place(url, { ...keys, ...options }, {}).baseUrl;
}

test("the prefix, with and without slashes at its end", () => {
  const prefixes = ["s3://b1", "s3://b1/", "s3://b1/a", "s3://b1/a/c//", "S3://b1/a"].map((url) => {
    const place = readS3Place(url, keys, {});
    return [place.bucket, place.prefix, placeTitle(place)];
  });
  expect(prefixes).toEqual([
    ["b1", "", "s3://b1"],
    ["b1", "", "s3://b1"],
    ["b1", "a/", "s3://b1/a"],
    ["b1", "a/c/", "s3://b1/a/c"],
    ["b1", "a/", "s3://b1/a"],
  ]);
});

test("Amazon's own, and the bucket in the path where a certificate would not fit", () => {
  const region = "eu-central-1";
  expect(baseUrl("s3://my-bucket/a", { region })).toBe(
    "https://my-bucket.s3.eu-central-1.amazonaws.com",
  );
  expect(baseUrl("s3://my.bucket/a", { region })).toBe(
    "https://s3.eu-central-1.amazonaws.com/my.bucket",
  );
});

test("an endpoint, with port and path, either way of addressing", () => {
  const endpoint = "http://localhost:9000/storage/v1/";
  expect(baseUrl("s3://b1", { endpoint })).toBe("http://localhost:9000/storage/v1/b1");
  expect(baseUrl("s3://b1", { endpoint, addressing: "host" })).toBe(
    "http://b1.localhost:9000/storage/v1",
  );
});

describe("the environment", () => {
  test("gives what the options leave out, S3_ before AWS_, empty is absent", () => {
    const environment = {
      AWS_ACCESS_KEY_ID: "A1",
      AWS_SECRET_ACCESS_KEY: "A2",
      AWS_SESSION_TOKEN: "A3",
      S3_SECRET_ACCESS_KEY: "",
      AWS_REGION: "eu-west-1",
      S3_REGION: "eu-west-2",
      AWS_ENDPOINT_URL: "https://store.example",
    };
    expect(readS3Place("s3://b1", {}, environment)).toEqual({
      bucket: "b1",
      prefix: "",
      baseUrl: "https://store.example/b1",
      region: "eu-west-2",
      accessKeyId: "A1",
      secretAccessKey: "A2",
      sessionToken: "A3",
    });
    // The token belongs to the keys beside it.
    expect(readS3Place("s3://b1", keys, environment)).toMatchObject(keys);
    expect(readS3Place("s3://b1", keys, environment).sessionToken).toBeUndefined();
    expect(readS3Place("s3://b1", { region: "eu-west-3" }, environment).region).toBe("eu-west-3");
  });
});

test.each<[string, string, S3Options, RegExp]>([
  ["no bucket", "s3://", keys, /s3:\/\/bucket/],
  ["a bucket that is none", "s3://a b/c", keys, /s3:\/\/bucket/],
  ["a way out of the prefix", "s3://b1/a/../c", keys, /s3:\/\/bucket/],
  ["another kind of URL", "https://b1/a", keys, /s3:\/\/bucket/],
  ["no credentials", "s3://b1", {}, /AWS_ACCESS_KEY_ID/],
  ["half of the credentials", "s3://b1", { accessKeyId: "ID" }, /secretAccessKey is missing/],
  ["an endpoint without a scheme", "s3://b1", { ...keys, endpoint: "localhost:9000" }, /endpoint/],
  ["an endpoint with a password", "s3://b1", { ...keys, endpoint: "https://u:HUSH@h" }, /endpoint/],
  ["an endpoint with a query", "s3://b1", { ...keys, endpoint: "https://h/?a=1" }, /endpoint/],
  ["a region that is a host", "s3://b1", { ...keys, region: "evil.example/" }, /region/],
])("%s is refused", (_, url, options, message) => {
  let thrown: unknown;
  try {
    readS3Place(url, options, {});
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(KvdbError);
  const { code, message: text } = thrown as KvdbError;
  expect(code).toBe("CONFIG");
  expect(text).toMatch(message);
  expect(text).not.toMatch(/HUSH|PRIVATE/);
});
