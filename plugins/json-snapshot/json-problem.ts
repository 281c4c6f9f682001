/**
 * Something in the file that is not as it must be: at which byte, and what was expected there.
 * Whoever has the file makes a line and a column of the byte.
 */
export class JsonProblem extends Error {
  /** Counted from the front of the file. */
  readonly offset: number;

  constructor(offset: number, expected: string) {
    super(`expected ${expected}`);
    this.name = "JsonProblem";
    this.offset = offset;
  }
}
