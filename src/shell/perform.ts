/** Carries out what a line of words asks for, over any way to the data. */
import { type Part, partText } from "../client/link.ts";
import { KvdbError } from "../errors.ts";
import type { Answer } from "../resp/answer.ts";
import type { OutputMode } from "./answer-text.ts";
import { type ChangePage, readChangePage } from "./change-rows.ts";
import { type FilterProblem, filterProblem } from "./filter-problem.ts";
import { countOf, type Found, readFound } from "./found-answer.ts";
import { listKeys } from "./listing.ts";
import { answersJson, type Understood } from "./words.ts";

export interface Performed {
  readonly answer: Answer;
  /** The answer is a string of JSON text, to be shown as it is. */
  readonly isValue: boolean;
  /** A word for people beside the answer. */
  readonly note?: string;
  /** The facts of EXPLAIN. */
  readonly isExplanation?: boolean;
  /** What FIND found; a number of things. */
  readonly found?: Found;
  /** What CHANGES told. */
  readonly page?: ChangePage;
  /** Where in a filter the error is that was answered. */
  readonly problem?: FilterProblem;
}

/** What answers never, or more than once: whoever waits for its answer would wait for ever. */
const WITHOUT_ONE_ANSWER = new Set([
  ...["SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE"],
  ...["MONITOR", "SYNC", "PSYNC", "CLIENT|REPLY"],
]);

/**
 * An error reply is an answer. Rejects when the way to the data is gone, and with USAGE for a command
 * that has not one answer.
 */
export async function perform(
  { command, parts, listing }: Understood,
  call: (parts: readonly Part[]) => Promise<Answer>,
  mode: OutputMode = "plain",
): Promise<Performed> {
  // A server whose commands are not known is asked by the word alone.
  const asked = command.name || partText(parts[0] ?? "").toUpperCase();
  if (WITHOUT_ONE_ANSWER.has(asked)) {
    const name = asked.toLowerCase().replace("|", " ");
    throw new KvdbError("USAGE", `"${name}" is for a connection of its own: it has not one answer`);
  }
  // Bare bytes are what GET answers. VALUE.GET says bytes in JSON, as a document could by itself.
  if (mode === "raw" && answersJson(command)) {
    const bare = command.name === "VALUE.GET" ? ["GET", ...parts.slice(1)] : parts;
    return { answer: await call(bare), isValue: false };
  }
  if (listing === undefined) {
    const answer = await call(parts);
    return {
      answer,
      isValue: answersJson(command),
      ...(command.name === "CHANGES"
        ? aboutChanges(answer, mode)
        : aboutDocuments(command.name, parts, answer)),
    };
  }
  return { ...(await listKeys(command.name, listing, call)), isValue: false };
}

/** What is known of an answer to a command on documents and their indexes. */
function aboutDocuments(
  name: string,
  parts: readonly Part[],
  answer: Answer,
): Pick<Performed, "found" | "note" | "problem" | "isExplanation"> {
  if (name === "INDEX|CREATE" || name === "INDEX|REBUILD") return aboutEntries(answer);
  if (!/^(?:FIND|EXPLAIN(?:\|FIND)?)$/.test(name)) return {};
  if (answer.kind === "error") {
    const problem = filterProblem(parts, answer);
    return problem === undefined ? {} : { problem };
  }
  const found = readFound(answer);
  if (found === undefined) return { isExplanation: name !== "FIND" };
  const isMore = found.cursor !== undefined && found.cursor !== "0";
  const note = `there are more documents: go on with cursor ${found.cursor}`;
  return { found, ...(isMore && { note }) };
}

/** A table has no place for the revision to go on from; all other forms have it. */
function aboutChanges(answer: Answer, mode: OutputMode): Pick<Performed, "page" | "note"> {
  const page = readChangePage(answer);
  if (page === undefined || mode !== "plain") return {};
  return { page, note: `go on with CHANGES FROM ${page.next}` };
}

/** An index of nothing may be meant, or misspelt. */
function aboutEntries(answer: Answer): Pick<Performed, "found" | "note"> {
  if (answer.kind !== "integer") return {};
  const found = countOf(answer, "entry", "entries");
  return Number(answer.value) > 0 ? { found } : { found, note: "no document belongs into it yet" };
}
