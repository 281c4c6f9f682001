/** What stands behind `export`, `import` and `copy`: one file, and options with or without a value, in any order. */
import { extname } from "node:path";
import { KvdbError } from "../errors.ts";
import { type FieldPath, parseFieldPath, parseFieldPaths } from "../query/field-path.ts";
import { suggestion } from "../suggest.ts";
import type { Choice } from "./own-words.ts";
import { FORMATS, type TransferFormat } from "./transfer-options.ts";

/** Files by their ending. */
const ENDINGS: Readonly<Record<string, TransferFormat>> = {
  ".jsonl": "jsonl",
  ".ndjson": "jsonl",
  ".json": "json",
  ".csv": "csv",
  ".resp": "resp",
  ".rdb": "rdb",
};

export interface TransferWords {
  readonly file: string | undefined;
  /** By their names; of an option without a value an empty text. */
  readonly options: ReadonlyMap<string, string>;
}

export function readTransferWords(
  words: readonly string[],
  known: readonly Choice[],
  usage: string,
): TransferWords {
  const options = new Map<string, string>();
  const files: string[] = [];
  let areFiles = false;
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as string;
    if (areFiles || word === "-" || !word.startsWith("-")) files.push(word);
    else if (word === "--") areFiles = true;
    else {
      const [, name = word, inline] = /^([^=]*)=(.*)$/s.exec(word) ?? [];
      const option = known.find((one) => one.name === name);
      if (option === undefined) throw unknownOption(name, known, usage);
      options.set(
        name,
        optionValue(option, inline, () => words[++at]),
      );
    }
  }
  if (files.length > 1) {
    throw new KvdbError("USAGE", `unexpected "${files[1]}" behind "${files[0]}"; usage: ${usage}`);
  }
  return { file: files[0], options };
}

function optionValue(
  { name, value }: Choice,
  inline: string | undefined,
  next: () => string | undefined,
): string {
  if (value === undefined) {
    if (inline === undefined) return "";
    throw new KvdbError("USAGE", `${name} takes no value`);
  }
  const given = inline ?? next();
  if (given !== undefined) return given;
  throw new KvdbError("USAGE", `${name} needs a value: ${name} ${value}`);
}

function unknownOption(name: string, known: readonly Choice[], usage: string): KvdbError {
  const near = suggestion(
    name,
    known.map((one) => one.name),
  );
  return new KvdbError("USAGE", `unknown option "${name}"${near}; usage: ${usage}`);
}

export function formatOf({ file, options }: TransferWords): TransferFormat {
  const short = FORMATS.find((one) => options.has(`--${one}`));
  const given = options.get("--format") ?? short;
  const ending = extname(file ?? "").toLowerCase();
  if (given === undefined && ending === ".aof") {
    const message = `${file}: an append-only file is what the persistence "aof" keeps; --format resp is a file of commands`;
    throw new KvdbError("USAGE", message);
  }
  if (given === undefined) return ENDINGS[ending] ?? "jsonl";
  const format = FORMATS.find((one) => one === given);
  if (format !== undefined) return format;
  const near = suggestion(given, FORMATS);
  const message = `--format: expected ${FORMATS.join(", ")}, found "${given}"${near}`;
  throw new KvdbError("USAGE", message);
}

/** An option says it, and not the name of the file. */
export function hasFormat({ options }: TransferWords): boolean {
  return options.has("--format") || FORMATS.some((one) => options.has(`--${one}`));
}

export function databaseOf(words: TransferWords): number {
  return optionalDatabaseOf(words) ?? 0;
}

/** Undefined: it was not given. */
export function optionalDatabaseOf(words: TransferWords): number | undefined {
  return databaseAt(words, "--database");
}

export function databaseAt({ options }: TransferWords, option: string): number | undefined {
  const given = options.get(option);
  if (given === undefined) return undefined;
  if (/^\d{1,4}$/.test(given)) return Number(given);
  throw new KvdbError("USAGE", `${option}: expected a number, found "${given}"`);
}

/** `a,b.c`; undefined: the option was not given. Throws a KvdbError USAGE. */
export function fieldsOf({ options }: TransferWords): readonly (readonly string[])[] | undefined {
  const given = options.get("--fields");
  if (given === undefined) return undefined;
  const paths = parsed("--fields", () => parseFieldPaths(given));
  const different = new Map(paths.map((path) => [path.text, path]));
  return [...different.values()].map((path) => namesOf("--fields", path));
}

export function keyFieldOf(given: string): readonly string[] {
  return namesOf(
    "--key",
    parsed("--key", () => parseFieldPath(given)),
  );
}

function parsed<Result>(option: string, parse: () => Result): Result {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof KvdbError)) throw error;
    throw new KvdbError("USAGE", `${option}: ${error.message}`, { cause: error });
  }
}

function namesOf(option: string, { names, isKey }: FieldPath): readonly string[] {
  if (!isKey) return names;
  throw new KvdbError("USAGE", `${option}: @key is no field of a document`);
}
