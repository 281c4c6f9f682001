/** The history file: what is kept, in which order, how much, and whose lines. */
import { expect, test } from "bun:test";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HistoryFile } from "../../../plugins/repl/history-file.ts";
import { holdsSecret } from "../../../plugins/repl/secrets.ts";
import { systemClock } from "../../../src/platform/clock.ts";
import { systemFiles } from "../../../src/platform/files.ts";

async function withPath(use: (path: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "kvdb-history-"));
  try {
    await use(join(folder, "state", "kvdb", "history"));
  } finally {
    await rm(folder, { recursive: true });
  }
}

const fileAt = (path: string, maxLength = 100) =>
  new HistoryFile({ path, maxLength, files: systemFiles, clock: systemClock });

test("lines come back as they were, line breaks and backslashes too", () =>
  withPath(async (path) => {
    const lines = ["get a", 'set b {"a":\n 1}', String.raw`set c "\n\\n"`, "set d 日本", "\\"];
    for (const line of lines) await fileAt(path).add(line);
    expect(await fileAt(path).read()).toEqual(lines);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(join(path, ".."))).mode & 0o777).toBe(0o700);
  }));

test("no file is no history", () =>
  withPath(async (path) => {
    expect(await fileAt(path).read()).toEqual([]);
  }));

test("it stays bounded, the newest lines are kept", () =>
  withPath(async (path) => {
    for (let i = 0; i < 100; i++) await fileAt(path, 10).add(`get ${i}`);
    const count = (await readFile(path, "utf8")).trimEnd().split("\n").length;
    expect(count).toBeLessThanOrEqual(20);
    const expected = Array.from({ length: 10 }, (_, i) => `get ${90 + i}`);
    expect(await fileAt(path, 10).read()).toEqual(expected);
  }));

test("shells that add at the same time keep each other's lines", () =>
  withPath(async (path) => {
    const shells = [fileAt(path), fileAt(path), fileAt(path)];
    await Promise.all(
      shells.flatMap((shell, at) => [1, 2, 3, 4].map((line) => shell.add(`${at}:${line}`))),
    );
    expect((await shells[0]?.read())?.sort()).toEqual(
      [0, 1, 2].flatMap((at) => [1, 2, 3, 4].map((line) => `${at}:${line}`)),
    );
  }));

test.each([
  "auth secret",
  "AUTH user secret",
  'auth "unbalanced',
  "hello 3 AUTH user secret",
  "config set requirepass secret",
  "CONFIG SET maxmemory 1 masterauth secret",
  "acl setuser ada on >secret",
  "config set tls-key-file key.pem tls-key-file-pass secret",
  "migrate host 6379 key 0 1000 AUTH secret",
  "set a 1\nauth secret",
  "shell redis://ada:secret@host",
  "set link rediss://:secret@host/1",
])("R20: %j is a secret", (line) => expect(holdsSecret(line)).toBe(true));

test.each(["get auth", "set auth 1", "config get requirepass", "acl whoami", "set mail a@b.org"])(
  "R20: %j is none",
  (line) => expect(holdsSecret(line)).toBe(false),
);
