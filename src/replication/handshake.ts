/**
 * What a replica says to its primary before data flows, and what it makes of each answer; no socket and no clock. As in
 * Redis 7.0:
 *
 *   PING                                      → +PONG, -NOPERM …: it is there; -NOAUTH …: if there is a password to give
 *   AUTH [user] password                      → +OK, or it ends here
 *   REPLCONF listening-port 6380              → +OK; an error is no reason to end
 *   REPLCONF ip-address 192.0.2.7             → the same; only where one is announced
 *   REPLCONF capa eof capa psync2             → the same
 *   PSYNC <id> <offset> [FAILOVER]            → +FULLRESYNC <id> <offset> | +CONTINUE [<id>] | -LOADING … | -NOMASTERLINK …
 *
 * PING waits for its answer, and PSYNC for those of all that stands between: a Redis refuses it while it has yet to send
 * something. An empty line is a sign of life, and no answer.
 */
import type { Part } from "../client/link.ts";

/** Redis's: two ids of runs, 40 hexadecimal digits. */
const ID = /^[0-9a-f]{40}$/i;
const MAX_OFFSET = Number.MAX_SAFE_INTEGER;
/** A line without an end is none of a primary's. */
export const MAX_LINE_BYTES = 64 * 1024;

export interface Introduction {
  /** Undefined: the default user. */
  readonly user?: string | undefined;
  /** Undefined: none is given. */
  readonly password?: string | undefined;
  /** Where others find this server, 0: nowhere; and under which address, empty: the one it comes from. */
  readonly listeningPort: number;
  readonly announcedIp: string;
  /** What follows is asked for: of this id from this offset on. Null: everything. */
  readonly from: { readonly id: string; readonly offset: number } | null;
  /** The primary is to give its place to this server. */
  readonly isFailover?: boolean;
}

export type Answered =
  /** There are answers to come. */
  | { readonly kind: "wait" }
  | { readonly kind: "send"; readonly commands: readonly (readonly Part[])[] }
  /** A copy comes: the state at `offset` of the stream `id`. */
  | { readonly kind: "full"; readonly id: string; readonly offset: number }
  /** The stream comes, from where it was asked for; `id` is that of the stream now. */
  | { readonly kind: "continue"; readonly id: string }
  /** It cannot serve replicas now. */
  | { readonly kind: "later"; readonly reason: string }
  | { readonly kind: "failed"; readonly reason: string };

interface Step {
  readonly name: string;
  readonly command: readonly Part[];
  answer(line: string): Answered | null;
}

export class Handshake {
  readonly #introduction: Introduction;
  /** Those that were sent and have not been answered. */
  #waiting: Step[] = [];
  readonly #note: (what: string) => void;

  /** `note` is told of what went wrong and does not matter. */
  constructor(introduction: Introduction, note: (what: string) => void) {
    this.#introduction = introduction;
    this.#note = note;
  }

  /** What to send first. */
  begin(): readonly (readonly Part[])[] {
    return this.#send([{ name: "PING", command: ["PING"], answer: (line) => this.#ponged(line) }]);
  }

  /** What is awaited, for who is told that it did not come. */
  get awaited(): string {
    return this.#waiting[0]?.name ?? "nothing";
  }

  /** A line without its end has come. */
  line(line: string): Answered {
    if (line === "") return WAIT;
    const step = this.#waiting.shift();
    if (step === undefined) return failed(`it says ${shown(line)} although it was not asked`);
    const answered = step.answer(line);
    if (answered !== null) return answered;
    return this.#waiting.length > 0 ? WAIT : this.#sendNext([this.#psync()]);
  }

