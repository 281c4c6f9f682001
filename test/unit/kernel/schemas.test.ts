/**
 * The files that scripts/schemas.ts writes are fresh, and the editor's schema judges as the kernel
 * does.
 */
import { expect, test } from "bun:test";
import { Ajv } from "ajv";
import { generatedFiles, generateSchemas } from "../../../scripts/schemas.ts";
import { ajvOptions } from "../../../src/kernel/validation.ts";

test("the generated files are fresh (else: bun scripts/schemas.ts)", async () => {
  const { validators, editorSchema } = await generateSchemas();
  expect(await Bun.file(generatedFiles.validators).text()).toBe(validators);
  expect(await Bun.file(generatedFiles.editorSchema).text()).toBe(editorSchema);
});

test("the schema for editors knows the options of built-in plugins", async () => {
  const schema = await Bun.file(generatedFiles.editorSchema).json();
  const judge = new Ajv({ ...ajvOptions, useDefaults: false, strict: false }).compile(schema);
  const judgements: [object, boolean][] = [
    [{}, true],
    [{ persistence: "wal" }, true],
    [{ persistence: { use: "wal", fsync: "always" } }, true],
    [{ persistence: { use: "wal", fsnc: "always" } }, false],
    [{ persistence: { use: "of-a-plugin", anything: 1 } }, true],
    [{ frontends: ["resp", { use: "resp", port: 1 }] }, true],
    [{ frontends: [{ use: "resp", prt: 1 }] }, false],
    [{ databses: 1 }, false],
    [{ parameters: { "list-max-listpack-size": -1, "of-a-plugin": true } }, true],
    [{ parameters: { "list-max-listpack-size": [] } }, false],
    [{ indexes: { x: { use: "hash", field: "a", hash: "sha256", unique: true } } }, true],
    [{ indexes: { x: { use: "hash", fields: ["a", "b"] } } }, true],
    [{ indexes: { x: { use: "hash", field: "a", hash: "md5" } } }, false],
    [{ indexes: { x: { use: "hash", field: "a", hsah: "sha256" } } }, false],
    [{ indexes: { x: { use: "ordered", field: "a", hash: "sha256" } } }, false],
    [{ indexes: { x: { use: "hash" } } }, false],
    [{ indexes: { x: { use: "hash", field: "a", fields: ["a"] } } }, false],
    [{ indexes: { x: { use: "of-a-plugin", field: "a", anything: "1" } } }, true],
  ];
  for (const [config, right] of judgements)
    expect([config, judge(config)]).toEqual([config, right]);
});

test("an editor completes the parameters that have no key of their own", async () => {
  const schema = await Bun.file(generatedFiles.editorSchema).json();
  const names = Object.keys(schema.properties.parameters.properties);
  expect(names).toContain("hash-max-listpack-entries");
  for (const name of ["maxmemory", "hash-max-ziplist-entries", "appendfsync"]) {
    expect(names).not.toContain(name);
  }
});

test("a compiled validator imports nothing: no ajv at run time", async () => {
  const source = await Bun.file(generatedFiles.validators).text();
  expect(source).not.toMatch(/\brequire\(|\bfrom "|\bimport\(/);
});
