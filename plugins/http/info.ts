/**
 * INFO as text, in fields that can be asked for by name. What it says is what every other reader of INFO is told. A field may
 * be made of fields itself: `cmdstat_get:calls=1,usec=2`.
 */

export class Fields {
  readonly #texts: ReadonlyMap<string, string>;

  constructor(texts: ReadonlyMap<string, string>) {
    this.#texts = texts;
  }

  text(field: string): string | undefined {
    return this.#texts.get(field);
  }

  /** Undefined where there is no such field, or it is no number. */
  number(field: string): number | undefined {
    const text = this.#texts.get(field);
    const value = text === undefined || text === "" ? Number.NaN : Number(text);
    return Number.isFinite(value) ? value : undefined;
  }
}

export class Info extends Fields {
  readonly #fields: ReadonlyMap<string, string>;

  constructor(text: string) {
    const lines = text.split(/\r?\n/).filter((line) => !line.startsWith("#"));
    const fields = pairsOf(lines, ":");
    super(fields);
    this.#fields = fields;
  }

  /** Fields of one kind, by what stands behind the prefix: `cmdstat_get` is get. */
  group(prefix: RegExp): ReadonlyMap<string, Fields> {
    const group = new Map<string, Fields>();
    for (const [field, text] of this.#fields) {
      if (!prefix.test(field)) continue;
      group.set(field.replace(prefix, ""), new Fields(pairsOf(text.split(","), "=")));
    }
    return group;
  }
}

/** What has no separator, or nothing before it, says nothing. */
function pairsOf(parts: readonly string[], separator: string): Map<string, string> {
  const pairs = new Map<string, string>();
  for (const part of parts) {
    const at = part.indexOf(separator);
    if (at > 0) pairs.set(part.slice(0, at), part.slice(at + 1));
  }
  return pairs;
}
