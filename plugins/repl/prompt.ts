/** The prompt: where the data is, who holds it, which database is chosen, what state the shell is in. */
import { basename } from "node:path";
import type { Place } from "kvdb";
import type { Connection } from "./connection.ts";
import type { Piece } from "./layout.ts";
import type { Theme } from "./theme.ts";

/** `.kvdb> `, `.kvdb[3]> `, `.kvdb (pid 4711)> `, `127.0.0.1:6379 (not connected)> `. */
export function prompt(place: Place, connection: Connection, theme: Theme): Piece[] {
  const { database, isInTransaction, isOpen } = connection;
  // Without a connection nobody is known to hold the data: it may be another process by now.
  const holder = isOpen ? place.holder : "not connected";
  const notes = [
    ...(holder === undefined ? [] : [holder]),
    ...(isInTransaction ? ["in MULTI"] : []),
  ];
  return [
    { text: shortName(place), style: theme.prompt },
    { text: database === 0 ? "" : `[${database}]`, style: theme.prompt },
    { text: notes.length === 0 ? "" : ` (${notes.join(", ")})`, style: theme.state },
    { text: "> ", style: theme.prompt },
  ];
}

/** Of a folder the last name: the whole path would leave no room for the line. */
function shortName({ name, isRemote }: Place): string {
  return isRemote ? name : basename(name) || name;
}
