/**
 * What one writer may expect of the data after a crash. It makes up commands, notes what it sent and what was
 * acknowledged, and afterwards compares that with what is there. Each ledger has keys of its own.
 *
 * A key's history holds the states that its commands lead to, in order; `acknowledged` is the index of the last one that
 * was replied. After a crash any state from there on is right, an earlier one is a loss. What is then found is the
 * only state that is right from now on: what came back once must not vanish, what was gone must not return.
 */
import type { Random } from "../../oracle/random.ts";
import { type Argument, type Client, type Reply, ReplyError } from "./client.ts";

/** A command, and what its reply is to be noted as. */
export interface Operation {
  readonly command: readonly Argument[];
  /** Throws when the reply is not the right one. */
  acknowledge(reply: Reply): void;
}

type State = string | null;

class Register {
  history: State[] = [null];
  acknowledged = 0;

  get latest(): State {
    return this.history[this.history.length - 1] as State;
  }

  /** Notes a state as sent; the function notes it as acknowledged. */
  send(state: State): () => void {
    const index = this.history.push(state) - 1;
    return () => {
      this.acknowledged = index;
    };
  }

  /** The index of a state that is right; -1 when there is none. */
  find(state: State): number {
    return this.history.indexOf(state, this.acknowledged);
  }

  settle(state: State): void {
    this.history = [state];
    this.acknowledged = 0;
  }
}

/** A key that expires: its deadline is the time of its command, which lies between these bounds, plus `afterMs`. */
interface Expiring {
  readonly value: string;
  readonly afterMs: number;
  readonly sentMs: number;
  acknowledgedMs: number | undefined;
  /** As it was found after a restart: absolute, so it never changes again. */
  deadlineMs?: number;
}

const MEMBERS = ["a", "b", "c"] as const;
const SHORT_MS = 40;
const LONG_MS = 600_000;
/** The server reads its clock once for all commands of a turn. */
const CLOCK_AGE_MS = 20;

export class Ledger {
  readonly #name: string;
  readonly #random: Random;
  readonly #keys = new Map<string, Register>();
  readonly #expiring = new Map<string, Expiring>();
  readonly #counter = new Register();
  readonly #triple = new Register();
  #count = 0;
  /** No value is written twice, so that an old one is known as such. */
  #sets = 0;
  #deadlines = 0;
  #incremented = 0;
  #generation = 0;
  /** How many commands were acknowledged: a round without any proves nothing. */
  acknowledgedCount = 0;

  constructor(name: string, random: Random) {
    this.#name = name;
    this.#random = random;
  }

  next(): Operation {
    const draw = this.#random.below(10);
    if (draw < 4) return this.#set();
    if (draw < 6) return this.#remove();
    if (draw < 7) return this.#increment();
    return draw < 9 ? this.#setTriple() : this.#setExpiring();
  }

  /** What is wrong with what the server holds, one line each; and takes what it holds as settled. */
  async check(client: Client): Promise<string[]> {
    return [
      ...(await this.#checkKeys(client)),
      ...(await this.#checkCounter(client)),
      ...(await this.#checkTriple(client)),
      ...(await this.#checkExpiring(client)),
    ];
  }

  // ---- commands ----

  /** A numbered key; now and then one that was there before. */
  #set(): Operation {
    const number = this.#random.chance(0.2) ? this.#random.below(this.#count + 1) : ++this.#count;
    const key = `${this.#name}:${number}`;
    const register = this.#keys.get(key) ?? new Register();
    this.#keys.set(key, register);
    const value = this.#value(`${key}@${++this.#sets}`);
    return this.#operation(["SET", key, value], "OK", register.send(value));
  }

  #remove(): Operation {
    const key = `${this.#name}:${1 + this.#random.below(this.#count + 1)}`;
    const register = this.#keys.get(key);
    if (register === undefined) return this.#set();
    const removed = register.latest === null ? 0 : 1;
    return this.#operation(["DEL", key], removed, register.send(null));
  }

  #increment(): Operation {
    const value = ++this.#incremented;
    const acknowledge = this.#counter.send(String(value));
    return this.#operation(["INCR", `${this.#name}:counter`], value, acknowledge);
  }

  #setTriple(): Operation {
    const generation = `${++this.#generation}`;
    const pairs = this.#tripleKeys().flatMap((key) => [key, generation]);
    return this.#operation(["MSET", ...pairs], "OK", this.#triple.send(generation));
  }

