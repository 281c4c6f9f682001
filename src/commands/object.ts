/**
 * How a value is kept: OBJECT. Questions only; nothing here changes anything. Redis's words for encodings
 * are answered where they mean something to a user, although the engine keeps values otherwise.
 */
import type { Session } from "../session/session.ts";
import type { AccessClock } from "../store/access-clock.ts";
import { type Arena, CHUNK_SHIFT } from "../store/arena.ts";
import type { Database } from "../store/database.ts";
import {
  encodingOf,
  FLOAT,
  HASH,
  INTEGERS,
  LIST,
  PACKED,
  RAW,
  SET,
  STREAM,
  STRING,
  STRUCTURE,
  TIMED,
  typeOf,
  valueAt,
  valueWord,
  ZSET,
} from "../store/entry.ts";
import { parseInt64 } from "../store/number-text.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { CommandError } from "./command-error.ts";
import type { Reply } from "./reply.ts";

/** Redis's limits: text of a 64-bit integer, and what fits with its header into one block of 64 bytes. */
const MAX_INT_BYTES = 20;
const MAX_EMBEDDED_BYTES = 44;

/** Redis's words for the encodings of collections, by ours; a small set of strings is none that 7.0 knows. */
const COLLECTIONS: Readonly<Record<number, Readonly<Record<number, string>>>> = {
  [LIST]: { [PACKED]: "quicklist", [STRUCTURE]: "quicklist" },
  [SET]: { [PACKED]: "hashtable", [STRUCTURE]: "hashtable", [INTEGERS]: "intset" },
  [ZSET]: { [PACKED]: "listpack", [STRUCTURE]: "skiplist" },
  [HASH]: { [PACKED]: "listpack", [TIMED]: "listpackex", [STRUCTURE]: "hashtable" },
  [STREAM]: { [PACKED]: "stream", [STRUCTURE]: "stream" },
};

/** Redis's word for how it would keep the value. */
export function encodingName(arena: Arena, entry: number): string {
  const kept = encodingOf(arena, entry);
  const ofCollection = COLLECTIONS[typeOf(arena, entry)]?.[kept];
  if (ofCollection !== undefined) return ofCollection;
  if (typeOf(arena, entry) !== STRING || kept === RAW) return "raw";
  const size = valueWord(arena, entry);
  if (kept !== FLOAT && size <= MAX_INT_BYTES && isInt64(arena, entry, size)) return "int";
  return size <= MAX_EMBEDDED_BYTES ? "embstr" : "raw";
}

function isInt64(arena: Arena, entry: number, size: number): boolean {
  const text = Buffer.alloc(size);
  const at = valueAt(arena, entry);
  arena.bytes[entry >>> CHUNK_SHIFT].copy(text, 0, at, at + size);
  return parseInt64(text, 0, size) !== null;
}

/** As `look`, but of a miss nobody is told (keymiss): who asks so is no reader that lacks a value. */
function lookQuietly(database: Database, args: Arguments, key: number): number {
  const entry = database.peek(args.buffer, args.start[key], args.end[key]);
  const { statistics } = database.keyspace;
  if (entry === 0) statistics.misses++;
  else statistics.hits++;
  return entry;
}

/** Answers what `answer` says of the entry under argument 2, or null when there is none. */
function aboutKey(
  answer: (arena: Arena, entry: number, reply: Reply, access: AccessClock) => void,
) {
  return (session: Session, args: Arguments, reply: Reply): void => {
    const { database } = session;
    const entry = lookQuietly(database, args, 2);
    if (entry === 0) reply.null();
    else answer(database.arena, entry, reply, database.keyspace.access);
  };
}

const encoding = aboutKey((arena, entry, reply) => reply.text(encodingName(arena, entry)));

/** Nothing is shared here: each value belongs to one key. */
const referenceCount = aboutKey((_arena, _entry, reply) => reply.integer(1));

const SWITCHING =
  "Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.";

const idleTime = aboutKey((arena, entry, reply, access) => {
  if (access.countsFrequency) {
    throw new CommandError(
      "ERR",
      `An LFU maxmemory policy is selected, idle time not tracked. ${SWITCHING}`,
    );
  }
  reply.integer(access.idleSeconds(arena, entry));
});

const frequency = aboutKey((arena, entry, reply, access) => {
  if (!access.countsFrequency) {
    throw new CommandError(
      "ERR",
      `An LFU maxmemory policy is not selected, access frequency not tracked. ${SWITCHING}`,
    );
  }
  reply.integer(access.frequency(arena, entry));
});

function help(lines: readonly string[]) {
  return (_session: Session, _args: Arguments, reply: Reply): void => {
    reply.array(lines.length);
    for (const line of lines) reply.status(line);
  };
}

const OBJECT_HELP = [
  "OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
  "ENCODING <key>",
  "    Return the kind of internal representation used in order to store the value",
  "    associated with a <key>.",
  "FREQ <key>",
  "    Return the access frequency index of the <key>. The returned integer is",
  "    proportional to the logarithm of the recent access frequency of the key.",
  "IDLETIME <key>",
  "    Return the idle time of the <key>, that is the approximated number of",
  "    seconds elapsed since the last access to the key.",
  "REFCOUNT <key>",
  "    Return the number of references of the value associated with the specified",
  "    <key>.",
  "HELP",
  "    Prints this help.",
];

/** What the questions about one key have in common. */
const QUESTION = {
  arity: 3,
  flags: ["readonly"],
  group: "generic",
  keys: [2, 2, 1],
  syntax: "key",
} as const satisfies Partial<Command>;

export const objectCommands: readonly Command[] = [
  {
    name: "OBJECT",
    arity: -2,
    flags: [],
    group: "generic",
    since: "2.2.3",
    summary: "A container for questions about how a value is kept.",
    syntax: "",
  },
  {
    ...QUESTION,
    name: "OBJECT|ENCODING",
    since: "2.2.3",
    summary: "Returns Redis's name for the encoding of a value.",
    run: encoding,
  },
  {
    ...QUESTION,
    name: "OBJECT|FREQ",
    since: "4.0.0",
    summary: "Returns how often a key was used of late, on a logarithmic scale.",
    run: frequency,
  },
  {
    ...QUESTION,
    name: "OBJECT|IDLETIME",
    since: "2.2.3",
    summary: "Returns the seconds since a key was last used.",
    run: idleTime,
  },
  {
    ...QUESTION,
    name: "OBJECT|REFCOUNT",
    since: "2.2.3",
    summary: "Returns how many keys share a value: always 1.",
    run: referenceCount,
  },
  {
    name: "OBJECT|HELP",
    arity: 2,
    flags: ["loading", "stale"],
    group: "generic",
    since: "6.2.0",
    summary: "Explains the subcommands.",
    syntax: "",
    run: help(OBJECT_HELP),
  },
];
