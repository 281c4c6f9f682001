/**
 * Plays generated commands of all kinds in an engine whose persistence wants Redis's words, and tells what Redis can know of
 * its data.
 */
import { EngineHarness } from "../suites/engine-harness.ts";
import { toBytes } from "./byte-text.ts";
import { documents, fieldLifetimes } from "./generate/documents.ts";
import { GROUPS, sequence } from "./generate/sequence.ts";
import { Random } from "./random.ts";
import { commandsOf } from "./step.ts";

/** Without those about the connection: some have no reply, and none leaves a record. */
const DATA_GROUPS = [
  ...GROUPS.filter(({ name }) => name !== "connection"),
  documents,
  fieldLifetimes,
];
/** Far ahead: what has not expired here by then has not for a redis-server that looks at its own clock. */
const START_MS = Date.UTC(2060, 0, 1);
const DATABASES = 16;
const KEYS = ["a", "b", "c", "d"];

/** `isStreaming`: the records are stretches of the stream of replication. */
export function playInRedisWords(seed: number, steps: number, isStreaming = false): EngineHarness {
  const db = new EngineHarness({ auditEvery: 0, seed, redisWords: true, durability: "no" });
  db.clock.setWall(START_MS);
  if (isStreaming) db.engine.journal.useStream({ offset: 0, database: 0, isFollowing: false });
  db.addCommand("GROUP", (session, args, reply) => {
    const words = Array.from({ length: args.count - 1 }, (_, index) => args.bytes(index + 1));
    const name = `${words.shift()}`;
    session.tryCall("SELECT", String(seed % 3));
    session.tryCall(name, ...words);
    session.tryCall("JSON.SET", "grouped", "$", '{"n":1}');
    session.tryCall(name, ...words);
    session.tryCall("HSETEX", "grouped hash", "EX", 5_000, "FIELDS", 1, "field", "value");
    session.tryCall("JSON.NUMINCRBY", "grouped", "$.n", 1);
    reply.ok();
  });
  const random = new Random(seed + 1_000_000);
  for (const step of sequence(seed, steps, DATA_GROUPS)) {
    for (const { words, wire } of commandsOf(step)) {
      if (wire !== undefined || words.length === 0) continue;
      const isGrouped = random.chance(0.05);
      db.run(...(isGrouped ? ["GROUP", ...words] : words).map(toBytes));
    }
    if (random.chance(0.05)) db.run("SELECT", random.pick([0, 0, 1, 2]));
    if (random.chance(0.15)) moveValue(db, random);
    if (random.chance(0.02)) changeIndex(db, random);
    letTimePass(db, random);
  }
  return db;
}

/** A value goes to another key by DUMP and RESTORE, or out and in again. */
function moveValue(db: EngineHarness, random: Random): void {
  const [from, to] = [random.pick(KEYS), random.pick(KEYS)];
  const [found] = db.run("VALUE.EXPORT", from) as ([string, number, Buffer | string] | null)[];
  if (found == null) return;
  const [kind, deadlineMs, value] = found;
  if (random.chance(0.5)) {
    db.run("VALUE.IMPORT", to, kind, deadlineMs, value);
    return;
  }
  const payload = db.run("DUMP", from) as Buffer | string;
  db.run("RESTORE", to, random.pick([0, 5_000_000]), payload, "REPLACE");
}

function changeIndex(db: EngineHarness, random: Random): void {
  if (random.chance(0.3)) db.run("INDEX", "DROP", "by_a");
  else db.run("INDEX", "CREATE", "by_a", "USING", "ordered", "FIELD", random.pick(["a", "b.c"]));
}

/** Short times to live are not generated; a long jump makes relative ones run out. */
function letTimePass(db: EngineHarness, random: Random): void {
  const draw = random.below(20);
  db.clock.setWall(db.now() + (draw === 0 ? 2_000_000 : draw));
  if (draw < 5) db.advance(50);
}

/** Another engine with its data as Redis can keep it: a document is a string, no field has a deadline. */
export function asRedisKeepsIt(db: EngineHarness): EngineHarness {
  const plain = db.replayed();
  plain.run("RESET");
  for (let database = 0; database < DATABASES; database++) {
    plain.run("SELECT", database);
    for (const key of plain.run("KEYS", "*") as (string | Buffer)[]) {
      const type = plain.run("TYPE", key);
      if (type === "ReJSON-RL") plain.run("SET", key, plain.run("GET", key) as string, "KEEPTTL");
      if (type === "hash") {
        const fields = plain.run("HKEYS", key) as (string | Buffer)[];
        plain.run("HPERSIST", key, "FIELDS", fields.length, ...fields);
      }
    }
  }
  return plain;
}

/** Of every hash: its fields with their deadlines. */
export function fieldDeadlines(db: EngineHarness): unknown[] {
  const session = db.connect();
  return db.engine.keyspace.databases.map((_, database) => {
    db.runIn(session, "SELECT", database);
    const keys = [...(db.runIn(session, "KEYS", "*") as (string | Buffer)[])].sort();
    const hashes = keys.filter((key) => db.runIn(session, "TYPE", key) === "hash");
    return hashes.map((key) => {
      const fields = [...(db.runIn(session, "HKEYS", key) as (string | Buffer)[])].sort();
      const times = db.runIn(session, "HPEXPIRETIME", key, "FIELDS", fields.length, ...fields);
      return [key, fields, times];
    });
  });
}
