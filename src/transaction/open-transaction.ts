/**
 * What one session has queued since MULTI: the commands one behind the other in one buffer, as RESP arrays, so that a
 * million of them are no million objects. Not how they run: that is transactions.ts's.
 */
import { Arguments } from "../commands/arguments.ts";
import { CommandError } from "../commands/command-error.ts";
import { CommandWriter } from "../journal/effects.ts";
import { MAX_JOINED_BYTES } from "../limits.ts";
import { Decoder } from "../resp/decoder.ts";
import type { Transaction } from "../session/transaction.ts";

/** More than the framing of an argument takes. */
const ARGUMENT_BYTES = 32;

export class OpenTransaction implements Transaction {
  /** An error of one command undoes all. */
  readonly isUndoable: boolean;
  readonly #commands = new CommandWriter();
  count = 0;
  /** Steps of the gate that concern one of the commands: a mask. */
  gates = 0;
  /** A command could not be queued. */
  hasFailed = false;
  readonly #maxBytes: number;

  constructor(isUndoable: boolean, maxBytes = MAX_JOINED_BYTES) {
    this.isUndoable = isUndoable;
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#commands.buffer.length;
  }

  fail(): void {
    this.hasFailed = true;
  }

  /** Queues the command, which these steps of the gate concern. Throws when the record of all could be too long. */
  add(args: Arguments, gates: number): void {
    const framing = args.count * ARGUMENT_BYTES;
    const bytes = args.end[args.count - 1] - args.start[0] + framing;
    if (this.#commands.size + bytes > this.#maxBytes) {
      const most = `${Math.floor(this.#maxBytes / 2 ** 20)} MiB`;
      throw new CommandError("ERR", `a transaction has at most ${most} of commands`);
    }
    this.#commands.arguments(args);
    this.count++;
    this.gates |= gates;
  }

  /** All of it as one argument, to ask whether there is room for it. */
  get whole(): Arguments {
    const whole = new Arguments();
    whole.buffer = this.#commands.buffer;
    whole.count = 1;
    whole.start[0] = 0;
    whole.end[0] = this.#commands.size;
    return whole;
  }

  /** Calls `visit` with each command in the order they came, until it answers false. */
  each(visit: (args: Arguments) => boolean): void {
    const { buffer, size } = this.#commands;
    const decoder = new Decoder();
    const args = new Arguments();
    for (let at = 0; at < size; ) {
      at = decoder.decode(args, buffer, at, size);
      if (!visit(args)) return;
    }
  }
}
