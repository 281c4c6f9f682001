/** Rules as they stand in a line or between parentheses: words between blanks, quoted as Redis's inline commands are. */
import { Arguments } from "../commands/arguments.ts";
import { Decoder } from "../resp/decoder.ts";

/** Of text of bytes (U+0000 to U+00FF). Null: a quote does not end, or it is too long for a line. */
export function splitRules(text: string): string[] | null {
  // A line that begins so would be an array of RESP; no rule does.
  if (/^[\t-\r ]*\*/.test(text)) return null;
  const args = new Arguments();
  const line = Buffer.from(`${text}\r\n`, "latin1");
  if (new Decoder().decode(args, line, 0, line.length) < 0) return null;
  return Array.from({ length: args.count }, (_, index) => args.latin(index));
}

/**
 * Joins what was cut at the blanks between parentheses: `(~a`, `+get)` is `(~a +get)`. Answers the word whose parenthesis does
 * not close in the place of the rules.
 */
export function joinSelectors(words: readonly string[]): readonly string[] | { unmatched: string } {
  const joined: string[] = [];
  let open: string[] = [];
  for (const word of words) {
    if (open.length > 0 || (word.startsWith("(") && !word.endsWith(")"))) open.push(word);
    else joined.push(word);
    if (open.length > 0 && word.endsWith(")")) {
      joined.push(open.join(" "));
      open = [];
    }
  }
  return open.length === 0 ? joined : { unmatched: open[0] ?? "" };
}
