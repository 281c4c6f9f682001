/**
 * All keys of a database that are wanted, with their values, a page at a time: each that is there all the while comes once, as
 * it is when it passes. Keys come by VALUE.KEYS, with a filter by FIND; values by VALUE.EXPORT.
 */
import type { Part } from "../client/link.ts";
import { KvdbError } from "../errors.ts";
import type { Answer } from "../resp/answer.ts";
import type { EntryKind, TransferEntry } from "../transfer/entry.ts";
import type { Call } from "./transfer-data.ts";

export interface ExportedPage {
  readonly entries: readonly TransferEntry[];
  /** How much of the whole has passed, from 0 to 1; undefined: nobody knows. */
  readonly share: number | undefined;
}

export interface WantedKeys {
  readonly prefix: string | undefined;
  readonly filter: string | undefined;
}

/** Values that are asked for at a time; an answer ends at 1 MiB in any case. */
const KEYS_AT_ONCE = 256;
const FOUND_AT_ONCE = 1000;
/** Cursors of VALUE.KEYS are below. */
const CURSORS = 2 ** 32;

/** Of the database that is chosen. */
export async function* exportedKeys(call: Call, wanted: WantedKeys): AsyncGenerator<ExportedPage> {
  let cursor = "0";
  do {
    const answer = await call(keysRequest(wanted, cursor));
    const [next, found] = itemsOf(answer);
    cursor = textOf(next);
    const keys = itemsOf(found).map((item) => keyOf(item));
    const isOver = cursor === "0";
    const share = wanted.filter === undefined ? (isOver ? 1 : Number(cursor) / CURSORS) : undefined;
    if (keys.length === 0) yield { entries: [], share };
    for (let at = 0; at < keys.length; ) {
      const asked = keys.slice(at, at + KEYS_AT_ONCE);
      const values = itemsOf(await call(["VALUE.EXPORT", ...asked]));
      if (values.length === 0) throw strange();
      yield { entries: values.flatMap((value, i) => entryOf(asked[i] as Buffer, value)), share };
      at += values.length;
    }
  } while (cursor !== "0");
}

function keysRequest({ prefix, filter }: WantedKeys, cursor: string): Part[] {
  if (filter === undefined) {
    return ["VALUE.KEYS", "CURSOR", cursor, ...(prefix === undefined ? [] : ["PREFIX", prefix])];
  }
  const within = prefix === undefined ? [] : ["IN", `${prefix}*`];
  return ["FIND", filter, ...within, "CURSOR", cursor, "LIMIT", String(FOUND_AT_ONCE)];
}

/** FIND answers rows, a key and its document. */
function keyOf(item: Answer): Buffer {
  const key = item.kind === "array" ? item.items[0] : item;
  if (key?.kind === "bulk") return key.bytes;
  throw strange();
}

/** None: the key has gone meanwhile. */
function entryOf(key: Buffer, answer: Answer): TransferEntry[] {
  if (answer.kind === "null") return [];
  const [kind, deadline, value] = itemsOf(answer);
  if (deadline?.kind !== "integer" || value?.kind !== "bulk") throw strange();
  const deadlineMs = Number(deadline.value);
  return [{ key, kind: textOf(kind) as EntryKind, deadlineMs, value: value.bytes }];
}

function itemsOf(answer: Answer | undefined): readonly Answer[] {
  if (answer?.kind === "array") return answer.items;
  throw strange();
}

function textOf(answer: Answer | undefined): string {
  if (answer?.kind === "bulk") return answer.bytes.toString();
  if (answer?.kind === "status") return answer.text;
  throw strange();
}

function strange(): KvdbError {
  return new KvdbError("UNAVAILABLE", "who holds the folder answers as no kvdb does");
}
