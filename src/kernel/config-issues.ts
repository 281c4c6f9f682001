/**
 * What is wrong with a configuration, collected: a person who made three mistakes is told of three,
 * not of one three times. Each issue names where it was written (file and line, variable or
 * option), the JSON path and what was expected.
 *
 *   kvdb.config.json:4: frontends[0].prot: unknown key, expected one of "bind", "port"; did you mean "port"?
 */
import { KvdbError } from "../errors.ts";

export interface Issue {
  /** `kvdb.config.json:4`, `KVDB_PORT`, `--port`; empty when the default itself is at fault. */
  readonly place: string;
  /** As people write it, `frontends[0].port`; empty for the whole. */
  readonly path: string;
  readonly message: string;
}

export function formatIssue(issue: Issue): string {
  return [issue.place, issue.path, issue.message].filter((part) => part !== "").join(": ");
}

/**
 * One error for all issues, one line each, in the order in which they were found and without
 * repetitions.
 */
export function issuesError(issues: readonly Issue[]): KvdbError {
  return new KvdbError("CONFIG", [...new Set(issues.map(formatIssue))].join("\n"));
}
