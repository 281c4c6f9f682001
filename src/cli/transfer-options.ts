/** The options of `export`, `import` and `copy`, for those who read them, for help and for completion. */
import type { Choice } from "./own-words.ts";

/** Of a file of texts: elements, or records. */
export const TEXT_FORMATS = ["jsonl", "json", "csv"] as const;
export type TextFormat = (typeof TEXT_FORMATS)[number];
/** Those of Redis hold whole databases. */
export const FORMATS = [...TEXT_FORMATS, "resp", "rdb"] as const;
export type TransferFormat = (typeof FORMATS)[number];

export const exportOptions: readonly Choice[] = [
  {
    name: "--format",
    value: FORMATS.join("|"),
    summary: "else by the ending of the file, else jsonl: an element a line",
  },
  { name: "--prefix", value: "text", summary: "keys that begin with the text alone" },
  {
    name: "--filter",
    value: "filter",
    summary: "documents that fulfil it alone, as for find: 'age >= 30'",
  },
  { name: "--fields", value: "a,b.c", summary: "these fields of documents alone" },
  { name: "--bare", summary: "the values alone, without key and expiry" },
  { name: "--resp", summary: "as --format resp: commands for any Redis, of all databases" },
  { name: "--rdb", summary: "as --format rdb: a file of Redis, of all databases" },
  { name: "--database", value: "n", summary: "this one alone, else 0, of Redis's formats all" },
  { name: "--force", summary: "overwrite the file if it is there" },
];

export const importOptions: readonly Choice[] = [
  {
    name: "--format",
    value: FORMATS.join("|"),
    summary: "else by the first bytes and the ending of the file",
  },
  { name: "--prefix", value: "text", summary: "put the text before each key" },
  {
    name: "--key",
    value: "field",
    summary: "elements are documents, and this field of them is the key",
  },
  { name: "--resp", summary: "as --format resp: commands, as redis-cli --pipe takes them" },
  { name: "--rdb", summary: "as --format rdb: a file of Redis, of all databases" },
  { name: "--text", summary: "cells of a CSV are text, also what looks like a number" },
  {
    name: "--database",
    value: "n",
    summary: "into this one, else 0, from Redis's files where it was",
  },
  {
    name: "--from-database",
    value: "n",
    summary: "of a file of Redis the keys of this database alone",
  },
  { name: "--continue", summary: "go on after what is wrong, in steps, instead of all or nothing" },
  { name: "--dry-run", summary: "read and check the file, and change nothing" },
];

export const copyOptions: readonly Choice[] = [
  { name: "--to", value: "redis://host:port", summary: "into another server than the data folder" },
  { name: "--prefix", value: "text", summary: "keys that begin with the text alone" },
  {
    name: "--match",
    value: "pattern",
    summary: "keys that match it alone, as for SCAN: 'user:*:name'",
  },
  { name: "--database", value: "n", summary: "into this database, else into that they come from" },
  { name: "--continue", summary: "leave out keys that cannot be taken, instead of ending" },
  { name: "--dry-run", summary: "read everything, and change nothing" },
];
