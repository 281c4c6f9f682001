/**
 * Memory of commands that make more of what they find than their arguments are long, which the gate has counted: SETRANGE,
 * COPY, SUNIONSTORE. Too much is Redis's OOM error, before anything has changed.
 *
 * How long a union or an intersection is shows when it is made. So one that fits however long it is, is made at once; else
 * it is made beside the key, in a draft, which asks for each member and is thrown away when there is no room for one.
 *
 * What is replayed or comes from a primary had room there, and is not asked for.
 */
import type { ValueCollector } from "../rdb/value-collector.ts";
import type { Session } from "../session/session.ts";
import { type Arena, UNIT_BYTES } from "../store/arena.ts";
import type { Database } from "../store/database.ts";
import {
  hasStructure,
  inlineSize,
  kindOf,
  LIST,
  SET,
  STREAM,
  STRING,
  typeOf,
  valueWord,
} from "../store/entry.ts";
import { unitsOf } from "../store/structure.ts";

/** What a member or a field of a big structure takes besides its bytes, as measured of the largest, a sorted set. */
const ELEMENT_BYTES = 48;
/** A member of a big set or sorted set takes no more than so much besides its bytes, half empty tables included. */
const MEMBER_BYTES = 96;

/** Is told of each member before it comes: throws the OOM error when it does not fit. */
export type RequireRoom = (bytes: number) => void;

/** Throws Redis's OOM error when so many bytes more pass the limit. */
export function requireGrowth(session: Session, bytes: number): void {
  if (bytes > 0 && isBounded(session)) session.server.requireMemory(bytes);
}

function isBounded({ origin, server }: Session): boolean {
  return server.memory.maxBytes > 0 && origin !== "replay" && origin !== "replica";
}

/** Bytes of the value: inline, or of its structure. */
export function valueBytes(arena: Arena, entry: number): number {
  if (!hasStructure(kindOf(arena, entry))) return inlineSize(arena, entry);
  return unitsOf(arena, valueWord(arena, entry)) * UNIT_BYTES;
}

/** What a value that was read takes when it is stored: a payload of a million small numbers is shorter by far. */
export function collectedBytes({ type, plain, size, count }: ValueCollector): number {
  if (type === STRING) return plain.end - plain.start;
  return type === LIST || type === STREAM ? size : size + count * ELEMENT_BYTES;
}

/**
 * For what is made of members of these sets and sorted sets: null when all of them together would fit; 0 stands for a set
 * that is not there.
 */
export function roomForMembers(session: Session, entries: readonly number[]): RequireRoom | null {
  if (!isBounded(session)) return null;
  const { database, server } = session;
  let most = 0;
  for (const entry of entries) if (entry !== 0) most += membersBytes(database, entry);
  if (most <= server.memory.roomBytes) return null;
  return (bytes) => {
    if (bytes + MEMBER_BYTES > server.memory.roomBytes) server.requireMemory(most);
  };
}

/** What the members take at most, in whatever form. */
function membersBytes({ arena, keyspace }: Database, entry: number): number {
  const { sets, sortedSets } = keyspace.collections;
  const count = typeOf(arena, entry) === SET ? sets.count(entry) : sortedSets.count(entry);
  return valueBytes(arena, entry) + count * MEMBER_BYTES;
}
