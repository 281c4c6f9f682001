/**
 * Backups in S3, against a server of ours on loopback that verifies signatures and speaks the real
 * protocol: the contract, then what services do on a bad day.
 */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readS3Place, type S3Options } from "../../../src/backup/s3-place.ts";
import { S3Storage } from "../../../src/backup/s3-storage.ts";
import type { Clock } from "../../../src/platform/clock.ts";
import { systemClock } from "../../../src/platform/clock.ts";
import { seededRandom } from "../../../src/platform/random.ts";
import { type S3Fault, S3Server, type S3ServerOptions } from "../../suites/s3-server.ts";
import {
  failureOf,
  patternBytes,
  readFile,
  storageContract,
  writeFile,
} from "./storage-contract.ts";

const PART_BYTES = 64 * 1024;
const BIG_BYTES = 5 * PART_BYTES + 1000;
const URL = "s3://bucket/some folder/kvdb+1";
const PREFIX = "some folder/kvdb+1/";
/** Timers are so many times faster: 30 s of waiting are 1.5 s, pauses a few ms. */
const HASTE = 20;
/** For a server that is silent: 150 ms. */
const GREAT_HASTE = 200;
let haste = HASTE;

const hastyClock: Clock = {
  ...systemClock,
  after: (delayMs, run) => systemClock.after(delayMs / haste, run),
};

function storageOn(server: S3Server, options: S3Options = {}, url = URL): S3Storage {
  const place = readS3Place(
    url,
    {
      endpoint: server.endpoint,
      region: server.region,
      accessKeyId: server.accessKeyId,
      secretAccessKey: server.secretAccessKey,
      ...options,
    },
    {},
  );
  return new S3Storage(place, {
    clock: hastyClock,
    random: seededRandom(1),
    partBytes: PART_BYTES,
  });
}

function startServer(options: S3ServerOptions = {}): Promise<S3Server> {
  return S3Server.start({ minPartBytes: PART_BYTES, ...options });
}

storageContract(
  "a bucket, with listings in short pages",
  async () => {
    const server = await startServer({ pageSize: 1 });
    return {
      storage: storageOn(server),
      dispose: async () => {
        expect(server.keys().filter((key) => !key.startsWith(PREFIX))).toEqual([]);
        await server[Symbol.asyncDispose]();
      },
    };
  },
  BIG_BYTES,
);

let server: S3Server;
let storage: S3Storage;
beforeEach(async () => {
  haste = HASTE;
  server = await startServer();
  storage = storageOn(server);
});
afterEach(() => server[Symbol.asyncDispose]());

const big = patternBytes(BIG_BYTES);

function askedFor(pattern: RegExp): string[] {
  return server.requests
    .map(({ method, target, status }) => `${method} ${target} ${status}`)
    .filter((line) => pattern.test(line));
}

