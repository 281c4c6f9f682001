/**
 * KEYS.BIG and KEYS.HOT: which keys are large, and which are used most, without a walk over the data (big-keys.ts,
 * hot-keys.ts). They are named as VALUE.SET is: kvdb's own words beside Redis's KEYS, whose name nobody takes for them. A row is
 * a map, so that it may get more fields. Names of keys are shown whatever a user may read, so both are for administrators.
 */
import type { Arguments } from "../commands/arguments.ts";
import type { Command } from "../commands/command.ts";
import { CommandError, notAnInteger, syntaxError } from "../commands/command-error.ts";
import type { Reply } from "../commands/reply.ts";
import type { BigKey } from "../session/server.ts";
import { TYPE_NAMES } from "../store/entry.ts";
import type { BigKeys } from "./big-keys.ts";
import type { HotKeys } from "./hot-keys.ts";

const SHOWN = 10;

interface Options {
  count: number;
  by: "bytes" | "elements";
  /** As entries store it; -1: all. */
  type: number;
}

function replyBig(bigKeys: BigKeys, args: Arguments, reply: Reply): void {
  const { count, by, type } = readOptions(args, true);
  const rows = bigKeys
    .largest(by)
    .filter((key) => type < 0 || key.type === type)
    .sort((a, b) => b[by] - a[by])
    .slice(0, count);
  reply.array(rows.length);
  for (const row of rows) replyBigKey(row, reply);
}

function replyBigKey({ key, database, type, bytes, elements }: BigKey, reply: Reply): void {
  reply.map(5);
  reply.text("key");
  reply.bulk(key, 0, key.length);
  reply.text("database");
  reply.integer(database);
  reply.text("type");
  reply.text(TYPE_NAMES[type]);
  reply.text("bytes");
  reply.integer(bytes);
  reply.text("elements");
  reply.integer(elements);
}

function replyHot(hotKeys: HotKeys, args: Arguments, reply: Reply): void {
  const rows = hotKeys.hottest(readOptions(args, false).count);
  reply.array(rows.length);
  for (const { key, database, uses, share } of rows) {
    reply.map(4);
    reply.text("key");
    reply.bulk(key, 0, key.length);
    reply.text("database");
    reply.integer(database);
    reply.text("uses");
    reply.integer(Math.round(uses));
    reply.text("percent");
    reply.double(Math.round(share * 10_000) / 100);
  }
}

function readOptions(args: Arguments, isBig: boolean): Options {
  const options: Options = { count: SHOWN, by: "bytes", type: -1 };
  for (let i = 1; i < args.count; i += 2) {
    if (i + 1 === args.count) throw syntaxError();
    if (args.is(i, "COUNT")) options.count = readCount(args, i + 1);
    else if (isBig && args.is(i, "BY")) options.by = readMeasure(args, i + 1);
    else if (isBig && args.is(i, "TYPE")) options.type = readType(args, i + 1);
    else throw syntaxError();
  }
  return options;
}

function readCount(args: Arguments, index: number): number {
  const count = args.integer(index);
  if (Number.isNaN(count)) throw notAnInteger();
  if (count < 1) throw new CommandError("ERR", "COUNT must be positive");
  return count;
}

function readMeasure(args: Arguments, index: number): Options["by"] {
  if (args.is(index, "BYTES")) return "bytes";
  if (args.is(index, "ELEMENTS")) return "elements";
  throw new CommandError("ERR", "BY is followed by BYTES or ELEMENTS");
}

function readType(args: Arguments, index: number): number {
  const type = TYPE_NAMES.findIndex((name) => args.is(index, name.toUpperCase()));
  if (type >= 0) return type;
  throw new CommandError("ERR", `TYPE is followed by one of ${TYPE_NAMES.join(", ")}`);
}

export function keyCommands(parts: {
  readonly hotKeys: HotKeys;
  readonly bigKeys: BigKeys;
}): readonly Command[] {
  return [
    {
      name: "KEYS.BIG",
      arity: -1,
      flags: ["admin", "readonly"],
      group: "server",
      since: "kvdb 0.1.0",
      summary: "Returns the largest keys of all databases, by bytes or by elements.",
      syntax: "[BY <BYTES | ELEMENTS>] [TYPE type] [COUNT count]",
      run: (_session, args, reply) => replyBig(parts.bigKeys, args, reply),
    },
    {
      name: "KEYS.HOT",
      arity: -1,
      flags: ["admin", "readonly"],
      group: "server",
      since: "kvdb 0.1.0",
      summary: "Returns the keys that are used most now, from a sample of commands.",
      syntax: "[COUNT count]",
      run: (_session, args, reply) => replyHot(parts.hotKeys, args, reply),
    },
  ];
}
