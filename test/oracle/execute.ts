/**
 * Runs one sequence of steps on one server, from an empty keyspace and over a fresh connection, and
 * collects the replies. Plain steps go out as one pipeline; SCAN and closing steps stand alone.
 */

import { fromBytes } from "./byte-text.ts";
import { type Ending, RespClient } from "./resp-client.ts";
import { readReply } from "./resp-reply.ts";
import { commandsOf, encode, type Step, step } from "./step.ts";

export type Outcome = {
  /** One text per reply, in the order in which they came; a whole SCAN counts as one. */
  readonly replies: readonly string[];
  readonly ending: Ending;
  /** The replies to EPILOGUE, over a connection of its own. */
  readonly state: readonly string[];
};

type BatchOutcome = Pick<Outcome, "replies" | "ending">;

type ScanStep = Extract<Step, { kind: "scan" }>;

/** A scan of a few keys takes a few rounds; one that never comes back to 0 must end as well. */
const MOST_SCAN_ROUNDS = 1_000;

/**
 * Expired keys must go when they are looked at, and not at a moment that each server picks. The
 * setting outlives the sequence; setting it each time makes a restarted server right as well.
 */
const PROLOGUE: readonly Step[] = [
  step(["FLUSHALL"]),
  step(["DEBUG", "SET-ACTIVE-EXPIRE", "0"]),
  // A few members cross the limit.
  step(["CONFIG", "SET", "set-max-intset-entries", "5", "hll-sparse-max-bytes", "200"]),
  step(["CONFIG", "SET", "zset-max-listpack-entries", "5"]),
  step(["CONFIG", "SET", "hash-max-listpack-entries", "6", "hash-max-listpack-value", "16"]),
  step(["CONFIG", "SET", "stream-node-max-entries", "4"]),
];

/** What the server holds when the steps are done; the digest leaves out the times to live. */
export const EPILOGUE: readonly Step[] = [
  step(["DEBUG", "DIGEST"]),
  ...timesOf("0"),
  ...timesOf("1"),
];

export async function execute(port: number, steps: readonly Step[]): Promise<Outcome> {
  const client = await RespClient.open(port);
  await prepare(client, port);
  const replies: string[] = [];
  let ending: Ending = "open";
  for (const batch of batches(steps)) {
    const outcome = await runBatch(client, batch);
    replies.push(...outcome.replies);
    ending = outcome.ending;
    if (ending !== "open") break;
  }
  client.close();
  const observer = await RespClient.open(port);
  const state = await runBatch(observer, EPILOGUE);
  observer.close();
  return { replies, ending, state: state.replies };
}

/** A server that is gone is for the caller to notice; one that refuses cannot be tested. */
async function prepare(client: RespClient, port: number): Promise<void> {
  const { replies, ending } = await runBatch(client, PROLOGUE);
  const text = replies.join("");
  if (ending !== "open" || text === "+OK\r\n".repeat(PROLOGUE.length)) return;
  throw new Error(`the server on port ${port} cannot be prepared: ${text.trim()}`);
}

function timesOf(database: string): Step[] {
  const times = ["a", "b", "c", "d"].map((key) => step(["PEXPIRETIME", key], { within: 2_000 }));
  return [step(["SELECT", database]), ...times];
}

/**
 * The steps cut into what may be sent at once. A closing step is alone, for a server that closes
 * with unread bytes before it makes the kernel throw away replies that are still on their way.
 */
function batches(steps: readonly Step[]): Step[][] {
  const result: Step[][] = [];
  let plain: Step[] | null = null;
  for (const step of steps) {
    if (step.kind !== "commands") {
      result.push([step]);
      plain = null;
    } else if (plain === null) {
      plain = [step];
      result.push(plain);
    } else {
      plain.push(step);
    }
  }
  return result;
}

async function runBatch(client: RespClient, batch: readonly Step[]): Promise<BatchOutcome> {
  const [first] = batch;
  if (first?.kind === "scan") return runScan(client, first);
  const { replies, ending } = await client.exchange(batch.flatMap(commandsOf).map(encode));
  return { replies: replies.map(fromBytes), ending };
}

/** One reply for all pages: a RESP3 set of the keys, or the reply that is no page of a scan. */
async function runScan(client: RespClient, scan: ScanStep): Promise<BatchOutcome> {
  const found = new Set<string>();
  let cursor = scan.cursor;
  for (let round = 0; round < MOST_SCAN_ROUNDS; round++) {
    const words = [...scan.command, cursor, ...scan.options];
    const { replies, ending } = await client.exchange([encode({ words, answer: "exact" })]);
    const [reply] = replies;
    const page = reply === undefined || replies.length > 1 ? null : readPage(reply);
    if (page === null) return { replies: replies.map(fromBytes), ending };
    for (const key of page.keys) found.add(key);
    if (page.cursor === "0") return { replies: [asSetReply(found)], ending };
    cursor = page.cursor;
  }
  return { replies: ["(a scan without end)"], ending: "open" };
}

function asSetReply(members: ReadonlySet<string>): string {
  return `~${members.size}\r\n${[...members].sort().join("")}`;
}

/** Cursor and keys (with their framing) of a page of a scan, or null when it has another form. */
function readPage(reply: Uint8Array): { cursor: string; keys: string[] } | null {
  const page = readReply(reply, 0);
  const [cursor, keys] = page?.items ?? [];
  if (page?.type !== "*" || cursor?.type !== "$" || keys?.type !== "*") return null;
  const texts = keys.items.map((key) => fromBytes(reply.subarray(key.start, key.end)));
  return { cursor: cursor.text ?? "", keys: texts };
}
