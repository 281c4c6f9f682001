/**
 * Columns of a CSV and the fields of documents that they stand for. The header says `address.city` for a field within an
 * object. A name that has a dot or a quote of its own, or is empty, stands in double quotes with JSON's escapes: `"a.b".c`; so
 * does a field that is called as a column with a meaning is, `"key"`. Names that nobody wrote by these rules mean themselves:
 * `Price [EUR]`, `Nr.`.
 */

/** The column that has the keys. */
export const KEY_COLUMN = "key";

export function columnText(names: readonly string[]): string {
  const isReserved = names.length === 1 && names[0] === KEY_COLUMN;
  return names
    .map((name) => (isReserved || !isPlain(name) ? JSON.stringify(name) : name))
    .join(".");
}

function isPlain(name: string): boolean {
  return name !== "" && !/[."]/.test(name);
}

export function columnNames(text: string): readonly string[] {
  const names: string[] = [];
  for (let at = 0; ; at++) {
    const name = NAME.exec(text.slice(at))?.[0] ?? "";
    const read = name.startsWith('"') ? readQuoted(name) : name;
    if (read === undefined || name === "") return [text];
    names.push(read);
    at += name.length;
    if (at === text.length) return names;
    if (text[at] !== ".") return [text];
  }
}

/** In quotes, or up to the next dot. */
const NAME = /^(?:"(?:[^"\\]|\\.)*"|[^."]+)/s;

function readQuoted(text: string): string | undefined {
  try {
    return JSON.parse(text) as string;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
