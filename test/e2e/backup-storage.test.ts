/**
 * Backups on S3 from a worker of a compiled executable, without node_modules, over a real socket; and
 * what a kill -9 in the middle leaves behind.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readPlace } from "../../src/backup/place.ts";
import { S3Server } from "../suites/s3-server.ts";

let folder = "";
let server: S3Server;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "kvdb-s3-"));
  server = await S3Server.start({ region: "eu-central-1" });
  const support = join(import.meta.dir, "support");
  const built = await Bun.build({
    entrypoints: [join(support, "storage-program.ts"), join(support, "storage-worker.ts")],
    naming: { entry: "[name].[ext]" },
    // As scripts/build.ts does.
    format: "esm",
    minify: true,
    bytecode: true,
    splitting: true,
    compile: { outfile: join(folder, "storage") },
  });
  expect(built.success).toBe(true);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

function start(action: string): Bun.Subprocess<"ignore", "pipe", "inherit"> {
  const { endpoint, region, accessKeyId, secretAccessKey } = server;
  const place = readPlace("s3://bucket/deep/backups", {
    folder,
    s3: { endpoint, region, accessKeyId, secretAccessKey },
    environment: {},
  });
  return Bun.spawn([join(folder, "storage"), action], {
    cwd: folder,
    env: { KVDB_TEST_PLACE: JSON.stringify(place) },
    stdio: ["ignore", "pipe", "inherit"],
  });
}

async function lineOf(child: Bun.Subprocess<"ignore", "pipe", "inherit">): Promise<string> {
  const { value } = await child.stdout.getReader().read();
  return new TextDecoder().decode(value);
}

test("20 MiB go there and back", async () => {
  const child = start("round-trip");
  expect(await lineOf(child)).toBe("round-trip: kvdb-1=20971520\n");
  expect(await child.exited).toBe(0);
  expect(server.contents("deep/backups/kvdb-1")?.length).toBe(20 * 1024 * 1024);
  expect(server.openUploads()).toEqual([]);
});

test("after kill -9 in the middle the old file stands, and what was left goes", async () => {
  server.put("deep/backups/kvdb-1", "old");
  const killed = start("begin");
  expect(await lineOf(killed)).toBe("begin: kvdb-1=3\n");
  killed.kill("SIGKILL");
  await killed.exited;
  expect(server.openUploads()).toEqual(["deep/backups/kvdb-1"]);
  expect(String(server.contents("deep/backups/kvdb-1"))).toBe("old");

  const cleaning = start("clean");
  expect(await lineOf(cleaning)).toBe("clean: kvdb-1=3\n");
  expect(await cleaning.exited).toBe(0);
  expect(server.openUploads()).toEqual([]);
});
