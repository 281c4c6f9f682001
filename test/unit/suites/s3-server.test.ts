/**
 * The server that stands for S3 in tests, asked by a client that is not ours: Bun's.
 */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { S3Server } from "../../suites/s3-server.ts";

let server: S3Server;
beforeEach(async () => {
  server = await S3Server.start({ pageSize: 2 });
});
afterEach(() => server[Symbol.asyncDispose]());

function client(options: Bun.S3Options = {}): Bun.S3Client {
  const { endpoint, bucket, region, accessKeyId, secretAccessKey } = server;
  return new Bun.S3Client({ endpoint, bucket, region, accessKeyId, secretAccessKey, ...options });
}

function codeOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.catch((error: { code: unknown }) => error.code);
}

test("objects are written, read in ranges, looked at, removed", async () => {
  const file = client().file("a/b c+d.txt");
  await file.write("hello");
  expect(String(server.contents("a/b c+d.txt"))).toBe("hello");
  expect(await file.text()).toBe("hello");
  expect(await file.slice(1, 3).text()).toBe("el");
  expect((await file.stat()).size).toBe(5);
  await file.delete();
  expect(await file.exists()).toBe(false);
});

test("a listing comes in pages, folders once", async () => {
  for (const key of ["a/1", "a/b/2", "a/b/3", "a/c", "x"]) server.put(key, "1");
  const first = await client().list({ prefix: "a/", delimiter: "/" });
  const token = first.nextContinuationToken;
  if (token === undefined) throw new Error("one page");
  const second = await client().list({ prefix: "a/", delimiter: "/", continuationToken: token });
  expect([first, second].flatMap((page) => page.contents ?? []).map(({ key }) => key)).toEqual([
    "a/1",
    "a/c",
  ]);
  expect(first.commonPrefixes?.map(({ prefix }) => prefix)).toEqual(["a/b/"]);
  expect(second.isTruncated).toBe(false);
});

test("a multipart upload", async () => {
  const bytes = Buffer.alloc(12 * 1024 * 1024, "kvdb");
  const writer = client()
    .file("big")
    .writer({ partSize: 5 * 1024 * 1024 });
  for (let start = 0; start < bytes.length; start += 1 << 20) {
    await writer.write(bytes.subarray(start, start + (1 << 20)));
  }
  await writer.end();
  expect(server.contents("big")?.equals(bytes)).toBe(true);
  expect(server.openUploads()).toEqual([]);
});

test("who is not known, or asks for what is not there, is refused", async () => {
  expect(await codeOf(client({ secretAccessKey: "wrong" }).file("a").text())).toBe(
    "SignatureDoesNotMatch",
  );
  expect(await codeOf(client({ accessKeyId: "wrong" }).file("a").text())).toBe(
    "InvalidAccessKeyId",
  );
  expect(await codeOf(client({ bucket: "other" }).file("a").text())).toBe("NoSuchBucket");
  expect(await codeOf(client().file("a").text())).toBe("NoSuchKey");
});
