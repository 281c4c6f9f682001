/** What the config cases cannot show: freezing, copies, and surroundings that fail. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmod, mkdir, mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KvdbError } from "../../../src/errors.ts";
import { type ConfigRequest, loadConfig } from "../../../src/kernel/config.ts";
import { compiledSchemas } from "../../../src/kernel/validators.generated.ts";
import { systemFiles } from "../../../src/platform/files.ts";

let folder = "";
beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "kvdb-config-")));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function request(currentFolder: string, changes: Partial<ConfigRequest> = {}): ConfigRequest {
  return {
    surroundings: {
      currentFolder,
      homeFolder: folder,
      files: systemFiles,
      ownerOf: async () => 1,
      user: 1,
    },
    environment: {},
    configFile: undefined,
    options: [],
    serve: false,
    schemas: compiledSchemas,
    ...changes,
  };
}

async function inFolder(name: string, files: Record<string, string>): Promise<string> {
  const path = join(folder, name);
  for (const [file, text] of Object.entries(files)) await Bun.write(join(path, file), text);
  return path;
}

function everyObject(value: unknown): object[] {
  if (typeof value !== "object" || value === null) return [];
  return [value, ...Object.values(value).flatMap(everyObject)];
}

test("the configuration is frozen to the last leaf", async () => {
  const text =
    '{ "frontends": [{ "use": "resp", "bind": ["::1"] }], "plugins": [{ "use": "./x.ts", "a": { "b": [1] } }] }';
  const path = await inFolder("frozen", { "kvdb.config.json": text });
  const { config } = await loadConfig(request(path));
  const objects = everyObject(config);
  expect(objects.length).toBeGreaterThan(8);
  for (const object of objects) expect(Object.isFrozen(object)).toBe(true);
});

test("what a .ts configuration exports is copied, not frozen and not changed", async () => {
  const path = await inFolder("copied", {
    "kvdb.config.ts":
      "export const inner = { use: 'resp' }; export default { frontends: [inner] };",
  });
  await loadConfig(request(path));
  const module = (await import(join(path, "kvdb.config.ts"))) as { inner: object };
  expect(module.inner).toEqual({ use: "resp" });
  expect(Object.isFrozen(module.inner)).toBe(false);
});

test("a .ts configuration that holds a circle or a function is told so", async () => {
  const path = await inFolder("circle", {
    "kvdb.config.ts": "const a = { use: 'x', f() {} }; a.a = a; export default { plugins: [a] };",
  });
  const failure = loadConfig(request(path));
  await expect(failure).rejects.toThrow(/plugins\[0\]\.f.*function/s);
  await expect(failure).rejects.toBeInstanceOf(KvdbError);
});

test("a .ts configuration whose own code fails for a missing file is not passed over", async () => {
  const path = await inFolder("missing", {
    "kvdb.config.ts":
      'import { readFileSync } from "node:fs"; export default { requirepass: readFileSync("/nonexistent/x", "utf8") };',
  });
  await expect(loadConfig(request(path))).rejects.toThrow("kvdb.config.ts");
});

test("a folder in the place of a configuration file is not passed over", async () => {
  const path = join(folder, "folder-as-file");
  await mkdir(join(path, "kvdb.config.json"), { recursive: true });
  await expect(loadConfig(request(path))).rejects.toThrow("kvdb.config.json");
});

test.skipIf(process.getuid?.() === 0)("a file without permission is not passed over", async () => {
  const path = await inFolder("secret", { "kvdb.config.json": "{}" });
  await chmod(join(path, "kvdb.config.json"), 0);
  await expect(loadConfig(request(path))).rejects.toThrow("kvdb.config.json");
});

test("files that cosmiconfig would run to configure itself are not run", async () => {
  const path = await inFolder("meta", {
    ".config/config.js": 'throw new Error("it ran");',
    ".config/config.ts": 'throw new Error("it ran");',
    "package.json": '{ "cosmiconfig": { "searchPlaces": ["other.json"] } }',
    "other.json": '{ "databases": 2 }',
  });
  const home = process.cwd();
  process.chdir(path);
  try {
    expect((await loadConfig(request(path))).config.databases).toBe(16);
  } finally {
    process.chdir(home);
  }
});

test("where the system has no owners, the search does without", async () => {
  const path = await inFolder("no-owners/a", {});
  await inFolder("no-owners", { "kvdb.config.json": '{ "databases": 2 }' });
  await mkdir(path, { recursive: true });
  const plain = request(path);
  const surroundings = {
    ...plain.surroundings,
    ownerOf: async () => undefined,
    user: undefined,
  };
  expect((await loadConfig({ ...plain, surroundings })).config.databases).toBe(2);
});
