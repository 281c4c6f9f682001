/** INFO as text, in fields that can be asked for by name. What it says is what every other reader of INFO is told. */

export class Info {
  readonly #fields: ReadonlyMap<string, string>;

  constructor(text: string) {
    const fields = new Map<string, string>();
    for (const line of text.split(/\r?\n/)) {
      const colon = line.indexOf(":");
      if (colon > 0 && !line.startsWith("#"))
        fields.set(line.slice(0, colon), line.slice(colon + 1));
    }
    this.#fields = fields;
  }

  text(field: string): string | undefined {
    return this.#fields.get(field);
  }

  /** Undefined where there is no such field, or it is no number. */
  number(field: string): number | undefined {
    const text = this.#fields.get(field);
    const value = text === undefined || text === "" ? Number.NaN : Number(text);
    return Number.isFinite(value) ? value : undefined;
  }

  /** Fields of one kind with what stands behind the prefix: `cmdstat_get:calls=1,usec=2` is get with calls and usec. */
  *group(prefix: RegExp): Generator<readonly [name: string, values: ReadonlyMap<string, number>]> {
    for (const [field, text] of this.#fields) {
      if (!prefix.test(field)) continue;
      const values = text.split(",").map((part) => {
        const [key = "", value = ""] = part.split("=");
        return [key, Number(value)] as const;
      });
      yield [field.replace(prefix, ""), new Map(values)];
    }
  }
}
