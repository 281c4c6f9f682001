/**
 * Places in a text that is being edited: where characters, words and lines begin and end. A character
 * is what a person takes for one: a letter with its marks, a family of emoji.
 */

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** Longer than any character: as much of the text is looked at, however long it is. */
const NEAR = 64;

export function nextCharacter(text: string, at: number): number {
  const [first] = segmenter.segment(text.slice(at, at + NEAR));
  return first === undefined ? at : at + first.segment.length;
}

export function previousCharacter(text: string, at: number): number {
  const from = Math.max(0, at - NEAR);
  let last = from;
  for (const { index } of segmenter.segment(text.slice(from, at))) last = from + index;
  return at === 0 ? 0 : last;
}

/** How many characters stand in text[start, end). */
export function countCharacters(text: string, start: number, end: number): number {
  return [...segmenter.segment(text.slice(start, end))].length;
}

/** Behind so many characters from `start` on, and not behind `end`. */
export function skipCharacters(text: string, start: number, end: number, count: number): number {
  let at = start;
  for (let skipped = 0; skipped < count && at < end; skipped++) at = nextCharacter(text, at);
  return Math.min(at, end);
}

/** Behind the word that follows. */
export function wordEnd(text: string, at: number): number {
  const [skipped = ""] = /^[^\p{L}\p{N}\p{M}_]*[\p{L}\p{N}\p{M}_]*/u.exec(text.slice(at)) ?? [];
  return at + skipped.length;
}

export function wordStart(text: string, at: number): number {
  const [skipped = ""] = /[\p{L}\p{N}\p{M}_]*[^\p{L}\p{N}\p{M}_]*$/u.exec(text.slice(0, at)) ?? [];
  return at - skipped.length;
}

/** Words as Ctrl-W sees them: all between white space. */
export function blankWordStart(text: string, at: number): number {
  const [skipped = ""] = /\S*\s*$/.exec(text.slice(0, at)) ?? [];
  return at - skipped.length;
}

export function lineStart(text: string, at: number): number {
  return text.lastIndexOf("\n", at - 1) + 1;
}

export function lineEnd(text: string, at: number): number {
  const end = text.indexOf("\n", at);
  return end < 0 ? text.length : end;
}
