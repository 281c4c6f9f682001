/**
 * What one session has queued since MULTI: the commands one behind the other in pages, as RESP arrays, so that a million of
 * them are no million objects. Not how they run: that is transactions.ts's.
 *
 *   page in hand    grows from 4 KiB to 1 MiB, or has the size of one longer command
 *   pages before    hold little more than their commands: a queue of 33 MiB takes 33 MiB, and not the next power of two
 *
 * Invariant: a command lies in one page.
 */
import { Arguments } from "../commands/arguments.ts";
import { CommandError } from "../commands/command-error.ts";
import { CommandWriter } from "../journal/effects.ts";
import { MAX_JOINED_BYTES } from "../limits.ts";
import { Decoder } from "../resp/decoder.ts";
import type { Transaction } from "../session/transaction.ts";

/** More than the framing of an argument takes. */
const ARGUMENT_BYTES = 32;
/** A page that is full: small beside a queue that anybody would mind. */
const PAGE_BYTES = 1 << 20;
/** The part of a full page that may be left empty; more is given back, for a copy. */
const MOST_EMPTY = 1 / 8;

export class OpenTransaction implements Transaction {
  /** An error of one command undoes all. */
  readonly isUndoable: boolean;
  readonly #full: Buffer[] = [];
  #page = new CommandWriter();
  /** Of the commands, and of the pages that are full. */
  #size = 0;
  #fullBytes = 0;
  count = 0;
  /** Steps of the gate that concern one of the commands: a mask. */
  gates = 0;
  isSeenByOthers = false;
  /** A command could not be queued. */
  hasFailed = false;
  readonly #maxBytes: number;

  constructor(isUndoable: boolean, maxBytes = MAX_JOINED_BYTES) {
    this.isUndoable = isUndoable;
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#fullBytes + this.#page.buffer.length;
  }

  fail(): void {
    this.hasFailed = true;
  }

  /** Queues the command, which these steps of the gate concern. Throws when the record of all could be too long. */
  add(args: Arguments, gates: number): void {
    const bytes = mostBytes(args);
    if (this.#size + bytes > this.#maxBytes) {
      const most = `${Math.floor(this.#maxBytes / 2 ** 20)} MiB`;
      throw new CommandError("ERR", `a transaction has at most ${most} of commands`);
    }
    if (this.#page.size + bytes > PAGE_BYTES) this.#turnPage(bytes);
    const before = this.#page.size;
    this.#page.arguments(args);
    this.#size += this.#page.size - before;
    this.count++;
    this.gates |= gates;
  }

  /** Begins a page with room for a command of so many bytes. */
  #turnPage(bytes: number): void {
    const { buffer, size } = this.#page;
    if (size > 0) {
      const isEmpty = buffer.length - size > buffer.length * MOST_EMPTY;
      const full = isEmpty ? Buffer.allocUnsafeSlow(size) : buffer.subarray(0, size);
      if (isEmpty) buffer.copy(full, 0, 0, size);
      this.#full.push(full);
      this.#fullBytes += full.buffer.byteLength;
    }
    this.#page = new CommandWriter(Math.max(bytes, PAGE_BYTES));
  }

  /** One argument as long as all of it, whose bytes are not there: to ask whether there is room for so much. */
  get whole(): Arguments {
    const whole = new Arguments();
    whole.count = 1;
    whole.start[0] = 0;
    whole.end[0] = this.#size;
    return whole;
  }

  /** Calls `visit` with each command in the order they came, until it answers false. */
  each(visit: (args: Arguments) => boolean): void {
    const decoder = new Decoder();
    const args = new Arguments();
    for (const page of [...this.#full, this.#page.buffer.subarray(0, this.#page.size)]) {
      for (let at = 0; at < page.length; ) {
        at = decoder.decode(args, page, at, page.length);
        if (!visit(args)) return;
      }
    }
  }
}

/** No less than the command takes in the queue. */
function mostBytes(args: Arguments): number {
  if (args.rawStart >= 0) return args.rawEnd - args.rawStart;
  const framing = args.count * ARGUMENT_BYTES + ARGUMENT_BYTES;
  return (args.end[args.count - 1] as number) - (args.start[0] as number) + framing;
}
