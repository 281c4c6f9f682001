/**
 * The next commands of one client's input, decoded together before the first of them runs, so that what they need can be
 * loaded ahead. One object serves all connections; it holds spans over the input, never bytes of its own.
 */
import { Arguments, LOOK_AHEAD } from "kvdb";
import type { Decoder } from "kvdb/resp";

const NO_INPUT = Buffer.alloc(0);
/** Room for spans that is kept for the next command; what a rare huge one took beyond it is given back. */
const KEPT_SPANS = 64 * 1024;

export class Batch {
  readonly commands: readonly Arguments[] = Array.from(
    { length: LOOK_AHEAD },
    () => new Arguments(),
  );
  count = 0;
  /** Where in the input each command ends. */
  readonly ends = new Int32Array(LOOK_AHEAD);
  /** Where the whole of what was decoded ends, empty commands included. */
  end = 0;
  /** INCOMPLETE or MALFORMED when the decoder stopped there, else 0. */
  stopped = 0;

  /** Decodes at most `most` commands of input[from, limit). */
  decode(decoder: Decoder, input: Buffer, from: number, limit: number, most: number): void {
    let at = from;
    let count = 0;
    this.stopped = 0;
    while (count < most && at < limit) {
      const args = this.commands[count] as Arguments;
      const next = decoder.decode(args, input, at, limit);
      if (next < 0) {
        this.stopped = next;
        break;
      }
      at = next;
      if (args.count > 0) this.ends[count++] = at;
    }
    this.count = count;
    this.end = at;
  }

  /** Lets go of the input: a huge command must not stay in memory until the next one comes. */
  release(): void {
    for (const args of this.commands) {
      if (args.start.length > KEPT_SPANS) {
        args.start = new Int32Array(KEPT_SPANS);
        args.end = new Int32Array(KEPT_SPANS);
      }
      args.buffer = NO_INPUT;
      args.hint.bytes = null;
    }
  }
}
