/**
 * What one writer may expect of the data after a crash. It makes up commands, notes what it sent and what was
 * acknowledged, and afterwards compares that with what is there. Each ledger has keys of its own.
 *
 * What was acknowledged must be there; with `promisedUntilMs` only what was acknowledged up to that time: the promise of
 * `everysec`. What is found is the only state that is right from now on: what came back once must not vanish, what was
 * gone must not return. And all that is found must be of one moment, for the log is in order.
 */
import type { Random } from "../../oracle/random.ts";
import { type Argument, type Client, type Reply, ReplyError } from "./client.ts";
import { haveOneMoment, Register, type Sent, type Span, type State } from "./register.ts";

/** A command, and what its reply is to be noted as. */
export interface Operation {
  readonly command: readonly Argument[];
  /** Throws when the reply is not the right one. */
  acknowledge(reply: Reply): void;
  /** It was answered with an error that leaves open whether its change will be there. */
  refuse(): void;
}

/** A key that expires: its deadline is the time of its command, which lies between these bounds, plus `afterMs`. */
interface Expiring {
  readonly value: string;
  readonly afterMs: number;
  /** Of its command, as in register.ts. */
  readonly number: number;
  readonly sentMs: number;
  acknowledgedMs: number | undefined;
  isRefused: boolean;
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
  /** Of two keys one is there, never both: its name is the state. */
  readonly #renamed = new Register();
  /** Of the last command. */
  #number = 0;
  #count = 0;
  /** No value is written twice, so that an old one is known as such. */
  #sets = 0;
  #deadlines = 0;
  #incremented = 0;
  #generation = 0;
  /** How many commands were acknowledged: a round without any proves nothing. */
  acknowledgedCount = 0;
  lastAcknowledgedMs = 0;

  constructor(name: string, random: Random) {
    this.#name = name;
    this.#random = random;
  }

  next(): Operation {
    this.#number++;
    const draw = this.#random.below(10);
    if (draw < 4) return this.#set();
    if (draw < 6) return this.#remove();
    if (draw < 7) return this.#random.chance(0.5) ? this.#increment() : this.#rename();
    return draw < 9 ? this.#setTriple() : this.#setExpiring();
  }

  /** What is wrong with what the server holds, one line each; and takes what it holds as settled. */
  async check(client: Client, promisedUntilMs = Number.POSITIVE_INFINITY): Promise<string[]> {
    const findings: Finding[] = [
      ...(await this.#checkKeys(client, promisedUntilMs)),
      await this.#checkCounter(client, promisedUntilMs),
      await this.#checkTriple(client, promisedUntilMs),
      await this.#checkRenamed(client, promisedUntilMs),
      ...(await this.#checkExpiring(client, promisedUntilMs)),
    ];
    const problems = findings.flatMap(({ problem }) => (problem === undefined ? [] : [problem]));
    if (problems.length > 0 || haveOneMoment(findings.map(({ spans }) => spans))) return problems;
    return [`${this.#name}: what is found was never there at one time`];
  }

  // ---- commands ----

  /** A numbered key; now and then one that was there before. */
  #set(): Operation {
    const number = this.#random.chance(0.2) ? this.#random.below(this.#count + 1) : ++this.#count;
    const key = `${this.#name}:${number}`;
    const register = this.#keys.get(key) ?? new Register();
    this.#keys.set(key, register);
    const value = this.#value(`${key}@${++this.#sets}`);
    return this.#operation(["SET", key, value], ["OK"], this.#send(register, value));
  }

  #remove(): Operation {
    const key = `${this.#name}:${1 + this.#random.below(this.#count + 1)}`;
    const register = this.#keys.get(key);
    if (register === undefined) return this.#set();
    const removed = register.isUncertain ? [0, 1] : [register.latest === null ? 0 : 1];
    return this.#operation(["DEL", key], removed, this.#send(register, null));
  }

  #increment(): Operation {
    if (this.#counter.isUncertain) return this.#set();
    const value = ++this.#incremented;
    const sent = this.#send(this.#counter, String(value));
    return this.#operation(["INCR", `${this.#name}:counter`], [value], sent);
  }

