/**
 * A key as the commands that make it, for files of commands: those of every Redis from 5 on, with not more than 64 elements in
 * each, as Redis itself writes an append-only file. What Redis has no word for stands in ECHO, which Redis answers and forgets,
 * in the words of journal/annotations.ts:
 *
 *   ECHO "#kvdb-json"                                       the SET behind it makes a document
 *   ECHO "#kvdb-do HPEXPIREAT key 1767225600000 FIELDS 1 f" a command that kvdb alone runs
 *
 * A stream comes whole: what is pending of entries that were deleted needs these entries for a moment, for XCLAIM claims
 * nothing else.
 */
import type { Part } from "../client/link.ts";
import { DO_NOTE, DOCUMENT_NOTE, OwnCommand } from "../journal/annotations.ts";
import { hasIntactFooter, readPayload } from "../rdb/dump-payload.ts";
import { RdbDamage } from "../rdb/rdb-damage.ts";
import { wholeOf } from "../rdb/rdb-input.ts";
import { ValueCollector } from "../rdb/value-collector.ts";
import { ElementReader } from "../store/element-reader.ts";
import { HASH, LIST, SET, STREAM, ZSET } from "../store/entry.ts";
import { streamItemAt } from "../store/stream-text.ts";
import type { TransferEntry } from "./entry.ts";
import { type StreamItems, streamCommands } from "./stream-commands.ts";

export type Command = readonly Part[];

/** Of a command, as in Redis's files: none is long in coming. */
const ITEMS_AT_ONCE = 64;

/** There is one value at a time in the table that it hides from collisions. */
const HASH_KEY = [0x6b766462, 0x636f6d6d] as const;

export function* valueCommands(entry: TransferEntry): Generator<Command> {
  const { key, kind, deadlineMs, value } = entry;
  const deadline = String(deadlineMs);
  if (kind !== "dump") {
    if (kind === "json") yield ["ECHO", DOCUMENT_NOTE];
    yield deadlineMs === 0 ? ["SET", key, value] : ["SET", key, value, "PXAT", deadline];
    return;
  }
  const elements = collected(value);
  if (hasMinusZero(elements)) {
    yield ["RESTORE", key, deadline, value, "REPLACE", "ABSTTL"];
    return;
  }
  // Where the key is there already, its elements are not added to.
  yield ["DEL", key];
  yield* elementCommands(key, elements);
  if (deadlineMs !== 0) yield ["PEXPIREAT", key, deadline];
}

function collected(payload: Buffer): ValueCollector {
  const value = new ValueCollector(HASH_KEY);
  const span = wholeOf(payload);
  if (!hasIntactFooter(span)) throw new RdbDamage("what the server answered is no value");
  readPayload(span, value);
  value.end();
  return value;
}

/** ZADD makes zero of it in a small sorted set. */
function hasMinusZero({ type, isTimed, run, size }: ValueCollector): boolean {
  if (type !== ZSET) return false;
  const reader = new ElementReader();
  reader.beginRun(type, isTimed, run, 0, size);
  while (reader.next()) if (Object.is(reader.number, -0)) return true;
  return false;
}

function* elementCommands(key: Buffer, value: ValueCollector): Generator<Command> {
  if (value.type === STREAM) {
    yield* streamCommands(key, streamItems(value));
    return;
  }
  const word = WORDS[value.type] as string;
  const timed: (readonly [field: Buffer, deadlineMs: number])[] = [];
  let parts: Part[] = [word, key];
  let count = 0;
  const reader = new ElementReader();
  reader.beginRun(value.type, value.isTimed, value.run, 0, value.size);
  while (reader.next()) {
    const { start, end, valueStart, valueEnd, number } = reader;
    const element = value.run.subarray(start, end);
    if (value.type === ZSET) parts.push(scoreText(number));
    parts.push(element);
    if (value.type === HASH) parts.push(value.run.subarray(valueStart, valueEnd));
    if (value.type === HASH && value.isTimed && number !== 0) timed.push([element, number]);
    if (++count % ITEMS_AT_ONCE !== 0) continue;
    yield parts;
    parts = [word, key];
  }
  if (parts.length > 2) yield parts;
  yield* fieldDeadlines(key, timed);
}

const WORDS: Readonly<Record<number, string>> = {
  [LIST]: "RPUSH",
  [SET]: "SADD",
  [ZSET]: "ZADD",
  [HASH]: "HSET",
};

/** The shortest digits that are the same number again. */
function scoreText(score: number): string {
  if (Number.isFinite(score)) return String(score);
  return score > 0 ? "inf" : "-inf";
}

function* fieldDeadlines(
  key: Buffer,
  timed: readonly (readonly [field: Buffer, deadlineMs: number])[],
): Generator<Command> {
  const byMoment = Map.groupBy(timed, ([, deadlineMs]) => deadlineMs);
  for (const [deadlineMs, fields] of byMoment) {
    for (let at = 0; at < fields.length; at += ITEMS_AT_ONCE) {
      const names = fields.slice(at, at + ITEMS_AT_ONCE).map(([field]) => field);
      const front = ["HPEXPIREAT", key, String(deadlineMs), "FIELDS", String(names.length)];
      yield ownCommand([...front, ...names]);
    }
  }
}

/** A command that Redis does not know, in one that it forgets. */
export function ownCommand(words: Command): Command {
  for (const word of words) {
    const bytes = Buffer.from(word as Uint8Array);
    quoting.word(bytes, 0, bytes.length);
  }
  return ["ECHO", Buffer.concat([Buffer.from(DO_NOTE), quoting.take()])];
}

const quoting = new OwnCommand();

function streamItems({ run, size }: ValueCollector): StreamItems {
  const items: Buffer[][] = [];
  for (let at = 0; at < size; ) {
    const { texts, end } = streamItemAt(run, at);
    const strings = texts.map((text) =>
      typeof text === "string" ? Buffer.from(text) : run.subarray(text.start, text.end),
    );
    items.push(strings);
    at = end;
  }
  return items;
}
