/** Carries out what a line of words asks for, over any way to the data. */
import type { Part } from "../client/link.ts";
import type { Answer } from "../resp/answer.ts";
import { listKeys } from "./listing.ts";
import { answersJson, type Understood } from "./words.ts";

export interface Performed {
  readonly answer: Answer;
  /** The answer is a string of JSON text, to be shown as it is. */
  readonly isValue: boolean;
  /** A word for people beside the answer. */
  readonly note?: string;
}

/** An error reply is an answer. Rejects when the way to the data is gone. */
export async function perform(
  { command, parts, listing }: Understood,
  call: (parts: readonly Part[]) => Promise<Answer>,
): Promise<Performed> {
  if (listing === undefined) return { answer: await call(parts), isValue: answersJson(command) };
  return { ...(await listKeys(command.name, listing, call)), isValue: false };
}
