/**
 * Whether two servers hold the same: a replica and its primary when the one has heard all that the other has said. What they
 * hold is asked of each by itself (DEBUG DIGEST, DEBUG DIGEST-VALUE); what differs is named key by key.
 */
import { isDeepStrictEqual } from "node:util";
import { type Client, type Reply, ReplyError } from "../e2e/support/client.ts";
import { PATIENCE_MS, until } from "../e2e/support/poll.ts";
import { quote } from "../oracle/byte-text.ts";
import { contentDifferences, type KeyPlace } from "./contents.ts";
import type { Member } from "./member.ts";

const DATABASES = 16;
/** More of them say no more. */
const MOST_DIFFERENCES = 20;
const LAST_LINES = 40;

/** Resolves when the link is up and the replica has done all that the primary had said when this was called, and maybe more. */
export async function inStep(primary: Member, replica: Member, limitMs?: number): Promise<void> {
  const goal = await primary.infoNumber("replication", "master_repl_offset");
  let last = "";
  try {
    await until(
      `offset ${goal} is reached`,
      async () => {
        const [above, below] = await Promise.all([linesOf(primary), linesOf(replica)]);
        if (above === null || below === null) return false;
        last = `${summary(primary, above)}; ${summary(replica, below)}`;
        return (
          below.get("role") === "slave" &&
          below.get("master_link_status") === "up" &&
          below.get("master_sync_in_progress") === "0" &&
          below.get("master_replid") === above.get("master_replid") &&
          Number(below.get("slave_repl_offset")) >= goal
        );
      },
      limitMs,
    );
  } catch (error) {
    throw new Error(`${(error as Error).message}: ${last}\n${tail(replica)}\n${tail(primary)}`);
  }
}

/**
 * Resolves when both hold the same, deadlines included; else fails and says what differs. Looks again for a while: keys run
 * out meanwhile, and the primary says so when it has noticed.
 */
export async function agree(primary: Member, replica: Member): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS / 2;
  for (;;) {
    await inStep(primary, replica);
    // What was read of the primary may have run out by that, and the replica is to hear of it.
    if (await isSame(primary, replica)) return inStep(primary, replica);
    if (performance.now() > deadline) break;
    await primary.call("PING");
    await Bun.sleep(20);
  }
  const found = await differences(primary, replica);
  const logs = `${tail(replica)}\n${tail(primary)}`;
  throw new Error(`${replica.name} differs from ${primary.name}:\n${found.join("\n")}\n${logs}`);
}

async function isSame(primary: Member, replica: Member): Promise<boolean> {
  const digest = (member: Member) => member.call("DEBUG", "DIGEST");
  const [one, other] = await Promise.all([digest(primary), digest(replica)]);
  if (one !== other) return false;
  return (await differences(primary, replica)).length === 0;
}

async function differences(primary: Member, replica: Member): Promise<string[]> {
  const isOurs = primary.kind === "kvdb" && replica.kind === "kvdb";
  const [one, other] = await Promise.all([read(primary, isOurs), read(replica, isOurs)]);
  const names = new Set([...one.keys(), ...other.keys()]);
  const found: string[] = [];
  for (const name of names) {
    const [expected, actual] = [one.get(name), other.get(name)];
    if (isDeepStrictEqual(expected?.facts, actual?.facts)) continue;
    if (found.length >= MOST_DIFFERENCES) break;
    const what = `${name}: ${show(expected?.facts)} there, ${show(actual?.facts)} here`;
    const place = expected?.place;
    const within = place === undefined ? "" : await contentDifferences([primary, replica], place);
    found.push(within === "" ? what : `${what}; ${within}`);
  }
  return found;
}

interface Found {
  readonly facts: unknown;
  /** Undefined: it is no key. */
  readonly place?: KeyPlace;
}

