/**
 * An entry: a hash under the key itself, with a deadline, which expires and makes room as any key does.
 *
 *   value   what was loaded
 *   fresh   until when it is served and nobody loads it anew, in milliseconds since 1970
 *   #NAME   of each of its tags: the mark that the tag had
 */
import { CommandError, type CommandSession, textOf } from "kvdb";
import { marksOf } from "./tags.ts";

export interface Entry {
  readonly value: Uint8Array;
  readonly freshUntilMs: number;
  readonly tags: readonly Uint8Array[];
  readonly marks: readonly number[];
}

const HASH_SIGN = 0x23;

/** The entry of a key; undefined: there is none, or one of its tags was dropped. */
export function readEntry(session: CommandSession, key: Uint8Array): Entry | undefined {
  const entry = readHash(session, key);
  const current = marksOf(session, entry?.tags ?? []);
  return entry?.marks.every((mark, index) => mark === current[index]) ? entry : undefined;
}

function readHash(session: CommandSession, key: Uint8Array): Entry | undefined {
  const answer = session.call("HGETALL", key);
  if (answer.kind !== "map") throw new TypeError("HGETALL answers a map");
  if (answer.entries.length === 0) return undefined;
  let value: Uint8Array | undefined;
  let freshUntilMs = 0;
  const tags: Uint8Array[] = [];
  const marks: number[] = [];
  for (const [field, content] of answer.entries) {
    if (field.kind !== "bulk" || content.kind !== "bulk") throw new TypeError("a hash has bytes");
    if (field.bytes[0] === HASH_SIGN) {
      tags.push(field.bytes.subarray(1));
      marks.push(Number(textOf(content)));
    } else if (textOf(field) === "value") value = content.bytes;
    else if (textOf(field) === "fresh") freshUntilMs = Number(textOf(content));
  }
  if (value !== undefined && freshUntilMs > 0) return { value, freshUntilMs, tags, marks };
  throw new CommandError("ERR", "the key holds a hash that is no entry of the cache");
}

/** Replaces whatever the key had. `staleMs`: how much longer than fresh it is there. */
export function writeEntry(
  session: CommandSession,
  key: Uint8Array,
  { value, freshUntilMs, tags, marks }: Entry,
  staleMs: number,
): void {
  const fields = tags.flatMap((tag, index) => [Buffer.concat([HASH, tag]), marks[index]]);
  session.call("DEL", key);
  session.call("HSET", key, "value", value, "fresh", freshUntilMs, ...fields);
  session.call("PEXPIREAT", key, freshUntilMs + staleMs);
}

const HASH = Buffer.from([HASH_SIGN]);
