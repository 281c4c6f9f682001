/**
 * The `syntax` of a command, in the notation of Redis's documentation, as the tree of arguments that COMMAND DOCS answers;
 * and back: `formatSyntax(parseSyntax(text))` is the text again.
 *
 *   sequence   item item …
 *   item       name               an argument                          in lower case
 *              TOKEN              a word to be given as it is          no lower-case letter
 *              [choice]           optional
 *              <choice>           one of several
 *              [sequence ...]     behind that very sequence, or behind the choice around it: it may be repeated
 *   choice     sequence | sequence …
 *
 * A TOKEN belongs to the arguments behind it, up to the next TOKEN or optional item: `EX seconds` is one argument with a
 * token, `LIMIT offset count` a block with one. What stands alone is a pure token. Blocks and choices are named after
 * their parts, as Redis names them where nobody found a better word: `key_value`, `nx_xx`.
 */

export type ArgumentType =
  | "string"
  | "integer"
  | "double"
  | "key"
  | "pattern"
  | "unix-time"
  | "pure-token"
  | "oneof"
  | "block";

export interface SyntaxArgument {
  readonly name: string;
  readonly type: ArgumentType;
  readonly token?: string;
  readonly isOptional: boolean;
  readonly isMultiple: boolean;
  /** The token is repeated with each further value. */
  readonly repeatsToken: boolean;
  /** Of a block or a choice; empty for others. */
  readonly arguments: readonly SyntaxArgument[];
}

/** Types of arguments by name, where a name means something else than usually. */
export type ArgumentTypes = Readonly<Record<string, ArgumentType>>;

/** Throws on a text that the notation does not allow. */
export function parseSyntax(text: string, types: ArgumentTypes = {}): readonly SyntaxArgument[] {
  return new Parser(text, types).parse();
}

/** A part of a sequence, and where it stands among the words of the text. */
interface Item {
  readonly argument: SyntaxArgument;
  /** It is a TOKEN that has not yet been given its arguments. */
  readonly isToken: boolean;
  readonly from: number;
}

const CLOSING: Readonly<Record<string, string>> = { "[": "]", "<": ">" };
const REPEATED = "...";

class Parser {
  readonly #text: string;
  readonly #types: ArgumentTypes;
  readonly #words: readonly string[];
  #at = 0;

  constructor(text: string, types: ArgumentTypes) {
    this.#text = text;
    this.#types = types;
    this.#words = text.match(/[[\]<>|]|[^\s[\]<>|]+/g) ?? [];
  }

