/**
 * Tags by marks: the key `tag:NAME` holds the revision at which the tag became known. An entry keeps the
 * marks that its tags had, and is good while they are the same. So to drop a tag is to delete one key,
 * however many entries have it, and there is no list of entries that could grow without bound or go wrong
 * when some of them expire. A mark lives as long as the last entry that needs it.
 *
 * A mark that expires or makes room early takes its entries with it: that costs loads, never a value
 * that should be gone. For the next mark is another one: revisions only grow.
 */
import { type CommandSession, integerOf, textOf } from "kvdb";

const PREFIX = Buffer.from("tag:");

export function markKey(tag: Uint8Array): Buffer {
  return Buffer.concat([PREFIX, tag]);
}

/** The marks of the tags, in their order. 0: not known; NaN: something that is no mark. */
export function marksOf(session: CommandSession, tags: readonly Uint8Array[]): number[] {
  if (tags.length === 0) return [];
  const answer = session.call("MGET", ...tags.map(markKey));
  if (answer.kind !== "array") throw new TypeError("MGET answers an array");
  return answer.items.map((item) => Number(textOf(item) ?? 0));
}

/** Makes tags known that are not, by the mark given, and all of them for at least so long. */
export function markTags(
  session: CommandSession,
  tags: readonly Uint8Array[],
  { mark, ms }: { readonly mark: number; readonly ms: number },
): void {
  for (const tag of tags) {
    const key = markKey(tag);
    if (session.call("SET", key, mark, "PX", ms, "NX").kind !== "null") continue;
    session.call("PEXPIRE", key, ms, "GT");
  }
}

/** Makes a tag known by the revision of what is being done now: that of any key written in it. */
export function markNow(session: CommandSession, tag: Uint8Array, ms: number): void {
  const key = markKey(tag);
  session.call("SET", key, 0, "PX", ms);
  session.call("SET", key, integerOf(session.call("VERSION", key)), "KEEPTTL");
}
