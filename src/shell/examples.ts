/** Lines to begin with, for help on commands whose syntax alone does not show how one types them. */
import { quoteArgument } from "./argument-words.ts";
import { parseLine } from "./line.ts";

export interface Example {
  /** As it is typed at the prompt. */
  readonly line: string;
  readonly what: string;
}

const examples: Readonly<Record<string, readonly Example[]>> = {
  find: [
    { line: 'find city = "Oslo" and age >= 30', what: "documents that fulfil a filter" },
    { line: "find limit 5", what: "some documents, whatever they are" },
    { line: "find tags has admin in user:*", what: "an array with an element; keys by prefix" },
    { line: 'find name starts with "A" or name = "Bob"', what: "also: in between exists matches" },
    { line: 'find {"age":{"$gte":30},"city":"Oslo"}', what: "the same question as in MongoDB" },
    { line: "find age >= 30 sort -age,name limit 5 fields name,age", what: "the five oldest" },
    { line: 'find city = $1 params "Oslo"', what: "a value that is never a part of the filter" },
    { line: "find city = Oslo count", what: "how many" },
    { line: "find * group by city count avg age", what: "figures for each city" },
    { line: "explain find city = Oslo", what: "how that was found" },
  ],
  explain: [
    { line: "explain find city = Oslo", what: "which index leads there, and over how many rows" },
    { line: "explain find age > 30 sort -age limit 5", what: "whether an index has the order" },
  ],
  index: [
    { line: "index city", what: "find by equality: INDEX CREATE city USING hash FIELD city" },
    { line: "index age using ordered", what: "ranges, prefixes and sorting as well" },
    { line: "index user.address.city", what: "a field within others" },
    { line: "index tags[*]", what: "each element of an array" },
    { line: "index email unique sparse", what: "no two documents with the same; not all have one" },
    { line: "index name prefix user: where age >= 18", what: "some documents alone" },
    { line: "index list", what: "the indexes that there are" },
    { line: "index info city", what: "one of them, and its size" },
    { line: "index drop city", what: "the documents stay" },
  ],
};

/** What they say of the words that are typed. */
const notes: Readonly<Record<string, string>> = {
  find: `The filter goes up to the first of IN USING SORT LIMIT SKIP FIELDS COUNT CURSOR GROUP SUM AVG MIN MAX PARAMS that is
no part of it: behind an operator and in brackets they are values, before one they are fields. IN with a * at its end
is a prefix of keys.`,
};

/** Of a shell of the system, which takes quotes away, and has marks of its own. */
const argumentNotes: Readonly<Record<string, string>> = {
  find: `The filter is one argument, or several: behind an operator, one that is no number, word or JSON is a string, as in
kvdb find city = 'New York'. A text that looks like a number has quotes of its own: zip = '"501"'.`,
};

/** At the prompt and in scripts. */
export function lineExamples(word: string): { examples: readonly Example[]; note: string } {
  const folded = word.toLowerCase();
  if (!Object.hasOwn(examples, folded)) return { examples: [], note: "" };
  return { examples: examples[folded] ?? [], note: notes[folded] ?? "" };
}

/** The same as arguments of kvdb. */
export function argumentExamples(word: string): { examples: readonly Example[]; note: string } {
  const { examples: lines, note } = lineExamples(word);
  const inShell = lines.map(({ line, what }) => ({ line: asArguments(line), what }));
  const more = argumentNotes[word.toLowerCase()] ?? "";
  return { examples: inShell, note: [note, more].filter((one) => one !== "").join("\n") };
}

function asArguments(line: string): string {
  const { words } = parseLine(line);
  return ["kvdb", ...words.map((word) => quoteArgument(String(word)))].join(" ");
}
