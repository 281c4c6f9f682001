/**
 * Which key goes when memory runs out: Redis's eight policies, and its way to choose (evict.c). For each eviction a few keys
 * of each database are drawn; those that are idle longest, used least or due first enter a pool of 16 candidates that stays
 * from one eviction to the next, and the best of them goes. So a key is chosen as well as if many more had been drawn each
 * time. Better than there: a candidate that was used since it entered the pool is let go.
 *
 * When to evict, and how much, is not decided here. The pool holds hashes and no addresses: an entry that moved or went is
 * noticed when its turn comes.
 */
import type { Database } from "./database.ts";
import { deadlineOf, keyCopy } from "./entry.ts";
import { EntrySample, MAX_SAMPLES } from "./entry-sample.ts";
import { low32 } from "./expiry-wheel.ts";
import type { Keyspace } from "./keyspace.ts";

/** EVPOOL_SIZE of Redis. */
const POOL_SIZE = 16;
/** Draws without a candidate before giving up: by chance alone this does not happen within the age of the universe. */
const MOST_DRAWS = 64;
/** Among more than so many keys, one with a deadline is rare: drawing keys until some have one would take too long. */
const RARE = 256;

export interface EvictionPolicy {
  readonly name: string;
  readonly chooses: "none" | "recency" | "frequency" | "random" | "deadline";
  /** Keys without a deadline stay. */
  readonly onlyExpiring: boolean;
}

export const NO_EVICTION: EvictionPolicy = policy("noeviction", "none", false);

/** In Redis's order, in which an error names them. */
export const EVICTION_POLICIES: readonly EvictionPolicy[] = [
  policy("volatile-lru", "recency", true),
  policy("volatile-lfu", "frequency", true),
  policy("volatile-random", "random", true),
  policy("volatile-ttl", "deadline", true),
  policy("allkeys-lru", "recency", false),
  policy("allkeys-lfu", "frequency", false),
  policy("allkeys-random", "random", false),
  NO_EVICTION,
];

function policy(
  name: string,
  chooses: EvictionPolicy["chooses"],
  onlyExpiring: boolean,
): EvictionPolicy {
  return { name, chooses, onlyExpiring };
}

export class Eviction {
  /** How many keys of a database are drawn for one eviction, up to MAX_SAMPLES: maxmemory-samples. */
  samples = 5;
  readonly #keyspace: Keyspace;
  readonly #sample = new EntrySample();
  #policy = NO_EVICTION;
  /** The pool, by score: the last one goes first. */
  readonly #databases = new Int32Array(POOL_SIZE);
  readonly #hashes = new Int32Array(POOL_SIZE);
  readonly #scores = new Float64Array(POOL_SIZE);
  #count = 0;
  /** Where a random choice begins, so that no database has to give all. */
  #nextDatabase = 0;

  constructor(keyspace: Keyspace) {
    this.#keyspace = keyspace;
  }

  get policy(): EvictionPolicy {
    return this.#policy;
  }

  set policy(chosen: EvictionPolicy) {
    this.#policy = chosen;
    this.#keyspace.access.countsFrequency = chosen.chooses === "frequency";
    this.#count = 0;
  }

  /** Whether there is anything that may go. */
  get hasCandidates(): boolean {
    if (this.#policy.chooses === "none") return false;
    return this.#keyspace.databases.some((database) => this.#candidatesOf(database) > 0);
  }

  /** Evicts one key. False: there is none that may go. */
  evictOne(): boolean {
    const { chooses } = this.#policy;
    if (chooses === "none") return false;
    return chooses === "random" ? this.#evictRandom() : this.#evictBest();
  }

  #candidatesOf(database: Database): number {
    return this.#policy.onlyExpiring ? database.expires : database.size;
  }