  #send(steps: readonly Step[]): readonly (readonly Part[])[] {
    this.#waiting = [...steps];
    return steps.map(({ command }) => command);
  }

  #ponged(line: string): Answered {
    const isThere =
      line.startsWith("+") ||
      /^-(NOAUTH|NOPERM|ERR operation not permitted)/.test(line) ||
      // It stands by itself, whatever it is that it cannot do now: PSYNC tells.
      /^-(LOADING|MASTERDOWN|BUSY)\b/.test(line);
    if (!isThere) return failed(`it answers PING with ${shown(line)}`);
    // It would refuse all that follows as well, in words that say less.
    if (line.startsWith("-NOAUTH") && this.#introduction.password === undefined) {
      return failed("it asks for a password, and masterauth is none");
    }
    return this.#sendNext(this.#steps());
  }

  #sendNext(steps: readonly Step[]): Answered {
    return { kind: "send", commands: this.#send(steps) };
  }

  #steps(): Step[] {
    const { user, password, listeningPort, announcedIp } = this.#introduction;
    const steps: Step[] = [];
    if (password !== undefined) {
      const words = user === undefined ? [password] : [user, password];
      steps.push({ name: "AUTH", command: ["AUTH", ...words], answer: authenticated });
    }
    if (listeningPort !== 0) steps.push(this.#replconf("listening-port", String(listeningPort)));
    if (announcedIp !== "") steps.push(this.#replconf("ip-address", announcedIp));
    steps.push(this.#replconf("capa", "eof", "capa", "psync2"));
    return steps;
  }

  #replconf(...words: readonly string[]): Step {
    const answer = (line: string): null => {
      if (line.startsWith("-")) {
        this.#note(`it does not understand REPLCONF ${words[0]}: ${shown(line)}`);
      }
      return null;
    };
    return { name: `REPLCONF ${words[0]}`, command: ["REPLCONF", ...words], answer };
  }

  #psync(): Step {
    const { from, isFailover } = this.#introduction;
    const place = from === null ? ["?", "-1"] : [from.id, String(from.offset)];
    const failover = isFailover === true ? ["FAILOVER"] : [];
    return {
      name: "PSYNC",
      command: ["PSYNC", ...place, ...failover],
      answer: (line) => this.#synced(line),
    };
  }

  #synced(line: string): Answered {
    const [word = "", ...more] = line.split(" ");
    switch (word) {
      case "+FULLRESYNC":
        return fullResync(line, more);
      case "+CONTINUE":
        return this.#goesOn(line, more);
      // It was asked to fail over, or has not loaded, or has lost its own primary.
      case "-LOADING":
      case "-NOMASTERLINK":
      case "-MASTERDOWN":
      case "-BUSY":
      case "-TRYAGAIN":
        return { kind: "later", reason: line.slice(1) };
      default:
        return failed(refusal(line));
    }
  }

  #goesOn(line: string, [id]: readonly string[]): Answered {
    const { from } = this.#introduction;
    if (from === null) return failed("it goes on with a stream that it was not asked for");
    if (id === undefined) return { kind: "continue", id: from.id };
    return ID.test(id) ? { kind: "continue", id } : failed(`it answers PSYNC with ${shown(line)}`);
  }
}

const WAIT: Answered = { kind: "wait" };

function failed(reason: string): Answered {
  return { kind: "failed", reason };
}

function authenticated(line: string): Answered | null {
  return line.startsWith("-") ? failed(`it refuses masterauth: ${shown(line)}`) : null;
}

function fullResync(line: string, [id = "", offset = ""]: readonly string[]): Answered {
  const at = /^\d{1,16}$/.test(offset) ? Number(offset) : Number.NaN;
  if (!ID.test(id) || !(at <= MAX_OFFSET)) return failed(`it answers PSYNC with ${shown(line)}`);
  return { kind: "full", id, offset: at };
}

function refusal(line: string): string {
  if (/^-ERR unknown command/i.test(line)) {
    return "it does not know PSYNC: it is older than Redis 2.8, or no Redis";
  }
  return `it answers PSYNC with ${shown(line)}`;
}

/** For a log: one line, not too long. */
function shown(line: string): string {
  const text = line.replace(/[^\x20-\x7e]/g, "?");
  return `"${text.length > 160 ? `${text.slice(0, 160)}…` : text}"`;
}
