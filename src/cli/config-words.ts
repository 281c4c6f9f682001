/**
 * `kvdb config …` is two things: words of the command line (check, show) and commands of the table
 * (CONFIG GET and its kin). A wrong word is told all of them.
 */
import { configCommands } from "../commands/config-commands.ts";
import { KvdbError } from "../errors.ts";
import { suggestion } from "../suggest.ts";
import { configWords } from "./own-words.ts";

/** Throws a KvdbError USAGE when neither knows it. */
export function requireConfigWord(word: string | undefined): void {
  const own = configWords.map(({ name }) => name);
  const others = configCommands
    .map(({ name }) => name.toLowerCase().split("|")[1])
    .filter((name) => name !== undefined);
  if (word === undefined) {
    const list = `${own.join(", ")}, or of a server ${others.join(", ")}`;
    throw new KvdbError("USAGE", `"config" needs a subcommand: ${list}`);
  }
  if (others.includes(word.toLowerCase())) return;
  const near = suggestion(word, [...own, ...others]);
  throw new KvdbError(
    "USAGE",
    `unknown subcommand "config ${word}"${near}; see \`kvdb help config\``,
  );
}
