/**
 * A broken invariant ends the process: data that may be wrong must not be served or written. Not for bad input or a
 * bad disk: those are a KvdbError or an error reply.
 */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}

export class AssertionError extends Error {
  constructor(message: string) {
    super(`invariant broken: ${message}`);
    this.name = "AssertionError";
  }
}
