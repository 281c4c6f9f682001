/** A stream as the commands that make it again, exactly: IDs, counts, groups, consumers, what is pending. */
import type { Part } from "../client/link.ts";

/** Items as stream-text.ts has them: the kind, then the rest. */
export type StreamItems = readonly (readonly Buffer[])[];

interface Group {
  readonly name: Buffer;
  readonly lastId: string;
  readonly entriesRead: string;
  readonly consumers: Buffer[];
  readonly pending: Pending[];
}

interface Pending {
  readonly id: string;
  readonly consumer: number;
  readonly deliveredMs: string;
  readonly count: string;
}

interface Stream {
  readonly lastId: string;
  readonly deletedId: string;
  readonly entriesAdded: string;
  readonly entries: (readonly Buffer[])[];
  readonly groups: Group[];
}

export function* streamCommands(key: Buffer, items: StreamItems): Generator<readonly Part[]> {
  const stream = readStream(items);
  const { lastId, deletedId, entriesAdded, groups } = stream;
  const [entries, gone] = withPending(stream);
  for (const [id, ...pairs] of entries) yield ["XADD", key, id as Buffer, ...pairs];
  // An ID above zero, which it must be; the last command sets what it is.
  if (entries.length === 0) yield ["XADD", key, "MAXLEN", "0", "0-1", "f", "v"];
  for (const group of groups) yield* groupCommands(key, group);
  for (const id of gone) yield ["XDEL", key, id];
  yield ["XSETID", key, lastId, "ENTRIESADDED", entriesAdded, "MAXDELETEDID", deletedId];
}

function readStream(items: StreamItems): Stream {
  const [head = [], ...rest] = items;
  const [, lastId, deletedId, entriesAdded] = head.map(String) as [string, string, string, string];
  const stream: Stream = { lastId, deletedId, entriesAdded, entries: [], groups: [] };
  for (const [kind, ...parts] of rest) {
    const words = parts as [Buffer, ...Buffer[]];
    const group = stream.groups.at(-1);
    if (String(kind) === "entry") stream.entries.push(words);
    else if (String(kind) === "group") stream.groups.push(groupOf(words));
    else if (String(kind) === "consumer") group?.consumers.push(words[0]);
    else group?.pending.push(pendingOf(words));
  }
  return stream;
}

function groupOf(words: readonly Buffer[]): Group {
  const [name, lastId, entriesRead] = words as [Buffer, Buffer, Buffer];
  const ids = { lastId: String(lastId), entriesRead: String(entriesRead) };
  return { name, ...ids, consumers: [], pending: [] };
}

function pendingOf(words: readonly Buffer[]): Pending {
  const [id, consumer, deliveredMs, count] = words.map(String) as [string, string, string, string];
  return { id, consumer: Number(consumer), deliveredMs, count };
}

/** The entries, and between them those that are deleted and pending still; and the IDs of these. */
function withPending({ entries, groups }: Stream): [(readonly Part[])[], string[]] {
  const there = new Set(entries.map(([id]) => String(id)));
  const pending = groups.flatMap((group) => group.pending.map(({ id }) => id));
  const gone = [...new Set(pending)].filter((id) => !there.has(id));
  if (gone.length === 0) return [entries, gone];
  const all: (readonly Part[])[] = [...entries, ...gone.map((id) => [id, "f", "v"])];
  const numbered = all.map((entry) => ({ entry, id: idOf(String(entry[0])) }));
  numbered.sort((one, other) => (one.id < other.id ? -1 : 1));
  return [numbered.map(({ entry }) => entry), gone];
}

/** Its two halves as one number. */
function idOf(text: string): bigint {
  const [ms = "0", sequence = "0"] = text.split("-");
  return (BigInt(ms) << 64n) | BigInt(sequence);
}

function* groupCommands(key: Buffer, group: Group): Generator<readonly Part[]> {
  const { name, lastId, entriesRead, consumers, pending } = group;
  const read = entriesRead === "-1" ? [] : ["ENTRIESREAD", entriesRead];
  yield ["XGROUP", "CREATE", key, name, lastId, ...read];
  for (const consumer of consumers) yield ["XGROUP", "CREATECONSUMER", key, name, consumer];
  for (const { id, consumer, deliveredMs, count } of pending) {
    const claim = ["XCLAIM", key, name, consumers[consumer] as Buffer, "0", id];
    yield [...claim, "TIME", deliveredMs, "RETRYCOUNT", count, "JUSTID", "FORCE"];
  }
}