  #rename(): Operation {
    const register = this.#renamed;
    if (register.isUncertain) return this.#set();
    const [left, right] = this.#renamedKeys();
    const { latest } = register;
    if (latest === null)
      return this.#operation(["SET", left, "x"], ["OK"], this.#send(register, left));
    const target = latest === left ? right : left;
    return this.#operation(["RENAME", latest, target], ["OK"], this.#send(register, target));
  }

  #setTriple(): Operation {
    const generation = `${++this.#generation}`;
    const pairs = this.#tripleKeys().flatMap((key) => [key, generation]);
    return this.#operation(["MSET", ...pairs], ["OK"], this.#send(this.#triple, generation));
  }

  #setExpiring(): Operation {
    const key = `${this.#name}:expiring:${++this.#deadlines}`;
    const afterMs = this.#random.chance(0.3) ? SHORT_MS : LONG_MS + this.#random.below(1000);
    const value = this.#value(key);
    const noted: Expiring = {
      ...{ value, afterMs, number: this.#number, sentMs: Date.now() },
      ...{ acknowledgedMs: undefined, isRefused: false },
    };
    this.#expiring.set(key, noted);
    return this.#operation(["SET", key, value, "PX", afterMs], ["OK"], {
      acknowledge: () => {
        noted.acknowledgedMs = Date.now();
      },
      refuse: () => {
        noted.isRefused = true;
      },
    });
  }

  #renamedKeys(): [string, string] {
    return [`${this.#name}:left`, `${this.#name}:right`];
  }

  #tripleKeys(): string[] {
    return MEMBERS.map((member) => `${this.#name}:triple:${member}`);
  }

  #send(register: Register, state: State): Sent {
    return register.send(this.#number, state);
  }

  #operation(command: Argument[], expected: readonly Reply[], sent: Sent): Operation {
    return {
      command,
      acknowledge: (reply) => {
        if (!expected.includes(reply)) {
          const found = reply instanceof ReplyError ? reply.message : JSON.stringify(reply);
          throw new Error(`${command.slice(0, 2).join(" ")} replied ${found}, not ${expected}`);
        }
        this.acknowledgedCount++;
        this.lastAcknowledgedMs = Date.now();
        sent.acknowledge();
      },
      refuse: () => sent.refuse(),
    };
  }

  /** Mostly small; a few are larger than a segment of the log in these tests. */
  #value(text: string): string {
    const draw = this.#random.below(1000);
    const size = draw < 900 ? draw % 200 : draw < 996 ? draw * 8 : 100_000;
    return `${text}|`.repeat(Math.ceil((size + 1) / (text.length + 1)));
  }

  // ---- what is there ----

  async #checkKeys(client: Client, promisedUntilMs: number): Promise<Finding[]> {
    const keys = [...this.#keys.keys()];
    const found = await client.pipeline(keys.map((key) => ["GET", key]));
    return keys.map((key, index) => {
      const register = this.#keys.get(key) as Register;
      return this.#settle(key, register, found[index] as State, promisedUntilMs);
    });
  }

  async #checkCounter(client: Client, promisedUntilMs: number): Promise<Finding> {
    const key = `${this.#name}:counter`;
    const found = (await client.call("GET", key)) as State;
    this.#incremented = Number(found);
    return this.#settle(key, this.#counter, found, promisedUntilMs);
  }

  async #checkTriple(client: Client, promisedUntilMs: number): Promise<Finding> {
    const found = (await client.call("MGET", ...this.#tripleKeys())) as State[];
    const [first = null] = found;
    const key = `${this.#name}:triple`;
    const torn = found.some((value) => value !== first);
    if (torn) return { problem: `${key}: an MSET is half there: ${found.join(", ")}`, spans: [] };
    this.#generation = Math.max(this.#generation, Number(first));
    return this.#settle(key, this.#triple, first, promisedUntilMs);
  }

  async #checkRenamed(client: Client, promisedUntilMs: number): Promise<Finding> {
    const keys = this.#renamedKeys();
    const values = (await client.call("MGET", ...keys)) as State[];
    const found = keys.filter((_, index) => values[index] !== null);
    if (found.length > 1) return { problem: `${found.join(" and ")}: both are there`, spans: [] };
    return this.#settle(`${this.#name}:renamed`, this.#renamed, found[0] ?? null, promisedUntilMs);
  }

  #settle(key: string, register: Register, found: State, promisedUntilMs: number): Finding {
    const spans = register.spansOf(found, promisedUntilMs);
    const promised = register.promised(promisedUntilMs);
    register.settle(found, this.#number);
    if (spans.length > 0) return { spans };
    return { problem: `${key}: promised was ${shown(promised)}, found is ${shown(found)}`, spans };
  }

  async #checkExpiring(client: Client, promisedUntilMs: number): Promise<Finding[]> {
    const keys = [...this.#expiring.keys()];
    const commands = keys.flatMap((key) => [
      ["PEXPIRETIME", key],
      ["GET", key],
    ]);
    const found = await client.pipeline(commands);
    const nowMs = Date.now();
    return keys.map((key, index) => {
      const noted = this.#expiring.get(key) as Expiring;
      const [deadlineMs, value] = found.slice(2 * index, 2 * index + 2);
      const seen = { value: value as State, deadlineMs: Number(deadlineMs), nowMs };
      const problem = problemOf(noted, seen, promisedUntilMs);
      const span = spanOf(noted, seen);
      if (value === null) this.#expiring.delete(key);
      else noted.deadlineMs = Number(deadlineMs);
      return { spans: [span], ...(problem === undefined ? {} : { problem: `${key}: ${problem}` }) };
    });
  }
}

