/**
 * Files of a persistence that are none of the folder's any more: moved aside within it, never removed. What is to be moved
 * is written down first, where it goes to:
 *
 *   converted-from-wal/moving.json     {"persistence":"wal","files":["manifest.json","wal-00000001.log"]}
 *
 * So a conversion that was cut off behind its switch is finished by the next one; one that was cut off before has nothing
 * to move, and its list is removed.
 */
import { join } from "node:path";
import { KvdbError } from "../errors.ts";
import type { Files } from "../platform/files.ts";

const CONVERTED = "converted-from-";
const LIST_NAME = "moving.json";

/** Each conversion takes another one; who converts so often may remove some. */
const MAX_FOLDERS = 1000;

export interface MovedFiles {
  /** Name of the folder that they are in now. */
  readonly folder: string;
  readonly files: readonly string[];
}

/** What is to be moved when the folder has changed hands. Durable when it resolves. */
export async function planMove(
  files: Files,
  dir: string,
  persistence: string,
  names: readonly string[],
): Promise<MovedFiles> {
  const folder = await makeEmptyFolder(files, dir, `${CONVERTED}${persistence}`);
  const list = Buffer.from(`${JSON.stringify({ persistence, files: names })}\n`);
  await files.replace(join(dir, folder, LIST_NAME), list);
  await files.syncFolder(dir);
  return { folder, files: names };
}

/** Harmless when some of it was done before. */
export async function move(
  files: Files,
  dir: string,
  { folder, files: names }: MovedFiles,
): Promise<void> {
  const target = join(dir, folder);
  for (const name of names) {
    if (await files.exists(join(dir, name)))
      await files.rename(join(dir, name), join(target, name));
  }
  await files.syncFolder(target);
  await files.syncFolder(dir);
  await files.remove(join(target, LIST_NAME));
  await files.syncFolder(target);
}

/** Finishes what earlier conversions left; resolves to what was moved now. `owner`: whose the folder is. */
export async function finishMoves(files: Files, dir: string, owner: string): Promise<MovedFiles[]> {
  const finished: MovedFiles[] = [];
  for (const folder of await files.list(dir)) {
    if (!folder.startsWith(CONVERTED)) continue;
    const path = join(dir, folder, LIST_NAME);
    if (!(await files.exists(path))) continue;
    const { persistence, names } = await readList(files, path);
    if (persistence === owner) {
      await files.remove(path); // it came to no switch
      continue;
    }
    const left = await existing(files, dir, names);
    await move(files, dir, { folder, files: left });
    if (left.length > 0) finished.push({ folder, files: left });
  }
  return finished;
}

/** What an attempt left behind in files of this name: nobody's, but perhaps somebody wants to look at it. */
export async function setAside(
  files: Files,
  dir: string,
  persistence: string,
  names: readonly string[],
): Promise<MovedFiles> {
  const folder = await makeEmptyFolder(files, dir, `leftover-${persistence}`);
  const moved = { folder, files: names };
  await move(files, dir, moved);
  return moved;
}

export async function existing(
  files: Files,
  dir: string,
  names: readonly string[],
): Promise<string[]> {
  const found: string[] = [];
  for (const name of names) if (await files.exists(join(dir, name))) found.push(name);
  return found;
}

/** Of that name, or with a number behind it when something is in it. */
export async function makeEmptyFolder(files: Files, dir: string, base: string): Promise<string> {
  for (let number = 1; number <= MAX_FOLDERS; number++) {
    const name = number === 1 ? base : `${base}-${number}`;
    const path = join(dir, name);
    const isThere = await files.exists(path);
    if (isThere && (await files.list(path)).some((one) => !one.startsWith(LIST_NAME))) continue;
    await files.makeFolder(path);
    return name;
  }
  throw new KvdbError("IO", `${join(dir, base)} and ${MAX_FOLDERS} like it are there: remove some`);
}

async function readList(
  files: Files,
  path: string,
): Promise<{ persistence: string; names: string[] }> {
  const file = await files.open(path, "read");
  const bytes = Buffer.alloc(await file.size());
  await file.read(bytes, 0, bytes.length, 0).finally(() => file.close());
  const { persistence, files: names } = parseObject(bytes.toString());
  // It was written whole or not at all; who edits it may move nothing out of the folder.
  const isName = (name: unknown) => typeof name === "string" && !/[/\\]|^\.*$/.test(name);
  if (typeof persistence === "string" && Array.isArray(names) && names.every(isName)) {
    return { persistence, names };
  }
  throw new KvdbError("CONFIG", `${path} is not what a conversion wrote`);
}

/** Without fields when it is none. */
function parseObject(text: string): Record<string, unknown> {
  try {
    return { ...JSON.parse(text) };
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}
