/**
 * When entries were used last, or how often: the 24 bits of an entry's header (entry.ts) that eviction and OBJECT IDLETIME
 * and FREQ read. They are Redis's own (object.c, evict.c), so what it documents of its policies is true here:
 *
 *   recency     seconds since 1970 modulo 2^24, which are 194 days
 *   frequency   low 8 bits a logarithmic counter, high 16 bits the minute (modulo 2^16) in which it was looked at last. The
 *               counter grows by chance, ever more rarely, and loses one for each `decayMinutes` since
 *
 * Which of the two is meant, the policy says; when that changes, the bits stay, and become right with use.
 *
 * A look-up compares the bits with `now` and calls `note` only when they differ: by recency once a second for a key, so a
 * second look costs one comparison with a word that has just been read. Nothing is written while somebody `rest`s: what asks
 * about a key alone, a snapshot (it would have to copy each page that is read), an image.
 */
import type { Arena } from "./arena.ts";
import { clockOf, setClock } from "./entry.ts";

const CLOCK_MASK = 0xffffff;
const MINUTE_MASK = 0xffff;
const SECOND_MS = 1000;
const MINUTE_MS = 60_000;
/** Nothing that 24 bits can hold: each look-up is noted. */
const ALWAYS_DIFFERENT = -1;
/** What a new key begins with, so that it is not the first to go: LFU_INIT_VAL of Redis. */
export const FIRST_FREQUENCY = 5;
export const MAX_FREQUENCY = 255;

export class AccessClock {
  /** The bits of an entry that needs no note. */
  now = 0;
  /** The bits of a new entry. */
  fresh = 0;
  /** How much more rarely the counter grows the higher it stands: lfu-log-factor. */
  logFactor = 10;
  /** Minutes without use that cost the counter one; 0: it loses nothing. lfu-decay-time. */
  decayMinutes = 1;
  /** Whether the command in hand leaves the bits alone: CLIENT NO-TOUCH. */
  isQuiet: () => boolean = () => false;
  readonly #random: { below(bound: number): number };
  #countsFrequency = false;
  #resting = 0;
  #seconds = 0;
  #minutes = 0;
  /** The times that `now` is right for. */
  #fromMs = 0;
  #untilMs = 0;

  constructor(random: { below(bound: number): number }, nowMs: number) {
    this.#random = random;
    this.#advance(nowMs);
  }

  get countsFrequency(): boolean {
    return this.#countsFrequency;
  }

  set countsFrequency(on: boolean) {
    this.#countsFrequency = on;
    this.#setBits();
  }

  /** The time is `nowMs`; asked at least once a turn. */
  tick(nowMs: number): void {
    if (nowMs >= this.#untilMs || nowMs < this.#fromMs) this.#advance(nowMs);
  }

  #advance(nowMs: number): void {
    const seconds = Math.floor(nowMs / SECOND_MS);
    this.#fromMs = seconds * SECOND_MS;
    this.#untilMs = this.#fromMs + SECOND_MS;
    this.#seconds = seconds & CLOCK_MASK;
    this.#minutes = Math.floor(nowMs / MINUTE_MS) & MINUTE_MASK;
    this.#setBits();
  }

  #setBits(): void {
    this.fresh = this.#countsFrequency ? this.#frequencyBits(FIRST_FREQUENCY) : this.#seconds;
    this.now = this.#countsFrequency ? ALWAYS_DIFFERENT : this.#seconds;
  }

  #frequencyBits(counter: number): number {
    return (this.#minutes << 8) | counter;
  }

  /** Nothing is noted until `resume`. */
  rest(): void {
    this.#resting++;
  }

  resume(): void {
    this.#resting--;
  }

  /** The entry is used, and its bits differ from `now`. */
  note(arena: Arena, entry: number): void {
    if (this.#resting > 0 || this.isQuiet()) return;
    const bits = clockOf(arena, entry);
    const next = this.#countsFrequency ? this.#counted(bits) : this.#seconds;
    if (next !== bits) setClock(arena, entry, next);
  }

  #counted(bits: number): number {
    const counter = this.#decayed(bits);
    if (counter === MAX_FREQUENCY) return this.#frequencyBits(counter);
    const above = Math.max(0, counter - FIRST_FREQUENCY);
    const odds = above * this.logFactor + 1;
    const grows = odds === 1 || this.#random.below(odds) === 0;
    return this.#frequencyBits(grows ? counter + 1 : counter);
  }

  /** The counter as it stands now: what it has lost since is not written yet. */
  #decayed(bits: number): number {
    const counter = bits & 255;
    if (this.decayMinutes === 0) return counter;
    const elapsed = (this.#minutes - (bits >>> 8)) & MINUTE_MASK;
    return Math.max(0, counter - Math.floor(elapsed / this.decayMinutes));
  }

  // ---- what the bits say ----

  idleSeconds(arena: Arena, entry: number): number {
    return (this.#seconds - clockOf(arena, entry)) & CLOCK_MASK;
  }

  frequency(arena: Arena, entry: number): number {
    return this.#decayed(clockOf(arena, entry));
  }

  setIdleSeconds(arena: Arena, entry: number, seconds: number): void {
    setClock(arena, entry, (this.#seconds - Math.min(seconds, CLOCK_MASK)) & CLOCK_MASK);
  }

  setFrequency(arena: Arena, entry: number, counter: number): void {
    setClock(arena, entry, this.#frequencyBits(counter));
  }
}
