// What a figure of PERFORMANCE.md is for the bench: a program that measures and returns rows, and
// what a row holds. To add one: write it in a file of rows/ (one file a family) and list it in
// main.ts. Printing is table.ts's; a row knows its numbers and its bar, not its looks.

import { type Pair, ratios, type Spread, spread } from "./measure.ts";
import type { Subject } from "./servers.ts";

/** What every figure is given. */
export interface Bench {
  kvdb: Subject;
  redis: Subject;
  runs: number;
  /** Where the servers' data folders are made. */
  folder: string;
  /** The file system of `folder`, as df names it. */
  fileSystem: string;
  /** One line about what is going on, for the person who waits. */
  progress(text: string): void;
}

export interface Figure {
  /** The row of PERFORMANCE.md, "P1". */
  id: string;
  run(bench: Bench): Promise<Row[]>;
}

export type Unit = "usec" | "ms" | "per second" | "bytes" | "bytes each" | "%";

export interface Bar {
  relation: "<=" | ">=" | "<";
  value: number;
  /** A ratio's bar holds for its median; an absolute one, in the row's unit, for the worst run. */
  of: "ratio" | "kvdb";
}

export interface Row {
  id: string;
  what: string;
  unit: Unit;
  /** null: could not be measured here; shown as n/a. */
  kvdb: Spread | null;
  redis: Spread | null;
  ratio: Spread | null;
  /** null: printed beside, for the reader. */
  bar: Bar | null;
  /** Further lines below the table. */
  notes?: string[];
}

export type Verdict = "met" | "MISSED" | "NO FIGURE" | "";

export const atMost = (value: number): Bar => ({ relation: "<=", value, of: "ratio" });
export const atLeast = (value: number): Bar => ({ relation: ">=", value, of: "ratio" });

/** The row of a quantity that both servers have. */
export function ratioRow(
  about: Pick<Row, "id" | "what" | "unit" | "bar">,
  pairs: readonly Pair[],
): Row {
  const kvdb = spread(pairs.map((pair) => pair.kvdb));
  const redis = spread(pairs.map((pair) => pair.redis));
  return { ...about, kvdb, redis, ratio: ratios(pairs) };
}

/** A bar without a figure is not met: a figure that went missing must not look like a pass. */
export function verdict(row: Row): Verdict {
  const { bar } = row;
  if (bar === null) return "";
  const figure = row[bar.of];
  if (figure === null) return "NO FIGURE";
  return holds(bar, bar.of === "ratio" ? figure.median : figure.max) ? "met" : "MISSED";
}

function holds(bar: Bar, value: number): boolean {
  if (bar.relation === "<=") return value <= bar.value;
  return bar.relation === ">=" ? value >= bar.value : value < bar.value;
}
