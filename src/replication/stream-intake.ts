/**
 * The stream of a primary, cut into units as it comes: what is recorded as one and, where it changes data, changes it in one
 * moment. A unit is a command with what stands in front of it, or a whole transaction:
 *
 *   SET key value                                   most of them: `single`, its arguments are in `args`
 *   SELECT 3 · SET key value                        the database that is selected from here on
 *   PING "#kvdb-json" · SET key value               what Redis has no word for (see journal/stream-form)
 *   MULTI · SET … · SET … · EXEC                    with whatever stands between
 *   PING, REPLCONF GETACK *                         `idle`: they change nothing
 *
 * Bytes are copied once, into a buffer that grows to the longest unit and is used again. What was looked at is not looked at
 * again when more comes, so a long transaction in many pieces costs time linear in its size.
 *
 * Invariant: [start, end) of the units, one behind the other, are all bytes that came.
 */
import { Arguments } from "../commands/arguments.ts";
import { MAX_RECORD_BYTES } from "../journal/record.ts";
import { databaseBeyond } from "../journal/replay.ts";
import { Decoder, INCOMPLETE, MALFORMED } from "../resp/decoder.ts";

const FIRST_BYTES = 64 * 1024;
/** A longer buffer is not kept for units that are short again. */
const MAX_KEPT_BYTES = 4 * 1024 * 1024;
const STAR = 42;
const HASH = 35;
const UPPER = 0xdf;
const M = 77;
const P = 80;
const R = 82;
const S = 83;

/** `own`: it has what Redis has no word for. */
export type UnitKind = "single" | "several" | "own" | "idle";

export class StreamIntake {
  /** The unit that `next` has found: buffer[start, end). */
  buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  start = 0;
  end = 0;
  kind: UnitKind = "single";
  /** The arguments of the unit's last command; of `single` and `idle` the only one. */
  readonly args = new Arguments();
  /** It asks for an acknowledgement. */
  wantsAcknowledgement = false;
  /** Why the bytes are no stream; empty: they may be one. */
  problem = "";
  readonly #decoder = new Decoder();
  /** Behind the last byte that has come. */
  #limit = 0;
  /** Up to here the unit in hand was looked at. */
  #at = 0;
  #needed = 0;
  #inTransaction = false;
  #isOwn = false;
  #commands = 0;

  /** So many there are here: what is for another one is a problem, for it would get into one of these. */
  readonly #databases: number;
  readonly #maxUnitBytes: number;

  /** A unit is recorded as one: a longer one is a problem, told as soon as it is plain that it is. */
  constructor(databases: number, maxUnitBytes = MAX_RECORD_BYTES) {
    this.#decoder.maxBulkBytes = MAX_RECORD_BYTES;
    this.#databases = databases;
    this.#maxUnitBytes = maxUnitBytes;
  }

  /** What has come and is in no unit yet. */
  get waitingBytes(): number {
    return this.#limit - this.end;
  }

