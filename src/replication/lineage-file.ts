/**
 * `replication.json` in the data folder: where the stream of replication has been. Written anew as a whole, so that a crash leaves
 * the old or the new one; nothing in it is secret. Whoever has no such file has never used the stream.
 *
 *   { "format": 1,
 *     "anchors": [
 *       { "revision": 1, "id": "8e5c…", "offset": 1, "database": -1, "continues": false, "following": false },
 *       { "revision": 840, "id": "8e5c…", "offset": 65536, "database": 0, "continues": true, "following": false } ],
 *     "end": { "revision": 912, "offset": 70113 } }
 *
 * One that is pending has `"pending": true` besides. What each means is lineage.ts's to say. `end` is there after a stop in order alone, and is gone before the next change. No data
 * depends on the file: a damaged one costs full copies, and is told.
 */
import { join } from "node:path";
import { KvdbError } from "../errors.ts";
import type { Files } from "../platform/files.ts";
import { type Anchor, Lineage, type StreamEnd } from "./lineage.ts";

export const LINEAGE_FILE = "replication.json";
const FORMAT = 1;
/** Far more than the most anchors need. */
const MOST_BYTES = 4 * 1024 * 1024;
const ID = /^[0-9a-f]{40}$/;

export interface ReadLineage {
  readonly lineage: Lineage;
  readonly end: StreamEnd | undefined;
}

/** undefined: there is none. Rejects with a KvdbError("DAMAGE") when it is no such file. */
export async function readLineage(files: Files, folder: string): Promise<ReadLineage | undefined> {
  const path = join(folder, LINEAGE_FILE);
  if (!(await files.exists(path))) return undefined;
  const file = await files.open(path, "read");
  try {
    const size = await file.size();
    if (size > MOST_BYTES) throw damaged(path, `it has ${size} bytes`);
    const bytes = Buffer.alloc(size);
    const count = await file.read(bytes, 0, size, 0);
    return parse(path, bytes.toString("utf8", 0, count));
  } finally {
    await file.close();
  }
}

/** Durable when it resolves. */
export async function writeLineage(
  files: Files,
  folder: string,
  { lineage, end }: ReadLineage,
): Promise<void> {
  const anchors = lineage.anchors.map(({ isFollowing, isPending, ...anchor }) => ({
    ...anchor,
    following: isFollowing,
    ...(isPending && { pending: isPending }),
  }));
  const lines = anchors.map((anchor) => `    ${JSON.stringify(anchor)}`).join(",\n");
  const tail = end === undefined ? "" : `,\n  "end": ${JSON.stringify(end)}`;
  const text = `{\n  "format": ${FORMAT},\n  "anchors": [\n${lines}\n  ]${tail}\n}\n`;
  await files.replace(join(folder, LINEAGE_FILE), Buffer.from(text));
}

function parse(path: string, text: string): ReadLineage {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    throw damaged(path, "it is no JSON", error);
  }
  if (!isObject(content)) throw damaged(path, "it is no object");
  const { format, anchors, end } = content;
  if (format !== FORMAT) throw damaged(path, `its format is ${JSON.stringify(format)}`);
  if (!Array.isArray(anchors) || anchors.length === 0) throw damaged(path, "it has no anchors");
  const read = anchors.map((anchor, index) => {
    if (isAnchor(anchor)) return fromFile(anchor);
    throw damaged(path, `anchor ${index} is none`);
  });
  const isSorted = read.every(
    ({ revision }, i) => i === 0 || revision >= (read[i - 1]?.revision ?? 0),
  );
  if (!isSorted) throw damaged(path, "its anchors are in no order");
  if (end !== undefined && !isEnd(end)) throw damaged(path, "its end is none");
  return { lineage: new Lineage(read), end };
}

type FileAnchor = Omit<Anchor, "isFollowing" | "isPending"> & {
  readonly following: boolean;
  readonly pending?: true;
};

function fromFile({ following, pending, ...anchor }: FileAnchor): Anchor {
  return { ...anchor, isFollowing: following, ...(pending && { isPending: pending }) };
}

const MEMBERS = ["revision", "id", "offset", "database", "continues", "following"];

function isAnchor(given: unknown): given is FileAnchor {
  if (!isObject(given)) return false;
  const { pending = true, ...members } = given;
  if (Object.keys(members).sort().join() !== MEMBERS.toSorted().join()) return false;
  const { revision, id, offset, database, continues, following } = members;
  const isPlace = isCount(revision) && isCount(offset) && isCount(database, -1);
  const isMarked =
    typeof continues === "boolean" && typeof following === "boolean" && pending === true;
  return isPlace && isMarked && typeof id === "string" && ID.test(id);
}

function isEnd(given: unknown): given is StreamEnd {
  return isObject(given) && isCount(given["revision"]) && isCount(given["offset"]);
}

function isCount(given: unknown, least = 0): boolean {
  return Number.isSafeInteger(given) && (given as number) >= least;
}

function isObject(given: unknown): given is Record<string, unknown> {
  return typeof given === "object" && given !== null && !Array.isArray(given);
}

function damaged(path: string, reason: string, cause?: unknown): KvdbError {
  return new KvdbError("DAMAGE", `${path} is damaged: ${reason}`, { cause });
}
