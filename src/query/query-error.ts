/**
 * What is wrong with a filter, a path, a sort order or another text that a user asks with: it says
 * where, so that whoever shows it can point at the place.
 */
import { KvdbError } from "../errors.ts";

export class QueryError extends KvdbError {
  /** What is wrong, without the place. */
  readonly problem: string;
  /** The text that was asked with. */
  readonly text: string;
  /** Where in it, in characters from 1; one behind its last character where it ends too early. */
  override readonly column: number;

  /** `at` is an offset into the text in 16-bit units. */
  constructor(problem: string, text: string, at: number) {
    const column = [...text.slice(0, at)].length + 1;
    super("COMMAND", `column ${column}: ${problem}`, { reply: "ERR" });
    this.name = "QueryError";
    this.problem = problem;
    this.text = text;
    this.column = column;
  }
}
