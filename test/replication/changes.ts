/**
 * Commands that change data, of every type and every kind, for servers that replicate: those that are compared with
 * redis-server elsewhere (test/oracle/generate), on more keys, and what only replication makes hard: keys that expire within
 * moments, random choices, times that the server reads, transactions, several databases, big values, publishing.
 *
 * Invariant: the same seed gives the same commands.
 */
import { toBytes } from "../oracle/byte-text.ts";
import { documents, fieldLifetimes } from "../oracle/generate/documents.ts";
import type { Group } from "../oracle/generate/group.ts";
import { Material } from "../oracle/generate/material.ts";
import { GROUPS } from "../oracle/generate/sequence.ts";
import type { Random } from "../oracle/random.ts";
import { commandsOf, step } from "../oracle/step.ts";

/** What both kinds of server know, or also what kvdb alone knows. */
export type Words = "redis" | "kvdb";

export type Command = readonly Uint8Array[];

const KEY_COUNT = 300;
const DATABASES = ["0", "0", "0", "1", "2", "9"];
const BIG_VALUE_BYTES = 300_000;
/** Of what the generators make of FLUSHALL and FLUSHDB: else there is never much to compare. */
const FLUSHES_KEPT = 0.1;
/** Short enough to happen while a test runs, and when the link is down. */
const LONGEST_MOMENT_MS = 400;

/** Commands meet on a few keys most of the time, as everywhere in the oracle; there are many besides. */
class ManyKeys extends Material {
  override key(): string {
    return this.random.chance(0.5) ? super.key() : `key:${this.random.below(KEY_COUNT)}`;
  }
}

const moments: Group = {
  name: "moments",
  weight: 8,
  entries: [
    { weight: 3, make: (m) => step(["SET", m.key(), m.value(), "PX", moment(m)]) },
    { weight: 2, make: (m) => step(["PSETEX", m.key(), moment(m), m.value()]) },
    { weight: 4, make: (m) => step(["PEXPIRE", m.key(), moment(m)]) },
    { weight: 1, make: (m) => step(["GETEX", m.key(), "PX", moment(m)]) },
    { weight: 1, make: (m) => step(["EXPIRE", m.key(), "1"]) },
    { weight: 2, make: (m) => step(["INCR", m.key()]) },
  ],
};

const chances: Group = {
  name: "chances",
  weight: 6,
  entries: [
    { weight: 3, make: (m) => step(["SADD", m.key(), ...m.list(1, 9, () => number(m))]) },
    { weight: 2, make: (m) => step(["SPOP", m.key(), ...m.random.pick([[], ["2"], ["7"]])]) },
    { weight: 3, make: (m) => step(["XADD", m.key(), "*", "field", m.value()]) },
    { weight: 1, make: (m) => step(["XADD", m.key(), "MAXLEN", "~", "20", "*", "a", "b"]) },
    { weight: 1, make: (m) => step(["XGROUP", "CREATE", m.key(), "g", "$", "MKSTREAM"]) },
    {
      weight: 2,
      make: (m) => step(["XREADGROUP", "GROUP", "g", "Ada", "COUNT", "3", "STREAMS", m.key(), ">"]),
    },
    { weight: 1, make: (m) => step(["XAUTOCLAIM", m.key(), "g", "Bob", "0", "0"]) },
    { weight: 1, make: (m) => step(["BZPOPMIN", m.key(), m.key(), "0.001"]) },
    { weight: 1, make: (m) => step(["GEOADD", m.key(), "13.36", "38.11", m.value()]) },
  ],
};

const bulk: Group = {
  name: "bulk",
  weight: 2,
  entries: [
    { weight: 3, make: (m) => step(["SET", `big:${m.random.below(20)}`, big(m)]) },
    { weight: 2, make: (m) => step(["RPUSH", m.key(), ...m.list(50, 200, () => number(m))]) },
    { weight: 2, make: (m) => step(["HSET", m.key(), ...m.list(60, 80, () => pair(m)).flat()]) },
    { weight: 1, make: (m) => step(["SETRANGE", m.key(), "70000", "x"]) },
    { weight: 1, make: (m) => step(["PUBLISH", "channel", m.value()]) },
    { weight: 1, make: (m) => step(["SPUBLISH", "channel", m.value()]) },
  ],
};

