/**
 * What is in a key, element by element, for who has found that two servers differ there: a digest says that they do, this says
 * in what.
 */
import { type Client, type Reply, ReplyError } from "../e2e/support/client.ts";
import { quote } from "../oracle/byte-text.ts";
import type { Member } from "./member.ts";

/** More elements say no more, and longer ones are shown by their beginning. */
const MOST_ELEMENTS = 5;
const LONGEST_SHOWN = 120;

const READING: Readonly<Record<string, (key: Buffer) => readonly (string | Buffer)[]>> = {
  string: (key) => ["GET", key],
  list: (key) => ["LRANGE", key, "0", "-1"],
  set: (key) => ["SMEMBERS", key],
  hash: (key) => ["HGETALL", key],
  zset: (key) => ["ZRANGE", key, "0", "-1", "WITHSCORES"],
  stream: (key) => ["XRANGE", key, "-", "+"],
  "ReJSON-RL": (key) => ["GET", key],
};

/** Of one that says name and value in turn. */
const PAIRS = new Set(["hash", "zset"]);

export interface KeyPlace {
  readonly database: number;
  readonly key: Buffer;
  readonly type: string;
}

/** The elements that only one of two servers has. */
export async function contentDifferences(
  members: readonly [Member, Member],
  place: KeyPlace,
): Promise<string> {
  const all = await Promise.all(members.map((member) => elements(member, place)));
  const own = all.map((mine, index) => {
    const others = new Set(all[1 - index]);
    return mine.filter((element) => !others.has(element));
  });
  if (own.every((mine) => mine.length === 0)) return "the same elements, in another order";
  return own.map((mine, index) => `${members[index]?.kind} alone: ${shown(mine)}`).join("; ");
}

async function elements(member: Member, { database, key, type }: KeyPlace): Promise<string[]> {
  const reading = READING[type];
  if (reading === undefined) return [];
  using client = await member.connect();
  client.binary = true;
  await client.call("SELECT", database);
  const found = await readAll(client, reading(key));
  if (!PAIRS.has(type)) return found;
  return found.flatMap((name, i) => (i % 2 === 0 ? [`${name} = ${found[i + 1]}`] : []));
}

async function readAll(client: Client, command: readonly (string | Buffer)[]): Promise<string[]> {
  const [name = "", ...rest] = command;
  const reply = await client.ask(name as string, ...rest);
  return Array.isArray(reply) ? reply.map(text) : [text(reply)];
}

function text(reply: Reply): string {
  if (reply instanceof ReplyError) return `(error) ${reply.message}`;
  if (Buffer.isBuffer(reply)) return quote(reply.toString("latin1"));
  return Array.isArray(reply) ? `[${reply.map(text).join(" ")}]` : String(reply);
}

function shown(elements: readonly string[]): string {
  const first = elements.slice(0, MOST_ELEMENTS).map((element) => element.slice(0, LONGEST_SHOWN));
  const rest = elements.length - first.length;
  return `${first.join(", ")}${rest > 0 ? ` and ${rest} more` : ""}` || "nothing";
}