/** By `database key`: type, digest, deadline, and what DEBUG DIGEST leaves out. */
async function read(member: Member, isOurs: boolean): Promise<Map<string, Found>> {
  using client = await member.connect();
  client.binary = true;
  const found = new Map<string, Found>();
  for (let database = 0; database < DATABASES; database++) {
    await client.call("SELECT", database);
    const keys = ((await client.call("KEYS", "*")) as Buffer[]).sort(Buffer.compare);
    const facts = await Promise.all([
      client.pipeline(keys.map((key) => ["TYPE", key])),
      client.pipeline(keys.map((key) => ["DEBUG", "DIGEST-VALUE", key])),
      client.pipeline(keys.map((key) => ["PEXPIRETIME", key])),
    ]);
    for (const [index, key] of keys.entries()) {
      const [type, digest, deadline] = facts.map((replies) => plain(replies[index] ?? null));
      const more = await beyondDigest(client, key, String(type), isOurs);
      found.set(`${database} ${quote(key.toString("latin1"))}`, {
        facts: [type, digest, deadline, more],
        place: { database, key, type: String(type) },
      });
    }
    // Keys that have run out and are not deleted yet count here and in the digest, and are seen nowhere else.
    found.set(`${database} (keys)`, { facts: await client.call("DBSIZE") });
    if (isOurs) found.set(`${database} (indexes)`, { facts: await definitions(client) });
  }
  return found;
}

/** Groups of a stream, bytes of a document, deadlines of fields. */
async function beyondDigest(
  client: Client,
  key: Buffer,
  type: string,
  isOurs: boolean,
): Promise<unknown> {
  if (type === "stream") return groupsOf(client, key, isOurs);
  if (!isOurs) return null;
  if (type === "ReJSON-RL") return plain(await client.ask("GET", key));
  if (type !== "hash") return null;
  const fields = ((await client.ask("HKEYS", key)) as Buffer[]).sort(Buffer.compare);
  if (fields.length === 0) return null;
  return plain(await client.ask("HPEXPIRETIME", key, "FIELDS", fields.length, ...fields));
}

/**
 * redis-server 7.0.15 does not tell its replicas of a consumer for whom there was nothing to read, nor always how many
 * entries a group has read.
 */
async function groupsOf(client: Client, key: Buffer, isOurs: boolean): Promise<unknown> {
  const groups = plain(await client.ask("XINFO", "GROUPS", key));
  if (isOurs || !Array.isArray(groups)) return groups;
  return groups.map((group: unknown[]) =>
    ["name", "pending", "last-delivered-id"].map((name) => group[group.indexOf(name) + 1]),
  );
}

async function definitions(client: Client): Promise<unknown> {
  const indexes = plain(await client.ask("INDEX", "INFO"));
  if (!Array.isArray(indexes)) return indexes;
  return indexes.map((index) => {
    const words = index as string[];
    return ["name", "definition"].map((name) => words[words.indexOf(name) + 1]);
  });
}

function plain(reply: Reply): unknown {
  if (reply instanceof ReplyError) return `(error) ${reply.message}`;
  if (Buffer.isBuffer(reply)) return reply.toString("latin1");
  return Array.isArray(reply) ? reply.map(plain) : reply;
}

function show(facts: unknown): string {
  return facts === undefined ? "nothing" : JSON.stringify(facts);
}

/** null: it is loading a copy. */
async function linesOf(member: Member): Promise<ReadonlyMap<string, string> | null> {
  try {
    return await member.info("replication");
  } catch (error) {
    if (error instanceof ReplyError && error.code === "LOADING") return null;
    throw error;
  }
}

function summary(member: Member, info: ReadonlyMap<string, string>): string {
  const fields = [
    ...["role", "master_link_status", "master_sync_in_progress", "master_replid"],
    ...["slave_repl_offset", "master_repl_offset", "connected_slaves"],
  ];
  return `${member.name}: ${fields.map((field) => `${field}=${info.get(field)}`).join(" ")}`;
}

/** The last that it has said since its latest start. */
export function tail(member: Member): string {
  return `--- ${member.name}\n${member.log.split("\n").slice(-LAST_LINES).join("\n")}`;
}