const REDIS_GROUPS = [
  ...GROUPS.filter(({ name }) => name !== "connection" && name !== "unknown"),
  ...[moments, chances, bulk],
];

const fieldMoments: Group = {
  name: "moments of fields",
  weight: 4,
  entries: [
    {
      weight: 2,
      make: (m) => step(["HPEXPIRE", m.key(), moment(m), "FIELDS", "2", "f1", "f2"]),
    },
    {
      weight: 2,
      make: (m) => step(["HSETEX", m.key(), "PX", moment(m), "FIELDS", "1", "f1", "brief"]),
    },
    { weight: 2, make: (m) => step(["HSET", m.key(), "f1", "1", "f2", "2"]) },
    { weight: 1, make: index },
  ],
};

const KVDB_GROUPS = [...REDIS_GROUPS, documents, fieldLifetimes, fieldMoments];

export class Changes {
  readonly #material: ManyKeys;
  readonly #groups: readonly Group[];
  readonly #isOurs: boolean;
  readonly #leavesOut: string | undefined;

  /** `leavesOut`: a command that is not among them. */
  constructor(random: Random, words: Words, leavesOut?: string) {
    this.#material = new ManyKeys(random);
    this.#isOurs = words === "kvdb";
    this.#leavesOut = leavesOut;
    this.#groups = words === "kvdb" ? KVDB_GROUPS : REDIS_GROUPS;
  }

  /** Commands that belong together: mostly one, or a transaction. Each has one reply. */
  next(): Command[] {
    const { random } = this.#material;
    if (random.chance(0.03)) return [["SELECT", random.pick(DATABASES)].map(toBytes)];
    if (!random.chance(0.05)) return this.#commands();
    const inside = this.#material.list(0, 5, () => this.#commands()).flat();
    const [begin, end] = [["MULTI"], [random.chance(0.9) ? "EXEC" : "DISCARD"]];
    return [begin.map(toBytes), ...inside, end.map(toBytes)];
  }

  #commands(): Command[] {
    const { random } = this.#material;
    const made = random.weighted(random.weighted(this.#groups).entries).make(this.#material);
    return commandsOf(made)
      .filter(({ words, wire }) => wire === undefined && words.length > 0)
      .filter(({ words }) => !/^flush/i.test(words[0] ?? "") || random.chance(FLUSHES_KEPT))
      .filter(({ words }) => this.#isOurs || !(isForgotten(words) || endsCopies(words)))
      .filter(({ words }) => words[0]?.toUpperCase() !== this.#leavesOut)
      .map(({ words }) => words.map(toBytes));
  }
}

/** What redis-server 7.0.15 does without a word to its replicas: the key is made, and then nothing is set in it. */
function isForgotten(words: readonly string[]): boolean {
  return /^bitfield$/i.test(words[0] ?? "") && words.some((word) => /^fail$/i.test(word));
}

/** redis-server gives up the copy that it is making: its replica needs another one, and a test counts them. */
function endsCopies(words: readonly string[]): boolean {
  return /^flushall$/i.test(words[0] ?? "");
}

function moment(m: Material): string {
  return String(m.random.integer(1, LONGEST_MOMENT_MS));
}

function number(m: Material): string {
  return String(m.random.below(1_000));
}

function pair(m: Material): string[] {
  return [`field ${m.random.below(500)}`, m.value()];
}

function big(m: Material): string {
  return m.random.pick(["x", "ab\r\n", "\x00\xff"]).repeat(m.random.below(BIG_VALUE_BYTES / 4));
}

function index(m: Material) {
  return m.random.chance(0.3)
    ? step(["INDEX", "DROP", "by_a"])
    : step(["INDEX", "CREATE", "by_a", "USING", "ordered", "FIELD", m.random.pick(["a", "b.c"])]);
}
