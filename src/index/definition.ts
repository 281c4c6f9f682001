/**
 * The definition of an index: what INDEX CREATE, the configuration and the files say, and nothing of its contents. As text
 * it is a JSON object with the same words as in the configuration, kept by name in its database (index-definitions.ts):
 *
 *   {"use":"hash","field":"address.city","prefix":"user:","unique":true,"sparse":true,"where":"age > 30","hash":"sha256"}
 *
 * Everything but `use`, `field` or `fields`, `prefix`, `unique`, `sparse` and `where` is an option of the kind.
 */
import { MAX_INDEX_FIELDS } from "../limits.ts";
import { definitionProblem } from "../store/index-definitions.ts";
import { suggestion } from "../suggest.ts";
import type { IndexKind } from "./contract.ts";

export interface IndexDefinition {
  readonly name: string;
  /** Name of the kind. */
  readonly use: string;
  readonly fields: readonly string[];
  /** Only documents under keys that begin so; empty: all. */
  readonly prefix: string;
  readonly isUnique: boolean;
  /** Documents without the field are left out. */
  readonly isSparse: boolean;
  /** Only documents that fulfil this filter; empty: all. */
  readonly where: string;
  readonly options: Readonly<Record<string, string>>;
}

/** The keys of the database themselves are a field of this name. */
export const KEY_FIELD = "@key";

/** Why a definition cannot be; the message is for whoever gave it. */
export class DefinitionError extends Error {
  /** The word of a configuration that is wrong; empty: it is no single one. */
  readonly word: string;

  constructor(message: string, word = "") {
    super(message);
    this.word = word;
  }
}

export function isKeyIndex({ fields }: IndexDefinition): boolean {
  return fields[0] === KEY_FIELD;
}

/** The words of a definition that are no options of its kind. */
export const DEFINITION_WORDS: readonly string[] = [
  ...["use", "field", "fields", "prefix", "unique", "sparse", "where", "database"],
];

/** Reads what `definitionText` writes, and what a configuration says. Throws a DefinitionError. */
export function readDefinition(name: string, given: unknown): IndexDefinition {
  requireName(name);
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw new DefinitionError("expected an object with use and field");
  }
  const words = given as Readonly<Record<string, unknown>>;
  const options = Object.entries(words).filter(([word]) => !DEFINITION_WORDS.includes(word));
  return {
    name,
    use: textOf(words, "use"),
    fields: fieldsOf(words),
    prefix: textOf(words, "prefix", ""),
    isUnique: flagOf(words, "unique"),
    isSparse: flagOf(words, "sparse"),
    where: textOf(words, "where", ""),
    options: Object.fromEntries(options.map(([word]) => [word, textOf(words, word)])),
  };
}

export function definitionText(definition: IndexDefinition): string {
  const { use, fields, prefix, isUnique, isSparse, where, options } = definition;
  return JSON.stringify({
    use,
    ...(fields.length === 1 ? { field: fields[0] } : { fields }),
    ...(prefix !== "" && { prefix }),
    ...(isUnique && { unique: true }),
    ...(isSparse && { sparse: true }),
    ...(where !== "" && { where }),
    ...options,
  });
}

/** The definition as INDEX CREATE takes it, behind those two words. */
export function definitionWords(definition: IndexDefinition): string[] {
  const { name, use, fields, prefix, isUnique, isSparse, where, options } = definition;
  return [
    name,
    ...["USING", use, "FIELD", fields.join(",")],
    ...(prefix === "" ? [] : ["PREFIX", prefix]),
    ...(isUnique ? ["UNIQUE"] : []),
    ...(isSparse ? ["SPARSE"] : []),
    ...(where === "" ? [] : ["WHERE", where]),
    ...Object.entries(options).flat(),
  ];
}

/** The same for a definition as files have it: the text of a JSON object. */
export function createIndexWords(name: string, definition: string): string[] {
  return definitionWords(readDefinition(name, JSON.parse(definition)));
}

export function requireName(name: string): void {
  const problem = definitionProblem(name, "{}");
  if (problem !== "") throw new DefinitionError(problem);
}

function textOf(words: Readonly<Record<string, unknown>>, word: string, other?: string): string {
  const found = words[word] ?? other;
  if (typeof found === "string" && (found !== "" || other !== undefined)) return found;
  const shown = found === undefined ? "nothing" : JSON.stringify(found);
  throw new DefinitionError(`${word}: expected text, found ${shown}`);
}

function flagOf(words: Readonly<Record<string, unknown>>, word: string): boolean {
  const found = words[word] ?? false;
  if (typeof found === "boolean") return found;
  throw new DefinitionError(`${word}: expected true or false, found ${JSON.stringify(found)}`);
}

function fieldsOf(words: Readonly<Record<string, unknown>>): string[] {
  const { field, fields } = words;
  if (field !== undefined && fields !== undefined) {
    throw new DefinitionError("either field or fields, not both");
  }
  const found = fields ?? [textOf(words, "field")];
  if (!Array.isArray(found) || found.length === 0 || found.some((one) => typeof one !== "string")) {
    throw new DefinitionError(`fields: expected paths, found ${JSON.stringify(found)}`);
  }
  return found as string[];
}

/** Throws a DefinitionError for what the kind cannot do. Whether paths and filter are right is for who reads them. */
export function checkDefinition(definition: IndexDefinition, kind: IndexKind): void {
  const { fields, isUnique, isSparse, where, options } = definition;
  const { supports } = kind;
  const fail = (reason: string, word: string) => {
    throw new DefinitionError(reason, word);
  };
  const fieldWord = fields.length > 1 ? "fields" : "field";
  if (fields.length > MAX_INDEX_FIELDS) {
    fail(`an index has at most ${MAX_INDEX_FIELDS} fields`, fieldWord);
  }
  if (fields.length > 1 && !supports.compound) fail(`"${kind.name}" indexes one field`, fieldWord);
  if (isUnique && !supports.unique) fail(`"${kind.name}" cannot be unique`, "unique");
  if (fields.includes(KEY_FIELD)) {
    if (fields.length > 1) fail(`${KEY_FIELD} stands alone`, fieldWord);
    if (!supports.databaseKeys) fail(`"${kind.name}" cannot index ${KEY_FIELD}`, fieldWord);
    if (isUnique || isSparse) {
      fail("keys are there, and different, anyway", isUnique ? "unique" : "sparse");
    }
    if (where !== "") fail(`an index of ${KEY_FIELD} has all keys, so it takes no filter`, "where");
  }
  for (const [option, value] of Object.entries(options)) checkOption(kind, option, value);
}

function checkOption(kind: IndexKind, option: string, value: string): void {
  const known = kind.options ?? {};
  if (!Object.hasOwn(known, option)) {
    const names = Object.keys(known);
    const takes = names.length === 0 ? "none" : names.join(", ");
    throw new DefinitionError(
      `unknown option "${option}" of "${kind.name}", it takes ${takes}${suggestion(option, [...names, ...DEFINITION_WORDS])}`,
      option,
    );
  }
  const values = known[option]?.values;
  if (values === undefined || values.includes(value)) return;
  throw new DefinitionError(
    `option ${option}: expected one of ${values.join(", ")}, found "${value}"`,
    option,
  );
}

/** Whether two definitions of one name mean the same. */
export function isSameDefinition(one: IndexDefinition, other: IndexDefinition): boolean {
  return definitionText(one) === definitionText(other);
}
