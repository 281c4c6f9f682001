/**
 * How commands reach the list under a key, and what several of them do with its ends. The commands are in list-ends.ts,
 * list-elements.ts, list-search.ts and list-blocking.ts.
 */
import type { Session } from "../session/session.ts";
import { type ReadonlyBytes, sameBytes } from "../store/arena.ts";
import { LIST, typeOf } from "../store/entry.ts";
import { findAt, type KeyPlace } from "../store/key-place.ts";
import type { Lists } from "../store/lists.ts";
import type { Arguments } from "./arguments.ts";
import { syntaxError, wrongType } from "./command-error.ts";
import { keyEvents, tellPlace } from "./key-event.ts";

export function listsOf(session: Session): Lists {
  return session.server.keyspace.collections.lists;
}

/** The entry of the list under argument `key`, to change it; 0: none. */
export function findList(session: Session, args: Arguments, key: number): number {
  const { database } = session;
  return requireList(session, database.find(args.buffer, args.start[key], args.end[key]));
}

/** The same for commands that only read: counts a hit or a miss. */
export function readList(session: Session, args: Arguments, key: number): number {
  const { database } = session;
  return requireList(session, database.read(args.buffer, args.start[key], args.end[key]));
}

/** Throws WRONGTYPE unless there is no entry or it is a list. */
export function requireList(session: Session, entry: number): number {
  if (entry !== 0 && typeOf(session.database.arena, entry) !== LIST) throw wrongType();
  return entry;
}

/** LEFT is the head. */
export function readEnd(args: Arguments, index: number): boolean {
  if (args.is(index, "LEFT")) return true;
  if (args.is(index, "RIGHT")) return false;
  throw syntaxError();
}

export function keyPlace(session: Session, args: Arguments, index: number): KeyPlace {
  const { database } = session;
  return { database, bytes: args.buffer, start: args.start[index], end: args.end[index] };
}

export function placeOfKey(session: Session, key: Buffer): KeyPlace {
  return { database: session.database, bytes: key, start: 0, end: key.length };
}

function isSamePlace(one: KeyPlace, other: KeyPlace): boolean {
  const size = one.end - one.start;
  if (size !== other.end - other.start) return false;
  return sameBytes(one.bytes as ReadonlyBytes, one.start, other.bytes, other.start, size);
}

/** From an end of a list elements went; `left` is its entry, 0 when with the last one the key is gone. */
export function tellPopped(session: Session, from: KeyPlace, atHead: boolean, left: number): void {
  tellPlace(session, atHead ? keyEvents.lpop : keyEvents.rpop, from);
  if (left === 0) tellPlace(session, keyEvents.del, from);
}

/** Takes up to `count` elements, copies of which are answered, from an end of the list that was found last at `place`. */
export function popCopies(
  session: Session,
  place: KeyPlace,
  entry: number,
  { atHead, count }: { readonly atHead: boolean; readonly count: number },
): Buffer[] {
  const lists = listsOf(session);
  const popped: Buffer[] = [];
  let at = entry;
  for (let left = Math.min(count, lists.count(entry)); left > 0; left--) {
    lists.peek(at, atHead);
    popped.push(copyOf(lists));
    at = lists.drop(session.database, at, atHead);
  }
  tellPopped(session, place, atHead, at);
  return popped;
}

/** A copy of the element that was found last. */
function copyOf({ bytes, start, end }: Lists): Buffer {
  const copy = Buffer.allocUnsafe(end - start);
  bytes.copy(copy, 0, start, end);
  return copy;
}

/** From which end of which list to which end of which other, perhaps the same. */
export interface ListMove {
  readonly from: KeyPlace;
  readonly fromHead: boolean;
  readonly to: KeyPlace;
  readonly toHead: boolean;
}

/** Moves an element, which is answered as a copy; null: there is no such list. Throws WRONGTYPE before it changes anything. */
export function moveElement(
  session: Session,
  { from, fromHead, to, toHead }: ListMove,
): Buffer | null {
  const lists = listsOf(session);
  const { database } = session;
  const source = requireList(session, findAt(from));
  if (source === 0) return null;
  const isSame = isSamePlace(from, to);
  const target = isSame ? source : requireList(session, findAt(to));
  // The look-up of the other key may have found it expired, but has moved nothing of this one.
  lists.peek(source, fromHead);
  const element = copyOf(lists);
  // Pushed first: a list of one element, moved within itself, must not be gone in between.
  const entry = target || lists.create(database, to.bytes, to.start, to.end);
  lists.push(database, entry, toHead, element, 0, element.length);
  tellPlace(session, toHead ? keyEvents.lpush : keyEvents.rpush, to);
  const left = findAt(from);
  lists.peek(left, fromHead);
  tellPopped(session, from, fromHead, lists.drop(database, left, fromHead));
  return element;
}