/** What was found of one key. */
interface Finding {
  readonly problem?: string;
  /** When it was so. */
  readonly spans: readonly Span[];
}

/** A key that expires, as it is found. */
interface Seen {
  readonly value: State;
  readonly deadlineMs: number;
  readonly nowMs: number;
}

function shown(state: State): string {
  return state === null ? "its absence" : `"${state.slice(0, 60)}" (${state.length} characters)`;
}

function problemOf(noted: Expiring, seen: Seen, promisedUntilMs: number): string | undefined {
  const { afterMs, sentMs, acknowledgedMs } = noted;
  const { value, deadlineMs } = seen;
  if (value === null) {
    const wasAcknowledged = acknowledgedMs !== undefined && acknowledgedMs <= promisedUntilMs;
    const wasPromised = wasAcknowledged || noted.deadlineMs !== undefined;
    return wasPromised && !mayHaveExpired(noted, seen) ? "gone before its deadline" : undefined;
  }
  if (value !== noted.value) return `found is ${shown(value)}`;
  if (deadlineMs < 0) return "it has lost its deadline";
  if (noted.deadlineMs !== undefined) {
    return noted.deadlineMs === deadlineMs ? undefined : "its deadline has moved";
  }
  const earliestMs = sentMs - CLOCK_AGE_MS;
  const latestMs = acknowledgedMs ?? Number.POSITIVE_INFINITY;
  const isRight = deadlineMs >= earliestMs + afterMs && deadlineMs <= latestMs + afterMs;
  return isRight ? undefined : `its deadline is ${deadlineMs}, sent at ${sentMs} for ${afterMs} ms`;
}

function mayHaveExpired({ sentMs, afterMs }: Expiring, { nowMs }: Seen): boolean {
  return nowMs >= sentMs - CLOCK_AGE_MS + afterMs;
}

/** When it was so, in the order of commands. */
function spanOf(noted: Expiring, seen: Seen): Span {
  const { number, isRefused } = noted;
  if (seen.value !== null) return { from: number, to: Number.POSITIVE_INFINITY };
  const mayBeAnyTime = isRefused || mayHaveExpired(noted, seen) || noted.deadlineMs !== undefined;
  return { from: 0, to: mayBeAnyTime ? Number.POSITIVE_INFINITY : number };
}