  #setExpiring(): Operation {
    const key = `${this.#name}:expiring:${++this.#deadlines}`;
    const afterMs = this.#random.chance(0.3) ? SHORT_MS : LONG_MS + this.#random.below(1000);
    const value = this.#value(key);
    const noted: Expiring = { value, afterMs, sentMs: Date.now(), acknowledgedMs: undefined };
    this.#expiring.set(key, noted);
    return this.#operation(["SET", key, value, "PX", afterMs], "OK", () => {
      noted.acknowledgedMs = Date.now();
    });
  }

  #tripleKeys(): string[] {
    return MEMBERS.map((member) => `${this.#name}:triple:${member}`);
  }

  #operation(command: Argument[], expected: Reply, acknowledged: () => void): Operation {
    return {
      command,
      acknowledge: (reply) => {
        if (reply !== expected) {
          const found = reply instanceof ReplyError ? reply.message : JSON.stringify(reply);
          throw new Error(`${command.slice(0, 2).join(" ")} replied ${found}, not ${expected}`);
        }
        this.acknowledgedCount++;
        acknowledged();
      },
    };
  }

  /** Mostly small; a few are larger than a segment of the log in these tests. */
  #value(text: string): string {
    const draw = this.#random.below(1000);
    const size = draw < 900 ? draw % 200 : draw < 996 ? draw * 8 : 100_000;
    return `${text}|`.repeat(Math.ceil((size + 1) / (text.length + 1)));
  }

  // ---- what is there ----

  async #checkKeys(client: Client): Promise<string[]> {
    const keys = [...this.#keys.keys()];
    const found = await client.pipeline(keys.map((key) => ["GET", key]));
    return keys.flatMap((key, index) => {
      const register = this.#keys.get(key) as Register;
      return compare(key, register, found[index] as State);
    });
  }

  async #checkCounter(client: Client): Promise<string[]> {
    const key = `${this.#name}:counter`;
    const found = (await client.call("GET", key)) as State;
    this.#incremented = Number(found);
    return compare(key, this.#counter, found);
  }

  async #checkTriple(client: Client): Promise<string[]> {
    const found = (await client.call("MGET", ...this.#tripleKeys())) as State[];
    const [first = null] = found;
    const key = `${this.#name}:triple`;
    const torn = found.some((value) => value !== first);
    if (torn) return [`${key}: an MSET is half there: ${found.join(", ")}`];
    this.#generation = Math.max(this.#generation, Number(first));
    return compare(key, this.#triple, first);
  }

  async #checkExpiring(client: Client): Promise<string[]> {
    const keys = [...this.#expiring.keys()];
    const commands = keys.flatMap((key) => [
      ["PEXPIRETIME", key],
      ["GET", key],
    ]);
    const found = await client.pipeline(commands);
    const nowMs = Date.now();
    return keys.flatMap((key, index) => {
      const noted = this.#expiring.get(key) as Expiring;
      const [deadlineMs, value] = found.slice(2 * index, 2 * index + 2);
      const problem = problemOf(noted, Number(deadlineMs), value as State, nowMs);
      if (value === null) this.#expiring.delete(key);
      else noted.deadlineMs = Number(deadlineMs);
      return problem === undefined ? [] : [`${key}: ${problem}`];
    });
  }
}

function compare(key: string, register: Register, found: State): string[] {
  const right = register.find(found) >= 0;
  const expected = register.history[register.acknowledged] as State;
  register.settle(found);
  if (right) return [];
  return [`${key}: acknowledged was ${shown(expected)}, found is ${shown(found)}`];
}

function shown(state: State): string {
  return state === null ? "its absence" : `"${state.slice(0, 60)}" (${state.length} characters)`;
}

function problemOf(
  noted: Expiring,
  deadlineMs: number,
  value: State,
  nowMs: number,
): string | undefined {
  const { afterMs, sentMs, acknowledgedMs } = noted;
  if (value === null) {
    const mayBeGone = acknowledgedMs === undefined || nowMs >= sentMs + afterMs;
    return mayBeGone ? undefined : "gone before its deadline";
  }
  if (value !== noted.value) return `found is ${shown(value)}`;
  if (deadlineMs < 0) return "it has lost its deadline";
  if (noted.deadlineMs !== undefined) {
    return noted.deadlineMs === deadlineMs ? undefined : "its deadline has moved";
  }
  const latestMs = acknowledgedMs === undefined ? Number.POSITIVE_INFINITY : acknowledgedMs;
  const earliestMs = sentMs - CLOCK_AGE_MS;
  const isRight = deadlineMs >= earliestMs + afterMs && deadlineMs <= latestMs + afterMs;
  return isRight ? undefined : `its deadline is ${deadlineMs}, sent at ${sentMs} for ${afterMs} ms`;
}