  #evictRandom(): boolean {
    const { databases } = this.#keyspace;
    for (let draw = 0; draw < MOST_DRAWS && this.hasCandidates; draw++) {
      for (let i = 0; i < databases.length; i++) {
        const index = this.#nextDatabase;
        this.#nextDatabase = (index + 1) % databases.length;
        const database = databases[index] as Database;
        if (!this.#draw(database, 1)) continue;
        const [entry, hash] = [this.#sample.entries[0], this.#sample.hashes[0]];
        evict(database, entry as number, hash as number);
        return true;
      }
    }
    return false;
  }

  /** Whether the sample has any entry of the database now. */
  #draw(database: Database, wanted: number): boolean {
    if (this.#candidatesOf(database) === 0) return false;
    this.#sample.begin(wanted, this.#policy.onlyExpiring);
    draw(database, this.#sample);
    return this.#sample.count > 0;
  }

  #evictBest(): boolean {
    const wanted = Math.min(this.samples, MAX_SAMPLES);
    for (let draw = 0; draw < MOST_DRAWS && this.hasCandidates; draw++) {
      for (const database of this.#keyspace.databases) {
        if (this.#draw(database, wanted)) this.#enterSample(database);
      }
      if (this.#evictFromPool()) return true;
    }
    return false;
  }

  #evictFromPool(): boolean {
    while (this.#count > 0) {
      const last = --this.#count;
      const database = this.#keyspace.databases[this.#databases[last] as number] as Database;
      const hash = this.#hashes[last] as number;
      const entry = entryWithHash(database, hash, this.#policy.onlyExpiring);
      if (entry === 0 || this.#score(entry) < (this.#scores[last] as number)) continue;
      evict(database, entry, hash);
      return true;
    }
    return false;
  }

  /** The higher, the sooner it goes. */
  #score(entry: number): number {
    const { access, arena } = this.#keyspace;
    switch (this.#policy.chooses) {
      case "recency":
        return access.idleSeconds(arena, entry);
      case "frequency":
        return 255 - access.frequency(arena, entry);
      default:
        return -deadlineOf(arena, entry);
    }
  }

  #enterSample(database: Database): void {
    const { count, entries, hashes } = this.#sample;
    for (let i = 0; i < count; i++) {
      const score = this.#score(entries[i] as number);
      this.#enter(database.index, hashes[i] as number, score);
    }
  }

  /** Puts a candidate in its place; the worst one leaves a full pool. */
  #enter(database: number, hash: number, score: number): void {
    const isFull = this.#count === POOL_SIZE;
    if (isFull && (this.#scores[0] as number) >= score) return;
    if (this.#isInPool(database, hash)) return;
    let place: number;
    if (isFull) {
      // Those that are worse move down, over the worst one.
      place = 0;
      while (place + 1 < POOL_SIZE && (this.#scores[place + 1] as number) < score) {
        this.#copy(place + 1, place);
        place++;
      }
    } else {
      place = this.#count++;
      while (place > 0 && (this.#scores[place - 1] as number) >= score) {
        this.#copy(place - 1, place);
        place--;
      }
    }
    this.#databases[place] = database;
    this.#hashes[place] = hash;
    this.#scores[place] = score;
  }

  #isInPool(database: number, hash: number): boolean {
    for (let i = 0; i < this.#count; i++) {
      if (this.#hashes[i] === hash && this.#databases[i] === database) return true;
    }
    return false;
  }

  #copy(from: number, to: number): void {
    this.#databases[to] = this.#databases[from] as number;
    this.#hashes[to] = this.#hashes[from] as number;
    this.#scores[to] = this.#scores[from] as number;
  }
}

/**
 * Fills the sample; nothing may be changed meanwhile. Where those with a deadline are rare they are found by their reminders
 * in the wheel: not each as likely as any other, but quickly.
 */
function draw(database: Database, sample: EntrySample): void {
  const { arena, record, keyspace } = database;
  const { entries, wheel } = keyspace;
  const below = (n: number) => keyspace.random.below(n);
  if (!sample.onlyExpiring || database.expires * RARE >= database.size) {
    entries.sample(record, below, sample);
    return;
  }
  wheel.eachFrom(database.deadlines.wheel, below(wheel.slotCount), (hash, deadlineLow) => {
    entries.eachWithHash(record, hash, (entry) => {
      const deadline = deadlineOf(arena, entry);
      const isOf = deadline !== 0 && low32(deadline) === deadlineLow;
      if (isOf && !sample.has(entry)) sample.add(entry, hash);
      return sample.isDone;
    });
    return sample.isDone;
  });
}

/** An entry whose key has this hash, with a deadline if that is asked for; 0: there is none. */
function entryWithHash(database: Database, hash: number, onlyExpiring: boolean): number {
  const { arena, record, keyspace } = database;
  let found = 0;
  keyspace.entries.eachWithHash(record, hash, (entry) => {
    if (!onlyExpiring || deadlineOf(arena, entry) !== 0) found = entry;
    return found !== 0;
  });
  return found;
}

/** Removes an entry, whose key has this hash, to make room. */
function evict(database: Database, entry: number, hash: number): void {
  const { keyspace, arena } = database;
  database.locate(entry, hash);
  keyspace.onEvicted(database, keyCopy(arena, entry));
  keyspace.statistics.evicted++;
  keyspace.goesByItself = true;
  database.remove(entry);
  keyspace.goesByItself = false;
}
