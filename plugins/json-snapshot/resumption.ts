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
  const { databaseAt, entryAt, brokenAt } = parser;
  const databaseIndent = (await indentOf(file, databaseAt)) ?? DATABASE_INDENT;
  const entryIndent = (await indentOf(file, entryAt)) ?? ENTRY_INDENT;
  const isHeader = parser.isInDatabases && (await isDatabaseLine(file, broken.at, entryIndent));
  const fronts: LineFronts<Resumption["kind"]> =
    parser.isInDatabase || parser.isInDatabases
      ? [
          ["entry", `${entryIndent}"`],
          ["database", `${databaseIndent}"`],
        ]
      : [
          ["member", MEMBER_FRONT],
          ["database", `${databaseIndent}"`],
        ];
  // A name that is wrong where a database should begin may be the one of an entry.
  const isBegun = brokenAt !== undefined && (isHeader || !parser.isInDatabases);
  const from = Math.max(isBegun ? broken.at + 1 : broken.at, broken.from);
  const found = await findLine(file, from, broken.total, fronts);
  if (found?.kind !== "entry") return found as Resumption | undefined;
  return { kind: "entry", offset: found.offset, database: databaseFor(parser, isHeader) };
}

/** The database that an entry behind the damage belongs to. */
function databaseFor({ announced, databaseAt, entry }: SnapshotParser, isHeader: boolean): number {
  if (announced !== undefined) return announced;
  if (!isHeader) return entry.database;
  return databaseAt === 0 ? 0 : entry.database + 1;
}

/** Whether what begins at `at` stands where databases begin, and not where entries do. */
async function isDatabaseLine(file: OpenFile, at: number, entryIndent: string): Promise<boolean> {
  return (await indentBefore(file, at)) !== entryIndent;
}

async function indentOf(file: OpenFile, offset: number): Promise<string | undefined> {
  return offset === 0 ? undefined : await indentBefore(file, offset);
}
