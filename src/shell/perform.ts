/** Carries out what a line of words asks for, over any way to the data. */
import { type Part, partText } from "../client/link.ts";
import { KvdbError } from "../errors.ts";
import type { Answer } from "../resp/answer.ts";
import type { OutputMode } from "./answer-text.ts";
import { listKeys } from "./listing.ts";
import { answersJson, type Understood } from "./words.ts";

export interface Performed {
  readonly answer: Answer;
  /** The answer is a string of JSON text, to be shown as it is. */
  readonly isValue: boolean;
  /** A word for people beside the answer. */
  readonly note?: string;
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
  if (listing === undefined) return { answer: await call(parts), isValue: answersJson(command) };
  return { ...(await listKeys(command.name, listing, call)), isValue: false };
}