  parse(): readonly SyntaxArgument[] {
    const items = this.#sequence(0);
    if (this.#at < this.#words.length) throw this.#problem("unexpected");
    return withTokens(items.items);
  }

  /** Items up to the end of the choice's part. `choiceStart`: where the choice around it begins. */
  #sequence(choiceStart: number): { items: Item[]; repeatsChoice: boolean } {
    const items: Item[] = [];
    while (this.#at < this.#words.length && !"]>|".includes(this.#words[this.#at])) {
      const from = this.#at;
      const word = this.#words[from];
      if (word === "[" && this.#isRepetition()) {
        if (this.#repeat(items)) continue;
        this.#requireChoice(choiceStart, from);
        return { items, repeatsChoice: true };
      }
      items.push(word in CLOSING ? this.#group() : this.#word());
    }
    return { items, repeatsChoice: false };
  }

  #word(): Item {
    const from = this.#at++;
    const word = this.#words[from];
    return { argument: this.#argument(word), isToken: isToken(word), from };
  }

  #argument(word: string): SyntaxArgument {
    if (isToken(word)) {
      return { ...PLAIN, name: word.toLowerCase(), type: "pure-token", token: word };
    }
    return { ...PLAIN, name: word, type: this.#types[word] ?? typeOfName(word) };
  }

  /** Whether the bracket here ends in three dots. */
  #isRepetition(): boolean {
    return this.#words[this.#end() - 1] === REPEATED;
  }

  /** Where the bracket that opens here closes. */
  #end(): number {
    let depth = 0;
    for (let at = this.#at; at < this.#words.length; at++) {
      if (this.#words[at] in CLOSING) depth++;
      else if ("]>".includes(this.#words[at]) && --depth === 0) return at;
    }
    throw this.#problem("unclosed");
  }

  /** Marks the items before that read like the bracket; false if they do not. */
  #repeat(items: Item[]): boolean {
    const end = this.#end();
    const content = this.#reading(this.#at + 1, end - 1);
    const first = items.findIndex(({ from }) => this.#reading(from, this.#at) === content);
    if (first < 0) return false;
    const repeated = items.splice(first);
    const argument = asOne(withTokens(repeated));
    items.push({
      argument: { ...argument, isMultiple: true, repeatsToken: argument.token !== undefined },
      isToken: false,
      from: repeated[0].from,
    });
    this.#at = end + 1;
    return true;
  }

  #reading(from: number, to: number): string {
    return this.#words.slice(from, to).join(" ");
  }

  /** The bracket here must read like the whole choice around it, and end it. */
  #requireChoice(choiceStart: number, from: number): void {
    const end = this.#end();
    const isSame = this.#reading(from + 1, end - 1) === this.#reading(choiceStart, from);
    if (!isSame || !"]>".includes(this.#words[end + 1])) throw this.#problem("repeats nothing");
    this.#at = end + 1;
  }

  #group(): Item {
    const from = this.#at;
    const open = this.#words[from];
    const parts: SyntaxArgument[] = [];
    let isMultiple = false;
    do {
      this.#at++;
      const { items, repeatsChoice } = this.#sequence(from + 1);
      if (items.length === 0) throw this.#problem("an empty choice before");
      parts.push(asOne(withTokens(items)));
      isMultiple = repeatsChoice;
    } while (this.#words[this.#at] === "|");
    if (this.#words[this.#at] !== CLOSING[open]) throw this.#problem("unexpected");
    this.#at++;
    const whole = parts.length === 1 ? parts[0] : composed("oneof", parts);
    const argument = isMultiple ? { ...whole, isMultiple } : whole;
    return { argument: { ...argument, isOptional: open === "[" }, isToken: false, from };
  }

  #problem(what: string): Error {
    const word = this.#words[this.#at] ?? "the end";
    return new Error(`syntax "${this.#text}": ${what} ${word} (word ${this.#at + 1})`);
  }
}

function isToken(word: string): boolean {
  return word === word.toUpperCase();
}

const PLAIN = { isOptional: false, isMultiple: false, repeatsToken: false, arguments: [] } as const;

function composed(type: "block" | "oneof", parts: readonly SyntaxArgument[]): SyntaxArgument {
  return { ...PLAIN, name: parts.map(({ name }) => name).join("_"), type, arguments: parts };
}

function asOne(parts: readonly SyntaxArgument[]): SyntaxArgument {
  return parts.length === 1 ? parts[0] : composed("block", parts);
}

/** Gives each TOKEN the arguments behind it. */
function withTokens(items: readonly Item[]): SyntaxArgument[] {
  const result: SyntaxArgument[] = [];
  for (let i = 0; i < items.length; ) {
    const { argument, isToken } = items[i++];
    const own: SyntaxArgument[] = [];
    while (isToken && i < items.length && mayFollowToken(items[i])) own.push(items[i++].argument);
    if (own.length === 0) result.push(argument);
    else result.push({ ...asOne(own), token: argument.token as string });
  }
  return result;
}

function mayFollowToken({ argument, isToken }: Item): boolean {
  return !isToken && !argument.isOptional && argument.token === undefined;
}

/** What the documentation's names of arguments mean; others are strings. */
const INTEGERS = new Set([
  ...["numlocal", "numreplicas", "port"],
  ...["seconds", "milliseconds", "timeout", "count", "offset", "start", "end", "stop", "index"],
  ...["index1", "index2", "destination-db", "db", "cursor", "client-id", "increment", "decrement"],
  ...["frequency", "numkeys", "numfields", "protover", "min-match-len", "rank", "num-matches"],
  ...["len", "ttl", "bit", "bits", "weight", "limit", "ms", "entries-added", "entries-read"],
]);
const DOUBLES = new Set(["score", "longitude", "latitude", "radius", "width", "height"]);
const KEYS = new Set([
  ...["key", "newkey", "source", "destination", "destkey", "sourcekey", "key1", "key2"],
]);

function typeOfName(name: string): ArgumentType {
  if (KEYS.has(name)) return "key";
  if (INTEGERS.has(name)) return "integer";
  if (DOUBLES.has(name)) return "double";
  if (name === "pattern") return "pattern";
  return name.startsWith("unix-time") ? "unix-time" : "string";
}

// ---- and back ----

export function formatSyntax(syntax: readonly SyntaxArgument[]): string {
  return syntax.map(formatArgument).join(" ");
}

function formatArgument(argument: SyntaxArgument): string {
  const { type, isOptional } = argument;
  const text = formatRepeated(argument);
  if (isOptional) return `[${text}]`;
  return type === "oneof" && argument.token === undefined ? `<${text}>` : text;
}

function formatRepeated(argument: SyntaxArgument): string {
  const { token, type, isMultiple, repeatsToken, isOptional } = argument;
  const value = formatValue(argument);
  if (type === "pure-token" || token === undefined) {
    return isMultiple ? `${value} [${value} ...]` : value;
  }
  if (repeatsToken) return `${token} ${value} [${token} ${value} ...]`;
  const repeated = isMultiple ? `${value} [${value} ...]` : value;
  const isChoice = type === "oneof" && (token !== undefined || isOptional);
  return `${token} ${isChoice ? `<${repeated}>` : repeated}`;
}

function formatValue({ name, type, token, arguments: parts }: SyntaxArgument): string {
  if (type === "pure-token") return token as string;
  if (type === "oneof") return parts.map(formatArgument).join(" | ");
  return type === "block" ? formatSyntax(parts) : name;
}
