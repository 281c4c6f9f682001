/**
 * Words of a line as Redis writes and reads them (sdscatrepr, sdssplitargs): plain, or between
 * quotes with escapes where a word has spaces, quotes or control characters in it.
 */

const PLAIN = /^[!#-&(-[\]-~]+$/;

const ESCAPES: Readonly<Record<string, string>> = {
  n: "\n",
  r: "\r",
  t: "\t",
  b: "\b",
  a: "\x07",
};

export function quotedWord(word: string): string {
  return quotedBytes(Buffer.from(word));
}

export function quotedBytes(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
  if (PLAIN.test(text)) return text;
  return `"${text.replace(/[^ !#-[\]-~]/g, escaped)}"`;
}

function escaped(character: string): string {
  if (character === '"' || character === "\\") return `\\${character}`;
  const letter = Object.keys(ESCAPES).find((name) => ESCAPES[name] === character);
  if (letter !== undefined) return `\\${letter}`;
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
}

/** undefined when a quote does not end, or something follows it without a space. */
export function splitWords(line: string): string[] | undefined {
  const words: string[] = [];
  let rest = line.trim();
  while (rest !== "") {
    const found = WORD.exec(rest);
    if (found === null) return undefined;
    const [whole, double, single, plain] = found;
    words.push(
      plain ?? (double === undefined ? withoutEscapedQuotes(single ?? "") : withoutEscapes(double)),
    );
    rest = rest.slice(whole.length).trimStart();
  }
  return words;
}

/** "double", 'single' or plain, up to the space behind it. */
const WORD = /^(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([^\s"']+))(?=\s|$)/;

function withoutEscapes(text: string): string {
  const plain = text.replace(/\\(?:x([0-9a-fA-F]{2})|(.))/g, (_, hex?: string, letter?: string) => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
    return ESCAPES[letter as string] ?? (letter as string);
  });
  return Buffer.from(plain, "latin1").toString();
}

function withoutEscapedQuotes(text: string): string {
  return text.replaceAll("\\'", "'");
}
