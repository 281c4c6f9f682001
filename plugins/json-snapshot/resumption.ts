/**
 * Where reading goes on behind something that is not even JSON: at the next line that looks like one
 * of an entry or of a database. For the line of a database that cannot be read the database is
 * guessed, because its entries can be read and are worth more than their number; the reader tells it.
 */
import type { OpenFile } from "kvdb";
import { findLine, indentBefore, type LineFronts } from "./line-search.ts";
import type { SnapshotParser } from "./snapshot-parser.ts";

export type Resumption =
  | { readonly kind: "entry"; readonly offset: number; readonly database: number }
  | { readonly kind: "database" | "member"; readonly offset: number };

/** What is broken. */
export interface BrokenPlace {
  /** Where it begins. */
  readonly at: number;
  /** Nothing before it is looked at: reading must get ahead. */
  readonly from: number;
  /** Length of the file. */
  readonly total: number;
}

/** As kvdb writes it; a file that was written by hand may have others. */
const DATABASE_INDENT = "    ";
const ENTRY_INDENT = "      ";
const MEMBER_FRONT = '  "';

export async function findResumption(
  file: OpenFile,
  parser: SnapshotParser,
  broken: BrokenPlace,
): Promise<Resumption | undefined> {
  const databaseIndent = (await indentOf(file, parser.databaseAt)) ?? DATABASE_INDENT;
  const entryIndents = await entryIndentsOf(file, parser, databaseIndent);
  const indent = await indentBefore(file, broken.at);
  const isHeader = parser.isInDatabases && !entryIndents.includes(indent ?? "");
  const fronts: LineFronts<Resumption["kind"]> = [
    ...(parser.isInDatabase || parser.isInDatabases
      ? entryIndents.map((one) => ["entry", `${one}"`] as const)
      : [["member", MEMBER_FRONT] as const]),
    ["database", `${databaseIndent}"`],
  ];
  // A name that is wrong where a database should begin may be the one of an entry.
  const isBegun = parser.brokenAt !== undefined && (isHeader || !parser.isInDatabases);
  const from = Math.max(isBegun ? broken.at + 1 : broken.at, broken.from);
  const found = await findLine(file, from, broken.total, fronts);
  if (found?.kind !== "entry") return found as Resumption | undefined;
  return { kind: "entry", offset: found.offset, database: databaseFor(parser, isHeader) };
}

/** As entries before had it. Before the first, as the broken one has it, or as kvdb writes it. */
async function entryIndentsOf(
  file: OpenFile,
  { entryAt, rightEntryAt }: SnapshotParser,
  databaseIndent: string,
): Promise<string[]> {
  const known = await indentOf(file, rightEntryAt);
  if (known !== undefined) return [known];
  const guesses = [(await indentOf(file, entryAt)) ?? "", ENTRY_INDENT];
  return guesses.filter((guess) => guess.length > databaseIndent.length);
}

/** The database that an entry behind the damage belongs to. */
function databaseFor({ announced, databaseAt, entry }: SnapshotParser, isHeader: boolean): number {
  if (announced !== undefined) return announced;
  if (!isHeader) return entry.database;
  return databaseAt === 0 ? 0 : entry.database + 1;
}

async function indentOf(file: OpenFile, offset: number): Promise<string | undefined> {
  return offset === 0 ? undefined : await indentBefore(file, offset);
}
