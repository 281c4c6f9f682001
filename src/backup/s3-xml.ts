/**
 * Reads the few flat elements that S3 answers with. No reader of XML at large: elements that are asked
 * for never contain themselves, and comments, CDATA and DTDs do not occur in S3's answers.
 */

/** The text of the first element of this name; undefined when there is none. */
export function elementText(xml: string, name: string): string | undefined {
  const [inside] = elementsInside(xml, name);
  return inside === undefined ? undefined : unescapeXml(inside);
}

/** What is inside of each element of this name, still as XML. */
export function elementsInside(xml: string, name: string): string[] {
  const pattern = new RegExp(`<${name}(?:\\s[^<>]*)?>(.*?)</${name}\\s*>`, "gs");
  return [...xml.matchAll(pattern)].map(([, inside]) => inside);
}

/** Whether it is a document with this root. */
export function hasRoot(xml: string, name: string): boolean {
  return new RegExp(`^\\s*(?:<\\?xml[^>]*>\\s*)?<${name}[\\s>/]`).test(xml);
}

export function escapeXml(text: string): string {
  return text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
}

const NAMED: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
};

/** What is no reference stays as it is. */
function unescapeXml(text: string): string {
  return text.replace(
    /&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(\w+));/gi,
    (whole, hex, decimal, named) => {
      if (named !== undefined) return NAMED[named] ?? whole;
      const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
      return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    },
  );
}