  push(chunk: Buffer): void {
    this.#makeRoom(chunk.length);
    chunk.copy(this.buffer, this.#limit);
    this.#limit += chunk.length;
  }

  /** What has come is forgotten: the connection is another one. */
  clear(): void {
    this.start = this.end = this.#at = this.#limit = 0;
    this.#beginUnit();
    this.problem = "";
    if (this.buffer.length > MAX_KEPT_BYTES) this.buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  }

  /** The next unit, if it is there as a whole. The one before is over: its bytes may be overwritten by `push`. */
  next(): boolean {
    if (this.problem !== "") return false;
    this.start = this.end;
    while (this.#at < this.#limit && this.#limit - this.#at >= this.#needed) {
      const after = this.#decode();
      if (after < 0) break;
      this.#at = after;
      this.#needed = 0;
      this.#commands++;
      const isWhole = this.#endsUnit();
      if (this.problem !== "" || this.#isTooLong()) return false;
      if (isWhole) {
        this.end = after;
        this.#beginUnit();
        return true;
      }
    }
    if (this.problem === "") this.#isTooLong();
    return false;
  }

  #isTooLong(): boolean {
    if (this.#at + this.#needed - this.start <= this.#maxUnitBytes) return false;
    this.problem = `a unit of the stream has more than ${this.#maxUnitBytes} bytes`;
    return true;
  }

  /** Where the command at hand ends; below zero: it is not whole, or none. */
  #decode(): number {
    const { buffer } = this;
    const after = this.#decoder.decode(this.args, buffer, this.#at, this.#limit);
    if (after === MALFORMED) this.problem = this.#decoder.problem;
    else if (after === INCOMPLETE) this.#needed = this.#decoder.needed;
    // Redis never sends such a line: so the two have lost one another.
    else if (buffer[this.#at] !== STAR && this.args.count > 0) {
      this.problem = "Protocol error: a line stands between the commands of the stream";
      return MALFORMED;
    }
    return after;
  }

  #beginUnit(): void {
    this.#commands = 0;
    this.#needed = 0;
    this.#inTransaction = false;
    this.#isOwn = false;
  }

  /** Looks at the command in `args`: whether the unit is whole with it. Nearly all pass by the first letter of their name. */
  #endsUnit(): boolean {
    const { args } = this;
    if (args.count === 0) return this.#isWhole("idle");
    switch ((args.buffer[args.start[0] as number] as number) & UPPER) {
      case M:
        if (args.is(0, "MULTI")) {
          this.#inTransaction = true;
          return false;
        }
        break;
      case P:
        if (args.is(0, "PING")) return this.#ping();
        break;
      case R:
        if (args.is(0, "REPLCONF")) {
          this.wantsAcknowledgement ||= args.count > 1 && args.is(1, "GETACK");
          return this.#isWhole("idle");
        }
        break;
      case S:
        // What comes next is why it was sent.
        if (args.is(0, "SELECT")) {
          this.#requireDatabase(args.integer(1));
          return false;
        }
        break;
      default:
        if (this.#inTransaction && args.is(0, "EXEC")) {
          this.#inTransaction = false;
          return this.#isWhole("several");
        }
    }
    return this.#isWhole("single");
  }

  /** Redis answers an error, and does what follows in the database before. */
  #requireDatabase(index: number): void {
    if (index < this.#databases) return;
    this.problem = databaseBeyond(index, this.#databases).message;
  }

  #ping(): boolean {
    const { args } = this;
    const isOwn = args.count === 2 && args.buffer[args.start[1] as number] === HASH;
    if (!isOwn || args.size(1) === 0) return this.#isWhole("idle");
    this.#isOwn = true;
    // It is a whole command, in the words of kvdb; the others are about the command behind them.
    return args.latin(1).startsWith("#kvdb-do ") && this.#isWhole("single");
  }

  /** False within a transaction. */
  #isWhole(kind: UnitKind): boolean {
    if (this.#inTransaction) return false;
    if (this.#isOwn) this.kind = "own";
    else if (kind === "single" && this.#commands > 1) this.kind = "several";
    else this.kind = this.#commands > 1 && kind === "idle" ? "several" : kind;
    return true;
  }

  /** So that `bytes` more fit behind what has come; what is in the unit in hand or behind it moves to the front. */
  #makeRoom(bytes: number): void {
    if (this.#limit + bytes <= this.buffer.length) return;
    const from = this.end;
    const size = this.#limit - from;
    const fits = size + bytes <= this.buffer.length && from > 0;
    const isSmall = size + bytes <= FIRST_BYTES && this.buffer.length > MAX_KEPT_BYTES;
    const grown = Math.max(FIRST_BYTES, 2 * (size + bytes));
    const target =
      fits && !isSmall ? this.buffer : Buffer.allocUnsafeSlow(isSmall ? FIRST_BYTES : grown);
    this.buffer.copy(target, 0, from, this.#limit);
    this.buffer = target;
    this.#limit = size;
    this.#at -= from;
    this.start = this.end = 0;
  }
}
