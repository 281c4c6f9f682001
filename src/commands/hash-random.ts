/**
 * HRANDFIELD: random fields of a hash, each as likely as any other. With a count that is positive they are different, with
 * a negative one each is picked anew.
 */
import type { Random } from "../platform/random.ts";
import type { Session } from "../session/session.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { CommandError, notAnInteger, syntaxError } from "./command-error.ts";
import { hashesOf, readHash, replyName, replyValue } from "./hash-value.ts";
import { placesOf } from "./hash-walks.ts";
import type { Reply } from "./reply.ts";

/** Up to so many times the fields that are asked for, all are gathered, instead of picking until enough are different. */
const GATHERED_FACTOR = 3;
/** Repetitions that one command answers at most; Redis would write until its memory ends. */
const MOST_REPETITIONS = 2 ** 31 - 1;
/** Redis's bound on a count of pairs: half of what 64 bits hold. */
const MOST_PAIRS = 2 ** 62;

let random: Pick<Random, "below">;
const below = (bound: number) => random.below(bound);

function hrandfield(session: Session, args: Arguments, reply: Reply): void {
  ({ random } = session.database.keyspace);
  if (args.count === 2) {
    const entry = readHash(session, args);
    if (entry === 0 || hashesOf(session).liveCount(session.database, entry) === 0) reply.null();
    else replyOne(session, entry, reply);
    return;
  }
  const count = requestedCount(args);
  if (args.count > 4 || (args.count === 4 && !args.is(3, "WITHVALUES"))) throw syntaxError();
  const withValues = args.count === 4;
  requirePossible(count, withValues);
  const entry = readHash(session, args);
  const size = entry === 0 ? 0 : hashesOf(session).liveCount(session.database, entry);
  if (size === 0 || count === 0) reply.array(0);
  else new Answer(session, entry, withValues, reply).write(count, size);
}

function requestedCount(args: Arguments): number {
  const count = args.integer(2);
  if (Number.isNaN(count)) throw notAnInteger();
  if (args.is(2, "-9223372036854775808")) {
    throw new CommandError(
      "ERR",
      "value is out of range, value must between -9223372036854775807 and 9223372036854775807",
    );
  }
  return count;
}

function requirePossible(count: number, withValues: boolean): void {
  if (count < -MOST_REPETITIONS || (withValues && count > MOST_PAIRS)) {
    throw new CommandError("ERR", "value is out of range");
  }
}

function replyOne(session: Session, entry: number, reply: Reply): void {
  const hashes = hashesOf(session);
  if (hashes.mayHoldOver(session.database, entry)) {
    const places: number[] = [];
    placesOf(session, entry, places);
    hashes.read(entry, places[below(places.length)]);
  } else hashes.random(entry, below);
  replyName(hashes.field, reply);
}

/** The answer to a count. */
class Answer {
  readonly #session: Session;
  readonly #entry: number;
  readonly #withValues: boolean;
  readonly #reply: Reply;

  constructor(session: Session, entry: number, withValues: boolean, reply: Reply) {
    this.#session = session;
    this.#entry = entry;
    this.#withValues = withValues;
    this.#reply = reply;
  }

  /** Of a hash with `size` fields. */
  write(count: number, size: number): void {
    const hashes = hashesOf(this.#session);
    const fields = count < 0 ? -count : Math.min(count, size);
    const isNested = this.#withValues && this.#session.protocol === 3;
    this.#reply.array(this.#withValues && !isNested ? 2 * fields : fields);
    const canPick =
      hashes.isBig(this.#entry) && !hashes.mayHoldOver(this.#session.database, this.#entry);
    if (count < 0 && canPick) this.#repeat(fields);
    else if (canPick && size > GATHERED_FACTOR * fields) this.#pickDifferent(fields);
    else this.#gather(count < 0, fields);
  }

  #repeat(fields: number): void {
    const hashes = hashesOf(this.#session);
    for (let i = 0; i < fields; i++) this.#add(hashes.randomElement(this.#entry, below));
  }

  #pickDifferent(fields: number): void {
    const hashes = hashesOf(this.#session);
    const picked = new Set<number>();
    while (picked.size < fields) {
      const place = hashes.randomElement(this.#entry, below);
      if (picked.has(place)) continue;
      picked.add(place);
      this.#add(place);
    }
  }

  /** Picks from a list of all. */
  #gather(repeats: boolean, fields: number): void {
    const places: number[] = [];
    placesOf(this.#session, this.#entry, places);
    if (repeats) {
      for (let i = 0; i < fields; i++) this.#add(places[below(places.length)]);
      return;
    }
    // In the order in which they stand: each is taken with the chance that makes all choices equally likely.
    let wanted = fields;
    for (let i = 0; wanted > 0; i++) {
      if (below(places.length - i) >= wanted) continue;
      this.#add(places[i]);
      wanted--;
    }
  }

  #add(place: number): void {
    const hashes = hashesOf(this.#session);
    hashes.read(this.#entry, place);
    if (this.#withValues && this.#session.protocol === 3) this.#reply.array(2);
    replyName(hashes.field, this.#reply);
    if (this.#withValues) replyValue(hashes.field, this.#reply);
  }
}

export const hashRandomCommands: readonly Command[] = [
  {
    name: "HRANDFIELD",
    arity: -2,
    flags: ["readonly"],
    group: "hash",
    keys: [1, 1, 1],
    since: "6.2.0",
    summary: "Returns random fields of a hash.",
    syntax: "key [count [WITHVALUES]]",
    run: hrandfield,
  },
];