describe("what is asked", () => {
  test("a small file is one request, a big one a multipart upload", async () => {
    await writeFile(storage, "small", patternBytes(PART_BYTES));
    expect(server.requests.map(({ method }) => method)).toEqual(["PUT"]);
    await writeFile(storage, "big", big);
    expect(askedFor(/partNumber/).length).toBe(6);
    expect(askedFor(/^POST .*uploadId/).length).toBe(1);
    expect(server.contents(`${PREFIX}big`)?.equals(big)).toBe(true);
  });

  test("small reads one after the other share requests", async () => {
    server.put(`${PREFIX}a`, big);
    const source = await storage.open("a");
    const target = Buffer.alloc(100);
    for (let at = 0; at < BIG_BYTES; at += 100) await source.read(target, 0, 100, at);
    expect(askedFor(/^GET/)).toHaveLength(1);
  });

  test("folders below and names of others are not listed", async () => {
    server.put(`${PREFIX}a`, "1");
    server.put(`${PREFIX}deep/b`, "1");
    server.put(`${PREFIX}mit Ümlaut`, "1");
    server.put("some folder/kvdb+10/c", "1");
    expect(await storage.list()).toEqual([{ name: "a", bytes: 1 }]);
  });

  test("without a prefix the bucket itself is the place", async () => {
    const root = storageOn(server, {}, "s3://bucket/");
    expect(root.title).toBe("s3://bucket");
    await writeFile(root, "a", big);
    expect(server.keys()).toEqual(["a"]);
    expect(await root.list()).toEqual([{ name: "a", bytes: BIG_BYTES }]);
    server.leaveUpload("a");
    await root.clean((name) => name === "a");
    expect(server.openUploads()).toEqual([]);
  });

  test("an upload that was left is aborted, one of a stranger is not", async () => {
    server.leaveUpload(`${PREFIX}kvdb-1`);
    server.leaveUpload(`${PREFIX}other`);
    server.leaveUpload("elsewhere");
    await storage.clean((name) => name.startsWith("kvdb-"));
    expect(server.openUploads()).toEqual(["elsewhere", `${PREFIX}other`]);
  });

  test("abandoning aborts the upload", async () => {
    const sink = await storage.create("a");
    await sink.write(big, 0, big.length);
    await sink.abandon();
    expect([server.openUploads(), server.keys()]).toEqual([[], []]);
  });

  test("temporary credentials send their token", async () => {
    await using guarded = await startServer({ sessionToken: "TOKEN" });
    await storageOn(guarded, { sessionToken: "TOKEN" }).put("a", Buffer.from("1"));
    expect(guarded.keys()).toEqual([`${PREFIX}a`]);
    const error = await failureOf(storageOn(guarded).list());
    expect([error.code, error.message]).toEqual([
      "PERMISSION",
      expect.stringContaining("InvalidToken"),
    ]);
  });
});

describe("what passes by itself is tried again", () => {
  const faults: [string, S3Fault][] = [
    ["a failure of the service", { kind: "status", status: 500 }],
    ["a request to slow down, twice", { kind: "status", status: 503, code: "SlowDown", times: 2 }],
    ["a gateway that has no words", { kind: "status", status: 502, code: "" }],
    [
      "a timeout that comes as the client's mistake",
      { kind: "status", status: 400, code: "RequestTimeout" },
    ],
    ["a connection that is cut before the answer", { kind: "cut" }],
    ["an answer that is lost", { kind: "late" }],
    ["a server that says nothing", { kind: "silent" }],
  ];
  const fail = (fault: S3Fault): void => {
    if (fault.kind === "silent") haste = GREAT_HASTE;
    server.failNext(fault);
  };
  const targets: [string, Pick<S3Fault, "method" | "target">][] = [
    ["beginning an upload", { method: "POST", target: /uploads=/ }],
    ["a part", { method: "PUT", target: /partNumber=2/ }],
    ["the end of an upload", { method: "POST", target: /uploadId=/ }],
  ];
  for (const [target, match] of targets) {
    test.each(faults)(`at ${target}: %s`, async (_, fault) => {
      fail({ ...match, ...fault });
      await writeFile(storage, "a", big);
      expect(server.contents(`${PREFIX}a`)?.equals(big)).toBe(true);
    });
  }

  test.each(faults)("at a small file: %s", async (_, fault) => {
    fail({ method: "PUT", ...fault });
    await storage.put("a", Buffer.from("text"));
    expect(String(server.contents(`${PREFIX}a`))).toBe("text");
  });

  test.each([...faults, ["a body that ends too early", { kind: "truncate" } as const]])(
    "at a range, a small file and a listing: %s",
    async (_, fault) => {
      server.put(`${PREFIX}a`, big);
      for (const target of [/some%20folder.*a$/, /list-type/]) {
        fail({ method: "GET", target, ...(fault as S3Fault) });
      }
      expect((await readFile(storage, "a")).equals(big)).toBe(true);
      expect(await storage.list()).toEqual([{ name: "a", bytes: BIG_BYTES }]);
      fail({ method: "GET", ...(fault as S3Fault) });
      expect((await storage.get("a"))?.equals(big)).toBe(true);
    },
  );

  test("an error that comes with status 200", async () => {
    server.failNext({ method: "POST", target: /uploadId=/, kind: "error-in-ok" });
    await writeFile(storage, "a", big);
    expect(server.contents(`${PREFIX}a`)?.equals(big)).toBe(true);
  });
});

