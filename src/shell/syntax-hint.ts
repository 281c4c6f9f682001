/**
 * What may follow the words that were typed of a command, by its syntax: for hints and completion
 * while the rest is being typed. It helps, it does not judge: words that do not fit have no hint, and
 * the command itself says what is wrong with them.
 */
import { formatSyntax, parseSyntax, type SyntaxArgument } from "../commands/syntax.ts";

export interface Expected {
  /** The first of what may come, in the notation of the syntax; empty when nothing may. */
  readonly next: string;
  /** All behind that. */
  readonly rest: string;
  /** Words of the command that may stand here: `PX`. */
  readonly tokens: readonly string[];
  /** The argument that may stand here, as the syntax calls it. */
  readonly argument: Pick<SyntaxArgument, "name" | "type"> | undefined;
}

/** `words`: those behind the command's name, all of them complete. */
export function expectedAfter(syntax: string, words: readonly string[]): Expected | undefined {
  let items = parsed(syntax);
  for (const word of words) {
    items = items && consume(items, word);
  }
  if (items === undefined) return undefined;
  const [first, ...others] = items;
  return {
    next: first === undefined ? "" : formatSyntax([first]),
    rest: formatSyntax(others),
    tokens: items.slice(0, leadingCount(items)).flatMap(tokensOf),
    argument: items.slice(0, leadingCount(items)).map(plainArgument).find(Boolean),
  };
}

type Items = readonly SyntaxArgument[];

/** A plugin may have written anything: what is no syntax has no hint. */
function parsed(syntax: string): Items | undefined {
  try {
    return parseSyntax(syntax);
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}

/** What is expected once `word` was given; undefined when it may not stand here. */
function consume(items: Items, word: string): Items | undefined {
  return consumeBy(items, word, takeToken) ?? consumeBy(items, word, takeAny);
}

type Take = (item: SyntaxArgument, word: string) => Items | undefined;

/** Optional items may be given in any order, or left out; the first that must be given ends them. */
function consumeBy(items: Items, word: string, take: Take): Items | undefined {
  for (const [at, item] of items.slice(0, leadingCount(items)).entries()) {
    const follows = take(item, word);
    if (follows === undefined) continue;
    const again = item.isMultiple ? [{ ...item, isOptional: true, ...repeated(item) }] : [];
    const skipped = items.slice(0, at).filter((one) => tokensOf(one).length > 0);
    return [...follows, ...again, ...skipped, ...items.slice(at + 1)];
  }
  return undefined;
}

/** A further value of `EX a b` has no token, one of `MATCH a MATCH b` has. */
function repeated({ repeatsToken, token }: SyntaxArgument): Partial<SyntaxArgument> {
  return token === undefined || repeatsToken ? {} : { token: undefined as never };
}

function leadingCount(items: Items): number {
  const required = items.findIndex((item) => !item.isOptional);
  return required < 0 ? items.length : required + 1;
}

/** By a word of the command's own. */
function takeToken(item: SyntaxArgument, word: string): Items | undefined {
  const { type, token, arguments: parts } = item;
  if (token !== undefined) {
    if (token !== word.toUpperCase()) return undefined;
    return type === "pure-token" ? [] : [withoutToken(item)];
  }
  if (type === "block") return consumeBy(parts, word, takeToken);
  if (type !== "oneof") return undefined;
  return first(parts, (part) => takeToken(part, word));
}

/** As a value. */
function takeAny(item: SyntaxArgument, word: string): Items | undefined {
  const { type, token, arguments: parts } = item;
  if (token !== undefined) return undefined;
  if (type === "block") return consumeBy(parts, word, takeAny);
  if (type === "oneof") return first(parts, (part) => takeAny(part, word));
  return [];
}

function first(parts: Items, take: (part: SyntaxArgument) => Items | undefined): Items | undefined {
  for (const part of parts) {
    const taken = take(part);
    if (taken !== undefined) return taken;
  }
  return undefined;
}

function withoutToken({ token: _, ...item }: SyntaxArgument): SyntaxArgument {
  return { ...item, isOptional: false, isMultiple: false };
}

function tokensOf({ type, token, arguments: parts }: SyntaxArgument): string[] {
  if (token !== undefined) return [token];
  if (type === "oneof") return parts.flatMap(tokensOf);
  return type === "block" ? parts.slice(0, leadingCount(parts)).flatMap(tokensOf) : [];
}

function plainArgument(item: SyntaxArgument): Expected["argument"] {
  const { type, token, name, arguments: parts } = item;
  if (token !== undefined) return undefined;
  if (type === "block" || type === "oneof") return parts.map(plainArgument).find(Boolean);
  return { name, type };
}
