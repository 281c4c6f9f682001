/** A reply that keeps only an error: for replay, where every other answer is of no interest. */
import type { Reply } from "../commands/reply.ts";

export class ErrorRecorder implements Reply {
  /** The last error, or empty. */
  failure = "";

  error(code: string, text: string): void {
    this.failure = `${code} ${text}`;
  }
  ok(): void {}
  status(): void {}
  integer(): void {}
  double(): void {}
  boolean(): void {}
  bulk(): void {}
  json(): void {}
  text(): void {}
  verbatim(): void {}
  null(): void {}
  nullArray(): void {}
  array(): void {}
  map(): void {}
  set(): void {}
  push(): void {}
  mark(): number {
    return 0;
  }
  rewind(): void {}
}
