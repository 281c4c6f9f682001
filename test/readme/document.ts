/**
 * README.md taken apart: fenced blocks with their info strings, words in backticks, links,
 * headings. Not a Markdown parser: it knows the forms that README.md uses.
 */

export interface Fence {
  /** Of the opening fence, counted from 1. */
  readonly line: number;
  /** The heading of the second level that it stands under. */
  readonly section: string;
  readonly language: string;
  /** What follows the language: `file=slug.ts` has a value, `server` has none. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly lines: readonly string[];
}

/** A piece of a line outside fenced blocks and generated parts. */
export interface Piece {
  readonly line: number;
  readonly text: string;
}

export interface Document {
  readonly fences: readonly Fence[];
  /** In backticks. */
  readonly words: readonly Piece[];
  readonly links: readonly Piece[];
  readonly headings: readonly Piece[];
}

const FENCE = /^```(\S*) ?(.*)$/;

export function parseDocument(text: string): Document {
  const fences: Fence[] = [];
  const words: Piece[] = [];
  const links: Piece[] = [];
  const headings: Piece[] = [];
  const lines = text.split("\n");
  let section = "";
  let isGenerated = false;
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index];
    const [, language, info] = FENCE.exec(line) ?? [];
    if (language !== undefined) {
      const end = lines.indexOf("```", index + 1);
      if (end < 0) throw new Error(`line ${index + 1}: the block is not closed`);
      const attributes = attributesOf(info);
      const content = lines.slice(index + 1, end);
      fences.push({ line: index + 1, section, language, attributes, lines: content });
      index = end;
      continue;
    }
    if (line.startsWith("<!--")) isGenerated = line.startsWith("<!-- generated:");
    const [, marks, title] = /^(#+) (.*)$/.exec(line) ?? [];
    if (marks === "##") section = title;
    if (title !== undefined) headings.push({ line: index + 1, text: title });
    if (isGenerated) continue;
    words.push(...pieces(line, index, /`([^`]+)`/g));
    links.push(...pieces(line, index, /\]\(([^)\s]+)\)/g));
  }
  return { fences, words, links, headings };
}

function attributesOf(info: string): ReadonlyMap<string, string> {
  const attributes = new Map<string, string>();
  for (const part of info.split(" ")) {
    const [name, value = ""] = part.split("=", 2);
    if (name !== "") attributes.set(name, value);
  }
  return attributes;
}

function pieces(line: string, index: number, pattern: RegExp): Piece[] {
  return [...line.matchAll(pattern)].map(([, text]) => ({ line: index + 1, text }));
}

/** What GitHub makes of a heading, for links within the page. */
export function anchorOf(heading: string): string {
  const kept = heading.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, "");
  return kept.replaceAll(" ", "-");
}
