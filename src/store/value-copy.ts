/**
 * Copying and moving a value with its deadline to another key, of the same or of another database. What is inline is copied
 * as bytes; a structure is made anew from its elements when it is copied, and goes along by its address when it is moved.
 *
 * The source stays where it is until the copy is complete, since blocks only move when their own entry changes.
 */
import { CHUNK_SHIFT, copyBytes } from "./arena.ts";
import type { Database } from "./database.ts";
import { D_ACCOUNT } from "./database-record.ts";
import { ElementPart } from "./element-part.ts";
import {
  clockOf,
  deadlineOf,
  entryUnits,
  hasStructure,
  inlineSize,
  isText,
  JSON_TEXT,
  kindOf,
  PACKED,
  STRUCTURE,
  setClock,
  valueAt,
  valueWord,
} from "./entry.ts";
import type { ComingDocument } from "./entry-observer.ts";
import { findAt, type KeyPlace } from "./key-place.ts";
import { unitsOf } from "./structure.ts";

/**
 * Gives the key at `to`, whose look-up was the last and answered `entry` (0: none), a copy of the value and the deadline
 * of the entry `source`. Answers the entry at `to`.
 */
export function copyValue(source: number, to: KeyPlace, entry: number): number {
  return copyFrom(source, to, entry, undefined);
}

/** `from`: the source goes when it is copied. */
function copyFrom(source: number, to: KeyPlace, entry: number, from: KeyPlace | undefined): number {
  const { arena } = to.database;
  const kind = kindOf(arena, source);
  if (hasStructure(kind)) return copyElements(source, kind & 15, to, entry);
  const observer = (kind & 15) === JSON_TEXT ? to.database.keyspace.entryObserver : null;
  observer?.documentComes(comingDocument(source, to, from));
  const size = inlineSize(arena, source);
  const copy = put(to, entry, kind, size, deadlineOf(arena, source), valueWord(arena, source));
  copyBytes(
    arena.bytes[source >>> CHUNK_SHIFT],
    valueAt(arena, source),
    arena.edit(copy, entryUnits(arena, copy)),
    valueAt(arena, copy),
    size,
  );
  settle(to, copy);
  observer?.documentCame();
  return copy;
}

function comingDocument(source: number, to: KeyPlace, from: KeyPlace | undefined): ComingDocument {
  const { database, bytes: keyBytes, start: keyStart, end: keyEnd } = to;
  const { arena } = database;
  const start = valueAt(arena, source);
  return {
    ...{ database, keyBytes, keyStart, keyEnd },
    bytes: arena.bytes[source >>> CHUNK_SHIFT],
    start,
    end: start + inlineSize(arena, source),
    ...(from === undefined ? {} : { from }),
  };
}

/** The value came as it is, without its type having had a hand in it. */
function settle({ database }: KeyPlace, entry: number): void {
  const kind = kindOf(database.arena, entry);
  if (!isText(kind & 15)) database.keyspace.collections.types.of(kind).settle?.(database, entry);
}

function put(
  to: KeyPlace,
  entry: number,
  kind: number,
  size: number,
  deadlineMs: number,
  word: number,
): number {
  return to.database.put(entry, to.bytes, to.start, to.end, kind, size, deadlineMs, word);
}

const part = new ElementPart();

function copyElements(source: number, type: number, to: KeyPlace, entry: number): number {
  const { database } = to;
  const valueType = database.keyspace.collections.types.of(type);
  const deadlineMs = deadlineOf(database.arena, source);
  let copy = put(to, entry, type | (PACKED << 4), 0, deadlineMs, 0);
  part.beginValue();
  for (let isLast = false; !isLast; ) {
    part.beginPart();
    isLast = valueType.writePart(source, part);
    const { run, start, end, isTimed } = part;
    const elements = { run, at: start, end, isTimed, isCopy: true };
    copy = valueType.readPart(database, copy, elements);
  }
  return copy;
}

/** As `copyValue`, and the key at `from`, which holds `source`, is gone afterwards. How often it was used goes along. */
export function moveValue(source: number, from: KeyPlace, to: KeyPlace, entry: number): void {
  const { arena } = to.database;
  const kind = kindOf(arena, source);
  if (!hasStructure(kind)) {
    const copy = copyFrom(source, to, entry, from);
    setClock(arena, copy, clockOf(arena, source));
    from.database.remove(findAt(from));
    return;
  }
  const root = valueWord(arena, source);
  put(to, entry, kind & 15, 0, deadlineOf(arena, source), 0);
  const moved = to.database.setStructure(findAt(to), (kind & 15) | (STRUCTURE << 4), root);
  const units = unitsOf(arena, root);
  charge(to.database, units);
  charge(from.database, -units);
  settle(to, moved);
  setClock(arena, findAt(to), clockOf(arena, source));
  from.database.removeKey(findAt(from));
}

/** The account of the database, of what is allocated for it, grows by so many units. */
function charge(database: Database, units: number): void {
  const account = database.record + D_ACCOUNT;
  database.arena.editDoubles(account, 1)[account] += units;
}