describe("what does not pass", () => {
  test("a service that stays down: an error after some attempts, and nothing is listed", async () => {
    server.failNext({
      target: /partNumber=2/,
      kind: "status",
      status: 503,
      code: "SlowDown",
      times: 99,
    });
    const sink = await storage.create("a");
    const write = async () => {
      await sink.write(big, 0, big.length);
      await sink.finish();
    };
    const error = await failureOf(write());
    expect(error.code).toBe("UNAVAILABLE");
    expect(error.message).toBe(
      `writing s3://bucket/${PREFIX}a: SlowDown: made to fail (HTTP 503), tried 6 times`,
    );
    await sink.abandon();
    expect([await storage.list(), server.openUploads()]).toEqual([[], []]);
  });

  test.each<S3Fault>([{ kind: "status", status: 500 }, { kind: "cut" }, { kind: "late" }])(
    "from any request on, %j: whole or not at all, and nothing is left",
    async (fault) => {
      haste = GREAT_HASTE;
      const failed: boolean[] = [];
      for (let skip = 0; failed.at(-1) !== false; skip++) {
        server.failNext({ ...fault, skip, times: 999 });
        const sink = await storage.create("a");
        const write = async () => {
          await sink.write(big, 0, big.length);
          await sink.finish();
        };
        failed.push(
          await write().then(
            () => false,
            () => true,
          ),
        );
        server.heal();
        if (!failed.at(-1)) break;
        await sink.abandon();
        expect(await storage.list()).toEqual([]);
        // The answer that told the id of the upload may have been lost.
        await storage.clean(() => true);
        expect(server.openUploads()).toEqual([]);
      }
      expect(failed.length).toBeGreaterThan(7);
      expect((await readFile(storage, "a")).equals(big)).toBe(true);
    },
  );

  test("nobody listens", async () => {
    const away = storageOn(server, { endpoint: "http://127.0.0.1:1" });
    const error = await failureOf(away.list());
    expect([error.code, error.message]).toEqual([
      "UNAVAILABLE",
      expect.stringContaining("tried 6 times"),
    ]);
  });

  test("the end of an upload that stays in the dark: nothing of it stays after abandon", async () => {
    server.failNext({ method: "POST", target: /uploadId=/, kind: "late" });
    server.failNext({ method: "POST", target: /uploadId=/, kind: "cut", times: 99 });
    const sink = await storage.create("a");
    await sink.write(big, 0, big.length);
    expect((await failureOf(sink.finish())).code).toBe("UNAVAILABLE");
    expect(server.keys()).toEqual([`${PREFIX}a`]);
    await sink.abandon();
    expect(server.keys()).toEqual([]);
  });

  test("an upload that somebody aborted is no success", async () => {
    const sink = await storage.create("a");
    await sink.write(big, 0, big.length);
    await storage.clean(() => true);
    const error = await failureOf(sink.finish());
    expect([error.code, error.message]).toEqual(["IO", expect.stringContaining("NoSuchUpload")]);
    expect(server.keys()).toEqual([]);
  });

  test("a file that is replaced while it is read is an error, never a mixture", async () => {
    const huge = Buffer.concat([big, Buffer.alloc(5 * 1024 * 1024)]);
    server.put(`${PREFIX}a`, huge);
    const source = await storage.open("a");
    const target = Buffer.alloc(huge.length);
    await source.read(target, 0, 10, 0);
    server.put(`${PREFIX}a`, Buffer.alloc(huge.length, 1));
    const error = await failureOf(source.read(target, 0, huge.length, 0));
    expect(error.message).toContain("PreconditionFailed");
  });

  test.each<[string, S3Options, string, string, string]>([
    [
      "a wrong secret",
      { secretAccessKey: "WRONGSECRET" },
      URL,
      "PERMISSION",
      "SignatureDoesNotMatch",
    ],
    ["a wrong key", { accessKeyId: "WRONGKEYID" }, URL, "PERMISSION", "InvalidAccessKeyId"],
    ["a wrong region", { region: "eu-north-9" }, URL, "CONFIG", "us-east-1"],
    ["a missing bucket", {}, "s3://missing/kvdb", "CONFIG", "NoSuchBucket"],
  ])("%s: told at once, at every operation", async (_, options, url, code, word) => {
    const wrong = storageOn(server, options, url);
    const sink = await wrong.create("a");
    await sink.write(big, 0, 1000);
    const bigSink = await wrong.create("b");
    const attempts = [
      () => sink.finish(),
      () => bigSink.write(big, 0, big.length),
      () => wrong.list(),
      () => wrong.put("a", Buffer.alloc(1)),
      () => wrong.get("a"),
      () => wrong.remove("a"),
      () => wrong.clean(() => true),
    ];
    for (const attempt of attempts) {
      const error = await failureOf(attempt());
      expect([error.code, error.message]).toEqual([code as "IO", expect.stringContaining(word)]);
      expect(error.message).toContain(url);
      expect(error.message).not.toMatch(/tried|WRONGSECRET|WRONGKEYID|wJalrXUtn/);
    }
    // No request was made twice.
    expect(server.requests).toHaveLength(attempts.length);
  });

  test("told also where answers have no body", async () => {
    server.put(`${PREFIX}a`, "1");
    const region = await failureOf(storageOn(server, { region: "eu-north-9" }).open("a"));
    expect(region.message).toContain("the bucket is in region us-east-1 (HTTP 400)");
    const secret = await failureOf(storageOn(server, { secretAccessKey: "WRONG" }).open("a"));
    expect([secret.code, secret.message]).toEqual([
      "PERMISSION",
      expect.stringContaining("Forbidden"),
    ]);
  });

  test("a redirect is not followed", async () => {
    server.failNext({ kind: "status", status: 301, code: "PermanentRedirect" });
    const error = await failureOf(storage.list());
    expect([error.code, error.message]).toEqual([
      "CONFIG",
      expect.stringContaining("PermanentRedirect"),
    ]);
  });

  test("a web server that is none of S3", async () => {
    const web = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: () => new Response("<html>hi"),
    });
    try {
      const strange = storageOn(server, { endpoint: web.url.origin });
      const error = await failureOf(strange.list());
      expect([error.code, error.message]).toEqual(["IO", expect.stringContaining("server of S3")]);
    } finally {
      await web.stop(true);
    }
  });

  test("a server that quotes secrets is not passed on", async () => {
    const web = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: () =>
        new Response(
          `<Error><Code>AccessDenied</Code><Message>${server.secretAccessKey} TOKEN</Message></Error>`,
          { status: 403 },
        ),
    });
    try {
      const options = { endpoint: web.url.origin, sessionToken: "TOKEN" };
      const error = await failureOf(storageOn(server, options).list());
      expect(error.message).toBe(
        `listing s3://bucket/${PREFIX.slice(0, -1)}: AccessDenied: … … (HTTP 403)`,
      );
    } finally {
      await web.stop(true);
    }
  });
});

test("a clock that is wrong by an hour: the error says so", async () => {
  const wrongClock: Clock = { ...hastyClock, now: () => systemClock.now() - 3_600_000 };
  const { accessKeyId, secretAccessKey, endpoint } = server;
  const place = readS3Place(URL, { endpoint, accessKeyId, secretAccessKey }, {});
  const late = new S3Storage(place, { clock: wrongClock, random: seededRandom(1) });
  const error = await failureOf(late.list());
  expect([error.code, error.message]).toEqual([
    "PERMISSION",
    expect.stringContaining("RequestTimeTooSkewed"),
  ]);
});
